"""Which tests run, and on which database.

``pytest`` by itself runs everything it is asked for: each test that touches the database on SQLite and on PostgreSQL,
histories at full length. ``make test`` adds ``--brief``: tests of pages run on PostgreSQL alone unless they are marked
``both``, and histories are shorter. ``make test-quick`` adds ``--quick``: only what needs no database and no browser.
"""

from __future__ import annotations

import pytest

PAGES = ("tests/web/", "tests/guards/", "tests/browser/")
NEEDY = frozenset({"installation", "installations", "chromium"})
"""Fixtures that stand for a database or a browser."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--brief", action="store_true", help="pages on one database, histories short: `make test`")
    parser.addoption("--quick", action="store_true", help="only what needs no database: `make test-quick`")


@pytest.fixture(scope="session")
def brief(request: pytest.FixtureRequest) -> bool:
    """Whether long histories are to be shorter."""
    return bool(request.config.getoption("brief"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if not _wanted(item, config)]
    if left_out:
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=left_out)
    # The slow ones first: with several workers the short ones fill up what time is left.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if getattr(config.option, "loadgroup", False):
        for item in items:
            if group := _group(item):
                # xdist reads a group behind a test's name; where it writes it itself, this pytest does not look.
                item._id = type(item.id).parse(f"{item.nodeid}@{group}")


def _wanted(item: pytest.Item, config: pytest.Config) -> bool:
    if config.getoption("quick") and (NEEDY & _fixtures(item) or item.get_closest_marker("slow")):
        return False
    if not config.getoption("brief") or not item.nodeid.startswith(PAGES):
        return True
    return _database(item) != "sqlite" or item.get_closest_marker("both") is not None


def _fixtures(item: pytest.Item) -> set[str]:
    return set(item.fixturenames) if isinstance(item, pytest.Function) else set()


def _database(item: pytest.Item) -> str:
    """The kind of database that the test runs on; empty if it touches none."""
    call = getattr(item, "callspec", None)
    return str(call.params.get("installation", "")) if call else ""


def _group(item: pytest.Item) -> str:
    """Tests that share something expensive stay in one process: a file's own fixture, a demonstration."""
    if "demonstrations" in _fixtures(item):
        return f"demo {_database(item)}"
    info = item._fixtureinfo if isinstance(item, pytest.Function) else None
    definitions = info.name2fixturedefs.values() if info else ()
    return item.nodeid.split("::")[0] if any(found[-1].scope == "module" for found in definitions) else ""
