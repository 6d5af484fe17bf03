"""The audit log (PD-38): who, in which seat, did what to what, when and why.

Events are only ever inserted. A job seals them in batches: each seal carries a keyed digest over its events and the
seal before, so a changed, removed or reordered event no longer fits, and a short keyed mark of each event, so that the
one which does not fit can be named. Writers never wait for the sealer.

What was cut off at the very end together with its seals leaves no trace inside; the newest digest
(``LogVerification.head``), noted down elsewhere, proves that it was there.
"""

from __future__ import annotations

import contextlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel import clock, crypto
from zhtj.kernel.database import Base, UtcDateTime, insert_rows, session, unit_of_work
from zhtj.kernel.ids import request_id
from zhtj.kernel.permissions import ActiveSeat

# A writer whose transaction is still open when the sealer passes simply gets into a later seal.
SEAL_AFTER = timedelta(seconds=30)
BATCH = 2000
SEALS_AT_ONCE = 200
MARK = 12  # hex digits


class AuditEvent(Base):
    """One change, as it happened."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_subject", "subject_type", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    request_id: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[int | None]
    seat_id: Mapped[int | None]
    org_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(64))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    seal_id: Mapped[int | None] = mapped_column(ForeignKey("audit_seals.id"), index=True)


class AuditSeal(Base):
    """A sealed batch of events; ``digest`` covers them, their marks and the seal before."""

    __tablename__ = "audit_seals"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Unique: of two sealers at the same moment the second finds the place behind the last seal taken.
    previous_id: Mapped[int] = mapped_column(unique=True)
    first_event_id: Mapped[int]
    last_event_id: Mapped[int]
    events: Mapped[int]
    # [[id, mark], …] of the events, in order.
    marks: Mapped[list[list[Any]]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: an account in a seat, or the system itself (both None)."""

    account_id: int | None = None
    seat_id: int | None = None
    org_id: int | None = None
    request_id: str = ""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def actor() -> Actor:
    """Whoever acts in this context; the system if nobody was named."""
    current = _actor.get()
    if current is None:
        current = Actor(request_id=request_id())
        _actor.set(current)
    return current


@contextlib.contextmanager
def acting(seat: ActiveSeat | None, *, request: str = "") -> Iterator[None]:
    """Everything recorded inside is done by ``seat`` (None: the system)."""
    who = Actor(request_id=request or request_id())
    if seat is not None:
        who = Actor(seat.account_id, seat.seat_id, seat.org_id, who.request_id)
    token = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(token)


def _row(action: str, subject_type: str, subject_id: int, detail: Mapping[str, Any]) -> dict[str, Any]:
    who = actor()
    return {
        "at": clock.now(),
        "request_id": who.request_id,
        "account_id": who.account_id,
        "seat_id": who.seat_id,
        "org_id": who.org_id,
        "action": action,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "detail": dict(detail),
    }


def record(action: str, subject_type: str, subject_id: int, **detail: Any) -> None:
    """Add one event; ``detail`` holds what changed (from, to, why) and never an ID number or a secret."""
    # PD-38: in the transaction of the change itself: either both are there or neither.
    session.execute(insert(AuditEvent), _row(action, subject_type, subject_id, detail))


def record_many(action: str, subject_type: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Add one event a row ``(subject_id, detail)`` in one statement."""
    common = _row(action, subject_type, 0, {})
    insert_rows(AuditEvent, [{**common, "subject_id": number, "detail": dict(detail)} for number, detail in rows])


def _canonical(event: AuditEvent) -> bytes:
    fields = [
        event.id,
        event.at.isoformat(timespec="microseconds"),
        event.request_id,
        event.account_id,
        event.seat_id,
        event.org_id,
        event.action,
        event.subject_type,
        event.subject_id,
        event.detail,
    ]
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _key() -> bytes:
    return crypto.keyed_hash("audit", "seal").encode()


def _marks(events: Iterable[AuditEvent]) -> list[list[Any]]:
    key = _key()
    return [[event.id, hmac.new(key, _canonical(event), "sha256").hexdigest()[:MARK]] for event in events]


def _digest(previous: str, marks: list[list[Any]], events: Iterable[AuditEvent]) -> str:
    mac = hmac.new(_key(), json.dumps([previous, marks]).encode(), "sha256")
    for event in events:
        mac.update(_canonical(event) + b"\n")
    return mac.hexdigest()


def seal(*, everything: bool = False) -> int:
    """Seal what has been written since the last seal, oldest first; returns the number of events sealed.

    Args:
        everything: also what is younger than ``SEAL_AFTER``.
    """
    total = 0
    while True:
        try:
            with unit_of_work():
                sealed = _seal_batch(clock.now() if everything else clock.now() - SEAL_AFTER)
        except IntegrityError:
            return total
        total += sealed
        if sealed < BATCH:
            return total


def _seal_batch(until: datetime) -> int:
    last = session.scalars(select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1)).first()
    query = select(AuditEvent).where(AuditEvent.seal_id.is_(None), AuditEvent.at <= until)
    events = session.scalars(query.order_by(AuditEvent.id).limit(BATCH)).all()
    if not events:
        return 0
    marks = _marks(events)
    new = AuditSeal(
        previous_id=last.id if last else 0,
        first_event_id=events[0].id,
        last_event_id=events[-1].id,
        events=len(events),
        marks=marks,
        digest=_digest(last.digest if last else "", marks, events),
        sealed_at=clock.now(),
    )
    session.add(new)
    session.flush()
    ids = [event.id for event in events]
    session.execute(update(AuditEvent).where(AuditEvent.id.in_(ids)).values(seal_id=new.id))
    return len(events)


@dataclass(frozen=True, slots=True)
class LogVerification:
    """Outcome of a verification.

    Args:
        seals, events: how many fitted. unsealed: events that no seal covers yet.
        bad: the first broken seal or event in words, "" if all fits.
        bad_event: its id, if it is an event.
        head: digest of the newest seal, to be kept elsewhere.
    """

    seals: int
    events: int
    unsealed: int
    bad: str = ""
    bad_event: int | None = None
    head: str = ""


def verify() -> LogVerification:
    """Recompute every seal from the first; stops at the first that does not fit."""
    seals = events = previous_id = 0
    previous = ""
    unsealed = session.scalar(select(func.count()).where(AuditEvent.seal_id.is_(None))) or 0
    seals_in_order = select(AuditSeal).order_by(AuditSeal.id).execution_options(yield_per=SEALS_AT_ONCE)
    for current in session.scalars(seals_in_order):
        rows = session.scalars(select(AuditEvent).where(AuditEvent.seal_id == current.id).order_by(AuditEvent.id)).all()
        if current.previous_id != previous_id:
            return LogVerification(seals, events, unsealed, f"第 {current.id} 号封条前面缺少封条")
        if _digest(previous, current.marks, rows) != current.digest:
            bad, number = _difference(current, rows)
            return LogVerification(seals, events, unsealed, f"第 {current.id} 号封条{bad}", number)
        seals, events = seals + 1, events + len(rows)
        previous_id, previous = current.id, current.digest
        session.expunge_all()
    return LogVerification(seals, events, unsealed, head=previous)


def _difference(current: AuditSeal, rows: Sequence[AuditEvent]) -> tuple[str, int | None]:
    """What does not fit under a seal: the first event that was changed, removed or added - or the seal itself."""
    sealed, present = dict(map(tuple, current.marks)), dict(map(tuple, _marks(rows)))
    for number in sorted(sealed.keys() | present.keys()):
        if number not in present:
            return f"的第 {number} 条记录被删除", number
        if number not in sealed:
            return f"的第 {number} 条记录是后来添加的", number
        if sealed[number] != present[number]:
            return f"的第 {number} 条记录被改动", number
    return "本身被改动", None
