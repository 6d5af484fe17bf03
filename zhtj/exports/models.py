"""Exports that somebody asked for, with their files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel import clock
from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index
from zhtj.kernel.work.tasks import Task, TaskState

OPEN = "state IN ('waiting', 'running')"


class FileFormat(StrEnum):
    """文件格式."""

    XLSX = "xlsx"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """What the browser is told."""
        excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return excel if self is FileFormat.XLSX else "text/csv; charset=utf-8"


def filename(title: str, moment: datetime, file_format: FileFormat) -> str:
    """The name under which a file is saved."""
    return f"{title} {clock.local(moment):%Y%m%d-%H%M}.{file_format.value}"


class Export(Task, Base):
    """导出: one list with its filters, asked for in one seat; ``stored`` names its file until that is thrown away."""

    __tablename__ = "exports"
    __table_args__ = (
        # Pressed twice is one job.
        partial_index("uq_exports_open", "account_id", "org_id", "digest", where=OPEN, unique=True),
        Index("ix_exports_state", "state", "touched_at"),
        Index("ix_exports_owner", "account_id", "org_id"),
    )

    list_key: Mapped[str] = mapped_column(String(32))
    file_format: Mapped[FileFormat] = mapped_column(StrEnumType(FileFormat))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    title: Mapped[str] = mapped_column(String(120))
    # JSON; encrypted, for a search names people (PD-37).
    filters: Mapped[str] = mapped_column(Encrypted)
    digest: Mapped[str] = mapped_column(String(64))
    stored: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    @property
    def filename(self) -> str:
        """The name under which it is saved."""
        return filename(self.title, self.created_at, self.file_format)

    @property
    def is_expired(self) -> bool:
        """Whether the file's day is over."""
        return self.state is TaskState.DONE and (self.stored is None or self.expires_at <= clock.now())

    @property
    def is_ready(self) -> bool:
        """Whether there is a file to fetch."""
        return self.state is TaskState.DONE and not self.is_expired
