"""What PostgreSQL plans with.

On every connection of ours: its defaults are those of a turning disk, where jumping costs four times what reading on
does. A page of a list would read a whole table rather than look twenty rows up in an index. Pages are short; starting
helpers, or compiling what is asked, takes longer than answering.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import Connection, Table, event, text

from zhtj.kernel.database import Base, db

# Values it keeps of a path to guess by how many stand below a place: with its hundred, a school of five hundred
# branches in a country is taken for one.
SAMPLES = 1000
SETTINGS = {"random_page_cost": "1.1", "max_parallel_workers_per_gather": "0", "jit": "off"}


def init_app(app: Flask) -> None:
    """Tell it to every new connection."""
    with app.app_context():
        for engine in db.engines.values():
            if engine.dialect.name == "postgresql":
                event.listen(engine, "connect", _tell)


def _tell(connection: Any, _record: object) -> None:
    connection.autocommit = True  # a rollback would take it back
    connection.execute("; ".join(f"SET {name} = {value}" for name, value in SETTINGS.items()))
    connection.autocommit = False


@event.listens_for(Base.metadata, "after_create")
def _sample_paths(_target: object, connection: Connection, *, tables: list[Table], **_: Any) -> None:
    """Migrations say it of the columns that they make."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for column in table.columns:
            if column.name == "path" or column.name.endswith("_path"):
                statement = f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET STATISTICS {SAMPLES}"
                connection.execute(text(statement))
