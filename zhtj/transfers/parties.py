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


def acceptance_offices(application: Application) -> set[int]:
    """Who may accept: the destination's office; where the applicant himself sits there, also the one above it."""
    office = application.to_org.office
    if office is None:
        return set()
    offices = {office.id}
    applicant_sits_there = select(Seat.id).where(
        Seat.account_id == application.member.account_id, Seat.org_id == office.id, Seat.ended_at.is_(None)
    )
    above = superior_office(office)
    if above is not None and session.scalar(applicant_sits_there):
        offices.add(above)
    return offices


def parties(seat: ActiveSeat, application: Application, action: Action) -> set[Party]:
    """The roles in which ``seat`` may do ``action`` here; the workflow table says whether the state allows it."""
    if seat.kind is SeatKind.MEMBER:
        return {Party.MEMBER} if seat.member_id == application.member_id else set()
    if action is Action.WITHDRAW:
        started = seat.org_id == application.initiator_org_id and application.initiator is not Initiator.MEMBER
        return {Party(application.initiator.value)} if started else set()
    if action in DECISIONS and seat.member_id == application.member_id:
        return set()
    found = set()
    if seat.org_id in release_offices(application.from_org):
        found.add(Party.OLD_SIDE)
    if seat.org_id in acceptance_offices(application):
        found.add(Party.NEW_SIDE)
    return found
