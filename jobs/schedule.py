"""What runs when: a list of data, and the loop that enqueues what is due.

A period is claimed in the database (``kernel.periods``) and its job enqueued in one transaction: if the queue cannot
be reached, the claim is undone and tried again; any number of schedulers may run. After an outage an entry runs once,
at once: the job itself finds all that became due.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.work import periods
from zhtj.kernel.work import queue as work_queue

log = logging.getLogger(__name__)

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# Periods are cut on Shanghai's wall clock, which has kept its distance from UTC since 1991.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC) - timedelta(hours=8)
SWEEP = "jobs.sweeps.run_sweep"
TICK = 5.0


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """Timed work.

    Args:
        name: unique, of letters, digits and hyphens; also the job's id, so that it waits in the queue at most once.
        every: seconds.
        job: dotted path of the function; it gets ``args``.
        args: JSON values.
        offset: seconds after the period's start, in Asia/Shanghai (a daily entry at 03:00 has 3 * HOUR).
    """

    name: str
    every: int
    job: str
    args: tuple[str, ...] = ()
    offset: int = 0

    def period(self, moment: datetime) -> int:
        """The number of the period that ``moment`` falls into."""
        return int(((moment - EPOCH).total_seconds() - self.offset) // self.every)


def sweep(name: str, every: int, offset: int = 0) -> ScheduledJob:
    """An entry that runs one of ``zhtj.sweeps``."""
    return ScheduledJob(f"sweep-{name}", every, SWEEP, (name,), offset)


SCHEDULE: tuple[ScheduledJob, ...] = (
    sweep("return", MINUTE),
    sweep("deliver", MINUTE),
    sweep("seal", MINUTE),
    sweep("remind", DAY, 8 * HOUR),
    sweep("floating", DAY, 8 * HOUR + 5 * MINUTE),
    sweep("files", DAY, 8 * HOUR + 10 * MINUTE),
    sweep("identity", HOUR, 40 * MINUTE),
    sweep("register", HOUR),
    sweep("duplicates", DAY, 4 * HOUR),
    sweep("waits", HOUR, 10 * MINUTE),
    sweep("runs", MINUTE),
    sweep("letters", MINUTE),
    sweep("old-letters", 10 * MINUTE),
    sweep("receipts", DAY, 8 * HOUR + 10 * MINUTE),
    sweep("uploads", 10 * MINUTE),
    sweep("imports", MINUTE),
    sweep("exports", MINUTE),
    sweep("old-exports", 10 * MINUTE),
    sweep("old-runs", 10 * MINUTE),
    sweep("dry-runs", MINUTE),
    sweep("old-dry-runs", 10 * MINUTE),
    sweep("attempts", DAY, 3 * HOUR),
    sweep("convert", DAY, offset=5 * MINUTE),
    sweep("foretell", DAY, 9 * HOUR),
    sweep("rates", DAY, 30 * MINUTE),
)


def tick(schedule: Sequence[ScheduledJob] = SCHEDULE) -> list[str]:
    """Enqueue every entry whose present period nobody has claimed yet; returns their names.

    Raises:
        redis.exceptions.RedisError: the queue cannot be reached; nothing more was claimed.
    """
    moment = clock.now()
    return [entry.name for entry in schedule if _enqueue_once(entry, entry.period(moment))]


def _enqueue_once(entry: ScheduledJob, period: int) -> bool:
    if session.get(periods.SchedulePeriod, (entry.name, period)) is not None:
        return False
    with unit_of_work():
        if not periods.claim(entry.name, period):
            return False
        # Enqueued before the commit, unlike all other work: a job too many does no harm, a missing one would.
        if not work_queue.is_waiting(entry.name):
            work_queue.enqueue(entry.job, *entry.args, job_id=entry.name)
    return True


def run(app: Flask, schedule: Sequence[ScheduledJob] = SCHEDULE, *, stop: threading.Event | None = None) -> None:
    """Tick until told to stop by SIGTERM, SIGINT or ``stop``; a lost queue or database is waited for."""
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    log.info("调度程序已启动：%d 项", len(schedule))
    troubled = False
    while not stop.is_set():
        try:
            with app.app_context():
                for name in tick(schedule):
                    log.debug("已排队：%s", name)
            troubled = False
        except (RedisError, SQLAlchemyError) as error:
            if not troubled:
                log.warning("队列或数据库暂不可用，稍后再试：%s", error)
            troubled = True
        stop.wait(TICK)
