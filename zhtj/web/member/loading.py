"""What every page of the member's starts with: the member himself."""

from __future__ import annotations

from sqlalchemy.orm import joinedload

from zhtj.kernel.database import session
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.people.models import Member
from zhtj.transfers.applying import checks
from zhtj.web.access import current_seat


def may_leave(member: Member) -> bool:
    """Whether an application can start where he is: not in the special units' pool nor in an external system."""
    return checks.no_way_out(member.org) is None


def own() -> tuple[ActiveSeat, Member]:
    """The active seat and the record of whoever sits in it.

    Raises:
        NotFound: the record was archived a moment ago.
    """
    seat = current_seat()
    member = session.get(Member, seat.member_id, options=[joinedload(Member.account), joinedload(Member.org)])
    if member is None:
        raise NotFound
    return seat, member
