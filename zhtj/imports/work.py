"""Long imports: read, check, write, undo - by a job, part by part, with a progress bar (PD-31, PD-36).

A part is written in one transaction with the mark how far the batch is, so that a killed worker, a second one or one
that runs again neither loses nor doubles a row. What went wrong since the check is kept as an error of its row.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from zhtj.imports import batches, undo
from zhtj.imports.files import tables
from zhtj.imports.files.layouts import NAME
from zhtj.imports.files.problems import FileError, ImportProblem
from zhtj.imports.files.tables import ImportTable, load
from zhtj.imports.members import rosters
from zhtj.imports.members.rosters import Checking
from zhtj.imports.models import Done, ImportBatch, ImportEntry, ImportKind, ImportPhase
from zhtj.imports.plans import Plan
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work import tasks
from zhtj.kernel.work.tasks import Overtaken, TaskState
from zhtj.orgs.models import Organisation
from zhtj.people import queries as people
from zhtj.people.models import Member

log = logging.getLogger(__name__)

PART = 1000
"""Rows written in one transaction."""


def work_off(number: int) -> bool:
    """Do what a batch waits for; safe to be killed, repeated, at once. Returns whether it was done.

    Args:
        number: id of the batch.
    """
    with unit_of_work():
        attempt = tasks.claim(ImportBatch, number)
    if attempt is None:
        return False
    try:
        _Work(number, attempt).go()
    except Overtaken:
        return False
    except OperationalError:
        raise  # the database is away or busy: taken up again
    except Exception as error:
        if not isinstance(error, DomainError):
            log.exception("import %s failed", number)
        said = str(error) if isinstance(error, DomainError) else "处理时系统出错，可以重试。"
        _give_up(number, attempt, said[:300])
        return False
    return True


def _give_up(number: int, attempt: int, problem: str) -> None:
    try:
        with unit_of_work():
            tasks.finish(ImportBatch, number, attempt, TaskState.FAILED, problem=problem)
    except Overtaken:
        return


def resume(at: datetime) -> tuple[int, int]:
    """Do the imports that have lost their job. Returns (found, done)."""
    return tasks.resume(ImportBatch, work_off, at)


class _Work:
    """One attempt at a batch."""

    def __init__(self, number: int, attempt: int) -> None:
        self.number = number
        self.attempt = attempt
        batch = self.batch()
        seat = people.post_seat(batch.account_id, batch.org_id)
        if seat is None:
            raise DomainError("您的任职已经结束，没有处理。")
        self.seat: ActiveSeat = seat

    def batch(self) -> ImportBatch:
        """As it is now."""
        return session.get_one(ImportBatch, self.number, populate_existing=True)

    def go(self) -> None:
        """Do the present phase, and what follows it without being asked."""
        phase = self.batch().phase
        if phase is ImportPhase.READ:
            self.read()
            phase = ImportPhase.CHECK
        {ImportPhase.CHECK: self.check, ImportPhase.WRITE: self.write, ImportPhase.UNDO: self.undo}[phase]()

    def tell(self, done: int) -> None:
        """Move the progress bar."""
        with unit_of_work():
            tasks.advance(ImportBatch, self.number, self.attempt, done=done)

    def read(self) -> None:
        """Take the file apart."""
        batch = self.batch()
        data = base64.b64decode(batches.unpack(batch.content or "")["file"])
        try:
            table = batches.read(batch.kind, data, batch.filename, batch.org_id)
        except FileError as error:
            with unit_of_work(), audit.acting(self.seat, request=f"import-{self.number}"):
                batches.refused(batch.kind, batch.org_id, batch.filename, len(data), error)
            raise
        packed = batches.pack(tables.dump(table))
        with unit_of_work():
            values = {"content": packed, "phase": ImportPhase.CHECK, "done": 0, "total": len(table.rows)}
            tasks.advance(ImportBatch, self.number, self.attempt, **values)

    def check(self) -> None:
        """Look at every row, and keep what was found."""
        self.tell(0)
        batch = self.batch()
        table = load(batches.unpack(batch.content or ""))
        plan = batches.preview(batch, table, self.tell)
        report = batches.pack(plan.as_dict())
        with unit_of_work():
            values = {"report": report, "done": len(table.rows), "total": len(table.rows)}
            tasks.finish(ImportBatch, self.number, self.attempt, TaskState.DONE, **values)

    def write(self) -> None:
        """Import the rows without errors."""
        batch = self.batch()
        table, report = load(batches.unpack(batch.content or "")), batches.plan_of(batch)
        bad = {problem.row for problem in report.errors}
        good = table.only([row for row in table.rows if row.number not in bad])
        if batch.kind is ImportKind.MEMBERS:
            self.members(good, report)
            return
        with unit_of_work(), audit.acting(self.seat, request=f"import-{self.number}"):
            tasks.advance(ImportBatch, self.number, self.attempt)
            batch = self.batch()
            plan = batches.preview(batch, good)
            done = batches.write(plan, batch)
            report.errors += plan.errors
            self.settle(report, done)

    def members(self, good: ImportTable, report: Plan) -> None:
        """Import a roster part by part."""
        batch = self.batch()
        begun = batch.done
        checking = Checking(session.get_one(Organisation, batch.org_id))
        for done, part in good.only(good.rows[begun:]).parts(PART):
            self.part(checking, part, begun + done - len(part.rows))
        with unit_of_work(), audit.acting(self.seat, request=f"import-{self.number}"):
            self.finish_members(report)

    def part(self, checking: Checking, part: ImportTable, before: int) -> None:
        """Write some rows in one transaction; where somebody else was first, they are halved until he is found."""
        after = before + len(part.rows)
        try:
            with unit_of_work(), audit.acting(self.seat, request=f"import-{self.number}"):
                tasks.advance(ImportBatch, self.number, self.attempt, done=after)
                plan = checking.part(part)
                batches.remember(self.number, rosters.write(plan))
                self.late(plan.errors)
        except Conflict as error:
            if len(part.rows) > 1:
                half = len(part.rows) // 2
                self.part(checking, part.only(part.rows[:half]), before)
                self.part(checking, part.only(part.rows[half:]), before + half)
                return
            with unit_of_work():
                tasks.advance(ImportBatch, self.number, self.attempt, done=after)
                self.late([ImportProblem(part.rows[0].number, NAME, error.message, "请重新上传这一行。")])

    def late(self, problems: Sequence[ImportProblem]) -> None:
        """Keep what went wrong since the check."""
        if problems:
            batch = self.batch()
            known = batches.unpack(batch.late)["errors"] if batch.late else []
            batch.late = batches.pack({"errors": known + [problem.as_dict() for problem in problems]})
            session.flush()

    def finish_members(self, report: Plan) -> None:
        """The outcome of a roster: what was found before, less what went wrong since."""
        batch = self.batch()
        late = [ImportProblem.restored(one) for one in batches.unpack(batch.late)["errors"]] if batch.late else []
        missed = {problem.row for problem in late}
        updates = [update for update in report.updates if update.row not in missed]
        entries = select(ImportEntry.how).where(ImportEntry.batch_id == self.number)
        created = [how for how in session.scalars(entries) if how is not Done.UPDATED]
        report.errors, report.updates, report.created = report.errors + late, updates, len(created)
        places = (
            select(Member.org_id)
            .join(ImportEntry, ImportEntry.member_id == Member.id)
            .where(ImportEntry.batch_id == self.number)
            .distinct()
        )
        rosters.finish(report, session.scalars(places).all(), batch.org_id)
        self.settle(report, report.accepted)

    def settle(self, report: Plan, done: int) -> None:
        """Keep the outcome instead of the rows."""
        values = {
            "applied_at": clock.now(),
            "content": None,
            "late": None,
            "report": batches.pack(report.as_dict()),
            "done": done,
            "total": done,
            "expires_at": clock.now() + batches.KEPT_FOR,
        }
        tasks.finish(ImportBatch, self.number, self.attempt, TaskState.DONE, **values)

    def undo(self) -> None:
        """Take back what the batch did."""
        with unit_of_work(), audit.acting(self.seat, request=f"import-{self.number}"):
            tasks.advance(ImportBatch, self.number, self.attempt)
            undo.undo(self.batch())
            values = {"undone_at": clock.now(), "done": 1, "total": 1}
            tasks.finish(ImportBatch, self.number, self.attempt, TaskState.DONE, **values)
