"""The rates' page and the lists behind its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.floating.steps import apply as ask_to_stay
from tests.floating.steps import build, grant
from tests.rates.conftest import Area, area
from tests.rates.conftest import build as build_area
from tests.remembering import remembered
from tests.statements import statements
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, do
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import MarkKind
from zhtj.graduation.personal import OwnMark, mark_members
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as organisations
from zhtj.orgs import policies
from zhtj.orgs.changing import moving
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.policy.layers import compose, lineage
from zhtj.policy.seasons import policy_for
from zhtj.transfers import operations
from zhtj.transfers.models import Application

__all__ = ["area"]
FIGURE = re.compile(r'<a class="count-link"\s+href="([^"]+)"[^>]*>([\d,]+)</a>')


def figures(page: Page) -> Iterator[tuple[str, int]]:
    """Address and number of every figure on a page."""
    for href, number in FIGURE.findall(page.source):
        yield unescape(href), int(number.replace(",", ""))


@pytest.fixture
def example(session: Session) -> Area:
    """PD-24's example: a -> P2 completed, b -> Q open, c nothing; Q's q -> P1 open."""
    del session
    return build_example()


@remembered
def build_example() -> Area:
    area = build_area()
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


@pytest.mark.slow("opens the list behind every figure")
@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("who", ["province", "city", "university", "college", "class1", "team", "p2_team", "q"])
def test_every_figure_opens_a_list_of_exactly_that_many(example: Area, client, who: str) -> None:
    world = example.world
    browser = at(example, client, who)
    page = browser.get(f"/{world.orgs[who].workbench.value}/rates")
    assert page.status == 200
    found = list(figures(page))
    assert len(found) > 10
    for href, number in found:
        people = browser.get(href)
        assert people.status == 200, href
        assert f"共 {number} 人" in people.main, href
        assert listed(people) == number, href


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize(("who", "rate"), [("province", "society"), ("city", "done"), ("q", "initiated")])
def test_every_figure_of_the_ranking_opens_its_list(example: Area, client, who: str, rate: str) -> None:
    browser = at(example, client, who)
    for level in ("children", "schools"):
        page = browser.get(f"/{example.world.orgs[who].workbench.value}/rates/ranking?rate={rate}&level={level}")
        found = list(figures(page))
        assert found
        for href, number in found:
            assert f"共 {number} 人" in browser.get(href).main, href


def at(example: Area, client, who: str) -> Browser:
    """A browser of an organisation's secretary."""
    if who not in example.world.accounts:
        example.world.appoint(who)
    return Browser(client).login(example.world.accounts[who])


def test_the_page_shows_the_example_with_its_moment(example: Area, client) -> None:
    page = at(example, client, "province").get("/provincial/rates")
    assert "25.00%" in page.main
    assert "截至 10月14日 09:00" in page.main
    assert "分母中未登记去向 1 人" in page.main
    assert "没有提交申请、没有登记去向的毕业生都在分母里" in page.main


def test_a_province_needs_no_statement_a_child(example: Area, client) -> None:
    browser = at(example, client, "centre")
    browser.get("/provincial/rates")
    with statements() as seen:
        assert browser.get("/provincial/rates").status == 200
    assert len([each for each in seen if "SAVEPOINT" not in each]) <= 10


@pytest.mark.rule("PD-25")
def test_a_past_day_is_told_as_it_was(example: Area, client, clock_at) -> None:
    # Given: b withdraws on the 20th
    world = example.world
    clock_at("2026-10-20T09:00")
    waiting = session.scalars(select(Application).where(Application.member_id == world.classmate.id)).one()
    do(operations.withdraw, waiting, world.own_seat(world.classmate))
    browser = at(example, client, "class1")

    # When
    now = browser.get("/branch/rates/people?key=society.missing").main
    then = browser.get("/branch/rates/people?key=society.missing&day=2026-10-15").main

    # Then
    assert "申请已撤销（10月20日），不影响双方衔接率" in now
    assert "待转入方审批，未完成" in then
    assert "撤销" not in then
    assert "截至 10月15日 24:00" in then


@pytest.mark.rule("PD-26")
def test_the_page_says_how_far_the_target_is_and_how_many_close_it(example: Area, client, monkeypatch) -> None:
    strict, code = compose(lineage("2022-harbin"), 2026), example.world.orgs["college"].code
    monkeypatch.setattr(policies, "governed", lambda _: frozenset({code}))
    monkeypatch.setattr(
        policies, "policy_for", lambda season, line: strict if code in line else policy_for(season, line)
    )
    college = at(example, client, "college").get("/college/rates").main
    assert "目标 100%，差 66.67 个百分点，再完成 2 人达到" in college
    assert "哈尔滨信息工程学院 2022 届通知" in college
    school = at(example, client, "university")
    assert "目标 100%" not in school.get("/school/rates").main
    assert "差 66.67，再完成 2 人" in school.get("/school/rates/ranking?minimum=1").main


def test_a_target_can_be_tried(example: Area, client) -> None:
    browser = at(example, client, "province")
    assert "差 25.00，再完成 1 人" in browser.get("/provincial/rates/ranking?minimum=1&target=50").main
    assert "目标请填 0 到 100 之间的数" in browser.get("/provincial/rates/ranking?target=120").main
    assert "起排人数请填整数" in browser.get("/provincial/rates/ranking?minimum=many").main


@pytest.mark.parametrize("mark", [MarkKind.DELAYED, MarkKind.TEACHER])
def test_who_does_not_count_is_listed_with_the_reason(example: Area, client, mark: MarkKind, clock_at) -> None:
    # Given
    world = example.world
    clock_at("2026-10-16T09:00")
    with acting(world.seat("university")):
        month = date(2027, 6, 1) if mark is MarkKind.DELAYED else None
        mark_members(
            world.seat("university"), world.orgs["class1"], [example.third.id], OwnMark(mark, month, "补修学分")
        )
    browser = at(example, client, "university")

    # Then
    page = browser.get("/school/rates")
    reason = "delayed" if mark is MarkKind.DELAYED else "teacher"
    assert f"不计入任何一项的：{mark.label}" in page.main
    people = browser.get(f"/school/rates/people?key=closed.{reason}").main
    assert "共 1 人" in people
    assert "仉睿" in people
    assert "自 10月16日 起不计入" in people
    assert "共 2 人" in browser.get("/school/rates/people?key=graduates").main
    # The day before he still counted.
    assert "共 0 人" in browser.get(f"/school/rates/people?key=closed.{reason}&day=2026-10-15").main
    assert "共 3 人" in browser.get("/school/rates/people?key=graduates&day=2026-10-15").main


@pytest.mark.slow("opens the list behind every figure")
def test_a_frozen_season_says_so_and_lists_who_was_late(example: Area, client, clock_at) -> None:
    # Given: q's application, under way since October, is accepted in January
    world = example.world
    clock_at("2026-12-31T10:00")
    late = example.goes(example.third, "team", **EMPLOYED)
    clock_at("2027-01-05T10:00")
    do(operations.accept, late, world.seat("team"))
    browser = at(example, client, "university")

    # When
    page = browser.get("/school/rates?season=2026")

    # Then
    assert "2026 届已于 2026年12月31日 封存" in page.main
    assert "封存以后才办完的 1 人" in page.main
    assert "2027年1月5日 才办完" in browser.get("/school/rates/people?season=2026&key=late").main
    for href, number in figures(page):
        assert f"共 {number} 人" in browser.get(href).main, href


@pytest.mark.rule("PD-58", "T-03", "PD-25")
def test_the_township_s_page_names_whom_the_county_took_over_in_no_rate(area: Area, client) -> None:
    # Given two who wait for the township, of whom the county takes one over
    world = area.world
    with unit_of_work():
        name = "安徽省合肥市蜀山区流动团员团支部"
        new = NewOrganisation(name, "蜀山区流动团员团支部", Category.BRANCH, purpose=Purpose.FLOATING)
        world.orgs["county_floating"] = organisations.create(world.orgs["county"], new)
    taken, _ = [area.goes(one, "township", **UNPLACED) for one in (world.graduate, world.classmate)]
    do(operations.take_over, taken, world.seat("county"), world.orgs["county_floating"])
    # Then the township's page says so in a line that leads to exactly him
    browser = at(area, client, "township")
    assert "由县级接收的 1 人，计入县级及以上，不计入这里" in browser.get("/school/rates").main
    people = browser.get("/school/rates/people?key=taken_over").main
    assert "共 1 人，与指标页的数字一致" in people
    assert "卜喆" not in people
    assert "由县级接收到蜀山区流动团员团支部，计入县级" in people
    # And nobody else's does
    assert "由县级接收的" not in at(area, client, "county").get("/provincial/rates").main


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("?season=2024", "系统中没有 2024 届的数据"),
        ("?day=2026-12-01", "不能查询未来的日期"),
        ("?day=2026-03-01", "截至 3月1日，本组织没有 2026 届的毕业生"),
        ("?season=2031", "2031 届还没有开始"),
        ("/people?key=nonsense", "没有这个名单"),
        ("/people?key=closed.nonsense", "没有这个名单"),
        ("/people?key=society.denominator&q=nobody", "没有叫这个名字的人"),
    ],
)
def test_what_cannot_be_shown_is_said_plainly(example: Area, client, address: str, words: str) -> None:
    assert words in at(example, client, "university").get(f"/school/rates{address}").text


def test_a_closed_organisation_keeps_its_figures(example: Area, client) -> None:
    with unit_of_work():
        session.get_one(Organisation, example.world.orgs["class1"].id).closed_at = clock.now()
    page = at(example, client, "college").get(f"/college/rates?org={example.world.orgs['class1'].id}")
    assert "软工1班团支部已于 10月14日 停用，本届的数据仍然保留" in page.main
    assert "33.33%" in page.main


@pytest.mark.slow("opens the list behind every figure")
@pytest.mark.rule("PD-25")
def test_moved_organisations_are_explained_and_their_figures_lead_to_the_people(example: Area, client) -> None:
    # Given: U moves from P1 to P2 in the middle of the season
    world = example.world
    with unit_of_work():
        moving.move(world.orgs["university"], world.orgs["p2"], "test")

    # Then: P1 keeps what was counted there, and says that it has gone
    before = at(example, client, "city").get("/provincial/rates")
    assert "已划出" in before.main
    assert "仍算在本级" in before.main
    after = at(example, client, "p2").get("/provincial/rates")
    assert "划入" in after.main
    own = at(example, client, "university").get("/school/rates")
    assert "由团合肥市委划转到团芜湖市委" in own.main
    for who, page in (("city", before), ("p2", after), ("university", own)):
        browser = at(example, client, who)
        for href, number in figures(page):
            assert f"共 {number} 人" in browser.get(href).main, href


def test_nobody_sees_the_figures_of_another_part_of_the_tree(example: Area, client) -> None:
    browser = at(example, client, "college")
    for page in ("", "/people", "/ranking"):
        key = "&key=graduates" if page == "/people" else ""
        assert browser.get(f"/college/rates{page}?org={example.world.orgs['q'].id}{key}").status == 404
    assert browser.get(f"/college/rates/people?key=graduates&left={example.world.orgs['q'].id}").status == 404


def test_children_are_sorted_by_any_rate_and_empty_ones_folded_away(example: Area, client) -> None:
    browser = at(example, client, "province")
    down, up = (browser.get(f"/provincial/rates?sort={sort}society") for sort in ("-", ""))
    assert down.main.index("团芜湖市委") < down.main.index("团合肥市委")
    assert up.main.index("团合肥市委") < up.main.index("团芜湖市委")
    assert 'aria-sort="descending"' in down.source
    assert "还有 1 个下级组织没有本届毕业生" in at(example, client, "college").get("/college/rates").main


def test_the_workbench_and_the_rates_show_the_same(example: Area, client) -> None:
    browser = at(example, client, "university")
    home = browser.get("/school/").main
    assert "33.33%" in home
    assert "已完成转接 1" in home
    assert "衔接率" in browser.get("/school/").text
    assert "33.33%" in browser.get("/school/rates").main


def test_people_from_outside_are_named_where_their_application_may_be_seen(example: Area, client) -> None:
    page = at(example, client, "team").get("/branch/rates/people?key=incoming_society")
    assert "宓文" in page.main
    assert "从外地区申请转入" in page.main
    # Q's graduate has nothing to do with the receiver any more once the receiver has moved away from below this seat.
    with unit_of_work():
        moving.move(example.world.orgs["company"], example.world.orgs["p2"], "test")
    county = at(example, client, "county").get(
        f"/provincial/rates/people?key=incoming_society&left={example.world.orgs['company'].id}"
    )
    assert "共 1 人" in county.main
    assert "宓*" in county.main
    assert "宓文" not in county.main


@pytest.mark.slow("opens the list behind every figure")
@pytest.mark.rule("M-03", "M-12")
def test_who_is_kept_at_school_counts_as_not_completed_and_it_says_why(example: Area, client, clock_at) -> None:
    # Given: c stays in the school's branch for floating members, by a case that college and school granted
    world = example.world
    with unit_of_work():
        graduation.convert_branches()
    build(world, "kept", "university", Purpose.FLOATING)
    clock_at("2026-10-16T09:00")
    grant(world, ask_to_stay(world, example.third), "college", "university")

    # Then
    browser = at(example, client, "university")
    kept = browser.get("/school/rates/people?key=society.missing&q=仉睿").main
    assert "保留在江淮示范大学团委流动团员团支部，未完成" in kept
    assert "33.33%" in browser.get("/school/rates").main
    # The day before he had done nothing.
    before = browser.get("/school/rates/people?key=society.missing&q=仉睿&day=2026-10-15").main
    assert "没有提交申请，仍计入分母" in before
