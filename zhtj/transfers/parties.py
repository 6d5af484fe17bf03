"""In which role a seat acts on an application: member, old side, new side - or in none (PD-02, PD-14, PD-22)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.people.models import Seat
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import Action, Initiator, Party

DECISIONS = frozenset({Action.RELEASE, Action.ACCEPT, Action.ALLOCATE, Action.REFUSE})


def superior_office(organisation: Organisation) -> int | None:
    """The organisation that acts for the direct superior."""
    return organisation.parent.office_id if organisation.parent else None


def release_offices(organisation: Organisation) -> set[int]:
    """Who may release: the old branch, or its direct superior (PD-14)."""
    return {office for office in (organisation.office_id, superior_office(organisation)) if office is not None}


def accepts(seat: ActiveSeat, application: Application) -> bool:
    """Whether the seat acts for the destination: its office; where the applicant himself sits there, the one above."""
    office = application.to_org.office
    if office is None:
        return False
    if seat.org_id == office.id:
        return True
    if seat.org_id != superior_office(office):
        return False
    applicant_sits_there = select(Seat.id).where(
        Seat.account_id == application.member.account_id, Seat.org_id == office.id, Seat.ended_at.is_(None)
    )
    return session.scalar(applicant_sits_there) is not None


def parties(seat: ActiveSeat, application: Application, action: Action) -> set[Party]:
    """The roles in which ``seat`` may do ``action`` here; the workflow table says whether the state allows it."""
    if action is Action.WITHDRAW and seat.kind is not SeatKind.MEMBER:
        started = seat.org_id == application.initiator_org_id and application.initiator is not Initiator.MEMBER
        return {Party(application.initiator.value)} if started else set()
    return roles(seat, application) if action in DECISIONS or seat.kind is SeatKind.MEMBER else set()


def roles(seat: ActiveSeat, application: Application) -> set[Party]:
    """The roles of ``seat`` in an application, whatever it wants to do; nobody decides about himself (PD-02)."""
    if seat.kind is SeatKind.MEMBER:
        return {Party.MEMBER} if seat.member_id == application.member_id else set()
    if seat.member_id is not None and seat.member_id == application.member_id:
        return set()
    found = set()
    if seat.org_id in release_offices(application.from_org):
        found.add(Party.OLD_SIDE)
    if accepts(seat, application):
        found.add(Party.NEW_SIDE)
    return found
