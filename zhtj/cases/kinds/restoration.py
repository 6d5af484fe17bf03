"""请求恢复归档的记录: a new school asks where somebody was archived; decided there (PD-61, U-19)."""

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
)
from zhtj.cases.lines import climb
from zhtj.cases.membership import records
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel.errors import DomainError

KEY = "restoration"


def _check(matter: CaseMatter) -> None:
    person = matter.person
    if person.archived_at is None:
        raise DomainError(f"{person.name}的记录没有归档，不需要恢复。", field="subject", rule="U-19")
    if person.merged_into_id is not None:
        raise DomainError(
            f"{person.name}的这条记录已合并到另一条。", fix="请按正确的身份证号码查找。", field="subject", rule="U-15"
        )


def _effect(matter: CaseMatter, case: Case) -> str:
    records.restore(matter.person, f"case:{case.id}")
    return f"记录已恢复到{matter.person.org.full_name}，可以办理转入。"


KIND = CaseKind(
    key=KEY,
    label="请求恢复归档的记录",
    note="在“办理转入”中查到的人记录已归档，而本人仍是团员的，请原组织恢复；由原组织逐级核实，市级团委决定。",
    rule="U-19",
    raised_by=ADMINS,
    about=About.MEMBER,
    archived=True,
    anywhere=True,
    fields=(
        FormField(
            "text",
            "为什么恢复",
            Shape.LONG,
            hint="例如：今年录取到我校，持有团员证和入团志愿书。",
            width=500,
            at_least=5,
        ),
    ),
    decider=always(Decider.CITY),
    # PD-61: it goes to where he was, from his branch to where a mistaken removal is undone (PD-06).
    line=lambda matter: climb(matter.person.org, Decider.CITY, own=True),
    check=_check,
    effect=_effect,
    columns=(*OF_MEMBER, CaseColumn("为什么恢复", asked("text")), *OUTCOME),
)
