"""Writes of notices: put messages into inboxes, mark them read, keep the addresses that get a digest.

None commits, none sees a request.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    select,
    true,
    update,
)

from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.database import insert_rows, session, touched
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.sql.listing import count_rows
from zhtj.notices import outbox
from zhtj.notices.models import Channel, Message, MessageKind, Subscription
from zhtj.notices.queries import addressed_to
from zhtj.orgs.models import Organisation

ADDRESSES_AT_MOST = 5
ADDRESS_AT_MOST = 254
CODE_DIGITS = 8
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")


class NewMessage(NamedTuple):
    """One message to be sent; exactly one of ``org_id`` and ``member_id`` is set.

    Args:
        title: at most 80 characters.
        body: the whole text, as it may be copied into a chat: no ID number, no telephone number of a member.
        subject: what it is about, such as ``("application", 7)``.
        read_by: account that knows already, because it did it itself; the message is history then, not news.
    """

    kind: MessageKind
    title: str
    body: str
    org_id: int | None = None
    member_id: int | None = None
    subject: tuple[str, int] | None = None
    read_by: int | None = None


def send(message: NewMessage) -> None:
    """Put one message into an inbox."""
    send_many([message])


def send_many(messages: Iterable[NewMessage]) -> int:
    """Put messages into inboxes with one statement; returns how many.

    Some thousand at a time are best: who has more sends them in chunks.
    """
    now = clock.now()
    rows = [
        {
            "kind": one.kind,
            "title": one.title,
            "body": one.body,
            "org_id": one.org_id,
            "member_id": one.member_id,
            "subject_type": one.subject[0] if one.subject else None,
            "subject_id": one.subject[1] if one.subject else None,
            "at": now,
            "read_at": now if one.read_by else None,
            "read_by_account_id": one.read_by,
        }
        for one in messages
    ]
    insert_rows(Message, rows)
    return len(rows)


def mail_offices(org_ids: Iterable[int], title: str, text: str) -> None:
    """The same mail to every confirmed address of the offices that act for these organisations; no name of anybody."""
    office = select(Organisation.office_id).where(Organisation.id.in_(sorted(set(org_ids))))
    wanted = select(Subscription.org_id, Subscription.address).where(
        Subscription.org_id.in_(office), Subscription.confirmed_at.is_not(None)
    )
    rows = session.execute(wanted)
    outbox.put_many([outbox.mail(Channel.MAIL, address, title, text, org_id=org_id) for org_id, address in rows])


def mark_read(message: Message, seat: ActiveSeat) -> None:
    """Remember who read it first; reading again changes nothing."""
    _mark(seat, Message.id == message.id)


def mark_all_read(seat: ActiveSeat, *, up_to: int, kind: MessageKind | None = None) -> int:
    """Mark everything read that lies in the seat's inbox; returns how much that was.

    Args:
        seat: whose inbox.
        up_to: id of the newest message that was on the page; what came in later stays unread.
        kind: only messages of this kind.
    """
    return _mark(seat, and_(Message.id <= up_to, true() if kind is None else Message.kind == kind))


def _mark(seat: ActiveSeat, which: ColumnElement[bool]) -> int:
    read = (
        update(Message)
        .where(addressed_to(seat), which, Message.read_at.is_(None))
        .values(read_at=clock.now(), read_by_account_id=seat.account_id)
    )
    return touched(session.execute(read, execution_options={"synchronize_session": False}))


def subscribe(organisation: Organisation, address: str, seat: ActiveSeat) -> Subscription:
    """Note an address for the organisation's digest and send a code there; it counts once that is typed in.

    Asked again for an address that is not confirmed yet, it sends a new code.

    Raises:
        DomainError: no e-mail address, or there are enough already.
        Conflict: the address is confirmed already.
    """
    address = address.strip()
    if len(address) > ADDRESS_AT_MOST or not _ADDRESS.fullmatch(address):
        raise DomainError("这不是完整的邮箱地址。", fix="请按 name@example.com 的样子填写。", field="address")
    known = select(Subscription).where(Subscription.org_id == organisation.id)
    found = session.scalars(known.where(func.lower(Subscription.address) == address.lower())).first()
    if found is not None and found.confirmed_at is not None:
        raise Conflict("这个邮箱已经在接收提醒。", field="address")
    if found is None:
        if count_rows(known) >= ADDRESSES_AT_MOST:
            raise DomainError(f"最多填写 {ADDRESSES_AT_MOST} 个邮箱。", fix="请先删除不用的，再添加。", field="address")
        found = Subscription(
            org_id=organisation.id, address=address, account_id=seat.account_id, created_at=clock.now(), code_hash=""
        )
        session.add(found)
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    found.code_hash = _code_hash(organisation.id, found.address, code)
    session.flush()
    audit.record("subscription.start", "subscription", found.id, org=organisation.code)
    text = (
        f"{organisation.short_name}要把待办提醒发到这个邮箱。\n\n验证码：{code}\n\n"
        "请在“消息 → 邮件提醒”中填写。如果您不知道这件事，不必理会，也不会再收到邮件。"
    )
    outbox.put(Channel.MAIL, found.address, "邮件提醒验证码", text, org_id=organisation.id)
    return found


def _code_hash(org_id: int, address: str, code: str) -> str:
    return crypto.keyed_hash("subscription", f"{org_id}:{address}:{code}")


def confirm(subscription: Subscription, code: str) -> None:
    """Begin to send digests there. Raises DomainError unless it is the code that was sent last."""
    if subscription.confirmed_at is not None:
        return
    digits = "".join(code.split())
    if subscription.code_hash != _code_hash(subscription.org_id, subscription.address, digits):
        raise DomainError("验证码不对。", fix="请核对邮件中的 8 位数字，或重新发送验证码。", field="code")
    subscription.code_hash, subscription.confirmed_at = None, clock.now()
    session.flush()
    audit.record("subscription.confirm", "subscription", subscription.id)


def unsubscribe(subscription: Subscription) -> None:
    """No more digests there."""
    audit.record("subscription.end", "subscription", subscription.id)
    session.delete(subscription)
    session.flush()
