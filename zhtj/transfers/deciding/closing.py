"""Close an organisation and open it again: nothing that carries history is deleted (PD-06)."""

from __future__ import annotations

from sqlalchemy import func, select

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, check
from zhtj.orgs.models import Organisation, Purpose
from zhtj.people.models import Member, Seat
from zhtj.people.operations import end_seat
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import OPEN

REASON_AT_LEAST = 5
CLOSED = "organisation_closed"


def obstacles(organisation: Organisation) -> list[str]:
    """Why it cannot be closed yet, each in one sentence."""
    inside = session.scalar(select(func.count()).where(Member.org_id == organisation.id, Member.archived_at.is_(None)))
    below = session.scalar(
        select(func.count()).where(Organisation.parent_id == organisation.id, Organisation.closed_at.is_(None))
    )
    coming = session.scalar(
        select(func.count()).where(Application.to_org_id == organisation.id, Application.state.in_(OPEN))
    )
    found = []
    if inside:
        found.append(f"还有 {inside} 名团员，请等全部团员转出后再停用。")
    if below:
        found.append(f"还有 {below} 个下级组织，请先停用或迁移它们。")
    if coming:
        found.append(f"还有 {coming} 件转入申请没有办完。")
    if organisation.purpose is Purpose.SPECIAL_POOL:
        found.append("特殊单位专属库不能停用。")
    return found


def close(seat: ActiveSeat, organisation: Organisation, why: str) -> None:
    """Close it; its posts end, it stays in the tree and can be opened again by the level above.

    Args:
        seat: somebody above.
        organisation: which one.
        why: in words, for the record.

    Raises:
        NotFound, Forbidden: it is not below the seat.
        DomainError: no reason given, or closed already.
        Conflict: members, organisations or applications are in the way (PD-06).
    """
    _check_above(seat, organisation)
    # Alone with the row: whoever comes in at this moment is seen, whoever comes later is refused.
    organisation = session.get_one(Organisation, organisation.id, populate_existing=True, with_for_update=True)
    if organisation.closed_at is not None:
        raise Conflict(f"{organisation.short_name}已经停用。", rule="PD-06")
    why = _reason(why)
    if found := obstacles(organisation):
        raise Conflict(f"{organisation.short_name}不能停用：", fix="".join(found), rule="PD-06")
    for post in session.scalars(select(Seat).where(Seat.org_id == organisation.id, Seat.ended_at.is_(None))).all():
        end_seat(post, CLOSED)
    # PD-06: closed, never deleted; the level above can open it again.
    organisation.closed_at = clock.now()
    session.flush()
    audit.record("organisation.close", "organisation", organisation.id, why=why)


def reopen(seat: ActiveSeat, organisation: Organisation, why: str) -> None:
    """Open a closed organisation again; its administrators are appointed anew.

    Raises:
        NotFound, Forbidden: it is not below the seat.
        DomainError: no reason given, or its superior is closed.
        Conflict: it is open.
    """
    _check_above(seat, organisation)
    organisation = session.get_one(Organisation, organisation.id, populate_existing=True, with_for_update=True)
    if organisation.closed_at is None:
        raise Conflict(f"{organisation.short_name}正在使用。", rule="PD-06")
    why = _reason(why)
    superior = organisation.parent
    if superior is None:
        raise NotFound
    if superior.closed_at is not None:
        raise DomainError(f"上级{superior.short_name}已停用，请先恢复上级。", rule="PD-06")
    organisation.closed_at = None
    session.flush()
    audit.record("organisation.reopen", "organisation", organisation.id, why=why)


def _check_above(seat: ActiveSeat, organisation: Organisation) -> None:
    check(seat, Permission.ORGANISATION_EDIT, organisation.path)
    if seat.org_id == organisation.id:
        raise Forbidden("本组织的停用和恢复由上级办理。", rule="PD-06")


def _reason(why: str) -> str:
    why = " ".join(why.split())
    if len(why) < REASON_AT_LEAST:
        raise DomainError(f"请写明原因，至少 {REASON_AT_LEAST} 个字。", field="why", rule="PD-06")
    return why[:500]
