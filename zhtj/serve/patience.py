"""Waiting for a process as long as it lives and works: a busy machine is slow, not broken."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zhtj.serve.supervisor import say

# Seconds without any work after which a process that does not answer is taken for stuck.
QUIET = 60.0
# Seconds after which it is said, and said again, what is waited for.
TELL = 15.0
# Seconds after which one asks again on another connection; doubled each time, as whoever is slow needs longer.
ASK_AGAIN = 5.0
CONNECT_LIMIT = 1.0
RUNNABLE = "RD"


class StuckError(Exception):
    """What is waited for neither answers nor works; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What the session that a process opened has done so far.

    Args:
        ticks: processor time it has used.
        is_running: whether a process of it is running or waiting for the disk at this moment.
        children: numbers of the processes that its opener has started and not yet buried.
    """

    ticks: int
    is_running: bool
    children: frozenset[int]


def effort(leader: int) -> Effort:
    """Look at the session of the process ``leader``."""
    ticks, running, children = 0, False, set()
    for process in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = process.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == leader:
                ticks += sum(map(int, fields[11:15]))
                running = running or fields[0] in RUNNABLE
                if int(fields[1]) == leader:
                    children.add(int(process.parent.name))
    return Effort(ticks, running, frozenset(children))


class Patience:
    """The wait for one thing.

    Args:
        what: said to the operator after 正在等待.
        most: children the process may have had one after the other; more means that they end as soon as they begin.
        quiet: seconds without any work after which it is taken for stuck.
        tell: seconds between two lines for the operator.
    """

    def __init__(self, what: str, *, most: int = 100, quiet: float = QUIET, tell: float = TELL) -> None:
        self.what, self.most, self.quiet, self.tell = what, most, quiet, tell
        self.began = self.worked = self.said = time.monotonic()
        self.leader, self.ticks = 0, 0
        self.children: frozenset[int] = frozenset()

    def look(self, process: subprocess.Popen[bytes] | None) -> None:
        """Go on waiting for ``process``, or for its next start if it is None.

        Raises:
            StuckError: it has done nothing for too long, or ends again and again.
        """
        now = time.monotonic()
        if process is None or self._has_worked(process.pid):
            self.worked = now
        if len(self.children) > self.most:
            raise StuckError(f"{self.what}：进程一启动就结束，反复多次。")
        if now - self.worked > self.quiet:
            raise StuckError(f"{self.what}：{now - self.worked:.0f} 秒没有应答，也没有任何动作。")
        if now - self.said > self.tell:
            self.said = now
            say(f"正在等待{self.what}，已 {now - self.began:.0f} 秒；进程在运行，机器忙时会慢一些。")

    def _has_worked(self, leader: int) -> bool:
        seen = effort(leader)
        fresh = (leader, seen.ticks) != (self.leader, self.ticks)
        self.children = seen.children | (self.children if leader == self.leader else frozenset())
        self.leader, self.ticks = leader, seen.ticks
        return fresh or seen.is_running


class Probe:
    """One GET that waits for its answer as long as that takes, without keeping anybody from doing something else.

    Args:
        host, port: the server's address.
        path: of the page.
    """

    def __init__(self, host: str, port: int, path: str) -> None:
        self.address = (host, port)
        self.request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode()
        self.open: list[socket.socket] = []
        self.due, self.interval = 0.0, ASK_AGAIN

    def is_answered(self) -> bool:
        """Whether a 200 has come; asks, and asks again on another connection now and then."""
        now = time.monotonic()
        if not self.open or now >= self.due:
            if self._ask() and len(self.open) > 1:
                self.interval *= 2
            self.due = now + self.interval
        if any(self._has_come(line) for line in tuple(self.open)):
            self.close()
            return True
        return False

    def close(self) -> None:
        """Wait no longer."""
        while self.open:
            self.open.pop().close()

    def _ask(self) -> bool:
        try:
            line = socket.create_connection(self.address, timeout=CONNECT_LIMIT)
        except OSError:
            return False
        self.open.append(line)
        with suppress(OSError):  # said when it is read
            line.sendall(self.request)
        line.setblocking(False)
        return True

    def _has_come(self, line: socket.socket) -> bool:
        try:
            answer = line.recv(64)
        except BlockingIOError:
            return False
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.") and answer.split()[1:2] == [b"200"]:
            return True
        self.open.remove(line)
        line.close()
        return False
