"""In which role a seat acts on an application: member, old side, new side - or in none (PD-02, PD-14, PD-22)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation, Region, Tier
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Seat
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import Action, Initiator, Party, State, Track

DECISIONS = frozenset(
    {
        Action.RELEASE,
        Action.ACCEPT,
        Action.ALLOCATE,
        Action.TAKE_OVER,
        Action.APPROVE,
        Action.CONFIRM,
        Action.FAIL,
        Action.REFUSE,
    }
)


def serves(seat: ActiveSeat, organisation: Organisation) -> bool:
    """Whether ``seat`` looks after the members there: its own branch, its school, or as direct superior."""
    if seat.org_id in {organisation.id, organisation.office_id, organisation.parent_id}:
        return True
    return seat.kind in {SeatKind.COLLEGE, SeatKind.SCHOOL} and organisation.path.startswith(seat.path)


def superior_office(organisation: Organisation) -> int | None:
    """The organisation that acts for the direct superior."""
    return organisation.parent.office_id if organisation.parent else None


def release_offices(application: Application) -> set[int]:
    """Who may release: the old branch or its direct superior (PD-14); by policy its committee alone (PD-15)."""
    old, holder = application.from_org, application.holder
    if application.state is State.AWAITING_RELEASE and holder is not None and holder.id != old.id:
        return {holder.office_id} if holder.office_id is not None else set()
    return {office for office in (old.office_id, superior_office(old)) if office is not None}


def accepts(seat: ActiveSeat, application: Application) -> bool:
    """Whether the seat acts for the destination: its office; where the applicant himself sits there, the one above.

    Where the superior of who started it has to decide, that is nobody else and not himself (PD-58, PD-61).
    """
    holder = application.holder
    if application.state is State.AWAITING_ACCEPTANCE and holder is not None and holder.id != application.to_org_id:
        return seat.org_id == holder.office_id and seat.account_id != application.initiator_account_id
    office = application.to_org.office
    if office is None:
        return False
    if seat.org_id == office.id:
        return True
    if seat.org_id != superior_office(office):
        return False
    return application.member.account_id in _sitting_in(office.id)


# Who sits in which office, while ``many`` lasts.
_sitting: ContextVar[dict[int, frozenset[int]] | None] = ContextVar("sitting", default=None)


@contextmanager
def many() -> Iterator[None]:
    """Inside, who sits in an office is read once for all applications that are judged."""
    token = _sitting.set({})
    try:
        yield
    finally:
        _sitting.reset(token)


def _sitting_in(office_id: int) -> frozenset[int]:
    """Accounts that hold a post in this office."""
    known = _sitting.get()
    if known is not None and office_id in known:
        return known[office_id]
    posts = select(Seat.account_id).where(Seat.org_id == office_id, Seat.ended_at.is_(None))
    found = frozenset(session.scalars(posts))
    if known is not None:
        known[office_id] = found
    return found


def parties(seat: ActiveSeat, application: Application, action: Action) -> set[Party]:
    """The roles in which ``seat`` may do ``action`` here; the workflow table says whether the state allows it."""
    if action in {Action.WITHDRAW, Action.AMEND} and seat.kind is not SeatKind.MEMBER:
        started = seat.org_id == application.initiator_org_id and application.initiator is not Initiator.MEMBER
        return {Party(application.initiator.value)} if started else set()
    if action is Action.WITHDRAW and application.initiator is not Initiator.MEMBER:
        allowed = policy_of(application.from_org).withdraw_by  # PD-16: who besides the initiator
        return roles(seat, application) if Initiator.MEMBER.value in allowed else set()
    return roles(seat, application) if action in DECISIONS or seat.kind is SeatKind.MEMBER else set()


def roles(seat: ActiveSeat, application: Application) -> set[Party]:
    """The roles of ``seat`` in an application, whatever it wants to do; nobody decides about himself (PD-02)."""
    if seat.kind is SeatKind.MEMBER:
        return {Party.MEMBER} if seat.member_id == application.member_id else set()
    if seat.member_id is not None and seat.member_id == application.member_id:
        return set()
    if application.track is Track.SPECIAL:
        return {Party.PROVINCE} if _is_office_of(seat, application.holder) else set()
    found = set()
    if application.from_org.system is Region.NATIONAL and seat.org_id in release_offices(application):
        found.add(Party.OLD_SIDE)
    if application.track is Track.DOMESTIC:
        if accepts(seat, application):
            found.add(Party.NEW_SIDE)
        if _is_office_of(seat, county_above(seat, application.to_org)):
            found.add(Party.COUNTY)
    return found


def _is_office_of(seat: ActiveSeat, organisation: Organisation | None) -> bool:
    return organisation is not None and seat.org_id == organisation.office_id


def county_above(seat: ActiveSeat, destination: Organisation) -> Organisation | None:
    """The county of a township's organisation, which may stand in for it (PD-22); None for any other destination.

    A city without counties stands right above its towns and does for them what a county does.
    """
    if seat.kind is not SeatKind.PROVINCIAL:
        return None  # a question of leading organs alone; spares every other list the walk up the tree
    township = destination if destination.township_flag else destination.parent
    if township is None or not township.township_flag:
        return None
    county = township.parent
    return county if county is not None and county.tier in {Tier.COUNTY, Tier.CITY} else None


def province_of(organisation: Organisation) -> Organisation:
    """The provincial committee that alone decides about special units (S-05).

    Raises:
        DomainError: nothing of province rank stands above.
    """
    found = session.scalars(
        select(Organisation).where(Organisation.path.in_(organisation.line), Organisation.tier == Tier.PROVINCE)
    ).first()
    if found is None:
        raise DomainError("没有找到省级团委。", fix="请联系上级团组织。", rule="S-05")
    return found
