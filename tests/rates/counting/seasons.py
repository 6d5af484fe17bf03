"""Seasons that never were: people who become done day by day at changing speed, in groups, while others still join."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from zhtj.rates.rules import Rate

FIRST, LAST = date(2026, 6, 1), date(2026, 12, 31)
DEADLINES = (date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31), LAST)
DAYS = [FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1)]

History = list[tuple[date, Rate]]


def next_deadline(day: date) -> date:
    """The one after a day."""
    return next(each for each in DEADLINES if each > day)


def early_rush(day: date) -> float:
    """Most is done in the first weeks."""
    return 0.045 * math.exp(-(day - FIRST).days / 35) + 0.003


def deadline_rush(day: date) -> float:
    """Little happens until a deadline is near."""
    return 0.003 + 0.05 * math.exp(-(min(each for each in DEADLINES if each >= day) - day).days / 6)


def stalls(day: date) -> float:
    """Weeks in which nothing happens at all."""
    return 0.0 if 25 <= (day - FIRST).days % 60 < 50 else 0.02


def returns(day: date) -> float:
    """In October what nobody answered comes back, and is done in November."""
    month_and_day = (day.month, day.day)
    if month_and_day < (9, 1):
        return 0.012
    if month_and_day < (10, 1):
        return 0.02
    if month_and_day < (10, 25):
        return 0.001
    return 0.03 if month_and_day < (11, 20) else 0.008


SHAPES: dict[str, Callable[[date], float]] = {
    each.__name__: each for each in (early_rush, deadline_rush, stalls, returns)
}


@dataclass
class Season:
    """One season of an organisation.

    Args:
        shape: share of the open part that is done on a day, before chance.
        people: at the beginning; a tenth as many join later, and now and then one leaves.
        group: how many are done at once.
        chance: where it comes from.
    """

    shape: Callable[[date], float]
    people: int
    group: int
    chance: random.Random

    def history(self) -> History:
        """The rate at the end of each day."""
        pace = math.exp(self.chance.gauss(0, 0.3))
        is_open, done, counted, mood = self.people, 0, self.people, 0.0
        found = []
        for day in DAYS:
            mood = 0.8 * mood + self.chance.gauss(0, 0.3)
            come = sum(self.chance.random() < self.people / 6400 for _ in range(3))
            is_open, counted = is_open + come, counted + come
            if is_open and self.chance.random() < 0.02:
                is_open, counted = is_open - 1, counted - 1
            share = self.shape(day) * pace * math.exp(mood) * (0.3 if day.weekday() >= 5 else 1.2)
            groups = sum(self.chance.random() < min(0.6, share) for _ in range(-(-is_open // self.group)))
            now = min(is_open, groups * self.group)
            is_open, done = is_open - now, done + now
            found.append((day, Rate(done, counted)))
        return found


def year_before(history: History) -> History:
    """The same season a year earlier."""
    return [(day.replace(year=day.year - 1), rate) for day, rate in history]
