"""A private PostgreSQL and a private Valkey for the tests.

    with postgres_url() as url: ...   # an empty database of its own
    with redis_url() as url: ...      # an empty numbered database of its own

All processes of one test run share the two servers. A keeper process starts each when it is first asked for and stops
them when the last test process has gone, in whatever way it went: every user holds a connection to the keeper.
"""

from __future__ import annotations

import fcntl
import functools
import itertools
import os
import pwd
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import psycopg
from redis import Redis

from zhtj.serve import child, embedded
from zhtj.serve.patience import Patience

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT = 60.0
REDIS_DATABASES = 64
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "jit": "off",
    "max_connections": "80",
    "shared_buffers": os.environ.get("ZHTJ_TEST_BUFFERS", "64MB"),
    "max_wal_size": "1GB",
    "timezone": "UTC",
}
_counter = itertools.count(1)


@contextmanager
def postgres_url() -> Iterator[str]:
    """An empty database on the run's PostgreSQL, dropped after the block; yields its SQLAlchemy URL."""
    server = _ask("postgres")
    name = f"zhtj_{os.getpid()}_{next(_counter)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield f"{server}/{name}".replace("postgresql://", "postgresql+psycopg://")
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def redis_url() -> Iterator[str]:
    """An empty numbered database on the run's Valkey; yields its URL."""
    url = _ask("redis")
    with Redis.from_url(url) as redis:
        redis.flushdb()
    yield url


@contextmanager
def own_valkey(folder: Path) -> Iterator[str]:
    """A Valkey for one test alone, which may kill it; yields its URL."""
    with embedded.running(folder) as url:
        yield url


def bundled_fonts(folder: Path) -> dict[str, str]:
    """Environment in which a browser knows the Chinese fonts of the Python packages; writes into ``folder``."""
    from zhtj.letters.printing.fonts import face  # noqa: PLC0415 - only browser tests need it

    fonts = face().parent
    settings = folder / "fonts.conf"
    settings.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f'<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{fonts}</dir></fontconfig>',
        encoding="utf-8",
    )
    return {"FONTCONFIG_FILE": str(settings)}


# The keeper, seen from a test process


def _ask(service: str) -> str:
    line = _connection(os.getpid())
    line.write(service + "\n")
    line.flush()
    kind, _, answer = line.readline().rstrip("\n").partition(" ")
    if kind != "ok":
        raise RuntimeError(f"{service}: {answer or 'the keeper of the test services died'}")
    return answer


@functools.cache
def _connection(_process: int) -> TextIO:
    """This process's connection to the keeper, which lives as long as the process does."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"single{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"zhtj-test-{os.getuid()}-{run[-12:]}"
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        # Others must pass through it to the database's own folder.
        folder.mkdir(mode=0o711, exist_ok=True)
        with suppress(OSError), (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "keeper.sock").exists():
                _start_keeper(folder)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(folder / "keeper.sock"))
                return client.makefile("rw", encoding="utf-8")
        time.sleep(0.05)
    raise RuntimeError(f"the keeper of the test services does not answer: see {folder}/keeper.log")


def _start_keeper(folder: Path) -> None:
    with (folder / "keeper.log").open("ab") as log:
        command = [sys.executable, "-m", "tests.services", str(folder)]
        subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
    deadline = time.monotonic() + START_LIMIT
    while not (folder / "keeper.sock").exists():
        if time.monotonic() > deadline:
            raise RuntimeError((folder / "keeper.log").read_text())
        time.sleep(0.02)


# The keeper itself


class Keeper:
    """Starts what it is asked for, and stops it all when nobody is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.databases = itertools.count()
        self.postgres = ""
        self.servers: dict[str, tuple[subprocess.Popen[bytes], int]] = {}

    def serve(self) -> None:
        """Answer until the last user has gone."""
        with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
            # Bound under another name first: whoever sees the name may connect.
            listener.bind(str(self.folder / "keeper.new"))
            listener.listen(64)
            (self.folder / "keeper.new").rename(self.folder / "keeper.sock")
            selector.register(listener, selectors.EVENT_READ)
            users, deadline = 0, time.monotonic() + START_LIMIT
            while True:
                for key, _ in selector.select(timeout=1):
                    if key.fileobj is listener:
                        user = listener.accept()[0]
                        selector.register(user, selectors.EVENT_READ, user)
                        users, deadline = users + 1, 0
                    elif not self._answer(key.data):
                        selector.unregister(key.data)
                        key.data.close()
                        users -= 1
                if not users and time.monotonic() > deadline and self._nobody_comes(selector):
                    return

    def _nobody_comes(self, selector: selectors.BaseSelector) -> bool:
        """Close the door, unless somebody stands in it."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if selector.select(timeout=0):
                return False
            (self.folder / "keeper.sock").unlink()
            (self.folder / "lock").unlink()
            return True

    def _answer(self, user: socket.socket) -> bool:
        """Serve one request; False when the user has gone."""
        try:
            request = user.recv(100).decode().strip()
            if not request:
                return False
            try:
                reply = "ok " + (self._postgres() if request == "postgres" else self._redis())
            except Exception as error:  # noqa: BLE001 - told to the one who asked
                reply = f"error {type(error).__name__}: {error}".replace("\n", " | ")
            user.sendall((reply + "\n").encode())
        except OSError:
            return False
        return True

    def _redis(self) -> str:
        folder = self.folder / "redis"
        if "redis" not in self.servers:
            folder.mkdir(exist_ok=True)
            self.servers["redis"] = (embedded.start(folder, databases=REDIS_DATABASES), signal.SIGTERM)
        return f"{embedded.embedded_redis_url(folder)}?db={next(self.databases) % REDIS_DATABASES}"

    def _postgres(self) -> str:
        if "postgres" not in self.servers:
            process, self.postgres = _start_postgres(self.folder / "postgres")
            self.servers["postgres"] = (process, signal.SIGINT)
        return self.postgres

    def close(self) -> None:
        """Stop the servers and remove the folder."""
        for process, number in self.servers.values():
            child.stop(process, 10, number)
        shutil.rmtree(self.folder, ignore_errors=True)


def _unprivileged() -> int | None:
    """PostgreSQL refuses root: then somebody who owns nothing."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise RuntimeError("no unprivileged user to run PostgreSQL as")


def _programs() -> Path:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    other = shutil.which("initdb")
    if not found and not other:
        raise RuntimeError("PostgreSQL is not installed: make setup-dev")
    return found[-1].parent if found else Path(str(other)).resolve().parent


def _start_postgres(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server in ``folder``; returns its process and its address without a database's name."""
    user, programs, data = _unprivileged(), _programs(), folder / "data"
    folder.mkdir(mode=0o700)
    # The port is open to everybody on this machine, hence a password.
    password = secrets.token_hex(16)
    secret = folder / "password"
    secret.write_text(password)
    if user is not None:
        for path in (folder, secret):
            os.chown(path, user, -1)
    # Some of its programs insist on reading the folder they start in.
    how = ["-U", "zhtj", f"--pwfile={secret}", "--auth-local=trust", "--auth-host=password"]
    made = child.start(
        [programs / "initdb", "-D", data, *how, "-E", "UTF8", "--locale=C", "--no-sync"], user=user, cwd=folder
    )
    _finish(made, "initdb")
    port = free_port()
    settings = [part for name, value in POSTGRES_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    process = child.start(
        [programs / "postgres", "-D", data, "-k", folder, "-p", str(port), *settings],
        user=user,
        cwd=folder,
        death_signal=signal.SIGINT,
    )
    address = f"postgresql://zhtj:{password}@127.0.0.1:{port}"
    patience = Patience("PostgreSQL")
    while True:
        try:
            psycopg.connect(f"{address}/postgres").close()
        except psycopg.OperationalError as error:
            if process.poll() is not None:
                raise RuntimeError("postgres did not start") from error
            patience.look(process)
            time.sleep(0.05)
        else:
            return process, address


def _finish(process: subprocess.Popen[bytes], what: str) -> None:
    patience = Patience(what)
    while process.poll() is None:
        patience.look(process)
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(f"{what} failed")


def free_port() -> int:
    """A TCP port of the loopback address that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _main(folder: Path) -> None:
    # Nobody's child and in a session of its own: a Ctrl-C must not reach it before the tests have ended.
    if os.fork():
        os._exit(0)
    os.setsid()
    keeper = Keeper(folder)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        keeper.serve()
    finally:
        keeper.close()


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
