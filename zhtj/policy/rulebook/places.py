"""Where the program decides a rule: its ID as it stands in code, policy data and templates, read without running them.

A comment that begins with an ID and a colon (``# A-15: …``) says "here it is decided" and comes first; then what
refuses with that ID or states it as a value of the policy, then what a docstring gives as its reason. Among equals the
lower room comes first, and what is pure before what writes, reads or shows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import cast

from zhtj.policy.rulebook import FOLDER, ID

ROOT = FOLDER.parents[2]
SOURCES = ("app.py", "zhtj", "jobs", "templates", "static")
SUFFIXES = frozenset({".py", ".toml", ".html", ".css", ".js"})
# From the ground up: a rule is decided as low as it can be.
ROOMS = (
    *("kernel", "policy", "orgs", "people", "graduation", "notices", "identity", "transfers", "floating"),
    *("letters", "cases", "rates", "imports", "exports", "jobs", "web", "templates"),
)
FILES = ("workflow", "rules", "checks", "operations", "queries", "models")
WIDTH = 180

_COMMENT = re.compile(r"(?:#|/\*|\{#-?)\s*(?P<whole>.*)|.*\s#\s+(?P<after>.*)")
# A line that is nothing but a comment; one that begins with {#- says what the whole template is.
_COMMENT_LINE = re.compile(r"#|\{# .*#\}$")
_HEAD = re.compile(rf"(?:{ID.pattern}[, ]*)+:")


class Weight(IntEnum):
    """How much the way in which an ID is cited says that the rule is decided there; the least comes first."""

    DECIDES = 0
    STATED = 1  # a refusal that names the rule, a value of the policy
    VALUE = 2
    FUNCTION = 3
    COMMENT = 4
    CLASS = 5
    FILE = 6
    MENTION = 7


@dataclass(frozen=True, slots=True)
class Place:
    """One line that a rule accounts for.

    Args:
        path: relative to the project's folder.
        line: from 1.
        text: the line and what cites the rule there, shortened to one line.
        weight: how it is cited.
        alone: whether no other rule is cited in the same breath.
    """

    path: Path
    line: int
    text: str
    weight: Weight
    alone: bool

    @property
    def rank(self) -> tuple[int, int, bool, int, bool, int, str, int]:
        """Sorts the place that decides before those that repeat, read or show."""
        parts, edition = self.path.parts, self.path.stem[:4]
        room = parts[1] if parts[0] == "zhtj" else parts[0]
        return (
            self.weight,
            ROOMS.index(room) if room in ROOMS else len(ROOMS),
            # Of policies the whole country's newest: a school's or a province's is an exception from it.
            "national" not in self.path.stem,
            -int(edition) if edition.isdecimal() else 0,
            not self.alone,
            FILES.index(self.path.stem) if self.path.stem in FILES else len(FILES),
            self.path.as_posix(),
            self.line,
        )


def find(id_: str, root: Path = ROOT) -> list[Place]:
    """Where a rule is cited, most decisive first, each line once.

    Args:
        id_: ``A-15``; need not be in the rulebook.
        root: the project's folder.
    """
    places: dict[tuple[Path, int], Place] = {}
    for path in _sources(root):
        content = path.read_bytes()
        if id_.encode() in content:
            found = _places(_File(id_, path.relative_to(root), content.decode()))
            for place in sorted(found, key=lambda one: one.rank):
                places.setdefault((place.path, place.line), place)
    return sorted(places.values(), key=lambda place: place.rank)


def cited(root: Path = ROOT) -> Mapping[str, str]:
    """Every ID that code, policy data or a template cites, with the first place met (``path:line``)."""
    found: dict[str, str] = {}
    for path in _sources(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for id_ in ID.findall(line):
                found.setdefault(id_, f"{path.relative_to(root)}:{number}")
    return MappingProxyType(found)


def _sources(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        top = root / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.suffix in SUFFIXES and FOLDER.name not in path.parts:
                yield path


class _File:
    """A source file that cites a rule."""

    def __init__(self, id_: str, path: Path, text: str) -> None:
        self.id = id_
        self.path = path
        self.lines = text.splitlines()

    def cites(self, text: str) -> bool:
        return self.id in ID.findall(text)

    def line(self, number: int) -> str:
        return self.lines[number - 1].strip()

    def joined(self, first: int, last: int) -> str:
        return " ".join(self.line(number) for number in range(first, last + 1))

    def place(self, line: int, text: str, weight: Weight, citing: str) -> Place:
        return Place(self.path, line, _short(text, WIDTH), weight, alone=len(set(ID.findall(citing))) == 1)


def _short(text: str, width: int) -> str:
    whole = " ".join(text.split())
    return whole if len(whole) <= width else whole[: width - 1] + "…"


def _places(file: _File) -> Iterator[Place]:
    wanted = {number for number, line in enumerate(file.lines, 1) if file.cites(line)}
    if file.path.suffix == ".py":
        tree = ast.parse("\n".join(file.lines))
        for above, text, lines in list(_strings((tree,), wanted)):
            if file.cites(text):
                wanted.difference_update(lines)
                yield _of_string(file, above, text, lines)
    for number in sorted(wanted):
        yield _of_line(file, number)


def _strings(above: tuple[ast.AST, ...], wanted: Container[int]) -> Iterator[tuple[tuple[ast.AST, ...], str, range]]:
    """The strings on these lines: the nodes around each from the outermost on, its text, its lines."""
    for node in ast.iter_child_nodes(above[-1]):
        # What has no lines of its own, and what decorators make begin above its first line, is looked into anyway.
        lines = range(getattr(node, "lineno", 0), (getattr(node, "end_lineno", None) or 0) + 1)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield above, node.value, lines
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) or 0 in lines or any(line in wanted for line in lines):
            yield from _strings((*above, node), wanted)


def _of_string(file: _File, above: tuple[ast.AST, ...], text: str, lines: range) -> Place:
    number = next(number for number in lines if file.cites(file.line(number)))
    if isinstance(above[-1], ast.Expr):
        return _of_docstring(file, above, text, number)
    statements = [node for node in above if isinstance(node, ast.stmt)]
    statement, around = statements[-1], statements[:-1]
    refuses = isinstance(statement, ast.Raise | ast.Return) or isinstance(getattr(statement, "value", None), ast.Yield)
    if not refuses or text != file.id:
        return file.place(number, file.line(number), Weight.VALUE if text == file.id else Weight.MENTION, text)
    asked = around and isinstance(question := around[-1], ast.If) and question.body[0] is statement
    first = around[-1].lineno if asked else statement.lineno
    return file.place(first, file.joined(first, statement.end_lineno or first), Weight.STATED, text)


def _of_docstring(file: _File, above: tuple[ast.AST, ...], text: str, number: int) -> Place:
    """What a file, a class, a function or the value before says about itself."""
    owner, said, weight = above[-2], file.line(number), Weight.CLASS
    if isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef):
        weight = Weight.FUNCTION if file.cites(text.partition("\n\n")[0]) else Weight.MENTION
        first, last = owner.lineno, owner.body[0].lineno - 1
    elif isinstance(owner, ast.ClassDef | ast.Module) and owner.body[0] is not above[-1]:
        first = last = owner.body[owner.body.index(cast("ast.stmt", above[-1])) - 1].lineno
    elif isinstance(owner, ast.ClassDef):
        first = last = owner.lineno
    else:
        return file.place(number, said, Weight.FILE, said)
    weight = Weight.DECIDES if _decides(file, text) else weight
    return file.place(first, f"{file.joined(first, last)} {said}", weight, said)


def _decides(file: _File, said: str) -> bool:
    """Whether this says that here it is decided: ``A-15: …``, ``A-15, PD-17: …``."""
    head = _HEAD.match(said)
    return head is not None and file.cites(head[0])


def _of_line(file: _File, number: int) -> Place:
    """A comment, or a line of what is no Python."""
    line = file.line(number)
    comment = _COMMENT.match(line)
    if not comment and file.path.suffix == ".toml":
        return _of_value(file, number)
    if not comment:
        return file.place(number, line, Weight.MENTION, line)
    said = comment["whole"] or comment["after"]
    weight = Weight.DECIDES if _decides(file, said) else Weight.COMMENT
    below = number
    while comment["whole"] and below < len(file.lines) and _COMMENT_LINE.match(file.line(below)):
        below += 1
    if below == number or not file.line(below):
        return file.place(number, line, weight, said)
    code = _short(file.line(below), WIDTH // 2)
    return file.place(below, f"{code}  # {said.removesuffix('#}')}", weight, said)


def _of_value(file: _File, number: int) -> Place:
    """A value of a policy layer, or the whole row of a table of which only the last lines name the rule."""
    said = file.line(number)
    if f'rule = "{file.id}"' not in said:
        return file.place(number, said, Weight.MENTION, said)
    start = r"\w+ = \{" if said.endswith("}") else r"\["
    first = next((row for row in range(number, 0, -1) if re.match(start, file.line(row))), number)
    # The table of situations says in words what the rows before it decide; a school's policy is an exception.
    is_plain = file.path.stem.startswith("base") or "national" in file.path.stem
    weight = Weight.STATED if is_plain and not file.line(first).startswith("[situations") else Weight.VALUE
    return file.place(first, file.joined(first, number), weight, said)
