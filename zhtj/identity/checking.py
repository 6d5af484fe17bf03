"""Ask about number and name, keep the answer, tell whom it concerns (U-12).

Asking happens outside of any transaction; the answer is written only if nobody has written another meanwhile, so two
runs at once do it once and a source that is down changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import joinedload

from zhtj.identity import verifiers
from zhtj.identity.models import CheckState, Fault, IdentityCheck
from zhtj.identity.verifiers import Answer, MatchResult, Question, VerifierDown
from zhtj.kernel import audit, clock
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import insert_new, session, touched, unit_of_work
from zhtj.kernel.sql.listing import Listing
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Organisation, Region
from zhtj.people.identity import CORRECTION
from zhtj.people.models import Account, Member

BATCH = 200
A_RUN = 20_000
"""Members asked about in one run; the rest follows in the next."""
AGAIN = {
    CheckState.VERIFIED: timedelta(days=180),
    CheckState.MISMATCH: timedelta(days=30),
    CheckState.RETRY: timedelta(days=7),
}
WAYS_OUT = {
    Fault.DATA: f"请对照身份证核对。确有错误的，请申请“{CORRECTION}”，由市级团委决定；不要重复注册。",
    Fault.PERSON: f"姓名和身份证号码都被改过，可能换成了另一个人。请申请“{CORRECTION}”，由市级团委核实；不要重复注册。",
    Fault.SOURCE: "信息没有错，是比对的数据还没有更新。不用办理，系统会定期重查。",
}
_SWAPPED = "姓名和身份证号码都与上次认证的不同。"


@dataclass(frozen=True, slots=True)
class IdentityStatus:
    """How a member's identity stands now.

    Args:
        checked_at: when it was last answered.
        note: what is wrong, in words.
        way_out: what to do about it.
    """

    state: CheckState
    checked_at: datetime | None = None
    note: str = ""
    way_out: str = ""
    fault: Fault | None = None
    verifier: str = ""


def status_of(member: Member) -> IdentityStatus:
    """How he stands; a name or number changed since the last answer counts as not verified (U-13)."""
    row = session.get(IdentityCheck, member.id)
    if row is None:
        return IdentityStatus(CheckState.UNVERIFIED)
    if row.state is CheckState.VERIFIED and (row.name_hash, row.number_hash) != _hashes(member.account):
        return IdentityStatus(CheckState.UNVERIFIED, note="姓名或身份证号码在认证之后改过，等待重新认证。")
    fault = row.fault
    way_out = WAYS_OUT[fault] if fault else ""
    return IdentityStatus(row.state, row.checked_at, row.note or "", way_out, fault, row.verifier or "")


def _hashes(account: Account) -> tuple[str, str | None]:
    return keyed_hash("name", account.name), account.id_hash


def ask_again(member: Member) -> None:
    """Number or name were corrected by a decision: forget what was verified, and ask soon (U-14)."""
    session.execute(
        update(IdentityCheck)
        .where(IdentityCheck.member_id == member.id)
        .values(
            state=CheckState.UNVERIFIED,
            fault=None,
            note=None,
            name_hash=None,
            number_hash=None,
            due_at=clock.now(),
        ),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()


def run_due() -> tuple[int, int, int]:
    """Ask about everybody who is due; (found, done, left because the source is down).

    Each batch is written in a transaction of its own.
    """
    found = done = 0
    for ids in _due(clock.now()):
        found += len(ids)
        try:
            done += check(ids)
        except VerifierDown:
            return found, done, found - done
    return found, done, 0


def _due(moment: datetime) -> Iterator[list[int]]:
    """Batches of members who were never asked about or whose time has come; nobody twice in a run."""
    query = (
        select(Member.id)
        .join(Organisation, Organisation.id == Member.org_id)
        .outerjoin(IdentityCheck, IdentityCheck.member_id == Member.id)
        .where(
            Member.archived_at.is_(None),
            Organisation.system == Region.NATIONAL,
            or_(IdentityCheck.member_id.is_(None), IdentityCheck.due_at <= moment),
        )
    )
    due: Listing[int] = Listing(query, [Member.id], dress=lambda rows: [row.id for row in rows])
    for ids in islice(due.walk(BATCH), A_RUN // BATCH):
        yield list(ids)


def check(ids: Sequence[int]) -> int:
    """Ask about these members and keep the answers; how many were kept.

    Raises:
        VerifierDown: the source cannot be asked; nothing has changed.
    """
    with unit_of_work():
        _rows_for(ids)
    query = (
        select(Member, IdentityCheck.due_at)
        .join(IdentityCheck, IdentityCheck.member_id == Member.id)
        .where(Member.id.in_(ids))
        .options(joinedload(Member.account).undefer(Account.id_number))
        .order_by(Member.id)
    )
    asked = [
        (member.id, due, Question(member.name, member.account.id_number or "", member.sex), _hashes(member.account))
        for member, due in session.execute(query)
    ]
    session.rollback()
    answers = verifiers.ask([question for _, _, question, _ in asked])
    with unit_of_work():
        told = [
            outcome
            for (number, due, _, hashes), answer in zip(asked, answers, strict=True)
            if (outcome := _keep(number, due, hashes, answer)) is not None
        ]
        _tell([number for number, is_news in told if is_news])
        audit.record_many("identity.check", "member", [(number, {}) for number, is_news in told if is_news])
    return len(told)


def _rows_for(ids: Sequence[int]) -> None:
    moment = clock.now()
    session.execute(
        insert_new(IdentityCheck),
        [{"member_id": number, "state": CheckState.UNVERIFIED, "due_at": moment} for number in ids],
    )


def _keep(number: int, due: datetime, hashes: tuple[str, str | None], answer: Answer) -> tuple[int, bool] | None:
    """Write one answer, unless another was written meanwhile; the member, and whether it is news that he differs."""
    row = session.get(IdentityCheck, number, populate_existing=True)
    if row is None:
        return None
    before = row.state
    state, fault, note = _judge(row, hashes, answer)
    moment = clock.now()
    values: dict[str, Any] = {
        "state": state,
        "fault": fault,
        "note": note or None,
        "verifier": verifiers.current().name[:40],
        "checked_at": moment,
        "due_at": moment + AGAIN[state],
    }
    if state is CheckState.VERIFIED:
        values |= {"name_hash": hashes[0], "number_hash": hashes[1]}
    written = session.execute(
        update(IdentityCheck).where(IdentityCheck.member_id == number, IdentityCheck.due_at == due).values(**values),
        execution_options={"synchronize_session": False},
    )
    session.expire(row)
    if touched(written) != 1:
        return None
    return number, state is CheckState.MISMATCH and before is not CheckState.MISMATCH


def _judge(row: IdentityCheck, hashes: tuple[str, str | None], answer: Answer) -> tuple[CheckState, Fault | None, str]:
    # U-12: another person by both, other data, or a source that does not know yet - each with its own way out.
    known = row.name_hash is not None
    if known and row.name_hash != hashes[0] and row.number_hash != hashes[1]:
        return CheckState.MISMATCH, Fault.PERSON, _SWAPPED
    if answer.verdict is MatchResult.MATCH:
        return CheckState.VERIFIED, None, ""
    if answer.verdict is MatchResult.UNKNOWN:
        return CheckState.RETRY, Fault.SOURCE, answer.note
    return CheckState.MISMATCH, Fault.DATA, answer.note


def _tell(ids: Sequence[int]) -> None:
    """The member and his branch hear that something differs, once (U-12)."""
    if not ids:
        return
    query = select(Member).where(Member.id.in_(ids)).options(joinedload(Member.account))
    rows = [(session.get_one(IdentityCheck, member.id), member) for member in session.scalars(query)]
    messages = []
    for row, member in rows:
        way_out = WAYS_OUT[row.fault] if row.fault else ""
        body = f"{member.name}的身份认证不一致：{row.note or ''}{way_out}"
        messages += [
            NewMessage(MessageKind.NOTE, "身份认证不一致", body, org_id=member.org_id),
            NewMessage(MessageKind.NOTE, "身份认证不一致", body, member_id=member.id),
        ]
    notices.send_many(messages)
