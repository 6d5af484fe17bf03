"""What the nightly job does: everything counted anew from the history, and the day's figures kept (PD-25, PD-36)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, exists, func, or_, select

from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import insert_rows, session, unit_of_work
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import LEADING_TIERS, SEGMENT, Organisation
from zhtj.rates.counting import counters, keeping
from zhtj.rates.models import RateDay, Standing
from zhtj.rates.rules import FIGURES, Figures

_DEEPEST = 4 * SEGMENT  # counties


@dataclass(frozen=True, slots=True)
class Recount:
    """What a recount found.

    Args:
        rows: graduates looked at.
        standings: of these, how many were not what their history says.
        places: places whose counters were not what the standings say.
        days: days whose figures were kept for the curves.
    """

    rows: int
    standings: int
    places: int
    days: int


# So long after its end what fell due in a season is still written down, in the worst case.
WRITTEN_WITHIN = timedelta(days=90)


def recount() -> Recount:
    """Count this season anew, and seasons that have never been counted; put right what differs (PD-25).

    Each part is committed for itself: a recount that is stopped goes on the next time.
    """
    rows = standings = places = days = 0
    with unit_of_work():
        keeping.settle()  # whoever recounts inside his own unit of work may not have been counted yet
    for season in _seasons():
        found, wrong = _rows(season)
        rows, standings = rows + found, standings + wrong
        with unit_of_work():
            places += counters.rebuild(season)
        days += _days(season)
    return Recount(rows, standings, places, days)


def _seasons() -> list[int]:
    counted = exists().where(Standing.season == RegisterRow.season)
    now = RegisterRow.season.in_((clock.today().year, (clock.today() - WRITTEN_WITHIN).year))
    query = select(RegisterRow.season).where(now | ~counted)
    return list(session.scalars(query.distinct().order_by(RegisterRow.season)))


def _rows(season: int) -> tuple[int, int]:
    rows = wrong = 0
    query = select(RegisterRow.id).where(RegisterRow.season == season)
    wanted: Listing[int] = Listing(query, [RegisterRow.id], dress=lambda rows: [row.id for row in rows])
    for ids in wanted.walk():
        with unit_of_work():
            wrong += keeping.refresh(ids, season)
        rows += len(ids)
    return rows, wrong


def _days(season: int) -> int:
    """Keep the figures of leading organs at the end of each day that is over and not kept yet."""
    with unit_of_work():  # of a clock that was put forward for an exercise
        session.execute(delete(RateDay).where(RateDay.season == season, RateDay.day >= clock.today()))
    newest = session.scalar(select(func.max(RateDay.day)).where(RateDay.season == season))
    first = session.scalar(select(func.min(Standing.since)).where(Standing.season == season))
    if first is None:
        return 0
    day = newest + timedelta(days=1) if newest else first
    until = min(clock.today(), date(season + 1, 1, 1))
    any_at_all = or_(*(getattr(RateDay, name) != 0 for name in FIGURES))
    last_kept = select(RateDay.path).where(RateDay.season == season, RateDay.day == newest, any_at_all)
    before = set(session.scalars(last_kept))
    leading = set(session.scalars(select(Organisation.path).where(Organisation.tier.in_(LEADING_TIERS))))
    done = 0
    while day < until:
        with unit_of_work():
            before = _keep(season, day, before, leading)
        day, done = day + timedelta(days=1), done + 1
    return done


def _keep(season: int, day: date, before: set[str], leading: set[str]) -> set[str]:
    """Returns the places that have figures; whoever had some the day ``before`` and has none now is kept with 0."""
    found: dict[str, Figures] = defaultdict(Figures)
    for path, *numbers in session.execute(counters.counted_anew(season, day, depth=_DEEPEST)):
        figures = Figures(*(int(number) for number in numbers))
        for end in range(SEGMENT, len(path) + 1, SEGMENT):
            if path[:end] in leading:
                found[path[:end]] += figures
    counting = {path for path, figures in found.items() if figures}
    insert_rows(
        RateDay,
        [
            {"season": season, "path": path, "day": day, **{name: getattr(found[path], name) for name in FIGURES}}
            for path in sorted(counting | before)
        ],
    )
    return counting
