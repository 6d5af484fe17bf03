"""Uploads between preview and import."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime


class ImportKind(StrEnum):
    """What a file contains."""

    MEMBERS = "members"
    ORGANISATIONS = "organisations"
    DESTINATIONS = "destinations"
    FLOATING = "floating"


class ImportBatch(Base):
    """导入批次: a file that somebody uploaded in one of his seats, first to look at, then to import.

    ``content`` holds its rows until they are imported, ``report`` the outcome afterwards; both are encrypted (PD-37).
    """

    __tablename__ = "import_batches"
    __table_args__ = (
        CheckConstraint("(applied_at IS NULL) = (content IS NOT NULL)", name="content"),
        CheckConstraint("(applied_at IS NULL) = (report IS NULL)", name="report"),
        Index("ix_import_batches_owner", "account_id", "org_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind] = mapped_column(StrEnumType(ImportKind))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    filename: Mapped[str] = mapped_column(String(120))
    content: Mapped[str | None] = mapped_column(Encrypted)
    report: Mapped[str | None] = mapped_column(Encrypted)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
