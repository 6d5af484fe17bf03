"""个人资料更正: what nobody edits by himself but everybody may ask for; the committee decides (U-14)."""

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
)
from zhtj.cases.lines import climb
from zhtj.cases.membership import records
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel import audit
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Tier
from zhtj.people.finding.members import POLITICAL

_NOW = "没有错的一项留空。"
FIELDS = (
    FormField("ethnicity", "民族", required=False, hint=_NOW, width=20),
    FormField(
        "political_status", "政治面貌", Shape.CHOICE, required=False, choices=tuple((one, one) for one in POLITICAL)
    ),
    FormField(
        "dev_number", "发展团员编号", Shape.DEV_NUMBER, required=False, hint="被他人占用的，请改提“编号被占用”。"
    ),
    FormField("household", "户籍所在地", required=False, width=120),
    FormField("origin", "生源地", required=False, width=120),
    FormField("student_no", "学号", required=False, width=30),
    FormField("major", "专业", required=False, width=60),
    FormField("degree", "学历", required=False, width=20),
)


def _wanted(matter: CaseMatter) -> dict[str, str]:
    """What is asked for and differs from the record."""
    person = matter.person
    asked_for = {one.name: matter.said(one.name) for one in FIELDS if matter.said(one.name)}
    return {name: text for name, text in asked_for.items() if text != (getattr(person, name) or "")}


def _before(matter: CaseMatter) -> dict[str, str]:
    return {one.name: getattr(matter.person, one.name) or "" for one in FIELDS if matter.said(one.name)}


def _check(matter: CaseMatter) -> None:
    wanted = _wanted(matter)
    if not wanted:
        raise DomainError("没有要更正的内容。", fix="请在有错的一项填写正确的内容。", field="ethnicity", rule="U-14")
    number = wanted.get("dev_number")
    if number and records.occupants(number, matter.person):
        raise DomainError(
            "这个编号已在另一人的记录上。", fix="请改提“编号被占用”，由省级团委协调。", field="dev_number", rule="U-21"
        )


def _effect(matter: CaseMatter, case: Case) -> str:
    wanted, person = _wanted(matter), matter.person
    changes = {name: [getattr(person, name), text] for name, text in wanted.items()}
    for name, text in wanted.items():
        setattr(person, name, text)
    session.flush()
    audit.record("member.update", "member", person.id, changes=changes, how=f"case:{case.id}")
    return f"已更正{_what(wanted)}。"


def _what(names: dict[str, str]) -> str:
    return "、".join(one.label for one in FIELDS if one.name in names)


def _changes(line: ExportedCase) -> str:
    """Old → new, a field each."""
    said = line.matter
    return "；".join(
        f"{one.label}：{said.stood(one.name) or '（空）'} → {said.said(one.name)}"
        for one in FIELDS
        if said.said(one.name)
    )


def own_line(matter: CaseMatter) -> list[int]:
    """A basic committee decides about its own members itself; everybody else asks upwards, the branch looks first."""
    raiser = matter.raiser
    if raiser.tier not in {Tier.BRANCH, Tier.SECOND}:
        return [raiser.id]
    return climb(raiser, Decider.COMMITTEE, own=raiser.is_branch)


KIND = CaseKind(
    key="profile",
    label="更正个人资料",
    note="民族、政治面貌、户籍、生源地、学号等登记有误的，在这里申请；基层团委核对后决定，同意后自动更正。手机和居住地由本人直接修改。",
    rule="U-14",
    raised_by=ANYBODY,
    about=About.MEMBER,
    fields=(
        *FIELDS,
        FormField("why", "凭什么更正", Shape.LONG, hint="例如：身份证、户口簿、学籍。", width=500, at_least=2),
    ),
    decider=always(Decider.COMMITTEE),
    line=own_line,
    before=_before,
    check=_check,
    effect=_effect,
    short=lambda matter: _what(matter.answers),
    columns=(
        *OF_MEMBER,
        CaseColumn("更正内容", _changes),
        CaseColumn("原因", asked("why")),
        *OUTCOME,
    ),
)
