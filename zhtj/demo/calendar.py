"""When things happen in the demonstration's year: its milestones, and hours at which people really do them."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

from zhtj.kernel import clock

TREE = clock.parse("2026-03-02T09:00")
ORGANISATIONS = clock.parse("2026-04-10T09:00")
ROSTER = clock.parse("2026-04-10T14:30")
GENERATED = clock.parse("2026-04-13T09:00")
MARKS = clock.parse("2026-04-15T10:00")
REGISTER = clock.parse("2026-05-01T00:10")
CONVERSION = clock.parse("2026-06-01T00:10")
ACTIVATION = clock.parse("2026-06-08T10:00")
# The demonstration's present: its clock stands here when loading has finished, and moves on (PD-36).
START = clock.parse("2026-10-14T09:00")

_HOLIDAYS = frozenset({date(2026, 6, 19), date(2026, 9, 25)} | {date(2026, 10, day) for day in range(1, 8)})
_SATURDAY = 5


def _works(day: date) -> bool:
    return day.weekday() < _SATURDAY and day not in _HOLIDAYS


def _moment(day: date, chance: random.Random, first: int, last: int) -> datetime:
    minute = chance.randrange(first * 60, last * 60)
    return clock.parse(datetime.combine(day, time(minute // 60, minute % 60)).isoformat())


def any_hour(first: date, last: date, chance: random.Random) -> datetime:
    """A moment from the day ``first`` to the day ``last`` at which a member has his telephone in his hand."""
    day = first + timedelta(days=chance.randrange((last - first).days + 1))
    return _moment(day, chance, 7, 23)


def office_hour(first: date, last: date, chance: random.Random) -> datetime:
    """A moment of office hours on a working day from ``first`` to ``last``."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return _moment(chance.choice([day for day in days if _works(day)]), chance, 8, 17)


def office_after(moment: datetime, chance: random.Random) -> datetime:
    """Office hours of one of the five working days after the day of ``moment``."""
    day = clock.local(moment).date()
    for _ in range(chance.randrange(1, 6)):
        day += timedelta(days=1)
        while not _works(day):
            day += timedelta(days=1)
    return _moment(day, chance, 8, 17)
