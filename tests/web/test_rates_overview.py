"""The rates' page and the lists behind its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from tests.browsing import Browser, Page
from tests.rates.conftest import Area, area
from tests.transfers.steps import EMPLOYED, do
from zhtj.transfers import operations

__all__ = ["area"]
FIGURE = re.compile(r'<a class="count-link" href="([^"]+)"[^>]*>([\d,]+)</a>')


def figures(page: Page) -> Iterator[tuple[str, int]]:
    """Address and number of every figure on a page."""
    for href, number in FIGURE.findall(page.source):
        yield unescape(href), int(number.replace(",", ""))


@pytest.fixture
def example(area: Area) -> Area:
    """PD-24's example: a -> P2 completed, b -> Q open, c nothing; Q's q -> P1 open."""
    world = area.world
    a = area.goes(world.graduate, "p2_team", **EMPLOYED)
    do(operations.accept, a, world.seat("p2_team"))
    area.goes(world.classmate, "q_team", **EMPLOYED)
    area.goes(area.stranger, "team", **EMPLOYED)
    return area


def listed(page: Page) -> int:
    """How many people a list shows, on all its pages."""
    number = 0
    while True:
        number += page.source.count('<th scope="row" data-label="姓名">')
        following = re.search(r'href="([^"]+)"[^>]*rel="next"', page.source)
        if following is None:
            return number
        page = page.browser.get(unescape(following[1]))


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("who", ["province", "city", "university", "college", "class1", "team", "p2_team", "q"])
def test_every_figure_opens_a_list_of_exactly_that_many(example: Area, client, who: str) -> None:
    world = example.world
    for key in ("q",):
        world.appoint(key)
    browser = Browser(client).login(world.accounts[who])
    page = browser.get(f"/{world.orgs[who].workbench.value}/rates")
    assert page.status == 200
    found = list(figures(page))
    assert len(found) > 10
    for href, number in found:
        people = browser.get(href)
        assert people.status == 200, href
        assert f"共 {number} 人" in people.main, href
        assert listed(people) == number, href
