"""Reads of notices: the inbox of a seat, how much of it is unread, where its digest goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import defer, joinedload
from sqlalchemy.orm.interfaces import ORMOption

from zhtj.kernel.database import session
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.sql.subqueries import any_of
from zhtj.notices.models import Message, MessageKind, Outbox, Subscription
from zhtj.orgs.models import Organisation

COUNTED_UP_TO = 100


def _of_member(member: Any) -> ColumnElement[bool]:
    mine: ColumnElement[bool] = Message.member_id == member
    return mine


def _of_office(office: Any) -> ColumnElement[bool]:
    """An organisation's messages are read by whoever sits in its office (PD-22)."""
    return any_of(Message.org_id, select(Organisation.id).where(Organisation.office_id == office))


def _count(mine: ColumnElement[bool]) -> Select[int]:
    unread = select(Message.id).where(mine, Message.read_at.is_(None)).limit(COUNTED_UP_TO).subquery()
    return select(func.count()).select_from(unread)


# Made once, asked at every page.
_COUNT_MEMBER, COUNT_OFFICE = _count(_of_member(bindparam("reader"))), _count(_of_office(bindparam("office")))


def addressed_to(seat: ActiveSeat) -> ColumnElement[bool]:
    """SQL predicate for the messages that this seat reads."""
    return _of_member(seat.member_id) if seat.kind is SeatKind.MEMBER else _of_office(seat.org_id)


def count_unread(seat: ActiveSeat) -> int:
    """How many messages the seat has not read yet; at 100 it stops counting."""
    if seat.kind is SeatKind.MEMBER:
        return session.scalar(_COUNT_MEMBER, {"reader": seat.member_id}) or 0
    return session.scalar(COUNT_OFFICE, {"office": seat.org_id}) or 0


@dataclass(frozen=True, slots=True)
class MessageFilters:
    """What the inbox is narrowed by; None and False are no filter."""

    kind: MessageKind | None = None
    unread: bool = False


def inbox(seat: ActiveSeat, filters: MessageFilters) -> Listing[Message]:
    """The seat's messages, newest first, without their text."""
    query = select(Message).where(addressed_to(seat))
    loads: list[ORMOption] = [defer(Message.body)]
    key: Any = Message.id
    if seat.kind is not SeatKind.MEMBER:
        # Not the column itself, by which PostgreSQL would walk through everybody's messages to find these in order.
        key = func.coalesce(Message.id, 0).label("id")
        loads.append(joinedload(Message.org).load_only(Organisation.short_name, Organisation.office_id))
    if filters.kind is not None:
        query = query.where(Message.kind == filters.kind)
    if filters.unread:
        query = query.where(Message.read_at.is_(None))
    return Listing(query, [key], descending=True, loads=loads)


def message(seat: ActiveSeat, number: int) -> Message:
    """One message. Raises NotFound unless this seat reads it."""
    query = select(Message).where(Message.id == number, addressed_to(seat))
    found = session.scalars(query.options(joinedload(Message.org), joinedload(Message.read_by))).first()
    if found is None:
        raise NotFound
    return found


def subscriptions(org_id: int) -> list[Subscription]:
    """Addresses at which the organisation's digest arrives, and those not confirmed yet."""
    query = select(Subscription).where(Subscription.org_id == org_id).order_by(Subscription.id)
    return list(session.scalars(query))


def subscription(org_id: int, number: int) -> Subscription:
    """One of the organisation's addresses. Raises NotFound."""
    query = select(Subscription).where(Subscription.id == number, Subscription.org_id == org_id)
    found = session.scalars(query).first()
    if found is None:
        raise NotFound
    return found


def latest_mails(org_id: int, limit: int = 10) -> list[Outbox]:
    """What went out for an organisation lately, newest first: sent, waiting or given up."""
    query = select(Outbox).where(Outbox.org_id == org_id).order_by(Outbox.id.desc()).limit(limit)
    return list(session.scalars(query))
