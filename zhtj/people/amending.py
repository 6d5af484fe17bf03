"""An administrator's own edits of a member's working data: at once, noted, never over somebody else's (U-14)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat
from zhtj.people.models import Member

# Label and characters at most. Personal data go by a case, contact data by the member himself.
WORKING_DATA = {
    "student_no": ("学号", 30),
    "major": ("专业", 60),
    "degree": ("学历", 20),
    "dues_until": ("团费交至", 7),
}
DEGREES = ("博士研究生", "硕士研究生", "本科", "专科", "高中", "中专", "初中")
_MONTH = re.compile(r"(20[0-9]{2})[-/.年]?(0?[1-9]|1[0-2])月?")
_AHEAD = 2


def shown(member: Member) -> dict[str, str]:
    """The working data as the form has them."""
    dues = f"{member.dues_until:%Y-%m}" if member.dues_until else ""
    return {name: dues if name == "dues_until" else getattr(member, name) or "" for name in WORKING_DATA}


def seen(member: Member) -> str:
    """A mark of the data as they are shown, so that a change of what somebody else changed meanwhile is noticed."""
    return hashlib.sha256("\n".join(shown(member).values()).encode()).hexdigest()[:16]


def change(member: Member, seat: ActiveSeat, typed: Mapping[str, str], mark: str) -> bool:
    """Change working data at once.

    Args:
        member: whose.
        seat: who changes them; nobody his own (PD-02).
        typed: new texts by name; "" takes one away.
        mark: what ``seen`` said when the form was made.

    Returns:
        Whether anything was different.

    Raises:
        Forbidden: one's own record.
        DomainError: a value that cannot be, with its ``field``.
        Conflict: somebody else changed them meanwhile, or the record has been archived.
    """
    if seat.member_id == member.id:
        raise Forbidden("本人的资料由直接上级修改。", rule="PD-02")
    session.execute(select(Member.id).where(Member.id == member.id).with_for_update())
    session.refresh(member)
    if member.archived_at is not None:
        raise Conflict("这条记录刚刚归档了。", rule="PD-06")
    before = shown(member)
    if mark != seen(member):
        raise Conflict("资料刚刚被其他人改过。", fix="下面是现在的内容，请核对后再改。")
    after = {name: _read(name, typed.get(name, "")) for name in WORKING_DATA}
    changes = {name: [before[name], value] for name, value in after.items() if value != before[name]}
    for name, (_, value) in changes.items():
        setattr(member, name, _month(value) if name == "dues_until" else value or None)
    session.flush()
    if changes:
        audit.record("member.update", "member", member.id, changes=changes, how="desk")
    return bool(changes)


def _read(name: str, text: str) -> str:
    """The value as the form shows it. Raises DomainError."""
    label, longest = WORKING_DATA[name]
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if name == "dues_until":
        return _month_text(text)
    if len(text) > longest:
        raise DomainError(f"{label}最多 {longest} 个字，现在是 {len(text)} 个。", field=name)
    if any(not sign.isprintable() for sign in text):
        raise DomainError(f"{label}里有不能显示的字符。", fix="请重新输入。", field=name)
    return text


def _month_text(text: str) -> str:
    found = _MONTH.fullmatch(unicodedata.normalize("NFKC", text))
    if text and (found is None or int(found[1]) > clock.today().year + _AHEAD):
        raise DomainError("团费交至请写成 2026-06。", fix="至多预交两年。", field="dues_until")
    return f"{found[1]}-{int(found[2]):02d}" if found else ""


def _month(text: str) -> date | None:
    return date.fromisoformat(f"{text}-01") if text else None
