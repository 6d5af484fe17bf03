"""The queue of background work (RQ on Redis or Valkey).

Jobs are named by their dotted path, so that no room needs to import ``jobs``, and carry ids and plain values only: they
travel as JSON. Whoever writes first enqueues ``after_the_commit``. The truth is in the database: a lost queue costs
time, never work.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Flask, current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Retry
from rq.serializers import JSONSerializer

from zhtj.kernel.database import after_commit

if TYPE_CHECKING:
    from rq.job import Job

log = logging.getLogger(__name__)

NAME = "zhtj"
EXTENSION = "zhtj_work_queue"
# The kernel takes at most 107 bytes for the address of a unix socket.
SOCKET_PATH_LIMIT = 100
JOB_TIMEOUT = 180
# Long enough to look a failure up, short enough not to fill the memory.
FAILURE_KEPT = 7 * 24 * 3600
MAINTENANCE_LOCK = 30


class WorkQueue(Queue):
    """RQ's queue whose maintenance lock does not outlive a killed worker by a quarter of an hour."""

    def acquire_maintenance_lock(self) -> bool:
        """Take the lock for half a minute; cleaning takes milliseconds."""
        return bool(self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=MAINTENANCE_LOCK))


def socket_path(instance: Path) -> Path:
    """Where the embedded queue listens: in ``instance``, or in a short private folder if that path is too long."""
    path = instance.resolve() / "queue.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    short = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"zhtj-{os.getuid()}-{short}" / "queue.sock"


def embedded_redis_url(instance: Path) -> str:
    """The address of the embedded queue of the installation whose data lies in ``instance``."""
    return "unix://" + quote(str(socket_path(instance)))


def connect(app: Flask | None = None) -> Redis:
    """A new connection pool to the queue of ``app`` (default: the current one); it connects when first used.

    The address is ``ZHTJ_REDIS_URL``, or that of the embedded queue.
    """
    conf = (app or current_app).config["ZHTJ"]
    url = conf.redis_url or embedded_redis_url(conf.instance)
    return Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)


def connection() -> Redis:
    """The current application's connection pool."""
    app = current_app
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = connect()
    pool: Redis = app.extensions[EXTENSION]
    return pool


def reachable() -> bool:
    """Whether the current application's queue answers."""
    try:
        return bool(connection().ping())
    except RedisError:
        return False


def queue(redis: Redis | None = None) -> WorkQueue:
    """The one queue, on the current application's connection unless another is given."""
    return WorkQueue(NAME, connection=redis or connection(), serializer=JSONSerializer, default_timeout=JOB_TIMEOUT)


def enqueue(function: str, *args: Any, job_id: str | None = None, timeout: int = JOB_TIMEOUT, retries: int = 2) -> Job:
    """Put a job at the end of the queue.

    Args:
        function: dotted path of a function in ``jobs``.
        args: JSON values: ids, names, ISO times.
        job_id: a name of the caller's; None lets the queue choose one.
        timeout: seconds after which the job is stopped.
        retries: how often it is run again after it failed or its worker died.

    Raises:
        redis.exceptions.RedisError: the queue cannot be reached.
    """
    return queue().enqueue_call(
        function,
        args=args,
        job_id=job_id,
        timeout=timeout,
        result_ttl=3600,
        failure_ttl=FAILURE_KEPT,
        retry=Retry(max=retries) if retries else None,
    )


def after_the_commit(function: str, *args: Any, timeout: int = JOB_TIMEOUT) -> None:
    """Enqueue once this unit of work has committed; where the queue cannot be reached, the sweep finds the work."""

    def send() -> None:
        try:
            enqueue(function, *args, timeout=timeout)
        except RedisError as error:
            log.warning("%s %s waits for the sweep, the queue cannot be reached: %s", function, args, error)

    after_commit(send)


def is_waiting(job_id: str) -> bool:
    """Whether a job of this name waits or runs."""
    place = queue()
    return place.get_job_position(job_id) is not None or job_id in place.started_job_registry.get_job_ids()
