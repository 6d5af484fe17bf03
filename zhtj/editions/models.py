"""A dry run that somebody asked for, and the applications for which it found something otherwise (PD-62)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel.database import Base, UtcDateTime, partial_index
from zhtj.kernel.work.tasks import Task

OPEN = "state IN ('waiting', 'running')"


class DryRunTask(Task, Base):
    """试行: a layer tried on one season's applications out of one part of the tree, by a job."""

    __tablename__ = "dry_runs"
    __table_args__ = (
        # Pressed twice is one job.
        partial_index("uq_dry_runs_open", "account_id", "org_id", "layer", "season", where=OPEN, unique=True),
        Index("ix_dry_runs_state", "state", "touched_at"),
    )

    layer: Mapped[str] = mapped_column(String(64))
    season: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    # What was found so far, see ``summary.DryRunCounts``, and the last application that was looked at.
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    last_id: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class DryRunLine(Base):
    """One application for which something would be otherwise."""

    __tablename__ = "dry_run_lines"

    run_id: Mapped[int] = mapped_column(ForeignKey("dry_runs.id"), primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), primary_key=True, index=True)
    reason: Mapped[str] = mapped_column(String(32))
    # Keys of the differences, each between blanks, so that one of them is found as a word.
    differences: Mapped[str] = mapped_column(Text)
    changes: Mapped[list[list[str]]] = mapped_column(JSON)
