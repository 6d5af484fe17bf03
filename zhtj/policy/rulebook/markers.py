"""Which rules the tests prove: ``@pytest.mark.rule(...)`` read from their source, without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from zhtj.policy.rulebook import EntryKind, Rule


@dataclass(frozen=True, slots=True)
class Marker:
    """One ID in one marker.

    Args:
        id: the ID; its source text where it is no plain string.
        path: the test file.
        line: where the marker stands.
        test: the function or class that carries it; "" if the whole file does.
    """

    id: str
    path: Path
    line: int
    test: str = ""

    @property
    def place(self) -> str:
        """``tests/transfers/test_refusal.py:31``."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Family:
    """Coverage of one family: the IDs that tests prove and those that they do not yet."""

    name: str
    covered: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many rules of the family software has to prove."""
        return len(self.covered) + len(self.missing)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the tests prove: system rules by family, other entries that are marked too, markers of no known ID."""

    families: tuple[Family, ...]
    others: tuple[str, ...]
    unknown: tuple[Marker, ...]

    @property
    def covered(self) -> int:
        """System rules proven."""
        return sum(len(family.covered) for family in self.families)

    @property
    def total(self) -> int:
        """System rules there are."""
        return sum(family.total for family in self.families)


def collect(folder: Path, id_: str = "") -> list[Marker]:
    """Every ID marked under ``folder``: decorators, ``pytestmark``, ``pytest.param(marks=...)``.

    Args:
        folder: the tests.
        id_: only markers of this one; files that do not name it are not parsed.

    Raises:
        SyntaxError: a test file is no Python.
    """
    return [
        marker
        for path in sorted(folder.rglob("*.py"))
        if id_.encode() in (source := path.read_bytes())
        for marker in _markers(path, source)
        if id_ in {"", marker.id}
    ]


def _markers(path: Path, source: bytes) -> Iterator[Marker]:
    for test, expression in _carriers(ast.parse(source, filename=str(path)).body):
        for node in ast.walk(expression):
            if isinstance(node, ast.Call) and _is_rule_marker(node.func):
                for argument in node.args:
                    id_ = str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument)
                    yield Marker(id_, path, argument.lineno, test)


def _carriers(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """What markers can stand in: decorators, with whose they are, and what a file or a class assigns."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield node.name, decorator
        if isinstance(node, ast.ClassDef):
            yield from _carriers(node.body)
        elif isinstance(node, ast.Assign):
            yield "", node.value


def _is_rule_marker(function: ast.expr) -> bool:
    """``pytest.mark.rule`` or ``mark.rule``."""
    if not (isinstance(function, ast.Attribute) and function.attr == "rule"):
        return False
    owner = function.value
    return (isinstance(owner, ast.Attribute) and owner.attr == "mark") or (
        isinstance(owner, ast.Name) and owner.id == "mark"
    )


def coverage(rules: Mapping[str, Rule], markers: Iterable[Marker]) -> Coverage:
    """Compare the markers with the rulebook."""
    found = list(markers)
    marked = {marker.id for marker in found}
    system = [rule for rule in rules.values() if rule.kind is EntryKind.SYSTEM]
    families = tuple(
        Family(
            name,
            tuple(rule.id for rule in system if rule.family == name and rule.id in marked),
            tuple(rule.id for rule in system if rule.family == name and rule.id not in marked),
        )
        for name in dict.fromkeys(rule.family for rule in system)
    )
    return Coverage(
        families,
        others=tuple(id_ for id_, rule in rules.items() if id_ in marked and rule.kind is not EntryKind.SYSTEM),
        unknown=tuple(marker for marker in found if marker.id not in rules),
    )
