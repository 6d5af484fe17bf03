"""The worker: the application is loaded once, each job runs in a fork of it.

Times are short, so that the job of a killed worker comes back after ``ABANDONED`` plus ``MAINTENANCE`` seconds at most.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
from types import FrameType
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from zhtj.kernel.database import db
from zhtj.kernel.work import queue as work_queue

log = logging.getLogger(__name__)

# Seconds between two signs of life of a running job; after which without one it counts as abandoned; between two looks
# for abandoned ones.
MONITORING = 3
ABANDONED = 10
MAINTENANCE = 5
# RQ waits for work for 15 seconds less than this, and looks for abandoned jobs in between.
WORKER_TTL = 20
# Seconds between two attempts to reach a lost queue.
RECONNECT = 2
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ForkingWorker(Worker):
    """Runs each job in a child that inherits the loaded application but none of its database connections."""

    queue_class = work_queue.WorkQueue

    def __init__(self, app: Flask, queues: list[Queue], **options: Any) -> None:
        super().__init__(
            queues,
            connection=queues[0].connection,
            serializer=JSONSerializer,
            job_monitoring_interval=MONITORING,
            maintenance_interval=MAINTENANCE,
            worker_ttl=WORKER_TTL,
            **options,
        )
        self.app = app
        self.is_asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Remember that it is not the queue's end that ends the work."""
        self.is_asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def get_heartbeat_ttl(self, job: Job) -> int:
        """Seconds until a job without a sign of life is given to someone else."""
        del job
        return ABANDONED

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """The child's life: it must not outlive the worker, whose job would then run twice."""
        parent = os.getppid()
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent != self.pid:
            os._exit(1)
        with self.app.app_context():
            for engine in db.engines.values():
                engine.dispose(close=False)
            super().main_work_horse(job, queue)


def run(app: Flask, *, burst: bool = False) -> None:
    """Work until told to stop by SIGTERM or SIGINT; the job at hand is finished. A lost queue is waited for.

    Args:
        app: the loaded application.
        burst: stop when the queue is empty.
    """
    worker: ForkingWorker | None = None
    # Whoever was asked to stop while the queue was lost does not wait for it.
    while worker is None or not worker.is_asked_to_stop:
        try:
            worker = ForkingWorker(app, [work_queue.queue(work_queue.connect(app))])
            worker.work(burst=burst, logging_level="WARNING")
            if burst:
                return
        except StopRequested:
            return
        except RedisError as error:
            log.warning("队列暂不可用，稍后再试：%s", error)
        if not (worker and worker.is_asked_to_stop):
            time.sleep(RECONNECT)
