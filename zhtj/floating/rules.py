"""Pure rules of staying: until when, and when somebody has to be told (D-16 … D-18, R-12). No clock, no database."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from zhtj.people.rules import months_after

# Days before a deadline on which one is told: once a month ahead, once a week ahead, once when it has passed.
AHEAD, NEAR = 30, 7
CONTACT_AHEAD = 14


def end_of_month(day: date) -> date:
    """The last day of the month."""
    return date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])


def retained_until(graduation: date, months: int) -> date:
    """The last day of a retention: so many months from the end of the graduation month (D-18, PD-10).

    Graduated in June, six months: 31 December.
    """
    return end_of_month(months_after(date(graduation.year, graduation.month, 1), months))


@dataclass(frozen=True, slots=True)
class RetentionTerm:
    """For how long somebody may be retained: the last day, and whether that is the extended term already."""

    until: date
    extended: bool = False


def retention_term(graduation: date, months: int, most: int, today: date) -> RetentionTerm | None:
    """The term that a retention granted today has; nothing is granted for one that has passed (PD-61, D-18).

    Args:
        graduation: any day of the month.
        months: of the first term.
        most: months with an extension; no more than ``months`` where there is none.
        today: the day of the decision.

    Returns:
        The first term, after its end the extended one, None where that is over too.
    """
    first = RetentionTerm(retained_until(graduation, months))
    if today <= first.until:
        return first
    longest = RetentionTerm(retained_until(graduation, max(months, most)), extended=True)
    return longest if today <= longest.until else None


# Days that always remain to move somebody on, however late it is recorded that he has found a place (PD-20).
LEAST_DAYS = 7


def onward_until(found: date, months: int, recorded: date) -> date:
    """The last day on which somebody with a place is to be moved on (D-17, PD-20).

    Args:
        found: the day on which he found it: the months run from it.
        months: that there are.
        recorded: the day on which it was recorded.
    """
    return max(months_after(found, months), recorded + timedelta(days=LEAST_DAYS))


def past_onward(found: date | None, months: int, today: date) -> bool:
    """Whether the months since the place was found are over, though days may remain since its recording (D-17)."""
    return found is not None and today > months_after(found, months)


class DeadlineStage(IntEnum):
    """How near a deadline is; each stage is told once (时限提醒)."""

    FAR = 0
    AHEAD = 1
    NEAR = 2
    PAST = 3


def stage(deadline: date | None, today: date) -> DeadlineStage:
    """The stage a deadline has reached; after an outage only the latest still matters (PD-36)."""
    if deadline is None:
        return DeadlineStage.FAR
    left = (deadline - today).days
    if left < 0:
        return DeadlineStage.PAST
    if left <= NEAR:
        return DeadlineStage.NEAR
    return DeadlineStage.AHEAD if left <= AHEAD else DeadlineStage.FAR


def contact_stage(due: date | None, today: date) -> DeadlineStage:
    """The same of the next contact: told a fortnight ahead, and when it is overdue (R-12, R-17)."""
    if due is None:
        return DeadlineStage.FAR
    left = (due - today).days
    if left < 0:
        return DeadlineStage.PAST
    return DeadlineStage.AHEAD if left <= CONTACT_AHEAD else DeadlineStage.FAR
