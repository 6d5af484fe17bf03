"""Changes to tables that people are working with while they change: what a migration is written with.

**How to write a migration.** ``op.create_table`` with its indexes is free: nobody uses the table yet. Whatever concerns
a table that is there already goes through a function of this module; a guard reads the files and refuses the rest. On
PostgreSQL each function

- commits by itself and may be run again: an upgrade that was cut off is simply started anew;
- takes a lock that keeps others out for an instant only, and gives it up after ``LOCK_PATIENCE`` seconds, because
  everybody queues behind a lock that waits; it tries again, ``ATTEMPTS`` times;
- reads or writes many rows only under locks beside which everybody goes on reading and writing: indexes are made
  ``CONCURRENTLY``, constraints come ``NOT VALID`` and are validated afterwards, columns are filled in chunks.

SQLite has one writer and small tables: there the same functions rebuild a table, all in one transaction.

**Each release runs beside the one before it**, as web servers are replaced one by one and one may have to go back. A
column that changes its type or meaning therefore changes in steps. First release: ``add_column`` (empty or with a
constant default) and ``fill``; the program writes both columns and reads the old one. Second: ``fill`` again what old
servers wrote meanwhile, ``require``, ``relax`` the old one; the program reads and writes the new one alone. Third:
``drop_column``. Names are not changed. A column or a table is dropped by a release after the last one that names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

LOCK_PATIENCE = 2.0
ATTEMPTS = 20
PAUSE, LONGEST_PAUSE = 0.5, 10.0
CHUNK = 5000
ANY = "1 = 1"
"""SQL that holds for every row."""
_LOCK_NOT_AVAILABLE = "55P03"
Kind = Literal["check", "foreignkey", "unique"]


class LockedError(RuntimeError):
    """Somebody holds the table for too long; the upgrade can be started again once they have finished."""


# Columns


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column that is empty or has a constant default; its foreign key comes with ``add_foreign_key``.

    Raises:
        ValueError: it could be neither, or brings a constraint along.
    """
    if not column.nullable and column.server_default is None:
        raise ValueError(f"{table}.{column.name}: NOT NULL needs a default, or comes later with require()")
    if column.foreign_keys or column.unique or column.index:
        raise ValueError(f"{table}.{column.name}: constraints and indexes have functions of their own")
    if column.name not in _columns(table):
        _briefly(lambda: op.add_column(table, column), f"{table}.{column.name}")


def drop_column(table: str, name: str) -> None:
    """Drop a column that no program in use names any more."""
    if name in _columns(table):
        if _is_postgresql():
            _briefly(lambda: op.drop_column(table, name), f"{table}.{name}")
        else:
            with op.batch_alter_table(table) as batch:
                batch.drop_column(name)


def drop_default(table: str, name: str, kind: sa.types.TypeEngine[Any]) -> None:
    """Take the default away with which a column was added; ``kind`` is the column's type."""
    _alter(table, name, existing_type=kind, server_default=None)


def require(table: str, name: str, kind: sa.types.TypeEngine[Any]) -> None:
    """NOT NULL, for a column of type ``kind`` that is filled everywhere and always written.

    Raises:
        sqlalchemy.exc.IntegrityError: a row is empty; the column is then as it was.
    """
    if not _columns(table)[name]["nullable"]:
        return
    if not _is_postgresql():
        _alter(table, name, existing_type=kind, nullable=False)
        return
    check = f"ck_{table}_{name}_required"
    try:
        _constrain(table, check, f"CHECK ({name} IS NOT NULL)")
        # Reads no row, as the check says it already.
        _briefly(lambda: op.alter_column(table, name, existing_type=kind, nullable=False), f"{table}.{name}")
    finally:
        drop_constraint(table, check, "check")


def relax(table: str, name: str, kind: sa.types.TypeEngine[Any]) -> None:
    """The column of type ``kind`` may be empty from now on."""
    if not _columns(table)[name]["nullable"]:
        _alter(table, name, existing_type=kind, nullable=True)


def fill(table: str, values: Mapping[str, str], *, where: str, key: str = "id", chunk: int = CHUNK) -> None:
    """UPDATE a table piece by piece with what SQL makes of each row.

    Args:
        table: its name.
        values: column and SQL of its value.
        where: SQL that holds for rows still to be done, such as ``path IS NULL``.
        key: a unique column with an index, by which the pieces are taken.
        chunk: rows a piece.
    """
    rows = sa.table(table, *(sa.column(name) for name in (key, *values)))
    write = sa.update(rows).values({name: sa.literal_column(value) for name, value in values.items()})
    with _outside():
        for piece in _pieces(table, key, where, chunk):
            op.get_bind().execute(write.where(*piece))


def fill_by(
    table: str,
    column: str,
    make: Callable[..., Any],
    *,
    of: Sequence[str],
    where: str,
    key: str = "id",
    chunk: int = CHUNK,
) -> None:
    """UPDATE a table piece by piece with what Python makes of each row; a row that says so already is not written.

    A row whose columns ``of`` change between reading and writing is read again.

    Args:
        table: its name.
        column: the one to fill.
        make: gets the values of the columns ``of``.
        of: what it is made of.
        where: SQL that holds for rows still to be done.
        key: a unique column with an index, by which the pieces are taken.
        chunk: rows a piece.
    """
    rows = sa.table(table, *(sa.column(name) for name in dict.fromkeys((key, column, *of))))
    same = [rows.c[name].is_not_distinct_from(sa.bindparam(f"old_{name}")) for name in of]
    write = sa.update(rows).where(rows.c[key] == sa.bindparam("row_key"), *same).values({column: sa.bindparam("made")})
    missed = True
    while missed:
        missed = False
        with _outside():
            for piece in _pieces(table, key, where, chunk):
                read = sa.select(rows.c[key], rows.c[column], *(rows.c[name] for name in of)).where(*piece)
                found = ((number, now, make(*old), old) for number, now, *old in op.get_bind().execute(read).all())
                lines = [
                    {"row_key": number, "made": made, **{f"old_{n}": v for n, v in zip(of, old, strict=True)}}
                    for number, now, made, old in found
                    if made != now
                ]
                done = op.get_bind().execute(write, lines) if lines else None
                missed = missed or (done is not None and done.rowcount < len(lines))


def read(
    table: str, columns: Sequence[str], *, where: str = ANY, key: str = "id", chunk: int = CHUNK
) -> Iterator[Sequence[Any]]:
    """The key and these columns of every row with ``where``, read piece by piece."""
    rows = sa.table(table, *(sa.column(name) for name in (key, *columns)))
    chosen = sa.select(rows.c[key], *(rows.c[name] for name in columns))
    for piece in _pieces(table, key, where, chunk):
        yield from op.get_bind().execute(chosen.where(*piece)).all()


def insert_by(
    target: str,
    columns: Sequence[str],
    make: Callable[..., Iterable[Sequence[Any]]],
    *,
    source: str,
    of: Sequence[str],
    where: str = ANY,
    key: str = "id",
    chunk: int = CHUNK,
) -> None:
    """INSERT piece by piece what Python makes of each row of another table; what is there already stays.

    Args:
        target: where to.
        columns: of the target, as ``make`` fills them.
        make: gets the key and the columns ``of`` of a row; makes any number of rows.
        source: the table that is read.
        of: its columns.
        where: SQL that holds for rows to be read.
        key: a unique column of the source with an index, by which the pieces are taken.
        chunk: rows a piece.
    """
    rows = sa.table(source, *(sa.column(name) for name in (key, *of)))
    chosen = sa.select(rows.c[key], *(rows.c[name] for name in of))
    into = sa.table(target, *(sa.column(name) for name in columns))
    insert = (postgresql if _is_postgresql() else sqlite).insert(into).on_conflict_do_nothing()
    with _outside():
        for piece in _pieces(source, key, where, chunk):
            made = [line for row in op.get_bind().execute(chosen.where(*piece)).all() for line in make(*row)]
            if made:
                op.get_bind().execute(insert, [dict(zip(columns, line, strict=True)) for line in made])


# Indexes


def create_index(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    where: str | None = None,
    beside: Sequence[str] = (),
) -> None:
    """Make an index while the table is in use; what an interrupted attempt left is made anew.

    Args:
        name: its name.
        table: the table's.
        columns: what it is sorted by.
        unique: whether no two rows may be equal there.
        where: SQL of the rows it holds; None: all.
        beside: columns that PostgreSQL keeps in it for reading alone.

    Raises:
        sqlalchemy.exc.IntegrityError: two rows are equal; nothing of the index is left.
    """
    condition: dict[str, Any] = (
        {} if where is None else {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    )
    if not _is_postgresql():
        op.create_index(name, table, list(columns), unique=unique, if_not_exists=True, **condition)
        return
    state = _index_state(name)
    if state == "valid":
        return
    if state == "broken":
        drop_index(name, table)
    try:
        with _outside():
            op.create_index(
                name,
                table,
                list(columns),
                unique=unique,
                postgresql_concurrently=True,
                postgresql_include=list(beside) or None,
                **condition,
            )
    except DBAPIError:
        drop_index(name, table)
        raise


def drop_index(name: str, table: str) -> None:
    """Drop an index if it is there, while the table is in use."""
    if _is_postgresql():
        with _outside():
            op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
    else:
        op.drop_index(name, table, if_exists=True)


def replace_index(name: str, table: str, columns: Sequence[str], **options: Any) -> None:
    """Another index under the same name, without a moment with none; ``options`` as for ``create_index``."""
    if not _is_postgresql():
        drop_index(name, table)
        create_index(name, table, columns, **options)
        return
    fresh = f"{name}_new"
    create_index(fresh, table, columns, **options)
    drop_index(name, table)
    _briefly(lambda: op.execute(sa.text(f"ALTER INDEX {fresh} RENAME TO {name}")), name)


# Constraints


def add_check(name: str, table: str, condition: str) -> None:
    """A CHECK: new rows obey at once, the old ones are then read beside everybody's work.

    Raises:
        sqlalchemy.exc.IntegrityError: a row breaks it; it is then taken back.
    """
    if _is_postgresql():
        _constrain(table, name, f"CHECK ({condition})")
    elif not _has_constraint(table, name):
        with op.batch_alter_table(table) as batch:
            batch.create_check_constraint(op.f(name), condition)


def replace_check(name: str, table: str, condition: str) -> None:
    """Another CHECK under the same name, without a moment with none."""
    if not _is_postgresql():
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(name), type_="check")
            batch.create_check_constraint(op.f(name), condition)
        return
    fresh = f"{name}_new"
    if not _has_constraint(table, fresh):
        add_check(fresh, table, condition)
    drop_constraint(table, name, "check")
    _briefly(lambda: op.execute(sa.text(f"ALTER TABLE {table} RENAME CONSTRAINT {fresh} TO {name}")), name)


def add_foreign_key(
    name: str, table: str, columns: Sequence[str], other: str, keys: Sequence[str], *, ondelete: str | None = None
) -> None:
    """A foreign key, added as ``add_check`` does.

    Args:
        name: its name.
        table: the table that refers.
        columns: its columns.
        other: the table referred to.
        keys: its columns.
        ondelete: such as ``CASCADE``.

    Raises:
        sqlalchemy.exc.IntegrityError: a row refers to nothing; it is then taken back.
    """
    if _is_postgresql():
        more = f" ON DELETE {ondelete}" if ondelete else ""
        _constrain(table, name, f"FOREIGN KEY ({', '.join(columns)}) REFERENCES {other} ({', '.join(keys)}){more}")
    elif not _has_constraint(table, name):
        with op.batch_alter_table(table) as batch:
            batch.create_foreign_key(op.f(name), other, list(columns), list(keys), ondelete=ondelete)


def add_unique(name: str, table: str, columns: Sequence[str]) -> None:
    """A UNIQUE constraint, over an index made while the table is in use."""
    if _has_constraint(table, name):
        return
    if not _is_postgresql():
        with op.batch_alter_table(table) as batch:
            batch.create_unique_constraint(op.f(name), list(columns))
        return
    create_index(name, table, columns, unique=True)
    _briefly(lambda: op.execute(sa.text(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")), name)


def drop_constraint(table: str, name: str, kind: Kind) -> None:
    """Drop a constraint if it is there."""
    if not _has_constraint(table, name):
        return
    if _is_postgresql():
        _briefly(lambda: op.drop_constraint(op.f(name), table, type_=kind), name)
    else:
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(name), type_=kind)


# Anything else


def on_postgresql(statement: str) -> None:
    """Run a statement that needs a lock for an instant only and means nothing to SQLite, such as SET STATISTICS."""
    if _is_postgresql():
        _briefly(lambda: op.execute(sa.text(statement)), statement)


def drop_table(name: str) -> None:
    """Drop a table that no program in use names any more, with its indexes."""
    _briefly(lambda: op.drop_table(name, if_exists=True), name)


# How it is done


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _outside() -> AbstractContextManager[None]:
    """Where each statement commits by itself, on PostgreSQL."""
    return op.get_context().autocommit_block() if _is_postgresql() else nullcontext()


def _briefly(statement: Callable[[], object], what: str) -> None:
    """Run one statement that needs a lock nobody else can have; give way to whoever holds the table, and try again."""
    if not _is_postgresql():
        statement()
        return
    pause = PAUSE
    with _outside():
        op.execute(sa.text(f"SET lock_timeout = '{int(LOCK_PATIENCE * 1000)}ms'"))
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    statement()
                except DBAPIError as error:
                    if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                        raise
                    if attempt == ATTEMPTS:
                        raise LockedError(
                            f"{what}：表一直被其他操作占用（见 pg_stat_activity），等它们结束后再执行一次升级。"
                        ) from error
                    time.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                else:
                    return
        finally:
            op.execute(sa.text("RESET lock_timeout"))


def _constrain(table: str, name: str, rule: str) -> None:
    """On PostgreSQL: add a constraint for new rows, then read the old ones; take it back if one breaks it."""
    if not _has_constraint(table, name):
        _briefly(lambda: op.execute(sa.text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID")), name)
    try:
        with _outside():
            op.execute(sa.text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
    except DBAPIError:
        _briefly(lambda: op.execute(sa.text(f"ALTER TABLE {table} DROP CONSTRAINT {name}")), name)
        raise


def _alter(table: str, name: str, **change: Any) -> None:
    if _is_postgresql():
        _briefly(lambda: op.alter_column(table, name, **change), f"{table}.{name}")
    else:
        with op.batch_alter_table(table) as batch:
            batch.alter_column(name, **change)


def _columns(table: str) -> dict[str, Any]:
    return {column["name"]: column for column in sa.inspect(op.get_bind()).get_columns(table)}


def _index_state(name: str) -> Literal["valid", "broken", "absent"]:
    query = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    found = op.get_bind().scalar(query, {"name": name})
    return "absent" if found is None else "valid" if found else "broken"


def _has_constraint(table: str, name: str) -> bool:
    if _is_postgresql():
        query = sa.text("SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass(:table) AND conname = :name")
        return op.get_bind().scalar(query, {"table": table, "name": name}) is not None
    inspector = sa.inspect(op.get_bind())
    named = [
        *inspector.get_check_constraints(table),
        *inspector.get_foreign_keys(table),
        *inspector.get_unique_constraints(table),
    ]
    return any(each["name"] == name for each in named)


def _pieces(table: str, key: str, where: str, chunk: int) -> Iterator[tuple[sa.ColumnElement[bool], ...]]:
    """Conditions that together hold for every row with ``where``, each for at most ``chunk`` of them."""
    column: sa.ColumnElement[Any] = sa.column(key)
    left: sa.ColumnElement[bool] = sa.literal_column(f"({where})", sa.Boolean())
    beyond: sa.ColumnElement[bool] = sa.true()
    while True:
        found = sa.select(column.label("k")).select_from(sa.table(table)).where(left, beyond)
        some = found.order_by(column).limit(chunk).subquery()
        low, high = op.get_bind().execute(sa.select(sa.func.min(some.c.k), sa.func.max(some.c.k))).one()
        if low is None:
            return
        yield left, column.between(low, high)
        beyond = column > high
