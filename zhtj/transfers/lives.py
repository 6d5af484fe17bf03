"""The whole life of a member's applications, with every event, in three statements (A-07)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from zhtj.kernel.database import session
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.queries import WHOLE


def of_member(member_id: int) -> list[Application]:
    """Every application about a member, newest first, whoever started it, each with its history."""
    events = selectinload(Application.events)
    query = (
        select(Application)
        .where(Application.member_id == member_id)
        .options(*WHOLE, events.joinedload(ApplicationEvent.account), events.joinedload(ApplicationEvent.org))
    )
    return list(session.scalars(query.order_by(Application.id.desc())).unique())
