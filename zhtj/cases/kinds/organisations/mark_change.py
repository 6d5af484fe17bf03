"""F-04 修改团支部毕业时间: a mark is changed as the policy says - never, freely, or by decision (G-14, G-15, K-01)."""

from __future__ import annotations

from datetime import date

from zhtj.cases.kind import (
    COMMITTEES,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    FormField,
    Shape,
    body_name,
    choice_label,
    position_of,
    raised_on,
)
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.graduation import mark_changes
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import BranchMark, NoTime
from zhtj.graduation.rules import ChangeGround, ChangeWay, choice_problem
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of

_GROUND = FormField(
    "ground",
    "修改原因",
    Shape.CHOICE,
    choices=tuple((ground.value, ground.label) for ground in ChangeGround),
)


def _decider(matter: CaseMatter) -> Decider:
    """The level that the policy names; where it names none, the direct superior of whoever asks (PD-59)."""
    policy = policy_of(matter.body)
    if ChangeWay(policy.mark_edit) is ChangeWay.FREE:
        return Decider.COLLEGE
    return Decider(policy.mark_edit_level) if policy.mark_edit_level else Decider.CITY


def _wanted(matter: CaseMatter) -> tuple[date | None, NoTime | None]:
    """The month, or why there is none."""
    no_time = matter.said("no_time")
    return matter.month("month") if matter.said("month") else None, NoTime(no_time) if no_time else None


def _spoken(matter: CaseMatter) -> str:
    month, no_time = _wanted(matter)
    return no_time.label if no_time is not None else f"{month:%Y-%m}" if month is not None else ""


def _check(matter: CaseMatter) -> None:
    branch, (month, no_time) = matter.body, _wanted(matter)
    problem = choice_problem(month, no_time, policy_of(branch), clock.today())
    if problem is not None:
        raise DomainError(problem.message, fix=problem.fix, field="month", rule=problem.rule)
    if not graduation.may_be_marked(branch):
        raise DomainError(f"{branch.short_name}不是学校的团支部，没有毕业时间。", field="subject", rule="G-13")
    mark = session.get(BranchMark, branch.id)
    if mark is None:
        raise DomainError(f"{branch.short_name}还没有标记，请直接标记。", field="subject", rule="G-14")
    way = graduation.change_way(branch)
    if way is ChangeWay.FORBIDDEN:
        raise DomainError("本届规定毕业时间标记后不能修改。", field="subject", rule="G-14")
    if way is ChangeWay.FREE and not graduation.needs_superior(branch, month):
        raise DomainError(
            "本届可以直接修改毕业时间，不用申请。", fix="请到“下级组织”中修改。", field="subject", rule="K-01"
        )
    if (mark.month, mark.no_time) == (month, no_time):
        raise DomainError("这就是现在标记的毕业时间。", field="month", rule="G-14")


def _effect(matter: CaseMatter, case: Case) -> str:
    month, no_time = _wanted(matter)
    graduation.change_mark(
        matter.body,
        month=month,
        no_time=no_time,
        reason=f"{matter.said('detail')}（事项 {case.number}）",
        ground=ChangeGround(matter.said("ground")),
        seat_id=audit.actor().seat_id,
        decided=True,
    )
    return f"毕业时间已改为 {_spoken(matter)}。"


def _offered(organisation: Organisation) -> bool:
    """Where marks are changed freely or never, nothing is asked (K-01) - but after the conversion (PD-59)."""
    if graduation.change_way(organisation) is ChangeWay.APPROVAL:
        return True
    asks = policy_of(organisation).mark_change_after_conversion == "superior"
    return asks and graduation.change_way(organisation) is ChangeWay.FREE and mark_changes.is_after_conversion()


KIND = CaseKind(
    key="mark_change",
    label="修改团支部毕业时间",
    note="学制变化或录入错误时申请：本届转换以后的更改由直接上级决定，另有规定的逐级上报到市级团委；同意后自动修改。",
    rule="G-14",
    form="F-04",
    sheet="修改团支部毕业时间汇总表",
    raised_by=COMMITTEES,
    about=About.ORGANISATION,
    branches=True,
    fields=(
        FormField("month", "正确毕业时间", Shape.MONTH, required=False, hint="写成 2026-06。"),
        FormField(
            "no_time",
            "或无法确定的原因",
            Shape.CHOICE,
            required=False,
            choices=tuple((one.value, one.label) for one in NoTime),
            hint="与毕业时间只填一项。",
        ),
        _GROUND,
        FormField("detail", "具体情况", Shape.LONG, hint="例如：该专业学制由四年改为五年。", width=500, at_least=5),
    ),
    decider=_decider,
    check=_check,
    offered=_offered,
    effect=_effect,
    short=lambda matter: f"改为 {_spoken(matter)}（{choice_label(_GROUND, matter.said('ground'))}）",
    # F-04: exactly the form's columns.
    columns=(
        CaseColumn("序号", position_of),
        CaseColumn("团支部名称（智慧团建系统里的全称）", body_name),
        CaseColumn("正确毕业时间", lambda line: _spoken(line.matter)),
        CaseColumn("提交时间", raised_on),
    ),
)
