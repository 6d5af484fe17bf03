"""Rules about a person's age and number. Pure: no database, no clock."""

from __future__ import annotations

import calendar
from datetime import date

# From this day on every new member has a number of 12 digits, and the stricter age applies (PD-31).
NUMBERED_SINCE = date(2017, 1, 1)
LEAST_AGE, LEAST_AGE_BEFORE = 13, 12
# Membership ends with this age where no League post is held (U-24).
LEAVING_AGE = 28


def least_age(joined: date) -> int:
    """How old one must have been on the first day of the month of joining (PD-31, U-11)."""
    # U-11: joined younger than this, nobody is registered.
    return LEAST_AGE if joined >= NUMBERED_SINCE else LEAST_AGE_BEFORE


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or earlier (< 0); the last of the month where that has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
