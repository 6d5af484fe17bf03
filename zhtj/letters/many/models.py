"""Tables of batches: letters for hundreds at once, and the files they are printed in."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index
from zhtj.people.models import Account


class BatchState(StrEnum):
    """批量开具进度: looked at, taking numbers, being printed, done."""

    PREVIEWED = "previewed"
    ISSUING = "issuing"
    PRINTING = "printing"
    DONE = "done"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"previewed": "待确认", "issuing": "正在编号", "printing": "正在生成", "done": "已完成"}[self.value]

    @property
    def is_confirmed(self) -> bool:
        """Whether it is more than a look beforehand."""
        return self is not BatchState.PREVIEWED

    @property
    def is_printing(self) -> bool:
        """Whether all lines have their numbers and the files are being written."""
        return self is BatchState.PRINTING

    @property
    def is_done(self) -> bool:
        """Whether every file is there."""
        return self is BatchState.DONE


class LetterBatch(Base):
    """批量开具: letters that one committee issues for many applications with the same details."""

    __tablename__ = "letter_batches"
    __table_args__ = (
        # The page sends its key along: pressed twice is one batch.
        Index("uq_letter_batches_key", "org_id", "key", unique=True),
        Index("ix_letter_batches_state", "state", "touched_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    key: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(120))
    # What was filled in for all lines; JSON, encrypted for the telephone numbers in it.
    details: Mapped[str] = mapped_column(Encrypted)
    # Address of this installation, for the QR codes: a job has no request to ask.
    site: Mapped[str] = mapped_column(String(200))
    state: Mapped[BatchState] = mapped_column(StrEnumType(BatchState))
    total: Mapped[int]
    issued: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    # How many files there will be, known once all have their numbers.
    files: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()

    @property
    def choices(self) -> dict[str, Any]:
        """The details as they were typed."""
        chosen: dict[str, Any] = json.loads(self.details)
        return chosen


class LetterBatchLine(Base):
    """One application of a batch: its letter, or why it got none; written once, with the letter."""

    __tablename__ = "letter_batch_lines"
    __table_args__ = (
        CheckConstraint("letter_id IS NULL OR trouble IS NULL", name="outcome"),
        partial_index("ix_letter_batch_lines_open", "batch_id", "place", where="letter_id IS NULL AND trouble IS NULL"),
    )

    batch_id: Mapped[int] = mapped_column(ForeignKey("letter_batches.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column("place", primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"))
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letters.id"), index=True)
    # Encrypted: it names the member.
    trouble: Mapped[str | None] = mapped_column(Encrypted)


class LetterFile(Base):
    """批次文件: one printed PDF of a batch; it can be thrown away, for it can be printed again at any time."""

    __tablename__ = "letter_files"

    batch_id: Mapped[int] = mapped_column(ForeignKey("letter_batches.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column("place", primary_key=True)
    letters: Mapped[int]
    first: Mapped[str] = mapped_column(String(20))
    last: Mapped[str] = mapped_column(String(20))
    # Base64 of the PDF, encrypted.
    content: Mapped[str] = mapped_column(Encrypted, deferred=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
