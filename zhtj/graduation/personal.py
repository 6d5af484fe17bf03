"""Writes of members' own marks: a month in a mixed branch, a delayed graduation, a teacher (G-05, G-16 … G-21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert, select, update

from zhtj.graduation import mark_changes, queries, season_register
from zhtj.graduation.models import BranchMark, CloseReason, MarkKind, MemberMark, NoTime
from zhtj.graduation.operations import ASK_SUPERIOR
from zhtj.graduation.rules import (
    MarkProblem,
    choice_problem,
    crosses,
    delay_problem,
    disposer_problem,
    marker_problem,
)
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Category, Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.policy.seasons import policy_for

_CLOSED_BY = {MarkKind.DELAYED: CloseReason.DELAYED, MarkKind.TEACHER: CloseReason.TEACHER}


@dataclass(frozen=True, slots=True)
class OwnMark:
    """What members are to be marked as.

    Args:
        kind: own month, delayed, teacher.
        month: expected graduation; none for a teacher.
        reason: of a delay (延迟毕业原因).
    """

    kind: MarkKind
    month: date | None = None
    reason: str = ""


def offered(seat: ActiveSeat, branch: Organisation) -> tuple[list[MarkKind], MarkProblem | None]:
    """What this seat may mark members of a branch as; if nothing, why (G-05, G-16, G-20).

    In a mixed branch a member gets a month of his own or is marked as a teacher; where a graduation is due this season
    or was, he is marked as delayed or as a teacher.
    """
    own = queries.organisation_of(seat)
    policy, mark = policy_of(own), session.get(BranchMark, branch.id)
    if mark is None:
        return [], MarkProblem("这个团支部还没有标记毕业时间。", "请先标记团支部。", "G-01")
    # G-05: everybody in a mixed branch gets a month of their own.
    if mark.no_time is NoTime.MIXED:
        if not policy.mark_individual:
            return [], MarkProblem("按现行规定不能逐人标记毕业时间。", rule="K-03")
        problem = marker_problem(seat.kind, own, branch, policy)
        return ([] if problem else [MarkKind.INDIVIDUAL, MarkKind.TEACHER]), problem
    if mark.month is None:
        return [], MarkProblem("只有混合型支部和毕业生团组织的团员才逐人标记。", rule="G-05")
    if branch.category is not Category.GRADUATES and mark.month.year > clock.today().year:
        return [], MarkProblem("还没有到毕业的年份，不需要标记延迟毕业。", rule="G-16")
    problem = disposer_problem(seat.kind, own, policy)
    # G-16: in a graduates' organisation these two are marked one by one.
    return ([] if problem else [MarkKind.DELAYED, MarkKind.TEACHER]), problem


def mark_members(seat: ActiveSeat, branch: Organisation, member_ids: Sequence[int], wanted: OwnMark) -> list[Member]:
    """Mark members of one branch, one or many; the newest mark of a member counts (G-05, G-17).

    Delayed graduates and teachers leave the season's denominators from today on; their transfers go on (PD-09, G-19).

    Args:
        seat: who marks.
        branch: theirs.
        member_ids: members of it; others are passed over.
        wanted: the mark.

    Returns:
        Who was marked.

    Raises:
        DomainError: nobody picked, not possible in this branch or seat, or month and reason do not fit (G-18).
    """
    kinds, problem = offered(seat, branch)
    if problem is not None:
        raise problem.error()
    if wanted.kind not in kinds:
        raise DomainError("这个团支部的团员不能这样标记。", fix="请刷新页面后再选。", field="kind", rule="G-05")
    mark = session.get_one(BranchMark, branch.id)
    problem = _problem(wanted, mark)
    if problem is not None:
        raise DomainError(problem.message, fix=problem.fix, field="month", rule=problem.rule)
    members = _members(branch, member_ids)
    if any(member.id == seat.member_id for member in members):
        raise DomainError("不能标记自己。", fix="请由上级组织办理。", rule="PD-02")
    if not members:
        raise DomainError("请先勾选团员。", field="member")
    if wanted.kind is MarkKind.INDIVIDUAL:
        asks = [one.name for one in members if needs_superior(one, wanted.month)]
        if asks:
            fix = f"请为{'、'.join(asks)}提出“修改团员个人毕业时间”，由直接上级决定。"
            raise DomainError(ASK_SUPERIOR, fix=fix, field="month", rule="PD-59")
    _write(seat.seat_id, branch, members, wanted, mark.month)
    return members


def needs_superior(member: Member, month: date | None) -> bool:
    """Whether the direct superior of whoever asks has to let his own month in a mixed branch be changed (PD-59)."""
    own, policy = session.get(MemberMark, member.id), policy_of(member.org)
    return (
        own is not None
        and own.kind is MarkKind.INDIVIDUAL
        and own.org_id == member.org_id
        and policy.mark_change_after_conversion == "superior"
        and mark_changes.is_after_conversion()
        and crosses(own.month, month, clock.today().year)
    )


def change_own_month(member: Member, month: date, reason: str, seat_id: int | None) -> None:
    """Change one member's own month in a mixed branch, as his superior has decided (PD-59, G-05)."""
    problem = choice_problem(month, None, None, clock.today())
    if problem is not None:
        raise DomainError(problem.message, fix=problem.fix, field="month", rule=problem.rule)
    _write(seat_id, member.org, [member], OwnMark(MarkKind.INDIVIDUAL, month, reason), None)


def _problem(wanted: OwnMark, mark: BranchMark) -> MarkProblem | None:
    if wanted.kind is MarkKind.INDIVIDUAL:
        return choice_problem(wanted.month, None, None, clock.today())
    if wanted.kind is MarkKind.DELAYED:
        return delay_problem(wanted.month, mark.month, wanted.reason, clock.today())
    return None


def _members(branch: Organisation, ids: Sequence[int]) -> list[Member]:
    here = select(Member).where(Member.id.in_(ids), Member.org_id == branch.id, Member.archived_at.is_(None))
    return list(session.scalars(here.order_by(Member.id)))


def _write(
    seat_id: int | None, branch: Organisation, members: Sequence[Member], wanted: OwnMark, before: date | None
) -> None:
    ids = [member.id for member in members]
    month = None if wanted.kind is MarkKind.TEACHER else wanted.month
    reason = wanted.reason.strip()[:200] or None
    what = f"标记为{wanted.kind.label}" + (f"（{month:%Y-%m}）" if month else "")
    with mark_changes.noted(what, members=ids, why=reason or ""):
        _mark(seat_id, branch, ids, OwnMark(wanted.kind, month, reason or ""), before)


def _mark(seat_id: int | None, branch: Organisation, ids: Sequence[int], wanted: OwnMark, before: date | None) -> None:
    month, reason = wanted.month, wanted.reason or None
    session.execute(delete(MemberMark).where(MemberMark.member_id.in_(ids)))
    session.execute(
        insert(MemberMark),
        [
            {
                "member_id": number,
                "org_id": branch.id,
                "kind": wanted.kind,
                "month": month,
                "before": before,
                "reason": reason,
                "marked_at": clock.now(),
                "marked_by_seat_id": seat_id,
            }
            for number in ids
        ],
    )
    told = {"kind": wanted.kind.value, "month": month.isoformat() if month else None, "reason": reason}
    audit.record_many("member.mark", "member", [(number, told) for number in ids])
    # G-19, M-11, R-19: out of this season's figures from today on; their transfers go on as anybody's.
    closing = _CLOSED_BY.get(wanted.kind)
    if closing is not None:
        season_register.close(ids, closing)
        _flag(ids, graduate=False)
    else:
        season_register.resettle(members=ids)
        _flag(ids, graduate=_graduates_now(month))


def delay_problem_of(member: Member, month: date | None, reason: str) -> MarkProblem | None:
    """What is wrong with delaying this member's graduation, wherever he is marked already (G-17, G-18)."""
    own, mark = session.get(MemberMark, member.id), session.get(BranchMark, member.org_id)
    base = own.before if own is not None and own.kind is MarkKind.DELAYED else None
    return delay_problem(month, base or (mark.month if mark else None), reason, clock.today())


def delay(member: Member, month: date, reason: str, seat_id: int | None) -> None:
    """Mark one member as a delayed graduate; whether that may be, the caller has settled (G-17, PD-09)."""
    own, mark = session.get(MemberMark, member.id), session.get(BranchMark, member.org_id)
    before = own.before if own is not None and own.kind is MarkKind.DELAYED else mark.month if mark else None
    _write(seat_id, member.org, [member], OwnMark(MarkKind.DELAYED, month, reason), before)


def _graduates_now(month: date | None) -> bool:
    """Whether somebody of a mixed branch is a graduate already: this year, once the conversion day has come."""
    today = clock.today()
    policy = policy_for(today.year, ())
    return month is not None and month.year == today.year and today >= policy.convert_date


def _flag(ids: Sequence[int], *, graduate: bool) -> None:
    session.execute(
        update(Member).where(Member.id.in_(ids)).values(is_graduate=graduate),
        execution_options={"synchronize_session": "fetch"},
    )


def undo(seat: ActiveSeat, member_ids: Sequence[int]) -> int:
    """撤销: take own marks back; who graduates this season counts again (G-21, PD-09).

    Args:
        seat: one that may mark them.
        member_ids: members in its part of the tree; others are passed over.

    Returns:
        How many marks were taken back.

    Raises:
        DomainError: nobody picked, or not for this seat (G-20).
        NotFound: one of them lies elsewhere.
    """
    own = queries.organisation_of(seat)
    rows = session.scalars(select(MemberMark).where(MemberMark.member_id.in_(member_ids))).all()
    if not rows:
        raise DomainError("请先勾选团员。", field="member")
    problem = disposer_problem(seat.kind, own, policy_of(own))
    if problem is not None:
        raise problem.error()
    for mark in rows:
        if not mark.member.org.path.startswith(seat.path):
            raise NotFound
        if mark.member_id == seat.member_id:
            raise DomainError("不能撤销自己的标记。", fix="请由上级组织办理。", rule="PD-02")
    if any(needs_superior(mark.member, None) for mark in rows):
        raise DomainError(ASK_SUPERIOR, fix="请提出“修改团员个人毕业时间”。", field="member", rule="PD-59")
    # G-21: whoever may mark may take it back.
    kinds = "、".join(dict.fromkeys(mark.kind.label for mark in rows))
    with mark_changes.noted(f"撤销{kinds}标记", members=[mark.member_id for mark in rows]):
        _take_back(rows)
    return len(rows)


def _take_back(rows: Sequence[MemberMark]) -> None:
    ids = [mark.member_id for mark in rows]
    told = [(mark.member_id, {"kind": mark.kind.value, "reason": mark.reason}) for mark in rows]
    graduates = [mark.member_id for mark in rows if mark.member.org.category is Category.GRADUATES]
    # Who was put where delayed graduates are kept is no longer where he graduates from (T-19).
    moved = [mark.member_id for mark in rows if mark.kind is MarkKind.DELAYED and mark.member.org_id != mark.org_id]
    for mark in rows:
        session.delete(mark)
    session.flush()
    audit.record_many("member.unmark", "member", told)
    _flag(ids, graduate=False)
    if graduates:
        _flag(graduates, graduate=True)
    season_register.resettle(members=ids)
    if moved:
        season_register.reopen(moved, CloseReason.DELAYED)
