"""Everything completion brings, in the same transaction (PD-20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from zhtj.graduation import operations as graduation
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation
from zhtj.people.moves import Move, move_members
from zhtj.transfers.models import Application, Arrival
from zhtj.transfers.rules import counts


@dataclass(frozen=True, slots=True)
class Moved:
    """A member whose application is complete, and the organisation that now has him."""

    application: Application
    org_id: int


def complete(moved: Sequence[Moved]) -> None:
    """Close and open memberships, end posts, count the graduates, remind the receivers (PD-20, U-26).

    Raises:
        Conflict: a membership is no longer where the application left it.
    """
    moment = clock.now()
    # PD-20: everything that completion brings, in one transaction with it.
    move_members(
        [
            Move(
                each.application.member_id,
                each.application.from_org_id,
                each.org_id,
                f"application:{each.application.id}",
            )
            for each in moved
        ]
    )
    applications = [each.application for each in moved if counts(each.application.kind, each.application.reason)]
    rows = [each.register_row_id for each in applications if each.register_row_id is not None]
    graduation.complete_many(rows, moment)
    paths = _paths({each.org_id for each in moved})
    # with the arrival they are the new organisation's to look after.
    session.execute(
        insert(Arrival),
        [
            {
                "application_id": each.application.id,
                "member_id": each.application.member_id,
                "org_id": each.org_id,
                "path": paths[each.org_id],
                "arrived_at": moment,
            }
            for each in moved
        ],
    )


def _paths(org_ids: set[int]) -> dict[int, str]:
    """Where these organisations stand; none moves before this is committed (PD-07)."""
    query = select(Organisation.id, Organisation.path).where(Organisation.id.in_(org_ids)).order_by(Organisation.id)
    return dict(session.execute(query.with_for_update(read=True, key_share=True)).all())
