"""实时通报: organisations ranked by a rate, with ties, a minimum size and the movement of a week (M-14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select

from zhtj.kernel import clock
from zhtj.kernel.permissions import subtree
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.changing.moving import moves_around
from zhtj.orgs.models import Organisation, Tier
from zhtj.rates import queries
from zhtj.rates.counting import keeping
from zhtj.rates.counting.counters import counted_anew, kept
from zhtj.rates.rules import Figures, Rate, RateKind

MINIMUM = 10
"""People in the denominator below which an organisation is listed without a rank."""
WEEK = timedelta(days=7)
CHUNK = 2000


class RankingLevel(StrEnum):
    """What is ranked (通报层级)."""

    CHILDREN = "children"
    SCHOOLS = "schools"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"children": "直接下级", "schools": "各校团委"}[self.value]

    @property
    def is_schools(self) -> bool:
        """Whether basic committees are ranked, however deep they stand."""
        return self is RankingLevel.SCHOOLS


@dataclass(frozen=True, slots=True)
class OrganisationRate:
    """One organisation with its rate now and a week ago (None: not known)."""

    organisation: Organisation
    rate: Rate
    before: Rate | None = None


@dataclass(frozen=True, slots=True)
class RankedOrganisation:
    """A line of the ranking.

    Args:
        entry: who.
        rank: None for one that is too small.
        rank_before: a week ago, by the same minimum.
    """

    entry: OrganisationRate
    rank: int | None
    rank_before: int | None = None

    @property
    def change(self) -> Decimal | None:
        """Percentage points since a week ago; None where either has no value."""
        now, before = self.entry.rate.value, self.entry.before.value if self.entry.before else None
        return None if now is None or before is None else now - before

    @property
    def climbed(self) -> int | None:
        """Ranks won since a week ago, negative for ranks lost; None where either has none."""
        return None if self.rank is None or self.rank_before is None else self.rank_before - self.rank


def ranked(
    entries: Iterable[OrganisationRate], minimum: int = MINIMUM
) -> tuple[list[RankedOrganisation], list[RankedOrganisation]]:
    """Rank by the rate as it is printed, the highest first; whoever prints the same shares a rank: 1, 2, 2, 4.

    Args:
        entries: in the order in which those of one rank are listed.
        minimum: people in the denominator from which on an organisation is ranked.

    Returns:
        The ranked, and those too small to be, both the highest first.
    """
    # M-14: by the rate as printed, ties share a rank; the notice is the same on paper.
    lines = list(entries)
    now = _ranks([(line.organisation.id, line.rate) for line in lines], minimum)
    before = _ranks([(line.organisation.id, line.before) for line in lines if line.before], minimum)
    places = [
        RankedOrganisation(line, now.get(line.organisation.id), before.get(line.organisation.id)) for line in lines
    ]
    places.sort(key=lambda place: -(place.entry.rate.value if place.entry.rate.value is not None else Decimal(-1)))
    return [each for each in places if each.rank is not None], [each for each in places if each.rank is None]


def _ranks(rates: Sequence[tuple[int, Rate]], minimum: int) -> dict[int, int]:
    values = {number: rate.value for number, rate in rates if rate.denominator >= max(1, minimum)}
    order = sorted((value for value in values.values() if value is not None), reverse=True)
    first: dict[Decimal, int] = {}
    for rank, value in enumerate(order, start=1):
        first.setdefault(value, rank)
    return {number: first[value] for number, value in values.items() if value is not None}


Found = dict[int, tuple[Organisation, Figures]]


def entries(
    organisation: Organisation, season: int, kind: RateKind, level: RankingLevel, day: date | None = None
) -> list[OrganisationRate]:
    """What is ranked below an organisation, with the rate of a week ago.

    Args:
        organisation: below which.
        season: year.
        kind: which rate.
        level: direct children, or schools at any depth.
        day: at the end of which; None: now, or the last state of a season that is over.
    """
    read = _schools if level is RankingLevel.SCHOOLS else _children
    week = week_before(season, day)
    before = read(organisation, season, week) if week else {}
    return [
        OrganisationRate(one, kind.of(figures), kind.of(before[number][1]) if number in before else None)
        for number, (one, figures) in read(organisation, season, day).items()
    ]


def week_before(season: int, day: date | None) -> date | None:
    """The day to compare with; None where there is none: the season is over, or had not begun."""
    if day is None and season < clock.today().year:
        return None
    before = (day or clock.today()) - WEEK
    return before if before.year >= season else None


def _children(organisation: Organisation, season: int, day: date | None) -> Found:
    """The direct children that stand there today and have anything to count."""
    return {
        child.organisation.id: (child.organisation, child.figures)
        for child in queries.by_child(organisation, season, day)
        if child.figures and not child.moved_out
    }


def _schools(organisation: Organisation, season: int, day: date | None) -> Found:
    """The basic committees below that have graduates of the season, at whatever depth."""
    query = select(Organisation.path).where(
        subtree(Organisation.path, organisation.path), Organisation.tier == Tier.BASIC
    )
    known = set(reports().scalars(query))
    lengths = sorted({len(path) for path in known})
    keeping.settle()
    found: dict[str, Figures] = defaultdict(Figures)
    parts = kept(season, organisation.path) if day is None else counted_anew(season, day, [organisation.path])
    for place, *numbers in reports().execute(parts):
        for path in (place[:length] for length in lengths):
            if path in known:
                found[path] += Figures(*(int(number) for number in numbers))
    for path in _moved(known, moves_around(organisation.path)):
        found[path] = queries.figures(path, season, day)
    return _named({path: figures for path, figures in found.items() if figures.graduates})


def _named(found: dict[str, Figures]) -> Found:
    """With their organisations, in the order of the tree."""
    paths = sorted(found)
    named: list[Organisation] = []
    for start in range(0, len(paths), CHUNK):
        query = select(Organisation).where(Organisation.path.in_(paths[start : start + CHUNK]))
        named += reports().scalars(query.order_by(Organisation.path)).all()
    return {each.id: (each, found[each.path]) for each in named}


def _moved(paths: Iterable[str], moves: Sequence[tuple[str, str]]) -> list[str]:
    """Those of these that stand, or a superior of theirs stands, where it did not always stand."""
    return [path for path in paths if any(path.startswith(after) for _, after in moves)] if moves else []
