"""The database session, the unit of work and the column types all models share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, String, Text, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from zhtj.kernel import crypto

log = logging.getLogger(__name__)


class Base(DeclarativeBase):
    """Parent of all models; constraint names follow one convention so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"join_transaction_mode": "create_savepoint", "autoflush": True},
)
session = db.session


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored as UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What a value is, for whoever reads one from an address."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Encrypted(TypeDecorator[str]):
    """Text that lies encrypted in the database (PD-37)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt."""
        del dialect
        return None if value is None else crypto.encrypt(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt."""
        del dialect
        return None if value is None else crypto.decrypt(value)


class StrEnumType(TypeDecorator[StrEnum]):
    """A ``StrEnum`` stored by its value; unknown values fail when read, not later."""

    impl = String(32)
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        """Its value. Raises ValueError for an unknown one."""
        del dialect
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """The member. Raises ValueError for an unknown value."""
        del dialect
        return None if value is None else self.enum(value)


def sorted_text(length: int) -> String:
    """Text compared byte by byte on every database, for paths, codes and range searches."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    if not type(connection).__module__.startswith("sqlite3"):
        return
    # The driver must not open transactions by itself: we choose between BEGIN and BEGIN IMMEDIATE below.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        immediate = connection.get_execution_options().get("zhtj_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def after_commit(action: Callable[[], object]) -> None:
    """Run ``action`` once the unit of work has committed; never if it fails.

    Raises:
        RuntimeError: there is no unit of work whose commit one could wait for.
    """
    info = session().info
    if not info.get("in_unit"):
        raise RuntimeError("after_commit outside a unit of work")
    info["after_commit"].append(action)


@contextmanager
def unit_of_work() -> Iterator[None]:
    """One transaction: commit at the end, undo all on an error, then do what waited for the commit.

    It starts from a fresh view of the database: what was read before it is read again, because on SQLite a reading
    transaction cannot safely become a writing one. A unit inside a unit joins it.
    """
    current = session()
    if current.info.get("in_unit"):
        yield
        return
    current.rollback()
    current.info.update(in_unit=True, after_commit=[])
    try:
        current.connection(execution_options={"zhtj_write": True})
        yield
        current.commit()
    except BaseException:
        current.rollback()
        current.info["after_commit"] = []
        raise
    finally:
        current.info["in_unit"] = False
    for action in current.info.pop("after_commit", []):
        try:
            action()
        except Exception:
            log.exception("after-commit action failed")


def touched(result: Any) -> int:
    """How many rows an INSERT, UPDATE or DELETE wrote."""
    return int(result.rowcount)


def insert_new(table: type[Base]) -> Any:
    """An INSERT that skips rows which are already there (unique key), on SQLite and PostgreSQL alike."""
    maker = sqlite.insert if session().get_bind().dialect.name == "sqlite" else postgresql.insert
    return maker(table).on_conflict_do_nothing()
