"""How figures, days and personal numbers are written on the screen; all of it is available as Jinja filters.

Times are stored in UTC and shown in Asia/Shanghai (PD-36). A relative time always stands in a ``<time>`` element that
also carries the absolute one.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from flask import Flask
from markupsafe import Markup

from zhtj.cases.kind import ID_NUMBERS
from zhtj.imports.files import row_numbers
from zhtj.kernel import clock, dates
from zhtj.policy import spoken

NOTHING = "—"
WEEKDAYS = "一二三四五六日"
_MINUTE, _HOUR = 60, 3600
_READABLE = 7
"""How many characters of a masked number stay readable: three in front, four behind."""

Ratio: TypeAlias = Fraction | Decimal | float | tuple[int, int]


def register(app: Flask) -> None:
    """Give every template the filters of this module."""
    app.jinja_env.filters.update(
        day=day,
        moment=moment,
        ago=ago,
        month=month,
        months=spoken.months,
        season_day=dates.short,
        deadline=deadline,
        days_left=days_left,
        masked_id=masked_id,
        masked_answer=masked_answer,
        masked_mobile=masked_mobile,
        masked_name=masked_name,
        number=number,
        counted=counted,
        row_label=row_numbers.label,
        percent=percent,
    )


def _day_text(value: date) -> str:
    return dates.in_year(value, clock.today().year)


def _time_element(value: date | datetime, text: str, title: str = "") -> Markup:
    stamp = clock.local(value).isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()
    # Figures and our own words only: nothing here needs escaping, and lists call it often.
    about = f' title="{title}"' if title else ""
    return Markup(f'<time datetime="{stamp}"{about}>{text}</time>')  # noqa: S704


def day(value: date | datetime | None) -> str:
    """A day as ``<time>``: 10月5日, with the year if it is another one; — for None."""
    if value is None:
        return NOTHING
    local = dates.local(value)
    return _time_element(local, _day_text(local))


def moment(value: datetime | None) -> str:
    """A point in time as ``<time>``: 10月5日 14:30; — for None."""
    if value is None:
        return NOTHING
    return _time_element(value, f"{_day_text(dates.local(value))} {clock.local(value):%H:%M}")


def relative(value: datetime) -> str:
    """刚刚, 5 分钟前, 3 小时前, 昨天, 3 天前; a future time as 5 分钟后 and so on; days are those of the calendar."""
    seconds = (clock.now() - value).total_seconds()
    suffix = "前" if seconds >= 0 else "后"
    seconds = abs(seconds)
    if seconds < _MINUTE:
        return "刚刚" if suffix == "前" else "马上"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} 分钟{suffix}"
    days = abs((clock.today() - dates.local(value)).days)
    if days == 0 or seconds < _HOUR * 6:
        return f"{int(seconds // _HOUR)} 小时{suffix}"
    if days == 1:
        return "昨天" if suffix == "前" else "明天"
    return f"{days} 天{suffix}"


def ago(value: datetime | None) -> str:
    """A relative time as ``<time>`` whose title is the absolute one; — for None."""
    if value is None:
        return NOTHING
    local = clock.local(value)
    return _time_element(value, relative(value), f"{_day_text(local.date())} {local.hour:02}:{local.minute:02}")


def month(value: date | None) -> str:
    """2026年6月 as ``<time>``, for graduation and joining months; — for None."""
    if value is None:
        return NOTHING
    return Markup('<time datetime="{:%Y-%m}">{}年{}月</time>').format(value, value.year, value.month)


def last_day(due: date | datetime) -> date:
    """The last day on which one may still act: a deadline at 00:00 ends the day before at 24:00."""
    return dates.local(due - timedelta(microseconds=1)) if isinstance(due, datetime) else due


def days_left(due: date | datetime) -> int:
    """Calendar days from today to the last day of a deadline: 0 on that day, negative afterwards."""
    return (last_day(due) - clock.today()).days


def remaining(due: date | datetime) -> str:
    """还剩 5 天, 今天截止, 已过 2 天."""
    days = days_left(due)
    if days > 0:
        return f"还剩 {days} 天"
    if isinstance(due, datetime) and due <= clock.now():
        return f"已过 {-days} 天" if days else "已到期"
    return "今天截止" if days == 0 else f"已过 {-days} 天"


def deadline(due: date | datetime | None, short: bool = False) -> str:  # noqa: FBT001, FBT002  # a filter's argument
    """Day and remaining days of a deadline as ``<time>``: 10月15日（周四）24:00 前，还剩 5 天; — for None.

    Args:
        due: the last day, or the moment it ends (00:00 is 24:00 of the day before).
        short: without weekday and hour, for a cell of a table.
    """
    if due is None:
        return NOTHING
    last = last_day(due)
    if short:
        return _time_element(due, f"{_day_text(last)}，<b>{remaining(due)}</b>")
    at = clock.local(due) if isinstance(due, datetime) else None
    ends = "24:00" if at is None or (at.hour, at.minute) == (0, 0) else f"{at:%H:%M}"
    return _time_element(due, f"{_day_text(last)}（周{WEEKDAYS[last.weekday()]}）{ends} 前，<b>{remaining(due)}</b>")


def _masked(value: str, stars: int) -> str:
    return value[:3] + "*" * stars + value[-4:] if len(value) > _READABLE else "*" * len(value)


def masked_answer(answer: str, label: str) -> str:
    """An answer of a printed form; ID numbers as ``masked_id`` shows them."""
    return masked_id(answer) if label in ID_NUMBERS else answer


def masked_id(value: str | None) -> str:
    """110***********1234: first three and last four characters (PD-37); — for None."""
    if not value:
        return NOTHING
    return _masked(value, len(value) - _READABLE)


def masked_mobile(value: str | None) -> str:
    """138****1234; — for None."""
    if not value:
        return NOTHING
    return _masked(value, 4)


def masked_name(value: str | None) -> str:
    """张** : the family name only (PD-29)."""
    return value[0] + "*" * (len(value) - 1) if value else NOTHING


def number(value: float | None) -> str:
    """12,345; — for None."""
    return NOTHING if value is None else f"{value:,}"


def counted(value: int, most: int | None) -> str:
    """A number that was counted no further than ``most``, if at all: 12,345, or 多于 5,000."""
    return f"多于 {most:,}" if most is not None and value > most else number(value)


def percent(value: Ratio | None) -> str:
    """A ratio as 66.67%: two decimals, half up; 0/0 and None are — (PD-24).

    Args:
        value: the ratio itself (1 = 100 %), or the pair (numerator, denominator).
    """
    if isinstance(value, tuple):
        value = Fraction(*value) if value[1] else None
    if value is None:
        return NOTHING
    exact = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    hundredths = (exact * 10000 + Fraction(1, 2)).__floor__()
    sign, hundredths = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d}%"
