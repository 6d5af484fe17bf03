"""How days are said in Chinese, wherever they are said: 10月14日, 2026年10月14日, 2026年10月."""

from __future__ import annotations

from datetime import date, datetime

from zhtj.kernel import clock


def local(value: date | datetime) -> date:
    """The day in Asia/Shanghai."""
    return clock.local(value).date() if isinstance(value, datetime) else value


def short(day: date) -> str:
    """Without its year, where that goes without saying: 10月14日."""
    return f"{day.month}月{day.day}日"


def full(day: date | None) -> str:
    """2026年10月14日; "" for no day."""
    return f"{day.year}年{short(day)}" if day else ""


def in_year(day: date, year: int) -> str:
    """With its year unless it is this one."""
    return short(day) if day.year == year else full(day)


def month(day: date) -> str:
    """2026年10月."""
    return f"{day.year}年{day.month}月"
