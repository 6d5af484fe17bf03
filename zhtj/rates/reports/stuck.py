"""What stands still longest and who holds it: a season's open applications by the office that must act (PD-22, PD-25).

Whoever has not applied yet is held by nobody: he is counted where he graduates, by the figures of ``queries``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import aliased

from zhtj.graduation.models import RegisterRow
from zhtj.graduation.season_line import in_season
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, subtree
from zhtj.kernel.sql.listing import Listing, ReadyListing
from zhtj.notices.reminders import deadline
from zhtj.orgs.models import Organisation, Tier
from zhtj.people.models import Account, Seat
from zhtj.rates import queries
from zhtj.rates.models import Urging, UrgingTopic
from zhtj.rates.queries import Child
from zhtj.rates.reports import urging
from zhtj.rates.reports.urging import Urged, UrgingMessage
from zhtj.transfers.models import Application
from zhtj.transfers.queries import LISTED, attach_organisations
from zhtj.transfers.workflow import OPEN

_Office, _Holder = aliased(Organisation, name="office"), aliased(Organisation, name="holder")
Rows = Select[*tuple[Any, ...]]
# As offices are called by rank.
TIERS = {
    Tier.BRANCH: "团支部",
    Tier.SECOND: "学院等二级组织",
    Tier.BASIC: "学校等基层团委",
    Tier.COUNTY: "县级团委",
    Tier.CITY: "市级团委",
    Tier.PROVINCE: "省级团委",
    Tier.CENTRE: "团中央",
}


class Direction(StrEnum):
    """Whose applications (范围)."""

    OUT = "out"
    IN = "in"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"out": "本组织毕业生转出的", "in": "申请转入本组织的"}[self.value]


class Sort(StrEnum):
    """What comes first (排序)."""

    OLDEST = "oldest"
    NUMBER = "number"
    DUE = "due"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"oldest": "等得最久的在前", "number": "件数最多的在前", "due": "最先到期的在前"}[self.value]


@dataclass(frozen=True, slots=True)
class StuckFilters:
    """What is looked at.

    Args:
        path: of the organisation whose graduates they are, or who waits for them.
        season: year.
        side: None: both.
        tier: rank of the office that must act; None: all.
        sort: what comes first.
    """

    path: str
    season: int
    side: Direction | None = None
    tier: Tier | None = None
    sort: Sort = Sort.OLDEST


@dataclass(frozen=True, slots=True)
class OfficeBacklog:
    """What lies with one office.

    Args:
        office: who must act (PD-22).
        number: applications.
        oldest: since when the first of them waits.
        first_due: when the first of them goes back; None where no clock runs.
        phone: how the office is reached.
        urged: today's message about it, if there was one.
    """

    office: Organisation
    number: int
    oldest: datetime
    first_due: datetime | None
    phone: str = ""
    urged: Urging | None = None


def _sides(filters: StuckFilters) -> list[ColumnElement[bool]]:
    """SQL over Application, for each side that is looked at, no application on both: each has an index of its own."""
    own = in_season(filters.path, Application.season_path)
    sides = {Direction.OUT: own, Direction.IN: and_(subtree(Application.to_path, filters.path), ~own)}
    return list(sides.values()) if filters.side is None else [sides[filters.side]]


def _open(filters: StuckFilters) -> tuple[ColumnElement[bool], ...]:
    return Application.season == filters.season, Application.state.in_(OPEN)


# Graduates who still count as not completed.
_NOT_DONE = and_(RegisterRow.closed_at.is_(None), RegisterRow.completed_at.is_(None))


class Lying(NamedTuple):
    """What lies with one office: how much of it is late, since when the first waits, when the first goes back."""

    office_id: int
    tier: Tier
    number: int
    late: int
    oldest: datetime
    first_due: datetime | None


def lying(filters: StuckFilters) -> list[Lying]:
    """What lies with each office of any rank; summed from what lies with each holder, as applications are many more."""
    wanted = (Application.register_row_id, Application.holder_id, Application.waiting_since, Application.due_at)
    each = [select(*wanted).where(*_open(filters), side) for side in _sides(filters)]
    one = union_all(*each).subquery("one")
    held = (
        select(
            one.c.holder_id,
            func.count().label("number"),
            func.count().filter(one.c.due_at <= clock.now()).label("late"),
            func.min(one.c.waiting_since).label("oldest"),
            func.min(one.c.due_at).label("first_due"),
        )
        .join(RegisterRow, RegisterRow.id == one.c.register_row_id)
        .where(_NOT_DONE)
        .group_by(one.c.holder_id)
        .subquery("held")
    )
    query = (
        select(
            _Office.id,
            _Office.tier,
            func.sum(held.c.number),
            func.sum(held.c.late),
            func.min(held.c.oldest),
            func.min(held.c.first_due),
        )
        .select_from(held)
        .join(_Holder, _Holder.id == held.c.holder_id)
        .join(_Office, _Office.id == func.coalesce(_Holder.office_id, _Holder.id))
        .group_by(_Office.id)
    )
    return [
        Lying(office_id, tier, int(number), int(late), oldest, first_due)
        for office_id, tier, number, late, oldest, first_due in session.execute(query)
    ]


def heaps(filters: StuckFilters, found: Sequence[Lying] | None = None) -> ReadyListing[OfficeBacklog]:
    """Offices with what lies there, in the order that was chosen; ``found`` is ``lying``, if known."""
    kinds = (int if filters.sort is Sort.NUMBER else datetime, int)
    return ReadyListing(_in_order(filters, found), lambda row: _key(row, filters.sort), kinds, _dressed)


def _in_order(filters: StuckFilters, found: Sequence[Lying] | None = None) -> list[Lying]:
    """Those of the rank that is looked at."""
    rows = lying(filters) if found is None else found
    chosen = [row for row in rows if filters.tier in {None, row.tier}]
    return sorted(chosen, key=lambda row: _key(row, filters.sort))


def _key(row: Lying, sort: Sort) -> tuple[Any, int]:
    keys = {Sort.OLDEST: row.oldest, Sort.NUMBER: -row.number, Sort.DUE: row.first_due or clock.NEVER}
    return keys[sort], row.office_id


def _dressed(rows: Sequence[Lying]) -> list[OfficeBacklog]:
    ids = [row.office_id for row in rows]
    offices = {each.id: each for each in session.scalars(select(Organisation).where(Organisation.id.in_(ids)))}
    phones, urged = phones_of(list(offices.values())), urging.today(UrgingTopic.WAITING, ids)
    return [
        OfficeBacklog(
            offices[row.office_id],
            row.number,
            row.oldest,
            row.first_due,
            phones[row.office_id],
            urged.get(row.office_id),
        )
        for row in rows
    ]


def phones_of(offices: Sequence[Organisation]) -> dict[int, str]:
    """How these are reached: their telephone, else the mobile of their first administrator (O-24)."""
    silent = [each.id for each in offices if not each.phone]
    mobiles: dict[int, str] = {}
    if silent:
        query = (
            select(Seat.org_id, Account.mobile)
            .join(Account, Account.id == Seat.account_id)
            .where(Seat.org_id.in_(silent), Seat.ended_at.is_(None), Account.mobile.is_not(None))
        )
        for org_id, mobile in session.execute(query.order_by(Seat.id)):
            mobiles.setdefault(org_id, mobile or "")
    return {each.id: each.phone or mobiles.get(each.id, "") for each in offices}


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is: applications, offices, applications whose time is up."""

    applications: int
    offices: int
    late: int


def by_tier(found: Sequence[Lying]) -> dict[Tier, Totals]:
    """How much lies with offices of each rank, whatever rank is looked at; an office has one."""
    ranks: dict[Tier, list[Lying]] = {tier: [] for tier in Tier}
    for row in found:
        ranks[row.tier].append(row)
    return {
        tier: Totals(sum(row.number for row in rows), len(rows), sum(row.late for row in rows))
        for tier, rows in ranks.items()
        if rows
    }


def together(ranks: Mapping[Tier, Totals], tier: Tier | None = None) -> Totals:
    """All of them, or those of one rank."""
    chosen = [each for rank, each in ranks.items() if tier in {None, rank}]
    return Totals(*(sum(getattr(each, name) for each in chosen) for name in ("applications", "offices", "late")))


def listing(filters: StuckFilters, office_id: int | None = None) -> Listing[Application]:
    """The applications behind a heap or all of them, those that wait longest first; as many as the heap says."""
    query = select(Application).join(RegisterRow, RegisterRow.id == Application.register_row_id)
    return Listing(
        _held_by(query.where(*_open(filters), _NOT_DONE, or_(*_sides(filters))), filters, office_id),
        [Application.waiting_since, Application.id],
        loads=LISTED,
        dress=attach_organisations,
        counting=lambda _: sum(row.number for row in _in_order(filters) if office_id in {None, row.office_id}),
    )


def _held_by(query: Rows, filters: StuckFilters, office_id: int | None) -> Rows:
    """``query`` narrowed to one office, or to those of the rank that is looked at."""
    if filters.tier is None and office_id is None:
        return query
    held = select(_Holder.id)
    if office_id is not None:
        own = and_(_Holder.id == office_id, _Holder.office_id.is_(None))
        held = held.where(or_(_Holder.office_id == office_id, own))
    if filters.tier is not None:
        held = held.join(_Office, _Office.id == func.coalesce(_Holder.office_id, _Holder.id))
        held = held.where(_Office.tier == filters.tier)
    return query.where(Application.holder_id.in_(held))


def urge(seat: ActiveSeat, filters: StuckFilters, office_ids: Sequence[int] | None) -> Urged:
    """Remind offices of what lies with them, each once a day.

    Args:
        seat: who urges.
        filters: what it looks at; no office is told of anything else.
        office_ids: which; None: all of them, up to ``urging.MOST``.
    """
    rows = _in_order(replace(filters, sort=Sort.OLDEST))
    if office_ids is not None:
        wanted = set(office_ids)
        rows = [row for row in rows if row.office_id in wanted]
    return urging.urge(seat, UrgingTopic.WAITING, {row.office_id: _letter(row, filters) for row in rows[: urging.MOST]})


def _letter(row: Lying, filters: StuckFilters) -> UrgingMessage:
    days = waited(row.oldest)
    body = f"贵组织现有 {row.number} 件 {filters.season} 届毕业生的转接申请等待办理，等得最久的已有 {days} 天。"
    if row.first_due is not None:
        body += f"最早的须在 {deadline(row.first_due)} 前办理，逾期系统自动退回，需要重新发起。"
    return UrgingMessage(f"催办：{row.number} 件转接申请等待办理", body + "请登录系统，在“待办”中办理。")


def waited(since: datetime) -> int:
    """Full days since then."""
    return max(0, (clock.now() - since).days)


@dataclass(frozen=True, slots=True)
class Behind:
    """A child whose own graduates have not all applied (M-06).

    Args:
        child: with its figures.
        office: who is told.
        urged: today's message about it, if there was one.
    """

    child: Child
    office_id: int
    urged: Urging | None = None

    @property
    def number(self) -> int:
        """How many of them have not applied; the list behind is ``initiated.missing``."""
        return self.child.figures.graduates - self.child.figures.initiated


def not_started(organisation: Organisation, season: int) -> list[Behind]:
    """Children with graduates who have not applied, the most first; those that moved away are their new superior's."""
    found = [
        Behind(child, child.organisation.office_id or child.organisation.id)
        for child in queries.by_child(organisation, season)
        if not child.moved_out and child.figures.graduates > child.figures.initiated
    ]
    found.sort(key=lambda each: (-each.number, each.child.organisation.path))
    urged = urging.today(UrgingTopic.NOT_STARTED, [each.office_id for each in found])
    return [replace(each, urged=urged.get(each.office_id)) for each in found]


def urge_not_started(seat: ActiveSeat, organisation: Organisation, season: int, ids: Sequence[int] | None) -> Urged:
    """Remind children that graduates of theirs have not applied; ``ids``: which children, None: all with any."""
    by_office: dict[int, int] = {}
    for each in not_started(organisation, season)[: urging.MOST]:
        if ids is None or each.child.organisation.id in ids:
            by_office[each.office_id] = by_office.get(each.office_id, 0) + each.number
    letters = {
        office: UrgingMessage(
            f"催办：{number} 名毕业生还没有发起转接",
            f"贵组织还有 {number} 名 {season} 届毕业生团员没有发起组织关系转接，请逐一联系本人。"
            "名单在“毕业生”页，进度选“未发起”。",
        )
        for office, number in by_office.items()
    }
    return urging.urge(seat, UrgingTopic.NOT_STARTED, letters)
