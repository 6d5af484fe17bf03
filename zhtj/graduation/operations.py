"""Writes of graduation: mark a branch, mark many, change a mark; the season register stands in ``season_register``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert

from zhtj.graduation import conversion, mark_changes, queries, season_register
from zhtj.graduation.models import BranchMark, NoTime
from zhtj.graduation.rules import (
    UNMARKABLE,
    ChangeGround,
    ChangeWay,
    MarkProblem,
    branch_problem,
    choice_problem,
    crosses,
    markable_industries,
    marker_problem,
    odd_cohorts,
)
from zhtj.graduation.rules import cohort as cohort_of
from zhtj.graduation.season_register import categorise, complete_many, open_entrant, open_register, open_row
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation, Tier
from zhtj.orgs.policies import policy_of
from zhtj.policy.model import Policy

__all__ = [
    "UNMARKABLE",
    "BatchLine",
    "categorise",
    "change_mark",
    "change_way",
    "complete_many",
    "convert_branches",
    "foresee",
    "mark_branch",
    "mark_many",
    "mark_problem",
    "may_be_marked",
    "needs_superior",
    "open_entrant",
    "open_register",
    "open_row",
]
AT_MOST = 5000
ASK_SUPERIOR = "毕业生团组织已经转换，改动会使团员进出本届名册，要由直接上级同意。"


def may_be_marked(branch: Organisation) -> bool:
    """Whether a branch has the graduation feature at all: a school's, not a primary school's (O-17)."""
    return branch.tier is Tier.BRANCH and branch.industry in markable_industries(None)


def mark_problem(seat: ActiveSeat, branch: Organisation) -> MarkProblem | None:
    """Why this seat has no “标记毕业时间” button for a branch, as a sentence (G-13, O-17); None if it has."""
    own = queries.organisation_of(seat)
    policy = policy_of(own)
    return branch_problem(branch, policy) or marker_problem(seat.kind, own, branch, policy)


def mark_branch(
    branch: Organisation,
    *,
    month: date | None,
    no_time: NoTime | None = None,
    seat_id: int | None = None,
    with_register: bool = True,
) -> BranchMark:
    """Mark a branch's expected graduation month, or why it has none: exactly one of the two (G-03).

    Args:
        branch: a school's.
        month: first day of the month.
        no_time: reason instead.
        seat_id: who marks; None for an import.
        with_register: False for one of many marks; whoever makes them opens the register once at the end.

    Raises:
        DomainError: both or neither given; not a school's branch (G-13); already marked.
    """
    if (month is None) == (no_time is None):
        raise DomainError("请填写毕业时间，或选择无法确定的原因，两者只填一项。", field="month", rule="G-03")
    if not may_be_marked(branch):
        raise DomainError(
            f"{branch.short_name}不是学校的团支部，不能标记毕业时间。",
            fix="请先核对组织类别和单位所属行业类别。",
            rule="G-13",
        )
    if session.get(BranchMark, branch.id) is not None:
        raise DomainError(f"{branch.short_name}已经标记过毕业时间。", rule="G-14")
    mark = BranchMark(org_id=branch.id, month=month, no_time=no_time, marked_at=clock.now(), marked_by_seat_id=seat_id)
    session.add(mark)
    session.flush()
    audit.record("branch.mark", "organisation", branch.id, **_told(month, no_time))
    if with_register:
        with mark_changes.noted(f"首次标记毕业时间{_spoken(month, no_time)}", branches=[branch.id]):
            open_register(branches=[branch.id])
    return mark


def _told(month: date | None, no_time: NoTime | None) -> dict[str, str | None]:
    return {"month": month.isoformat() if month else None, "no_time": no_time.value if no_time else None}


def convert_branches() -> int:
    """Turn this year's graduating branches into 毕业生团组织, see ``conversion.convert``. Returns branches."""
    return conversion.convert()[0]


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One branch of a batch.

    Args:
        branch: which.
        members: how many belong to it.
        problem: why it is not marked, as a sentence; "" if it is.
        effect: what marking brings with it at once.
        rule: behind the problem.
    """

    branch: Organisation
    members: int
    problem: str = ""
    effect: str = ""
    rule: str = ""


def foresee(
    seat: ActiveSeat, ids: Sequence[int], *, month: date | None, no_time: NoTime | None, complete: bool = True
) -> list[BatchLine]:
    """What marking these branches would do to each; nothing is written.

    Args:
        seat: whose part of the tree; what lies outside is left out.
        ids: branches, in any order.
        month: the one time for all of them (G-04).
        no_time: or the reason.
        complete: False while neither has been chosen.

    Raises:
        DomainError: neither or both are given, or they do not fit (G-03); too many.
    """
    if len(ids) > AT_MOST:
        raise DomainError(f"一次最多标记 {AT_MOST:,} 个团支部。", fix="请先用筛选缩小范围，分几次办理。")
    own = queries.organisation_of(seat)
    policy = policy_of(own)
    problem = choice_problem(month, no_time, policy, clock.today()) if complete else None
    if problem is not None:
        raise DomainError(problem.message, fix=problem.fix, field="month", rule=problem.rule)
    branches = queries.branches(seat, ids)
    marks = queries.marks([branch.id for branch in branches])
    members = queries.count_members([branch.id for branch in branches])
    cohorts = {branch.id: cohort_of(branch.full_name) for branch in branches if branch.id not in marks}
    main, odd = odd_cohorts(cohorts) if no_time is None else (None, set())
    return [
        _line(
            branch,
            members.get(branch.id, 0),
            _problem(seat, own, branch, policy, marks.get(branch.id))
            or (_odd(cohorts[branch.id], main) if branch.id in odd else ("", "")),
            _effect(month, policy),
        )
        for branch in branches
    ]


def _problem(
    seat: ActiveSeat, own: Organisation, branch: Organisation, policy: Policy, mark: BranchMark | None
) -> tuple[str, str] | None:
    found = branch_problem(branch, policy) or marker_problem(seat.kind, own, branch, policy)
    if found is not None:
        return found.message + found.fix, found.rule
    if mark is None:
        return None
    told = f"{mark.month:%Y-%m}" if mark.month else (mark.no_time.label if mark.no_time else "")
    way = {
        ChangeWay.FORBIDDEN: "现行规定不能更改。",
        ChangeWay.FREE: "要更改的，请打开该支部单独办理。",
        ChangeWay.APPROVAL: "要更改的，请打开该支部提出申请。",
    }[ChangeWay(policy.mark_edit)]
    return f"已标记为{told}。{way}", "G-14"


def _odd(year: int | None, main: int | None) -> tuple[str, str]:
    # G-04: one time for all of a batch.
    return f"是 {year} 级，与本批多数的 {main} 级不同；毕业时间不同的请分批标记。", "G-04"


def _line(branch: Organisation, members: int, problem: tuple[str, str], effect: str) -> BatchLine:
    message, rule = problem
    return BatchLine(branch, members, message, "" if message else effect, rule)


def _effect(month: date | None, policy: Policy) -> str:
    if month is None or month.year != clock.today().year:
        return ""
    if clock.today() >= policy.convert_date:
        return "标记后立即转为毕业生团组织，团员成为毕业生"
    return f"{policy.convert_date.month} 月 {policy.convert_date.day} 日转为毕业生团组织"


def mark_many(
    seat: ActiveSeat, ids: Sequence[int], *, month: date | None, no_time: NoTime | None = None
) -> list[BatchLine]:
    """Mark all of these branches that can be marked, in a handful of statements; one audit event a branch (G-04).

    Args:
        seat: who marks.
        ids: branches.
        month: the one time for all.
        no_time: or the reason.

    Returns:
        The lines as they were done or refused.

    Raises:
        DomainError: as ``foresee``.
    """
    lines = foresee(seat, ids, month=month, no_time=no_time)
    done = [line.branch.id for line in lines if not line.problem]
    if done:
        moment = clock.now()
        session.execute(
            insert(BranchMark),
            [
                {
                    "org_id": number,
                    "month": month,
                    "no_time": no_time,
                    "marked_at": moment,
                    "marked_by_seat_id": seat.seat_id,
                }
                for number in done
            ],
        )
        told = _told(month, no_time)
        audit.record_many("branch.mark", "organisation", ((number, told) for number in done))
        _settle(done, month)
    return lines


def _settle(branches: Iterable[int], month: date | None) -> None:
    """What follows from new marks at once: rows of the season, and the conversion if its day has passed (G-09)."""
    if month is not None and month.year == clock.today().year:
        chosen = list(branches)
        with mark_changes.noted(f"首次标记毕业时间 {month:%Y-%m}", branches=chosen):
            open_register(branches=chosen)
            conversion.convert(branches=chosen)


def change_way(branch: Organisation) -> ChangeWay:
    """How the policy lets this branch's mark be changed: never, freely, or with a superior's approval (K-01)."""
    return ChangeWay(policy_of(branch).mark_edit)


def needs_superior(branch: Organisation, month: date | None) -> bool:
    """Whether the direct superior of whoever asks has to let this branch's mark be changed to ``month`` (PD-59).

    After the conversion, where people leave the season or come in; what the policy forbids or leaves to a level above
    stays as it is.
    """
    policy, mark = policy_of(branch), session.get(BranchMark, branch.id)
    free = ChangeWay(policy.mark_edit) is ChangeWay.FREE and policy.mark_change_after_conversion == "superior"
    return (
        free
        and mark is not None
        and mark_changes.is_after_conversion()
        and crosses(mark.month, month, clock.today().year)
    )


def change_mark(
    branch: Organisation,
    *,
    month: date | None = None,
    no_time: NoTime | None = None,
    reason: str,
    ground: ChangeGround | None = None,
    seat_id: int | None = None,
    decided: bool = False,
) -> BranchMark:
    """Apply a change of a branch's mark: register rows are closed or opened, the category follows (G-14, G-15, PD-08).

    Who may, and whether somebody has to approve first, the caller has settled (``change_way``).

    Args:
        branch: marked.
        month: the new month.
        no_time: or why there is none.
        reason: what happened, in words.
        ground: one of G-15, where it was asked for.
        seat_id: who decides.
        decided: whoever had to has said yes.

    Raises:
        DomainError: the policy forbids changes altogether, a superior has to decide (PD-59), the new mark does not
            fit, or no reason is given.
        Conflict: there is no mark, or it says so already.
    """
    policy = policy_of(branch)
    if ChangeWay(policy.mark_edit) is ChangeWay.FORBIDDEN:
        raise DomainError("按现行规定，标记过的毕业时间不能更改。", rule="G-14")
    problem = choice_problem(month, no_time, policy, clock.today())
    if problem is not None:
        raise DomainError(problem.message, fix=problem.fix, field="month", rule=problem.rule)
    if not reason.strip():
        raise DomainError("请填写更改的具体情况。", field="reason", rule="G-15")
    mark = session.get(BranchMark, branch.id)
    if mark is None:
        raise Conflict("这个团支部还没有标记毕业时间。", fix="请直接标记。")
    if (mark.month, mark.no_time) == (month, no_time):
        raise Conflict("毕业时间就是这个，没有改动。")
    if not decided and needs_superior(branch, month):
        raise DomainError(ASK_SUPERIOR, fix="请提出申请，由直接上级决定。", field="month", rule="PD-59")
    what = f"毕业时间由{_spoken(mark.month, mark.no_time)}改为{_spoken(month, no_time)}"
    with mark_changes.noted(what, branches=[branch.id], why=reason):
        _remark(branch, mark, month, no_time, seat_id=seat_id, ground=ground, reason=reason)
    return mark


def _spoken(month: date | None, no_time: NoTime | None) -> str:
    return f"{month:%Y-%m}" if month else f"“{no_time.label}”" if no_time else ""


def _remark(
    branch: Organisation,
    mark: BranchMark,
    month: date | None,
    no_time: NoTime | None,
    *,
    seat_id: int | None,
    ground: ChangeGround | None,
    reason: str,
) -> None:
    audit.record(
        "branch.remark",
        "organisation",
        branch.id,
        before=_told(mark.month, mark.no_time),
        after=_told(month, no_time),
        ground=ground.value if ground else None,
        reason=reason.strip(),
    )
    mark.month, mark.no_time = month, no_time
    mark.marked_at, mark.marked_by_seat_id = clock.now(), seat_id
    session.flush()
    if month is None or month.year > clock.today().year:
        conversion.revert(branch)
    season_register.resettle(branches=[branch.id])
    conversion.convert(branches=[branch.id])
