"""Applications know where both their organisations stand in the tree, and follow one that moves or merges (PD-07)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select, update

from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.orgs.events import OrganisationMerged, OrganisationMoved
from zhtj.orgs.models import Organisation
from zhtj.transfers.models import AdmissionWait, Application, Arrival
from zhtj.transfers.workflow import OPEN


def moved(event: OrganisationMoved) -> None:
    """Follow an organisation that moved, with everything below it."""
    for table, column in (
        (Application, Application.from_path),
        (Application, Application.to_path),
        (Arrival, Arrival.path),
    ):
        session.execute(
            update(table)
            .where(subtree(column, event.before))
            .values({column: event.after + func.substr(column, len(event.before) + 1)}),
            execution_options={"synchronize_session": False},
        )


def merged(event: OrganisationMerged) -> None:
    """Open applications from, to and with the old one are the successor's, clock and season path unchanged (PD-56)."""
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


def below(path: str) -> ColumnElement[bool]:
    """Applications that leave or reach this part of the tree (A-07, A-11).

    Whoever an application waits for, and whose office acts for it (PD-22), stands at or above one of its ends.
    """
    return or_(subtree(Application.from_path, path), subtree(Application.to_path, path))
