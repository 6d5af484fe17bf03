"""Reads about people: seats somebody can sit in, members a seat can see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import LEADING_TIERS, SCHOOL_INDUSTRIES, WORKBENCH, Organisation, Purpose, Tier
from zhtj.people.models import Account, Member, Seat

MEMBER_SEAT = "member"


@dataclass(frozen=True, slots=True)
class SeatChoice:
    """One entry of the seat switcher.

    Args:
        key: what the form sends: a seat's id, or ``member``.
        label: post and organisation, as shown.
        seat: what one acts as after switching.
        has_graduates: a school's, or a leading organ.
        has_floating: a township, a park, a school or a floating branch, or a leading organ (T-29, R-05).
    """

    key: str
    label: str
    organisation: str
    seat: ActiveSeat
    has_graduates: bool = False
    has_floating: bool = False


def member_of(account_id: int) -> Member | None:
    """The person's own member record, unless archived."""
    return session.scalars(
        select(Member)
        .where(Member.account_id == account_id, Member.archived_at.is_(None))
        .options(joinedload(Member.org), joinedload(Member.account))
    ).first()


# Asked at every request: columns, not entities, and each statement made once.
_PLACE = (
    Organisation.id,
    Organisation.path,
    Organisation.short_name,
    Organisation.tier,
    Organisation.industry,
    Organisation.township_flag,
    Organisation.purpose,
)
_MEMBER = (
    select(Member.id, *_PLACE)
    .join(Organisation, Organisation.id == Member.org_id)
    .where(Member.account_id == bindparam("id"), Member.archived_at.is_(None))
)
_POSTS = (
    select(Seat.id, Seat.post, *_PLACE)
    .join(Organisation, Organisation.id == Seat.org_id)
    .where(Seat.account_id == bindparam("id"), Seat.ended_at.is_(None), Organisation.closed_at.is_(None))
)


def seat_choices(account_id: int) -> list[SeatChoice]:
    """Every seat of an account: posts first, highest organisation first, then the member's own page (PD-02)."""
    member = session.execute(_MEMBER, {"id": account_id}).first()
    posts = session.execute(_POSTS, {"id": account_id}).all()
    choices = [
        SeatChoice(
            key=str(seat_id),
            label=post.label,
            organisation=name,
            seat=ActiveSeat(
                kind=WORKBENCH[tier],
                account_id=account_id,
                seat_id=seat_id,
                org_id=org_id,
                path=path,
                member_id=member[0] if member else None,
            ),
            has_graduates=tier in LEADING_TIERS or industry in SCHOOL_INDUSTRIES,
            has_floating=_has_floating(tier, industry, purpose, is_township=bool(township)),
        )
        for seat_id, post, org_id, path, name, tier, industry, township, purpose in sorted(
            posts, key=lambda row: (len(row[3]), row[0])
        )
    ]
    if member is not None:
        member_id, org_id, path, name = member[:4]
        own = ActiveSeat(SeatKind.MEMBER, account_id, None, org_id, path, member_id)
        choices.append(SeatChoice(MEMBER_SEAT, "团员", name, own))
    return choices


def post_seat(account_id: int, org_id: int) -> ActiveSeat | None:
    """The seat in which somebody acts for an organisation, if he still holds a post there."""
    seats = (choice.seat for choice in seat_choices(account_id) if choice.seat.kind is not SeatKind.MEMBER)
    return next((seat for seat in seats if seat.org_id == org_id), None)


def _has_floating(tier: Tier, industry: str | None, purpose: Purpose | None, *, is_township: bool) -> bool:
    kept = is_township or purpose in {Purpose.FLOATING, Purpose.OVERSEAS, Purpose.PARK}
    # A school and its colleges keep those who stay.
    return tier in LEADING_TIERS or kept or (tier is not Tier.BRANCH and industry in SCHOOL_INDUSTRIES)


def choose(choices: list[SeatChoice], key: str | None) -> SeatChoice | None:
    """The choice with this key, else the first, else None (an account without any seat)."""
    return next((choice for choice in choices if choice.key == key), choices[0] if choices else None)


class SignedIn(NamedTuple):
    """What every request needs to know of whoever is signed in."""

    id: int
    name: str
    session_version: int


_SIGNED_IN = select(Account.id, Account.name, Account.session_version).where(
    Account.id == bindparam("id"),
    Account.session_version == bindparam("version"),
    Account.activated_at.is_not(None),
)


def signed_in(account_id: int, version: int) -> SignedIn | None:
    """The account behind a session of this version, if it is still good."""
    row = session.execute(_SIGNED_IN, {"id": account_id, "version": version}).first()
    return SignedIn(*row) if row else None


_FIRST_MOBILE = (
    select(Account.mobile)
    .join(Seat, Seat.account_id == Account.id)
    .where(Seat.org_id == bindparam("org"), Seat.ended_at.is_(None), Account.mobile.is_not(None))
    .order_by(Seat.id)
    .limit(1)
)


def first_mobile(org_id: int) -> str | None:
    """The mobile number of the first administrator there who has one."""
    return session.scalar(_FIRST_MOBILE, {"org": org_id})


def posts(organisation: Organisation) -> list[Seat]:
    """Who holds a post there now."""
    query = (
        select(Seat).where(Seat.org_id == organisation.id, Seat.ended_at.is_(None)).options(joinedload(Seat.account))
    )
    return list(session.scalars(query.order_by(Seat.id)))
