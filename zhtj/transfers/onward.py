"""二次转接: members in a county's or township's floating branch, and by when they must be moved on (T-29, D-16, D-17).

A row opens when a transfer ends in such a branch and closes when the member leaves it. Deadlines are days that are
read, never states that a sweep would have to set.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    Date,
    ForeignKey,
    Index,
    Select,
    String,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, column_property, joinedload, mapped_column, relationship

from zhtj.kernel import audit, clock
from zhtj.kernel.database import Base, StrEnumType, UtcDateTime, session
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.paging import Page, paginate
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, scope
from zhtj.orgs.models import LEADING_TIERS, SCHOOL_INDUSTRIES, Organisation, Purpose
from zhtj.people.models import Account, Member, Membership
from zhtj.policy.model import Policy
from zhtj.transfers.checks import policy_of, serves
from zhtj.transfers.facts import ApplicationsChanged
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

Selected = TypeVar("Selected", bound=Select[*tuple[Any, ...]])
FAR = date(9999, 12, 31)
NOTE_AT_MOST = 500
PLACE_AT_MOST = 120


class OnwardKind(StrEnum):
    """Whose floating branch it is: a county's must be cleared within twelve months (D-16)."""

    COUNTY = "county"
    TOWNSHIP = "township"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"county": "县级流动团支部", "township": "乡镇街道、园区流动团支部"}[self.value]


class Situation(StrEnum):
    """就业就学情况 of a floating member, as last heard."""

    SEEKING = "seeking"
    STUDYING = "studying"
    CASUAL = "casual"
    FOUND = "found"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"seeking": "求职中", "studying": "备考升学", "casual": "灵活就业", "found": "已落实"}[self.value]


class OnwardTransfer(Base):
    """流动团员: one stay in a floating branch; open while he is there."""

    __tablename__ = "onward_transfers"
    __table_args__ = (
        Index(
            "uq_onward_transfers_open",
            "member_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    kind: Mapped[OnwardKind] = mapped_column(StrEnumType(OnwardKind))
    since: Mapped[date]
    # By when a county has to move him on (D-16).
    clear_by: Mapped[date | None] = mapped_column(Date)
    situation: Mapped[Situation | None] = mapped_column(StrEnumType(Situation))
    found_on: Mapped[date | None]
    found_what: Mapped[str | None] = mapped_column(String(PLACE_AT_MOST))
    # By when he has to be moved on once a place was recorded (D-17, PD-20).
    due_on: Mapped[date | None] = mapped_column(Date)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The nearer of the two days; FAR where none runs.
    next_on: Mapped[date] = column_property(
        case(
            (and_(due_on.is_not(None), clear_by.is_(None)), due_on),
            (due_on < clear_by, due_on),
            else_=func.coalesce(clear_by, literal(FAR, Date)),
        )
    )

    member: Mapped[Member] = relationship()
    org: Mapped[Organisation] = relationship()
    contacts: Mapped[list[OnwardContact]] = relationship(order_by="OnwardContact.id.desc()", viewonly=True)

    @property
    def deadline(self) -> date | None:
        """The last day by which he must have been moved on, if one runs."""
        return None if self.next_on == FAR else self.next_on


class OnwardContact(Base):
    """联系记录: when somebody spoke with a floating member, and what he heard (T-29)."""

    __tablename__ = "onward_contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    onward_id: Mapped[int] = mapped_column(ForeignKey("onward_transfers.id"), index=True)
    on: Mapped[date]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    situation: Mapped[Situation | None] = mapped_column(StrEnumType(Situation))
    note: Mapped[str] = mapped_column(String(NOTE_AT_MOST))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where that has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def is_tracked(branch: Organisation) -> bool:
    """Whether members of a branch are floating members to be moved on: a county's, a township's, a park's (T-29)."""
    return branch.purpose is Purpose.FLOATING and branch.industry not in SCHOOL_INDUSTRIES


_TRACKED = and_(
    Organisation.purpose == Purpose.FLOATING,
    or_(Organisation.industry.is_(None), Organisation.industry.not_in(SCHOOL_INDUSTRIES)),
)


def after_completion(fact: ApplicationsChanged) -> None:
    """Close what these members leave behind, and open a row for who came into a floating branch (PD-20)."""
    if fact.after is not State.COMPLETED:
        return
    done = session.execute(
        select(Application.member_id, Application.final_org_id).where(Application.id.in_(fact.ids))
    ).all()
    session.execute(
        update(OnwardTransfer)
        .where(OnwardTransfer.member_id.in_([member for member, _ in done]), OnwardTransfer.ended_at.is_(None))
        .values(ended_at=clock.now()),
        execution_options={"synchronize_session": "fetch"},
    )
    today = clock.today()
    _open([(member, org_id, today) for member, org_id in done if org_id is not None])


def _open(stays: Sequence[tuple[int, int, date]]) -> int:
    """Open a row for each (member, branch, since) whose branch is a tracked one. Returns how many."""
    query = select(Organisation).where(Organisation.id.in_({org_id for _, org_id, _ in stays}), _TRACKED)
    branches = {branch.id: branch for branch in session.scalars(query.options(joinedload(Organisation.parent)))}
    policies = {number: policy_of(branch) for number, branch in branches.items()}
    rows = [
        _opened(member, branches[org_id], since, policies[org_id])
        for member, org_id, since in stays
        if org_id in branches
    ]
    if rows:
        session.execute(insert(OnwardTransfer), rows)
    return len(rows)


def _opened(member_id: int, branch: Organisation, since: date, policy: Policy) -> dict[str, Any]:
    of_county = branch.parent is not None and branch.parent.tier in LEADING_TIERS
    return {
        "member_id": member_id,
        "org_id": branch.id,
        "kind": OnwardKind.COUNTY if of_county else OnwardKind.TOWNSHIP,
        "since": since,
        "clear_by": months_after(since, policy.county_clear_months) if of_county else None,
    }


def _untracked(query: Selected, seat: ActiveSeat) -> Selected:
    """Members of floating branches who came by no transfer, such as with a roster."""
    known = select(OnwardTransfer.member_id).where(OnwardTransfer.ended_at.is_(None))
    return (
        query.select_from(Membership)
        .join(Member, Member.id == Membership.member_id)
        .join(Organisation, Organisation.id == Membership.org_id)
        .where(
            Membership.ended_at.is_(None),
            Member.archived_at.is_(None),
            Member.id.not_in(known),
            _TRACKED,
            scope(Organisation.path, seat, Permission.TRANSFER_OUT),
        )
    )


def count_untracked(seat: ActiveSeat) -> int:
    """How many members of floating branches here have no row yet."""
    return session.scalar(_untracked(select(func.count()), seat)) or 0


def track_all(seat: ActiveSeat) -> int:
    """Open a row for every member of a floating branch here who has none, since he came. Returns how many."""
    stays = select(Membership.member_id, Membership.org_id, Membership.started_at)
    rows = session.execute(_untracked(stays, seat)).all()
    opened = _open([(member, org_id, clock.local(since).date()) for member, org_id, since in rows])
    if opened:
        audit.record("onward.track", "organisation", seat.org_id, members=opened)
    return opened


@dataclass(frozen=True, slots=True)
class OnwardFilters:
    """What the list is narrowed by; "" is no filter.

    Args:
        status: ``late`` (past the day), ``found`` (a place is recorded), ``quiet`` (nobody ever spoke with him) or "".
        text: start of the name, or a whole student number.
    """

    status: str = ""
    text: str = ""


STATUSES = {"late": "已逾期", "found": "已落实、待转出", "quiet": "还没有联系过"}


def _visible(query: Selected, seat: ActiveSeat, filters: OnwardFilters) -> Selected:
    query = (
        query.select_from(OnwardTransfer)
        .join(Organisation, Organisation.id == OnwardTransfer.org_id)
        .join(Member, Member.id == OnwardTransfer.member_id)
        .where(
            OnwardTransfer.ended_at.is_(None),
            Member.archived_at.is_(None),
            scope(Organisation.path, seat, Permission.TRANSFER_OUT),
        )
    )
    if filters.status == "late":
        query = query.where(OnwardTransfer.next_on < clock.today())
    elif filters.status == "found":
        query = query.where(OnwardTransfer.due_on.is_not(None))
    elif filters.status == "quiet":
        query = query.where(~OnwardTransfer.id.in_(select(OnwardContact.onward_id)))
    text = filters.text.strip()
    if text:
        query = query.join(Account, Account.id == Member.account_id).where(
            or_(and_(Account.name >= text, Account.name < text + "\U0010ffff"), Member.student_no == text)
        )
    return query


def listing(seat: ActiveSeat, filters: OnwardFilters, *, after: str = "", before: str = "") -> Page[OnwardTransfer]:
    """Floating members of this part of the tree, whoever is overdue or due next first."""
    query = _visible(select(OnwardTransfer), seat, filters).options(
        joinedload(OnwardTransfer.member).joinedload(Member.account), joinedload(OnwardTransfer.org)
    )
    return paginate(query, [OnwardTransfer.next_on, OnwardTransfer.id], after=after, before=before)


def count(seat: ActiveSeat, filters: OnwardFilters) -> int:
    """How many the filters show."""
    return session.scalar(_visible(select(func.count()), seat, filters)) or 0


def last_contacts(rows: Sequence[OnwardTransfer]) -> dict[int, OnwardContact]:
    """The newest entry of each one's contact log, by row."""
    newest = (
        select(func.max(OnwardContact.id))
        .where(OnwardContact.onward_id.in_([row.id for row in rows]))
        .group_by(OnwardContact.onward_id)
    )
    found = session.scalars(select(OnwardContact).where(OnwardContact.id.in_(newest)))
    return {contact.onward_id: contact for contact in found}


@dataclass(frozen=True, slots=True)
class Timer:
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


def timers(seat: ActiveSeat, most: int = 500) -> list[Timer]:
    """Every running deadline of a secondary transfer in this part of the tree, the nearest first (D-16, D-17)."""
    query = _visible(select(OnwardTransfer), seat, OnwardFilters()).where(OnwardTransfer.next_on < FAR)
    query = query.options(joinedload(OnwardTransfer.member).joinedload(Member.account), joinedload(OnwardTransfer.org))
    rows = session.scalars(query.order_by(OnwardTransfer.next_on, OnwardTransfer.id).limit(most))
    return [_timer(row) for row in rows]


def _timer(row: OnwardTransfer) -> Timer:
    if row.due_on == row.next_on:
        return Timer(row.member, row.org, row.next_on, f"已落实“{row.found_what}”，应办理二次转接", "D-17")
    return Timer(row.member, row.org, row.next_on, "县级流动团支部的团员应在期限内转出", "D-16")


def of_member(member: Member) -> OnwardTransfer:
    """The open row of a member. Raises DomainError for one who is in no floating branch."""
    query = select(OnwardTransfer).where(OnwardTransfer.member_id == member.id, OnwardTransfer.ended_at.is_(None))
    row = session.scalars(query.options(joinedload(OnwardTransfer.org))).first()
    if row is None:
        raise DomainError(f"{member.name}不在流动团员团支部，不需要二次转接。", rule="T-29")
    return row


def log_of(row: OnwardTransfer) -> list[OnwardContact]:
    """His contact log, newest first, with who wrote it."""
    query = select(OnwardContact).where(OnwardContact.onward_id == row.id).options(joinedload(OnwardContact.account))
    return list(session.scalars(query.order_by(OnwardContact.on.desc(), OnwardContact.id.desc())))


def may_look_after(seat: ActiveSeat, member: Member) -> bool:
    """Whether this seat looks after the member: his branch, its office or superior; not himself (PD-22, PD-02)."""
    return seat.kind is not SeatKind.MEMBER and seat.member_id != member.id and serves(seat, member.org)


def _mine(seat: ActiveSeat, member: Member) -> OnwardTransfer:
    row = of_member(member)
    if not may_look_after(seat, member):
        raise Forbidden("流动团员由所在团支部或其直接上级联系服务。", rule="T-29")
    return row


def contacted(seat: ActiveSeat, member: Member, on: date, note: str, situation: Situation | None) -> OnwardContact:
    """Log that somebody spoke with him (T-29).

    Raises:
        DomainError: no note, or a day in the future or before he came.
        Forbidden: he is somebody else's to look after.
    """
    row, words = _mine(seat, member), note.strip()
    _check_day(row, on, "on")
    if not words or len(words) > NOTE_AT_MOST:
        raise DomainError(f"请写明联系情况，最多 {NOTE_AT_MOST} 个字。", field="note", rule="T-29")
    entry = OnwardContact(
        onward_id=row.id,
        on=on,
        account_id=seat.account_id,
        situation=situation,
        note=words,
        written_at=clock.now(),
    )
    session.add(entry)
    if situation is not None and row.due_on is None:
        row.situation = situation
    session.flush()
    audit.record("onward.contact", "member", member.id, on=on.isoformat(), situation=situation)
    return entry


def found(seat: ActiveSeat, member: Member, on: date, what: str) -> OnwardTransfer:
    """Record the unit or school he has found; the month to move him on runs from today (D-17, PD-20).

    A correction of what was recorded leaves the deadline as it is.

    Raises:
        DomainError: no name, or a day in the future or before he came.
        Forbidden: he is somebody else's to look after.
    """
    row, words = _mine(seat, member), what.strip()
    _check_day(row, on, "found_on", earlier=True)
    if not words or len(words) > PLACE_AT_MOST:
        raise DomainError(f"请填写单位或学校名称，最多 {PLACE_AT_MOST} 个字。", field="found_what", rule="D-17")
    before = row.found_what
    row.found_on, row.found_what, row.situation = on, words, Situation.FOUND
    if row.due_on is None:
        row.due_on = months_after(clock.today(), policy_of(row.org).floating_onward_months)
    session.flush()
    session.refresh(row)
    audit.record("onward.found", "member", member.id, before=before, after=words, due=str(row.due_on))
    return row


def lost(seat: ActiveSeat, member: Member) -> OnwardTransfer:
    """The place came to nothing: its deadline stops. Raises like ``found``."""
    row = _mine(seat, member)
    if row.due_on is None:
        raise DomainError("还没有登记落实的单位或学校。", rule="D-17")
    before = row.found_what
    row.found_on = row.found_what = row.due_on = None
    row.situation = Situation.SEEKING
    session.flush()
    session.refresh(row)
    audit.record("onward.lost", "member", member.id, before=before)
    return row


def _check_day(row: OnwardTransfer, day: date, field: str, *, earlier: bool = False) -> None:
    if day > clock.today():
        raise DomainError("日期不能晚于今天。", field=field, rule="T-29")
    if not earlier and day < row.since:
        raise DomainError(f"{row.since.month}月{row.since.day}日 才转入，日期不能更早。", field=field, rule="T-29")
