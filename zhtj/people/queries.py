"""Reads about people: seats somebody can sit in, members a seat can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload

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
        has_townships: a county, which may act for its townships (PD-22).
    """

    key: str
    label: str
    organisation: str
    seat: ActiveSeat
    has_graduates: bool = False
    has_floating: bool = False
    has_townships: bool = False


def member_of(account_id: int) -> Member | None:
    """The person's own member record, unless archived."""
    return session.scalars(
        select(Member)
        .where(Member.account_id == account_id, Member.archived_at.is_(None))
        .options(joinedload(Member.org), joinedload(Member.account))
    ).first()


# Asked at every request: columns, not entities, made once, and all of it in one statement.
_Home, _Place = aliased(Organisation), aliased(Organisation)
_WHO = (
    select(
        Account.id,
        Account.name,
        Account.session_version,
        Account.activated_at,
        Member.id,
        _Home.id,
        _Home.path,
        _Home.short_name,
        Seat.id,
        Seat.post,
        _Place.id,
        _Place.path,
        _Place.short_name,
        _Place.tier,
        _Place.industry,
        _Place.township_flag,
        _Place.purpose,
    )
    .outerjoin(Member, and_(Member.account_id == Account.id, Member.archived_at.is_(None)))
    .outerjoin(_Home, _Home.id == Member.org_id)
    .outerjoin(Seat, and_(Seat.account_id == Account.id, Seat.ended_at.is_(None)))
    .outerjoin(_Place, and_(_Place.id == Seat.org_id, _Place.closed_at.is_(None)))
    .where(Account.id == bindparam("id"))
)
_OF_ACCOUNT, _OF_MEMBER = 4, 8  # columns of _WHO up to here


def seat_choices(account_id: int) -> list[SeatChoice]:
    """Every seat of an account: posts first, highest organisation first, then the member's own page (PD-02)."""
    return _choices(account_id, session.execute(_WHO, {"id": account_id}).all())


def _choices(account_id: int, rows: Sequence[Any]) -> list[SeatChoice]:
    if not rows:
        return []
    member_id, home_id, home_path, home_name = rows[0][_OF_ACCOUNT:_OF_MEMBER]
    posts = [row[_OF_MEMBER:] for row in rows if row[_OF_MEMBER + 2] is not None]
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
                member_id=member_id,
            ),
            has_graduates=tier in LEADING_TIERS or industry in SCHOOL_INDUSTRIES,
            has_floating=_has_floating(tier, industry, purpose, is_township=bool(township)),
            has_townships=tier is Tier.COUNTY,
        )
        for seat_id, post, org_id, path, name, tier, industry, township, purpose in sorted(
            posts, key=lambda row: (len(row[3]), row[0])
        )
    ]
    if member_id is not None:
        own = ActiveSeat(SeatKind.MEMBER, account_id, None, home_id, home_path, member_id)
        choices.append(SeatChoice(MEMBER_SEAT, "团员", home_name, own))
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
    choices: list[SeatChoice]


def signed_in(account_id: int, version: int) -> SignedIn | None:
    """The account behind a session of this version with its seats, if it is still good."""
    rows: Sequence[Any] = session.execute(_WHO, {"id": account_id}).all()
    if not rows:
        return None
    number, name, present, activated_at = rows[0][:_OF_ACCOUNT]
    if present != version or activated_at is None:
        return None
    return SignedIn(number, name, present, _choices(number, rows))


def is_administered(org_id: ColumnElement[int] | InstrumentedAttribute[int] | int) -> ColumnElement[bool]:
    """SQL: somebody who has activated his account holds a post in this organisation (PD-22, PD-61)."""
    held = select(Seat.id).join(Account, Account.id == Seat.account_id)
    return held.where(Seat.org_id == org_id, Seat.ended_at.is_(None), Account.activated_at.is_not(None)).exists()


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
