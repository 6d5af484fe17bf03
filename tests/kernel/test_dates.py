"""How days are said."""

from __future__ import annotations

from datetime import UTC, date, datetime

from zhtj.kernel import dates


def test_a_day_is_said_in_one_way() -> None:
    day = date(2026, 3, 4)
    assert (dates.short(day), dates.full(day), dates.month(day)) == ("3月4日", "2026年3月4日", "2026年3月")
    assert dates.full(None) == ""
    assert (dates.in_year(day, 2026), dates.in_year(day, 2027)) == ("3月4日", "2026年3月4日")


def test_a_moment_lies_on_the_day_it_is_in_shanghai() -> None:
    assert dates.local(datetime(2026, 3, 4, 15, 59, tzinfo=UTC)) == date(2026, 3, 4)
    assert dates.local(datetime(2026, 3, 4, 16, 0, tzinfo=UTC)) == date(2026, 3, 5)
    assert dates.local(date(2026, 3, 4)) == date(2026, 3, 4)
