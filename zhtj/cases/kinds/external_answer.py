"""外部系统办理结果: what 北京, 广东, 福建 decided, recorded without a file; a second person confirms (PD-61)."""

from __future__ import annotations

from zhtj.cases.kind import (
    ADMINS,
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
    choice_label,
    chosen,
)
from zhtj.cases.lines import climb
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel import audit, clock
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.transfers.deciding import external
from zhtj.transfers.models import Application
from zhtj.transfers.parties import release_offices
from zhtj.transfers.queries import open_application
from zhtj.transfers.workflow import Action, State

KEY = "external_answer"
ANSWER = FormField(
    "answer",
    "对方系统的结果",
    Shape.CHOICE,
    choices=((Action.CONFIRM.value, "已接收"), (Action.FAIL.value, "没有接收")),
)


def _application(matter: CaseMatter) -> Application:
    """His application that waits for the other system. Raises Conflict where there is none any more."""
    found = open_application(matter.person.id)
    if found is None or found.state is not State.AWAITING_EXTERNAL or found.has_lapsed:
        raise Conflict(
            f"{matter.person.name}没有等待外部系统办理的申请。", fix="已经有结果或超过期限的，不再登记。", rule="X-07"
        )
    return found


def _check(matter: CaseMatter) -> None:
    if matter.raiser.id not in release_offices(_application(matter)):
        raise DomainError("对方系统的结果由转出方登记。", field="subject", rule="PD-32")


def _ready(matter: CaseMatter, case: Case) -> None:
    if _application(matter).submitted_at > case.raised_at:
        raise Conflict("那份申请已经结束，现在的是另一份。", fix="请不同意这一件，按新的申请另行登记。", rule="PD-61")
    # PD-61: a second person, whatever posts the first one holds.
    if audit.actor().account_id == case.raised_by_id:
        raise Forbidden("登记的人不能自己确认。", fix="请由本组织的其他管理员确认。", rule="PD-61")


def _effect(matter: CaseMatter, case: Case) -> str:
    application, moment = _application(matter), clock.local(case.raised_at)
    who = f"{case.raised_org.short_name}{case.raised_by.name} {moment:%m月%d日}登记，事项 {case.number} 确认"
    note = f"{matter.said('note')}（没有凭据；{who}）"
    external.carry_out(application, Action(matter.said("answer")), note)
    return f"已登记：{choice_label(ANSWER, matter.said('answer'))}。"


def _warn(matter: CaseMatter) -> str:
    if matter.said("answer") == Action.FAIL.value:
        return "没有凭据。请向对方组织核实；同意后，这份申请结束，团员可以重新申请。"
    return "没有凭据。请亲自向对方组织或对方系统核实；同意后，组织关系从名册中移出，不能撤回。"


KIND = CaseKind(
    key=KEY,
    label="登记外部系统的办理结果",
    note="转往北京、广东、福建的，没有截图或文件证明结果时，在这里写明依据，由直接上级的另一个人核实后确认。",
    rule="PD-61",
    raised_by=ADMINS,
    about=About.MEMBER,
    fields=(
        ANSWER,
        FormField(
            "note",
            "依据",
            Shape.LONG,
            hint="向谁核实、何时核实、在哪里看到。例如：10月9日电话向对方团委王老师核实，已显示该团员。",
            width=500,
            at_least=external.NOTE_AT_LEAST,
        ),
    ),
    decider=always(Decider.COLLEGE),
    # The direct superior of whoever records it, whoever else is above.
    line=lambda matter: climb(matter.raiser, Decider.COLLEGE),
    check=_check,
    ready=_ready,
    effect=_effect,
    warn=_warn,
    short=lambda matter: choice_label(ANSWER, matter.said("answer")),
    columns=(*OF_MEMBER, CaseColumn("对方系统的结果", chosen(ANSWER)), CaseColumn("依据", asked("note")), *OUTCOME),
)
