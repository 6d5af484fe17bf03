"""F-05 编号被占用: somebody else's record carries a member's 发展团员编号; the province coordinates (U-21, PD-61)."""

from __future__ import annotations

from zhtj.cases import hearings
from zhtj.cases.kind import (
    ADMINS,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    FormField,
    Shape,
    asked,
    branch_name,
    id_number,
    member_name,
)
from zhtj.cases.membership import records
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import SEGMENT, Organisation
from zhtj.people.models import Member

_PROVINCE = 2 * SEGMENT


def _decider(matter: CaseMatter) -> Decider:
    """The province; where the number is used outside it, only the centre stands above both."""
    home = matter.person.org.path[:_PROVINCE]
    others = records.occupants(matter.said("number"), matter.person)
    return Decider.PROVINCE if all(one.org.path.startswith(home) for one in others) else Decider.CENTRE


def _check(matter: CaseMatter) -> None:
    if matter.person.dev_number == matter.said("number") and not records.occupants(
        matter.said("number"), matter.person
    ):
        raise DomainError(
            "这个编号已经登记在本人名下，也没有别人使用。", fix="请核对编号。", field="number", rule="U-21"
        )


def _raised(matter: CaseMatter, case: Case) -> None:
    hearings.ask(case, matter.said("number"), matter.person)


def _ready(matter: CaseMatter, case: Case) -> None:
    hearings.missing(case, records.occupants(matter.said("number"), matter.person))


def _effect(matter: CaseMatter, case: Case) -> str:
    last = session.get_one(Organisation, case.line[-1])
    freed = records.free_number(matter.said("number"), matter.person, last.path, f"case:{case.id}")
    where = f"已从{'、'.join(freed)}的记录中取消，" if freed else ""
    return f"编号{where}已登记到{matter.person.name}名下。"


def _warn(matter: CaseMatter) -> str:
    number = matter.said("number")
    carriers = {
        "目前使用这个编号的是：{}。同意后从这些记录中取消。": records.occupants(number, matter.person),
        "已归档的记录也有这个编号，没有团支部可以答复：{}。同意后一并取消。": records.archived_carriers(
            number, matter.person
        ),
    }
    said = [words.format("、".join(_named(one) for one in found)) for words, found in carriers.items() if found]
    return "".join(said) or "系统内没有其他人使用这个编号，无人可以答复；同意后直接登记到本人名下。"


def _named(one: Member) -> str:
    return f"{one.name}（{one.org.full_name}）"


KIND = CaseKind(
    key="occupied_number",
    label="发展团员编号被占用",
    note="本人的发展团员编号被别人使用，不能转接。先由现在持有编号者的团支部答复，逐级上报，由省级团委协调；同意后编号登记到本人名下。",
    rule="U-21",
    form="F-05",
    sheet="编号被占用汇总",
    raised_by=ADMINS,
    about=About.MEMBER,
    fields=(
        FormField("number", "发展团员编号", Shape.DEV_NUMBER, hint="本人团员证或志愿书上的编号。"),
        FormField("occupant", "备注（被谁占用）", hint="例如：提示已被某校某团支部的某某使用。", width=300, at_least=2),
    ),
    decider=_decider,
    check=_check,
    effect=_effect,
    warn=_warn,
    raised=_raised,
    ready=_ready,
    heard=hearings.words,
    # F-05: exactly the form's columns.
    columns=(
        CaseColumn("省份", lambda line: line.province),
        CaseColumn("所在团支部", branch_name),
        CaseColumn("姓名", member_name),
        CaseColumn("身份证号", id_number),
        CaseColumn("发展团员编号", asked("number")),
        CaseColumn("备注（被谁占用）", asked("occupant")),
    ),
)
