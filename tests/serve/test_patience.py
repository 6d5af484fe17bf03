"""The start waits for a web server that lives and works, however long, and for no other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import PATIENCE
from tests.services import free_port
from zhtj.config import ROOT

pytestmark = pytest.mark.slow("starts servers and waits for them")

QUIET, TELL = 2.0, 1.0


def wait_for(kind: str, folder: Path, *, quiet: float = QUIET) -> tuple[int, str, float]:
    """Exit status of the wait, what it said, how long it took."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.serve.web_rig", kind, str(free_port()), str(quiet), str(TELL), str(folder)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


@pytest.mark.parametrize("kind", ["slow", "pensive"])
def test_a_server_that_works_is_waited_for_longer_than_one_may_be_silent(tmp_path: Path, kind: str) -> None:
    status, said, took = wait_for(kind, tmp_path)

    assert (status, "served" in said) == (0, True), said
    assert took > QUIET
    assert "正在等待网页服务在端口" in said
    assert "进程在运行" in said


@pytest.mark.parametrize("kind", ["idle", "deaf"])
def test_a_server_that_does_nothing_is_given_up(tmp_path: Path, kind: str) -> None:
    status, said, _ = wait_for(kind, tmp_path)

    assert status == 1
    assert "没有应答，也没有任何动作" in said


def test_a_server_that_ends_again_and_again_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    status, said, _ = wait_for("dying", tmp_path)

    assert status == 1
    assert said.count("网页服务意外结束") == 3
    assert "no such module" in said


def test_a_server_whose_workers_die_at_once_is_given_up(tmp_path: Path) -> None:
    status, said, _ = wait_for("losing", tmp_path, quiet=30)

    assert status == 1
    assert "一启动就结束" in said
