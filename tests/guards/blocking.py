"""Reads a migration and says what in it would stop those who are working: see zhtj/kernel/sql/migrating.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# What ``op`` may do: to tables the migration makes itself, or harmless.
ON_NEW_TABLES = frozenset({"create_index", "bulk_insert"})
HARMLESS = frozenset({"create_table", "f"})
# A migration leaves the module only by what it offers.
OTHER_WAYS = frozenset({"execute", "exec_driver_sql", "begin", "begin_nested", "commit", "scalar", "scalars"})
# Statements for ``on_postgresql`` that hold everybody up for as long as the table is large.
SLOW = (
    "CREATE INDEX",
    "CREATE UNIQUE INDEX",
    "DROP INDEX",
    "REINDEX",
    "CLUSTER",
    "VACUUM",
    "LOCK ",
    "UPDATE ",
    "DELETE ",
    "INSERT ",
    "ADD CONSTRAINT",
    "ADD COLUMN",
    "ADD CHECK",
    "ADD FOREIGN",
    "ADD UNIQUE",
    "SET NOT NULL",
    " TYPE ",
    "SET TABLESPACE",
    "REFRESH MATERIALIZED",
)


def blocking(source: str) -> list[str]:
    """What of a migration's source is refused, with its line."""
    tree = ast.parse(source)
    made = set(_new_tables(tree))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return [f"line {call.lineno}: {problem}" for call in calls for problem in _problems(call, made)]


def _new_tables(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "op.create_table":
            yield _text(node.args[0])


def _problems(call: ast.Call, made: set[str]) -> Iterator[str]:
    owner, _, name = ast.unparse(call.func).rpartition(".")
    if owner == "op":
        target = _text(call.args[1 if name == "create_index" else 0]) if name in ON_NEW_TABLES else ""
        if name not in HARMLESS and target not in made:
            yield f"op.{name}: use migrating.{name if name != 'execute' else 'fill or migrating.on_postgresql'}"
    elif owner == "migrating":
        if name == "on_postgresql":
            statement = " ".join(_text(call.args[0]).upper().split())
            yield from (
                f"on_postgresql: {word.strip()} has a function of its own" for word in SLOW if word in statement
            )
    elif name in OTHER_WAYS:
        yield f"{owner}.{name}: a migration writes through migrating alone"


def _text(node: ast.expr) -> str:
    """The constant parts of a string, however it is put together."""
    return "".join(str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant))
