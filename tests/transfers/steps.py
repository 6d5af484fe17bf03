"""Short sentences for tests of the workflow: apply, start out, start in, decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.world import World
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.models import Application

EMPLOYED = {"reason": "employed_with_org", "unit_name": "示例科技有限公司"}
UNPLACED = {"reason": "unplaced", "place": "residence"}


@contextmanager
def acting(seat: ActiveSeat) -> Iterator[None]:
    """A unit of work done by ``seat``."""
    with audit.acting(seat), unit_of_work():
        yield


def start(seat: ActiveSeat, member: Member, destination: Any, **details: Any) -> Application:
    """Submit an application in ``seat``."""
    with acting(seat):
        session.refresh(member)
        wanted = Submission(member=member, destination=destination, **(details or EMPLOYED))
        return operations.submit(wanted, seat)


def apply(world: World, member: Member, to: str, **details: Any) -> Application:
    """The member applies himself."""
    return start(world.own_seat(member), member, world.orgs[to], **details)


def accept_into(application: Application, seat: ActiveSeat, branch: Organisation) -> None:
    """Accept and allocate at once, as two recorded transitions."""
    operations.accept(application, seat)
    session.refresh(application)
    operations.allocate(application, seat, branch)


def do(action: Any, application: Application, seat: ActiveSeat, *args: Any, **details: Any) -> None:
    """One decision in its own unit of work."""
    with acting(seat):
        session.refresh(application)
        action(application, seat, *args, **details)
