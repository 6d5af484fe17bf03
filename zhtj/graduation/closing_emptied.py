"""Close 毕业生团组织 whose members are all out (O-11, PD-06)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from zhtj.graduation import queries
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Category, Organisation
from zhtj.people.models import Member, Seat
from zhtj.people.operations import end_seat

WHY = "emptied"


def close_emptied(seat: ActiveSeat, ids: Sequence[int]) -> list[Organisation]:
    """Close these emptied 毕业生团组织 below the seat; a closed one is kept and can be restored by the level above.

    Returns:
        What was closed.

    Raises:
        DomainError: nothing picked, or something else than a 毕业生团组织.
        Conflict: somebody is still in it (PD-06).
    """
    found = [one for one in queries.branches(seat, ids) if one.path != seat.path and one.closed_at is None]
    if not found:
        raise DomainError("请先勾选要停用的毕业生团组织。", field="row")
    for one in found:
        if one.category is not Category.GRADUATES:
            raise DomainError(f"{one.short_name}不是毕业生团组织，不能在这里停用。", rule="O-11")
        inside = session.scalar(select(func.count()).where(Member.org_id == one.id, Member.archived_at.is_(None)))
        if inside:
            raise Conflict(
                f"{one.short_name}还有 {inside} 名团员，不能停用。", fix="请等全部团员转出后再停用。", rule="PD-06"
            )
    for one in found:
        for post in session.scalars(select(Seat).where(Seat.org_id == one.id, Seat.ended_at.is_(None))).all():
            end_seat(post, WHY)
        # O-11: deleting it means closing it; its history stays.
        one.closed_at = clock.now()
    session.flush()
    audit.record_many("organisation.close", "organisation", [(one.id, {"why": WHY}) for one in found])
    return found
