"""Every template compiles, is used by something, and lets nothing through unescaped."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, nodes

from tests.guards.trees import nodes as nodes_of
from zhtj.config import ROOT

FOLDER = ROOT / "templates"
ALL = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file())
PAGES = [name for name in ALL if name.endswith(".html")]
NAME = re.compile(r"[\w*./-]+\.(html|css)")
# The letters' press names its styles by where they stand in its folder.
PRESS = "letters/"
# What a page may compare with a written word: what it, its address or its form is called by. Everything else - a state,
# a reason, a kind, a rule - decides something, and is asked as a property of it or handed over by the view.
CALLED = {
    "action": "which of the page's forms came back",
    "blueprint": "whose door it is",
    "field": "which field an error is about",
    "form": "whether a form has a field",
    "get": "whether the address says something",
    "key": "which column of a list is drawn",
    "name": "which field is drawn",
    "people": "whether a box was ticked",
    "shape": "how a field is drawn",
    "sheets": "whether there are several",
    "side": "which list the address names",
    "verdict": "which of two forms came back",
    "what": "which list the address names",
    "writes": "which form the address names",
    "wrong": "which field an error is about",
}
COMPONENTS = ("components/", "member/_parts.html")
WIDTH = 120


@pytest.fixture
def environment(app: Flask) -> Environment:
    return app.jinja_env


@pytest.mark.slow("compiles every template there is")
@pytest.mark.parametrize("name", PAGES)
def test_every_template_compiles(installations, name: str) -> None:
    environment = installations["sqlite"].app.jinja_env
    environment.get_template(name)


def _in_python() -> Iterator[str]:
    """Names of templates as the programs write them; what they fill in stands as ``*``."""
    for path in (ROOT / "zhtj").rglob("*.py"):
        for node in nodes_of(path):
            if isinstance(node, ast.Constant):
                text = str(node.value)
            elif isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
            else:
                continue
            if NAME.fullmatch(text) and path.is_relative_to(ROOT / "zhtj" / "letters"):
                yield PRESS + text.removeprefix(PRESS)
            elif NAME.fullmatch(text) and text.endswith(".html"):
                yield text


def _in_templates(environment: Environment) -> Iterator[str]:
    """Names of templates as other templates write them."""
    kinds = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
    for name in PAGES:
        for node in environment.parse(_source(name)).find_all(kinds):
            yield from _names(node.template)  # type: ignore[attr-defined]  # all four have one


def _names(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Concat):
        yield "".join(part.value if isinstance(part, nodes.Const) else "*" for part in node.nodes)
    elif isinstance(node, nodes.Const):
        yield node.value
    else:
        for child in node.iter_child_nodes():
            yield from _names(child)


def _source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_every_template_is_used_and_every_used_one_is_there(installations) -> None:
    environment = installations["sqlite"].app.jinja_env
    wanted = {*_in_python(), *_in_templates(environment)}
    wanted = {pattern for pattern in wanted if not pattern.startswith("*")}
    unused = [name for name in ALL if not any(fnmatch(name, pattern) for pattern in wanted)]
    missing = [pattern for pattern in wanted if not any(fnmatch(name, pattern) for name in ALL)]
    assert (unused, missing) == ([], [])


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_let_through_unescaped(installations, name: str) -> None:
    """Markup is made by macros and by ``Markup``; ``|safe`` on anything but words of our own trusts people."""
    tree = installations["sqlite"].app.jinja_env.parse(_source(name))
    trusted = [node for node in tree.find_all(nodes.Filter) if node.name in {"safe", "forceescape"}]
    assert not [node.lineno for node in trusted if not isinstance(node.node, nodes.Const)]
    assert not list(tree.find_all(nodes.ScopedEvalContextModifier))


@pytest.mark.parametrize("name", PAGES)
def test_no_template_is_so_long_that_nobody_reads_it(name: str) -> None:
    assert len(_source(name).splitlines()) <= 150 or name == "_components.html"


@pytest.mark.parametrize("name", PAGES)
def test_no_page_decides_by_the_value_of_a_state(installations, name: str) -> None:
    """What a state, a kind or an action means is said once, in a property of it or in what the view hands over."""
    tree = installations["sqlite"].app.jinja_env.parse(_source(name))
    compared = [
        side
        for node in tree.find_all(nodes.Compare)
        for side in (node.expr, *(operand.expr for operand in node.ops))
        if isinstance(side, nodes.Getattr) and side.attr == "value"
    ]
    assert [side.lineno for side in compared] == []


def _called(node: nodes.Node) -> str:
    """The last word of what is compared."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Call):
        return _called(node.node)
    return node.name if isinstance(node, nodes.Name) else type(node).__name__


def _words(node: nodes.Node) -> bool:
    """Whether it is a written word, or several."""
    if isinstance(node, nodes.Tuple | nodes.List):
        return any(_words(item) for item in node.items)
    return isinstance(node, nodes.Const) and isinstance(node.value, str) and bool(node.value)


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith(COMPONENTS)])
def test_no_page_decides_by_a_written_word(installations, name: str) -> None:
    """``application.state == "submitted"`` is said once, where what it means is known: ``state.is_open``."""
    tree = installations["sqlite"].app.jinja_env.parse(_source(name))
    decided = []
    for node in tree.find_all(nodes.Compare):
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        if any(_words(side) for side in sides):
            decided += [(node.lineno, _called(side)) for side in sides if not _words(side)]
    assert [(line, called) for line, called in decided if called not in CALLED] == []


@pytest.mark.parametrize("name", ALL)
def test_no_line_is_so_long_that_nobody_reads_its_end(name: str) -> None:
    """Break between attributes, inside ``{{ }}`` and ``{% %}``, and before ``{{-``: there no white space shows."""
    assert [number for number, line in enumerate(_source(name).splitlines(), 1) if len(line) > WIDTH] == []


def test_folders_hold_templates_only() -> None:
    assert {Path(name).suffix for name in ALL} <= {".html", ".css"}
