"""F-06 删除团员台账: nothing is deleted; on few grounds a record is archived or merged (U-15 … U-18)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.cases.kind import (
    COMMITTEES,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    FormField,
    Shape,
    branch_name,
    choice_label,
    explained,
    id_number,
    member_name,
    position_of,
)
from zhtj.cases.lines import climb
from zhtj.cases.membership import merging, records
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation, Tier
from zhtj.people.models import Account, Member
from zhtj.transfers.queries import open_application

ENTRY_ERROR, DUPLICATE, DEATH, MOVED = "entry_error", "duplicate", "death", "moved"
# U-16: the only grounds there are; leaving the school, dropping out, a transfer that fails are none.
_GROUNDS = (
    (ENTRY_ERROR, "录入错误（查无此人，或不是团员）"),
    (DUPLICATE, "重复建档（同一人有两条记录）"),
    (DEATH, "去世"),
    # what is in another region's system is archived here, as one of these few grounds.
    (MOVED, "已转入北京、广东、福建系统（需校级团委确认）"),
)
# U-18: words that give a deletion in place of a transfer away.
_INSTEAD = ("转接", "转出", "转走", "转不", "转入不", "重新注册", "重新登记", "重新录入")
# Leaving the school is no ground: membership does not end with it (T-26); blanks between the signs are passed over.
_DROPPED_OUT = ("退学", "休学", "开除学籍", "肄业", "辍学", "取消学籍")

# Ranks that decide about a merge (U-15).
_MERGING = frozenset({Tier.CENTRE, Tier.PROVINCE, Tier.CITY})

_GROUND = FormField("ground", "归档原因", Shape.CHOICE, choices=_GROUNDS)


def _kept(matter: CaseMatter) -> Member:
    """The record that stays, by the ID number that was given, inside or outside one's part of the tree."""
    number = matter.said("keep")
    if not number:
        raise DomainError("请填写要保留的那条记录的身份证号码。", field="keep", rule="U-15")
    query = select(Member).join(Account, Account.id == Member.account_id)
    found = session.scalars(
        query.where(Account.id_hash == keyed_hash("id_number", number), Member.archived_at.is_(None))
    ).first()
    if found is None or found.name != matter.person.name:
        raise DomainError(
            "没有找到同名、号码为此的记录。",
            fix="姓名有错的，请先用“更正姓名、身份证号、入团年月”更正。",
            field="keep",
            rule="U-15",
        )
    if found.id == matter.person.id:
        raise DomainError("这就是要归档的那条记录。", fix="请填写另一条的号码。", field="keep", rule="U-15")
    return found


def _decider(matter: CaseMatter) -> Decider:
    """The city; for a merge with a record elsewhere the nearest level that stands above both (K-19)."""
    if matter.said("ground") != DUPLICATE:
        return Decider.CITY
    kept = _kept(matter).org.path
    for decider in (Decider.CITY, Decider.PROVINCE):
        line = climb(matter.raiser, decider)
        if line and kept.startswith(session.get_one(Organisation, line[-1]).path):
            return decider
    return Decider.CENTRE


def _line(matter: CaseMatter) -> list[int]:
    """Upwards; a level of city rank or above that stands over both records decides about them itself (K-19)."""
    raiser = matter.raiser
    if matter.said("ground") == DUPLICATE and raiser.tier in _MERGING:
        paths = (matter.person.org.path, _kept(matter).org.path)
        if all(path.startswith(raiser.path) for path in paths):
            return [raiser.id]
    # U-17: from the committee that asks, level by level to the city; a branch asks for nothing.
    return climb(raiser, _decider(matter))


def _warn(matter: CaseMatter) -> str:
    """What a merge brings, for whoever decides."""
    if matter.said("ground") != DUPLICATE or matter.person.archived_at is not None:
        return ""
    kept = _kept(matter)
    return f"合并到{kept.org.short_name}的记录：{merging.preview(matter.person, kept).words}。"


def _check(matter: CaseMatter) -> None:
    person, ground = matter.person, matter.said("ground")
    if person.archived_at is not None:
        raise DomainError(f"{person.name}的记录已经归档。", field="subject", rule="PD-06")
    if open_application(person.id) is not None:
        raise DomainError(
            f"{person.name}有正在办理的转接申请，不能归档。",
            fix="请先办结或撤销申请；不得用删除代替转接。",
            field="subject",
            rule="U-18",
        )
    if ground in {ENTRY_ERROR, MOVED}:
        _no_dropout("".join(matter.said("detail").split()))
    if ground == DUPLICATE:
        _kept(matter)
    elif ground != MOVED and any(word in matter.said("detail") for word in _INSTEAD):
        raise DomainError(
            "不得用删除、重新登记代替转接。",
            fix="要转走的，请发起转接；信息有误的，请申请更正。",
            field="detail",
            rule="U-18",
        )


def _no_dropout(detail: str) -> None:
    named = next((word for word in _DROPPED_OUT if word in detail), None)
    if named is not None:
        raise DomainError(
            f"{named}不是归档的理由，团员身份不因此改变。",
            fix="离校的，请办理转出，转到人事关系所在单位或居住地；暂时联系不上的，申请“保留团组织关系”，"
            "情况选“退学后暂时联系不上”；休学的，留在原支部。确属录入错误的，请只写录入的情况。",
            field="detail",
            rule="T-26",
        )


def _effect(matter: CaseMatter, case: Case) -> str:
    by, ground = f"case:{case.id}", matter.said("ground")
    if ground == DUPLICATE:
        kept = _kept(matter)
        records.merge(matter.person, kept, by)
        return f"两条记录已合并，保留{kept.org.short_name}的一条。"
    records.archive(matter.person, ground, by)
    return "记录已归档，不再列入名单和统计；误办的可以申请恢复。"


KIND = CaseKind(
    key="removal",
    label="记录归档、合并",
    note="代替删除：只用于录入错误、重复建档、去世和已转入外部系统。逐级上报，由市级团委决定；同意后归档或合并，可以恢复。",
    rule="U-16",
    form="F-06",
    sheet="删除团员台账",
    raised_by=COMMITTEES,
    about=About.MEMBER,
    fields=(
        _GROUND,
        FormField(
            "detail",
            "具体情况",
            Shape.LONG,
            hint="写清事实，例如：录入时误把外校同学录入本支部。姓名、号码写错的不归档，请申请更正。",
            width=500,
            at_least=5,
        ),
        FormField(
            "keep",
            "保留记录的身份证号码",
            Shape.ID_NUMBER,
            required=False,
            hint="只有重复建档才填：同一人另一条正确的记录。",
        ),
    ),
    decider=_decider,
    line=_line,
    warn=_warn,
    check=_check,
    effect=_effect,
    short=lambda matter: choice_label(_GROUND, matter.said("ground")).partition("（")[0],
    # F-06: exactly the form's columns.
    columns=(
        CaseColumn("序号", position_of),
        CaseColumn("姓名", member_name),
        CaseColumn("所在团支部名称全称", branch_name),
        CaseColumn("身份证号", id_number),
        CaseColumn("删除原因", explained(_GROUND, "detail")),
    ),
)
