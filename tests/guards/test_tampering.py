"""Whatever somebody writes into an address or a form comes to an answer of ours: 400, 404 or 422, and never 500."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.browsing import Browser, Form, Page
from tests.conftest import undone
from tests.guards.routes import ID, asks, methods_of, name_of, permission_of, rules, turned_away
from tests.guards.town import Town
from tests.guards.trees import calls
from zhtj.config import ROOT
from zhtj.kernel.permissions import SeatKind

LEFT_OUT = None
HOSTILE = {
    "a number beyond every column": "9" * 30,
    "a text beyond every column": "长" * 3000,
    "a digit that is no number": "²",
    "markup": "\"'><script>alert(1)</script>",  # the watchman over every page finds it
    "left out": LEFT_OUT,
}


def query_names(folder: str = "") -> list[str]:
    """Every name under which a page reads its address; only those read in one folder of the web floor."""
    found = set()
    for path in (ROOT / "zhtj" / "web" / folder).rglob("*.py"):
        for name, call in calls(path):
            if name in {"request.args.get", "request.values.get"}:
                first = call.args[0]
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return sorted(found)


def pages(app: Flask, town: Town, role: SeatKind, *, brief: bool) -> Iterator[str]:
    """Addresses of every page that this kind of seat may open, about things it may see.

    Args:
        brief: without those that an earlier kind of seat has too: the same view serves it under another door.
    """
    earlier = list(SeatKind)[: list(SeatKind).index(role)] if brief else []
    known = {name_of(rule) for rule in rules(app) for other in earlier if not turned_away(app, other, rule)}
    for rule in rules(app):
        if methods_of(rule) == ["POST"] or turned_away(app, role, rule) or name_of(rule) in known:
            continue
        for ask in asks(rule, town.places(role), once=True):
            if ask.method == "GET" and "errors" not in ask.url:
                yield ask.url


def forms(page: Page) -> Iterator[Form]:
    readable = page.response.mimetype == "text/html" and page.status < 300
    elements = page.document.iter("form") if readable else ()
    for element in elements:
        form = Form(page, element)
        if form.action != "/logout":
            yield form


def crashed(page: Page, what: str) -> list[str]:
    return [f"{what}: {page.status}"] if page.status >= 500 and not what.startswith("/readyz") else []


def refill(form: Form, name: str, value: str | None) -> dict[str, Any]:
    """What the form would send with one field made hostile."""
    values = {key: kept for key, kept in form.values.items() if key != name}
    return values if value is LEFT_OUT else {**values, name: value}


def values(turn: int, *, brief: bool) -> list[tuple[str, str | None]]:
    """What a field is filled with, and why; ``brief``: left out, and with one of the others, the next in turn."""
    *others, left_out = HOSTILE.items()
    return [others[turn % len(others)], left_out] if brief else list(HOSTILE.items())


@pytest.mark.slow("sends every form once for each of its fields and each hostile value")
@pytest.mark.parametrize("role", SeatKind)
def test_no_form_can_be_filled_in_so_that_it_crashes(app: Flask, role: SeatKind, *, brief: bool) -> None:
    # Given somebody who knows every page of his
    town = Town.build()
    browser = Browser(app.test_client()).login(town.actors[role])
    browser.get("/").follow()
    comes_back = browser.returning()
    wrong, seen, sent = [], set(), 0
    for url in pages(app, town, role, brief=brief):
        for form in forms(browser.get(url)):
            known = (form.action.rsplit("?", 1)[0], tuple(sorted(form.names)))
            if known in seen:
                continue
            seen.add(known)
            # When he sends its forms with one field after another made hostile
            for turn, name in enumerate(sorted(form.names - {"csrf_token"}), len(seen)):
                for why, value in values(turn, brief=brief):
                    with undone():
                        comes_back()
                        if form.method == "GET":
                            filled = f"{form.action.split('?')[0]}?{name}={quote(value or '')}"
                            page = browser.get(filled)
                        else:
                            page = browser.post(form.action, refill(form, name, value))
                    sent += 1
                    wrong += crashed(page, f"{form.method} {form.action} with {name} = {why}")
    # Then none of them makes the system stumble
    assert not wrong, "\n".join(wrong)
    # In brief a later kind of seat has only the few pages of its own.
    assert sent > 20 or (brief and role is not next(iter(SeatKind)))


@pytest.mark.slow("opens every page with every hostile value in its address")
@pytest.mark.parametrize("role", SeatKind)
def test_no_address_can_be_written_so_that_it_crashes(app: Flask, role: SeatKind, *, brief: bool) -> None:
    town = Town.build()
    browser = Browser(app.test_client()).login(town.actors[role])
    names, alone = query_names(), {"member": "member", "school": "desks"}
    wrong = []
    for url in pages(app, town, role, brief=brief):
        for value in ("9" * 30, "-1", "长" * 300):
            query = "&".join(f"{name}={quote(value)}" for name in names)
            wrong += crashed(browser.get(f"{url}?{query}"), f"{url} with {value[:3]!r} everywhere")
        # One after another, where the first that is refused would hide the rest
        for name in query_names(alone[role]) if role in alone and url.startswith(f"/{role}/") else ():
            wrong += crashed(browser.get(f"{url}?{name}={'9' * 30}"), f"{url}?{name}=999…")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("place", ["path", "query", "form"])
def test_control_characters_are_refused_at_the_door(client, place: str) -> None:
    browser = Browser(client)
    page = {
        "path": lambda: browser.get("/help/%00"),
        "query": lambda: browser.get("/help/?q=a%00b"),
        "form": lambda: browser.post("/login", {"username": "a\x00b", "password": "x"}),
    }[place]()
    assert page.status == 400
    assert browser.get("/help/?q=a%0D%0A%09b").status == 200


@pytest.mark.slow("asks every address that holds a number")
@pytest.mark.parametrize("number", ["0", "2147483648", "9" * 19, "9" * 30])
def test_a_number_beyond_every_table_is_no_crash(app: Flask, number: str) -> None:
    town = Town.build()
    for role in ("member", "school"):
        browser = Browser(app.test_client()).login(town.actors[role])
        for rule in rules(app):
            if ID.search(rule.rule) and not turned_away(app, role, rule):
                url = ID.sub(number, rule.rule).replace("<action>", "accept")
                page = browser.get(url) if "GET" in methods_of(rule) else browser.post(url, {})
                assert page.status in {400, 404, 422}, f"{url}: {page.status}"


def test_every_name_of_the_addresses_is_known(installations) -> None:
    assert {"q", "after", "before", "state"} <= set(query_names())
    app = installations["sqlite"].app
    assert permission_of(app, next(iter(rules(app))))
