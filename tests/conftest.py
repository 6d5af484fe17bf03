"""What every test stands on: both databases, a clock that stands still, one transaction a test.

A test that asks for ``session`` or ``client`` runs on SQLite and on PostgreSQL, inside a transaction that is undone.
A test of concurrency asks for ``live`` instead: a fresh database of its own with real commits.
"""

from __future__ import annotations

import copy
import fcntl
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Config, Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from tests import services, timing
from tests.guards import html
from tests.world import World
from zhtj.factory import create_app
from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.database import _LENT, db, lent
from zhtj.kernel.sql import planner, replica
from zhtj.kernel.work import queue as work_queue
from zhtj.people.signing import passwords
from zhtj.policy import seasons
from zhtj.policy.layers import compose, lineage

pytest_plugins = ("tests.timing", "tests.choosing")

BACKENDS = ("sqlite", "postgresql")
KEY = crypto.generate_key()
SCHEMA = "schema"
HEAVY, LIGHT = passwords._hasher, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
NOON = clock.parse("2026-10-14T09:00")


def pytest_collection_finish() -> None:
    """Whatever is read by now stays until the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class Installation:
    """One application on one database, built once a process and kind; the schema is migrated once a run.

    Args:
        shared: a folder that all processes of the run see.
    """

    def __init__(self, backend: str, folder: Path, shared: Path, stack: ExitStack) -> None:
        self.backend = backend
        self.folder, self.shared = folder, shared
        self.server = "" if backend == "sqlite" else stack.enter_context(services.postgres_url())
        self.number = 0
        self.app = self.build(self._url(self._name("template")))
        with (shared / f"{backend}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / f"{backend}.migrated").exists():
                self._migrate()
        self._fill(self._name("template"))

    def build(self, url: str, **more: str) -> Flask:
        """An application on ``url``, with ``more`` variables."""
        return create_app(
            {
                "ZHTJ_ENV": "test",
                "ZHTJ_INSTANCE": str(self.folder),
                "ZHTJ_DATABASE_URL": url,
                "ZHTJ_SECRET_KEY": "test",
                "ZHTJ_DATA_KEYS": KEY,
                **more,
            }
        )

    def copy(self) -> tuple[Flask, str]:
        """A fresh empty database of its own, for tests that commit; the application and its address."""
        self.number += 1
        name = self._name(f"live{self.number}")
        self._fill(name)
        return twin(self.app, self._url(name)), self._url(name)

    def _migrate(self) -> None:
        if self.server:
            self._admin(f'CREATE DATABASE "{SCHEMA}"')
        app = twin(self.app, self._url(SCHEMA))
        with app.app_context():
            upgrade()
            db.engine.dispose()
        (self.shared / f"{self.backend}.migrated").touch()

    def _fill(self, name: str) -> None:
        """Make a database of this name that has the schema."""
        if self.server:
            self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{SCHEMA}"')
        else:
            shutil.copy(self.shared / f"{SCHEMA}.db", self.folder / f"{name}.db")

    def _name(self, name: str) -> str:
        return f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"

    def _url(self, name: str) -> str:
        if self.server:
            return self.server.rsplit("/", 1)[0] + "/" + name
        return f"sqlite:///{(self.shared if name == SCHEMA else self.folder) / name}.db"

    def _admin(self, statement: str) -> None:
        engine = create_engine(
            self.server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


# What an application holds on to that belongs to its own database or queue.
OWN = {"sqlalchemy", _LENT, work_queue.EXTENSION}


def twin(app: Flask, url: str, replica_url: str = "") -> Flask:
    """The same application on another database: its configuration and its engines are its own, the rest is shared."""
    other = copy.copy(app)
    other.config = Config(app.root_path, app.config)
    other.config["ZHTJ"] = replace(app.config["ZHTJ"], database_url=url, replica_url=replica_url)
    other.config["SQLALCHEMY_DATABASE_URI"] = url
    other.config["SQLALCHEMY_BINDS"] = {replica.BIND: replica.options(replica_url)} if replica_url else {}
    other.extensions = {name: kept for name, kept in app.extensions.items() if name not in OWN}
    other.teardown_appcontext_funcs = list(app.teardown_appcontext_funcs)
    other._got_first_request = False
    db.init_app(other)
    replica.init_app(other)
    planner.init_app(other)
    return other


@pytest.fixture(scope="session")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Installation]]:
    """The installations built so far in this process."""
    with ExitStack() as stack:
        yield _Installations(tmp_path_factory, stack)


class _Installations(dict[str, Installation]):
    def __init__(self, folders: pytest.TempPathFactory, stack: ExitStack) -> None:
        super().__init__()
        self.folders, self.stack = folders, stack

    def __missing__(self, backend: str) -> Installation:
        # The processes of a run have folders side by side.
        base = self.folders.getbasetemp()
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        with timing.apart():
            self[backend] = Installation(backend, self.folders.mktemp(backend), shared, self.stack)
        return self[backend]


@pytest.fixture(params=BACKENDS)
def installation(request: pytest.FixtureRequest, installations: dict[str, Installation]) -> Installation:
    """Runs the test once a database kind."""
    return installations[request.param]


@pytest.fixture(autouse=True)
def clock_at() -> Iterator[Any]:
    """The clock stands at 14 October 2026, 09:00; call the fixture with an ISO time to move it."""
    clock.stand_still(NOON)
    crypto.use_keys((KEY,))

    def move(moment: str | datetime) -> None:
        clock.stand_still(clock.parse(moment) if isinstance(moment, str) else moment)

    yield move
    clock.use_real_time()


@pytest.fixture(autouse=True, scope="session")
def light_passwords() -> Iterator[None]:
    """Hashes that cost next to nothing: hundreds are made, and none protects anybody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", LIGHT)
        yield


@pytest.fixture(autouse=True, scope="session")
def watched() -> Iterator[None]:
    """Every page that any test renders is valid, see tests/guards/html.py."""
    with html.watch():
        yield


@contextmanager
def isolated(app: Flask) -> Iterator[None]:
    """The application's context, in one transaction that is undone whatever is committed in it."""
    with app.app_context(), db.engine.connect() as connection, lent(connection):
        outer = connection.begin()
        try:
            with audit.acting(None):
                yield
        finally:
            db.session.remove()
            outer.rollback()


@pytest.fixture
def app(installation: Installation) -> Iterator[Flask]:
    """The application; everything the test writes is undone afterwards."""
    with isolated(installation.app):
        yield installation.app


@contextmanager
def undone() -> Iterator[None]:
    """Inside a test of one transaction: what happens in the block is taken back, whatever it commits."""
    db.session.commit()
    connection: Any = db.session.get_bind()  # lent by ``isolated``
    before = connection.begin_nested()
    try:
        yield
    finally:
        db.session.rollback()
        before.rollback()
        db.session.expire_all()


@pytest.fixture
def session(app: Flask) -> Session:
    """The database session of the test."""
    del app
    return db.session()


@pytest.fixture
def world(session: Session) -> World:
    """A small tree with people in it, see tests/world.py."""
    del session
    return World.build()


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Let a layer of another year or place govern, or change single values of the running season's."""

    def use(name: str = "2026-national", **values: object) -> None:
        found = compose(lineage(name), 2026).model_copy(update=values)
        seasons._policy_for.cache_clear()
        monkeypatch.setattr(seasons, "compose", lambda *_: found)

    yield use
    monkeypatch.undo()
    seasons._policy_for.cache_clear()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript; forms need their CSRF token as in real life (see tests/browsing.py)."""
    return app.test_client()


@pytest.fixture
def live(installation: Installation) -> Iterator[Flask]:
    """An application on a database of its own that really commits; for threads and processes."""
    app, _ = installation.copy()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
