"""What every list page costs in a whole country: ``python -m tests.bench.lists [words of addresses …]``.

On PostgreSQL with the country of ``tests.bench.country``. From a province, a city, a county, a township, a university,
a college and a class every page that needs no argument is opened, and each choice of its filter and each of its
sorts. Bounds: at most 10 statements; warm median of five of all statements together under 50 ms; page 30 at most
twice page 1. What is no list - the workbench, a paper - is shown with a dot and not judged.

With ``ZHTJ_BENCH_URL`` and its ``ZHTJ_DATA_KEYS`` a country that was built before is used.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree.ElementTree import Element

from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.engine import Engine

from tests.bench import country
from tests.browsing import Browser, Page
from zhtj.factory import create_app
from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.database import Base, db, session
from zhtj.people.models import Account

STATEMENTS, MILLISECONDS, DEEP, FLAT = 10, 50.0, 30, 2.0
OPTIONS = 12  # of one field
SEATS = {
    "province": "provincial",
    "city": "provincial",
    "county": "provincial",
    "township": "school",
    "university": "school",
    "college": "college",
    "class": "branch",
}
# Words to look for: what a name begins with, and one that nobody has.
NO_LISTS = ("", "rates/notice", "rates/statistics")
SOUGHT = {"q": ("王", "第1班", "没有这个人")}


@dataclass
class Meter:
    """Statements seen and their seconds."""

    count: int = 0
    spent: float = 0.0
    began: float = 0.0
    slowest: tuple[float, str] = (0.0, "")


@contextmanager
def metered() -> Iterator[Meter]:
    """Count and time every statement of the block."""
    meter = Meter()

    def before(*_: Any) -> None:
        meter.began = time.perf_counter()

    def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        took = time.perf_counter() - meter.began
        meter.count += 1
        meter.spent += took
        meter.slowest = max(meter.slowest, (took, statement))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield meter
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


@dataclass(frozen=True, slots=True)
class Cost:
    """A page's statements, their milliseconds, and those of the whole answer."""

    statements: int
    sql: float
    whole: float
    slowest: str


def cost(browser: Browser, path: str) -> tuple[Page, Cost]:
    """Warm median of five. An answer too slow to be worth it is asked for only twice."""
    page = browser.get(path)
    found: list[tuple[float, float, Meter]] = []
    while len(found) < 5 and not (len(found) == 1 and found[0][0] > 20 * MILLISECONDS):
        with metered() as meter:
            began = time.perf_counter()
            page = browser.get(path)
            whole = time.perf_counter() - began
        found.append((meter.spent * 1000, whole * 1000, meter))
    middle = sorted(found, key=lambda one: one[0])[len(found) // 2][2]
    return page, Cost(
        middle.count,
        statistics.median(one[0] for one in found),
        statistics.median(one[1] for one in found),
        " ".join(middle.slowest[1].split()),
    )


def settled(browser: Browser, path: str) -> tuple[Page, Cost]:
    """The cost, of one that is too slow the least of three: what else runs on a machine only ever adds."""
    page, found = cost(browser, path)
    for _ in range(2):
        if found.sql <= MILLISECONDS:
            break
        found = min(found, cost(browser, path)[1], key=lambda each: each.sql)
    return page, found


def addresses(app: Flask, role: str) -> list[str]:
    """Every page of a role that needs no argument."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] == role]
    return sorted(rule.rule for rule in rules if not rule.arguments and "GET" in (rule.methods or ()))


def choices(page: Page) -> list[str]:
    """The same list by each choice of its filter, and each of its sorts."""
    found: dict[str, None] = {}
    for form in page.document.iter("form"):
        if form.get("method", "get").lower() == "get":
            action = urlsplit(form.get("action") or page.url).path
            found |= {f"{action}?{urlencode({name: value})}": None for name, value in asked(form)}
    path = urlsplit(page.url).path
    for href in page.links().values():
        parts = urlsplit(href)
        turning = {"after", "before"} & dict(parse_qsl(parts.query)).keys()
        if parts.query and parts.path in {"", path} and not turning:
            found[f"{path}?{parts.query}"] = None
    return list(found)


def asked(form: Element) -> Iterator[tuple[str, str]]:
    """What one may choose in a form, one field at a time."""
    for field in form.iter():
        name, value = field.get("name", ""), field.get("value", "")
        if field.tag == "select":
            options = [one.get("value", "") for one in field.iter("option")]
            yield from ((name, option) for option in options[:OPTIONS] if option)
        elif field.get("type") in {"checkbox", "radio"} and value:
            yield name, value
        else:
            yield from ((name, word) for word in SOUGHT.get(name, ()))


def turned(browser: Browser, page: Page) -> str | None:
    """Address of the thirtieth page, or the last there is; None if there is only one."""
    address = None
    for _ in range(DEEP):
        onward = next((href for words, href in page.links().items() if words.endswith("下一页")), None)
        if onward is None:
            break
        address = onward if onward.startswith("/") else urlsplit(page.url).path + onward
        page = browser.get(address)
    return address


def judge(where: str, path: str, found: Cost, first: Cost | None = None) -> bool:
    """Print a line; whether a bound was broken."""
    slow = found.statements > STATEMENTS or found.sql > MILLISECONDS
    slow = slow or (first is not None and found.sql > FLAT * first.sql + 5)
    judged = urlsplit(path).path.split("/", 2)[2] not in NO_LISTS
    mark = ("!" if judged else ".") if slow else " "
    print(f"{mark} {where:10} {found.statements:3} {found.sql:8.1f} ms {found.whole:8.1f} ms  {path}", flush=True)
    if slow and judged:
        print(f"    {found.slowest[:1500]}")
    return slow and judged


def visit(app: Flask, browser: Browser, where: str, wanted: list[str]) -> tuple[int, int]:
    """Every page of one seat; how many were seen, and how many broke a bound."""
    seen = broken = 0
    for path in addresses(app, SEATS[where]):
        if wanted and not any(word in path for word in wanted):
            continue
        page, found = settled(browser, path)
        if page.status != 200 or "<main" not in page.source:
            continue
        seen += 1
        broken += judge(where, path, found)
        for choice in choices(page):
            answer, filtered = settled(browser, choice)
            if answer.status == 200:
                seen += 1
                broken += judge(where, choice, filtered)
        deep = turned(browser, page)
        if deep is not None:
            seen += 1
            broken += judge(where, deep, settled(browser, deep)[1], found)
    return seen, broken


def built() -> float:
    """Seconds it took to build the country."""
    Base.metadata.create_all(db.engine)
    began = time.perf_counter()
    country.build()
    return time.perf_counter() - began


def main() -> int:
    """Exit 1 above a bound."""
    clock.stand_still(clock.parse("2026-10-14T09:00"))
    with ExitStack() as stack:
        known = os.environ.get("ZHTJ_BENCH_URL")
        url = known or country.database(stack)
        app = create_app(
            {
                "ZHTJ_ENV": "test",
                "ZHTJ_DATABASE_URL": url,
                "ZHTJ_SECRET_KEY": "bench",
                "ZHTJ_DATA_KEYS": os.environ.get("ZHTJ_DATA_KEYS") or crypto.generate_key(),
            }
        )
        with app.app_context(), audit.acting(None):
            if not known:
                print(f"built in {built():.0f} s")
            account = session.scalars(select(Account).order_by(Account.id).limit(1)).first()
            if account is None:
                raise SystemExit("nobody there")
            seats = country.appoint(account, *SEATS)
            session.commit()
            session.execute(text("ANALYZE seats"))
            session.commit()
            totals = [
                visit(app, Browser(app.test_client()).login(account, str(number)), where, sys.argv[1:])
                for where, number in seats.items()
            ]
            session.remove()
            db.engine.dispose()
    print(f"{sum(seen for seen, _ in totals)} pages, {sum(broken for _, broken in totals)} above a bound")
    return 1 if any(broken for _, broken in totals) else 0


if __name__ == "__main__":
    sys.exit(main())
