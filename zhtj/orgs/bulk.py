"""Write very many rows at the speed of the driver; through the mapper the writing would take longer than all else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session, scoped_session

AnySession = Session | scoped_session[Any]


def insert_rows(session: AnySession, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert new rows into ``table``: COPY on PostgreSQL, one prepared statement on SQLite.

    Args:
        session: open session; everything happens in its transaction.
        table: whose column types convert the values. Python-side defaults are not applied.
        columns: names in the order of the values.
        rows: none of them there yet.

    Returns:
        How many were written.
    """
    connection = session.connection()
    dialect = connection.dialect
    names = ", ".join(columns)
    converters = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns]
    values: list[Sequence[Any]] = list(rows)
    if any(converters):
        values = [
            tuple(convert(value) if convert else value for convert, value in zip(converters, row, strict=True))
            for row in values
        ]
    if not values:
        return 0
    if dialect.name == "postgresql":
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        # The names are our own, from the table; nothing a person typed is part of the statement.
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)  # noqa: S608
    return len(values)


def insert_mappings(session: AnySession, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """The same for rows that all carry the same named values."""
    columns = list(rows[0]) if rows else []
    return insert_rows(session, table, columns, ([row[name] for name in columns] for row in rows))
