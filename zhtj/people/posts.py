"""Posts and change of administrators: appoint, hand over, end; somebody always acts (PD-21, PD-22, U-23)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, check, subtree
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Organisation
from zhtj.people.finding.search import is_named
from zhtj.people.models import Account, Member, Post, Seat
from zhtj.people.operations import end_seat, start_seat
from zhtj.people.signing.accounts import find_by_username

ENDED, HANDED_OVER = "ended", "handed_over"
MOST = 30
"""Members offered at once; a longer list is narrowed by a name."""


def successor(organisation: Organisation) -> Organisation | None:
    """Who acts where the organisation has no activated administrator (PD-22); None where nobody above has one."""
    above = select(Organisation.office_id).where(Organisation.id == organisation.parent_id).scalar_subquery()
    return session.scalars(select(Organisation).where(Organisation.id == above)).first()


def open_posts(organisation: Organisation) -> list[Seat]:
    """Who holds a post there, the secretary first."""
    query = select(Seat).where(Seat.org_id == organisation.id, Seat.ended_at.is_(None))
    seats = session.scalars(query.options(joinedload(Seat.account)).order_by(Seat.id)).all()
    return sorted(seats, key=lambda seat: list(Post).index(seat.post))


def is_last(seat: Seat, held: Sequence[Seat]) -> bool:
    """Whether nobody of ``held`` acts any more once this post has ended (PD-61)."""
    return [one.id for one in held if one.account.activated_at is not None] == [seat.id]


def has_ended(seat: ActiveSeat) -> bool:
    """Whether the post that somebody acts in has ended meanwhile, by what he has just done."""
    held = session.get(Seat, seat.seat_id) if seat.seat_id is not None else None
    return held is not None and held.ended_at is not None


def past_posts(organisation: Organisation, limit: int = 20) -> Sequence[Seat]:
    """Who held one before, newest first."""
    query = select(Seat).where(Seat.org_id == organisation.id, Seat.ended_at.is_not(None))
    ordered = query.options(joinedload(Seat.account)).order_by(Seat.ended_at.desc(), Seat.id.desc())
    return session.scalars(ordered.limit(limit)).all()


def candidates(organisation: Organisation, text: str) -> list[Member]:
    """Members of an organisation and of those below it who can be appointed; one more than ``MOST`` tells of more.

    Args:
        organisation: where they belong.
        text: start of the name, or a whole student or mobile number; "" for the first ones.
    """
    query = (
        select(Member)
        .join(Organisation, Organisation.id == Member.org_id)
        .join(Account, Account.id == Member.account_id)
        .where(subtree(Organisation.path, organisation.path), Member.archived_at.is_(None))
        .options(joinedload(Member.account), joinedload(Member.org))
    )
    if text:
        query = query.where(or_(is_named(text), Account.mobile_hash == keyed_hash("mobile", text)))
    return list(session.scalars(query.order_by(Organisation.path, Member.id).limit(MOST + 1)))


def member_account(organisation: Organisation, member_id: int) -> Account:
    """The account of a member there or below. Raises NotFound."""
    query = (
        select(Account)
        .join(Member, Member.account_id == Account.id)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(Member.id == member_id, subtree(Organisation.path, organisation.path), Member.archived_at.is_(None))
    )
    found = session.scalars(query).first()
    if found is None:
        raise NotFound
    return found


def find_person(name: str, number: str) -> Account | None:
    """Whoever has exactly this name and this full ID or mobile number, wherever he is; the look is noted (PD-37)."""
    found = find_by_username(number)
    if found is not None and names.key(found.name) != names.key(name):
        found = None
    audit.record("account.look_up", "account", found.id if found else 0, found=found is not None)
    return found


def appoint(seat: ActiveSeat, organisation: Organisation, account: Account, post: Post, *, hand_over: bool) -> Seat:
    """Put somebody into a post. A new secretary takes over from the present one, whose post ends.

    Args:
        seat: who appoints: the organisation itself or one above it.
        organisation: where.
        account: who.
        post: as what.
        hand_over: whether it is known that the present secretary's post ends with it.

    Raises:
        DomainError: he holds that post already, the organisation is closed, or the hand-over was not confirmed.
    """
    check(seat, Permission.POSTS, organisation.path)
    organisation = orgs.hold(organisation.id)
    if organisation.closed_at is not None:
        raise DomainError("该组织已停用，不能任命。", rule="PD-06")
    present = open_posts(organisation)
    if any(one.account_id == account.id and one.post is post for one in present):
        raise DomainError(f"{account.name}已经是这里的{post.label}。", field="post", rule="PD-02")
    before = [one for one in present if post is Post.SECRETARY and one.post is Post.SECRETARY]
    if before and not hand_over:
        raise DomainError(
            f"现任书记是{before[0].account.name}。",
            fix="任命新书记后，他的书记任职随即结束；请勾选确认。",
            field="hand_over",
            rule="U-23",
        )
    # First the new one: the organisation is never without an administrator in between.
    new = start_seat(account, organisation, post)
    for one in before:
        end_seat(one, HANDED_OVER)
    return new


def end(seat: ActiveSeat, organisation: Organisation, number: int, *, acts: str = "") -> Seat:
    """End a post.

    Args:
        seat: who ends it.
        organisation: where it is held.
        number: the post's.
        acts: code of the organisation that acts from then on, as the confirmation named it; for the last post only.

    Raises:
        NotFound: no such post there.
        Conflict: it ended meanwhile, or somebody else would act now.
        DomainError: it is the last one, and nobody said who acts then (PD-22).
    """
    check(seat, Permission.POSTS, organisation.path)
    organisation = orgs.hold(organisation.id)
    found = session.get(Seat, number, populate_existing=True)
    if found is None or found.org_id != organisation.id:
        raise NotFound
    if found.ended_at is not None:
        raise Conflict("这项任职刚刚已经结束。", fix="请刷新页面查看。", rule="PD-02")
    if is_last(found, open_posts(organisation)):
        _check_successor(organisation, acts)
    end_seat(found, ENDED)
    return found


def _check_successor(organisation: Organisation, acts: str) -> None:
    next_one = successor(organisation)
    code, name = (next_one.code, next_one.short_name) if next_one else ("none", "没有组织")
    if acts and acts != code:
        raise Conflict(f"代办的组织刚刚有变化，现在是{name}。", fix="请核对后再确认。", field="acts", rule="PD-22")
    if not acts:
        raise DomainError(
            f"这是最后一位管理员，之后由{name}代办。" if next_one else "这是最后一位管理员，上级也没有管理员可以代办。",
            fix="请勾选确认，或先任命接任的人。",
            field="acts",
            rule="PD-22",
        )
