"""An organisation becomes part of another: what is below it, who is in it and what waits for it go there (PD-56)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.kernel import audit, clock, events
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs import operations
from zhtj.orgs.changing import changes, moving
from zhtj.orgs.events import OrganisationMerged
from zhtj.orgs.models import Organisation, Purpose


def merge(organisation: Organisation, successor: Organisation, by: str) -> None:
    """Make it part of its successor. It is closed and stays in the tree; by its names the successor is found.

    Floating branches, of which there is one in a place, become one too; everything else below moves as it is.

    Args:
        organisation: which one.
        successor: of the same level.
        by: why, such as ``divisions:12ab``.

    Raises:
        DomainError: it is not of the same level, closed, or the same.
    """
    organisation, successor = operations.hold(organisation.id), operations.hold(successor.id)
    if organisation.id == successor.id or successor.path.startswith(organisation.path):
        raise DomainError("不能并入自己或自己的下级组织。", field="parent", rule="PD-56")
    if organisation.tier is not successor.tier:
        raise DomainError("只能并入同一层级的组织。", field="parent", rule="PD-56")
    if organisation.closed_at is not None or successor.closed_at is not None:
        raise DomainError("已停用的组织不能合并。", field="parent", rule="PD-06")
    for number in _children(organisation):
        child = session.get_one(Organisation, number)
        into = _floating_of(successor) if child.purpose is Purpose.FLOATING else None
        if into is not None:
            merge(child, into, by)
        else:
            moving.move(child, session.get_one(Organisation, successor.id), by, across_provinces=True)
    organisation = session.get_one(Organisation, organisation.id)
    successor = session.get_one(Organisation, successor.id)
    events.publish(OrganisationMerged(organisation.id, successor.id, by))
    organisation = session.get_one(Organisation, organisation.id, populate_existing=True, with_for_update=True)
    organisation.closed_at = clock.now()
    session.flush()
    for name in (organisation.full_name, organisation.short_name):
        changes.keep_name(successor, name)
    audit.record("organisation.merge", "organisation", organisation.id, into=successor.id, by=by)


def _children(organisation: Organisation) -> list[int]:
    query = select(Organisation.id).where(Organisation.parent_id == organisation.id, Organisation.closed_at.is_(None))
    return list(session.scalars(query.order_by(Organisation.path)))


def _floating_of(successor: Organisation) -> Organisation | None:
    return session.scalars(
        select(Organisation).where(
            Organisation.parent_id == successor.id,
            Organisation.purpose == Purpose.FLOATING,
            Organisation.closed_at.is_(None),
        )
    ).first()
