"""The figures of an organisation day by day, for the curve of the season (PD-25)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, union_all

from zhtj.kernel import clock
from zhtj.kernel.permissions import subtree
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.models import SEGMENT, Organisation
from zhtj.rates import queries
from zhtj.rates.counting import keeping
from zhtj.rates.counting.counters import incoming_sums, own_sums
from zhtj.rates.models import RateDay, Standing
from zhtj.rates.rules import Figures


def by_day(organisation: Organisation, season: int) -> list[tuple[date, Figures]]:
    """(day, figures at its end) for every day from the first graduate of the season to today or its last day.

    Args:
        organisation: whose.
        season: year.
    """
    last = min(clock.today(), date(season, 12, 31))
    paths = queries.area(organisation.path)
    kept = organisation.is_leading and len(paths) == 1 and _is_kept(organisation.path[:SEGMENT], season, last)
    found = _kept(organisation.path, season) if kept else _counted(paths, season)
    if clock.today().year == season:
        found[last] = queries.figures(organisation.path, season)
    return _filled(found, last)


def _is_kept(centre: str, season: int, last: date) -> bool:
    """Whether every day before the last was kept; some are not until the night after they were written late."""
    newest = reports().scalar(select(func.max(RateDay.day)).where(RateDay.season == season, RateDay.path == centre))
    return newest is not None and newest >= last - timedelta(days=1)


def _kept(path: str, season: int) -> dict[date, Figures]:
    query = select(RateDay).where(RateDay.season == season, RateDay.path == path).order_by(RateDay.day)
    return {row.day: queries.figures_of(row) for row in reports().scalars(query)}


def _counted(paths: Sequence[str], season: int) -> dict[date, Figures]:
    """What began on a day and what ended on it, added up."""
    keeping.settle()
    own = _inside(Standing.season_path, paths)
    coming = and_(_inside(Standing.to_path, paths), ~own)
    parts = [
        select(day.label("day"), *(each if sign > 0 else -each for each in sums))
        .where(Standing.season == season, chosen, day.is_not(None))
        .group_by(day)
        for chosen, sums in ((own, own_sums()), (coming, incoming_sums()))
        for day, sign in ((Standing.since, 1), (Standing.until, -1))
    ]
    changes: dict[date, Figures] = defaultdict(Figures)
    for day, *numbers in reports().execute(union_all(*parts)):
        changes[day] += Figures(*(int(number) for number in numbers))
    found: dict[date, Figures] = {}
    figures = Figures()
    for day in sorted(changes):
        figures += changes[day]
        found[day] = figures
    return found


def _inside(column: Any, paths: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(subtree(column, path) for path in paths))


def _filled(found: dict[date, Figures], last: date) -> list[tuple[date, Figures]]:
    if not found:
        return []
    days: list[tuple[date, Figures]] = []
    day, figures = min(found), Figures()
    while day <= last:
        figures = found.get(day, figures)
        days.append((day, figures))
        day += timedelta(days=1)
    return days
