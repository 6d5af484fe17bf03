"""Trying a layer by a job: safe to be killed, repeated, at once; each chunk is read unwritable, then noted down."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.exc import OperationalError

from zhtj.editions import operations
from zhtj.editions.comparing import Compared, DryRun
from zhtj.editions.models import DryRunLine, DryRunTask
from zhtj.kernel.database import insert_rows, reading_only, session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.work import tasks
from zhtj.kernel.work.tasks import Overtaken, TaskState

log = logging.getLogger(__name__)


def work_off(number: int) -> bool:
    """Go on with a dry run where it stands. Returns whether it is done."""
    with unit_of_work():
        attempt = tasks.claim(DryRunTask, number)
    if attempt is None:
        return False
    try:
        _try(number, attempt)
    except Overtaken:
        return False
    except OperationalError:
        raise  # the database is away or busy: taken up again
    except Exception as error:
        if not isinstance(error, DomainError):
            log.exception("dry run %s failed", number)
        said = str(error) if isinstance(error, DomainError) else "试行时系统出错，请稍后重试。"
        _give_up(number, attempt, said)
        return False
    return True


def _try(number: int, attempt: int) -> None:
    task = session.get_one(DryRunTask, number, populate_existing=True)
    run, counts, last = operations.run_of(task), operations.counts_of(task), task.last_id
    run.check()
    while found := _chunk(run, last):
        counts.add(found)
        last = found[-1].application_id
        with unit_of_work():
            tasks.advance(DryRunTask, number, attempt, done=counts.total, counts=counts.as_dict(), last_id=last)
            _keep(number, found)
        session.expunge_all()
    with unit_of_work():
        kept = {"counts": counts.as_dict(), "done": counts.total, "total": counts.total}
        tasks.finish(DryRunTask, number, attempt, TaskState.DONE, **kept)


def _chunk(run: DryRun, last: int) -> list[Compared]:
    with reading_only():
        return next(run.chunks(last), [])


def _keep(number: int, found: list[Compared]) -> None:
    lines = [
        {
            "run_id": number,
            "application_id": one.application_id,
            "reason": one.reason.value,
            "differences": f" {' '.join(each.difference.value for each in one.changes)} ",
            "changes": [[each.difference.value, each.before, each.after] for each in one.changes],
        }
        for one in found
        if one.changes
    ]
    insert_rows(DryRunLine, lines)


def _give_up(number: int, attempt: int, problem: str) -> None:
    try:
        with unit_of_work():
            tasks.finish(DryRunTask, number, attempt, TaskState.FAILED, problem=problem)
    except Overtaken:
        return


def resume(at: datetime) -> tuple[int, int]:
    """Go on with dry runs that have lost their job. Returns (found, done)."""
    return tasks.resume(DryRunTask, work_off, at)
