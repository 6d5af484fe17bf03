"""F-04 修改团支部毕业时间: a mark is changed as the policy says - never, freely, or by decision (G-14, G-15, K-01)."""

from __future__ import annotations

from zhtj.cases.kind import (
    COMMITTEES,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    FormField,
    Shape,
    asked,
    body_name,
    choice_label,
    place_of,
    raised_on,
)
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import BranchMark
from zhtj.graduation.rules import ChangeGround, ChangeWay
from zhtj.kernel import audit
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
    level = policy_of(matter.body).mark_edit_level
    return Decider(level) if level else Decider.CITY


def _check(matter: CaseMatter) -> None:
    branch = matter.body
    if not graduation.may_be_marked(branch):
        raise DomainError(f"{branch.short_name}不是学校的团支部，没有毕业时间。", field="subject", rule="G-13")
    mark = session.get(BranchMark, branch.id)
    if mark is None:
        raise DomainError(f"{branch.short_name}还没有标记，请直接标记。", field="subject", rule="G-14")
    way = graduation.change_way(branch)
    if way is ChangeWay.FORBIDDEN:
        raise DomainError("本届规定毕业时间标记后不能修改。", field="subject", rule="G-14")
    if way is ChangeWay.FREE:
        raise DomainError(
            "本届可以直接修改毕业时间，不用申请。", fix="请到“下级组织”中修改。", field="subject", rule="K-01"
        )
    if mark.month == matter.month("month"):
        raise DomainError("这就是现在标记的毕业时间。", field="month", rule="G-14")


def _effect(matter: CaseMatter, case: Case) -> str:
    graduation.change_mark(
        matter.body,
        month=matter.month("month"),
        reason=f"{matter.said('detail')}（事项 {case.number}）",
        ground=ChangeGround(matter.said("ground")),
        seat_id=audit.actor().seat_id,
    )
    return f"毕业时间已改为 {matter.said('month')}。"


def _offered(organisation: Organisation) -> bool:
    """Where marks are changed freely or never, nothing is asked (K-01)."""
    return graduation.change_way(organisation) is ChangeWay.APPROVAL


KIND = CaseKind(
    key="mark_change",
    label="修改团支部毕业时间",
    note="学制变化或录入错误时申请，经校级团委逐级上报，由市级团委决定；同意后自动修改。",
    rule="G-14",
    form="F-04",
    sheet="修改团支部毕业时间汇总表",
    raised_by=COMMITTEES,
    about=About.ORGANISATION,
    branches=True,
    fields=(
        FormField("month", "正确毕业时间", Shape.MONTH, hint="写成 2026-06。"),
        _GROUND,
        FormField("detail", "具体情况", Shape.LONG, hint="例如：该专业学制由四年改为五年。", width=500, at_least=5),
    ),
    decider=_decider,
    check=_check,
    offered=_offered,
    effect=_effect,
    short=lambda matter: f"改为 {matter.said('month')}（{choice_label(_GROUND, matter.said('ground'))}）",
    # F-04: exactly the form's columns.
    columns=(
        CaseColumn("序号", place_of),
        CaseColumn("团支部名称（智慧团建系统里的全称）", body_name),
        CaseColumn("正确毕业时间", asked("month")),
        CaseColumn("提交时间", raised_on),
    ),
)
