"""找不到组织: an organisation that the tree lacks is asked for and, once confirmed, stands in it (O-20, PD-34)."""

from __future__ import annotations

from zhtj.cases.kind import (
    ADMINS,
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
    position_of,
)
from zhtj.cases.lines import climb
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.changing import children
from zhtj.orgs.models import CATEGORY_LABELS, INDUSTRIES_COMMITTEE, Category, Organisation, Region, Tier, industries
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.queries import by_code_or_name
from zhtj.orgs.rules import destination_problem

_OFFERED = (Category.COMMITTEE, Category.WORKING_COMMITTEE, Category.GENERAL_BRANCH, Category.BRANCH)
_CATEGORY = FormField(
    "category", "组织类别", Shape.CHOICE, choices=tuple((one.value, CATEGORY_LABELS[one]) for one in _OFFERED)
)


def _parent(matter: CaseMatter) -> Organisation:
    return session.get_one(Organisation, int(matter.said("parent")))


def _wanted(matter: CaseMatter) -> NewOrganisation:
    return NewOrganisation(
        full_name=matter.said("full_name"),
        short_name=matter.said("short_name"),
        category=Category(matter.said("category")),
        industry=matter.said("industry"),
        phone=matter.said("phone") or None,
    )


def _line(matter: CaseMatter) -> list[int]:
    """First the raiser's own committee, which has searched too; then whoever it would stand below."""
    own = climb(matter.raiser, Decider.COMMITTEE) if matter.raiser.tier in {Tier.BRANCH, Tier.SECOND} else []
    parent = _parent(matter).id
    return [number for number in own if number != parent] + [parent]


def _check(matter: CaseMatter) -> None:
    parent, category = _parent(matter), Category(matter.said("category"))
    known = by_code_or_name(matter.said("full_name"))
    if known is not None:
        why = destination_problem(known)
        raise DomainError(
            f"系统中已有“{known.full_name}”，编码 {known.code}。",
            fix=why or "请用这个名称或编码查找。",
            field="full_name",
            rule="O-20",
        )
    if parent.system is not Region.NATIONAL:
        raise DomainError(
            f"{parent.system.label}使用自己的系统，其组织不在这里建立。",
            fix="请按跨系统转接办理。",
            field="parent",
            rule="X-01",
        )
    # What building it would refuse is said now, not by the level that decides.
    try:
        children.prepared(parent, _wanted(matter))
    except DomainError as error:
        field = {"category": "parent", "purpose": "full_name"}.get(error.field or "", error.field)
        raise DomainError(error.message, fix=error.fix, field=field, rule=error.rule) from error
    if matter.said("industry") not in industries(category):
        raise DomainError("这个行业类别不适用于所选的组织类别。", field="industry", rule="O-16")


def _effect(matter: CaseMatter, case: Case) -> str:
    del case
    created = children.build(_parent(matter), _wanted(matter))
    return f"已建立{created.full_name}，编码 {created.code}。"


def _parent_name(line: ExportedCase) -> str:
    return _parent(line.matter).full_name


def _category_name(line: ExportedCase) -> str:
    return Category(line.matter.said("category")).label


KIND = CaseKind(
    key="missing_organisation",
    label="找不到组织，申请补建",
    note="先核对名称、省级组织（系统团委不按地区）、是不是毕业生团组织；仍找不到的在这里申请，由它的上级核实，同意后自动建立。",
    rule="O-20",
    raised_by=ADMINS,
    about=About.NOTHING,
    fields=(
        FormField("full_name", "组织全称", hint="对方告知的全称。", width=120, at_least=4),
        FormField("short_name", "组织简称", width=80, at_least=2),
        _CATEGORY,
        FormField(
            "industry",
            "单位所属行业类别",
            Shape.CHOICE,
            choices=tuple((name, name) for name in INDUSTRIES_COMMITTEE),
        ),
        FormField("parent", "它的上级组织", Shape.PARENT, hint="系统内的全称或组织编码，由这个组织核实。", width=120),
        FormField("phone", "对方联系电话", required=False, width=40),
        FormField("why", "为什么需要", Shape.LONG, hint="例如：本校毕业生要转到该单位。", width=500, at_least=5),
    ),
    decider=always(Decider.COMMITTEE),
    line=_line,
    check=_check,
    effect=_effect,
    short=lambda matter: matter.said("full_name"),
    columns=(
        CaseColumn("序号", position_of),
        CaseColumn("组织全称", asked("full_name")),
        CaseColumn("组织简称", asked("short_name")),
        CaseColumn("组织类别", _category_name),
        CaseColumn("单位所属行业类别", asked("industry")),
        CaseColumn("上级组织", _parent_name),
        CaseColumn("联系电话", asked("phone")),
        CaseColumn("原因", asked("why")),
        *OUTCOME,
    ),
)
