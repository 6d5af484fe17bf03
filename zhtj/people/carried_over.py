"""People of an organisation that has become part of another: members and posts (PD-56)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.orgs.events import OrganisationMerged
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member, Post, Seat
from zhtj.people.moves import Move, move_members
from zhtj.people.operations import end_seat, start_seat

MERGED = "merger"
"""How such a membership began and the one before it ended: 合并, no transfer, in no rate."""
_CHUNK = 500


def merged(event: OrganisationMerged) -> None:
    """Members go on in the successor; who administered the old one administers the new one."""
    successor = session.get_one(Organisation, event.after)
    posts = session.scalars(select(Seat).where(Seat.org_id == event.before, Seat.ended_at.is_(None))).all()
    there = set(session.scalars(select(Seat.account_id).where(Seat.org_id == event.after, Seat.ended_at.is_(None))))
    for post in posts:
        if post.account_id not in there:
            start_seat(post.account, successor, Post.ADMINISTRATOR)
            there.add(post.account_id)
        end_seat(post, MERGED)
    members = list(
        session.scalars(select(Member.id).where(Member.org_id == event.before, Member.archived_at.is_(None)))
    )
    for first in range(0, len(members), _CHUNK):
        move_members([Move(number, event.before, event.after, MERGED) for number in members[first : first + _CHUNK]])
