"""The day of a moment, in SQL, as people count it: in Asia/Shanghai (PD-36)."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class local_day(GenericFunction[date]):  # noqa: N801 - used like a function of SQL
    """SQL: the day in Asia/Shanghai on which a ``UtcDateTime`` lies."""

    type = Date()
    inherit_cache = True

    def __init__(self, moment: ColumnElement[Any] | Any) -> None:
        super().__init__(moment)


@compiles(local_day, "sqlite")
def _on_sqlite(element: local_day, compiler: SQLCompiler, **options: Any) -> str:
    # The wall clock there has kept its distance from UTC since 1991.
    return f"date({compiler.process(element.clauses, **options)}, '+8 hours')"


@compiles(local_day, "postgresql")
def _on_postgresql(element: local_day, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(timezone('Asia/Shanghai', {compiler.process(element.clauses, **options)}) AS DATE)"
