"""新转入: what the new organisation still has to do for those who arrived (U-26, A-30)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, clock, dates
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, scope
from zhtj.kernel.sql.listing import Listing, count_rows
from zhtj.notices.waiting import WaitingKind, WaitingSource
from zhtj.orgs.models import Organisation
from zhtj.people.finding import search
from zhtj.people.models import Member
from zhtj.transfers.models import Application, Arrival
from zhtj.transfers.parties import serves

Selected = TypeVar("Selected", bound=Select[*tuple[Any, ...]])
# What has to be done, in its order: column and the term on the screen.
# U-26: contact, data, reporting, dues; moving on in time is the floating branch's (D-17).
DUTIES = {"contacted_on": "已联系", "informed_on": "已更新信息", "reported_on": "已线下报到", "dues_from": "团费"}
DAYS = ("contacted_on", "informed_on", "reported_on")
# A leading organ that has more says so and counts no further.
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class ArrivalFilters:
    """What the list is narrowed by; "" or None is no filter.

    Args:
        status: ``mine`` (left to do for who asks), ``todo`` (left to do, by whoever below), ``done`` or "".
        org_id: one branch.
        text: start of the name, or a whole student number.
    """

    status: str = ""
    org_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One line of the list: the arrival, the application it came by, whether this seat looks after him."""

    arrival: Arrival
    application: Application
    is_here: bool
    may_tick: bool

    @property
    def left(self) -> list[str]:
        """What is still to be done, in words; nothing for somebody who has moved on."""
        return [DUTY_LEFT[name] for name in DUTIES if getattr(self.arrival, name) is None] if self.is_here else []

    @property
    def is_work(self) -> bool:
        """Whether this seat still has something to do for him."""
        return self.may_tick and bool(self.left)


DUTY_LEFT = {
    "contacted_on": "联系本人",
    "informed_on": "更新信息",
    "reported_on": "线下报到",
    "dues_from": "团费起交月份",
}
# An equation; as one PostgreSQL takes it for a chance in a hundred thousand, and plans to meet nobody.
_HERE = Member.org_id.between(Arrival.org_id, Arrival.org_id)
_LEFT = or_(*(getattr(Arrival, name).is_(None) for name in DUTIES))
TODO: ColumnElement[bool] = and_(_LEFT, _HERE)


def _waiting_rows() -> Any:
    rows = select(Arrival.org_id, Arrival.arrived_at.label("since")).join(Member, Member.id == Arrival.member_id)
    return rows.where(TODO, Member.archived_at.is_(None))


WAITING = WaitingSource(WaitingKind.ARRIVAL, _waiting_rows)


def _visible(query: Selected, seat: ActiveSeat, filters: ArrivalFilters) -> Selected:
    query = (
        query.select_from(Arrival)
        .join(Member, Member.id == Arrival.member_id)
        .where(scope(Arrival.path, seat, Permission.TRANSFER_IN), Member.archived_at.is_(None))
    )
    if filters.org_id is not None:
        query = query.where(Arrival.org_id == filters.org_id)
    if filters.status:
        query = query.where(~TODO if filters.status == "done" else TODO)
    if filters.status == "mine":
        query = query.where(Arrival.org_id.in_(select(Organisation.id).where(Organisation.office_id == seat.org_id)))
    text = filters.text.strip()
    if text:
        query = query.where(search.is_called(Arrival.member_id, text))
    return query


def listing(seat: ActiveSeat, filters: ArrivalFilters) -> Listing[Arrived]:
    """Who arrived in this part of the tree, the newest first; of whom waits for this office the oldest."""

    def count(most: int | None) -> int:
        # In the order of the tree, so that it ends as soon as it has met so many.
        arrived = _visible(select(Arrival.application_id), seat, filters)
        return count_rows(arrived.order_by(Arrival.path) if most is not None else arrived, most)

    return Listing(
        _visible(select(Arrival), seat, filters),
        [Arrival.arrived_at, Arrival.application_id],
        descending=filters.status != "mine",
        loads=(
            joinedload(Arrival.member).joinedload(Member.account),
            joinedload(Arrival.member).joinedload(Member.org),
        ),
        dress=lambda rows: _lines(seat, rows),
        counting=count,
    )


def _lines(seat: ActiveSeat, arrivals: Sequence[Arrival]) -> list[Arrived]:
    query = select(Application).where(Application.id.in_([each.application_id for each in arrivals]))
    query = query.options(
        joinedload(Application.from_org).joinedload(Organisation.office), joinedload(Application.final_org)
    )
    applications = {each.id: each for each in session.scalars(query)}
    return [
        Arrived(
            each,
            applications[each.application_id],
            is_here=each.member.org_id == each.org_id,
            may_tick=each.member.org_id == each.org_id and may_look_after(seat, each.member),
        )
        for each in arrivals
    ]


def counted_to(seat: ActiveSeat) -> int | None:
    """How far is counted for a seat; None: to the end."""
    return COUNTED if seat.kind is SeatKind.PROVINCIAL else None


def count(seat: ActiveSeat, filters: ArrivalFilters) -> int | None:
    """How many arrivals the filters show; one more than ``counted_to`` where there are more than that.

    None where a leading organ looks for too common a name.
    """
    if not search.is_counted(seat, filters.text.strip()):
        return None
    return listing(seat, filters).count(counted_to(seat))


def branches(seat: ActiveSeat, most: int = 300) -> list[Organisation]:
    """Where somebody arrived, for the filter."""
    # Branch by branch in the order of the tree, so that it ends as soon as it has met so many.
    somebody = (
        select(Arrival.application_id)
        .join(Member, Member.id == Arrival.member_id)
        .where(Arrival.org_id == Organisation.id, Member.archived_at.is_(None))
        .limit(1)
        .correlate(Organisation)
        .scalar_subquery()
    )
    query = select(Organisation).where(scope(Organisation.path, seat, Permission.TRANSFER_IN), somebody.is_not(None))
    return list(session.scalars(query.order_by(Organisation.path).limit(most)))


def newest(member_id: int) -> Arrival | None:
    """The member's newest arrival, if he is still where it brought him."""
    query = select(Arrival).join(Member, Member.id == Arrival.member_id).where(Arrival.member_id == member_id, _HERE)
    return session.scalars(query.order_by(Arrival.application_id.desc()).limit(1)).first()


def line(seat: ActiveSeat, member: Member) -> Arrived:
    """The newest arrival of one member. Raises DomainError for somebody who arrived by no transfer."""
    arrival = newest(member.id)
    if arrival is None:
        raise DomainError(f"{member.name}不是经转接来到现在的团支部，没有新转入事项。", rule="U-26")
    return _lines(seat, [arrival])[0]


def may_look_after(seat: ActiveSeat, member: Member) -> bool:
    """Whether this seat looks after the member: his branch, his office, superior or school; not himself (PD-02)."""
    return seat.kind is not SeatKind.MEMBER and seat.member_id != member.id and serves(seat, member.org)


def _arrived(seat: ActiveSeat, member: Member) -> Arrival:
    """The arrival ``seat`` may write on."""
    found = line(seat, member)
    if not found.may_tick:
        raise Forbidden("新转入事项由接收的团支部或其直接上级办理。", rule="U-26")
    return found.arrival


@dataclass(frozen=True, slots=True)
class Ticks:
    """What was done; None leaves a thing as it is. ``dues_from`` is the first day of a month."""

    contacted_on: date | None = None
    informed_on: date | None = None
    reported_on: date | None = None
    dues_from: date | None = None

    def given(self) -> dict[str, date]:
        """What is set."""
        return {name: value for name in DUTIES if (value := getattr(self, name)) is not None}


def tick(seat: ActiveSeat, members: Sequence[Member], done: Ticks) -> int:
    """Tick off what was done for these members; a day that is known already stays. Returns how many changed.

    Raises:
        DomainError: nothing is ticked, a day lies in the future or before the arrival.
        Forbidden: one of them is somebody else's to look after.
    """
    given = done.given()
    if not given:
        raise DomainError("请先勾选做了什么。", field="contacted_on", rule="U-26")
    events = []
    for member in members:
        arrival = _arrived(seat, member)
        new = {name: value for name, value in given.items() if getattr(arrival, name) is None}
        _check_days(member, arrival, new)
        if new:
            for name, value in new.items():
                setattr(arrival, name, value)
            events.append((arrival.application_id, {name: value.isoformat() for name, value in new.items()}))
    session.flush()
    audit.record_many("arrival.tick", "application", events)
    return len(events)


def correct(seat: ActiveSeat, member: Member, wanted: dict[str, date | None]) -> None:
    """Set the days of one arrival as they really were; None takes a tick back.

    Args:
        seat: who corrects.
        member: whose arrival.
        wanted: by the names of DUTIES.

    Raises:
        DomainError: a day lies in the future or before the arrival.
        Forbidden: he is somebody else's to look after.
    """
    arrival = _arrived(seat, member)
    new = {name: wanted.get(name) for name in DUTIES}
    _check_days(member, arrival, {name: value for name, value in new.items() if value is not None})
    before = {name: getattr(arrival, name) for name in DUTIES}
    changed = [name for name in DUTIES if before[name] != new[name]]
    for name in changed:
        setattr(arrival, name, new[name])
    session.flush()
    if changed:
        detail = {name: [str(before[name] or ""), str(new[name] or "")] for name in changed}
        audit.record("arrival.correct", "application", arrival.application_id, **detail)


def _check_days(member: Member, arrival: Arrival, days: dict[str, date]) -> None:
    arrived = clock.local(arrival.arrived_at).date()
    for name in DAYS:
        if name in days and days[name] > clock.today():
            raise DomainError("日期不能晚于今天。", field=name, rule="U-26")
        if name in days and days[name] < arrived:
            raise DomainError(f"{member.name}在 {dates.short(arrived)} 才转入，日期不能更早。", field=name, rule="U-26")
    if "dues_from" in days and days["dues_from"] < arrived.replace(day=1):
        raise DomainError(
            f"{member.name}在 {arrived.month}月 才转入，团费不能从更早的月份起交。", field="dues_from", rule="U-26"
        )


def informed(seat: ActiveSeat, member: Member) -> None:
    """His data were just brought up to date: tick that, if it was open."""
    tick(seat, [member], Ticks(informed_on=clock.today()))
