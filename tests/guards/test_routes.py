"""Every route says who may use it, and lets everybody through exactly as the table says; every address is whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import Environment
from jinja2 import nodes as jinja

from tests.browsing import Browser
from tests.guards.routes import (
    ACTORS,
    FORMS,
    NARROWER,
    NOT_THERE,
    methods_of,
    permission_of,
    rules,
    walk,
)
from tests.guards.town import Town
from tests.guards.trees import nodes as nodes_of
from zhtj.config import ROOT
from zhtj.kernel.permissions import Permission, SeatKind
from zhtj.web.access import PUBLIC, TOKEN
from zhtj.web.routes import COMMITTEES as COMMITTEE_KINDS

TEMPLATES = ROOT / "templates"
Written = tuple[str, str, frozenset[str]]


def test_every_route_says_who_may_use_it(installations) -> None:
    app = installations["sqlite"].app
    for rule in rules(app):
        found = permission_of(app, rule)
        assert found in {PUBLIC, TOKEN, *Permission}, f"{rule.rule}: neither @requires nor @public"


def test_every_module_with_views_is_imported(installations) -> None:
    """A view stands at its address by being imported; whoever forgets the import of a new module has no page."""
    app = installations["sqlite"].app
    served = {Path(unwrap(view).__code__.co_filename) for view in app.view_functions.values()}
    written = {path for path in (ROOT / "zhtj" / "web").rglob("*.py") if "\n@routes." in path.read_text()}
    assert written
    assert written - served <= {ROOT / "zhtj" / "web" / "auth" / "resume.py"}  # looks at every page, has none


def test_every_committee_has_every_desk(installations) -> None:
    app = installations["sqlite"].app
    found: dict[str, set[tuple[str, ...]]] = {kind: set() for kind in COMMITTEE_KINDS}
    for rule in rules(app):
        owner, _, name = rule.endpoint.partition(".")
        if owner in found:
            assert rule.rule.startswith(f"/{owner}/"), rule.rule
            found[owner].add((name, rule.rule.removeprefix(f"/{owner}"), *methods_of(rule)))
    assert len(set(map(frozenset, found.values()))) == 1
    assert set(found) == set(SeatKind) - {SeatKind.MEMBER}


def test_every_permission_is_asked_for_by_a_route(installations) -> None:
    app = installations["sqlite"].app
    assert set(Permission) <= {permission_of(app, rule) for rule in rules(app)}


def test_only_these_routes_are_open_to_everybody(installations) -> None:
    app = installations["sqlite"].app
    found = {rule.rule for rule in rules(app) if permission_of(app, rule) == PUBLIC}
    assert found == {
        "/",
        "/static/zhtj.<digest>.css",
        "/login",
        "/logout",
        "/activate",
        "/activate/<code>",
        "/register",
        "/password/reset",
        "/help/",
        "/help/advice",
        "/help/chart",
        "/help/chart.pdf",
        "/help/chart.svg",
        "/help/interface",
        "/help/offices",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v/<code>",
        "/_components/",
        "/_components/progress",
        "/_components/errors/<int:status>",
    }


def test_only_these_routes_are_opened_by_a_token_and_none_changes_anything(installations) -> None:
    app = installations["sqlite"].app
    found = {rule.rule: methods_of(rule) for rule in rules(app) if permission_of(app, rule) == TOKEN}
    assert set(found) == {"/api/v1/rates", "/api/v1/rates/children", "/api/v1/rates/people"}
    assert all(methods == ["GET"] for methods in found.values())


def test_nothing_that_changes_is_open_to_everybody_but_the_ways_in_and_out(installations) -> None:
    app = installations["sqlite"].app
    found = {r.endpoint for r in rules(app) if "POST" in (r.methods or ()) and permission_of(app, r) == PUBLIC}
    assert {name.partition(".")[0] for name in found} <= {"auth", "gallery"}


@pytest.mark.rule("PD-02")
@pytest.mark.slow("asks for every address there is, about things near and far")
@pytest.mark.parametrize(
    "actor", [pytest.param(actor, marks=pytest.mark.both if actor == SeatKind.MEMBER else ()) for actor in ACTORS]
)
def test_every_route_lets_through_exactly_whom_the_table_names(app: Flask, actor: str, *, brief: bool) -> None:
    walk(app, actor, brief=brief)


def test_every_exception_of_these_guards_is_still_needed(installations) -> None:
    names = {rule.endpoint.partition(".")[2] for rule in rules(installations["sqlite"].app)}
    assert set(NARROWER) | set(NOT_THERE) | set(FORMS) <= names


@pytest.mark.slow("asks every address without a number")
def test_an_expired_session_is_told_to_htmx_in_its_own_way(app: Flask) -> None:
    Town.build()
    browser = Browser(app.test_client())
    for rule in rules(app):
        if permission_of(app, rule) not in {PUBLIC, TOKEN} and "GET" in methods_of(rule) and not rule.arguments:
            page = browser.get(rule.rule, htmx=True)
            assert page.status == 401, rule.rule
            assert page.response.headers["HX-Redirect"].startswith("/login"), rule.rule


def in_code() -> Iterator[Written]:
    """Where an address is written, of which endpoint, with which arguments; those given as ``**`` are not seen."""
    for path in sorted((ROOT / "zhtj").rglob("*.py")):
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "url_for" and node.args:
                names = {keyword.arg for keyword in node.keywords}
                if isinstance(node.args[0], ast.Constant) and None not in names:
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield where, str(node.args[0].value), frozenset(name for name in names if name)


def in_pages(environment: Environment) -> Iterator[Written]:
    """The same of templates."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        for node in environment.parse(path.read_text(encoding="utf-8")).find_all(jinja.Call):
            plain = node.dyn_args is None and node.dyn_kwargs is None
            if plain and getattr(node.node, "name", "") == "url_for" and isinstance(node.args[0], jinja.Const):
                names = frozenset(keyword.key for keyword in node.kwargs)
                yield f"{path.relative_to(ROOT)}:{node.lineno}", str(node.args[0].value), names


def test_every_address_names_what_its_rule_asks_for(installations: Any) -> None:
    app = installations["sqlite"].app
    asked: dict[str, list[set[str]]] = {}
    for rule in rules(app):
        needed = set(rule.arguments) - set(rule.defaults or ())
        for name in (rule.endpoint, "." + rule.endpoint.rpartition(".")[2]):
            asked.setdefault(name, []).append(needed)
    written = [*in_code(), *in_pages(app.jinja_env)]
    assert len(written) > len(asked) / 4
    # A relative endpoint stands for that of the page's own role, so any of the rules will do.
    wrong = [
        f"{where}: {endpoint} needs {sorted(asked[endpoint][0] - names)}"
        for where, endpoint, names in written
        if endpoint in asked and not any(needed <= names for needed in asked[endpoint])
    ]
    assert wrong == []
    unknown = {endpoint for _, endpoint, _ in written if endpoint not in asked and not endpoint.endswith("static")}
    assert unknown == set()
