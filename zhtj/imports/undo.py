"""Taking an import of members back, as long as nothing else has happened to its people (PD-06).

A record that nothing has happened to carries no history: it goes, and its numbers are free for another import. Whoever
has moved, signed in, applied, been marked or changed since stands in the way, and is named with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, literal, select, union_all, update
from sqlalchemy.orm import joinedload

from zhtj.graduation.models import DestinationEntry, RegisterEvent, RegisterRow
from zhtj.imports.models import Done, ImportBatch, ImportEntry, ImportKind
from zhtj.kernel import audit
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import Base, session
from zhtj.kernel.errors import Conflict
from zhtj.people import operations as people
from zhtj.people.models import Account, Code, Member, Membership, NameTerm, Seat
from zhtj.rates.counting import keeping

CHUNK = 5000
SHOWN = 200
# Rows about a member that his entry itself brings along, and that go with him.
WITH_HIM = frozenset({"memberships", "season_register", "likely_duplicates"})
# What any other row about him says.
WORDS = {
    "applications": "有转接申请",
    "transfer_drafts": "填写过转接申请",
    "arrivals": "有新转入登记",
    "cases": "有提出的事项",
    "letters": "开具过介绍信",
    "member_marks": "有单独的毕业标记",
    "admission_waits": "在升学等待名单里",
    "messages": "收到过通知",
    "signed_forms": "签过申请表",
    "stays": "在流动团员台账里",
}
OTHERWISE = "已有其他记录"
# Events that change nothing.
LOOKS = ("member.number_seen", "member.look_up", "account.look_up", "account.login_failed", "account.locked")
FREED = "（导入已撤销）"


@dataclass(frozen=True, slots=True)
class UndoBlocker:
    """Somebody to whom something has happened since the import."""

    member_id: int
    name: str
    why: str


def may_undo(batch: ImportBatch) -> bool:
    """Whether a batch is of the kind, and in the state, that can be undone."""
    return batch.kind is ImportKind.MEMBERS and batch.applied_at is not None and batch.undone_at is None


def blockers(batch: ImportBatch, most: int = SHOWN) -> tuple[list[UndoBlocker], int]:
    """Who stands in the way of undoing a batch, and how many they are."""
    found = union_all(*_obstacles(batch)).subquery()
    each = select(found.c.member_id, func.min(found.c.why).label("why")).group_by(found.c.member_id).subquery()
    count = session.scalar(select(func.count()).select_from(each)) or 0
    rows = session.execute(
        select(each.c.member_id, Account.name, each.c.why)
        .join(Member, Member.id == each.c.member_id)
        .join(Account, Account.id == Member.account_id)
        .order_by(each.c.member_id)
        .limit(most)
    )
    return [UndoBlocker(*row) for row in rows], count


def _of(batch: ImportBatch, *how: Done) -> Select[int]:
    return select(ImportEntry.member_id).where(ImportEntry.batch_id == batch.id, ImportEntry.how.in_(how))


def _because(why: str, *conditions: ColumnElement[bool]) -> Select[int, str]:
    return select(Member.id.label("member_id"), literal(why).label("why")).where(*conditions)


def _obstacles(batch: ImportBatch) -> Iterator[Select[int, str]]:
    everybody = Member.id.in_(_of(batch, *Done))
    entered = Member.id.in_(_of(batch, Done.CREATED, Done.ATTACHED))
    account = Account.id == Member.account_id
    created = Member.id.in_(_of(batch, Done.CREATED))
    yield _because("本人已启用账号", created, exists().where(account, Account.activated_at.is_not(None)))
    yield _because("已有任职", created, exists().where(Seat.account_id == Member.account_id))
    yield _because("已生成激活码或验证码", created, exists().where(Code.account_id == Member.account_id))
    yield _because("已归档", entered, Member.archived_at.is_not(None))
    moved = exists().where(Membership.member_id == Member.id, Membership.ended_at.is_not(None))
    yield _because("已离开导入时的团支部", entered, moved)
    row = RegisterRow.member_id == Member.id
    noted = exists().where(row, RegisterEvent.row_id == RegisterRow.id)
    yield _because("毕业生名册里有后来的记录", entered, noted)
    placed = exists().where(row, DestinationEntry.row_id == RegisterRow.id)
    yield _because("已登记毕业去向", entered, placed)
    for table, column in _about_members():
        yield _because(WORDS.get(table, OTHERWISE), entered, exists().where(column == Member.id))
    since = (AuditEvent.at > batch.applied_at, AuditEvent.action.not_in(LOOKS), AuditEvent.account_id.is_not(None))
    for kind, subject in (("member", Member.id), ("account", Member.account_id)):
        changed = exists().where(AuditEvent.subject_type == kind, AuditEvent.subject_id == subject, *since)
        yield _because("资料后来有更改", everybody, changed)


def _about_members() -> Iterator[tuple[str, Any]]:
    """Every column of the database that refers to a member, but for those that go with him."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                if key.column.table is Member.__table__ and key.ondelete != "CASCADE" and table.name not in WITH_HIM:
                    yield table.name, column


def undo(batch: ImportBatch) -> int:
    """Take back everything a batch did, all or nothing. Returns how many members were affected.

    Raises:
        Conflict: it cannot be undone, or something has happened to one of its people.
    """
    if not may_undo(batch):
        raise Conflict("这次导入不能撤销，或已经撤销。", fix="请刷新页面。")
    found, count = blockers(batch, 1)
    if count:
        first = f"{found[0].name}{found[0].why}" if found else ""
        raise Conflict(f"有 {count:,} 人在导入后有了新的情况，不能撤销。", fix=f"如：{first}。请逐个处理。")
    changed = _restore(batch)
    ids = list(session.scalars(_of(batch, Done.CREATED, Done.ATTACHED)))
    own = set(session.scalars(_of(batch, Done.CREATED)))
    for start in range(0, len(ids), CHUNK):
        _remove(ids[start : start + CHUNK], own)
    audit.record_many("member.remove", "member", [(number, {"import": batch.id}) for number in ids])
    audit.record("import.undo", "import_batch", batch.id, removed=len(ids), restored=changed)
    return len(ids) + changed


def _remove(ids: Sequence[int], own: set[int]) -> None:
    """Delete fresh records; the accounts made for them keep nothing that says whose they were."""
    options = {"synchronize_session": False}
    rows = session.execute(select(Member.id, Member.account_id).where(Member.id.in_(ids))).all()
    keeping.forget(session.scalars(select(RegisterRow.id).where(RegisterRow.member_id.in_(ids))).all())
    for name in sorted(WITH_HIM):
        table = Base.metadata.tables.get(name)
        for column in table.columns if table is not None else ():
            if table is not None and any(key.column.table is Member.__table__ for key in column.foreign_keys):
                session.execute(delete(table).where(column.in_(ids)))
    session.execute(delete(Member).where(Member.id.in_(ids)), execution_options=options)
    # Not deleted: a dozen large tables may refer to an account, and each would be searched for each of them.
    accounts = [account_id for member_id, account_id in rows if member_id in own]
    session.execute(delete(NameTerm).where(NameTerm.account_id.in_(accounts)), execution_options=options)
    nobody = {"name": FREED, "initials": None, "id_number": None, "id_hash": None, "mobile": None, "mobile_hash": None}
    session.execute(update(Account).where(Account.id.in_(accounts)).values(nobody), execution_options=options)
    session.expire_all()


def _restore(batch: ImportBatch) -> int:
    """Give those who were changed their earlier values back. Raises Conflict where one has been changed since."""
    entries = select(ImportEntry).where(ImportEntry.batch_id == batch.id, ImportEntry.how == Done.UPDATED)
    changes = {entry.member_id: json.loads(entry.change or "{}") for entry in session.scalars(entries)}
    for start in range(0, len(changes), CHUNK):
        ids = sorted(changes)[start : start + CHUNK]
        query = select(Member).where(Member.id.in_(ids)).options(joinedload(Member.account))
        for member in session.scalars(query):
            _put_back(member, changes[member.id])
    session.flush()
    return len(changes)


def _put_back(member: Member, change: dict[str, dict[str, Any]]) -> None:
    for name, before in change["before"].items():
        now = member.account.mobile if name == "mobile" else getattr(member, name)
        if (str(now) if now is not None else None) != change["after"][name]:
            raise Conflict(f"{member.name}的资料在导入后又有更改，不能撤销。", fix="请逐个处理。")
        if name == "mobile":
            people.change_mobile(member.account, before)
        else:
            setattr(member, name, date.fromisoformat(before) if before and isinstance(now, date) else before)
    audit.record("member.update", "member", member.id, fields=sorted(change["before"]), how="import undone")
