"""Pure rules of graduation: who may mark what, which branches share a time, which months fit (G-04, G-11 … G-18)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from zhtj.graduation.models import NoTime
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import SeatKind
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Category, Organisation, Purpose
from zhtj.policy.model import Policy

UNMARKABLE = "小学"
YEARS = 10  # a graduation lies at most so far away
REASON_MIN = 2
# Branches that are kept for those who stay; their members graduated elsewhere, nobody misses a mark there.
KEPT = (Purpose.FLOATING, Purpose.OVERSEAS, Purpose.DELAYED, Purpose.TEMPORARY, Purpose.SPECIAL_POOL)
_COHORT = re.compile(r"(20\d\d) ?[级届]")


class ChangeWay(StrEnum):
    """How the policy lets a mark be changed (毕业时间能否更改, K-01)."""

    FORBIDDEN = "forbidden"
    FREE = "free"
    APPROVAL = "approval"

    @property
    def is_forbidden(self) -> bool:
        """Whether nobody may change one."""
        return self is ChangeWay.FORBIDDEN

    @property
    def needs_approval(self) -> bool:
        """Whether it is asked for in a case, and done when that is approved."""
        return self is ChangeWay.APPROVAL


# G-15: no other ground is offered.
class ChangeGround(StrEnum):
    """更改理由: the grounds on which a mark may be changed (G-15)."""

    STUDY_LENGTH = "study_length"
    ENTRY_ERROR = "entry_error"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"study_length": "学制变动", "entry_error": "录入错误"}[self.value]


@dataclass(frozen=True, slots=True)
class MarkProblem:
    """Why something cannot be marked, as a sentence, with its way out and its rule."""

    message: str
    fix: str = ""
    rule: str = "G-13"

    def error(self) -> DomainError:
        """The same, to be raised."""
        return DomainError(self.message, fix=self.fix, rule=self.rule)


def markable_industries(policy: Policy | None) -> frozenset[str]:
    """行业类别 of branches that have the feature at all (O-17)."""
    return frozenset(policy.mark_industries) if policy is not None else SCHOOL_INDUSTRIES - {UNMARKABLE}


def branch_problem(branch: Organisation, policy: Policy | None = None) -> MarkProblem | None:
    """Why an organisation has no “标记毕业时间” button, whoever looks at it (G-13, O-17); None if it has."""
    if branch.closed_at is not None:
        return MarkProblem("该组织已停用，不能标记。")
    if branch.category is Category.GRADUATES:
        return MarkProblem("已经是毕业生团组织，不再标记。", "标记有误的，请办理毕业时间更改。")
    # G-13: only a 团支部 with a school's industry has the button at all.
    if branch.category is not Category.BRANCH:
        return MarkProblem(
            f"组织类别是“{branch.category.label}”，不是团支部。", "毕业时间标记在团支部上；类别有误的请先改正。"
        )
    return _industry_problem(branch.industry, policy)


def _industry_problem(industry: str | None, policy: Policy | None) -> MarkProblem | None:
    if not industry:
        return MarkProblem("没有填写单位所属行业类别。", "请先在组织资料中填写行业类别。", "O-17")
    if industry in markable_industries(policy):
        return None
    if industry == UNMARKABLE:
        return MarkProblem("行业类别是“小学”，小学的团支部不标记毕业时间。", "类别有误的请先改正。", "O-17")
    return MarkProblem(f"行业类别是“{industry}”，不是学校的团支部。", "类别有误的请先改正。", "O-17")


def marker_problem(kind: SeatKind, own: Organisation, branch: Organisation, policy: Policy) -> MarkProblem | None:
    """Why a seat may not mark a branch that could be marked (G-11, G-12, G-13, K-02); None if it may.

    Args:
        kind: of the seat.
        own: its organisation.
        branch: in its part of the tree.
        policy: of ``own``.
    """
    if kind in {SeatKind.BRANCH, SeatKind.MEMBER} or own.is_branch:
        return MarkProblem("毕业时间由上级团组织标记，团支部不能标记。", "请联系学院或学校团组织。", "G-12")
    if "any_but_branch" in policy.mark_by:
        return None
    if not own.is_leading and own.industry in SCHOOL_INDUSTRIES:
        return None
    if "superior_of_one_branch_school" in policy.mark_by:
        if branch.parent_id == own.id:
            return None
        return MarkProblem(
            "毕业时间由学校团组织标记；只有一个团支部的学校，由它的直接上级标记。", "请联系该校团组织。", "G-12"
        )
    return MarkProblem("毕业时间只由学校的团委、团工委、团总支标记。", "请联系该校团组织。", "G-11")


def choice_problem(
    month: date | None, no_time: NoTime | None, policy: Policy | None, today: date
) -> MarkProblem | None:
    """What is wrong with a time or a reason: exactly one of the two, a likely year, a reason of the policy (G-03)."""
    # G-03: a month or a reason, never both.
    if (month is None) == (no_time is None):
        return MarkProblem("请填写毕业时间，或选择无法确定的原因，两者只填一项。", rule="G-03")
    if month is not None and abs(month.year - today.year) > YEARS:
        return MarkProblem("毕业时间的年份不对。", "请核对后再填。", "G-03")
    if no_time is not None and policy is not None and no_time.value not in policy.mark_no_time_reasons:
        return MarkProblem(f"按现行规定不能以“{no_time.label}”为由不填时间。", "请另选原因或填写毕业时间。", "K-03")
    return None


def crosses(before: date | None, after: date | None, season: int) -> bool:
    """Whether a change of month takes people out of a season or brings them in (PD-59)."""
    return (before is not None and before.year == season) is not (after is not None and after.year == season)


def cohort(name: str) -> int | None:
    """The year of entry in a branch's name (2022级 …); None where it names none."""
    found = _COHORT.search(name)
    return int(found[1]) if found else None


def odd_cohorts(cohorts: Mapping[int, int | None]) -> tuple[int | None, set[int]]:
    """Which branches of a selection are of another year than most of it (G-04).

    Args:
        cohorts: year of entry by branch.

    Returns:
        The year most of them have, and those of any other year; a branch that names no year fits everywhere.
    """
    counted = Counter(year for year in cohorts.values() if year is not None)
    if not counted:
        return None, set()
    main = max(sorted(counted), key=counted.__getitem__)
    return main, {branch for branch, year in cohorts.items() if year not in {None, main}}


def delay_problem(month: date | None, base: date | None, reason: str, today: date) -> MarkProblem | None:
    """What is wrong with a delayed graduation (G-17, G-18).

    Args:
        month: the expected one.
        base: month of his branch.
        reason: why.
        today: the day.
    """
    problem = _delay_month_problem(month, base, today)
    if problem is None and len(reason.strip()) < REASON_MIN:
        return MarkProblem("请填写延迟毕业原因。", rule="G-17")
    return problem


def _delay_month_problem(month: date | None, base: date | None, today: date) -> MarkProblem | None:
    if base is None:
        return MarkProblem("所在团支部没有毕业时间，不能标记延迟毕业。", "请先标记团支部的毕业时间。", "G-18")
    if month is None:
        return MarkProblem("请填写预计毕业时间。", rule="G-17")
    # G-18: later than the branch's own month.
    if month <= base:
        return MarkProblem(f"延迟毕业的预计时间必须晚于团支部的毕业时间 {base:%Y-%m}。", "请核对后再填。", "G-18")
    if month < today.replace(day=1):
        # Whoever graduated then belongs to the season of that month (PD-61).
        fix = "那时已经毕业的，按毕业生办理；还没有毕业的，请填写以后的月份。"
        return MarkProblem(f"{month:%Y-%m} 已经过了，不能标记到那个月延迟毕业。", fix, "G-18")
    if month.year - today.year > YEARS:
        return MarkProblem("预计毕业时间的年份不对。", "请核对后再填。", "G-17")
    return None


def disposer_problem(kind: SeatKind, own: Organisation, policy: Policy) -> MarkProblem | None:
    """Why a seat may not mark delayed graduates and teachers (G-20, K-02); None if it may."""
    allowed: Iterable[str] = policy.delayed_mark_by
    if kind.value not in allowed:
        who = "、".join({"branch": "团支部", "college": "学院", "school": "学校"}[one] for one in allowed)
        return MarkProblem(f"延迟毕业和教师由{who}的管理员标记。", "请联系他们办理。", "G-20")
    if own.industry not in SCHOOL_INDUSTRIES:
        return MarkProblem("延迟毕业和教师由学校领域的团组织标记。", rule="G-20")
    return None
