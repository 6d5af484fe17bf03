"""The worker: preloaded, forking, and no loss when it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from rq.job import Job

from tests import services
from tests.conftest import KEY, Installation
from tests.processes import PATIENCE, is_running, of_folder, until
from zhtj.config import ROOT
from zhtj.kernel import settings
from zhtj.kernel.database import session
from zhtj.kernel.work import queue as work_queue
from zhtj.serve import embedded


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.fixture
def queue_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "queue"
    folder.mkdir()
    return folder


@pytest.fixture
def queued(installation: Installation, queue_folder: Path) -> Iterator[tuple[Flask, dict[str, str]]]:
    """A fresh database and a fresh queue: the application on them, and the environment of a process on them."""
    app, url = installation.copy()
    with services.own_valkey(queue_folder) as redis_url:
        app.config["ZHTJ"] = replace(app.config["ZHTJ"], redis_url=redis_url)
        env = {
            "ZHTJ_ENV": "test",
            "ZHTJ_INSTANCE": str(queue_folder),
            "ZHTJ_DATABASE_URL": url,
            "ZHTJ_REDIS_URL": redis_url,
            "ZHTJ_SECRET_KEY": "test",
            "ZHTJ_DATA_KEYS": KEY,
        }
        with app.app_context():
            yield app, os.environ | env
            session.remove()


@contextmanager
def worker(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "tests.jobs.tasks"], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow("starts workers and kills one")
def test_a_killed_workers_job_comes_back_and_is_done_once(queued: tuple[Flask, dict[str, str]], tmp_path: Path) -> None:
    # Given a job in the middle of its work
    _, env = queued
    with worker(env) as first:
        job = work_queue.enqueue("tests.jobs.tasks.hold", str(tmp_path))
        until(lambda: lines(tmp_path / "begun"), "the job to begin")
        child = int(lines(tmp_path / "begun")[0])

        # When its worker is killed outright
        first.kill()
        first.wait()

        # Then the job's process goes with it
        until(lambda: not is_running(child), "the job's process to end")

    # And another worker does the job, once
    with worker(env) as second:
        until(lambda: len(lines(tmp_path / "begun")) == 2, "the job to come back")
        (tmp_path / "go").touch()
        until(lambda: lines(tmp_path / "ended"), "the job to end")
        until(lambda: job.get_status() == "finished", "the job to be booked as finished")
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE) == 0
    assert len(lines(tmp_path / "ended")) == 1
    assert settings.get("held") == "x"


@pytest.mark.slow("starts a worker")
def test_a_polite_stop_lets_the_job_finish(queued: tuple[Flask, dict[str, str]], tmp_path: Path) -> None:
    _, env = queued
    with worker(env) as process:
        work_queue.enqueue("tests.jobs.tasks.hold", str(tmp_path))
        until(lambda: lines(tmp_path / "begun"), "the job to begin")

        process.terminate()
        time.sleep(0.3)
        (tmp_path / "go").touch()

        assert process.wait(PATIENCE) == 0
    assert len(lines(tmp_path / "ended")) == 1


@pytest.mark.slow("starts a worker")
def test_a_job_has_database_connections_of_its_own(queued: tuple[Flask, dict[str, str]]) -> None:
    _, env = queued
    with worker(env):
        job: Job = work_queue.enqueue("tests.jobs.tasks.shared_connections")
        until(lambda: job.get_status() == "finished", "the job to finish")
        assert job.return_value() == 0


def test_jobs_travel_as_json(queued: tuple[Flask, dict[str, str]]) -> None:
    del queued
    job = work_queue.enqueue("jobs.sweeps.run_sweep", "return")

    packed = work_queue.connection().hget(job.key, "data")

    assert isinstance(packed, bytes)
    data = zlib.decompress(packed)
    assert json.loads(data)[2] == ["return"]


@pytest.mark.slow("starts a worker, and its queue twice")
def test_a_worker_outlives_its_queue(queued: tuple[Flask, dict[str, str]], queue_folder: Path, tmp_path: Path) -> None:
    # Given a worker that has done a job
    _, env = queued
    (tmp_path / "go").touch()
    with worker(env) as process:
        work_queue.enqueue("tests.jobs.tasks.hold", str(tmp_path))
        until(lambda: len(lines(tmp_path / "ended")) == 1, "the first job")

        # When the queue is killed and comes back empty
        for pid, command in of_folder(queue_folder).items():
            if embedded.program().name in command:
                os.kill(pid, signal.SIGKILL)
                until(lambda gone=pid: not is_running(gone), "the queue to end")  # type: ignore[misc]
        with services.own_valkey(queue_folder):
            work_queue.enqueue("tests.jobs.tasks.hold", str(tmp_path))

            # Then the same worker goes on
            until(lambda: len(lines(tmp_path / "ended")) == 2, "the second job")
            assert process.poll() is None
