"""Every page of the rates as a file: the rows of the page, the asker inside, a line in the log (PD-25, PD-38)."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser, Page
from tests.exports.reading import csv_file, xlsx
from tests.rates.conftest import Area
from tests.transfers.steps import EMPLOYED, do
from zhtj.exports.registry import LISTS
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account
from zhtj.rates import drill_down, queries
from zhtj.rates.rules import RateKind
from zhtj.transfers import operations
from zhtj.web.desks.exports import READERS
from zhtj.web.desks.rates import asked


@pytest.fixture
def browser(client: FlaskClient, area: Area) -> Browser:
    """The province's secretary, after one of three graduates has arrived in another city."""
    application = area.goes(area.world.graduate, "p2_team", **EMPLOYED)
    do(operations.accept, application, area.world.seat("p2_team"))
    return Browser(client).login(area.world.accounts["province"])


def file_of(browser: Browser, address: str, file_format: str = "xlsx") -> Page:
    page = browser.get(f"/provincial/{address}")
    assert page.status == 200
    action = next(form for form in page.source.split('action="') if "/exports/list/" in form).partition('"')[0]
    return browser.post(action.replace("&amp;", "&"), {"format": file_format})


def noted() -> dict[str, Any]:
    found = session.scalars(select(AuditEvent).where(AuditEvent.action == "export.write")).all()
    return dict(found[-1].detail)


def test_the_table_of_children_with_numerator_denominator_and_rate(browser: Browser, area: Area) -> None:
    page = file_of(browser, "rates")

    rows, about = xlsx(page.response.get_data())
    assert rows[0][:5] == ["组织编码", "组织全称", "升学衔接率", "", ""]
    assert rows[1][2:5] == ["分子", "分母", "比率"]
    society = 2 + 3 * list(RateKind).index(RateKind.SOCIETY)
    found = {row[1]: row[society : society + 3] for row in rows[2:]}
    assert found == {
        "共青团安徽省合肥市委员会": ["1", "3", "33.33%"],
        "共青团安徽省芜湖市委员会": ["1", "1", "100.00%"],
        "共青团安徽省委员会": ["1", "3", "33.33%"],
    }
    asker = session.get_one(Account, area.world.accounts["province"].id).name
    assert (about["导出人"], about["导出时间"]) == (asker, "2026-10-14 09:00")
    assert noted()["list"] == "rates"


def test_a_past_day_and_another_organisation_are_those_of_the_page(browser: Browser, area: Area, clock_at: Any) -> None:
    clock_at("2026-10-16T09:00")
    city = session.get_one(Organisation, area.world.orgs["city"].id)

    page = file_of(browser, f"rates?org={city.id}&day=2026-10-13", "csv")

    rows, last = csv_file(page.response.get_data())
    assert rows[-1][:2] == ["3401", "共青团安徽省合肥市委员会"]
    assert "组织：团合肥市委，届别：2026，截至：2026-10-13" in last


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("key", ["graduates", "society.numerator", "society.denominator", "society.missing"])
def test_a_figures_people_are_as_many_as_it_says(browser: Browser, area: Area, key: str) -> None:
    number = drill_down.listing(drill_down.ListQuery(area.world.orgs["province"].path, 2026, key)).count()

    rows, about = xlsx(file_of(browser, f"rates/people?key={key}").response.get_data())

    assert len(rows) - 1 == number > 0
    assert about["筛选条件"].endswith(f"名单：{queries.asked_for(key)}")
    assert {row[0] for row in rows[1:]} <= {"丁一", "卜喆", "仉睿"}
    assert all("（" in row[-1] for row in rows[1:]), "each says why, with its rule"


@pytest.mark.rule("PD-37")
def test_lists_carry_no_numbers_and_no_other_schools_student_numbers(
    client: FlaskClient, area: Area, browser: Browser
) -> None:
    area.goes(area.stranger, "team", **EMPLOYED)
    county = Browser(client).login(area.world.accounts["county"])
    del browser

    rows, _ = xlsx(file_of(county, "rates/people?key=incoming_society").response.get_data())

    assert rows[1][:4] == ["宓文", "", "苏南示范学院2022级1班团支部", "是"]
    account = area.stranger.account
    assert not any(
        str(secret) in cell for row in rows for cell in row for secret in (account.id_number, account.mobile)
    )


def test_what_begins_like_a_formula_stays_text(browser: Browser, area: Area) -> None:
    with unit_of_work():
        session.get_one(Organisation, area.world.orgs["p2"].id).full_name = "=1+1"

    data = file_of(browser, "rates", "csv").response.get_data()

    assert "'=1+1" in {row[1] for row in csv_file(data)[0]}


def test_a_long_one_is_a_jobs_work(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhtj.web.desks.exporting.AT_ONCE", 0)

    page = file_of(browser, "rates/people?key=graduates")

    assert (page.status, page.location) == (303, "/provincial/exports")


def test_nobody_takes_what_he_may_not_see(client: FlaskClient, area: Area) -> None:
    school = Browser(client).login(area.world.accounts["university"])

    for key in ("rates", "rates-people"):
        taken = school.post(f"/school/exports/list/{key}?org={area.world.orgs['q'].id}&figure=graduates")
        assert taken.status == 404


def test_every_page_that_has_a_file_says_how_its_address_is_read() -> None:
    assert set(asked.FILES.values()) <= set(READERS) & set(LISTS)


def test_the_curve_as_numbers(browser: Browser) -> None:
    rows, about = xlsx(file_of(browser, "rates/curve?rate=done&step=day").response.get_data())

    assert rows[0][:4] == ["日期", "已完成", "应计入", "本届"]
    assert ["2026-10-14", "1", "3", "33.33%"] in [row[:4] for row in rows]
    assert about["筛选条件"].endswith("指标：转出完成率，逐日：是")


def test_what_stands_still_and_how_receivers_deal_with_it(browser: Browser, area: Area) -> None:
    area.goes(area.world.classmate, "team", **EMPLOYED)

    offices, about = xlsx(file_of(browser, "rates/stuck?side=out&sort=number&tier=branch").response.get_data())
    waiting, _ = xlsx(file_of(browser, "rates/stuck/list").response.get_data())
    received, _ = xlsx(file_of(browser, "rates/receiving").response.get_data())
    behind, _ = xlsx(file_of(browser, "rates/receiving/list?figure=waiting").response.get_data())

    assert [row[1:3] for row in offices[1:]] == [["示例科技有限公司研发团支部", "1"]]
    assert "范围：本组织毕业生转出的，办理层级：团支部，排序：件数最多的在前" in about["筛选条件"]
    assert [row[0] for row in waiting[1:]] == [row[0] for row in behind[1:]] == ["卜喆"]
    assert received[-1][1:3] == ["共青团安徽省委员会", "1"]


def test_the_ranking_and_the_map_as_numbers(browser: Browser) -> None:
    ranked, about = xlsx(file_of(browser, "rates/ranking?minimum=1&target=95").response.get_data())
    drawn, _ = xlsx(file_of(browser, "rates/map?rate=society").response.get_data())

    assert [[row[0], row[1], row[5], row[8], row[9]] for row in ranked[1:]] == [
        ["1", "3402", "100.00%", "95%", "0"],
        ["2", "3401", "33.33%", "95%", "2"],
    ]
    assert about["筛选条件"].endswith("指标：学社衔接率，起排人数：1，试算目标：95")
    assert [row[2:] for row in drawn[1:]] == [["1", "3", "33.33%"], ["1", "1", "100.00%"]]
