"""Who hears of a letter: the member whose it is, the committee that issued it, the committee that receives it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from zhtj.kernel import audit, dates
from zhtj.letters.models import Letter, LetterReceipt
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.policies import policy_of

SUBJECT = "letter"
# More than so many of one event reach an organisation as one message.
ONE_BY_ONE = 3


def tell_issued(letters: Sequence[Letter]) -> None:
    """Tell each member that his letter is there, and until when it counts (L-07)."""
    notices.send_many(
        NewMessage(
            MessageKind.OUTCOME,
            "介绍信已开具",
            f"{letter.record.issuer}为您开具了介绍信（{letter.serial}）。请在{dates.full(letter.last_valid_on)}前持信到"
            f"{letter.record.receiver}报到；正本在“我的组织关系”里下载打印，或向开具单位领取。",
            member_id=letter.member_id,
            subject=(SUBJECT, letter.id),
        )
        for letter in letters
    )


def tell_voided(letters: Sequence[Letter]) -> None:
    """Tell member, issuer and receiver that a letter counts no more (L-04, PD-28)."""
    notices.send_many(_voided(letters))


def _voided(letters: Sequence[Letter]) -> Iterator[NewMessage]:
    title = "介绍信已作废"
    for letter in letters:
        body = f"{letter.record.issuer}开具的介绍信（{letter.serial}）已作废，不能再使用。原因：{letter.void_reason}。"
        yield NewMessage(
            MessageKind.OUTCOME,
            title,
            f"{body}手中的纸质介绍信请交回或销毁。",
            member_id=letter.member_id,
            subject=(SUBJECT, letter.id),
        )
    yield from _to_organisations(
        letters,
        title,
        lambda letter: f"{letter.record.name}的介绍信（{letter.serial}）已作废，原因：{letter.void_reason}。",
        MessageKind.OUTCOME,
    )


def tell_received(letter: Letter, receipt: LetterReceipt) -> None:
    """Tell the issuer that slip three is back (L-31)."""
    if letter.issuer_org_id == audit.actor().org_id:
        return
    body = (
        f"{letter.record.receiver}已填写{letter.record.name}介绍信（{letter.serial}）的回执，"
        f"经办人{receipt.handler}，联系电话 {receipt.phone}。"
    )
    subject = (SUBJECT, letter.id)
    notices.send(NewMessage(MessageKind.OUTCOME, "收到介绍信回执", body, org_id=letter.issuer_org_id, subject=subject))


def remind_of_receipts(letters: Sequence[Letter]) -> int:
    """Ask the receivers for slip three, and tell the issuers whom to ask (D-23); returns how many messages."""
    return notices.send_many(
        _to_organisations(
            letters,
            "介绍信回执逾期未回",
            lambda letter: (
                f"{letter.record.name}的介绍信（{letter.serial}，{letter.record.issuer}转往{letter.record.receiver}）"
                f"满 {policy_of(letter.issuer).letter_receipt_days} 天还没有回执。"
                "转入团委请在“介绍信—回执”中填写，或扫介绍信上的二维码填写；"
                "转出团委收到纸质回执的，请登记。"
            ),
            MessageKind.REMINDER,
        )
    )


def tell_lapsed(letters: Sequence[Letter]) -> int:
    """Tell issuers and members that a letter nobody has received counts no more (L-07); returns how many messages."""
    lapsed = "已过有效期"

    def everything() -> Iterator[NewMessage]:
        for letter in letters:
            yield NewMessage(
                MessageKind.REMINDER,
                f"介绍信{lapsed}",
                f"介绍信（{letter.serial}）{lapsed}。还没有报到的，请联系{letter.record.issuer}重新开具。",
                member_id=letter.member_id,
                subject=(SUBJECT, letter.id),
            )
        yield from _to_organisations(
            letters,
            f"介绍信{lapsed}，没有回执",
            lambda letter: f"{letter.record.name}的介绍信（{letter.serial}）{lapsed}，没有回执。请与本人联系。",
            MessageKind.REMINDER,
            receivers=False,
        )

    return notices.send_many(everything())


def _to_organisations(
    letters: Sequence[Letter], title: str, say: Callable[[Letter], str], kind: MessageKind, *, receivers: bool = True
) -> Iterator[NewMessage]:
    """A message a letter to each organisation concerned but the one that did it; many of them as one."""
    knows = audit.actor().org_id
    concerned: dict[int, list[Letter]] = defaultdict(list)
    for letter in letters:
        for org_id in {letter.issuer_org_id, letter.receiver_org_id if receivers else None} - {None, knows}:
            if org_id is not None:
                concerned[org_id].append(letter)
    for org_id, found in concerned.items():
        if len(found) > ONE_BY_ONE:
            serials = "、".join(letter.serial for letter in found[:10])
            more = f"等 {len(found)} 份" if len(found) > len(found[:10]) else f"，共 {len(found)} 份"
            yield NewMessage(kind, title, f"{title}：{serials}{more}。请到“介绍信”中查看。", org_id=org_id)
            continue
        for letter in found:
            # The receiver sees no letter of another committee: he is led by the words.
            mine = org_id == letter.issuer_org_id
            subject = (SUBJECT, letter.id) if mine else None
            yield NewMessage(kind if mine else MessageKind.NOTE, title, say(letter), org_id=org_id, subject=subject)
