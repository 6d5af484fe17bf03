"""What PostgreSQL plans with, on every connection of ours.

Its defaults are those of a turning disk, where jumping costs four times what reading on does: a page of a list would
read a whole table rather than look twenty rows up in an index. Pages are short; starting helpers, or compiling what is
asked, takes longer than answering.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import event

from zhtj.kernel.database import db

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
