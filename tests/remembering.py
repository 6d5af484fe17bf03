"""A world is built once by the operations, and read back from then on.

    @remembered
    def build() -> World: ...

The first call in a process, for each kind of database and each moment of the tests' clock, runs the function and keeps
every row that it wrote. Later calls write these rows and give back what the function gave; its objects are attached to
the session and not read yet, as after any commit. It is for databases that hold nothing yet; where something is there
already, the function runs.
"""

from __future__ import annotations

import functools
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, inspect, select
from sqlalchemy.orm import make_transient_to_detached

from tests.timing import apart
from zhtj.kernel import clock
from zhtj.kernel.database import Base, session, unit_of_work
from zhtj.orgs.models import Organisation

P = ParamSpec("P")
T = TypeVar("T")
Rows = list[tuple[str, list[tuple[Any, ...]]]]


@dataclass(frozen=True)
class Kept:
    """What a function built: the statements that write it again, and its answer with keys in place of objects."""

    rows: Rows
    answer: bytes


_kept: dict[tuple[str, str, datetime], Kept] = {}


def remembered(build: Callable[P, T]) -> Callable[P, T]:
    """Let ``build``, which depends on nothing but the clock and commits what it does, run only once."""

    @functools.wraps(build)
    def read(*args: P.args, **kwargs: P.kwargs) -> T:
        if _filled():
            return build(*args, **kwargs)
        dialect = session().get_bind().dialect.name
        key = (f"{build.__module__}.{build.__qualname__}", dialect, clock.now())
        if key not in _kept:
            with apart():
                answer = build(*args, **kwargs)
            _kept[key] = Kept(_read_rows(session.connection()), _freeze(answer))
            session.commit()
            return answer
        with unit_of_work():
            _write_rows(session.connection(), _kept[key].rows)
        found: T = _thaw(_kept[key].answer)
        return found

    return read


def _filled() -> bool:
    """Whether a world stands here already."""
    found = session.scalar(select(Organisation.id).limit(1)) is not None
    session.commit()
    return found


# Rows


def _read_rows(connection: Connection) -> Rows:
    read = _read_postgresql if connection.dialect.name == "postgresql" else _read_sqlite
    return read(
        connection, {table.name: [column.name for column in table.c] for table in Base.metadata.tables.values()}
    )


def _read_sqlite(connection: Connection, tables: dict[str, list[str]]) -> Rows:
    found = []
    for table, columns in tables.items():
        names, places = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        rows = [tuple(row) for row in connection.exec_driver_sql(f'SELECT {names} FROM "{table}"')]
        if rows:
            found.append((f'INSERT INTO "{table}" ({names}) VALUES ({places})', rows))
    # Rows that refer to each other come in any order; what a test writes afterwards is judged at once again.
    return [("PRAGMA defer_foreign_keys = ON", []), *found, ("PRAGMA defer_foreign_keys = OFF", [])]


def _read_postgresql(connection: Connection, tables: dict[str, list[str]]) -> Rows:
    """One text for everything, which the server takes at once; its counters go on behind the rows."""
    script = ["SET LOCAL session_replication_role = replica"]  # rows that refer to each other come in any order
    for table, columns in tables.items():
        names = ", ".join(f'"{name}"' for name in columns)
        values = " || ', ' || ".join(f'quote_nullable("{name}"::text)' for name in columns)
        rows = connection.exec_driver_sql(f"SELECT string_agg('(' || {values} || ')', ', ') FROM \"{table}\"").scalar()
        if rows:
            script.append(f'INSERT INTO "{table}" ({names}) VALUES {rows}')
            script += _counter(connection, table, columns)
    return [("; ".join([*script, "SET LOCAL session_replication_role = origin"]), [])]


def _counter(connection: Connection, table: str, columns: list[str]) -> list[str]:
    if "id" not in columns:
        return []
    counter = connection.exec_driver_sql(f"SELECT pg_get_serial_sequence('{table}', 'id')").scalar()
    last = connection.exec_driver_sql(f'SELECT max(id) FROM "{table}"').scalar()
    return [f"SELECT setval('{counter}', greatest(last_value, {last})) FROM {counter}"] if counter else []


def _write_rows(connection: Connection, kept: Rows) -> None:
    # Straight to the driver: a bare percent sign stands for itself, and one text may hold many statements.
    cursor: Any = connection.connection.cursor()
    for statement, rows in kept:
        if rows:
            cursor.executemany(statement, rows)
        else:
            cursor.execute(statement)
    cursor.close()


# Answers


class _Pickler(pickle.Pickler):
    """Writes a key where an object of the database stands."""

    def persistent_id(self, obj: Any) -> tuple[type[Base], Any] | None:
        return (type(obj), inspect(obj).identity) if isinstance(obj, Base) else None


class _Unpickler(pickle.Unpickler):
    """Puts an object that reads itself when it is first looked at where a key stands."""

    def persistent_load(self, pid: tuple[type[Base], Any]) -> Base:
        kind, identity = pid
        mapper = inspect(kind)
        known: Base | None = session().identity_map.get(mapper.identity_key_from_primary_key(identity))
        if known is not None:
            return known
        found = mapper.class_manager.new_instance()
        for column, value in zip(mapper.primary_key, identity, strict=True):
            setattr(found, mapper.get_property_by_column(column).key, value)
        make_transient_to_detached(found)
        session.add(found)
        return found


def _freeze(answer: object) -> bytes:
    target = io.BytesIO()
    _Pickler(target).dump(answer)
    return target.getvalue()


def _thaw(frozen: bytes) -> Any:
    return _Unpickler(io.BytesIO(frozen)).load()
