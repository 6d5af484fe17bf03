"""Work on many lines at once: kept, done in chunks, each line with its own result (PD-23).

A run is a list of lines and what to do with them. It is first looked at, then confirmed, then worked off: up to some
hundred lines in the request, more by a job. The result of a line is written in the transaction that does it, so that a
killed job, a second one at the same moment or one that runs again neither loses nor repeats anything; a run whose job
was lost is found by the sweep.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.exc import OperationalError

from zhtj.kernel import audit, clock
from zhtj.kernel.database import (
    session,
    touched,
    unit_of_work,
)
from zhtj.kernel.errors import Conflict, DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work import queue as work_queue
from zhtj.kernel.work.shared import LOOKED_AT_FOR, Shared
from zhtj.people import queries as people
from zhtj.transfers.many import bulk, mass_starts
from zhtj.transfers.many.models import BulkLine, BulkRun, Outcome, RunKind, RunState
from zhtj.transfers.many.results import Result

log = logging.getLogger(__name__)

JOB = "jobs.runs.work_off"
KEPT_FOR = timedelta(days=7)
LINES_A_JOB = 1000
RUNS = Shared(
    BulkRun,
    BulkLine,
    owner=BulkLine.run_id,
    is_open=BulkLine.outcome.is_(None),
    previewed=RunState.PREVIEWED,
    running=(RunState.RUNNING,),
)


@dataclass(frozen=True, slots=True)
class _Work:
    """How one kind of run is done: its function, lines a transaction, most lines within a request."""

    do: Callable[[ActiveSeat, dict[str, Any], Sequence[dict[str, Any]]], list[Result]]
    chunk: int
    at_once: int


WORK = {
    RunKind.DECIDE: _Work(bulk.decide_lines, chunk=500, at_once=500),
    RunKind.TRANSFER_OUT: _Work(mass_starts.start_out, chunk=25, at_once=20),
    RunKind.TRANSFER_IN: _Work(mass_starts.start_in, chunk=25, at_once=20),
}


def keep(
    kind: RunKind,
    seat: ActiveSeat,
    contents: Sequence[dict[str, Any]],
    *,
    key: str,
    title: str,
    options: dict[str, Any] | None = None,
) -> BulkRun:
    """Keep lines to look at; asked again with the same key, it is the same run.

    Args:
        kind: what is to be done.
        seat: whose run it is.
        contents: JSON values of each line, as the kind's room takes them.
        options: what is chosen for all lines.
        key: of the page or upload it comes from.
        title: file or list, as the pages name it.
    """
    values = {
        "kind": kind,
        "account_id": seat.account_id,
        "org_id": seat.org_id,
        "key": key,
        "title": title,
        "options": json.dumps(options or {}, ensure_ascii=False),
        "done": 0,
        "expires_at": clock.now() + LOOKED_AT_FOR,
    }
    lines = [{"content": json.dumps(content, ensure_ascii=False)} for content in contents]
    return RUNS.keep(values, lines, _mine(seat, key))


def of_key(seat: ActiveSeat, key: str) -> BulkRun | None:
    """The run that a page has already begun."""
    return session.scalars(select(BulkRun).where(_mine(seat, key))).first()


def _mine(seat: ActiveSeat, key: str) -> ColumnElement[bool]:
    return and_(BulkRun.account_id == seat.account_id, BulkRun.org_id == seat.org_id, BulkRun.key == key)


def owned(number: int, seat: ActiveSeat) -> BulkRun:
    """The run, if it is this seat's. Raises NotFound, also when it has expired."""
    run = session.get(BulkRun, number)
    if run is None or (run.account_id, run.org_id) != (seat.account_id, seat.org_id) or run.expires_at <= clock.now():
        raise NotFound("没有找到这次批量办理。", fix="核对的内容保留两小时，结果保留七天；请重新选择或上传。")
    return run


def lines(run: BulkRun) -> list[tuple[int, dict[str, Any]]]:
    """Place and content of every line."""
    rows = session.execute(
        select(BulkLine.position, BulkLine.content).where(BulkLine.run_id == run.id).order_by(BulkLine.position)
    )
    return [(position, json.loads(content)) for position, content in rows]


def results(run: BulkRun) -> list[tuple[int, dict[str, Any], Result | None]]:
    """Place, content and result of every line, in order; None where it is not done yet."""
    rows = session.scalars(select(BulkLine).where(BulkLine.run_id == run.id).order_by(BulkLine.position))
    return [(line.position, json.loads(line.content), _result(line)) for line in rows]


def _result(line: BulkLine) -> Result | None:
    if line.outcome is None:
        return None
    said = json.loads(line.answer or "{}")
    return Result(line.outcome is Outcome.DONE, said["text"], said["fix"], line.application_id)


def choose(run: BulkRun, options: dict[str, Any]) -> None:
    """Keep what was chosen for all lines, as long as the run is only looked at."""
    if run.state is RunState.PREVIEWED:
        run.options = json.dumps(options, ensure_ascii=False)
        session.flush()


def confirm(run: BulkRun, refused: dict[int, DomainError] | None = None) -> bool:
    """Let the run go; whoever confirms second finds it under way.

    Args:
        run: looked at so far.
        refused: why not, by position, for lines that were told they would not be done.

    Returns:
        Whether it is to be worked off at once, in the request; otherwise a job will.
    """
    if not RUNS.confirm(run, expires_at=clock.now() + KEPT_FOR):
        return False
    _write(run.id, {position: Result.refusal(error) for position, error in (refused or {}).items()})
    audit.record("bulk.start", "bulk_run", run.id, kind=run.kind.value, lines=run.total)
    if run.total - len(refused or {}) <= WORK[run.kind].at_once:
        return True
    work_queue.after_the_commit(JOB, run.id)
    return False


def discard(run: BulkRun) -> None:
    """Throw away what was only looked at. Raises Conflict for a run that has begun."""
    if run.state is not RunState.PREVIEWED:
        raise Conflict("这次批量办理已经开始，不能放弃。", fix="请查看办理结果。")
    RUNS.delete([run.id])


def work_off(number: int, *, at_most: int = LINES_A_JOB) -> bool:
    """Do lines of a confirmed run, each chunk in a transaction of its own; safe to be killed, repeated, at once.

    Args:
        number: id of the run.
        at_most: lines after which to stop, so that a job stays short.

    Returns:
        Whether all lines are done.
    """
    begun = after = 0
    progress = True
    while begun < at_most:
        run = session.get(BulkRun, number, populate_existing=True)
        if run is None or run.state is not RunState.RUNNING:
            return True
        positions = RUNS.open_positions(number, WORK[run.kind].chunk, after)
        if positions:
            progress = _do_or_bisect(number, positions) > 0 or progress
            begun, after = begun + len(positions), positions[-1]
        elif after == 0:
            _finish(number)
            return True
        elif progress:
            after, progress = 0, False  # once more from the top, for what another had in hand and let go
        else:
            return False
    return False


def _do_or_bisect(number: int, positions: Sequence[int]) -> int:
    """Do these lines in one transaction; what fails is halved until the line at fault stands alone. Returns lines."""
    try:
        return _do(number, positions)
    except OperationalError:
        raise  # the database is away or busy: no line's fault, and the run is taken up again
    except Exception as error:
        if len(positions) == 1:
            if not isinstance(error, DomainError):
                log.exception("line %s of run %s failed", positions[0], number)
            with unit_of_work():
                _write(number, {positions[0]: _failure(error)})
            return 1
    half = len(positions) // 2
    return sum(_do_or_bisect(number, part) for part in (positions[:half], positions[half:]))


def _failure(error: Exception) -> Result:
    if isinstance(error, DomainError):
        return Result.refusal(error)
    return Result(ok=False, text="办理时系统出错，这一行没有办理。", fix="请稍后单独办理，或联系管理员。")


def _do(number: int, positions: Sequence[int]) -> int:
    """Do those of these lines that nobody has done or is doing, and write down what came of each. Returns lines."""
    with unit_of_work():
        run = session.get_one(BulkRun, number)
        taken = [(line.position, json.loads(line.content)) for line in RUNS.hold(number, positions)]
        seat = people.post_seat(run.account_id, run.org_id)
        if seat is None:
            gone = Result(ok=False, text="办理人的任职已经结束，这一行没有办理。", fix="请由现任管理员办理。")
            _write(number, {position: gone for position, _ in taken})
            return len(taken)
        if not taken:
            return 0
        with audit.acting(seat, request=f"run-{number}"):
            answers = WORK[run.kind].do(seat, run.choices, [content for _, content in taken])
        _write(number, dict(zip((position for position, _ in taken), answers, strict=True)))
        return len(taken)


def _write(number: int, answers: dict[int, Result]) -> None:
    """Results of lines, and the run's counts."""
    if not answers:
        return
    session.execute(
        update(BulkLine),
        [
            {
                "run_id": number,
                "position": position,
                "outcome": Outcome.DONE if result.ok else Outcome.FAILED,
                "answer": json.dumps({"text": result.text, "fix": result.fix}, ensure_ascii=False),
                "application_id": result.application_id,
            }
            for position, result in answers.items()
        ],
    )
    good = sum(result.ok for result in answers.values())
    session.execute(
        update(BulkRun)
        .where(BulkRun.id == number)
        .values(
            done=BulkRun.done + good,
            failed=BulkRun.failed + len(answers) - good,
            touched_at=clock.now(),
        ),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()


def _finish(number: int) -> None:
    with unit_of_work():
        ended = session.execute(
            update(BulkRun)
            .where(BulkRun.id == number, BulkRun.state == RunState.RUNNING)
            .values(state=RunState.DONE, touched_at=clock.now()),
            execution_options={"synchronize_session": False},
        )
        if touched(ended) == 1:
            run = session.get_one(BulkRun, number, populate_existing=True)
            audit.record("bulk.end", "bulk_run", number, done=run.done, failed=run.failed)


def resume(at: datetime) -> tuple[int, int]:
    """Work off the runs that have lost their job. Returns (found, finished)."""
    return RUNS.resume(at, work_off)


def purge() -> int:
    """Delete what has expired. Returns how many runs."""
    numbers = list(session.scalars(select(BulkRun.id).where(BulkRun.expires_at <= clock.now())))
    RUNS.delete(numbers)
    return len(numbers)


def recent(seat: ActiveSeat, limit: int = 10) -> Sequence[BulkRun]:
    """This seat's runs that still can be looked at, newest first."""
    query = select(BulkRun).where(
        BulkRun.account_id == seat.account_id, BulkRun.org_id == seat.org_id, BulkRun.expires_at > clock.now()
    )
    return session.scalars(query.order_by(BulkRun.id.desc()).limit(limit)).all()
