"""What is open follows an organisation that has become part of another: clock and season path unchanged (PD-56)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.orgs.events import OrganisationMerged
from zhtj.orgs.models import Organisation
from zhtj.transfers.models import AdmissionWait, Application
from zhtj.transfers.workflow import OPEN


def merged(event: OrganisationMerged) -> None:
    """Applications from, to and with the old one are the successor's; so is who waits for it."""
    before, successor = session.get_one(Organisation, event.before), session.get_one(Organisation, event.after)
    ends = (Application.from_org_id, Application.to_org_id, Application.holder_id)
    for column in ends:
        query = select(Application).where(column == event.before, Application.state.in_(OPEN))
        for application in session.scalars(query).all():
            if application.from_org_id == before.id:
                application.from_org_id, application.from_path = successor.id, successor.path
            if application.to_org_id == before.id:
                application.to_org_id, application.to_path = successor.id, successor.path
            if application.holder_id == before.id:
                application.holder_id = _above(application.to_path, before, successor).id
    session.flush()
    waits = select(AdmissionWait).where(AdmissionWait.school_id == event.before, AdmissionWait.ended_at.is_(None))
    for wait in session.scalars(waits).all():
        wait.school_id = event.after
    session.flush()
    session.expire_all()


def _above(path: str, before: Organisation, successor: Organisation) -> Organisation:
    """Who is of the old one's level above the destination now: part of the place may have gone elsewhere."""
    if path.startswith(successor.path):
        return successor
    depth = len(before.path)
    found = session.scalars(select(Organisation).where(Organisation.path == path[:depth])).first()
    if found is None or found.tier is not before.tier or found.closed_at is not None:
        return successor
    return found
