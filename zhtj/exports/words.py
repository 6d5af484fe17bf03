"""How values stand in an exported cell: days as 2026-10-14, nothing as an empty cell."""

from __future__ import annotations

from datetime import date, datetime

from zhtj.graduation.models import BranchMark
from zhtj.kernel import clock, dates


def day(value: date | datetime | None) -> str:
    """A day in Asia/Shanghai."""
    return dates.local(value).isoformat() if value else ""


def moment(value: datetime | None) -> str:
    """A point in time in Asia/Shanghai, to the minute."""
    return f"{clock.local(value):%Y-%m-%d %H:%M}" if value else ""


def month(value: date | None) -> str:
    """A month."""
    return f"{value:%Y-%m}" if value else ""


def last_day(due: datetime | None) -> str:
    """The last day before a moment of return, which is a midnight (PD-18)."""
    return day(datetime.fromtimestamp(due.timestamp() - 1, tz=due.tzinfo)) if due else ""


def mark(value: BranchMark | None) -> str:
    """A branch's graduation time, or why it has none."""
    if value is None:
        return "未标记"
    return month(value.month) if value.month else (value.no_time.label if value.no_time else "")
