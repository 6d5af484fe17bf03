"""Writes about people: accounts, seats, members and where their membership lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from zhtj.kernel import audit, clock
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Region
from zhtj.people import identity
from zhtj.people.models import Account, Member, Membership, Post, Seat, Sex
from zhtj.people.queries import is_administered


def create_account(name: str, *, id_number: str | None = None, mobile: str | None = None) -> Account:
    """Create an inactive account; it opens with an activation code (PD-03).

    Raises:
        DomainError: the ID or mobile number is someone else's (U-03).
    """
    _free("id_number", id_number, "该身份证号码已有账号。", "同一人请勿重复登记。")
    _free("mobile", mobile, "该手机号码已被其他人使用。", "一人一号，请填写本人的号码。")
    account = Account(created_at=clock.now())
    account.set_name(name)
    account.set_id_number(id_number)
    account.set_mobile(mobile)
    session.add(account)
    session.flush()
    audit.record("account.create", "account", account.id)
    return account


def _free(field: str, value: str | None, message: str, fix: str) -> None:
    column = Account.id_hash if field == "id_number" else Account.mobile_hash
    if value and session.scalar(select(Account.id).where(column == keyed_hash(field, value))):
        raise DomainError(message, fix=fix, field=field, rule="U-03")


def change_mobile(account: Account, mobile: str) -> None:
    """Give an account another mobile number. Raises DomainError if it is someone else's (U-03)."""
    if account.mobile_hash == keyed_hash("mobile", mobile):
        return
    _free("mobile", mobile, "该手机号码已被其他人使用。", "一人一号，请填写本人的号码。")
    account.set_mobile(mobile)
    session.flush()
    audit.record("account.mobile", "account", account.id)


def start_seat(account: Account, org: Organisation, post: Post) -> Seat:
    """Put somebody into a post; with an activated account the organisation now handles its own work (PD-22)."""
    seat = Seat(account_id=account.id, org_id=org.id, post=post, started_at=clock.now())
    session.add(seat)
    session.flush()
    # PD-61: who has never activated his account is no administrator yet, see ``take_up_posts``.
    if account.activated_at is not None:
        orgs.set_office(org, has_administrator=True)
    audit.record("seat.start", "seat", seat.id, org=org.code, post=post.value)
    return seat


def take_up_posts(account_ids: Sequence[int]) -> None:
    """Whoever has just activated his account administers from now on where he holds a post (PD-61, PD-22)."""
    query = select(Organisation).join(Seat, Seat.org_id == Organisation.id)
    query = query.where(Seat.account_id.in_(account_ids), Seat.ended_at.is_(None)).order_by(Organisation.path)
    for org in session.scalars(query).unique().all():
        orgs.set_office(org, has_administrator=True)


def end_seat(seat: Seat, why: str) -> None:
    """End a post. If it was the last, the duties pass to the nearest superior that has an administrator (PD-22)."""
    # Of two who end the last two posts at the same moment the second one sees that nobody is left.
    orgs.hold(seat.org_id)
    seat.ended_at, seat.ended_why = clock.now(), why
    session.flush()
    if not session.scalar(select(is_administered(seat.org_id))):
        orgs.set_office(seat.org, has_administrator=False)
    audit.record("seat.end", "seat", seat.id, why=why)


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member as the roster gives him; dates are first days of months, phones 11 digits, ID 18 signs."""

    name: str
    id_number: str
    mobile: str | None
    sex: Sex
    joined_on: date
    ethnicity: str | None = None
    dev_number: str | None = None
    student_no: str | None = None
    major: str | None = None
    degree: str | None = None
    political_status: str | None = None
    household: str | None = None
    origin: str | None = None
    residence: str | None = None
    emergency_name: str | None = None
    emergency_phone: str | None = None
    dues_until: date | None = None


def add_member(branch: Organisation, new: NewMember, *, account: Account | None = None, how: str = "import") -> Member:
    """Enter a member into ``branch`` with an inactive account and an open membership.

    Args:
        branch: where he belongs; for somebody whose relationship lies in an external system, that region's node.
        new: his data.
        account: an account the person already has (a secretary who is on the roster too).
        how: what the membership began by.

    Raises:
        DomainError: ``branch`` is no branch, or a number is someone else's.
    """
    if branch.category not in {Category.BRANCH, Category.GRADUATES} and branch.system is Region.NATIONAL:
        raise DomainError("团员只能编入团支部。", fix="请选择具体的团支部。", rule="O-02")
    if account is None:
        account = create_account(new.name, id_number=new.id_number, mobile=new.mobile)
    elif account.id_hash is None:
        account.set_id_number(new.id_number)
    member = Member(
        account_id=account.id,
        org_id=branch.id,
        sex=new.sex,
        born=identity.born(new.id_number),
        ethnicity=new.ethnicity,
        joined_on=new.joined_on,
        dev_number=new.dev_number,
        student_no=new.student_no,
        major=new.major,
        degree=new.degree,
        political_status=new.political_status,
        household=new.household,
        origin=new.origin,
        residence=new.residence,
        emergency_name=new.emergency_name,
        emergency_phone=new.emergency_phone,
        dues_until=new.dues_until,
        created_at=clock.now(),
    )
    session.add(member)
    session.flush()
    session.add(Membership(member_id=member.id, org_id=branch.id, started_at=clock.now(), began_by=how))
    session.flush()
    audit.record("member.add", "member", member.id, org=branch.code, how=how)
    return member
