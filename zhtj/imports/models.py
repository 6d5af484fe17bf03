"""Uploads between preview and import."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime
from zhtj.kernel.work.tasks import Task


class ImportKind(StrEnum):
    """What a file contains."""

    MEMBERS = "members"
    ORGANISATIONS = "organisations"
    DESTINATIONS = "destinations"
    FLOATING = "floating"
    LIAISONS = "liaisons"


class ImportPhase(StrEnum):
    """What is being done to a batch (导入阶段), for a short file by the request, for a long one by a job."""

    READ = "read"
    CHECK = "check"
    WRITE = "write"
    UNDO = "undo"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"read": "正在读取", "check": "正在核对", "write": "正在导入", "undo": "正在撤销"}[self.value]

    @property
    def is_discardable(self) -> bool:
        """Whether nothing has been written yet, so that the whole file can be given up."""
        return self in {ImportPhase.READ, ImportPhase.CHECK}

    @property
    def needs_new_file(self) -> bool:
        """Whether what failed in it cannot be taken up again: the file itself was not understood."""
        return self is ImportPhase.READ

    @property
    def is_undoing(self) -> bool:
        """Whether what was imported is being taken back."""
        return self is ImportPhase.UNDO


class Done(StrEnum):
    """What an import did to somebody (导入结果)."""

    CREATED = "created"
    ATTACHED = "attached"
    UPDATED = "updated"


class ImportBatch(Task, Base):
    """导入批次: a file that somebody uploaded in one of his seats, first to look at, then to import.

    ``content`` holds the file or its rows until they are imported; ``report`` what was found, and in the end the
    outcome; ``late`` what went wrong between the two. All three are encrypted (PD-37). ``done`` of ``total`` are rows.
    """

    __tablename__ = "import_batches"
    __table_args__ = (
        CheckConstraint("(applied_at IS NULL) = (content IS NOT NULL)", name="content"),
        CheckConstraint("applied_at IS NULL OR report IS NOT NULL", name="report"),
        CheckConstraint("undone_at IS NULL OR applied_at IS NOT NULL", name="undone"),
        Index("ix_import_batches_owner", "account_id", "org_id"),
        Index("ix_import_batches_state", "state", "touched_at"),
    )

    kind: Mapped[ImportKind] = mapped_column(StrEnumType(ImportKind))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    filename: Mapped[str] = mapped_column(String(120))
    # Of the bytes that were uploaded: a page that shows one file can never confirm another.
    digest: Mapped[str | None] = mapped_column(String(16))
    content: Mapped[str | None] = mapped_column(Encrypted)
    report: Mapped[str | None] = mapped_column(Encrypted)
    late: Mapped[str | None] = mapped_column(Encrypted)
    phase: Mapped[ImportPhase] = mapped_column(StrEnumType(ImportPhase))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportMeaning(Base):
    """导入对照: what an organisation has said once about headings (``column`` empty) and words of a kind of file.

    ``meaning`` is a column's name, or one of the column's fixed list; empty for a heading that is not to be read.
    """

    __tablename__ = "import_meanings"
    __table_args__ = (Index("uq_import_meanings_words", "org_id", "kind", "column", "words", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[ImportKind] = mapped_column(StrEnumType(ImportKind))
    column: Mapped[str] = mapped_column(String(60))
    words: Mapped[str] = mapped_column(String(120))
    meaning: Mapped[str] = mapped_column(String(120))


class ImportEntry(Base):
    """导入明细: what a batch did to one member; for a change the values before and after, to be able to undo it."""

    __tablename__ = "import_entries"

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id", ondelete="CASCADE"), primary_key=True)
    # No foreign key: an undone member is gone, and what happened to him stays on record as long as the batch.
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    how: Mapped[Done] = mapped_column(StrEnumType(Done))
    # JSON of {"before", "after"}; encrypted, for it holds telephone numbers (PD-37).
    change: Mapped[str | None] = mapped_column(Encrypted)
