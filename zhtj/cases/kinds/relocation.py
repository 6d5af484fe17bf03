"""组织迁移: an organisation asks for another direct superior; the old one agrees, then the new one (PD-07)."""

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
    body_name,
    position_of,
)
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs.changing import moving
from zhtj.orgs.models import Organisation
from zhtj.orgs.queries import has_branch


def _new(matter: CaseMatter) -> Organisation:
    return session.get_one(Organisation, int(matter.said("parent")))


def _line(matter: CaseMatter) -> list[int]:
    """The old superior, then the new one; where one office acts for both it is asked once (PD-22)."""
    old, new = matter.body.parent, _new(matter)
    if old is None or (old.office_id is not None and old.office_id == new.office_id):
        return [new.id]
    return [old.id, new.id]


def _check(matter: CaseMatter) -> None:
    if matter.body.id != matter.raiser.id:
        raise DomainError("组织迁移由要迁移的组织自己申请。", field="subject", rule="PD-07")
    moving.check_move(matter.body, _new(matter))


def _effect(matter: CaseMatter, case: Case) -> str:
    if len(case.line) > 1 and matter.body.parent_id != case.line[0]:
        raise Conflict("这个组织已经换了上级，这件申请不再有效。", fix="请不同意这件申请。", rule="PD-07")
    new = _new(matter)
    moving.move(matter.body, new, f"case:{case.id}")
    return f"已迁移到{new.full_name}下面，编码和名称不变；已列入名册的毕业生仍按原来的上级统计。"


def _warn(matter: CaseMatter) -> str:
    new = _new(matter)
    line = f"{matter.body.short_name}连同下级组织和团员将迁到{new.full_name}下面，之后由新的上级管理。"
    return line if matter.body.is_branch or has_branch(matter.body) else f"{line}它下面还没有团支部。"


def _new_name(line: ExportedCase) -> str:
    return _new(line.matter).full_name


KIND = CaseKind(
    key="relocation",
    label="组织迁移",
    note="隶属关系变了，申请把本组织连同下级迁到同一省内的另一个上级下面；原上级同意、新上级同意后自动生效。",
    rule="PD-07",
    raised_by=ADMINS,
    about=About.ORGANISATION,
    fields=(
        FormField(
            "parent", "新的上级组织", Shape.PARENT, hint="系统内的全称或组织编码，须在同一个省级组织内。", width=120
        ),
        FormField("why", "为什么迁移", Shape.LONG, hint="例如：公司划归园区管理。", width=500, at_least=5),
    ),
    decider=always(Decider.COMMITTEE),
    line=_line,
    check=_check,
    effect=_effect,
    warn=_warn,
    passing="同意并转",
    short=lambda matter: f"迁往{_new(matter).short_name}",
    columns=(
        CaseColumn("序号", position_of),
        CaseColumn("组织全称", body_name),
        CaseColumn("新的上级组织", _new_name),
        CaseColumn("原因", asked("why")),
        *OUTCOME,
    ),
)
