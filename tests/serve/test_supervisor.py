"""The supervisor: nothing stays down, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from tests.processes import PATIENCE, is_running, until
from zhtj.config import ROOT

pytestmark = pytest.mark.slow("starts processes")


def numbers(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def started_times(path: Path, times: int) -> bool:
    return len(numbers(path)) == times


def output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


@contextmanager
def rig(folder: Path, *services: str, limit: float = 10) -> Iterator[subprocess.Popen[str]]:
    """A supervisor in a process of its own, with all its services up."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.serve.rig", str(folder), str(limit), *services],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        for service in services:
            until(partial(numbers, folder / service.partition("=")[0]), service)
        yield process
    finally:
        process.kill()
        process.wait()
        output(process).close()


def test_one_signal_stops_all_the_last_started_first(tmp_path: Path) -> None:
    with rig(tmp_path, "queue=obedient", "web=obedient", "worker=obedient") as supervisor:
        supervisor.send_signal(signal.SIGINT)

        assert supervisor.wait(PATIENCE) == 0
    assert (tmp_path / "stopped").read_text().split() == ["worker", "web", "queue"]


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    with rig(tmp_path, "web=obedient", "worker=obedient") as supervisor:
        os.kill(numbers(tmp_path / "web")[0], signal.SIGKILL)

        until(lambda: len(numbers(tmp_path / "web")) == 2, "a second web")
        supervisor.terminate()
        assert supervisor.wait(PATIENCE) == 0
        assert "web意外结束" in output(supervisor).read()
    assert len(numbers(tmp_path / "worker")) == 1


def test_pauses_between_restarts_grow(tmp_path: Path) -> None:
    with rig(tmp_path, "web=obedient"):
        started = []
        for attempt in range(1, 4):
            until(partial(started_times, tmp_path / "web", attempt), f"start {attempt}")
            started.append(time.monotonic())
            os.kill(numbers(tmp_path / "web")[-1], signal.SIGKILL)

    assert started[1] - started[0] >= 0.9
    assert started[2] - started[1] >= 1.9


def test_the_stubborn_are_stopped_by_force_with_all_they_started(tmp_path: Path) -> None:
    with rig(tmp_path, "mule=stubborn", limit=0.5) as supervisor:
        until(lambda: len(numbers(tmp_path / "mule")) == 2, "its child")
        supervisor.terminate()

        assert supervisor.wait(PATIENCE) == 0
        assert "强制结束" in output(supervisor).read()
    until(lambda: not any(map(is_running, numbers(tmp_path / "mule"))), "both to be gone")


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with rig(tmp_path, "mule=stubborn", limit=60) as supervisor:
        supervisor.send_signal(signal.SIGINT)
        time.sleep(0.3)
        supervisor.send_signal(signal.SIGINT)

        assert supervisor.wait(PATIENCE) == 0


def test_a_killed_supervisor_leaves_nobody_behind(tmp_path: Path) -> None:
    with rig(tmp_path, "queue=obedient", "web=obedient") as supervisor:
        supervisor.kill()

        children = numbers(tmp_path / "queue") + numbers(tmp_path / "web")
        until(lambda: not any(map(is_running, children)), "the children to be gone")


def test_it_goes_on_when_nobody_listens_any_more(tmp_path: Path) -> None:
    with rig(tmp_path, "web=obedient") as supervisor:
        output(supervisor).close()
        os.kill(numbers(tmp_path / "web")[0], signal.SIGKILL)

        until(lambda: len(numbers(tmp_path / "web")) == 2, "a second web")
        supervisor.terminate()
        assert supervisor.wait(PATIENCE) == 0
