"""去向质量: a season's applications, judged by the destination table - the fourth use of one engine (PD-11).

What the table said when somebody applied stands in his application; what it says today is asked again, so that a place
which no longer passes, or passed only because nobody looked (the employed sent to their 户籍地, T-04), shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select

from zhtj.graduation.models import RegisterRow
from zhtj.graduation.season_line import in_season
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.policy.destinations import Verdict, judge
from zhtj.policy.model import Policy
from zhtj.policy.seasons import county_open
from zhtj.policy.vocabulary import Destination, PlaceTie, Reason, Suitability
from zhtj.transfers.models import Application
from zhtj.transfers.queries import LISTED, attach_organisations
from zhtj.transfers.workflow import OPEN, State

COUNTED = OPEN | {State.COMPLETED}
"""Refused, withdrawn and returned applications went nowhere."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One part of the season's applications; None is any.

    Args:
        level: ``forbidden`` if today's table forbids it, else what the table said at submission.
        place: as the application has it; only with the others given.
    """

    level: Suitability | None = None
    reason: Reason | None = None
    kind: Destination | None = None
    place: PlaceTie | None = None

    def arguments(self) -> dict[str, str]:
        """As they stand in an address."""
        said = {"level": self.level, "reason": self.reason, "kind": self.kind, "place": self.place}
        return {name: value.value for name, value in said.items() if value is not None}

    def holds(self, group: Group) -> bool:
        """Whether a group of applications lies in this part."""
        return all(
            wanted is None or wanted == found
            for wanted, found in (
                (self.level, group.level),
                (self.reason, group.reason),
                (self.kind, group.kind),
                (self.place, group.place),
            )
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Applications alike in reason, kind of destination and place.

    Args:
        level: see ``Cut``.
        today: what the table says today.
        count: how many.
    """

    reason: Reason
    kind: Destination
    place: PlaceTie | None
    level: Suitability
    today: Verdict
    count: int

    @property
    def cut(self) -> Cut:
        """The part that this group is."""
        return Cut(self.level, self.reason, self.kind, self.place)

    @property
    def where(self) -> str:
        """户籍所在地的乡镇街道团组织."""
        tied = self.place is not None and self.place is not PlaceTie.NONE
        return f"{self.place.label}的{self.kind.label}" if tied and self.place else self.kind.label


@dataclass(frozen=True)
class Report:
    """Everything counted, in groups; every figure is the sum of some of them, and each list holds as many."""

    season: int
    groups: list[Group] = field(default_factory=list)

    def count(self, cut: Cut | None = None) -> int:
        """How many applications lie in a part."""
        return sum(group.count for group in self.groups if cut is None or cut.holds(group))

    @property
    def rows(self) -> list[tuple[Reason, Destination]]:
        """Rows of the table: reason and kind of destination, the most frequent first under each reason."""
        totals = Counter[tuple[Reason, Destination]]()
        for group in self.groups:
            totals[group.reason, group.kind] += group.count
        order = list(Reason)
        return sorted(totals, key=lambda row: (order.index(row[0]), -totals[row], row[1].value))

    @property
    def doubtful(self) -> list[Group]:
        """What the table forbids today or warns of, worst and most frequent first."""
        found = [group for group in self.groups if group.level in {Suitability.FORBIDDEN, Suitability.WARNED}]
        return sorted(found, key=lambda group: (-group.level.rank, -group.count))


def report(seat: ActiveSeat, season: int) -> Report:
    """The season's applications of graduates out of the seat's part of the tree."""
    columns = (Application.reason, Application.kind, Application.place, Application.level)
    query = select(*columns, func.count()).where(*_season(seat, season)).group_by(*columns)
    policy = _policy(seat)
    found: Counter[tuple[Reason, Destination, PlaceTie | None, Suitability]] = Counter()
    for reason, kind, place, level, count in session.execute(query):
        key = (Reason(reason), kind, PlaceTie(place) if place in set(PlaceTie) else None)
        today = _today(policy, *key)
        found[(*key, Suitability.FORBIDDEN if today.blocks else level)] += count
    return Report(
        season,
        [
            Group(reason, kind, place, level, _today(policy, reason, kind, place), count)
            for (reason, kind, place, level), count in found.items()
        ],
    )


def listing(seat: ActiveSeat, season: int, cut: Cut, *, known: Report | None = None) -> Listing[Application]:
    """Exactly the applications behind one figure, newest first; ``known``: the report, for whoever has it already."""
    groups = (known or report(seat, season)).groups
    forbidden = [group for group in groups if group.level is Suitability.FORBIDDEN]
    query: Select[Any] = select(Application).where(*_season(seat, season))
    if cut.level is Suitability.FORBIDDEN:
        query = query.where(_any_of(forbidden))
    elif cut.level is not None:
        query = query.where(Application.level == cut.level, not_(_any_of(forbidden)))
    said = ((Application.reason, cut.reason), (Application.kind, cut.kind), (Application.place, cut.place))
    query = query.where(*(column == wanted.value for column, wanted in said if wanted is not None))
    return Listing(query, [Application.id], descending=True, loads=LISTED, dress=attach_organisations)


# Few rows are closed; as a list they are looked up once, and no application is joined with its own.
_CLOSED = select(RegisterRow.id).where(RegisterRow.closed_at.is_not(None))


def _season(seat: ActiveSeat, season: int) -> tuple[ColumnElement[bool], ...]:
    """Whoever has moved still counts where he graduated (PD-08)."""
    return (
        Application.season == season,
        in_season(seat.path, Application.season_path),
        Application.register_row_id.not_in(_CLOSED.where(RegisterRow.season == season)),
        Application.state.in_(COUNTED),
    )


def _any_of(groups: Iterable[Group]) -> ColumnElement[bool]:
    return or_(
        false(),
        *(
            and_(
                Application.reason == group.reason.value,
                Application.kind == group.kind,
                Application.place.is_(None) if group.place is None else Application.place == group.place.value,
            )
            for group in groups
        ),
    )


def _policy(seat: ActiveSeat) -> Policy:
    return policy_of(session.get_one(Organisation, seat.org_id))


def _today(policy: Policy, reason: Reason, kind: Destination, place: PlaceTie | None) -> Verdict:
    return judge(policy, reason, kind, place, county_open=county_open(policy, clock.today()))
