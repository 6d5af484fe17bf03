"""``python -m zhtj.serve``, which ``make demo`` runs: everything starts, everything stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import PATIENCE, of_folder, until
from tests.services import free_port
from zhtj.config import ROOT
from zhtj.serve import embedded

FIRST_START = 240.0


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Installation:
    """A data folder, and the environment of an operator who sets nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("ZHTJ_")}
        self.env["ZHTJ_INSTANCE"] = str(folder)

    @contextmanager
    def start(self, port: int) -> Iterator[subprocess.Popen[str]]:
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "zhtj.serve", "--port", str(port)],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                encoding="utf-8",
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def said(self) -> str:
        said = self.folder / "said"
        return said.read_text(encoding="utf-8") if said.exists() else ""

    def processes(self) -> dict[int, str]:
        return of_folder(self.folder)

    def process(self, command: str) -> list[int]:
        return [pid for pid, line in self.processes().items() if command in line]

    def wait_for_start(self, process: subprocess.Popen[str]) -> None:
        until(lambda: "系统已启动" in self.said() or process.poll() is not None, "the start", FIRST_START)
        assert process.poll() is None, self.said()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"))


@pytest.mark.slow("starts the whole system with its demonstration")
def test_from_nothing_to_a_running_system_and_back(installation: Installation) -> None:
    # Given an empty folder
    port = free_port()
    with installation.start(port) as process:
        # When it has started
        installation.wait_for_start(process)

        # Then address and accounts are said, pages are served, the queue is there
        assert f"http://localhost:{port}/" in installation.said()
        assert re.search(r"校级|学校", installation.said())
        assert status(port, "/login") == 200
        assert status(port, "/readyz") == 200

        # And what dies comes back
        for command in (embedded.program().name, "flask --app app worker"):
            # A worker that works has a child of the same name.
            until(lambda name=command: len(installation.process(name)) == 1, f"one {command}")  # type: ignore[misc]
            (before,) = installation.process(command)
            os.kill(before, signal.SIGKILL)
            until(lambda name=command, old=before: installation.process(name) not in ([], [old]), command)  # type: ignore[misc]
        until(lambda: status(port, "/readyz") == 200, "the queue to answer again")

        # And one Ctrl-C stops all
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert installation.processes() == {}
    assert "已全部停止" in installation.said()


@pytest.mark.slow("starts the whole system")
def test_a_second_start_keeps_the_data_and_a_killed_one_leaves_nobody_behind(installation: Installation) -> None:
    port = free_port()
    if "已全部停止" not in installation.said():
        with installation.start(port) as process:
            installation.wait_for_start(process)
            process.terminate()
            process.wait(PATIENCE)
    with installation.start(port) as process:
        installation.wait_for_start(process)
        assert "正在生成演示数据" not in installation.said()
        assert len(installation.processes()) >= 5

        process.kill()

        until(lambda: not installation.processes(), "all processes to end")


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_port_on_which_somebody_listens_is_refused_before_anything_starts(tmp_path: Path, address: str) -> None:
    """Also on the other kind of address: a browser that is told localhost may try that one first."""
    installation = Installation(tmp_path)
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as other:
        # As our own web server does, whose port would be shared silently.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        with installation.start(port) as process:
            assert process.wait(PATIENCE) == 2
    said = installation.said()
    assert f"端口 {port} 已被占用" in said
    assert "正在准备数据库" not in said
    assert installation.processes() == {}
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.slow("starts the whole system")
def test_the_port_is_kept_from_others_while_the_database_is_prepared(installation: Installation) -> None:
    port = free_port()
    with installation.start(port) as process:
        until(lambda: "正在准备数据库" in installation.said(), "the preparation")
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        process.terminate()
        assert process.wait(PATIENCE) == 0


@pytest.mark.slow("starts the whole system")
def test_one_folder_runs_once(installation: Installation) -> None:
    first, second = free_port(), free_port()
    with installation.start(first) as process:
        until(lambda: "正在准备数据库" in installation.said(), "the first to begin")
        other = subprocess.run(
            [sys.executable, "-m", "zhtj.serve", "--port", str(second)],
            cwd=ROOT,
            env=installation.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert other.returncode == 1
    assert f"已经在运行（进程 {process.pid}，端口 {first}）" in other.stdout
