"""The page of the curve: its table equals what is drawn, its words say what is known, and bad input is told."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.rates.conftest import Area, area
from tests.rates.drawing.drawn import Drawn
from tests.transfers.steps import EMPLOYED, do
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.changing import moving
from zhtj.rates.models import Standing
from zhtj.rates.reports.targets import Target, Targets
from zhtj.rates.rules import RateKind
from zhtj.transfers import operations

__all__ = ["area"]
ROW = re.compile(r"<tr>\s*<th[^>]*><time datetime=\"([\d-]+)\">.*?</tr>", re.DOTALL)
CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def summer(clock_at: Any) -> Any:
    """Begin in June, before everything else is made."""
    clock_at("2026-06-20T09:00")
    return clock_at


@pytest.fixture
def season(summer: Any, area: Area) -> Area:
    """June: a, b, c begin; July: a is done; September: b is done; it is 14 October."""
    world = area.world
    for member, day in ((world.graduate, "2026-07-15T09:00"), (world.classmate, "2026-09-20T09:00")):
        summer(day)
        application = area.goes(member, "p2_team", **EMPLOYED)
        do(operations.accept, application, world.seat("p2_team"))
    summer("2026-10-14T09:00")
    return area


def last_season(area: Area, *done: str | None) -> None:
    """Rows of 2025 at U's class, each completed on a day or not at all."""
    path = area.world.orgs["class1"].path
    members = [area.world.graduate, area.world.classmate, area.third]
    with unit_of_work():
        for member, day in zip(members, done, strict=False):
            row = RegisterRow(
                season=2025,
                member_id=member.id,
                origin_org_id=area.world.orgs["class1"].id,
                season_path=path,
                opened_at=clock.parse("2025-06-10T09:00"),
            )
            session.add(row)
            session.flush()
            known = {"row_id": row.id, "season": 2025, "season_path": path, "to_unit": False, "initiated": False}
            until = date.fromisoformat(day) if day else None
            session.add(Standing(**known, since=date(2025, 6, 10), until=until, done=False))
            session.flush()
            if until:
                session.add(Standing(**known, since=until, done=True))


def rows_of(page: Page) -> dict[str, list[str]]:
    """Cells of the table by day."""
    found = ROW.finditer(page.source)
    return {each[1]: [TAG.sub("", cell).strip() for cell in CELL.findall(each[0])] for each in found}


def per_cents(cells: list[str]) -> list[float]:
    return [float(cell.rstrip("%")) for cell in cells if cell != "—"]


def open_page(client: FlaskClient, area: Area, key: str, query: str = "") -> Page:
    page = (
        Browser(client)
        .login(area.world.accounts[key])
        .get(f"/{area.world.orgs[key].workbench.value}/rates/curve{query}")
    )
    assert page.status == 200
    return page


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("step", ["", "?step=day", "?rate=done&step=day"])
def test_the_table_equals_what_is_drawn(season: Area, client: FlaskClient, step: str) -> None:
    last_season(season, "2025-07-01", "2025-10-20", None)
    page = open_page(client, season, "university", step)
    table = list(rows_of(page).values())
    drawings = Drawn.all_of(page.source)
    assert len(drawings) == 2  # one for wide and one for narrow screens
    for drawn in drawings:
        now, before, ahead = (drawn.series(key) for key in ("now", "before", "forecast"))
        assert [value for _, value in now] == pytest.approx(per_cents([row[2] for row in table]), abs=0.03)
        assert [value for _, value in before] == pytest.approx(per_cents([row[3] for row in table]), abs=0.03)
        # The forecast begins in the present state, which the table has as such
        assert ahead[0] == now[-1]
        assert [value for _, value in ahead[1:]] == pytest.approx(per_cents([row[4] for row in table]), abs=0.03)
        bands = [[float(part.rstrip("%")) for part in row[5].split("–")] for row in table if row[5] != "—"]
        assert [[low, high] for _, low, high in drawn.band()[1:]] == [pytest.approx(band, abs=0.03) for band in bands]


def test_a_day_of_the_table_is_what_was_counted_on_it(season: Area, client: FlaskClient) -> None:
    found = rows_of(open_page(client, season, "university", "?step=day"))
    assert found["2026-06-20"][:3] == ["0", "3", "0.00%"]
    assert found["2026-07-14"][2] == "0.00%"
    assert found["2026-07-15"][:3] == ["1", "3", "33.33%"]
    assert found["2026-09-20"][:3] == ["2", "3", "66.67%"]
    assert found["2026-10-14"][:3] == ["2", "3", "66.67%"]
    assert found["2026-10-15"][:3] == ["—", "—", "—"]
    assert found["2026-10-31"][4] != "—"
    assert found["2026-11-01"][4] == "—"
    assert list(found)[-1] == "2026-12-31"


@pytest.mark.rule("PD-25")
def test_each_count_of_the_table_opens_its_people(season: Area, client: FlaskClient) -> None:
    page = open_page(client, season, "university", "?step=day")
    (row,) = (each[0] for each in ROW.finditer(page.source) if each[1] == "2026-07-15")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', row)]
    lists = [page.browser.get(link).source for link in links]
    assert [found.count('<th scope="row" data-label="姓名">') for found in lists] == [1, 3]


def test_week_by_week_keeps_the_deadlines_and_the_present_day(season: Area, client: FlaskClient) -> None:
    page = open_page(client, season, "university")
    found = rows_of(page)
    assert {"2026-06-20", "2026-08-31", "2026-09-30", "2026-10-14", "2026-10-31", "2026-12-31"} <= set(found)
    assert len(found) < 40
    assert "毕业学校应发起全部流向社会的毕业生团员的转接" in page.text
    # and the drawing names their days
    words = Drawn.all_of(page.source)[0].words()
    assert [word for word in words if word.endswith("日")] == ["8月31日", "9月30日", "10月31日", "12月31日"]


def test_the_page_says_the_outlook_and_how_it_was_found(season: Area, client: FlaskClient) -> None:
    text = open_page(client, season, "university").text
    assert re.search(r"预计10月31日达到 [\d.]+%，八成可能在 [\d.]+% 至 [\d.]+% 之间", text)
    assert "预测是怎样算的" in text


def test_a_past_day_knows_nothing_of_what_came_after(season: Area, client: FlaskClient) -> None:
    page = open_page(client, season, "university", "?day=2026-08-01&step=day")
    found = rows_of(page)
    assert found["2026-08-01"][2] == "33.33%"
    assert found["2026-09-20"][2] == "—"
    assert "截至8月1日，学社衔接率 33.33%" in page.text
    assert "预计8月31日达到" in page.text


def test_the_target_is_a_line_with_its_number(season: Area, client: FlaskClient, monkeypatch: Any) -> None:
    target = Target(Decimal(90))
    monkeypatch.setattr(Targets, "of", lambda _self, _org: {RateKind.SOCIETY: target})
    page = open_page(client, season, "university")
    for drawn in Drawn.all_of(page.source):
        assert [value for _, value in drawn.series("target")] == pytest.approx([90], abs=0.03)
        assert "目标 90%" in drawn.words()
    assert "目标 90%" in page.text


def test_a_season_that_is_over_is_drawn_to_its_end_without_forecast(season: Area, client: FlaskClient) -> None:
    last_season(season, "2025-07-01", None)
    page = open_page(client, season, "university", "?season=2025")
    found = rows_of(page)
    assert found["2025-12-31"][:3] == ["1", "2", "50.00%"]
    assert all(row[4] == "—" for row in found.values())
    assert "本届已经封存，不再预测" in page.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?season=2023", "2023 届没有数据"),
        ("?season=2027", "2027 届还没有开始"),
        ("?day=2026-11-30", "不能查询未来的日期"),
        ("?day=明天", "不是日期"),
        ("?rate=everything", "没有“everything”这项指标"),
        ("?rate=further_study", "还没有人应计入这项指标"),
        ("?day=2026-03-01", "2026 届还没有数据"),
    ],
)
def test_bad_and_empty_questions_are_told(season: Area, client: FlaskClient, query: str, said: str) -> None:
    if query == "?day=2026-03-01":
        last_season(season, "2025-07-01")
    assert said in open_page(client, season, "university", query).text


def test_one_day_is_enough_for_a_curve(area: Area, client: FlaskClient) -> None:
    page = open_page(client, area, "university")
    assert rows_of(page)["2026-10-14"][:3] == ["0", "3", "0.00%"]
    for drawn in Drawn.all_of(page.source):
        assert [value for _, value in drawn.series("now")] == pytest.approx([0])


def test_an_organisation_that_moved_keeps_its_curve(season: Area, client: FlaskClient) -> None:
    with unit_of_work():
        moving.move(season.world.orgs["university"], season.world.orgs["p2"], "皖组〔2026〕1号")
    found = rows_of(open_page(client, season, "university", "?step=day"))
    assert found["2026-07-15"][:3] == ["1", "3", "33.33%"]
    assert found["2026-10-14"][:3] == ["2", "3", "66.67%"]
