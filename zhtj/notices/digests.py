"""Digests (待办提醒): one a day and office, in its inbox, by mail to its addresses, and to chat robots (PD-19, PD-36).

The day is kept in the database: however often a sweep runs, and however many at once, an office hears once. What leaves
the house is worded when it is sent: a mail server that was away for weeks passes on what waits then, or nothing.
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
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import subtree
from zhtj.kernel.work import periods
from zhtj.kernel.work.outgoing import Robot
from zhtj.notices import operations, outbox, reminders, waiting
from zhtj.notices.models import Channel, MessageKind, Reminder, Subscription
from zhtj.notices.operations import NewMessage
from zhtj.notices.outbox import ROBOT_BYTES
from zhtj.notices.reminders import Digest, deadline
from zhtj.notices.waiting import WaitingHeap
from zhtj.orgs.models import Organisation
from zhtj.orgs.queries import by_code_or_name

log = logging.getLogger(__name__)

CHUNK = 500
TITLE = "待办提醒"
# What a mail in the outbox is to say once it is sent.
_OFFICE, _GROUP = "digest", "group"


def remind(*, mail: bool, robots: Sequence[Robot] = ()) -> tuple[int, int]:
    """Send every digest that is due today; (offices due, digests sent), each chunk in a transaction of its own."""
    due = list(reminders.due_today())
    sent = 0
    for start in range(0, len(due), CHUNK):
        with unit_of_work():
            sent += send(due[start : start + CHUNK], mail=mail)
    with unit_of_work():
        tell_robots(robots)
    return len(due), sent


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
        _mail([digest.office_id for digest in sent])
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


def _mail(offices: Sequence[int]) -> None:
    """One mail to each of their addresses, unless one is on its way there that says the same once it is sent."""
    wanted = select(Subscription.org_id, Subscription.address).where(
        Subscription.org_id.in_(offices), Subscription.confirmed_at.is_not(None)
    )
    waits = outbox.unsent(Channel.MAIL, offices, _OFFICE)
    outbox.put_many(
        [
            outbox.worded_later(Channel.MAIL, address, TITLE, {_OFFICE: org_id}, org_id=org_id)
            for org_id, address in session.execute(wanted)
            if (org_id, address) not in waits
        ]
    )


def words(mail: outbox.Mail) -> dict[str, Any] | None:
    """What a mail says that is sent now (PD-19); None where there is nothing left to say."""
    if _OFFICE in mail.payload:
        # PD-19: worded when it is sent: what is done by then is left out, days are counted from then.
        found = reminders.of_office(mail.payload[_OFFICE])
        return None if found is None else {"title": found.title, "text": found.body}
    if _GROUP in mail.payload:
        return _group_words(date.fromisoformat(mail.payload[_GROUP]), mail.org_id)
    return mail.payload


def tell_robots(robots: Sequence[Robot]) -> int:
    """Write each chat group its mail of the day: who was reminded in its part of the tree; returns how many."""
    return sum(_tell(robot, clock.today()) for robot in robots)


def _tell(robot: Robot, day: date) -> bool:
    place = by_code_or_name(robot.place) if robot.place else None
    if robot.place and place is None:
        log.error("ZHTJ_WEBHOOK_URLS: there is no organisation %s", robot.place)
        return False
    org_id = place.id if place else None
    reminded = select(Reminder.office_id).join(Organisation, Organisation.id == Reminder.office_id)
    if place is not None:
        reminded = reminded.where(subtree(Organisation.path, place.path))
    if session.execute(reminded.where(Reminder.last_on == day).limit(1)).first() is None:
        return False
    if not periods.claim(f"robot-{robot.fingerprint}", day.toordinal()):
        return False
    if (org_id, robot.fingerprint) not in outbox.unsent(Channel.WEBHOOK, [org_id], _GROUP):
        group = {_GROUP: day.isoformat()}
        outbox.put_many([outbox.worded_later(Channel.WEBHOOK, robot.fingerprint, TITLE, group, org_id=org_id)])
    return True


def _group_words(since: date, org_id: int | None) -> dict[str, Any] | None:
    """What waits now for the offices in one part of the tree that were reminded since a day."""
    place = session.get(Organisation, org_id) if org_id is not None else None
    found: dict[int, _Office] = {}
    _, which = waiting.season_policies(clock.today().year)
    for _, heap in waiting.heaps(which, place.path if place is not None else ""):
        if heap.last_on is not None and heap.last_on >= since:
            found.setdefault(heap.office_id, _Office(heap.office)).add(heap)
    if not found:
        return None
    title = f"{dates.short(clock.today())}转接待办提醒"
    lines = [str(one) for one in sorted(found.values(), key=_Office.urgency)]
    return {"title": title, "text": robot_text(lines, ROBOT_BYTES - len(title.encode()) - 1)}


@dataclass(slots=True)
class _Office:
    """One office in a chat group's list."""

    name: str
    number: int = 0
    first_due: datetime | None = None

    def add(self, heap: WaitingHeap) -> None:
        self.number += heap.number
        self.first_due = min(filter(None, (self.first_due, heap.due_at)), default=None)

    def urgency(self) -> tuple[Any, ...]:
        """The first to fall due, then the most."""
        return self.first_due is None, self.first_due or clock.now(), -self.number, self.name

    def __str__(self) -> str:
        until = f"，最早的{deadline(self.first_due)}前到期" if self.first_due else ""
        return f"{self.name}：{self.number} 件{until}"


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
