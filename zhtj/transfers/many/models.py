"""Tables of runs: work on many lines at once (PD-23)."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index


class RunKind(StrEnum):
    """What is done to the lines of a run (批量办理类型)."""

    DECIDE = "decide"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"decide": "批量办理", "transfer_out": "批量办理转出", "transfer_in": "批量办理转入"}[self.value]

    @property
    def is_incoming(self) -> bool:
        """Whether it brings in members of other organisations."""
        return self is RunKind.TRANSFER_IN


class RunState(StrEnum):
    """How far a run is (批量办理进度)."""

    PREVIEWED = "previewed"
    RUNNING = "running"
    DONE = "done"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"previewed": "待确认", "running": "正在办理", "done": "已办完"}[self.value]

    @property
    def is_confirmed(self) -> bool:
        """Whether it is more than a look beforehand."""
        return self is not RunState.PREVIEWED

    @property
    def is_done(self) -> bool:
        """Whether every line has its outcome."""
        return self is RunState.DONE


class Outcome(StrEnum):
    """What became of a line."""

    DONE = "done"
    FAILED = "failed"


class BulkRun(Base):
    """批量办理: what somebody does in one of his seats to many lines at once."""

    __tablename__ = "bulk_runs"
    __table_args__ = (
        # The page sends its key along: pressed twice is one run.
        Index("uq_bulk_runs_owner_key", "account_id", "org_id", "key", unique=True),
        Index("ix_bulk_runs_state", "state", "touched_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RunKind] = mapped_column(StrEnumType(RunKind))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    key: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(120))
    # JSON; encrypted, for remarks say something about people (PD-37).
    options: Mapped[str] = mapped_column(Encrypted)
    state: Mapped[RunState] = mapped_column(StrEnumType(RunState))
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    @property
    def choices(self) -> dict[str, Any]:
        """The options as they were chosen."""
        chosen: dict[str, Any] = json.loads(self.options)
        return chosen


class BulkLine(Base):
    """One line of a run; ``outcome`` is written once, together with what was done."""

    __tablename__ = "bulk_lines"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (answer IS NULL)", name="answer"),
        partial_index("ix_bulk_lines_open", "run_id", "place", where="outcome IS NULL"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("bulk_runs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column("place", primary_key=True)
    # JSON; encrypted, for it may hold names and ID numbers (PD-37).
    content: Mapped[str] = mapped_column(Encrypted)
    outcome: Mapped[Outcome | None] = mapped_column(StrEnumType(Outcome))
    answer: Mapped[str | None] = mapped_column(Encrypted)
    application_id: Mapped[int | None] = mapped_column(ForeignKey("applications.id"))
