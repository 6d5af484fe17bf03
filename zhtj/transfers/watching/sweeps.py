"""What falls due by itself in this room: unanswered applications go back (D-09, A-24, PD-18, PD-36)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.sql.listing import Listing
from zhtj.transfers import steps
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import RUNNING, State

log = logging.getLogger(__name__)

CHUNK = 500
# Said where it goes without saying: the index of what is under way holds nothing else.
_UNDER_WAY = Application.ended_at.is_(None)


def overdue(at: datetime) -> int:
    """How many running applications are due at ``at``."""
    query = select(func.count()).where(_UNDER_WAY, Application.state.in_(RUNNING), Application.due_at <= at)
    return session.scalar(query) or 0


def return_overdue(at: datetime) -> tuple[int, int, int]:
    """Return every application that is due at ``at``; (returned, left to others, failed).

    Found by state and due time without a lower bound, in chunks of one transaction each; the write re-checks the
    state, so a second run, a second worker or a killed one neither loses nor repeats anything.
    """
    done = skipped = failed = 0
    for state in sorted(RUNNING):
        query = select(Application.id).where(_UNDER_WAY, Application.state == state, Application.due_at <= at)
        due: Listing[int] = Listing(query, [Application.id], dress=lambda rows: [row.id for row in rows])
        for ids in due.walk(CHUNK):
            returned, broken = _return_or_bisect(state, ids, at)
            done, failed, skipped = done + returned, failed + broken, skipped + len(ids) - returned - broken
    return done, skipped, failed


def _return_or_bisect(state: State, ids: Sequence[int], at: datetime) -> tuple[int, int]:
    """Return these in one transaction; what fails is halved until the one at fault stands alone. (returned, failed)."""
    try:
        with unit_of_work(), audit.acting(None):
            return _return_chunk(state, ids, at), 0
    except OperationalError:
        raise  # the database is away or busy: no application's fault, and the next sweep finds them all
    except Exception:
        if len(ids) == 1:
            log.exception("application %s could not be returned", ids[0])
            return 0, 1
    half = len(ids) // 2
    parts = [_return_or_bisect(state, part, at) for part in (ids[:half], ids[half:])]
    return sum(returned for returned, _ in parts), sum(failed for _, failed in parts)


def _return_chunk(state: State, ids: Sequence[int], at: datetime) -> int:
    """Return these applications where they still are in ``state`` and due; the return counts from the due time."""
    query = (
        select(Application.id, Application.due_at, Application.holder_id)
        .where(Application.id.in_(ids), Application.state == state, Application.due_at <= at)
        .with_for_update(skip_locked=True)
    )
    due = {number: (due_at, holder) for number, due_at, holder in session.execute(query) if due_at}
    changed = session.execute(
        update(Application)
        .where(Application.id.in_(due), Application.state == state, Application.due_at <= at)
        .values(
            state=State.RETURNED,
            version=Application.version + 1,
            ended_at=Application.due_at,
            waiting_since=Application.due_at,
            due_at=None,
            holder_id=None,
        )
        .returning(Application.id),
        execution_options={"synchronize_session": False},
    )
    returned = [number for (number,) in changed]
    if not returned:
        return 0
    steps.record_returns([(number, *due[number]) for number in returned], state)
    return len(returned)
