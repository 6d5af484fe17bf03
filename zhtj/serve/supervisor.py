"""Keeps a set of child processes alive until it is told to stop, and leaves none behind.

Single-threaded on purpose: signals stay blocked and are taken one by one, so nothing can happen at the wrong moment.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from zhtj.serve import child

STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
SIGNALS = STOP_SIGNALS | {signal.SIGCHLD}
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# A child that has lived this long is healthy: the next time it dies the pauses start anew.
HEALTHY = 60.0
LOG_LIMIT = 5 * 1024 * 1024
TAIL = 15


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """The supervisor was told to stop."""


class StepFailedError(Exception):
    """A step before the start failed; the message is for the operator."""


@dataclass(slots=True)
class Service:
    """One child that is to run all the time.

    Args:
        name: for messages and the name of its log.
        title: Chinese name for the operator.
        command: program and arguments.
        limit: seconds it gets to stop politely.
        before: called before every start.
    """

    name: str
    title: str
    command: Sequence[str | Path]
    limit: float = 10.0
    before: Callable[[], None] | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    pause: float = field(default=FIRST_PAUSE, init=False)
    due: float = field(default=0.0, init=False)
    restarts: int = field(default=0, init=False)


class Supervisor:
    """Starts services in order, restarts those that die, stops them in reverse order.

    Args:
        logs: folder for what the children print.
        env: their environment.
    """

    def __init__(self, logs: Path, env: Mapping[str, str]) -> None:
        self.logs = logs
        self.env = dict(env)
        self.services: list[Service] = []
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        """Take over the signals."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, whatever happened."""
        self.stop()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def pause(self, seconds: float) -> None:
        """Wait, or until a child ends. Raises Stopped."""
        got = signal.sigtimedwait(SIGNALS, max(seconds, 0))
        if got is not None and got.si_signo in STOP_SIGNALS:
            raise Stopped

    def step(self, title: str, command: Sequence[str | Path], name: str = "setup") -> None:
        """Run a command to its end; what it prints goes to the operator, its messages into the log.

        Raises:
            StepFailedError: it failed.
            Stopped: the supervisor was told to stop meanwhile.
        """
        process = child.start(command, env=self.env, log=self.log(name), talks=True)
        try:
            while process.poll() is None:
                self.pause(1)
        finally:
            child.stop(process, 5)
        if process.returncode:
            raise StepFailedError(f"{title}失败（退出码 {process.returncode}）：\n{self.tail(name)}")

    def start(self, service: Service) -> None:
        """Start a service and watch over it from now on."""
        self.services.append(service)
        self._launch(service)

    def tend(self, longest: float = 5.0) -> None:
        """Look after the services once and then wait ``longest`` seconds, or until a child ends. Raises Stopped."""
        now = time.monotonic()
        for service in self.services:
            if service.process is None:
                if now >= service.due:
                    self._launch(service)
            elif service.process.poll() is not None:
                self._bury(service, now)
        waiting = [service.due - now for service in self.services if service.process is None]
        self.pause(min([*waiting, longest]))

    def run(self) -> None:
        """Look after the services until told to stop."""
        with suppress(Stopped):
            while True:
                self.tend()

    def stop(self) -> None:
        """Stop all services, the last started first; a second signal to stop cuts the waiting short."""
        hurry = False
        for service in reversed(self.services):
            process, service.process = service.process, None
            if process is None:
                continue
            process.terminate()
            deadline = time.monotonic() + (0 if hurry else service.limit)
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    self.pause(deadline - time.monotonic())
                except Stopped:
                    hurry = True
                    break
            if process.poll() is None:
                say(f"{service.title}没有按时停止，强制结束。")
            child.stop(process, 0)
        self.services.clear()

    def log(self, name: str) -> Path:
        """The file that receives what the child ``name`` prints; a big one is put aside once."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def tail(self, name: str) -> str:
        """The last lines the child ``name`` printed."""
        path = self.log(name)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        return "\n".join(lines[-TAIL:])

    def _launch(self, service: Service) -> None:
        try:
            if service.before:
                service.before()
            service.process = child.start(service.command, env=self.env, log=self.log(service.name))
        except OSError as error:
            say(f"{service.title}无法启动：{error}")
            self._postpone(service, time.monotonic())
            return
        service.started = time.monotonic()

    def _bury(self, service: Service, now: float) -> None:
        process, service.process = service.process, None
        if process is None:
            return
        child.sweep_up(process)
        if now - service.started > HEALTHY:
            service.pause = FIRST_PAUSE
        say(f"{service.title}意外结束（退出码 {process.returncode}），{service.pause:.0f} 秒后重新启动。")
        self._postpone(service, now)

    def _postpone(self, service: Service, now: float) -> None:
        service.restarts += 1
        service.due = now + service.pause
        service.pause = min(service.pause * 2, LONGEST_PAUSE)


def say(text: str) -> None:
    """Tell the operator; nobody may be listening any more."""
    with suppress(OSError, ValueError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
