"""接收情况: how receivers deal with a season's graduates - what waits, lapsed, was refused, objected to (M-17, PD-17).

Counted by where an application goes, whether it comes from inside the area or not; each figure is one condition, which
its list uses too (PD-25).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, exists, func, literal, select
from sqlalchemy.orm import aliased

from zhtj.kernel import clock
from zhtj.kernel.database import UtcDateTime, session
from zhtj.kernel.permissions import subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.models import SEGMENT, Organisation
from zhtj.transfers.models import Application, ApplicationEvent, Objection
from zhtj.transfers.queries import LISTED, attach_organisations
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, State

AT_RECEIVER = (State.AWAITING_ACCEPTANCE, State.AWAITING_ALLOCATION)
_DAY = 86400  # seconds
LONG = 10
"""Full days after which somebody waits too long: as many as the clock gives a receiver (PD-18)."""


class Figure(StrEnum):
    """What is counted (统计项); ``REFUSED`` also by ground."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    RETURNED = "returned"
    REFUSED = "refused"
    OBJECTED = "objected"
    SUSTAINED = "sustained"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return _LABELS[self]

    @property
    def short(self) -> str:
        """The same above a figure on a narrow screen."""
        return f"超 {LONG} 天" if self is Figure.OVERDUE else self.label


_LABELS = {
    Figure.WAITING: "等待接收",
    Figure.OVERDUE: f"等待超过 {LONG} 天",
    Figure.RETURNED: "超期退回",
    Figure.REFUSED: "不同意接收",
    Figure.OBJECTED: "被申诉",
    Figure.SUSTAINED: "申诉成立",
}


@dataclass
class Received:
    """How one place receives.

    Args:
        organisation: which.
        figures: each figure but the refusals by ground.
        grounds: refusals by ground.
        days: applications that wait, by full days of waiting.
    """

    organisation: Organisation
    figures: Counter[Figure] = field(default_factory=Counter)
    grounds: Counter[Ground] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)

    @property
    def median(self) -> float | None:
        """Median of the days that wait now; None where nobody waits."""
        return median(self.days)

    def __bool__(self) -> bool:
        """Whether anybody ever applied, as far as it shows here."""
        return any(self.figures.values())


def median(days: Mapping[int, int]) -> float | None:
    """The median of values given with how often each occurs."""
    total = sum(days.values())
    if not total:
        return None
    wanted = ((total - 1) // 2, total // 2)
    found, seen = [], 0
    for value in sorted(days):
        seen += days[value]
        found += [value for place in wanted if seen > place >= seen - days[value]]
    return sum(found) / 2


def by_child(organisation: Organisation, season: int) -> tuple[list[Received], Received]:
    """Each child with anything to show, the organisation itself first where it receives; and all together."""
    found: dict[str, Received] = defaultdict(lambda: Received(organisation))
    depth = len(organisation.path) + SEGMENT
    for path, days, number in reports().execute(_grouped(_WAITING, season, organisation.path, depth, waited_days())):
        found[path].figures[Figure.WAITING] += number
        found[path].days[days] += number
        if days >= LONG:
            found[path].figures[Figure.OVERDUE] += number
    for path, action, ground, number in reports().execute(
        _grouped(_ENDED, season, organisation.path, depth, _Event.action, _Event.ground, join=_Event)
    ):
        figure = Figure.RETURNED if action is Action.RETURN else Figure.REFUSED
        found[path].figures[figure] += number
        if figure is Figure.REFUSED:
            found[path].grounds[Ground(ground)] += number
    for path, sustained, number in reports().execute(
        _grouped(_objected(), season, organisation.path, depth, Objection.sustained, join=Objection)
    ):
        found[path].figures[Figure.OBJECTED] += number
        found[path].figures[Figure.SUSTAINED] += number if sustained else 0
    return _named(found), _together(organisation, found.values())


def _named(found: Mapping[str, Received]) -> list[Received]:
    known = reports().scalars(select(Organisation).where(Organisation.path.in_(found)).order_by(Organisation.path))
    lines = []
    for each in known:
        found[each.path].organisation = each
        lines.append(found[each.path])
    return lines


def _together(organisation: Organisation, parts: Any) -> Received:
    whole = Received(organisation)
    for each in parts:
        whole.figures.update(each.figures)
        whole.grounds.update(each.grounds)
        whole.days.update(each.days)
    return whole


_Event = aliased(ApplicationEvent, name="step")
_WAITING: ColumnElement[bool] = Application.state.in_(AT_RECEIVER)
# What a receiver let lapse, and what he refused; either ends an application, so each has at most one such step.
_ENDED: ColumnElement[bool] = and_(
    Application.state.in_((State.RETURNED, State.REFUSED)),
    _Event.action.in_((Action.RETURN, Action.REFUSE)),
    _Event.from_state == State.AWAITING_ACCEPTANCE,
)


def _objected() -> ColumnElement[bool]:
    """SQL over Objection: against a receiver, not against the old side."""
    refused = exists().where(
        ApplicationEvent.application_id == Objection.application_id,
        ApplicationEvent.action == Action.REFUSE,
        ApplicationEvent.from_state == State.AWAITING_ACCEPTANCE,
    )
    return and_(refused, Objection.application_id == Application.id)


def _grouped(
    condition: ColumnElement[bool], season: int, path: str, depth: int, *columns: Any, join: Any = None
) -> Select[*tuple[Any, ...]]:
    place = func.substr(Application.to_path, 1, depth)
    query: Select[*tuple[Any, ...]] = select(place, *columns, func.count()).select_from(Application)
    if join is not None:
        query = query.join(join, join.application_id == Application.id)
    return _of_season(query, season).where(subtree(Application.to_path, path), condition).group_by(place, *columns)


def _of_season(query: Select[Any], season: int) -> Select[Any]:
    return query.where(Application.season == season)


def waited_days() -> Any:
    """SQL over Application: full days for which the present step waits."""
    now = literal(clock.now(), UtcDateTime)
    if session().get_bind().dialect.name == "postgresql":
        seconds = func.date_part("epoch", now - Application.waiting_since)  # a float, as extract would be slow
        return cast(func.floor(seconds / _DAY), Integer)
    # Whole seconds first: days as fractions would fall short of a full one now and then.
    passed = func.strftime("%s", now) - func.strftime("%s", Application.waiting_since)
    return cast(passed / _DAY, Integer)


@dataclass(frozen=True, slots=True)
class ReceivedFilters:
    """Which applications are listed.

    Args:
        path: of the organisation; with ``own`` only what goes to itself, not below.
        season: year.
        figure: which figure.
        ground: of the refused, only this ground.
    """

    path: str
    season: int
    figure: Figure = Figure.WAITING
    ground: Ground | None = None
    own: bool = False


def listing(filters: ReceivedFilters) -> Listing[Application]:
    """The applications behind a figure, those that wait longest first; as many as the figure says."""
    here = Application.to_path == filters.path if filters.own else subtree(Application.to_path, filters.path)
    query = _of_season(select(Application), filters.season).where(here, _condition(filters))
    return Listing(query, [Application.waiting_since, Application.id], loads=LISTED, dress=attach_organisations)


def _condition(filters: ReceivedFilters) -> ColumnElement[bool]:
    figure = filters.figure
    if figure is Figure.WAITING:
        return _WAITING
    if figure is Figure.OVERDUE:
        return and_(_WAITING, waited_days() >= LONG)
    if figure in {Figure.RETURNED, Figure.REFUSED}:
        action = Action.RETURN if figure is Figure.RETURNED else Action.REFUSE
        step = (_Event.application_id == Application.id, _Event.action == action, _ENDED)
        return exists().where(*step, *((_Event.ground == filters.ground.value,) if filters.ground else ()))
    return exists().where(_objected(), *((Objection.sustained.is_(True),) if figure is Figure.SUSTAINED else ()))
