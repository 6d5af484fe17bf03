"""修改团员个人毕业时间: after the conversion an own month in a mixed branch is changed by decision (PD-59)."""

from __future__ import annotations

from zhtj.cases.kind import (
    COMMITTEES,
    OF_MEMBER,
    OUTCOME,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    FormField,
    Shape,
    always,
    asked,
)
from zhtj.cases.lines import climb
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.graduation import mark_changes, personal
from zhtj.kernel import audit
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of


def _check(matter: CaseMatter) -> None:
    if not personal.needs_superior(matter.person, matter.month("month")):
        raise DomainError(
            f"{matter.person.name}的毕业时间不需要申请修改。",
            fix="混合型支部的团员，请在团员名单中直接标记；支部的毕业时间有误的，请修改支部。",
            field="subject",
            rule="PD-59",
        )


def _effect(matter: CaseMatter, case: Case) -> str:
    month = matter.month("month")
    reason = f"{matter.said('detail')}（事项 {case.number}）"
    personal.change_own_month(matter.person, month, reason, audit.actor().seat_id)
    return f"毕业时间已改为 {month:%Y-%m}。"


def _offered(organisation: Organisation) -> bool:
    policy = policy_of(organisation)
    return policy.mark_change_after_conversion == "superior" and mark_changes.is_after_conversion()


KIND = CaseKind(
    key="own_month",
    label="修改团员个人毕业时间",
    note="混合型支部的团员单独标记的毕业时间，本届转换以后修改、会进出本届名册的，在这里申请，由直接上级决定。",
    rule="PD-59",
    raised_by=COMMITTEES,
    about=About.MEMBER,
    fields=(
        FormField("month", "正确毕业时间", Shape.MONTH, hint="写成 2027-06。"),
        FormField("detail", "具体情况", Shape.LONG, hint="例如：录入时选错了年份。", width=300, at_least=5),
    ),
    decider=always(Decider.COLLEGE),
    line=lambda matter: climb(matter.raiser, Decider.COLLEGE),
    check=_check,
    effect=_effect,
    offered=_offered,
    short=lambda matter: f"改为 {matter.said('month')}",
    columns=(
        *OF_MEMBER,
        CaseColumn("正确毕业时间", asked("month")),
        CaseColumn("具体情况", asked("detail")),
        *OUTCOME,
    ),
)
