"""Keeps an upload between looking at it and importing it; for its owner in his seat, for two hours.

A short file is read, checked and imported while he waits, a long one by jobs (``zhtj/imports/work.py``). What was
imported stays on record for thirty days, and can be undone (``zhtj/imports/undo.py``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import defer

from zhtj.imports import meanings, spreadsheets, undo
from zhtj.imports.files import finding, tables, workbooks
from zhtj.imports.files.layouts import DESTINATIONS, FLOATING, LIAISONS, ORGANISATIONS, ROSTER
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.tables import ImportTable, Layout
from zhtj.imports.graduates import destination_files, floating_members, liaison_lists
from zhtj.imports.graduates.destination_files import DestinationPlan
from zhtj.imports.graduates.floating_members import FloatingPlan
from zhtj.imports.graduates.liaison_lists import LiaisonPlan
from zhtj.imports.members import rosters
from zhtj.imports.members.rosters import Entered, RosterPlan
from zhtj.imports.models import ImportBatch, ImportEntry, ImportKind, ImportPhase
from zhtj.imports.orgs import organisations
from zhtj.imports.orgs.organisations import OrganisationPlan
from zhtj.imports.plans import Plan, Tell
from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_rows, session, touched
from zhtj.kernel.errors import Conflict, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work import tasks
from zhtj.kernel.work.tasks import TaskState
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member

JOB = "jobs.imports.work_off"
LIFETIME = timedelta(hours=2)
KEPT_FOR = timedelta(days=30)
"""How long an import stays on record, and can be undone."""
READ_AT_ONCE = 2**20
"""Bytes of a file that is read while somebody waits."""
AT_ONCE = 2000
"""Rows that are checked and imported while somebody waits."""
LAYOUTS = {
    ImportKind.MEMBERS: ROSTER,
    ImportKind.ORGANISATIONS: ORGANISATIONS,
    ImportKind.DESTINATIONS: DESTINATIONS,
    ImportKind.FLOATING: FLOATING,
    ImportKind.LIAISONS: LIAISONS,
}
# A batch of which nothing has been imported yet.
LOOKING = (ImportPhase.READ, ImportPhase.CHECK)
_LONGEST_NAME = 120
MOST_WAITING = 10
"""Files of a kind that may wait for one seat to be confirmed."""
DIGITS = 16
"""Of a file's hash, in hexadecimal."""


def layout_of(kind: ImportKind, organisation: Organisation) -> Layout:
    """The columns of such a file, as they hold for the organisation."""
    if kind is ImportKind.DESTINATIONS:
        return destination_files.layout_for(organisation)
    return rosters.layout_for(organisation) if kind is ImportKind.MEMBERS else LAYOUTS[kind]


def read(kind: ImportKind, data: bytes, filename: str, org_id: int) -> ImportTable:
    """The table of a file that was uploaded for an organisation. Raises FileError."""
    found = workbooks.read(data, filename)
    if kind is ImportKind.FLOATING:
        floating_members.check_sheet(found)
    layout = layout_of(kind, session.get_one(Organisation, org_id))
    return finding.find(found, layout, meanings.of(org_id, kind), ask=True)


def upload(kind: ImportKind, data: bytes, seat: ActiveSeat, filename: str) -> ImportBatch:
    """Keep a file that was uploaded: read, if it is short, else for a job to read.

    Raises:
        FileError: it is short, and cannot be read.
    """
    _check_room(kind, seat)
    digest = hashlib.sha256(data).hexdigest()[:DIGITS]
    if len(data) <= READ_AT_ONCE:
        return keep(kind, read(kind, data, filename, seat.org_id), seat, filename, digest)
    content = {"file": base64.b64encode(data).decode()}
    batch = _kept(kind, seat, filename, content, ImportPhase.READ, TaskState.WAITING)
    batch.digest = digest
    tasks.enqueue(JOB, batch.id)
    return batch


def refused(kind: ImportKind, org_id: int, filename: str, size: int, error: FileError) -> None:
    """Note a file that was not accepted."""
    name = filename[-_LONGEST_NAME:]
    audit.record("import.refused", "organisation", org_id, kind=kind.value, file=name, size=size, why=error.message)


def _check_room(kind: ImportKind, seat: ActiveSeat) -> None:
    """Raise FileError where too many files of this seat wait to be confirmed."""
    mine = (ImportBatch.account_id == seat.account_id, ImportBatch.org_id == seat.org_id, ImportBatch.kind == kind)
    waiting = (ImportBatch.phase.in_(LOOKING), ImportBatch.expires_at > clock.now())
    if (session.scalar(select(func.count()).select_from(ImportBatch).where(*mine, *waiting)) or 0) >= MOST_WAITING:
        raise FileError(f"已有 {MOST_WAITING} 份文件等待确认。", "请先在“最近的导入”里确认或放弃。")


def keep(kind: ImportKind, table: ImportTable, seat: ActiveSeat, filename: str, digest: str = "") -> ImportBatch:
    """Keep what was read, beside what else waits; what has expired goes.

    Args:
        kind: of file.
        table: what it says.
        seat: whose upload it is.
        filename: as he calls it.
        digest: of its bytes; without, of what was read.
    """
    is_long = len(table.rows) > AT_ONCE
    state = TaskState.WAITING if is_long else TaskState.DONE
    content = tables.dump(table)
    batch = _kept(kind, seat, filename, content, ImportPhase.CHECK, state)
    batch.digest = digest or hashlib.sha256(json.dumps(content).encode()).hexdigest()[:DIGITS]
    batch.total = len(table.rows)
    if is_long:
        tasks.enqueue(JOB, batch.id)
    return batch


def _kept(  # noqa: PLR0917 - the columns of the row
    kind: ImportKind, seat: ActiveSeat, filename: str, content: dict[str, Any], phase: ImportPhase, state: TaskState
) -> ImportBatch:
    purge()
    moment = clock.now()
    batch = ImportBatch(
        kind=kind,
        account_id=seat.account_id,
        org_id=seat.org_id,
        filename=filename[-_LONGEST_NAME:],
        content=pack(content),
        phase=phase,
        state=state,
        created_at=moment,
        touched_at=moment,
        expires_at=moment + LIFETIME,
    )
    session.add(batch)
    session.flush()
    return batch


def owned(number: int, kind: ImportKind, seat: ActiveSeat) -> ImportBatch:
    """The batch, if this seat uploaded it. Raises NotFound, also when it has expired."""
    batch = session.get(ImportBatch, number)
    mine = batch is not None and (batch.account_id, batch.org_id, batch.kind) == (seat.account_id, seat.org_id, kind)
    if batch is None or not mine or batch.expires_at <= clock.now():
        raise NotFound("没有找到这次上传。", fix="上传的内容只保留两小时，请重新上传。")
    return batch


def same(batch: ImportBatch, digest: str) -> ImportBatch:
    """The batch, if it is the file that a page shows. Raises Conflict."""
    if batch.digest and batch.digest != digest:
        raise Conflict("页面上的文件和这次上传的不是同一份，没有办理。", fix="请从“最近的导入”里重新打开。")
    return batch


def plan_of(batch: ImportBatch) -> Plan:
    """What importing the batch would do now, or what it did."""
    if batch.report is not None:
        return Plan.restored(unpack(batch.report))
    return _preview(batch)


def _preview(batch: ImportBatch) -> Plan:
    return preview(batch, tables.load(unpack(batch.content or "")))


def preview(batch: ImportBatch, table: ImportTable, tell: Tell | None = None) -> Plan:
    """What importing these rows would do now; ``tell`` hears how many were looked at, where that can be said."""
    organisation = session.get_one(Organisation, batch.org_id)
    if table.missing:
        return Plan(read=len(table.rows), **table.about())
    if batch.kind is ImportKind.MEMBERS:
        return rosters.preview(table, organisation, tell)
    if batch.kind is ImportKind.DESTINATIONS:
        return destination_files.preview(table, organisation)
    if batch.kind is ImportKind.FLOATING:
        return floating_members.preview(table, organisation)
    if batch.kind is ImportKind.LIAISONS:
        return liaison_lists.preview(table, organisation)
    return organisations.preview(table, organisation)


def write(plan: Plan, batch: ImportBatch) -> int:
    """Import the rows without errors, in the transaction of the preview. Returns how many."""
    if isinstance(plan, RosterPlan):
        return _write_members(plan, batch)
    if isinstance(plan, DestinationPlan):
        return destination_files.apply(plan, partial=True)
    if isinstance(plan, FloatingPlan):
        return floating_members.apply(plan, _seat_of(batch), partial=True)
    if isinstance(plan, LiaisonPlan):
        return liaison_lists.apply(plan, _seat_of(batch), partial=True)
    return organisations.apply(plan, partial=True) if isinstance(plan, OrganisationPlan) else 0


def _write_members(plan: RosterPlan, batch: ImportBatch) -> int:
    if not plan.may_apply(partial=True):
        return 0
    remember(batch.id, rosters.write(plan))
    rosters.finish(plan, {enrolment.branch_id for enrolment in plan.enrolments}, plan.organisation_id)
    return plan.accepted


def remember(number: int, entered: Sequence[Entered]) -> None:
    """Keep what a batch did to whom, so that it can be undone."""
    insert_rows(
        ImportEntry,
        [{"batch_id": number, "member_id": one.member_id, "how": one.how, "change": _written(one)} for one in entered],
    )


def _written(one: Entered) -> str | None:
    if not one.after:
        return None
    return json.dumps({"before": one.before, "after": one.after}, ensure_ascii=False, default=str)


def _seat_of(batch: ImportBatch) -> ActiveSeat:
    """The seat it was uploaded in."""
    organisation = session.get_one(Organisation, batch.org_id)
    own = session.scalars(select(Member.id).where(Member.account_id == batch.account_id)).first()
    return ActiveSeat(organisation.workbench, batch.account_id, None, organisation.id, organisation.path, own)


def apply(batch: ImportBatch, *, expected: int) -> int:
    """Import the rows without errors and keep the outcome instead of the rows.

    Args:
        batch: not imported yet.
        expected: how many rows the owner was told would be imported.

    Returns:
        How many rows were.

    Raises:
        Conflict: imported already, or since the preview something has changed what would happen.
    """
    if batch.applied_at is not None:
        raise Conflict("这份文件已经导入过了。", fix="请查看导入结果。")
    plan = _preview(batch)
    if plan.accepted != expected:
        raise Conflict("核对之后系统里的数据有了变化，没有导入。", fix="请重新核对后再导入。")
    done = write(plan, batch)
    taken = session.scalar(
        update(ImportBatch)
        .where(ImportBatch.id == batch.id, ImportBatch.applied_at.is_(None))
        .values(
            applied_at=clock.now(),
            expires_at=clock.now() + KEPT_FOR,
            phase=ImportPhase.WRITE,
            content=None,
            report=pack(plan.as_dict()),
            done=done,
        )
        .returning(ImportBatch.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        raise Conflict("这份文件已经导入过了。", fix="请查看导入结果。")
    session.expire(batch)
    return done


def is_long(batch: ImportBatch) -> bool:
    """Whether it is a job's."""
    return batch.total > AT_ONCE


def start(batch: ImportBatch, *, expected: int) -> None:
    """Have a job import a long file, whose rows a job has checked.

    Args:
        batch: checked, not imported yet.
        expected: how many rows the owner was told would be imported.

    Raises:
        Conflict: under way or imported already, or the page was an older one.
    """
    if batch.report is None or plan_of(batch).accepted != expected:
        raise Conflict("页面不是最新的，没有导入。", fix="请刷新后再导入。")
    moment = clock.now()
    started = session.execute(
        update(ImportBatch)
        .where(ImportBatch.id == batch.id, ImportBatch.phase == ImportPhase.CHECK, ImportBatch.state == TaskState.DONE)
        .values(
            phase=ImportPhase.WRITE,
            state=TaskState.WAITING,
            done=0,
            total=expected,
            touched_at=moment,
            expires_at=moment + KEPT_FOR,
        ),
        execution_options={"synchronize_session": False},
    )
    if touched(started) != 1:
        raise Conflict("这份文件已经导入过了，或正在导入。", fix="请查看进度和结果。")
    session.expire(batch)
    tasks.enqueue(JOB, batch.id)


def start_undo(batch: ImportBatch) -> bool:
    """Take an import back: a short one at once, a long one by a job. Returns whether it is done.

    Raises:
        Conflict: it cannot be undone, or something has happened to one of its people.
    """
    if batch.done <= AT_ONCE:
        undo.undo(batch)
        batch.undone_at, batch.phase = clock.now(), ImportPhase.UNDO
        session.flush()
        return True
    if not undo.may_undo(batch) or batch.state is not TaskState.DONE:
        raise Conflict("这次导入不能撤销，或已经撤销。", fix="请刷新页面。")
    batch.phase, batch.state, batch.touched_at = ImportPhase.UNDO, TaskState.WAITING, clock.now()
    batch.done, batch.total = 0, 1
    session.flush()
    tasks.enqueue(JOB, batch.id)
    return False


def again(batch: ImportBatch) -> None:
    """Go on with what a job could not finish. Raises Conflict for anything else."""
    if batch.state is not TaskState.FAILED or batch.phase not in {
        ImportPhase.CHECK,
        ImportPhase.WRITE,
        ImportPhase.UNDO,
    }:
        raise Conflict("这份文件不需要重新处理。", fix="请刷新页面。")
    batch.state, batch.problem, batch.touched_at = TaskState.WAITING, None, clock.now()
    session.flush()
    tasks.enqueue(JOB, batch.id)


def clarify(batch: ImportBatch, headings: Mapping[str, str], values: Mapping[tuple[str, str], str]) -> None:
    """Say what headings and words of a file mean; kept for the organisation, and the rows are looked at again.

    Args:
        batch: not imported yet.
        headings: see ``meanings.remember``.
        values: likewise.

    Raises:
        Conflict: its import has begun, or a job is at it.
        DomainError: no such column or value.
    """
    table = _still_open(batch)
    layout = layout_of(batch.kind, session.get_one(Organisation, batch.org_id))
    said = meanings.remember(batch.org_id, batch.kind, layout, headings, values)
    _look_again(batch, finding.applied(table, layout, said))


def file_checked(batch: ImportBatch, rows: Collection[int]) -> None:
    """Take the owner's word that the files of the people in these rows were checked (PD-61).

    Args:
        batch: not imported yet; its rows are looked at again.
        rows: see ``row_numbers``; those of which nobody asks that are passed over.

    Raises:
        Conflict: its import has begun, or a job is at it.
    """
    table = _still_open(batch)
    asked = {problem.row for problem in plan_of(batch).errors if problem.asks_file_check}
    _look_again(batch, table.file_checked(asked & set(rows)))


def _still_open(batch: ImportBatch) -> ImportTable:
    if batch.phase is not ImportPhase.CHECK or batch.state.is_open or batch.applied_at is not None:
        raise Conflict("这份文件正在处理或已经导入，不能再更改。", fix="请刷新页面。")
    return tables.load(unpack(batch.content or ""))


def _look_again(batch: ImportBatch, table: ImportTable) -> None:
    batch.content, batch.report = pack(tables.dump(table)), None
    if is_long(batch):
        batch.state, batch.done, batch.touched_at = TaskState.WAITING, 0, clock.now()
        tasks.enqueue(JOB, batch.id)
    session.flush()


def marked(batch: ImportBatch) -> bytes:
    """The rows as they were read, with what is wrong in a column of its own, to be put right and uploaded again.

    Raises:
        Conflict: they have been imported.
    """
    if batch.content is None or batch.phase is not ImportPhase.CHECK:
        raise Conflict("导入之后不再保留原来的内容。", fix="请下载问题清单。")
    layout = layout_of(batch.kind, session.get_one(Organisation, batch.org_id))
    return spreadsheets.marked(tables.load(unpack(batch.content)), plan_of(batch).errors, layout)


def discard(batch: ImportBatch) -> None:
    """Throw an upload away. Raises Conflict once its import has begun."""
    if batch.phase not in LOOKING:
        raise Conflict("这份文件已经开始导入，不能放弃。", fix="请等导入完成；导错了可以撤销。")
    session.delete(batch)
    session.flush()


def recent(kind: ImportKind, seat: ActiveSeat, limit: int = 10) -> Sequence[ImportBatch]:
    """This seat's uploads of a kind that can still be looked at, newest first; without their contents."""
    query = select(ImportBatch).where(
        ImportBatch.kind == kind,
        ImportBatch.account_id == seat.account_id,
        ImportBatch.org_id == seat.org_id,
        ImportBatch.expires_at > clock.now(),
    )
    query = query.options(*(defer(column) for column in (ImportBatch.content, ImportBatch.report, ImportBatch.late)))
    return session.scalars(query.order_by(ImportBatch.id.desc()).limit(limit)).all()


def purge() -> int:
    """Delete what has expired. Returns how many."""
    expired = delete(ImportBatch).where(ImportBatch.expires_at <= clock.now())
    return len(session.scalars(expired.returning(ImportBatch.id)).all())


def pack(value: dict[str, Any]) -> str:
    """As it lies in a row."""
    return base64.b64encode(zlib.compress(json.dumps(value, ensure_ascii=False).encode(), level=1)).decode()


def unpack(packed: str) -> dict[str, Any]:
    """What was packed."""
    value: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return value
