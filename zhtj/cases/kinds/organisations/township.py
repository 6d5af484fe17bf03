"""F-11 是否乡镇街道团委: the three error cases of a flag that no administrator edits (O-04, O-06)."""

from __future__ import annotations

from zhtj.cases.kind import (
    COMMITTEES,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    ExportedCase,
    FormField,
    Shape,
    always,
    body_name,
)
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel import audit
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation, Tier

YES, NO = "yes", "no"
_IS = FormField("is_township", "是否乡镇街道团委", Shape.CHOICE, choices=((YES, "是"), (NO, "否")))
_WORDS = {YES: "是", NO: "否"}


def _check(matter: CaseMatter) -> None:
    """Only (a) is one but says 否, (b) is none but says 是, (c) is one but says nothing."""
    body, wanted = matter.body, matter.said("is_township") == YES
    if body.tier is not Tier.BASIC:
        raise DomainError("只有基层团委才有这个标记。", field="subject", rule="O-04")
    if wanted is body.township_flag:
        raise DomainError(
            f"{body.short_name}现在就标记为“{_WORDS[matter.said('is_township')]}”。", field="is_township", rule="O-06"
        )
    if not wanted and body.township_flag is None:
        raise DomainError("不是乡镇街道团委、标记为空的，不算错误，不用上报。", field="is_township", rule="O-06")


def set_flag(organisation: Organisation, *, is_township: bool, by: str) -> None:
    """Write the flag; nothing else does (O-06)."""
    before, organisation.township_flag = organisation.township_flag, is_township
    session.flush()
    audit.record("organisation.township_flag", "organisation", organisation.id, before=before, after=is_township, by=by)


def _effect(matter: CaseMatter, case: Case) -> str:
    set_flag(matter.body, is_township=matter.said("is_township") == YES, by=f"case:{case.id}")
    return f"已改为“{_WORDS[matter.said('is_township')]}”。"


def _answer(line: ExportedCase) -> str:
    return _WORDS[line.matter.said("is_township")]


KIND = CaseKind(
    key="township",
    label="更正乡镇街道团委标记",
    note="是乡镇街道团委却标“否”或没有标，或者不是却标“是”，逐级上报，由省级汇总，全国后台更正。",
    rule="O-06",
    form="F-11",
    sheet="是否乡镇街道团委更正",
    raised_by=COMMITTEES,
    about=About.ORGANISATION,
    fields=(_IS,),
    # O-06: no level below the centre changes the flag.
    decider=always(Decider.CENTRE),
    check=_check,
    effect=_effect,
    short=lambda matter: f"应为“{_WORDS[matter.said('is_township')]}”",
    # F-11: exactly the form's columns.
    columns=(CaseColumn("组织全称", body_name), CaseColumn("是否乡镇街道团委", _answer)),
)
