"""Short sentences for tests of notices: what lies in whose inbox."""

from __future__ import annotations

from sqlalchemy import select

from tests.world import World
from zhtj.kernel.database import session
from zhtj.notices import queries
from zhtj.notices.models import Message
from zhtj.notices.queries import MessageFilters
from zhtj.people.models import Member


def of(world: World, key: str) -> list[Message]:
    """The messages that the secretary of ``key`` sees, newest first."""
    session.expire_all()
    return list(queries.inbox(world.seat(key), MessageFilters()).page().rows)


def of_member(world: World, member: Member) -> list[Message]:
    """The member's own messages, newest first."""
    session.expire_all()
    return list(queries.inbox(world.own_seat(member), MessageFilters()).page().rows)


def everything() -> list[Message]:
    """All messages there are, oldest first."""
    return list(session.scalars(select(Message).order_by(Message.id)))


def recipients() -> set[str]:
    """To whom all of them went: short names of organisations, and 本人."""
    return {message.org.short_name if message.org else "本人" for message in everything()}


def forget() -> None:
    """Empty all inboxes, so that what comes next stands alone."""
    for message in everything():
        session.delete(message)
    session.commit()
