"""The migrations make exactly what the models say, run down to nothing and up again, on both databases."""

from __future__ import annotations

import re
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from tests.guards.blocking import blocking
from zhtj.config import ROOT
from zhtj.kernel.database import Base, db

pytestmark = pytest.mark.both

VERSION = "alembic_version"


@pytest.fixture
def engine(live: Flask):
    """A database of its own, migrated to the newest state."""
    with live.app_context():
        yield db.engine


def schema(engine: Engine) -> dict[str, Any]:
    """Everything the database knows of its tables, in words that can be compared."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            return _of_sqlite(connection)
        return _of_postgresql(connection)


def _of_postgresql(connection: Connection) -> dict[str, Any]:
    columns = connection.execute(
        text(
            "SELECT table_name || '.' || column_name, data_type, character_maximum_length, is_nullable, column_default,"
            " collation_name, attstattarget FROM information_schema.columns JOIN pg_attribute"
            " ON attrelid = table_name::regclass AND attname = column_name WHERE table_schema = 'public'"
        )
    )
    constraints = connection.execute(
        text(
            "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
        )
    )
    indexes = connection.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
    rows = [tuple(row) for found in (columns, constraints, indexes) for row in found]
    return {row[0]: row[1:] for row in rows if VERSION not in str(row)}


def _of_sqlite(connection: Connection) -> dict[str, Any]:
    inspector = inspect(connection)
    found: dict[str, Any] = {}
    for table in inspector.get_table_names():
        if table == VERSION:
            continue
        for column in connection.execute(text(f"PRAGMA table_info({table})")).mappings():
            found[f"{table}.{column['name']}"] = (column["type"], column["notnull"], column["dflt_value"], column["pk"])
        for check in inspector.get_check_constraints(table):
            found[str(check["name"])] = _squeezed(check["sqltext"])
        for unique in inspector.get_unique_constraints(table):
            found[str(unique["name"])] = unique["column_names"]
        for key in inspector.get_foreign_keys(table):
            found[str(key["name"])] = (key["constrained_columns"], key["referred_table"], key["referred_columns"])
    made = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL"
    found |= {name: _squeezed(sql) for name, sql in connection.execute(text(made))}
    return found


def _squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).replace('"', "").strip()


def test_the_models_equal_the_migrations(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_constraints_and_partial_indexes_too_are_those_of_the_models(engine: Engine, installation, tmp_path) -> None:
    # What the migrations made …
    migrated = schema(engine)
    # … against what the models alone would make
    if installation.backend == "sqlite":
        plain = create_engine(f"sqlite:///{tmp_path / 'models.db'}")
        Base.metadata.create_all(plain)
    else:
        plain = engine
        downgrade(revision="base")
        Base.metadata.create_all(plain)
    modelled = schema(plain)
    assert {name: migrated.get(name) for name in migrated.keys() | modelled.keys()} == {
        name: modelled.get(name) for name in migrated.keys() | modelled.keys()
    }
    if plain is not engine:
        plain.dispose()


@pytest.mark.slow("takes every migration back and forth")
def test_down_to_nothing_and_up_again(engine: Engine) -> None:
    before = schema(engine)
    assert before
    downgrade(revision="base")
    assert schema(engine) == {}
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {VERSION}
    upgrade()
    assert schema(engine) == before


@pytest.mark.slow("takes each migration back and forth")
def test_every_step_can_be_taken_back_by_itself(engine: Engine) -> None:
    states = {}
    steps = [step.revision for step in script().walk_revisions()]  # the newest first
    for older in [*steps[1:], "base"]:
        states[older] = schema(engine)  # as it stood one step above
        downgrade(revision=older)
    for newer, older in zip(reversed(steps), ["base", *reversed(steps)], strict=False):
        upgrade(revision=newer)
        assert schema(engine) == states[older], newer


def script() -> ScriptDirectory:
    return ScriptDirectory(str(ROOT / "migrations"))


def test_the_migrations_are_one_line_with_readable_names() -> None:
    assert len(script().get_heads()) == 1
    for number, step in enumerate(reversed(list(script().walk_revisions())), 1):
        assert step.revision == f"{number:04d}"
        assert step.path.rsplit("/", 1)[1].startswith(f"{number:04d}_")
        assert (step.doc or "").strip()


def test_a_migration_never_reads_the_models() -> None:
    """It must still run when the classes it was made from have changed.

    What lies encrypted it may decipher; what a name is, and how it is found, is the same for old rows and new ones.
    """
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        for allowed in (
            "from zhtj.kernel import crypto\n",
            "from zhtj.kernel import crypto, names, pinyin\n",
            "from zhtj.kernel.sql import migrating\n",
            "from zhtj.orgs import naming\n",
        ):
            source = source.replace(allowed, "")
        assert "zhtj" not in source, path.name


# Version 1.0.0 ends with it. Whoever has data has been there since, so that the steps up to it meet empty tables only
# and stay as they were released; from the next one on people are working while a migration runs.
RELEASED = "0034"


def test_a_migration_never_stops_those_who_are_working() -> None:
    found = {
        path.name: problems
        for path in sorted((ROOT / "migrations" / "versions").glob("*.py"))
        if path.name > f"{RELEASED}_~"
        for problems in [blocking(path.read_text(encoding="utf-8"))]
        if problems
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        'op.create_index("ix", "members", ["name"])',
        'op.drop_index("ix", "members")',
        'op.add_column("members", sa.Column("n", sa.Integer()))',
        'op.alter_column("members", "n", nullable=False)',
        'op.create_foreign_key("fk", "members", "orgs", ["n"], ["id"])',
        'op.create_check_constraint("ck", "members", "n > 1")',
        'op.create_unique_constraint("uq", "members", ["n"])',
        'op.drop_table("members")',
        'op.rename_table("members", "people")',
        'op.execute("UPDATE members SET n = 1")',
        'op.bulk_insert(sa.table("members"), [])',
        'with op.batch_alter_table("members") as batch: batch.add_column(sa.Column("n", sa.Integer()))',
        'op.get_bind().execute(sa.text("DELETE FROM members"))',
        'connection.execute(sa.text("DELETE FROM members"))',
        'connection.exec_driver_sql("VACUUM FULL")',
        'migrating.on_postgresql("CREATE  INDEX ix ON members (n)")',
        'migrating.on_postgresql("alter table members alter column n type bigint")',
        'migrating.on_postgresql(f"ALTER TABLE {table} ADD CONSTRAINT ck CHECK (n > 1)")',
        'migrating.on_postgresql(f"UPDATE {table} SET n = 1")',
    ],
)
def test_what_would_stop_them_is_refused(line: str) -> None:
    assert blocking(f"def upgrade():\n    {line}\n")


def test_new_tables_and_the_helpers_are_free() -> None:
    source = """
def upgrade():
    op.create_table("fresh", sa.Column("id", sa.Integer()))
    op.create_index(op.f("ix_fresh"), "fresh", ["id"])
    migrating.create_index("ix", "members", ["name"])
    migrating.fill("members", {"n": "1"}, where="n IS NULL")
    migrating.on_postgresql("ALTER TABLE members ALTER COLUMN path SET STATISTICS 1000")

def downgrade():
    migrating.drop_index("ix", "members")
    migrating.drop_table("fresh")
"""
    assert blocking(source) == []


def test_the_released_ones_would_not_pass() -> None:
    """The guard sees what it is there for in those that were written before it."""
    folder = ROOT / "migrations" / "versions"
    refused = [path.name[:4] for path in sorted(folder.glob("*.py")) if blocking(path.read_text(encoding="utf-8"))]
    assert {"0023", "0024", "0028", "0033"} <= set(refused)
