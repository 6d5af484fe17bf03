"""Every graduate of a season in one part of the tree: category, newest application, its step, its holder (A-11, T-33).

The list, its counts and the export stand on one statement (``_standing``): register rows of the season, narrowed by
what the newest application of each says. A member who has moved still counts where he graduated (PD-08).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, case, cast, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.graduation.season_line import in_season
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, bool_column
from zhtj.kernel.sql.listing import Listing, count_rows
from zhtj.kernel.sql.subqueries import any_of
from zhtj.orgs.models import Organisation
from zhtj.people.finding import search
from zhtj.people.models import Account, Member, Seat
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import OPEN, TERMINAL, State

Selected = TypeVar("Selected", bound=Select[*tuple[Any, ...]])
NOT_STARTED, AGAIN, DONE = "none", "again", "done"
# A move inside his own school is complete, and he is not (⑥, PD-58).
UNCOUNTED = State.COMPLETED.value
UNREGISTERED = "unregistered"
SOON_WITHIN = timedelta(days=3)
_PAST = datetime.min.replace(tzinfo=UTC)
# A leading organ that sees more is told of its figures by parts.
COUNTED = 5000
# Of how many who stand at a step a list is told first who they are.
FEW = 500
ORDER = (RegisterRow.season_path, RegisterRow.id)


class Due(StrEnum):
    """How near the return of a running application is (PD-18)."""

    LATE = "late"
    SOON = "soon"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"late": "已到期", "soon": "3 天内到期"}[self.value]


# What can be asked for as the step of a graduate, in the order of the list of filters.
STEPS: Mapping[str, str] = {
    NOT_STARTED: "未发起",
    **{state.value: state.label for state in State if state in OPEN},
    AGAIN: "需重新发起",
    DONE: State.COMPLETED.label,
    UNCOUNTED: "已在校内变动，未计完成",
    **{state.value: state.label for state in State if state in TERMINAL - {State.COMPLETED}},
}
CATEGORIES: Mapping[str, str] = {
    **{category.value: category.label for category in GraduateCategory},
    UNREGISTERED: "未登记",
}


@dataclass(frozen=True, slots=True)
class GraduateFilters:
    """What the list is narrowed by; "" is no filter.

    Args:
        path: season path of a college or class below the seat.
        category: a key of CATEGORIES.
        step: a key of STEPS.
        due: a value of Due.
        text: start of the name, or a whole student number.
        ids: these register rows and no others.
    """

    path: str = ""
    category: str = ""
    step: str = ""
    due: str = ""
    text: str = ""
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Graduate:
    """One graduate as a line of the list.

    Args:
        application: the newest of the season, if there is one.
        office: who must act now (PD-22), with the telephone it is reached under; None where nothing waits.
        mobile: the graduate's own, for those who may ring him up.
    """

    row: RegisterRow
    application: Application | None
    office: Organisation | None
    office_phone: str
    mobile: str
    is_near: bool

    @property
    def is_done(self) -> bool:
        """Whether his transfer counts as complete; a later one never undoes it (PD-20)."""
        return self.row.completed_at is not None

    @property
    def is_uncounted(self) -> bool:
        """Whether his newest application is complete without counting as such: a move inside his own school (PD-58)."""
        return self.application is not None and self.application.state is State.COMPLETED and not self.is_done

    @property
    def is_with_unit(self) -> bool:
        """Whether his old unit keeps him and nothing else is under way (定向委培, PD-60)."""
        moves = self.application is not None and self.application.state.is_open
        return self.row.with_unit_since is not None and not moves and not self.is_done

    @property
    def step(self) -> str:
        """The step in words."""
        if self.is_done:
            return STEPS[DONE]
        if self.is_uncounted:
            return STEPS[UNCOUNTED]
        return self.application.state.label if self.application else STEPS[NOT_STARTED]

    @property
    def since(self) -> datetime | None:
        """Since when he stands at that step."""
        if self.is_done:
            return self.row.completed_at
        return self.application.waiting_since if self.application else None


_any, _later = aliased(Application), aliased(Application)
_IS_DONE = RegisterRow.completed_at.is_not(None)


def _step() -> ColumnElement[str]:
    """The step as one word a row: done, none or the state of the newest application."""
    return case((_IS_DONE, DONE), (Application.id.is_(None), NOT_STARTED), else_=cast(Application.state, Text))


def _due(moment: datetime) -> ColumnElement[str]:
    return case(
        (or_(_IS_DONE, Application.due_at.is_(None)), ""),
        (Application.due_at <= moment, Due.LATE.value),
        (Application.due_at <= moment + SOON_WITHIN, Due.SOON.value),
        else_="",
    )


def _newest_of(seat: ActiveSeat, season: int) -> ColumnElement[bool]:
    """SQL: an application is the newest of a row.

    That both are of the season and of this part of the tree goes without saying; said, it lets either database look
    no further.
    """
    later = exists().where(
        _later.register_row_id == Application.register_row_id,
        _later.id > Application.id,
        _later.season == season,
        in_season(seat.path, _later.season_path),
    )
    return and_(
        Application.register_row_id == RegisterRow.id,
        Application.season == season,
        in_season(seat.path, Application.season_path),
        ~later,
    )


def _at_step(seat: ActiveSeat, season: int, step: str) -> list[ColumnElement[bool]]:
    """SQL: who stands at a step of ``STEPS``, as lists ask for it."""
    if step == DONE:
        return [_IS_DONE]
    if step == NOT_STARTED:
        applied = (_any.season == season, in_season(seat.path, _any.season_path))
        return [~_IS_DONE, ~exists().where(_any.register_row_id == RegisterRow.id, *applied)]
    states = TERMINAL - {State.COMPLETED} if step == AGAIN else {State(step)}
    return _whose_newest(seat, season, lambda one: bool_column(one.state.in_(states)))


def _due_so(seat: ActiveSeat, season: int, due: str) -> list[ColumnElement[bool]]:
    """SQL: whose application goes back so soon, as lists ask for it."""
    first, last = _PAST, clock.now()
    if due == Due.SOON:
        first, last = last, last + SOON_WITHIN

    def so_soon(one: type[Application]) -> ColumnElement[bool]:
        # That it is under way goes without saying; said, it opens an index.
        return and_(one.state.in_(OPEN), one.due_at > first, one.due_at <= last)

    return _whose_newest(seat, season, so_soon)


def _whose_newest(
    seat: ActiveSeat, season: int, wanted: Callable[[type[Application]], ColumnElement[bool]]
) -> list[ColumnElement[bool]]:
    """SQL: who is not done and whose newest application is as wanted."""
    newest = select(wanted(_later)).where(_later.register_row_id == RegisterRow.id).order_by(_later.id.desc()).limit(1)
    conditions = [~_IS_DONE, bool_column(newest.correlate(RegisterRow).scalar_subquery())]
    # Where they are few they are found first; of many a page is soon met.
    some = select(_any.register_row_id)
    some = some.where(_any.season == season, in_season(seat.path, _any.season_path), wanted(_any))
    if count_rows(some, FEW) <= FEW:
        conditions.append(any_of(RegisterRow.id, some))
    return conditions


def _standing(query: Selected, seat: ActiveSeat, season: int, filters: GraduateFilters) -> Selected:
    """Open rows of the season in the seat's part of the tree."""
    query = query.where(
        RegisterRow.season == season,
        in_season(seat.path),
        RegisterRow.closed_at.is_(None),
    )
    if filters.path:
        query = query.where(in_season(filters.path))
    if filters.ids is not None:
        query = query.where(RegisterRow.id.in_(filters.ids))
    text = filters.text.strip()
    if text:
        query = query.where(search.is_called(RegisterRow.member_id, text))
    return query


def _narrow(query: Selected, seat: ActiveSeat, season: int, filters: GraduateFilters) -> Selected:
    """Category, step and due; the three the counts are taken over."""
    if filters.category == UNREGISTERED:
        query = query.where(RegisterRow.category.is_(None))
    elif filters.category:
        query = query.where(RegisterRow.category == GraduateCategory(filters.category))
    if filters.step:
        query = query.where(*_at_step(seat, season, filters.step))
    if filters.due:
        query = query.where(*_due_so(seat, season, filters.due))
    return query


def listing(seat: ActiveSeat, season: int, filters: GraduateFilters) -> Listing[Graduate]:
    """The graduates, class by class."""
    query = _narrow(_standing(select(RegisterRow), seat, season, filters), seat, season, filters)
    whole = joinedload(RegisterRow.member).joinedload(Member.account)
    return Listing(query, ORDER, loads=[whole], dress=lambda rows: _lines(seat, rows))


def _lines(seat: ActiveSeat, rows: Sequence[RegisterRow]) -> list[Graduate]:
    applications = _newest([row.id for row in rows])
    wanted = {row.origin_org_id for row in rows} | {row.member.org_id for row in rows}
    for each in applications.values():
        wanted |= {each.from_org_id, each.to_org_id, each.final_org_id, each.holder_id}
    known = _organisations(wanted - {None})
    for row in rows:
        set_committed_value(row, "origin", known.get(row.origin_org_id))
        set_committed_value(row.member, "org", known[row.member.org_id])
    for each in applications.values():
        for name in ("from_org", "to_org", "final_org", "holder"):
            set_committed_value(each, name, known.get(getattr(each, f"{name}_id")))
    phones = _phones([each.holder for each in applications.values() if each.holder])
    moment = clock.now()
    return [_line(seat, row, applications.get(row.id), phones, moment) for row in rows]


def _line(
    seat: ActiveSeat, row: RegisterRow, application: Application | None, phones: dict[int, str], moment: datetime
) -> Graduate:
    if application is not None:
        set_committed_value(application, "member", row.member)
    waits = application is not None and row.completed_at is None
    holder = application.holder if application is not None and waits else None
    due = application.due_at if application is not None and waits else None
    may_ring = seat.may(Permission.MEMBER_VIEW, row.member.org.path)
    given = application.contact_mobile if application is not None and application.state.is_open else None
    return Graduate(
        row,
        application,
        (holder.office or holder) if holder else None,
        phones.get(holder.id, "") if holder else "",
        (given or row.member.account.mobile or "") if may_ring else "",
        due is not None and due <= moment + SOON_WITHIN,
    )


def _newest(ids: list[int]) -> dict[int, Application]:
    """The newest application of each of these register rows."""
    newest = (
        select(func.max(Application.id))
        .where(Application.register_row_id.in_(ids))
        .group_by(Application.register_row_id)
    )
    rows = session.scalars(select(Application).where(Application.id.in_(newest)))
    return {each.register_row_id: each for each in rows if each.register_row_id is not None}


_BY_ID = (
    select(Organisation)
    .where(Organisation.id.in_(bindparam("ids", expanding=True)))
    .options(joinedload(Organisation.office))
)


def _organisations(ids: set[int | None]) -> dict[int | None, Organisation]:
    """These organisations with the offices that act for them."""
    rows = session.scalars(_BY_ID, {"ids": list(ids)}) if ids else ()
    return {organisation.id: organisation for organisation in rows}


def _phones(organisations: Sequence[Organisation]) -> dict[int, str]:
    """How whoever acts for each of these is reached: own or office telephone, else its first administrator's mobile."""
    silent = {each.office_id for each in organisations if not each.phone and not (each.office and each.office.phone)}
    mobiles: dict[int, str] = {}
    if silent - {None}:
        query = (
            select(Seat.org_id, Account.mobile)
            .join(Account, Account.id == Seat.account_id)
            .where(Seat.org_id.in_(silent - {None}), Seat.ended_at.is_(None), Account.mobile.is_not(None))
        )
        for org_id, mobile in session.execute(query.order_by(Seat.id)):
            mobiles.setdefault(org_id, mobile or "")
    return {
        each.id: each.phone or (each.office and each.office.phone) or mobiles.get(each.office_id or 0, "")
        for each in organisations
    }


@dataclass(frozen=True, slots=True)
class Counts:
    """How many graduates stand where; each figure is the length of the list its link opens (PD-25).

    Args:
        total: with the present category, step and due; None: not counted.
        categories, steps, dues: by key, each with the other two filters as they are; what is missing is not counted.
    """

    total: int | None
    categories: dict[str, int]
    steps: dict[str, int]
    dues: dict[str, int]


def counts(seat: ActiveSeat, season: int, filters: GraduateFilters) -> Counts:
    """Count once over category x step x due, and read every figure off that.

    A leading organ that sees more than ``COUNTED`` at once is told what the register alone says: how many there are,
    and how many are done. Who stands at which step it is told of each part below; nothing of those who share a common
    name.
    """
    if not search.is_counted(seat, filters.text.strip()):
        return Counts(None, {}, {}, {})
    if seat.kind is SeatKind.PROVINCIAL:
        everybody = _standing(select(RegisterRow.id), seat, season, filters)
        if count_rows(everybody, COUNTED) > COUNTED:
            return _register_counts(seat, season, filters)
    category = func.coalesce(cast(RegisterRow.category, Text), UNREGISTERED)
    each = select(category.label("category"), _step().label("step"), _due(clock.now()).label("due"))
    each = each.select_from(RegisterRow).outerjoin(Application, _newest_of(seat, season))
    rows = _standing(each, seat, season, filters).subquery()
    grouped = select(rows.c.category, rows.c.step, rows.c.due, func.count()).group_by(
        rows.c.category, rows.c.step, rows.c.due
    )
    found = [tuple(row) for row in session.execute(grouped)]

    def add(**asked: str) -> int:
        wanted = {"category": filters.category, "step": filters.step, "due": filters.due, **asked}
        return sum(
            number
            for category, step, due, number in found
            if wanted["category"] in {"", category}
            and (wanted["step"] in {"", step} or (wanted["step"] == AGAIN and step in _ENDED))
            and wanted["due"] in {"", due}
        )

    return Counts(
        add(),
        {"": add(category=""), **{key: add(category=key) for key in CATEGORIES}},
        {"": add(step=""), **{key: add(step=key) for key in STEPS}},
        {each.value: add(due=each.value) for each in Due},
    )


def _register_counts(seat: ActiveSeat, season: int, filters: GraduateFilters) -> Counts:
    """Figures of lists by category, of all or of those who are done."""
    category = func.coalesce(cast(RegisterRow.category, Text), UNREGISTERED)
    each = select(category, func.count(), func.count(RegisterRow.completed_at))
    query = _standing(each, seat, season, filters).group_by(category)
    found = {key: (total, done) for key, total, done in session.execute(query)}
    everybody = {"": tuple(map(sum, zip(*found.values(), strict=True))), **found}
    steps = {step: everybody.get(filters.category, (0, 0))[at] for at, step in enumerate(("", DONE))}
    if filters.due:
        return Counts(None, {}, {}, {})
    if filters.step not in steps:
        return Counts(None, {}, steps, {})
    at = ("", DONE).index(filters.step)
    categories = {key: everybody.get(key, (0, 0))[at] for key in ("", *CATEGORIES)}
    return Counts(categories[filters.category], categories, steps, {})


_ENDED = frozenset(state.value for state in TERMINAL - {State.COMPLETED})


def not_started(seat: ActiveSeat, season: int, filters: GraduateFilters, most: int) -> list[tuple[str, str]]:
    """(class, name) of those who have not applied, among what the filters show; class by class."""
    names = select(Organisation.short_name, Account.name).select_from(RegisterRow)
    query = _standing(names, seat, season, filters)
    query = (
        _narrow(_narrow(query, seat, season, filters), seat, season, GraduateFilters(step=NOT_STARTED))
        .join(Member, Member.id == RegisterRow.member_id)
        .join(Account, Account.id == Member.account_id)
        .outerjoin(Organisation, Organisation.id == RegisterRow.origin_org_id)
    )
    rows = session.execute(query.order_by(*ORDER).limit(most))
    return [(branch or "", name) for branch, name in rows]


def parts(seat: ActiveSeat, below: int, chosen: Organisation | None = None, most: int = 300) -> list[Organisation]:
    """What the list can be narrowed to: the line from the seat down to what is chosen, and the direct children of one.

    Args:
        seat: whose list.
        below: id of the organisation whose children are offered.
        chosen: what it is narrowed to now.
        most: children.
    """
    line = [path for path in chosen.line if len(path) > len(seat.path)] if chosen is not None else []
    query = select(Organisation).where(or_(Organisation.parent_id == below, Organisation.path.in_(line)))
    found = list(session.scalars(query.order_by(Organisation.path).limit(most + len(line))))
    above = [one for one in found if one.path in line]
    return above + [one for one in found if one.path not in line]
