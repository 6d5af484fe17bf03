"""The project's sources as syntax trees, each parsed once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.timing import apart
from zhtj.config import ROOT


def sources(*folders: str) -> Iterator[Path]:
    """Every Python file in these folders, or these files."""
    for folder in folders:
        place = ROOT / folder
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a file, from the outside in."""
    with apart():
        return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@functools.cache
def calls(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    """Every call with the dotted name it is made by."""
    with apart():
        return tuple((ast.unparse(node.func), node) for node in nodes(path) if isinstance(node, ast.Call))
