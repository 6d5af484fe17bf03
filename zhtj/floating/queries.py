"""Reads of floating members: the ledger (流动团员台账) with its filters, contact log, deadlines (T-29, R-06, R-12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from zhtj.floating.models import FAR, Contact, Stay, StayKind
from zhtj.floating.rules import AHEAD
from zhtj.graduation.models import MarkKind, MemberMark
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, scope
from zhtj.kernel.sql.listing import Listing, count_rows
from zhtj.orgs.models import Category, Organisation, Purpose, Tier
from zhtj.people.finding import search
from zhtj.people.models import Member, Membership
from zhtj.transfers.parties import serves

Selected = TypeVar("Selected", bound=Select[*tuple[Any, ...]])
# A leading organ that has more says so and counts no further.
COUNTED = 1000

KEPT_FOR = Organisation.purpose.in_((Purpose.FLOATING, Purpose.OVERSEAS))
"""SQL: a branch whose members are floating members, or study abroad (T-29, R-16)."""


def looks_after(seat: ActiveSeat, stay: Stay) -> bool:
    """Whether this seat looks after him: his branch, its office or superior, or his old college (PD-22, R-06)."""
    return serves(seat, stay.org) or (stay.home is not None and serves(seat, stay.home))


def may_look_after(seat: ActiveSeat, stay: Stay) -> bool:
    """The same for a button: not for himself (PD-02)."""
    return seat.kind is not SeatKind.MEMBER and seat.member_id != stay.member_id and looks_after(seat, stay)


def _untracked(query: Selected, seat: ActiveSeat) -> Selected:
    """Members of such branches who came neither by transfer nor by case, such as with a roster."""
    known = exists().where(
        Stay.member_id == Membership.member_id, Stay.org_id == Membership.org_id, Stay.ended_at.is_(None)
    )
    return (
        query.select_from(Membership)
        .join(Member, Member.id == Membership.member_id)
        .join(Organisation, Organisation.id == Membership.org_id)
        .where(
            Membership.ended_at.is_(None),
            Member.archived_at.is_(None),
            ~known,
            KEPT_FOR,
            scope(Organisation.path, seat, Permission.TRANSFER_OUT),
        )
    )


def counted_to(seat: ActiveSeat) -> int | None:
    """How far those without a stay are counted for a seat; None: to the end."""
    return COUNTED if seat.kind is SeatKind.PROVINCIAL else None


def count_untracked(seat: ActiveSeat) -> int:
    """How many members of such branches here have no stay yet; one more than ``counted_to`` beyond that."""
    if counted_to(seat) is None:
        return session.scalar(_untracked(select(func.count()), seat)) or 0
    # In the order of the tree, so that it ends as soon as it has met so many.
    return count_rows(_untracked(select(Membership.id), seat).order_by(Organisation.path), COUNTED)


def untracked(seat: ActiveSeat) -> list[tuple[int, int, date]]:
    """Member, branch and day of arrival of each of them."""
    rows = session.execute(_untracked(select(Membership.member_id, Membership.org_id, Membership.started_at), seat))
    return [(member, org_id, clock.local(since).date()) for member, org_id, since in rows]


@dataclass(frozen=True, slots=True)
class LedgerFilters:
    """What the ledger is narrowed by; "" is no filter.

    Args:
        status: one of ``STATUSES`` or "".
        kind: a ``StayKind`` or "".
        text: start of the name, or a whole student number.
        path: one organisation below the seat, or the college he came from.
    """

    status: str = ""
    kind: str = ""
    text: str = ""
    path: str = ""


STATUSES = {
    "late": "已逾期",
    "soon": f"{AHEAD} 天内到期",
    "found": "已落实、待转出",
    "silent": "超过期限没有联系",
    "quiet": "还没有联系过",
    "allocate": "待分配到学院",
}


def _in_sight(seat: ActiveSeat, home: type[Organisation]) -> ColumnElement[bool]:
    """In this part of the tree; for a college also those of its own who are in the school's branch."""
    here = scope(Organisation.path, seat, Permission.TRANSFER_OUT)
    if seat.kind is not SeatKind.COLLEGE:
        return here
    return or_(here, scope(home.path, seat, Permission.TRANSFER_OUT))


def _listed(
    query: Selected, seat: ActiveSeat, filters: LedgerFilters, home: type[Organisation] | None = None
) -> Selected:
    home = home or aliased(Organisation)
    query = (
        query.select_from(Stay)
        .join(Organisation, Organisation.id == Stay.org_id)
        .outerjoin(home, home.id == Stay.home_id)
        .join(Member, Member.id == Stay.member_id)
        .where(
            Stay.ended_at.is_(None),
            Stay.org_id == Member.org_id,
            Member.archived_at.is_(None),
            _in_sight(seat, home),
        )
    )
    if filters.status:
        query = query.where(_statuses(home)[filters.status])
    if filters.kind:
        query = query.where(Stay.kind == filters.kind)
    if filters.path:
        below = (Organisation.path >= filters.path, Organisation.path < filters.path + "~")
        from_there = (home.path >= filters.path, home.path < filters.path + "~")
        query = query.where(or_(and_(*below), and_(*from_there)))
    text = filters.text.strip()
    if text:
        query = query.where(search.is_called(Stay.member_id, text))
    return query


def _statuses(home: type[Organisation]) -> dict[str, ColumnElement[bool]]:
    """SQL of each of ``STATUSES``."""
    today = clock.today()
    soon, own = date.fromordinal(today.toordinal() + AHEAD), aliased(Organisation)
    return {
        "late": Stay.next_on < today,
        "soon": and_(Stay.next_on >= today, Stay.next_on <= soon),
        "found": Stay.due_on.is_not(None),
        "silent": Stay.contact_by < today,
        "quiet": Stay.last_contact_on.is_(None),
        # The branch is the school's, he is a college's, and that college has a floating branch of its own.
        "allocate": and_(
            Stay.kind == StayKind.SCHOOL,
            home.tier == Tier.SECOND,
            Organisation.parent_id == home.parent_id,
            exists().where(own.parent_id == home.id, own.purpose == Purpose.FLOATING, own.closed_at.is_(None)),
        ),
    }


def listing(seat: ActiveSeat, filters: LedgerFilters) -> Listing[Stay]:
    """Floating members of this part of the tree, whoever is overdue or due next first."""
    loads = (joinedload(Stay.member).joinedload(Member.account), joinedload(Stay.org), joinedload(Stay.home))
    return Listing(_listed(select(Stay), seat, filters), [Stay.next_on, Stay.id], loads=loads)


def counts(seat: ActiveSeat, filters: LedgerFilters) -> dict[str, int]:
    """How many there are, by status; "" is all of them. One statement."""
    home = aliased(Organisation)
    statuses = _statuses(home)
    columns = [func.count(case((condition, 1))) for condition in statuses.values()]
    query = _listed(select(func.count(), *columns), seat, replace(filters, status=""), home)
    return dict(zip(("", *statuses), session.execute(query).one(), strict=True))


def picked(seat: ActiveSeat, ids: Sequence[int]) -> list[Stay]:
    """Those of these stays that the seat may see, in order."""
    query = _listed(select(Stay), seat, LedgerFilters()).where(Stay.id.in_(ids))
    return list(session.scalars(query.options(joinedload(Stay.org), joinedload(Stay.home)).order_by(Stay.id)))


def stay_of(seat: ActiveSeat, member_id: int) -> Stay | None:
    """The open stay of a member, if the seat may see it."""
    query = _listed(select(Stay), seat, LedgerFilters()).where(Stay.member_id == member_id)
    return session.scalars(query.options(joinedload(Stay.org), joinedload(Stay.home), joinedload(Stay.member))).first()


def last_contacts(member_ids: Sequence[int]) -> dict[int, date]:
    """When each of these floating members was last heard of: the newest contact, else the day he came (D-21, R-12)."""
    query = select(Stay.member_id, func.coalesce(Stay.last_contact_on, Stay.since)).where(
        Stay.member_id.in_(member_ids), Stay.ended_at.is_(None)
    )
    return {member: on for member, on in session.execute(query)}  # noqa: C416 - rows are no pairs to mypy


@dataclass(frozen=True, slots=True)
class StayDeadline:
    """One running deadline, for the list of all timers.

    Args:
        due_on: the last day.
        what: what must have happened by then.
        rule: the rule it comes from.
    """

    member: Member
    org: Organisation
    due_on: date
    what: str
    rule: str


def deadlines(seat: ActiveSeat, most: int = 500) -> list[StayDeadline]:
    """Every running deadline of a stay in this part of the tree, the nearest first (D-16, D-17, D-18)."""
    query = _listed(select(Stay), seat, LedgerFilters()).where(Stay.next_on < FAR)
    query = query.options(joinedload(Stay.member).joinedload(Member.account), joinedload(Stay.org))
    rows = session.scalars(query.order_by(Stay.next_on, Stay.id).limit(most))
    return [StayDeadline(row.member, row.org, row.next_on, *what_is_due(row)) for row in rows]


def what_is_due(stay: Stay) -> tuple[str, str]:
    """What must have happened by the nearest deadline, and the rule."""
    if stay.due_on == stay.next_on:
        return f"已落实“{stay.found_what}”，应办理二次转接", "D-17"
    if stay.clear_by == stay.next_on:
        return "县级流动团支部的团员应在期限内转出", "D-16"
    if stay.kind is StayKind.OVERSEAS:
        return "计划的学习期结束前，应联系本人办理转接或续留", "R-17"
    return "保留期满前应办理转接", "D-18"


def of_member(member: Member) -> Stay:
    """The open stay of a member. Raises DomainError for one who is in no such branch."""
    stay = open_stay(member.id)
    if stay is None:
        raise DomainError(f"{member.name}不在流动团员团支部，不需要二次转接。", rule="T-29")
    return stay


def open_stay(member_id: int) -> Stay | None:
    """The open stay of a member, if there is one."""
    here = select(Member.org_id).where(Member.id == member_id).scalar_subquery()
    query = select(Stay).where(Stay.member_id == member_id, Stay.ended_at.is_(None), Stay.org_id == here)
    return session.scalars(query.options(joinedload(Stay.org), joinedload(Stay.home))).first()


def log_of(stay: Stay) -> list[Contact]:
    """His contact log, newest first, with who wrote it."""
    query = select(Contact).where(Contact.onward_id == stay.id).options(joinedload(Contact.account))
    return list(session.scalars(query.order_by(Contact.on.desc(), Contact.id.desc())))


def marked_delayed(seat: ActiveSeat) -> Select[Member]:
    """Members here who are marked as delayed and still are in the branch that graduated without them (T-19)."""
    return (
        select(Member)
        .join(MemberMark, MemberMark.member_id == Member.id)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(
            MemberMark.kind == MarkKind.DELAYED,
            MemberMark.org_id == Member.org_id,
            Organisation.category == Category.GRADUATES,
            Member.archived_at.is_(None),
            scope(Organisation.path, seat, Permission.TRANSFER_OUT),
        )
        .options(joinedload(Member.org), joinedload(Member.account))
        .order_by(Member.id)
    )
