"""Migrations on living data: real ones, run by the real environment, while somebody reads and writes the table."""

from __future__ import annotations

import shutil
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import Migrate, upgrade
from sqlalchemy.exc import IntegrityError, OperationalError

from tests import services
from tests.conftest import BACKENDS
from tests.processes import until
from zhtj.config import ROOT
from zhtj.kernel.database import db
from zhtj.kernel.sql import migrating

HEAD = """
import sqlalchemy as sa
from alembic import op
from zhtj.kernel.sql import migrating
revision = "{0:04d}"
down_revision = {1!r}
"""
FIRST = """
op.create_table("people", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(20)),
                sa.Column("town", sa.Integer()))
op.create_table("pets", sa.Column("id", sa.Integer(), primary_key=True),
                sa.Column("owner", sa.Integer(), sa.ForeignKey("people.id", ondelete="CASCADE")))
op.create_table("towns", sa.Column("id", sa.Integer(), primary_key=True))
"""


class Site:
    """An empty database with migrations of its own."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app, self.folder, self.steps = app, folder, 0
        shutil.copytree(ROOT / "migrations", folder, ignore=shutil.ignore_patterns("versions", "__pycache__"))
        (folder / "versions").mkdir()
        self.write(FIRST)
        self.upgrade()
        self.do("INSERT INTO people (id, name, town) VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2)")
        self.do("INSERT INTO towns (id) VALUES (1), (2)")
        self.do("INSERT INTO pets (id, owner) VALUES (1, 1), (2, 3)")

    def write(self, body: str) -> None:
        """One more migration."""
        before, self.steps = self.steps, self.steps + 1
        head = HEAD.format(self.steps, f"{before:04d}" if before else None)
        step = (
            head
            + "def upgrade():\n"
            + textwrap.indent(textwrap.dedent(body).strip(), "    ")
            + "\ndef downgrade():\n    pass\n"
        )
        (self.folder / "versions" / f"{self.steps:04d}_step.py").write_text(step)

    def upgrade(self) -> None:
        with self.app.app_context():
            upgrade(directory=str(self.folder))

    def run(self, body: str) -> None:
        """Migrate once, and once more as after an interruption: the same again does no harm."""
        for _ in range(2):
            self.write(body)
            self.upgrade()

    def refused(self, body: str, error: Any, match: str | None = None) -> None:
        self.write(body)
        with pytest.raises(error, match=match):
            self.upgrade()
        (self.folder / "versions" / f"{self.steps:04d}_step.py").unlink()
        self.steps -= 1

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        with self.app.app_context():
            engine = db.engine
        with engine.connect() as connection:
            yield connection

    def do(self, statement: str) -> None:
        with self.connection() as connection, connection.begin():
            connection.execute(sa.text(statement))

    def ask(self, query: str) -> Any:
        with self.connection() as connection:
            return connection.scalar(sa.text(query))

    def inspect(self) -> sa.Inspector:
        with self.app.app_context():
            return sa.inspect(db.engine)

    def index(self, name: str) -> dict[str, Any] | None:
        return next((dict(index) for index in self.inspect().get_indexes("people") if index["name"] == name), None)


@pytest.fixture(params=BACKENDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'own.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(services.postgres_url())
        app = Flask("site")
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        db.init_app(app)
        Migrate(app, db, render_as_batch=True)
        yield Site(app, tmp_path / "migrations")
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def busy(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """On PostgreSQL, where many work at once; with little patience."""
    if site.inspect().dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    monkeypatch.setattr(migrating, "LOCK_PATIENCE", 0.2)
    monkeypatch.setattr(migrating, "PAUSE", 0.05)
    return site


# What comes of it, on both databases


def test_a_column_is_added_filled_made_necessary(site: Site) -> None:
    site.run(
        """
        migrating.add_column("people", sa.Column("big", sa.String(20)))
        migrating.fill("people", {"big": "upper(name)"}, where="big IS NULL", chunk=2)
        migrating.require("people", "big", sa.String(20))
        """
    )

    assert site.ask("SELECT count(*) FROM people WHERE big = upper(name)") == 3
    with pytest.raises(IntegrityError):
        site.do("INSERT INTO people (id, name) VALUES (9, 'x')")
    assert not any("required" in str(check["name"]) for check in site.inspect().get_check_constraints("people"))


def test_a_necessary_column_needs_a_default_at_first(site: Site) -> None:
    site.refused('migrating.add_column("people", sa.Column("n", sa.Integer(), nullable=False))', ValueError, "require")
    site.refused('migrating.add_column("people", sa.Column("n", sa.Integer(), index=True))', ValueError, "of their own")

    site.run(
        """
        migrating.add_column("people", sa.Column("n", sa.Integer(), nullable=False, server_default="0"))
        migrating.drop_default("people", "n", sa.Integer())
        """
    )
    assert site.ask("SELECT sum(n) FROM people") == 0
    with pytest.raises(IntegrityError):
        site.do("INSERT INTO people (id, name) VALUES (9, 'x')")


def test_what_is_not_filled_cannot_be_made_necessary_and_stays_as_it_was(site: Site) -> None:
    site.do("INSERT INTO people (id, name) VALUES (9, NULL)")

    site.refused('migrating.require("people", "name", sa.String(20))', IntegrityError)

    site.do("INSERT INTO people (id, name) VALUES (10, NULL)")
    assert site.ask("SELECT count(*) FROM people") == 5


def test_what_is_no_longer_needed_goes(site: Site) -> None:
    site.run('migrating.add_column("people", sa.Column("n", sa.Integer(), nullable=False, server_default="0"))')
    site.run('migrating.relax("people", "n", sa.Integer())')
    site.do("INSERT INTO people (id, n) VALUES (9, NULL)")
    site.run('migrating.drop_column("people", "n")')
    site.run('migrating.drop_table("towns")')

    assert "n" not in {column["name"] for column in site.inspect().get_columns("people")}
    assert set(site.inspect().get_table_names()) == {"people", "pets", "alembic_version"}


def test_python_fills_what_sql_cannot(site: Site) -> None:
    site.do("INSERT INTO people (id, name) VALUES (9, NULL)")
    site.run(
        """
        migrating.add_column("people", sa.Column("code", sa.String(40)))
        migrating.fill_by("people", "code", lambda name, town: f"{name}-{town}", of=["name", "town"],
                          where="code IS NULL", chunk=2)
        """
    )

    with site.connection() as connection:
        codes = connection.scalars(sa.text("SELECT code FROM people ORDER BY id")).all()
    assert codes == ["a-1", "b-1", "c-2", "None-None"]


def test_indexes_are_made_replaced_and_dropped(site: Site) -> None:
    site.run('migrating.create_index("ix_town", "people", ["town"], where="town > 1", beside=["name"])')
    assert site.index("ix_town")["column_names"][:1] == ["town"]
    site.run('migrating.replace_index("ix_town", "people", ["town", "id"], unique=True)')
    assert site.index("ix_town")["column_names"] == ["town", "id"]
    assert site.index("ix_town")["unique"]
    assert site.index("ix_town_new") is None
    site.run('migrating.drop_index("ix_town", "people")')
    assert site.index("ix_town") is None


def test_rules_hold_from_now_on_and_for_what_is_there(site: Site) -> None:
    site.run(
        """
        migrating.add_check("ck_people_town", "people", "town < 3")
        migrating.add_foreign_key("fk_people_town", "people", ["town"], "towns", ["id"])
        migrating.add_unique("uq_people_name", "people", ["name"])
        """
    )
    for wrong in ("(9, 'x', 3)", "(9, 'x', 0)", "(9, 'a', 1)"):
        with pytest.raises(IntegrityError):
            site.do(f"INSERT INTO people (id, name, town) VALUES {wrong}")

    site.do("INSERT INTO towns (id) VALUES (7)")
    site.run('migrating.replace_check("ck_people_town", "people", "town < 8")')
    site.do("INSERT INTO people (id, name, town) VALUES (9, 'x', 7)")
    site.run('migrating.drop_constraint("people", "ck_people_town", "check")')
    assert site.inspect().get_check_constraints("people") == []
    assert [key["name"] for key in site.inspect().get_foreign_keys("people")] == ["fk_people_town"]


@pytest.mark.parametrize(
    "rule",
    [
        'migrating.add_check("ck_people_town", "people", "town < 2")',
        'migrating.add_foreign_key("fk_people_town", "people", ["town"], "pets", ["id"])',
        'migrating.add_unique("uq_people_town", "people", ["town"])',
        'migrating.create_index("uq_people_town", "people", ["town"], unique=True)',
    ],
)
def test_a_rule_that_is_broken_already_is_taken_back(site: Site, rule: str) -> None:
    site.do("UPDATE people SET town = 5 WHERE id = 3")

    site.refused(rule, (IntegrityError, SystemExit))

    site.do("INSERT INTO people (id, name, town) VALUES (9, 'x', 5)")
    assert site.index("uq_people_town") is None
    found = site.inspect()
    assert found.get_check_constraints("people") + found.get_foreign_keys("people") == []


def test_a_rebuilt_table_keeps_what_refers_to_it(site: Site) -> None:
    """SQLite drops it for that; with foreign keys on, the pets would go with their owners."""
    site.run('migrating.add_check("ck_people_town", "people", "town < 3")')

    assert site.ask("SELECT count(*) FROM pets") == 2
    with pytest.raises(IntegrityError):
        site.do("INSERT INTO pets (id, owner) VALUES (9, 99)")


# While others work


@contextmanager
def going_on(site: Site, body: str) -> Iterator[Callable[[], None]]:
    """A migration in a thread of its own; call what is yielded to wait for its end."""
    site.write(body)
    problems: list[BaseException] = []

    def go() -> None:
        try:
            site.upgrade()
        except BaseException as error:  # noqa: BLE001 - raised again in the test
            problems.append(error)

    thread = threading.Thread(target=go)
    thread.start()

    def end() -> None:
        thread.join(30)
        assert not thread.is_alive()
        if problems:
            raise problems[0]

    try:
        yield end
    finally:
        thread.join(30)


def waits(site: Site) -> bool:
    """Whether the migration waits for somebody."""
    here = "datname = current_database()"  # in others somebody may wait as well
    return bool(site.ask(f"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND {here}"))


def work(connection: sa.Connection) -> None:
    """What a web server does meanwhile; it waits a second at most."""
    with connection.begin():
        connection.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
        connection.execute(sa.text("SELECT count(*) FROM people")).all()
        connection.execute(sa.text("UPDATE people SET town = 1 WHERE id = 2"))


def test_everybody_works_on_while_an_index_is_made(busy: Site) -> None:
    with busy.connection() as slow, busy.connection() as other:
        slow.execute(sa.text("UPDATE people SET town = 2 WHERE id = 1"))
        with going_on(busy, 'migrating.create_index("ix_town", "people", ["town"])') as end:
            until(lambda: waits(busy), "the index to wait for the slow one")
            work(other)
            slow.commit()
            end()
    assert busy.index("ix_town") is not None


@pytest.mark.parametrize(
    "step",
    [
        'migrating.add_column("people", sa.Column("n", sa.Integer()))',
        'migrating.drop_column("people", "town")',
        'migrating.require("people", "name", sa.String(20))',
        'migrating.add_check("ck_town", "people", "town < 9")',
        'migrating.add_foreign_key("fk_town", "people", ["town"], "towns", ["id"])',
        'migrating.on_postgresql("ALTER TABLE people ALTER COLUMN town SET STATISTICS 50")',
    ],
)
def test_whoever_waits_for_a_table_gives_way_and_comes_again(busy: Site, step: str) -> None:
    with busy.connection() as slow, busy.connection() as other:
        slow.execute(sa.text("LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE"))
        slow.execute(sa.text("SELECT * FROM people")).all()
        with going_on(busy, step) as end:
            until(lambda: waits(busy), "the step to wait")
            # Nobody else has to wait for longer than it does.
            with other.begin():
                other.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
                assert other.scalar(sa.text("SELECT count(*) FROM people")) == 3
            time.sleep(0.5)  # longer than its patience: it must have come again
            slow.commit()
            end()
    assert busy.ask("SELECT version_num FROM alembic_version") == f"{busy.steps:04d}"
    assert busy.ask("SHOW lock_timeout") == "0"


def test_a_table_that_never_becomes_free_is_said(
    busy: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(migrating, "ATTEMPTS", 2)
    with busy.connection() as slow:
        slow.execute(sa.text("SELECT * FROM people")).all()
        busy.refused('migrating.add_column("people", sa.Column("n", sa.Integer()))', SystemExit)
        slow.commit()
    assert "people.n：表一直被其他操作占用" in caplog.text

    busy.run('migrating.add_column("people", sa.Column("n", sa.Integer()))')


def test_two_upgrades_never_run_at_once(busy: Site, caplog: pytest.LogCaptureFixture) -> None:
    step = 'migrating.add_column("people", sa.Column("n", sa.Integer()))'
    with busy.connection() as other:
        other.execute(sa.text("SELECT pg_advisory_lock(7074106)"))  # as migrations/env.py does
        busy.refused(step, SystemExit)
        assert "另一个升级正在进行" in caplog.text
        other.execute(sa.text("SELECT pg_advisory_unlock(7074106)"))

    busy.run(step)
    # Other upgrades of the same server hold locks of their own databases.
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    assert busy.ask(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {here}") == 0


def test_an_index_that_was_interrupted_is_made_anew(busy: Site) -> None:
    with busy.connection() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(IntegrityError):
            connection.execute(sa.text("CREATE UNIQUE INDEX CONCURRENTLY ix_town ON people (town)"))
    assert not busy.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_town'::regclass")

    busy.run('migrating.create_index("ix_town", "people", ["town"])')

    assert busy.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_town'::regclass")


def test_a_long_column_is_filled_in_pieces_that_each_let_go(busy: Site) -> None:
    """Somebody holds one row: the rows before it are done and free, the others still to come."""
    with busy.connection() as slow, busy.connection() as other:
        slow.execute(sa.text("SELECT * FROM people WHERE id = 2 FOR UPDATE")).all()
        with going_on(busy, 'migrating.fill("people", {"town": "8"}, where="town <> 8", chunk=1)') as end:
            until(lambda: waits(busy), "the second piece")
            assert other.scalar(sa.text("SELECT town FROM people WHERE id = 1")) == 8
            with other.begin_nested():
                other.execute(sa.text("SELECT * FROM people WHERE id = 1 FOR UPDATE NOWAIT")).all()
            assert other.scalar(sa.text("SELECT town FROM people WHERE id = 3")) == 2
            other.rollback()
            slow.commit()
            end()
    assert busy.ask("SELECT count(*) FROM people WHERE town = 8") == 3


def test_a_row_that_changes_meanwhile_is_read_again(busy: Site) -> None:
    busy.do("ALTER TABLE people ADD COLUMN code VARCHAR(20)")
    step = 'migrating.fill_by("people", "code", lambda n: n + "!", of=["name"], where="code IS NULL")'
    with busy.connection() as other:
        other.execute(sa.text("UPDATE people SET name = 'z' WHERE id = 2"))
        with going_on(busy, step) as end:
            until(lambda: waits(busy), "the row's other writer")
            other.commit()
            end()
    assert busy.ask("SELECT code FROM people WHERE id = 2") == "z!"


def test_a_plain_index_would_have_stopped_everybody(busy: Site) -> None:
    """What the helpers are for: the same situation without them."""
    with busy.connection() as slow, busy.connection() as other:
        slow.execute(sa.text("UPDATE people SET town = 2 WHERE id = 1"))
        with going_on(busy, 'op.create_index("ix_town", "people", ["town"])') as end:
            until(lambda: waits(busy), "the index to wait for the slow one")
            with pytest.raises(OperationalError, match="lock timeout"):
                work(other)
            slow.commit()
            end()
