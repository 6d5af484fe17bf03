"""What waits for an office, counted in one place: the badge, 待办 and the digest say the same (PD-19, PD-22).

Rooms above say what waits for whom (``subscriptions.WAITING``); this one adds it up, for one office or for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal, null, select, union_all
from sqlalchemy.orm import aliased

from zhtj.kernel import clock
from zhtj.kernel.database import UtcDateTime, session
from zhtj.kernel.permissions import subtree
from zhtj.notices.models import Reminder
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import SeasonPolicies, policies_of
from zhtj.policy.model import Policy


class WaitingKind(StrEnum):
    """What waits (待办类别), in the order in which it is told."""

    APPLICATION = "application"
    CASE = "case"
    OBJECTION = "objection"
    ARRIVAL = "arrival"
    RECEIPT = "receipt"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return LABELS[self]


LABELS = {
    WaitingKind.APPLICATION: "组织关系转接申请",
    WaitingKind.CASE: "事项",
    WaitingKind.OBJECTION: "申诉和违规拒收提示",
    WaitingKind.ARRIVAL: "新转入团员的接续事项",
    WaitingKind.RECEIPT: "逾期未回的介绍信回执",
}


@dataclass(frozen=True, slots=True)
class WaitingSource:
    """Where things of one kind are found.

    Args:
        kind: which.
        rows: SQL for all of them, in which ``NOW`` is the present moment, and which holds for the present day:
            ``org_id`` whose office has to act, ``since`` when; where there are steps also
            ``step``, ``due_at`` when it goes back by itself, and ``path`` whose policy says on which days one reminds.
        steps: the terms for the values of ``step``.
        unreviewed: steps that are to be over by the end of the review phase (D-08).
    """

    kind: WaitingKind
    rows: Callable[[], Any]
    steps: Mapping[str, str] = field(default_factory=dict)
    unreviewed: frozenset[str] = frozenset()


_sources: list[WaitingSource] = []


def register(source: WaitingSource) -> None:
    """Count these too; called by the wiring alone, twice is once."""
    if source not in _sources:
        _sources.append(source)
        _made.clear()


def sources() -> Sequence[WaitingSource]:
    """All of them, in the order of ``WaitingKind``."""
    return sorted(_sources, key=lambda one: list(WaitingKind).index(one.kind))


NOW = bindparam("waiting_now", type_=UtcDateTime())
"""The present moment inside ``rows``, so that a statement made once serves every page."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement, and what it was made from: it holds for a day and under the policies of that day."""

    today: date
    policies: SeasonPolicies
    national: Policy
    unread: Any
    statement: Any


_made: list[_Made] = []


def counts(office_id: int, unread: Any) -> Iterator[tuple[str, str, int]]:
    """What waits for an office: kind, step and number; under kind ``""`` what ``unread`` counts. One statement.

    Args:
        office_id: bound as ``office`` in ``unread`` too.
        unread: a scalar subquery, always the same; it rides along because every page asks for both.
    """
    statement = _statement(unread)
    rows = session.execute(statement, {"office": office_id, "waiting_now": clock.now()})
    return ((kind, step, number) for kind, step, number in rows)


def _statement(unread: Any) -> Any:
    """Made once a day: putting it together takes ten times as long as asking it."""
    today = clock.today()
    policies = policies_of(today.year)
    national = policies.at("")
    for one in _made:
        if (one.today, one.policies) == (today, policies) and one.national is national and one.unread is unread:
            return one.statement
    parts = [_counted(source) for source in sources()]
    statement = union_all(*parts, select(literal(""), literal(""), unread))
    _made[:] = [_Made(today, policies, national, unread, statement)]
    return statement


def _counted(source: WaitingSource) -> Any:
    rows = source.rows().subquery()
    served = select(Organisation.id).where(Organisation.office_id == bindparam("office"))
    kind, number = literal(source.kind.value), func.count()
    if not source.steps:
        return select(kind, literal(""), number).select_from(rows).where(rows.c.org_id.in_(served))
    return select(kind, rows.c.step, number).where(rows.c.org_id.in_(served)).group_by(rows.c.step)


class WaitingHeap(NamedTuple):
    """Things that wait for one office and stand alike.

    Args:
        policy: place in the season's policies of the one that says when one reminds.
        for_others: the office acts for an organisation without administrator.
    """

    office_id: int
    office: str
    last_on: date | None
    step: str
    due_at: datetime | None
    policy: int
    for_others: bool
    number: int
    oldest: datetime


Heap = tuple[WaitingSource, WaitingHeap]


def heaps(which: Any, path: str = "", office_id: int | None = None) -> Iterator[Heap]:
    """What waits, office by office; one query a kind for the whole country, one part of the tree or one office.

    Args:
        which: from ``season_policies``.
        path: offices in this part of the tree; ``""`` for all.
        office_id: this office alone.
    """
    for source in sources():
        for row in session.execute(_piles(source, which, path, office_id), {"waiting_now": clock.now()}):
            yield source, WaitingHeap(*row)


def season_policies(season: int) -> tuple[list[Policy], Callable[[Any], ColumnElement[int]]]:
    """The season's policies, and SQL for the number of the one that governs a path: the nearest layer's (PD-18)."""
    local = policies_of(season)
    layered = list(reversed(local.layered))
    found = [local.at(""), *(local.at(path) for path, _ in layered)]

    def number(path: Any) -> ColumnElement[int]:
        whens = [(subtree(path, above), position) for position, (above, _) in enumerate(layered, start=1)]
        return case(*whens, else_=0) if whens else literal(0)

    return found, number


_NONE: list[Any] = [literal(""), null(), literal(0)]


def _piles(source: WaitingSource, which: Any, path: str, office_id: int | None) -> Select[Any]:
    """Added up by organisation first: far fewer than what waits, and only for them one asks who acts."""
    rows = source.rows().subquery("waiting")
    alike = [rows.c.org_id]
    if source.steps:
        alike += [rows.c.step, rows.c.due_at, which(rows.c.path).label("policy")]
    number, oldest = func.count().label("number"), func.min(rows.c.since).label("oldest")
    piles = select(*alike, number, oldest).group_by(*alike).subquery("piles")
    stand: list[Any] = [piles.c.step, piles.c.due_at, piles.c.policy] if source.steps else []
    office, holder = aliased(Organisation, name="office"), aliased(Organisation, name="holder")
    for_others = (holder.id != office.id).label("for_others")
    query = (
        select(office.id, office.short_name, Reminder.last_on, *(stand or _NONE))
        .add_columns(for_others, func.sum(piles.c.number), func.min(piles.c.oldest))
        .join(holder, holder.id == piles.c.org_id)
        .join(office, office.id == holder.office_id)
        .outerjoin(Reminder, Reminder.office_id == office.id)
        .group_by(office.id, office.short_name, Reminder.last_on, *stand, for_others)
        .order_by(office.id)
    )
    if path:
        query = query.where(subtree(office.path, path), subtree(holder.path, path))
    return query.where(office.id == office_id) if office_id is not None else query
