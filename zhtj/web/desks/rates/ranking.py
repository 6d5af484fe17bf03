"""实时通报: the ranking of an organisation's children or schools by one rate (M-14), with the way to the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from flask import request

from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.rates.reports import ranking as rates
from zhtj.rates.reports import targets
from zhtj.rates.reports.ranking import MINIMUM, RankedOrganisation, RankingLevel
from zhtj.rates.reports.targets import Target
from zhtj.rates.rules import RateKind
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates.asked import AskedRates

LARGEST = 6
"""Digits of a number that is typed in."""
FULL = Decimal(100)


@dataclass(frozen=True, slots=True)
class AskedRanking:
    """What is ranked, and how.

    Args:
        minimum: people in the denominator from which on an organisation is ranked.
        target: typed in to try it; None: each organisation's own.
        problem: what was wrong with what was typed.
    """

    kind: RateKind = RateKind.SOCIETY
    level: RankingLevel = RankingLevel.CHILDREN
    minimum: int = MINIMUM
    target: Target | None = None
    problem: DomainError | None = None

    def kept(self) -> dict[str, str]:
        """Its arguments in an address; what is usual is left out."""
        return {
            **({"rate": self.kind.value} if self.kind is not RateKind.SOCIETY else {}),
            **({"level": self.level.value} if self.level is not RankingLevel.CHILDREN else {}),
            **({"minimum": str(self.minimum)} if self.minimum != MINIMUM else {}),
            **({"target": f"{self.target.percent.normalize():f}"} if self.target else {}),
        }


@dataclass(frozen=True, slots=True)
class RankingLine:
    """A line of the page: its place, and the target that holds for it."""

    place: RankedOrganisation
    target: Target | None

    @property
    def closing(self) -> int | None:
        """How many more people close its target (PD-26)."""
        return self.place.entry.rate.missing(self.target.percent) if self.target else None

    @property
    def distance(self) -> Decimal | None:
        """Percentage points to its target."""
        return self.target.distance(self.place.entry.rate) if self.target else None


@routes.desk.get("/rates/ranking", endpoint="rates_ranking")
@requires(Permission.RATES)
def ranking() -> str:
    """The ranking as it stands now or stood on a day."""
    asked, choice = frame.read(request.args), read(request.args)
    asked = replace(asked, problem=asked.problem or choice.problem)
    ranked, small = lines(asked, choice)
    return frame.page(
        "rates/ranking.html",
        asked,
        "rates_ranking",
        ranked=ranked,
        small=small,
        choice=choice,
        kinds=[(kind.value, kind.label) for kind in RateKind],
        levels=[(level.value, level.label) for level in RankingLevel],
        week=rates.week_before(asked.season, asked.day),
    )


def lines(asked: AskedRates, choice: AskedRanking) -> tuple[list[RankingLine], list[RankingLine]]:
    """The ranked, and those too small to be."""
    found = rates.entries(asked.organisation, asked.season, choice.kind, choice.level, asked.day)
    wanted = targets.read(asked.season)

    def line(place: RankedOrganisation) -> RankingLine:
        return RankingLine(place, choice.target or wanted.of(place.entry.organisation).get(choice.kind))

    ranked, small = rates.ranked(found, choice.minimum)
    return [line(place) for place in ranked], [line(place) for place in small]


def read(values: Mapping[str, str]) -> AskedRanking:
    """What an address asks for; what cannot be is told, and the usual taken instead."""
    kind, level = values.get("rate", ""), values.get("level", "")
    choice = AskedRanking(
        RateKind(kind) if kind in set(RateKind) else RateKind.SOCIETY,
        RankingLevel(level) if level in set(RankingLevel) else RankingLevel.CHILDREN,
    )
    try:
        return replace(choice, minimum=_minimum(values.get("minimum", "")), target=_target(values.get("target", "")))
    except DomainError as error:
        return replace(choice, problem=error)


def _minimum(text: str) -> int:
    if not text.strip():
        return MINIMUM
    if not (text.strip().isdecimal() and len(text.strip()) <= LARGEST):
        raise DomainError("起排人数请填整数。", fix=f"下面按 {MINIMUM} 人。", field="minimum", rule="M-14")
    return int(text)


def _target(text: str) -> Target | None:
    if not text.strip():
        return None
    try:
        percent = Decimal(text.strip().removesuffix("%"))
    except InvalidOperation:
        percent = Decimal(-1)
    if not percent.is_finite() or not 0 < percent <= FULL or len(text) > LARGEST:
        raise DomainError("目标请填 0 到 100 之间的数，如 95。", field="target", rule="PD-26")
    return Target(percent)
