"""The main job by hand: a phone of 360 pixels for the student, a desk for the others, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORD
from tests.browser.stage import DESK, PHONE, Visitor, visit
from tests.world import World
from zhtj import sweeps
from zhtj.config import HTMX_URL
from zhtj.kernel.database import session
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

pytestmark = pytest.mark.slow("drives a browser")


def mobile(world: World, key: str) -> str:
    """What somebody signs in with."""
    account = world.accounts[key] if key in world.accounts else getattr(world, key).account
    return str(account.mobile)


def apply_for_company(visitor: Visitor) -> Page:
    """The graduate's way: reason, unit, organisation, check and send."""
    page = visitor.page
    visitor.check()
    visitor.follow(page.get_by_role("link", name="申请转接").first)
    visitor.check()
    page.get_by_text("已落实工作单位（单位有团组织）").click()
    visitor.follow(page.get_by_role("button", name="下一步"))
    visitor.check()
    page.get_by_label("单位全称").fill("示例科技有限公司")
    visitor.follow(page.get_by_role("button", name="下一步"))
    visitor.check()
    page.get_by_label("先选省份或系统").select_option(label="团安徽省委")
    # With JavaScript the results follow the typing.
    page.get_by_role("searchbox").press_sequentially("slkj")
    if not visitor.javascript:
        page.get_by_role("button", name="搜索").click()
    visitor.follow(page.get_by_role("button", name=re.compile("共青团示例科技有限公司委员会")))
    visitor.check()
    visitor.follow(page.get_by_role("button", name="提交申请"))
    page.get_by_text("等待示例科技团委审批").first.wait_for()
    visitor.check()
    return page


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
def test_the_whole_job(live: Flask, stage: World, home: str, chromium: Browser, *, javascript: bool) -> None:
    # The graduate applies on his phone
    with visit(chromium, home, PHONE, javascript=javascript) as student:
        student.sign_in(mobile(stage, "graduate"), PASSWORD)
        apply_for_company(student)
        assert (HTMX_URL in student.requests) is javascript
        assert student.problems == []

    # His class sees it, but has nothing to do
    with visit(chromium, home, DESK, javascript=javascript) as secretary:
        page = secretary.sign_in(mobile(stage, "class1"), PASSWORD)
        secretary.follow(page.get_by_role("link", name="转接", exact=True))
        page.get_by_role("link", name="丁一").wait_for()
        secretary.check()
        assert secretary.problems == []

    # The company approves and allocates
    with visit(chromium, home, DESK, javascript=javascript) as company:
        page = company.sign_in(mobile(stage, "company"), PASSWORD)
        company.check()
        company.follow(page.get_by_role("link", name="待办").first)
        company.check()
        page.get_by_role("link", name="同意转入").click()
        page.get_by_label("编入哪个团支部").select_option(label="研发团支部")
        company.check()
        page.get_by_role("button", name="确认同意转入").click()
        page.get_by_text("已转入研发团支部").first.wait_for()
        company.check()
        assert company.problems == []

    # The member has moved
    with visit(chromium, home, PHONE, javascript=javascript) as student:
        page = student.sign_in(mobile(stage, "graduate"), PASSWORD)
        assert "研发团支部" in page.locator("main").inner_text()
        student.check()

    # His school prints the letter
    with visit(chromium, home, DESK, javascript=javascript, accept_downloads=True) as school:
        page = school.sign_in(mobile(stage, "university"), PASSWORD)
        school.follow(page.get_by_role("link", name="团员", exact=True))
        for link in ("申请", "丁一", "开具介绍信"):
            school.follow(page.get_by_role("link", name=link).first)
        school.check()
        page.get_by_label("团费交至").fill("2026-06")
        school.follow(page.get_by_role("button", name="开具介绍信"))
        page.get_by_text("2026年001号").first.wait_for()
        school.check()
        href = page.get_by_role("link", name="打开 PDF").get_attribute("href")
        answer = page.context.request.get(home + str(href))
        assert answer.status == 200
        assert answer.body().startswith(b"%PDF")
        assert school.problems == []

    with live.app_context():
        assert session.query(Application).one().state is State.COMPLETED


def test_what_nobody_answers_comes_back_and_is_started_again(
    live: Flask, stage: World, home: str, chromium: Browser, clock_at: Callable[[str], None]
) -> None:
    with visit(chromium, home, PHONE) as student:
        student.sign_in(mobile(stage, "graduate"), PASSWORD)
        apply_for_company(student)
    clock_at("2026-10-25T00:05")
    with live.app_context():
        assert sweeps.run("return").done == 1
    with visit(chromium, home, PHONE) as student:
        page = student.sign_in(mobile(stage, "graduate"), PASSWORD)
        assert "退回" in page.locator("main").inner_text()
        student.check()


def test_a_refusal_on_the_spot_keeps_the_list_where_it_is(stage: World, home: str, chromium: Browser) -> None:
    with visit(chromium, home, PHONE) as student:
        student.sign_in(mobile(stage, "graduate"), PASSWORD)
        apply_for_company(student)
    with visit(chromium, home, PHONE) as company:
        page = company.sign_in(mobile(stage, "company"), PASSWORD)
        company.go("/school/waiting")
        before = page.url
        page.get_by_role("link", name="不同意").click()
        page.get_by_role("button", name="确认不同意").wait_for()
        company.check()
        page.get_by_label("本人已在其他单位就业，应转往该单位").check()
        page.get_by_role("button", name="确认不同意").click()
        page.get_by_text("至少 5 个字").first.wait_for()
        company.check()
        page.get_by_label("具体情况").fill("本人已在滨湖新区就业")
        page.get_by_role("button", name="确认不同意").click()
        page.get_by_text("理由已告知").wait_for()
        assert page.url == before
        company.check()
        assert [line for line in company.problems if "422" not in line] == []


def test_a_changed_htmx_does_not_run(home: str, chromium: Browser) -> None:
    with visit(chromium, home, DESK) as visitor:
        visitor.page.context.unroute_all()
        visitor.page.context.route(
            HTMX_URL,
            lambda route: route.fulfill(
                body="window.broken = true",
                content_type="text/javascript",
                headers={"Access-Control-Allow-Origin": "*"},
            ),
        )
        page = visitor.go("/login")
        assert page.evaluate("window.broken") is None
        assert any("integrity" in problem for problem in visitor.problems)
