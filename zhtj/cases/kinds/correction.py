"""更正: name, ID number or joining month are never edited but corrected by a decision (U-12, U-14, E-06, K-19)."""

from __future__ import annotations

from zhtj.cases.kind import (
    ANYBODY,
    OF_MEMBER,
    OUTCOME,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    ExportedCase,
    FormField,
    Shape,
    always,
    asked,
    first_of_month,
    id_number,
)
from zhtj.cases.membership import records
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.orgs.policies import policy_of
from zhtj.people import identity
from zhtj.people.models import Member

FILE_CHECKED = "file_checked"
_LABELS = {"name": "姓名", "id_number": "身份证号码", "joined": "入团年月"}


def _known(person: Member) -> dict[str, str]:
    return {
        "name": person.name,
        "id_number": person.account.id_number or "",
        "joined": f"{person.joined_on:%Y-%m}",
    }


def _before(matter: CaseMatter) -> dict[str, str]:
    return {name: text for name, text in _known(matter.person).items() if matter.said(name)}


def _check(matter: CaseMatter) -> None:
    person = matter.person
    wanted = {name: matter.said(name) for name in _LABELS if matter.said(name)}
    known = _known(person)
    if not any(known[name] != value for name, value in wanted.items()):
        raise DomainError(
            "没有要更正的内容。", fix="请在有错的一项填写正确的内容，其余留空。", field="name", rule="U-14"
        )
    if "id_number" in wanted:
        records.number_is_free(wanted["id_number"], person.account)
    if "joined" in wanted and first_of_month(wanted["joined"]) > clock.today():
        raise DomainError("入团年月还没有到。", field="joined", rule="E-06")
    right = {**known, **wanted}
    joined = first_of_month(right["joined"])
    age = identity.read(right["id_number"]).age_on(joined)
    limit = policy_of(person.org).join_age(joined)
    least = limit.error_below
    touched = bool({"joined", "id_number"} & wanted.keys())
    if touched and limit.needs_file_check(age) and not matter.said(FILE_CHECKED):
        raise DomainError(
            f"这样更正后，入团时只有 {age} 周岁。",
            fix="核查本人档案、确认属实后，选择“已核查”再提出。",
            field=FILE_CHECKED,
            rule="PD-61",
        )
    if touched and age < least:
        raise DomainError(
            f"这样更正后，入团时只有 {max(age, 0)} 周岁，应满 {least} 周岁。",
            fix="请对照身份证和入团志愿书核对。",
            field="joined" if "joined" in wanted else "id_number",
            rule="U-11",
        )


def _effect(matter: CaseMatter, case: Case) -> str:
    changes: dict[str, object] = {}
    for name in ("name", "id_number"):
        if matter.said(name):
            changes[name] = matter.said(name)
    if matter.said("joined"):
        changes["joined_on"] = matter.month("joined")
    records.correct(matter.person, changes, f"case:{case.id}")
    return f"已更正{_what(matter)}。"


def _what(matter: CaseMatter) -> str:
    return "、".join(label for name, label in _LABELS.items() if matter.said(name))


def _new(line: ExportedCase) -> str:
    said = line.matter.said
    return "；".join(f"{label}：{said(name)}" for name, label in _LABELS.items() if said(name))


KIND = CaseKind(
    key="correction",
    label=identity.CORRECTION,
    note="这三项不能直接修改。凭身份证或入团志愿书申请更正，逐级核对，由市级团委决定；同意后自动更正，不用删除再登记。",
    rule="U-14",
    raised_by=ANYBODY,
    about=About.MEMBER,
    fields=(
        FormField("name", "正确的姓名", Shape.PERSON, required=False, hint="没有错的一项留空。", width=60),
        FormField("id_number", "正确的身份证号码", Shape.ID_NUMBER, required=False),
        FormField("joined", "正确的入团年月", Shape.MONTH, required=False, hint="以入团志愿书为准，写成 2019-05。"),
        FormField(
            FILE_CHECKED,
            "本人档案",
            Shape.CHOICE,
            required=False,
            choices=(("yes", "已核查本人档案，入团年月属实，材料齐全"),),
            hint="更正后入团时年龄过小的才选。",
        ),
        FormField("why", "怎样发现的", Shape.LONG, hint="例如：录入时看错一位数字。", width=500, at_least=5),
    ),
    decider=always(Decider.CITY),
    before=_before,
    check=_check,
    effect=_effect,
    short=_what,
    file_needed=True,
    columns=(
        *OF_MEMBER,
        CaseColumn("身份证号", id_number),
        CaseColumn("更正内容", _new),
        CaseColumn("原因", asked("why")),
        *OUTCOME,
    ),
)
