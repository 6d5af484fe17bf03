"""A claim on a member's 发展团员编号 is shown to his branch, which says whose it is, before a level decides (PD-61)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import joinedload

from zhtj.cases.membership import records
from zhtj.cases.models import Case, Hearing
from zhtj.cases.workflow import CaseState
from zhtj.kernel import audit, clock, dates
from zhtj.kernel.database import session, touched
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, scope
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.contacts import contact
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member

SUBJECT = "hearing"
AT_LEAST = 5
AT_MOST = 500
SHOWN = 50


def ask(case: Case, number: str, claimant: Member) -> None:
    """Ask the branch of everybody whose record carries the number, and tell the holders themselves."""
    where = f"{case.raised_org.full_name}提出，发展团员编号 {number} 是{claimant.org.full_name}{claimant.name}的"
    for holder in records.occupants(number, claimant):
        hearing = Hearing(case=case, member=holder, asked_at=case.raised_at)
        session.add(hearing)
        session.flush()
        until = f"{dates.short(dates.local(ends(hearing)))}前"
        to_branch = (
            f"{where}，请求登记到其名下。系统里这个编号登记在本支部{holder.name}名下。"
            f"请对照团员证或入团志愿书，{until}答复。"
        )
        office = contact(holder.org)
        to_holder = f"{where}。编号现在登记在您名下，请{until}带团员证或入团志愿书与{office.name}核对。{office.phone}"
        subject = (SUBJECT, hearing.id)
        notices.send_many(
            [
                NewMessage(MessageKind.TASK, "有人主张团员的编号", to_branch, org_id=holder.org_id, subject=subject),
                NewMessage(MessageKind.NOTE, "有人主张您的发展团员编号", to_holder, member_id=holder.id),
            ]
        )


def ends(hearing: Hearing) -> datetime:
    """From then on the level decides without an answer."""
    return hearing.asked_at + timedelta(days=policy_of(hearing.member.org).number_claim_answer_days)


def of_case(case: Case) -> Sequence[Hearing]:
    """What was asked and answered about a case."""
    query = select(Hearing).where(Hearing.case_id == case.id).order_by(Hearing.id)
    return session.scalars(query.options(joinedload(Hearing.member).joinedload(Member.org))).all()


def missing(case: Case, holders: Sequence[Member]) -> None:
    """Raise Conflict while one of those who carry the number now has not been heard.

    Args:
        case: the claim.
        holders: whose records carry the number.
    """
    asked = {hearing.member_id: hearing for hearing in of_case(case)}
    for holder in holders:
        hearing = asked.get(holder.id)
        if hearing is None:
            raise Conflict(
                f"{holder.org.short_name}{holder.name}的记录后来也有了这个编号，还没有听取对方意见。",
                fix="请不同意这一件，由提出的一方重新提出。",
                rule="PD-61",
            )
        until = ends(hearing)
        # PD-61: whoever loses the number is heard first; a branch that keeps silent does not hold it up for ever.
        if hearing.answered_at is None and clock.now() < until:
            raise Conflict(
                f"编号现在登记在{holder.org.short_name}{holder.name}名下，等待对方团支部答复。",
                fix=f"答复后，或到{dates.short(dates.local(until))}仍未答复的，再作决定。",
                rule="PD-61",
            )


def words(case: Case) -> str:
    """What the branches of the holders said, for whoever decides."""
    return "".join(_words(hearing) for hearing in of_case(case))


def _words(hearing: Hearing) -> str:
    who = f"{hearing.member.org.short_name}（{hearing.member.name}）"
    if hearing.answered_at is None:
        return f"{who}没有答复。" if clock.now() >= ends(hearing) else f"{who}还没有答复。"
    said = "编号是该团员本人的" if hearing.is_holders else "编号不是该团员的，可以取消"
    return f"{who}{dates.short(dates.local(hearing.answered_at))}答复：{said}。{hearing.remark or ''}"


def waiting_rows() -> Select[int, datetime]:
    """Where an answer is waited for: the branch of the holder, and since when."""
    return (
        select(Member.org_id.label("org_id"), Hearing.asked_at.label("since"))
        .join(Member, Member.id == Hearing.member_id)
        .join(Case, Case.id == Hearing.case_id)
        .where(Hearing.answered_at.is_(None), Case.state == CaseState.WAITING, Member.archived_at.is_(None))
    )


def _all() -> Select[Hearing]:
    return (
        select(Hearing)
        .join(Member, Member.id == Hearing.member_id)
        .join(Organisation, Organisation.id == Member.org_id)
        .options(joinedload(Hearing.member).joinedload(Member.org), joinedload(Hearing.case))
    )


def waiting(seat: ActiveSeat) -> Sequence[Hearing]:
    """Those that wait for this seat's office, the oldest first."""
    query = _all().join(Case, Case.id == Hearing.case_id)
    unanswered = query.where(
        Organisation.office_id == seat.org_id,
        Hearing.answered_at.is_(None),
        Case.state == CaseState.WAITING,
        Member.archived_at.is_(None),
    )
    return session.scalars(unanswered.order_by(Hearing.id).limit(SHOWN)).all()


def hearing(seat: ActiveSeat, number: int) -> Hearing:
    """One of them, also when it is over. Raises NotFound where the holder's branch is out of the seat's sight."""
    here = or_(scope(Organisation.path, seat, Permission.CASES), Organisation.office_id == seat.org_id)
    found = session.scalars(_all().where(Hearing.id == number, here)).first()
    if found is None:
        raise NotFound
    return found


def may_answer(found: Hearing, seat: ActiveSeat) -> bool:
    """Whether the seat acts for the holder's branch, and claims nothing himself (PD-02, PD-22)."""
    own = seat.member_id is not None and seat.member_id == found.case.subject_id
    return seat.org_id == found.member.org.office_id and not own


def answer(found: Hearing, seat: ActiveSeat, *, is_holders: bool | None, remark: str) -> None:
    """Say whose the number is.

    Args:
        found: asked of the branch for which the seat acts.
        seat: who answers.
        is_holders: whether it is the holder's own; None: nothing was chosen.
        remark: after what; at least ``AT_LEAST`` characters.

    Raises:
        Forbidden: not by whoever acts for the branch, or by the claimant himself.
        DomainError: nothing chosen, or no reason.
        Conflict: answered before, or the claim has been decided.
    """
    if not may_answer(found, seat):
        raise Forbidden("由持有编号者所在团支部的其他管理员答复。", rule="PD-22")
    if is_holders is None:
        raise DomainError("请选择编号是谁的。", field="is_holders", rule="PD-61")
    remark = remark.strip()
    if len("".join(remark.split())) < AT_LEAST:
        raise DomainError(
            f"请写明依据，至少 {AT_LEAST} 个字。", fix="例如：已核对团员证原件。", field="remark", rule="PD-61"
        )
    open_case = select(Case.id).where(Case.id == found.case_id, Case.state == CaseState.WAITING)
    done = session.execute(
        update(Hearing)
        .where(Hearing.id == found.id, Hearing.answered_at.is_(None), open_case.exists())
        .values(
            answered_at=clock.now(),
            is_holders=is_holders,
            remark=remark[:AT_MOST],
            account_id=audit.actor().account_id,
            org_id=seat.org_id,
        ),
        execution_options={"synchronize_session": False},
    )
    if touched(done) != 1:
        raise Conflict("已经答复过，或者这件事已经办结。", fix="请刷新页面查看。", rule="PD-61")
    session.expire(found)
    audit.record("case.hearing", "case", found.case_id, member=found.member_id, is_holders=is_holders)
    _tell(found)


def _tell(found: Hearing) -> None:
    """Whoever has the case now hears that there is an answer."""
    session.refresh(found.case)
    if found.case.holder_id is None:
        return
    body = f"关于事项 {found.case.number}：{_words(found)}"
    notices.send(
        NewMessage(
            MessageKind.PROGRESS, "编号异议已答复", body, org_id=found.case.holder_id, subject=("case", found.case_id)
        )
    )
