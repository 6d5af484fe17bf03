"""Long work that is kept in a row of its own: how far it is, whose turn it is, what became of it.

A job takes the row in hand with ``claim`` and says how far it is with ``advance``; each is one guarded UPDATE. Whoever
claims later is the one that counts: an earlier one, whose worker seemed dead, finds itself ``Overtaken`` at its next
word and stops. Cancelled work ends the same way. The truth is in the row: what lost its job is found by ``lost``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel import clock
from zhtj.kernel.database import Base, StrEnumType, UtcDateTime, session, touched
from zhtj.kernel.work import queue as work_queue

# Work that nobody has touched for so long has lost its job.
LOST_AFTER = timedelta(minutes=2)
# Seconds one job may take.
LONGEST = 3600


class TaskState(StrEnum):
    """How far long work is (任务状态)."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "waiting": "等待处理",
            "running": "正在处理",
            "done": "已完成",
            "failed": "没有完成",
            "cancelled": "已取消",
        }[self.value]

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self in OPEN

    @property
    def is_running(self) -> bool:
        """Whether somebody has it in hand."""
        return self is TaskState.RUNNING

    @property
    def is_done(self) -> bool:
        """Whether all of it was done."""
        return self is TaskState.DONE

    @property
    def has_failed(self) -> bool:
        """Whether it could not go on."""
        return self is TaskState.FAILED


OPEN = frozenset({TaskState.WAITING, TaskState.RUNNING})


class Overtaken(Exception):  # noqa: N818 - an event, no fault
    """Somebody else has taken the work in hand, or it was cancelled: stop."""


class Task:
    """What every row of long work has; mixed into its table.

    ``attempt`` counts who took it in hand; ``done`` of ``total`` is the progress bar; ``problem`` says why it failed.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[TaskState] = mapped_column(StrEnumType(TaskState), default=TaskState.WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(String(300))
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)


def claim(kind: Any, number: int, **values: Any) -> int | None:
    """Take work in hand, within a unit of work.

    Args:
        kind: the table.
        number: id of the row.
        values: written along.

    Returns:
        The attempt, to be named in ``advance`` and ``finish``; None if nothing is to be done any more.
    """
    values = {"state": TaskState.RUNNING, "attempt": kind.attempt + 1, "touched_at": clock.now(), **values}
    taken = update(kind).where(kind.id == number, kind.state.in_(OPEN)).values(values).returning(kind.attempt)
    return session.scalars(taken, execution_options={"synchronize_session": False}).first()


def advance(kind: Any, number: int, attempt: int, **values: Any) -> None:
    """Say how far the work is, within a unit of work. Raises Overtaken."""
    mine = (kind.id == number, kind.attempt == attempt, kind.state == TaskState.RUNNING)
    written = session.execute(
        update(kind).where(*mine).values(touched_at=clock.now(), **values),
        execution_options={"synchronize_session": False},
    )
    if touched(written) != 1:
        raise Overtaken


def finish(kind: Any, number: int, attempt: int, state: TaskState, **values: Any) -> None:
    """End the work, within a unit of work. Raises Overtaken."""
    advance(kind, number, attempt, state=state, **values)


def stop(kind: Any, number: int, state: TaskState = TaskState.CANCELLED) -> bool:
    """Take open work away from whoever has it, within a unit of work. Returns whether it was open."""
    ended = session.execute(
        update(kind)
        .where(kind.id == number, kind.state.in_(OPEN))
        .values(state=state, attempt=kind.attempt + 1, touched_at=clock.now()),
        execution_options={"synchronize_session": False},
    )
    return touched(ended) == 1


def lost(kind: type[Base], at: datetime) -> list[int]:
    """Ids of open work whose job has been silent for too long."""
    table: Any = kind
    query = select(table.id).where(table.state.in_(OPEN), table.touched_at <= at - LOST_AFTER)
    return list(session.scalars(query.order_by(table.id)))


def enqueue(job: str, number: int) -> None:
    """Have a job work on the row once this unit of work has committed; where the queue is away, the sweep finds it."""
    work_queue.after_the_commit(job, number, timeout=LONGEST)


def resume(kind: type[Base], work: Callable[[int], bool], at: datetime) -> tuple[int, int]:
    """Do the work that has lost its job. Returns (found, finished)."""
    numbers = lost(kind, at)
    return len(numbers), sum(work(number) for number in numbers)
