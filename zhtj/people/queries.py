"""Reads about people: seats somebody can sit in, members a seat can see."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member, Seat

MEMBER_SEAT = "member"


@dataclass(frozen=True, slots=True)
class SeatChoice:
    """One entry of the seat switcher.

    Args:
        key: what the form sends: a seat's id, or ``member``.
        label: post and organisation, as shown.
        seat: what one acts as after switching.
    """

    key: str
    label: str
    organisation: str
    seat: ActiveSeat


def member_of(account_id: int) -> Member | None:
    """The person's own member record, unless archived."""
    return session.scalars(
        select(Member)
        .where(Member.account_id == account_id, Member.archived_at.is_(None))
        .options(joinedload(Member.org), joinedload(Member.account))
    ).first()


def seat_choices(account_id: int) -> list[SeatChoice]:
    """Every seat of an account: posts first, highest organisation first, then the member's own page (PD-02)."""
    member = member_of(account_id)
    posts = session.scalars(
        select(Seat).where(Seat.account_id == account_id, Seat.ended_at.is_(None)).options(joinedload(Seat.org))
    ).all()
    choices = [
        SeatChoice(
            key=str(post.id),
            label=post.post.label,
            organisation=post.org.short_name,
            seat=ActiveSeat(
                kind=post.org.workbench,
                account_id=account_id,
                seat_id=post.id,
                org_id=post.org_id,
                path=post.org.path,
                member_id=member.id if member else None,
            ),
        )
        for post in sorted(posts, key=lambda post: (len(post.org.path), post.id))
        if post.org.closed_at is None
    ]
    if member is not None:
        choices.append(
            SeatChoice(
                key=MEMBER_SEAT,
                label="团员",
                organisation=member.org.short_name,
                seat=ActiveSeat(
                    kind=SeatKind.MEMBER,
                    account_id=account_id,
                    seat_id=None,
                    org_id=member.org_id,
                    path=member.org.path,
                    member_id=member.id,
                ),
            )
        )
    return choices


def choose(choices: list[SeatChoice], key: str | None) -> SeatChoice | None:
    """The choice with this key, else the first, else None (an account without any seat)."""
    return next((choice for choice in choices if choice.key == key), choices[0] if choices else None)


def account(account_id: int) -> Account | None:
    """An account by id."""
    return session.get(Account, account_id)


def posts(organisation: Organisation) -> list[Seat]:
    """Who holds a post there now."""
    query = (
        select(Seat).where(Seat.org_id == organisation.id, Seat.ended_at.is_(None)).options(joinedload(Seat.account))
    )
    return list(session.scalars(query.order_by(Seat.id)))
