"""F-17 情况说明: what an organisation states in writing about a person, kept on his file (U-19, E-06)."""

from __future__ import annotations

from zhtj.cases.kind import (
    ANYBODY,
    OF_MEMBER,
    OUTCOME,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    FormField,
    Shape,
    asked,
    choice_label,
    chosen,
)
from zhtj.cases.membership import commissioned, records
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel.errors import DomainError

MISTAKE = "mistaken_removal"
COMMISSIONED = "commissioned"
# Who stays with the unit that sent him to study: dues and organisational life are settled in writing (T-27, R-09).
AGREED = {"dues": "团费怎样交纳", "life": "怎样参加组织生活"}
# F-17: what a written statement stands for.
_PURPOSE = FormField(
    "purpose",
    "说明什么",
    Shape.CHOICE,
    choices=(
        (MISTAKE, "记录被误删（误归档），请求恢复"),
        ("joined", "入团时间与志愿书、团员证不一致"),
        (COMMISSIONED, "定向委培，在原单位任职，组织关系留在原单位"),
        ("objection", "对停止团籍、除名、离团有异议"),
        ("other", "其他"),
    ),
)


def _decider(matter: CaseMatter) -> Decider:
    """A statement is filed by the committee; a mistaken removal is undone where it was decided (PD-06)."""
    return Decider.CITY if matter.said("purpose") == MISTAKE else Decider.COMMITTEE


def _check(matter: CaseMatter) -> None:
    if matter.said("purpose") == COMMISSIONED:
        commissioned.check(matter.person)
        for name, label in AGREED.items():
            if not matter.said(name):
                raise DomainError(f"定向委培留在原单位的，请写明{label}。", field=name, rule="R-09")
    archived = matter.person.archived_at is not None
    if matter.said("purpose") == MISTAKE and not archived:
        raise DomainError(
            f"{matter.person.name}的记录没有归档，不需要恢复。", fix="请核对团员。", field="purpose", rule="U-19"
        )
    if matter.said("purpose") != MISTAKE and archived:
        raise DomainError(
            f"{matter.person.name}的记录已归档。", fix="误归档的，请选择“记录被误删”。", field="purpose", rule="U-19"
        )


def _effect(matter: CaseMatter, case: Case) -> str:
    if matter.said("purpose") == MISTAKE:
        records.restore(matter.person, f"case:{case.id}")
        return f"记录已恢复到{matter.person.org.short_name}，说明存入本人材料。"
    if matter.said("purpose") == COMMISSIONED:
        return commissioned.settle(matter.person, case)
    return "说明已存入本人材料。"


def _short(matter: CaseMatter) -> str:
    purpose = matter.said("purpose")
    return "" if purpose == "other" else choice_label(_PURPOSE, purpose)


KIND = CaseKind(
    key="statement",
    label="情况说明",
    note="原单位写明情况，经团委审核后存入本人材料。记录被误删的，由市级团委决定恢复；定向委培的，办结后正在办理的转接申请随之撤销。",
    rule="F-17",
    form="F-17",
    sheet="情况说明",
    raised_by=ANYBODY,
    about=About.MEMBER,
    archived=True,
    fields=(
        _PURPOSE,
        FormField("text", "说明", Shape.LONG, hint="写清时间、经过和经办人。", width=2000, at_least=10),
        FormField("dues", AGREED["dues"], required=False, hint="定向委培的填写。", width=200),
        FormField("life", AGREED["life"], required=False, hint="定向委培的填写。", width=200),
    ),
    decider=_decider,
    check=_check,
    effect=_effect,
    short=_short,
    columns=(
        *OF_MEMBER,
        CaseColumn("事由", chosen(_PURPOSE)),
        CaseColumn("情况说明", asked("text")),
        *OUTCOME,
    ),
)
