"""How often something may be tried: one small table that all web processes share.

One row a key. The first attempt opens a span; ``times`` attempts fit into it, then the key is closed until the span
ends (or for ``closed_for``). Each attempt is one atomic upsert, so two at the same moment count as two. An attempt must
be remembered although what it tried fails: count it before the unit of work it belongs to, never inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, String, and_, case, delete, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel import clock, dates
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import Base, UtcDateTime, session, unit_of_work
from zhtj.kernel.errors import TooMany

FORGET_AFTER = timedelta(days=2)
MINUTE = 60


class Attempt(Base):
    """The attempts of one key in its present span."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_next_at", "next_at"),)

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int]
    # Nothing is let through before this moment.
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is allowed.

    Args:
        name: what is limited; the same key under another name counts by itself.
        times: attempts that fit into one span.
        seconds: length of the span.
        closed_for: seconds for which the key is closed after the last of them; None: until the span ends.
        slow_after: from this attempt on, each must wait 1, 2, 4 … seconds for the next; None: no waiting.
        what: what there was too much of, as the refusal says it.
    """

    name: str
    times: int
    seconds: int
    closed_for: int | None = None
    slow_after: int | None = None
    what: str = "操作太频繁"

    def pause(self, count: int, started_at: datetime, now: datetime) -> datetime:
        """When the next attempt is let through after the ``count``-th."""
        if count >= self.times:
            return now + timedelta(seconds=self.closed_for) if self.closed_for else self.end(started_at)
        if self.slow_after is not None and count >= self.slow_after:
            return now + timedelta(seconds=2 ** (count - self.slow_after))
        return now

    def end(self, started_at: datetime) -> datetime:
        """When the span ends."""
        return started_at + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class AllowedAttempt:
    """An attempt that was let through.

    Args:
        left: how many more fit into the span.
        next_at: when the next one is let through.
    """

    left: int
    next_at: datetime


def _key(limit: Limit, key: str) -> str:
    return keyed_hash(f"limit:{limit.name}", key)


def count(limit: Limit, key: str) -> AllowedAttempt:
    """Count one attempt of ``key``; commits unless it stands inside a unit of work.

    Raises:
        TooMany: the key is closed; the attempt is not counted.
    """
    now = clock.now()
    moment = literal(now, UtcDateTime)
    dialect: Any = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(Attempt).values(key_hash=_key(limit, key), started_at=now, count=1, next_at=now)
    # Once the closed time is over a full span starts anew, as one does that has run out.
    over = or_(Attempt.started_at <= now - timedelta(seconds=limit.seconds), Attempt.count >= limit.times)
    upsert = new.on_conflict_do_update(
        index_elements=[Attempt.key_hash],
        set_={
            "count": case((over, 1), else_=Attempt.count + 1),
            "started_at": case((over, moment), else_=Attempt.started_at),
            "next_at": moment,
        },
        where=Attempt.next_at <= now,
    ).returning(Attempt.count, Attempt.started_at)
    with unit_of_work():
        row = session.execute(upsert).first()
        if row is None:
            raise too_many(limit, _closed_until(limit, key) or now)
        number, started_at = row
        next_at = limit.pause(number, started_at, now)
        if next_at > now:
            session.execute(update(Attempt).where(Attempt.key_hash == _key(limit, key)).values(next_at=next_at))
    return AllowedAttempt(max(limit.times - number, 0), next_at)


def hit(name: str, key: str, times: int, seconds: int) -> AllowedAttempt:
    """Count one attempt under a plain limit of ``times`` in ``seconds``.

    Raises:
        TooMany: the key is closed; the attempt is not counted.
    """
    return count(Limit(name, times, seconds), key)


def take_back(limit: Limit, key: str) -> None:
    """Undo one counted attempt that turned out right; what it closed opens again. Commits as ``count`` does."""
    right = and_(Attempt.key_hash == _key(limit, key), Attempt.count > 0)
    with unit_of_work():
        session.execute(update(Attempt).where(right).values(count=Attempt.count - 1, next_at=Attempt.started_at))


def clear(limit: Limit, key: str) -> None:
    """Forget every attempt of ``key``. Commits as ``count`` does."""
    with unit_of_work():
        session.execute(delete(Attempt).where(Attempt.key_hash == _key(limit, key)))


def _closed_until(limit: Limit, key: str) -> datetime | None:
    return session.scalar(select(Attempt.next_at).where(Attempt.key_hash == _key(limit, key)))


def too_many(limit: Limit, until: datetime) -> TooMany:
    """The refusal that names the moment from which it goes on, in local time."""
    seconds = max(1, math.ceil((until - clock.now()).total_seconds()))
    if seconds <= MINUTE:
        return TooMany(f"{limit.what}，请等 {seconds} 秒再试。", retry_after=seconds)
    # Rounded up to the minute: at the stated time it must really be open.
    opens = clock.local(until + timedelta(seconds=MINUTE - 1))
    day = "" if opens.date() == clock.today() else f"{dates.short(opens)} "
    return TooMany(f"{limit.what}，请在 {day}{opens:%H:%M} 以后再试。", retry_after=seconds)


def forget_old() -> int:
    """Remove what has long been over; returns how many rows. Commits as ``count`` does."""
    limit = clock.now() - FORGET_AFTER
    with unit_of_work():
        over = delete(Attempt).where(Attempt.next_at < limit, Attempt.started_at < limit)
        return len(session.execute(over.returning(Attempt.key_hash)).all())
