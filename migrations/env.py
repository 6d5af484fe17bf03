"""Runs migrations on the application's database (``flask --app app db upgrade``)."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from flask import current_app
from sqlalchemy.types import TypeDecorator

from zhtj.kernel.database import Base

# Any number that nobody else locks by.
UPGRADING = 7_074_106


def _skip_unknown(_: MigrationContext, __: object, directives: list) -> None:
    """No empty revision when nothing changed."""
    options = context.config.cmd_opts
    if getattr(options, "autogenerate", False) and directives and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def _plain_type(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types as what they are in the database: a migration must outlive our classes."""
    if kind == "type" and isinstance(item, TypeDecorator):
        impl = item.impl_instance if hasattr(item, "impl_instance") else item.impl
        return f"sa.{impl!r}"
    del autogen
    return False


def _begin(connection: Any) -> None:
    """One upgrade at a time; nothing that refers to a rebuilt row goes with it.

    SQLite rebuilds a table by dropping it, and foreign keys would take along what refers to its rows.
    """
    if connection.dialect.name == "sqlite":
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
    elif not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": UPGRADING}):
        raise RuntimeError("另一个升级正在进行，请等它结束。")
    connection.commit()


def _end(connection: Any) -> None:
    connection.rollback()
    if connection.dialect.name == "sqlite":
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=ON")
    else:
        connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": UPGRADING})
        connection.commit()


def _check(connection: Any) -> None:
    """Nothing is committed if a row refers to nothing any more."""
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all() if connection.dialect.name == "sqlite" else ()
    if lost:
        raise RuntimeError(f"rows refer to nothing after the migration: {lost[:5]}")


engine = current_app.extensions["migrate"].db.engine
with engine.connect() as connection:
    _begin(connection)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        process_revision_directives=_skip_unknown,
        render_item=_plain_type,
        # On PostgreSQL each step commits by itself, so that no lock is kept until the last one has run. On SQLite all
        # do or none: its driver begins transactions as we tell it.
        transaction_per_migration=connection.dialect.name == "postgresql",
        transactional_ddl=True,
        **current_app.extensions["migrate"].configure_args,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
            _check(connection)
        connection.commit()
    finally:
        _end(connection)
