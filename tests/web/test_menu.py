"""The menu: six entries by object, tabs below, the parent marked on every page, all of it on one plain page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.guards.routes import permission_of, rules
from tests.notices.test_waiting import badge
from tests.transfers.steps import apply, do
from tests.waiting import waits_for
from tests.world import World
from zhtj.kernel.clock import parse
from zhtj.kernel.permissions import TABLE, Permission, SeatKind
from zhtj.transfers import operations, queries
from zhtj.transfers.queries import Filters, WaitingPart
from zhtj.web.rendering import menu

MENUS = {
    SeatKind.MEMBER: menu.MEMBER,
    SeatKind.BRANCH: menu.BRANCH,
    SeatKind.COLLEGE: menu.COLLEGE,
    SeatKind.SCHOOL: menu.SCHOOL,
    SeatKind.PROVINCIAL: menu.LEADING,
}
BAR = 4
"""A phone has room for so many beside 更多."""
SEATS = {
    "class1": ("branch", ["工作台", "待办", "团员", "转接", "数据"]),
    "college": ("college", ["工作台", "待办", "毕业季", "团员", "转接", "数据", "组织"]),
    "university": ("school", ["工作台", "待办", "毕业季", "团员", "文书", "数据", "组织"]),
    "company": ("school", ["工作台", "待办", "团员", "转接", "组织", "数据"]),
    "township": ("school", ["工作台", "待办", "团员", "转接", "组织", "数据"]),
    "county": ("provincial", ["工作台", "待办", "数据", "转接", "组织", "查询"]),
    "province": ("provincial", ["工作台", "待办", "数据", "转接", "组织", "查询"]),
}


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def main_menu(page: Page) -> dict[str, str | None]:
    """Label and mark of each entry; without numbers."""
    (nav,) = [nav for nav in page.document.iter("nav") if nav.get("aria-label") == "主菜单"]
    return {(link.text or "").strip(): link.get("aria-current") for link in nav.iter("a")}


def marked(page: Page) -> set[str]:
    return {label for label, current in main_menu(page).items() if current and label != "更多"}


def tabs(page: Page, section: str) -> dict[str, str | None]:
    (nav,) = [nav for nav in page.document.iter("nav") if nav.get("aria-label") == section]
    return {(link.text or "").strip(): link.get("aria-current") for link in nav.iter("a")}


@pytest.mark.parametrize("kind", SeatKind)
def test_every_page_of_a_seat_belongs_to_one_entry(installations, kind: SeatKind) -> None:
    # Given whatever a seat of this kind may open; then its entry is marked, unless the header leads there
    app = installations["sqlite"].app
    beside = {tab.page for tab in menu.SEAT}
    lost = []
    elsewhere = {SeatKind.MEMBER, SeatKind.PROVINCIAL}
    nowhere = set() if kind in elsewhere else {"townships"}  # a page of counties
    for rule in rules(app):
        blueprint, _, page = rule.endpoint.partition(".")
        if blueprint != kind or "GET" not in (rule.methods or ()) or not kind_may(kind, permission_of(app, rule)):
            continue
        in_header = any(menu.fits(name, page) for name in menu.HEADER) or page in beside
        in_header = in_header or any(tab.reach(page) for tab in menu.SEAT)
        if not in_header and menu.closest(MENUS[kind], page, {}) is None:
            lost.append(page)
    assert set(lost) == nowhere


def kind_may(kind: SeatKind, permission: str) -> bool:
    return permission in set(Permission) and kind in TABLE[Permission(permission)]


@pytest.mark.parametrize("sections", [*MENUS.values(), menu.UNIT], ids=[*MENUS, "unit"])
def test_every_tab_is_a_page_and_the_bar_has_room(installations, sections) -> None:
    app = installations["sqlite"].app
    known = {endpoint.partition(".")[2] for endpoint in app.view_functions}
    assert {tab.page for tab in menu.pages(sections)} <= known
    assert sum(section.on_bar for section in sections) == BAR
    labels = [section.label for section in sections]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(("key", "role", "entries"), [(key, *one) for key, one in SEATS.items()])
def test_each_seat_has_its_entries(world: World, browser: Browser, key: str, role: str, entries: list[str]) -> None:
    page = browser.login(world.accounts[key]).get(f"/{role}/")
    assert list(main_menu(page)) == [*entries, "更多"]
    assert marked(page) == {"工作台"}
    # And 更多 has every tab of every entry, with the pages of the seat
    everything = set(browser.get(f"/{role}/more").links())
    assert {"团员" if role == "provincial" else "花名册", "申请", "指标", "消息", "我的账号", "帮助"} <= everything


def test_a_member_s_menu(world: World, browser: Browser) -> None:
    page = browser.login(world.graduate.account).get("/member/history")
    assert list(main_menu(page)) == ["我的", "办过的事", "消息", "资料", "更多"]
    assert marked(page) == {"办过的事"}
    assert tabs(page, "办过的事") == {"转接历史": "page", "事项": None}
    assert {"组织关系", "登记去向", "我的资料"} <= set(browser.get("/member/more").links())


def test_details_mark_the_entry_they_lie_behind(world: World, browser: Browser) -> None:
    application = apply(world, world.graduate, "team")
    browser.login(world.accounts["university"])
    for path, entry in {
        f"/school/members/{world.graduate.id}": "团员",
        f"/school/applications/{application.id}": "团员",
        f"/school/organisations/{world.orgs['class1'].id}/mark/change": "毕业季",
        "/school/rates/stuck/list": "数据",
        f"/school/organisations/{world.orgs['class1'].id}/posts": "组织",
        "/school/letters/receipts": "文书",
        "/school/letters/receipts?side=late": "待办",
        "/school/cases/new": "待办",
    }.items():
        page = browser.get(path)
        assert page.status == 200, path
        assert marked(page) == {entry}, path
    # And the header leads to what belongs to the seat
    assert {"本组织资料", "任职", "印模", "接口令牌", "我的导出", "我的账号"} <= set(page.links())


@pytest.mark.rule("PD-19", "PD-22")
def test_the_badge_is_the_sum_of_the_tabs_and_leads_to_what_waits(world: World, browser: Browser) -> None:
    # Given a company that has to put somebody into a branch, and nothing to decide
    application = apply(world, world.graduate, "company")
    do(operations.accept, application, world.seat("company"))
    page = browser.login(world.accounts["company"]).get("/school/")
    assert badge(page) == sum(waits_for(world.seat("company")).values()) == 1
    assert page.links()["待办1 件待办"].endswith("/waiting?tab=allocate")
    # Then the plain address of the list leads there too
    shown = browser.get("/school/waiting").follow()
    assert tabs(shown, "待办")["分配"] == "page"
    assert (badge(shown, "-waiting"), badge(shown, "-waiting-allocate")) == (0, 1)
    assert world.graduate.name in shown.main
    assert world.graduate.name not in browser.get("/school/waiting?tab=decide").main


def test_what_goes_back_first_stands_first(world: World, clock_at) -> None:
    # Given one without a clock, one that goes back late, one that goes back soon
    clock_at("2026-10-08T09:00")
    late = apply(world, world.graduate, "company")
    soon = apply(world, world.classmate, "company")
    for one, due in ((late, "2026-10-20T00:00"), (soon, "2026-10-18T00:00")):
        one.due_at = parse(due)
    found = queries.waiting(world.seat("company"), Filters(part=WaitingPart.DECIDE))
    assert [one.id for one in found.page().rows] == [soon.id, late.id]
    # And a second page begins behind the first
    first = replace(found, size=1).page()
    assert [one.id for one in replace(found, size=1).page(after=first.after).rows] == [late.id]
