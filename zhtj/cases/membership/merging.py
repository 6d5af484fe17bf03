"""What merging two records of one person would bring: side by side, and what moves (U-15, K-19). Writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from zhtj.graduation.models import RegisterRow
from zhtj.kernel.database import session
from zhtj.people.identity import masked, masked_mobile
from zhtj.people.models import Member, Membership, Seat
from zhtj.transfers.models import Application

_FIELDS = {
    "ethnicity": "民族",
    "dev_number": "发展团员编号",
    "student_no": "学号",
    "major": "专业",
    "degree": "学历",
    "political_status": "政治面貌",
    "household": "户籍所在地",
    "origin": "生源地",
    "residence": "居住地",
    "dues_until": "团费交至",
}
NOTHING = "—"


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One property of both records: what each has, whether they differ, and what the kept record takes over."""

    label: str
    doubled: str
    kept: str
    taken: bool = False

    @property
    def differs(self) -> bool:
        """Whether both have something, and not the same."""
        return NOTHING not in {self.doubled, self.kept} and self.doubled != self.kept


@dataclass(frozen=True, slots=True)
class MergePreview:
    """Two records side by side, and what happens to what hangs on the one that is archived."""

    lines: tuple[ComparedField, ...]
    moves: tuple[str, ...]

    @property
    def words(self) -> str:
        """The same in one sentence."""
        filled = "、".join(line.label for line in self.lines if line.taken)
        return "；".join((*([f"补上{filled}"] if filled else []), *self.moves))


def preview(doubled: Member, kept: Member) -> MergePreview:
    """Side by side: the record that would be archived, and the one that stays."""
    return MergePreview(tuple(_lines(doubled, kept)), tuple(_moves(doubled, kept)))


# What stands side by side without ever being taken over.
_SHOWN: dict[str, Callable[[Member], str]] = {
    "姓名": lambda one: one.name,
    "身份证号码": lambda one: masked(one.account.id_number or "") or NOTHING,
    "出生日期": lambda one: f"{one.born:%Y-%m-%d}" if one.born else NOTHING,
    "性别": lambda one: one.sex.label,
    "所在团支部": lambda one: one.org.full_name,
    "入团年月": lambda one: f"{one.joined_on:%Y-%m}",
    "账号": lambda one: "已激活" if one.account.activated_at else "未激活",
}


def _lines(doubled: Member, kept: Member) -> list[ComparedField]:
    lines = [ComparedField(label, show(doubled), show(kept)) for label, show in _SHOWN.items()]
    mobiles = [one.account.mobile for one in (doubled, kept)]
    lines.append(_line("手机", *(masked_mobile(one) if one else None for one in mobiles)))
    for name, label in _FIELDS.items():
        lines.append(_line(label, getattr(doubled, name), getattr(kept, name)))
    return lines


def _line(label: str, other: object, own: object) -> ComparedField:
    """A property that the kept record takes over where it has none."""
    return ComparedField(label, str(other or NOTHING), str(own or NOTHING), taken=own is None and other is not None)


def _moves(doubled: Member, kept: Member) -> list[str]:
    seasons = set(session.scalars(select(RegisterRow.season).where(RegisterRow.member_id == doubled.id)))
    seasons -= set(session.scalars(select(RegisterRow.season).where(RegisterRow.member_id == kept.id)))
    posts = session.scalars(select(Seat).where(Seat.account_id == doubled.account_id, Seat.ended_at.is_(None))).all()
    applications = _count(Application.id, Application.member_id == doubled.id)
    stays = _count(Membership.id, Membership.member_id == doubled.id)
    moves = [f"{season} 届名册的记录转到保留的记录" for season in sorted(seasons)]
    moves += [f"{seat.org.short_name}{seat.post.label}的任职转到保留的账号" for seat in posts]
    if applications:
        moves.append(f"{applications} 件转接申请保留，在保留的记录上可以查到")
    moves.append(f"{stays} 段组织关系变动保留，在保留的记录上可以查到")
    return [*moves, "另一条记录归档，不删除，可以恢复"]


def _count(column: Any, condition: Any) -> int:
    return session.scalar(select(func.count(column)).where(condition)) or 0
