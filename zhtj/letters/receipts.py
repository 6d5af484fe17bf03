"""Slip three comes back: filled in online, photographed, or on paper; and both sides' entries on the member's card.

L-29 … L-31, D-23, PD-29. A receipt is written once, for good: whoever comes second finds it there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import undefer

from zhtj.kernel import attachments, audit, clock, names
from zhtj.kernel.database import insert_new, session, touched
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.kernel.permissions import check as check_permission
from zhtj.letters import authority, messages, queries
from zhtj.letters.models import CardEntry, CardSide, Letter, LetterReceipt, LetterState, ReceiptWay

LARGEST = 5 * 1024 * 1024
NAME_AT_LEAST, NAME_AT_MOST = 2, 40
_PHONE = re.compile(r"\+?[(（]?[0-9][0-9()（） 、/转-]{4,38}")


@dataclass(frozen=True, slots=True)
class ReceiptSlip:
    """What stands on slip three.

    Args:
        handler, phone: 转入经办人 and how he is reached, truthfully (L-29).
        received_on: the day under the receiver's seal.
        content: picture or PDF of the slip, if there is one.
        card_entered: the member's card has its entry under 转入 (L-30).
    """

    handler: str
    phone: str
    received_on: date
    content: bytes = b""
    card_entered: bool = False


def may_fill(letter: Letter, seat: ActiveSeat) -> bool:
    """Whether the seat is the in-committee's, or of the office that acts for it (L-05, PD-22)."""
    receiver = letter.receiver
    if receiver is None or seat.member_id == letter.member_id:
        return False
    return seat.may(Permission.LETTER_RECEIVE) and seat.org_id in {receiver.id, receiver.office_id}


def fill(letter: Letter, seat: ActiveSeat, slip: ReceiptSlip) -> LetterReceipt:
    """The in-committee fills slip three, or hands in a photograph of it (L-29, L-31, PD-29).

    Raises:
        NotFound: the letter is not addressed to this seat's committee.
        DomainError: something is missing, the day does not fit, the file is none of the accepted kinds.
        Conflict: the letter is void, or its receipt is there.
    """
    if not may_fill(letter, seat):
        raise NotFound
    return _record(letter, seat, slip, ReceiptWay.PHOTO if slip.content else ReceiptWay.ONLINE, CardSide.IN)


def record_paper(letter: Letter, seat: ActiveSeat, slip: ReceiptSlip) -> LetterReceipt:
    """The issuer records what a paper receipt says, where the receiver has no account (L-31, PD-29).

    Raises:
        Forbidden, NotFound: it is not this committee's letter.
        DomainError, Conflict: as ``fill``.
    """
    _check_own(letter, seat)
    return _record(letter, seat, slip, ReceiptWay.PAPER, CardSide.IN)


def _check_own(letter: Letter, seat: ActiveSeat) -> None:
    authority.check_issuer(seat)
    check_permission(seat, Permission.LETTER_ISSUE, letter.issuer.path)
    if seat.member_id == letter.member_id:
        raise Forbidden("本人介绍信的回执须由其他管理员登记。", rule="PD-02")


def _record(letter: Letter, seat: ActiveSeat, slip: ReceiptSlip, way: ReceiptWay, side: CardSide) -> LetterReceipt:
    if letter.state is LetterState.VOID or queries.rests_on_nothing(letter):
        raise Conflict("这份介绍信已作废，不能填写回执。", fix="请联系转出团委。", rule="L-04")
    _check(letter, slip)
    media_type = _media_type(slip.content) if slip.content else None
    found = LetterReceipt(
        letter_id=letter.id,
        way=way,
        handler=names.tidy(slip.handler),
        phone=slip.phone.strip(),
        received_on=slip.received_on,
        recorded_at=clock.now(),
        account_id=seat.account_id,
        org_id=seat.org_id,
        content=attachments.pack(slip.content) if slip.content else None,
        media_type=media_type,
    )
    try:
        with session.begin_nested():
            session.add(found)
            session.flush()
    except IntegrityError as error:
        raise Conflict("这份介绍信的回执已经填写过了。", rule="L-31") from error
    audit.record("letter.receipt", "letter", letter.id, way=way.value, received_on=slip.received_on.isoformat())
    if slip.card_entered:
        _enter(letter, side, slip.received_on, seat)
    messages.tell_received(letter, found)
    return found


def _check(letter: Letter, slip: ReceiptSlip) -> None:
    handler = names.tidy(slip.handler)
    if not NAME_AT_LEAST <= len(handler) <= NAME_AT_MOST or names.problem(handler):
        raise DomainError("请填写转入经办人的姓名。", field="handler", rule="L-29")
    if not _PHONE.fullmatch(slip.phone.strip()):
        raise DomainError("请填写转入经办人的联系电话。", field="phone", rule="L-29")
    if not letter.record.issued_on <= slip.received_on <= clock.today():
        raise DomainError("接收日期应在介绍信开具之后、今天之前。", field="received_on", rule="L-31")
    if slip.received_on > letter.last_valid_on:
        raise DomainError(
            "接收日期已超过介绍信的有效期。", fix="请联系转出团委重新开具介绍信。", field="received_on", rule="L-07"
        )


def _media_type(content: bytes) -> str:
    """What an uploaded slip is, judged by its content. Raises DomainError for anything but PNG, JPG and plain PDF."""
    if len(content) > LARGEST:
        raise DomainError(f"文件超过 {LARGEST // 2**20} MB。", fix="请压缩后再上传。", field="file", rule="L-31")
    media_type = attachments.media_type_of(content)
    if media_type is None:
        raise DomainError(
            "文件不是完整的 PNG、JPG 图片或 PDF。", fix="请上传回执联的照片或扫描件。", field="file", rule="L-31"
        )
    if attachments.is_active(content):
        raise DomainError("PDF 里有脚本或内嵌文件。", fix="请改为上传照片或普通扫描件。", field="file", rule="L-31")
    return media_type


def enter_card(letter: Letter, seat: ActiveSeat, side: CardSide, entered_on: date) -> None:
    """Tick that the member's card has its entry: 转出 by the issuer, 转入 by the receiver (L-30); again is no change.

    Raises:
        Forbidden, NotFound: the column is the other side's.
        DomainError: the day does not fit.
        Conflict: the letter is void.
    """
    # L-30: 转出 is entered by the out-committee, 转入 by the in-committee.
    if side is CardSide.OUT:
        _check_own(letter, seat)
    elif not may_fill(letter, seat):
        raise NotFound
    if letter.state is LetterState.VOID or queries.rests_on_nothing(letter):
        raise Conflict("这份介绍信已作废。", rule="L-04")
    if not letter.record.issued_on <= entered_on <= clock.today():
        raise DomainError("登记日期应在介绍信开具之后、今天之前。", field="entered_on", rule="L-30")
    _enter(letter, side, entered_on, seat)


def _enter(letter: Letter, side: CardSide, entered_on: date, seat: ActiveSeat) -> None:
    made = session.execute(
        insert_new(CardEntry).values(
            letter_id=letter.id,
            side=side,
            entered_on=entered_on,
            at=clock.now(),
            account_id=seat.account_id,
            org_id=seat.org_id,
        ),
        execution_options={"preserve_rowcount": True},
    )
    if touched(made) == 1:
        audit.record("letter.card", "letter", letter.id, side=side.value, entered_on=entered_on.isoformat())


def receipt_of(letter_id: int) -> LetterReceipt | None:
    """The receipt of a letter, without its picture."""
    return session.get(LetterReceipt, letter_id)


def required(letter_id: int) -> LetterReceipt:
    """The receipt of a letter. Raises NotFound where there is none."""
    found = receipt_of(letter_id)
    if found is None:
        raise NotFound
    return found


def picture(receipt: LetterReceipt) -> bytes:
    """The slip as it was photographed; the look is audited. Raises NotFound where there is none."""
    found = session.get(LetterReceipt, receipt.letter_id, options=[undefer(LetterReceipt.content)])
    if found is None or not found.content:
        raise NotFound
    audit.record("letter.receipt_seen", "letter", receipt.letter_id)
    return attachments.unpack(found.content)


def card_of(letter_id: int) -> dict[CardSide, CardEntry]:
    """What stands on the member's card, as far as both sides have ticked it (L-30)."""
    entries = session.scalars(select(CardEntry).where(CardEntry.letter_id == letter_id))
    return {entry.side: entry for entry in entries}
