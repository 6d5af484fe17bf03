"""The page of the map: its table equals what is drawn, every rectangle leads down, and bad input is told."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.rates.conftest import Area, area
from tests.rates.drawing.drawn import Drawn
from tests.transfers.steps import EMPLOYED, do
from zhtj.kernel.database import unit_of_work
from zhtj.orgs.changing import moving
from zhtj.transfers import operations

__all__ = ["area"]
LINK = "{http://www.w3.org/2000/svg}a"
ROW = re.compile(r'<tr>\s*<th scope="row" data-label="组织">(.*?)</th>(.*?)</tr>', re.DOTALL)
CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def example(area: Area) -> Area:
    """a of U -> P2 completed, b -> Q open."""
    do(operations.accept, area.goes(area.world.graduate, "p2_team", **EMPLOYED), area.world.seat("p2_team"))
    area.goes(area.world.classmate, "q_team", **EMPLOYED)
    return area


def open_page(client: FlaskClient, area: Area, key: str, query: str = "") -> Page:
    page = (
        Browser(client).login(area.world.accounts[key]).get(f"/{area.world.orgs[key].workbench.value}/rates/map{query}")
    )
    assert page.status == 200
    return page


def drawn_parts(page: Page) -> list[set[str]]:
    """What each drawing says about each part."""
    return [{str(each[0].text) for each in drawn.root.iter(LINK)} for drawn in Drawn.all_of(page.source)]


def listed_parts(page: Page) -> set[str]:
    """What the table says, in the same words."""
    found = set()
    for name, cells in ROW.findall(page.source):
        counted, done, rate = (TAG.sub("", cell).strip() for cell in CELL.findall(cells))
        found.add(f"{TAG.sub('', name).split()[0]}：{rate}（{done}/{counted}）")
    return found


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("query", ["", "?rate=done", "?rate=initiated"])
def test_the_table_equals_what_is_drawn(example: Area, client: FlaskClient, query: str) -> None:
    page = open_page(client, example, "centre", query)
    listed = listed_parts(page)
    assert listed
    assert drawn_parts(page) == [listed, listed]


def test_a_province_and_its_neighbour_are_counted_as_on_their_own_pages(example: Area, client: FlaskClient) -> None:
    page = open_page(client, example, "centre")
    assert listed_parts(page) == {"团安徽省委：33.33%（1/3）", "团江苏省委：0.00%（0/2）"}
    assert "本级 25.00%" in page.text


def test_rectangles_lead_down_to_the_branch(example: Area, client: FlaskClient) -> None:
    page = open_page(client, example, "province")
    seen = []
    for _ in range(5):
        links = {unescape(str(each.get("href"))) for each in Drawn.all_of(page.source)[0].root.iter(LINK)}
        inside = sorted(link for link in links if "/rates" in link)
        page = page.browser.get(inside[0])
        assert page.status == 200
        seen.append(page.title)
        if "地区图" not in page.title:
            break
    assert len(seen) > 2
    assert "地区图" not in seen[-1]


def test_counts_open_exactly_their_people(example: Area, client: FlaskClient) -> None:
    page = open_page(client, example, "province")
    for _, cells in ROW.findall(page.source):
        links = re.findall(r'href="([^"]+)"[^>]*>([\d,]+)<', cells)
        assert len(links) == 2
        for href, number in links:
            people = page.browser.get(unescape(href)).source.count('<th scope="row" data-label="姓名">')
            assert people == int(number)


def test_shades_are_explained_with_numbers(example: Area, client: FlaskClient) -> None:
    for drawn in Drawn.all_of(open_page(client, example, "province").source):
        assert drawn.words()[-5:] == ["不足 50%", "50% 起", "70% 起", "85% 起", "95% 起"]


@pytest.mark.parametrize(
    ("key", "query", "said"),
    [
        ("class1", "", "团支部没有下级组织"),
        ("province", "?season=2023", "下级组织都没有应计入学社衔接率的人"),
        ("province", "?season=2027", "2027 届还没有开始"),
        ("province", "?day=2027-01-01", "不能查询未来的日期"),
        ("province", "?rate=further_study", "下级组织都没有应计入升学衔接率的人"),
        ("province", "?rate=nothing", "没有“nothing”这项指标"),
    ],
)
def test_bad_and_empty_questions_are_told(example: Area, client: FlaskClient, key: str, query: str, said: str) -> None:
    assert said in open_page(client, example, key, query).text


def test_whoever_counts_nobody_is_named_not_drawn(example: Area, client: FlaskClient) -> None:
    page = open_page(client, example, "city")
    assert re.search(r"另有 \d+ 个下级组织没有应计入学社衔接率的人（0/0），没有画出", page.text)


def test_what_moved_away_is_shown_where_it_counts_and_leads_nowhere(example: Area, client: FlaskClient) -> None:
    world = example.world
    with unit_of_work():
        moving.move(world.orgs["university"], world.orgs["p2"], "皖组〔2026〕1号")
    page = open_page(client, example, "province", f"?org={world.orgs['city'].id}")
    assert "已划出" in page.text
    name = world.orgs["university"].short_name
    for drawn in Drawn.all_of(page.source):
        said = [each.get("aria-label", "") for each in drawn.root.iter("{http://www.w3.org/2000/svg}g")]
        assert any(each.startswith(name) for each in said)
    # and where it stands today it leads to its own map
    there = page.browser.get(f"/provincial/rates/map?org={world.orgs['p2'].id}")
    assert any(label.startswith(name) for label in drawn_parts(there)[0])
