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

from zhtj.config import ROOT
from zhtj.kernel.database import Base, db

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


def test_down_to_nothing_and_up_again(engine: Engine) -> None:
    before = schema(engine)
    assert before
    downgrade(revision="base")
    assert schema(engine) == {}
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {VERSION}
    upgrade()
    assert schema(engine) == before


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
    """It must still run when the classes it was made from have changed. What lies encrypted it may decipher."""
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        assert "zhtj" not in path.read_text(encoding="utf-8").replace("from zhtj.kernel import crypto", ""), path.name
