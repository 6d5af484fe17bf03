"""Periods of the schedule, claimed in the database so that of several schedulers exactly one acts (PD-36)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, String, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel.database import Base, session


class SchedulePeriod(Base):
    """The latest period of an entry that somebody has taken in hand."""

    __tablename__ = "schedule_periods"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    period: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


def claim(name: str, period: int) -> bool:
    """Take ``period`` of the entry ``name`` in hand, in the caller's transaction.

    A second claimant waits for the first one's transaction: it gets the period only if that one rolls back.

    Args:
        name: the schedule's entry.
        period: counts up with time.

    Returns:
        False if somebody else has it.
    """
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = dialect.insert(SchedulePeriod).values(name=name, period=period).on_conflict_do_nothing()
    if session.execute(row.returning(SchedulePeriod.period)).first() is None:
        return False
    # Only the present period is worth keeping; a clock set back simply starts again from there.
    session.execute(delete(SchedulePeriod).where(SchedulePeriod.name == name, SchedulePeriod.period != period))
    return True
