"""The database session, the unit of work and the column types all models share."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    MetaData,
    String,
    Text,
    any_,
    bindparam,
    cast,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
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


_LENT = "zhtj_lent_connection"


class _Session(FlaskSession):
    """A session of the one database: every table lies there, and what reads a replica has a session of its own."""

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **_: Any) -> Engine | Connection:
        """The engine, or the connection that all sessions were lent."""
        del mapper, clause
        lent_to_us: Connection | None = current_app.extensions.get(_LENT)
        return bind or lent_to_us or db.engine


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"class_": _Session, "join_transaction_mode": "create_savepoint", "autoflush": True},
)
session = db.session


@contextmanager
def lent(connection: Connection) -> Iterator[None]:
    """Have all sessions of the current application work on ``connection``, as savepoints of its transaction.

    For tests, which undo that transaction; a session that is open already keeps what it has.
    """
    extensions = current_app.extensions
    before = extensions.get(_LENT)
    extensions[_LENT] = connection
    try:
        yield
    finally:
        extensions[_LENT] = before


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


def partial_index(name: str, *columns: str, where: str, unique: bool = False, beside: Sequence[str] = ()) -> Index:
    """An index of the rows for which ``where`` holds; with columns ``beside`` PostgreSQL need not look at them."""
    return Index(
        name,
        *columns,
        unique=unique,
        sqlite_where=text(where),
        postgresql_where=text(where),
        postgresql_include=list(beside),
    )


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


def before_commit(action: Callable[[], object]) -> None:
    """Run ``action`` in this transaction just before it commits, once however often it is asked for."""
    session().info.setdefault("before_commit", {})[action] = None


@event.listens_for(session, "before_commit")
def _finish(current: Session) -> None:
    if not current.in_nested_transaction():
        for action in current.info.pop("before_commit", {}):
            action()


@event.listens_for(session, "after_soft_rollback")
def _drop(current: Session, previous: SessionTransaction) -> None:
    if previous.parent is None:
        current.info.pop("before_commit", None)
        current.info.pop("pending", None)


def pending(name: str) -> set[Any]:
    """What waits for this transaction's commit, such as for an action of ``before_commit``; a rollback forgets it."""
    found: set[Any] = session().info.setdefault("pending", {}).setdefault(name, set())
    return found


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


@contextmanager
def taken_back() -> Iterator[None]:
    """Inside a unit of work: what happens in the block is undone at its end, with whatever waits for the commit."""
    info = session().info
    queued = list(info.get("after_commit", ()))
    kept = {name: set(found) for name, found in info.get("pending", {}).items()}
    trial = session().begin_nested()
    try:
        yield
    finally:
        trial.rollback()
        session().expire_all()
        info["after_commit"], info["pending"] = queued, kept


def touched(result: Any) -> int:
    """How many rows an INSERT, UPDATE or DELETE wrote."""
    return int(result.rowcount)


def insert_rows(table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """INSERT many rows in one statement; all of them name the same columns.

    PostgreSQL gets an array a column, which it takes several times faster than a statement a row.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    target: Any = table.__table__
    if session().get_bind().dialect.name != "postgresql":
        session.execute(insert(target), list(rows))
        return
    statement, plain = _insert_arrays(target, columns)
    session.execute(statement, {f"all_{name}": [plain[name](row[name]) for row in rows] for name in columns})


def upsert_rows(
    table: type[Base], rows: Sequence[Mapping[str, Any]], key: Sequence[str], *, add: Sequence[str]
) -> None:
    """INSERT many rows in their order; where the ``key`` is there already, the columns ``add`` are added to it."""
    if not rows:
        return
    target: Any = table.__table__
    if session().get_bind().dialect.name != "postgresql":
        session.execute(_adding(sqlite.insert(target), target, tuple(key), tuple(add)), list(rows))
        return
    statement, plain = _insert_arrays(target, tuple(rows[0]), tuple(key), tuple(add))
    session.execute(statement, {f"all_{name}": [kind(row[name]) for row in rows] for name, kind in plain.items()})


def _adding(statement: Any, target: Any, key: Sequence[str], add: Sequence[str]) -> Any:
    sums = {name: target.c[name] + statement.excluded[name] for name in add}
    return statement.on_conflict_do_update(index_elements=list(key), set_=sums)


@lru_cache(maxsize=64)
def _insert_arrays(
    target: Any, columns: tuple[str, ...], key: tuple[str, ...] = (), add: tuple[str, ...] = ()
) -> tuple[Any, dict[str, Callable[[Any], Any]]]:
    """INSERT … SELECT from arrays, and how each column's values are put into one; JSON travels as text."""
    types = {name: target.c[name].type for name in columns}
    is_json = {name: isinstance(kind, JSON) for name, kind in types.items()}
    lines = select(
        *(
            func.unnest(bindparam(f"all_{name}", type_=postgresql.ARRAY(Text() if is_json[name] else kind))).label(name)
            for name, kind in types.items()
        )
    ).subquery("lines")
    chosen = [cast(lines.c[name], kind) if is_json[name] else lines.c[name] for name, kind in types.items()]
    statement = postgresql.insert(target).from_select(list(columns), select(*chosen))
    if key:
        statement = _adding(statement, target, key, add)
    return statement, {name: _as_text if is_json[name] else _as_it_is for name in columns}


def _as_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _as_it_is(value: Any) -> Any:
    return value


def among(column: Any, ids: Collection[int]) -> ColumnElement[bool]:
    """SQL: the column is one of many numbers, sent as one value however many they are."""
    if session().get_bind().dialect.name == "postgresql":
        numbers = bindparam(None, list(ids), type_=postgresql.ARRAY(BigInteger), unique=True)
        chosen: ColumnElement[bool] = column == any_(numbers)
        return chosen
    each = func.json_each(bindparam(None, json.dumps(list(ids)), unique=True)).table_valued("value")
    listed: ColumnElement[bool] = column.in_(select(each.c.value))
    return listed


def insert_new(table: type[Base]) -> Any:
    """An INSERT that skips rows which are already there (unique key), on SQLite and PostgreSQL alike."""
    maker = sqlite.insert if session().get_bind().dialect.name == "sqlite" else postgresql.insert
    return maker(table).on_conflict_do_nothing()


@contextmanager
def reading_only() -> Iterator[None]:
    """Within, the database itself refuses every write; what was begun before goes on afterwards."""
    current = session()
    current.flush()
    point, connection = current.begin_nested(), current.connection()
    is_postgres = connection.dialect.name == "postgresql"
    # On PostgreSQL it holds until the savepoint is undone, on SQLite for the connection.
    connection.exec_driver_sql("SET TRANSACTION READ ONLY" if is_postgres else "PRAGMA query_only=ON")
    try:
        yield
    finally:
        if not is_postgres:
            connection.exec_driver_sql("PRAGMA query_only=OFF")
        if point.is_active:
            point.rollback()
