"""Say how a subquery is to be used, where the planner of PostgreSQL would guess badly."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, CompoundSelect, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _AnyOf(FunctionElement[bool]):
    """``column IN (query)``."""

    type = Boolean()
    inherit_cache = True
    name = "any_of"


def any_of(column: Any, few: Select[Any] | CompoundSelect[Any]) -> ColumnElement[bool]:
    """SQL: ``column`` is one of the few values that ``few`` finds.

    They are found first and each looked up in the index on ``column``: as a plain IN they are a join, for which
    PostgreSQL reads the whole table where it takes them for many.
    """
    return _AnyOf(column, few.scalar_subquery())


@compiles(_AnyOf)
def _in(element: _AnyOf, compiler: SQLCompiler, **arguments: Any) -> str:
    column, few = (compiler.process(clause, **arguments) for clause in element.clauses)
    return f"{column} IN {few}"


@compiles(_AnyOf, "postgresql")
def _any_array(element: _AnyOf, compiler: SQLCompiler, **arguments: Any) -> str:
    column, few = (compiler.process(clause, **arguments) for clause in element.clauses)
    return f"{column} = ANY (ARRAY{few})"
