"""Digests (待办提醒): one a day and office, in its inbox, by mail to its addresses, and to chat robots (PD-19, PD-36).

The day is kept in the database: however often a sweep runs, and however many at once, an office hears once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from zhtj.kernel import clock, dates
from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.kernel.work import periods
from zhtj.kernel.work.outgoing import Robot
from zhtj.notices import operations, outbox
from zhtj.notices.delivery import ROBOT_BYTES
from zhtj.notices.models import Channel, MessageKind, Reminder, Subscription
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Organisation
from zhtj.orgs.queries import by_code_or_name

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Digest:
    """What one office hears today.

    Args:
        waiting: how many things wait for it.
        first_due: when the first of them goes back, if a clock runs.
    """

    office_id: int
    title: str
    body: str
    waiting: int
    first_due: datetime | None = None


def send(digests: Sequence[Digest], *, mail: bool) -> int:
    """Send those that no other run has sent today; returns how many.

    Args:
        digests: at most one an office.
        mail: whether there is a mail server to send mail by.
    """
    mine = _claim(digests, clock.today()) if digests else set()
    sent = [digest for digest in digests if digest.office_id in mine]
    operations.send_many(NewMessage(MessageKind.REMINDER, one.title, one.body, org_id=one.office_id) for one in sent)
    if mail and sent:
        outbox.put_many(_mails({digest.office_id: digest for digest in sent}))
    return len(sent)


def _claim(digests: Sequence[Digest], day: date) -> set[int]:
    """The offices whose reminder of this day is ours; a second claimant waits for the first one's transaction."""
    dialect: Any = postgresql if session().get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(Reminder).values(
        [
            {"office_id": one.office_id, "last_on": day, "waiting": one.waiting, "first_due": one.first_due}
            for one in sorted(digests, key=lambda one: one.office_id)
        ]
    )
    row = new.excluded
    claimed = new.on_conflict_do_update(
        index_elements=[Reminder.office_id],
        set_={"last_on": row.last_on, "waiting": row.waiting, "first_due": row.first_due},
        where=Reminder.last_on != row.last_on,
    ).returning(Reminder.office_id)
    return {number for (number,) in session.execute(claimed)}


def _mails(digests: dict[int, Digest]) -> list[dict[str, Any]]:
    wanted = select(Subscription.org_id, Subscription.address).where(
        Subscription.org_id.in_(digests), Subscription.confirmed_at.is_not(None)
    )
    return [
        outbox.mail(Channel.MAIL, address, digests[org_id].title, digests[org_id].body, org_id=org_id)
        for org_id, address in session.execute(wanted)
    ]


def tell_robots(robots: Sequence[Robot]) -> int:
    """Write each chat group its mail of the day: who was reminded in its part of the tree; returns how many."""
    return sum(_tell(robot, clock.today()) for robot in robots)


def _tell(robot: Robot, day: date) -> bool:
    place = by_code_or_name(robot.place) if robot.place else None
    if robot.place and place is None:
        log.error("ZHTJ_WEBHOOK_URLS: there is no organisation %s", robot.place)
        return False
    query = (
        select(Organisation.short_name, Reminder.waiting, Reminder.first_due)
        .join(Organisation, Organisation.id == Reminder.office_id)
        .where(Reminder.last_on == day)
        .order_by(Reminder.first_due.is_(None), Reminder.first_due, Reminder.waiting.desc(), Organisation.path)
    )
    if place is not None:
        query = query.where(subtree(Organisation.path, place.path))
    rows = session.execute(query).all()
    if not rows or not periods.claim(f"robot-{robot.fingerprint}", day.toordinal()):
        return False
    title = f"{dates.short(day)}转接待办提醒"
    body = robot_text([_line(*row) for row in rows], ROBOT_BYTES - len(title.encode()) - 1)
    outbox.put(Channel.WEBHOOK, robot.fingerprint, title, body, org_id=place.id if place else None)
    return True


def _line(name: str, waiting: int, first_due: datetime | None) -> str:
    until = f"，最早的{deadline(first_due)}前到期" if first_due else ""
    return f"{name}：{waiting} 件{until}"


def deadline(due_at: datetime) -> str:
    """10月11日 24:00: a deadline at 00:00 ends the day before at 24:00."""
    last = clock.local(due_at - datetime.resolution)
    return f"{dates.short(last)} 24:00"


def robot_text(lines: Sequence[str], size: int) -> str:
    """As many lines as fit into ``size`` bytes, and how many organisations are left out."""
    kept: list[str] = []
    room = size - len(_rest(len(lines)).encode())
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            return "\n".join([*kept, _rest(len(lines) - len(kept))])
        kept.append(line)
    return "\n".join([*kept, "请登录系统办理。"])


def _rest(number: int) -> str:
    return f"另有 {number} 个组织有待办，请登录系统查看。"
