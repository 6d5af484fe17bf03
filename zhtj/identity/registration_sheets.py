"""团员信息登记表: filled in where a file is incomplete, kept with the member, printed and stamped (F-16, E-07)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from zhtj.identity.models import RegistrationSheet
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.people.models import Member


@dataclass(frozen=True, slots=True)
class SheetField:
    """One question of the sheet beside what the record knows.

    Args:
        long: a box of several lines.
    """

    name: str
    label: str
    hint: str = ""
    long: bool = False
    required: bool = True
    width: int = 100


# F-16: what the record does not know of somebody whose file is incomplete.
FIELDS = (
    SheetField("native_place", "籍贯", "省、市、县，与户口簿一致。", width=60),
    SheetField("address", "家庭住址", width=120),
    SheetField("joined_where", "入团时所在团组织", "填写当时的全称。", width=120),
    SheetField("introducers", "入团介绍人", required=False, width=60),
    SheetField("missing", "档案缺失的材料", "例如：入团志愿书遗失。", long=True, width=300),
    SheetField("proof", "能够证明入团的材料", "例如：团员证、团费收据、原单位证明。", long=True, width=300),
    SheetField("resume", "学习和工作经历", "从小学起，一行一段，写明起止年月、单位和职务。", long=True, width=1500),
    SheetField("awards", "奖惩情况", "没有的填“无”。", long=True, width=500),
)


def of_member(member_id: int) -> RegistrationSheet | None:
    """His sheet, if he has one."""
    return session.get(RegistrationSheet, member_id)


def answers(sheet: RegistrationSheet | None) -> dict[str, str]:
    """What it says, by field."""
    found: dict[str, str] = json.loads(sheet.content) if sheet else {}
    return found


def read(typed: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The answers as they would be kept, and what is wrong with them, by field."""
    said, errors = {}, {}
    for field in FIELDS:
        text = typed.get(field.name, "").strip().replace("\r\n", "\n")
        said[field.name] = text if field.long else " ".join(text.split())
        if field.required and not text:
            errors[field.name] = f"请填写{field.label}。"
        elif len(text) > field.width:
            errors[field.name] = f"最多 {field.width} 个字，现在是 {len(text)} 个。"
    return said, errors


def write(member: Member, seat: ActiveSeat, said: Mapping[str, str], version: int) -> RegistrationSheet:
    """Keep the sheet.

    Args:
        member: whose.
        seat: who writes: the member himself, or whoever looks after him.
        said: by field, checked by ``read``.
        version: of the sheet that was changed; 0 for a new one.

    Raises:
        DomainError: something is missing.
        Conflict: somebody has changed it meanwhile.
    """
    said, errors = read(said)
    if errors:
        name, message = next(iter(errors.items()))
        raise DomainError(message, field=name, rule="F-16")
    sheet = session.get(RegistrationSheet, member.id, with_for_update=True)
    if (sheet.version if sheet else 0) != version:
        raise Conflict("登记表刚刚被别人修改过，这次没有保存。", fix="请核对下面的最新内容，再修改保存。", rule="F-16")
    if sheet is None:
        sheet = RegistrationSheet(member_id=member.id, version=0)
        session.add(sheet)
    sheet.content = json.dumps(said, ensure_ascii=False)
    sheet.written_at, sheet.account_id, sheet.version = clock.now(), seat.account_id, version + 1
    session.flush()
    audit.record("member.sheet", "member", member.id, version=sheet.version)
    return sheet
