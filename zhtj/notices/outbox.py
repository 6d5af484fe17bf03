"""The outbox: mail is written in the transaction of what it tells, and leaves after it, until confirmed (PD-36).

A mail is claimed by a guarded UPDATE that also moves its next attempt into the future, and that is committed before
anything is sent: of two workers one gets it, and a killed one's mail comes up again by itself. What the receiver has
confirmed is never sent again. Attempts lie further and further apart; after the last one the mail says why it stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update

from zhtj.kernel import clock
from zhtj.kernel.database import session, touched
from zhtj.notices.models import Channel, Outbox

ATTEMPTS_AT_MOST = 12
# Longer than any attempt can take: a mail under way must not come up again meanwhile.
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)
KEPT = timedelta(days=90)
WHY_AT_MOST = 200
ROBOT_BYTES = 2048  # of one message to a chat group
NOTHING_LEFT = "发送时已没有待办，没有发送"
INTERRUPTED = "发送中断，没有收到对方的确认"


def put(channel: Channel, address: str, title: str, text: str, *, org_id: int | None = None) -> None:
    """Write one mail; it leaves after the commit."""
    put_many([mail(channel, address, title, text, org_id=org_id)])


def mail(channel: Channel, address: str, title: str, text: str, *, org_id: int | None = None) -> dict[str, Any]:
    """One row for ``put_many``.

    Args:
        channel: mail or robot.
        address: an e-mail address, or a robot's fingerprint.
        title: subject line.
        text: plain text.
        org_id: the organisation on whose behalf it is sent.
    """
    now = clock.now()
    return {
        "channel": channel,
        "address": address,
        "org_id": org_id,
        "payload": {"title": title, "text": text},
        "created_at": now,
        "due_at": now,
        "attempts": 0,
    }


def worded_later(
    channel: Channel, address: str, title: str, about: dict[str, Any], *, org_id: int | None = None
) -> dict[str, Any]:
    """One row for ``put_many`` whose words are found when it is sent (``digests.words``).

    Args:
        channel: mail or robot.
        address: an e-mail address, or a robot's fingerprint.
        title: what lists call it until then.
        about: what the words are made from.
        org_id: the organisation on whose behalf it is sent.
    """
    row = mail(channel, address, title, "", org_id=org_id)
    return {**row, "payload": {**row["payload"], **about}}


def unsent(channel: Channel, org_ids: Sequence[int | None], about: str) -> set[tuple[int | None, str]]:
    """(organisation, address) of the mails that wait to be sent and whose words are made from ``about``."""
    whose = Outbox.org_id.is_(None) if None in org_ids else Outbox.org_id.in_(org_ids)
    query = select(Outbox.org_id, Outbox.address, Outbox.payload).where(
        Outbox.channel == channel, whose, Outbox.sent_at.is_(None), Outbox.given_up_at.is_(None)
    )
    return {(org_id, address) for org_id, address, payload in session.execute(query) if about in payload}


def put_many(mails: list[dict[str, Any]]) -> None:
    """Write many mails with one statement."""
    if mails:
        session.execute(insert(Outbox), mails)


def pause(attempts: int) -> timedelta:
    """How long after the ``attempts``-th attempt the next one follows: 5, 10, 20 … minutes, six hours at most."""
    return min(FIRST_PAUSE * (1 << (attempts - 1)), LONGEST_PAUSE)


def _open(mail_id: int) -> Any:
    return (Outbox.id == mail_id, Outbox.sent_at.is_(None), Outbox.given_up_at.is_(None))


class Mail(NamedTuple):
    """A mail whose turn it is, as it was read."""

    id: int
    address: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime
    org_id: int | None


def due(channel: Channel, limit: int) -> list[Mail]:
    """Mails of a channel whose turn it is, oldest turn first."""
    columns = Outbox.id, Outbox.address, Outbox.payload, Outbox.attempts, Outbox.created_at, Outbox.org_id
    query = select(*columns).where(
        Outbox.channel == channel,
        Outbox.sent_at.is_(None),
        Outbox.given_up_at.is_(None),
        Outbox.due_at <= clock.now(),
    )
    return [Mail(*row) for row in session.execute(query.order_by(Outbox.due_at, Outbox.id).limit(limit))]


def claim(mail_id: int, attempts: int) -> bool:
    """Take a mail in hand for one more attempt; False if somebody else has it. Commit before sending.

    Args:
        mail_id: which.
        attempts: how many attempts it had had when it was read.
    """
    now = clock.now()
    taken = (
        update(Outbox)
        .where(*_open(mail_id), Outbox.attempts == attempts, Outbox.due_at <= now)
        .values(attempts=attempts + 1, due_at=now + pause(attempts + 1))
    )
    return touched(session.execute(taken, execution_options={"synchronize_session": False})) == 1


def confirm(mail_id: int, payload: dict[str, Any]) -> None:
    """The receiver has it; ``payload`` is what it said."""
    sent = update(Outbox).where(*_open(mail_id)).values(sent_at=clock.now(), failed_why=None, payload=payload)
    session.execute(sent, execution_options={"synchronize_session": False})


def fail(mail_id: int, attempts: int, why: str, *, forever: bool = False) -> None:
    """An attempt failed.

    Args:
        mail_id: which.
        attempts: how many it has had, with this one.
        why: for the operator; no address and no secret in it.
        forever: another attempt would fail too.
    """
    values: dict[str, Any] = {"failed_why": why[:WHY_AT_MOST]}
    if forever or attempts >= ATTEMPTS_AT_MOST:
        values["given_up_at"] = clock.now()
    failed = update(Outbox).where(*_open(mail_id)).values(**values)
    session.execute(failed, execution_options={"synchronize_session": False})


def forget_old() -> int:
    """Remove mails that were sent long ago; returns how many."""
    old = delete(Outbox).where(Outbox.sent_at < clock.now() - KEPT)
    return touched(session.execute(old, execution_options={"synchronize_session": False}))
