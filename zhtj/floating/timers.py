"""The deadlines of floating members, as a source for the list of all timers (D-16 … D-18)."""

from __future__ import annotations

from collections.abc import Iterable

from zhtj.floating.queries import deadlines
from zhtj.kernel.permissions import ActiveSeat
from zhtj.transfers.watching.timers import Mark, Source, Timer, TimerKind, end_of


def timers(seat: ActiveSeat) -> Source:
    """The county's twelve months, the retention's end, the month after a place was found."""

    def read(_mark: Mark | None, _most: int) -> Iterable[Timer]:
        for one in deadlines(seat):
            yield Timer(TimerKind.ONWARD, end_of(one.due_on), one.what, one.rule, one.member.id, one.member, one.org)

    return read
