"""The member's other pages: one application with its life, taking it back, history, own data, the letter."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do, start
from tests.world import World
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.letters import operations as letters
from zhtj.letters.models import Letter
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition
from zhtj.transfers import operations
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching.sweeps import return_overdue
from zhtj.transfers.workflow import State


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.graduate.account)


def page_of(browser: Browser, application: Application) -> Page:
    return browser.get(f"/member/applications/{application.id}")


def words(page: Page) -> str:
    """The page's text in one line."""
    return page.main.replace("\n", "")


def state_of(application: Application) -> State:
    session.expire_all()
    return application.state


@pytest.mark.rule("A-07")
def test_history_names_every_step_with_who_where_when_and_why(browser: Browser, world: World, clock_at: Any) -> None:
    application = apply(world, world.graduate, "company", **EMPLOYED)
    clock_at("2026-10-16T15:30")
    do(operations.refuse, application, world.seat("company"), Ground.NOT_OURS, "不在我单位工作，请核对。")

    secretary = world.accounts["company"].name
    told = f"不同意10月16日 15:30 · 示例科技团委 · {secretary}理由：{Ground.NOT_OURS.label}不在我单位工作，请核对。"
    text = words(page_of(browser, application))
    assert told in text
    assert "提交申请10月14日 09:00 · 本人" in text
    assert text.index("不同意10月16日") < text.index("提交申请10月14日")


@pytest.mark.rule("D-09", "PD-18")
def test_a_return_stands_in_the_history_at_its_due_time(browser: Browser, world: World, clock_at: Any) -> None:
    application = apply(world, world.graduate, "township", **UNPLACED)
    clock_at("2026-10-30T03:00")
    return_overdue(clock.now())

    assert "超期退回10月25日 00:00 · 系统" in words(page_of(browser, application))


@pytest.mark.rule("A-07")
def test_every_application_about_me_is_listed_whoever_started_it(browser: Browser, world: World) -> None:
    mine = apply(world, world.graduate, "company", **EMPLOYED)
    do(operations.withdraw, mine, world.own_seat(world.graduate))
    theirs = start(world.seat("university"), world.graduate, world.orgs["township"], **UNPLACED)
    apply(world, world.classmate, "township", **UNPLACED)

    page = browser.get("/member/history")

    assert page.links()["转往示例科技团委"] == f"/member/applications/{mine.id}"
    assert page.links()["转往团井岗镇委"] == f"/member/applications/{theirs.id}"
    assert f"发起：转出方 {world.accounts['university'].name}" in page.main
    assert page.main.count("转往") == 2


def test_memberships_are_listed_with_their_days(browser: Browser, world: World, clock_at: Any) -> None:
    application = apply(world, world.graduate, "floating", **UNPLACED)
    clock_at("2026-10-16T09:00")
    do(operations.accept, application, world.seat("township"))

    page = browser.get("/member/history")

    assert "安徽省合肥市蜀山区井岗镇流动团员团支部10月16日起，至今" in words(page)
    assert "江淮示范大学计算机学院2022级软件工程专业1班团支部10月14日起，10月16日止" in words(page)


def test_history_of_somebody_new_is_an_empty_state(browser: Browser) -> None:
    page = browser.get("/member/history")

    assert "还没有申请过转接" in page.main
    assert page.links()["申请转接"] == "/member/transfer/new"


@pytest.mark.parametrize("what", ["", "/withdraw", "/again"])
def test_somebody_elses_application_does_not_exist(browser: Browser, world: World, what: str) -> None:
    foreign = apply(world, world.classmate, "township", **UNPLACED)

    path = f"/member/applications/{foreign.id}{what}"
    page = browser.post(path) if what else browser.get(path)

    assert page.status == 404
    assert state_of(foreign) is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-18")
def test_withdrawing_with_a_remark_ends_it(browser: Browser, world: World) -> None:
    application = apply(world, world.graduate, "township", **UNPLACED)

    page = page_of(browser, application).form("/withdraw").submit(remark="填错了地方").follow()

    assert "申请已撤销。" in page.main
    assert "撤销申请10月14日 09:00 · 本人填错了地方" in words(page)
    assert page.has_form("/again")
    assert state_of(application) is State.WITHDRAWN


@pytest.mark.rule("A-21")
def test_the_member_may_withdraw_what_somebody_else_started(browser: Browser, world: World) -> None:
    theirs = start(world.seat("university"), world.graduate, world.orgs["township"], **UNPLACED)

    browser.get("/member/").form("/withdraw").submit()

    assert state_of(theirs) is State.WITHDRAWN


@pytest.mark.rule("A-18", "PD-16")
def test_withdrawing_too_late_says_what_happened_meanwhile(browser: Browser, world: World) -> None:
    # Given: the page is open on the phone while the township accepts.
    application = apply(world, world.graduate, "township", **UNPLACED)
    form = page_of(browser, application).form("/withdraw")
    do(operations.accept, application, world.seat("township"))

    page = form.submit()

    assert page.status == 409
    assert "没有撤销" in page.main
    assert "对方已经同意接收，申请不能再撤销。" in page.main
    assert state_of(application) is State.AWAITING_ALLOCATION


def test_withdrawing_a_refused_one_is_a_conflict(browser: Browser, world: World) -> None:
    application = apply(world, world.graduate, "company", **EMPLOYED)
    form = page_of(browser, application).form("/withdraw")
    do(operations.refuse, application, world.seat("company"), Ground.NOT_OURS, "不在我单位工作，请核对。")

    page = form.submit()

    assert page.status == 409
    assert "办理了“不同意”" in page.main


def test_starting_again_while_another_is_open_is_refused(browser: Browser, world: World) -> None:
    first = apply(world, world.graduate, "company", **EMPLOYED)
    do(operations.withdraw, first, world.own_seat(world.graduate))
    form = page_of(browser, first).form("/again")
    apply(world, world.graduate, "township", **UNPLACED)

    page = form.submit().follow()

    assert "已有业务正在办理，不能重复发起。" in page.main


def test_a_completed_one_cannot_be_started_again(browser: Browser, world: World) -> None:
    done = apply(world, world.graduate, "floating", **UNPLACED)
    do(operations.accept, done, world.seat("township"))

    assert browser.post(f"/member/applications/{done.id}/again").status == 404


def test_own_data_are_shown_with_the_number_masked(browser: Browser, world: World) -> None:
    page = browser.get("/member/me")

    number = world.graduate.account.id_number or ""
    assert number not in page.source
    assert number[:3] + "*" * 11 + number[-4:] in page.main
    assert world.graduate.account.mobile in page.main
    assert page.links()["修改联系方式和密码"] == "/account"


def test_an_administrator_without_membership_has_no_such_pages(client: FlaskClient, world: World) -> None:
    browser = Browser(client).login(world.accounts["township"])

    for path in ("/member/", "/member/me", "/member/history", "/member/transfer/new"):
        assert browser.get(path).status == 403, path


def issue(world: World, application: Application) -> Letter:
    """The school's introduction letter for it."""
    details = Details(date(2026, 9, 1), FileDisposition.BY_MEMBER, handler="周老师", handler_mobile="13900000001")
    with unit_of_work():
        world.orgs["university"].phone, world.orgs["university"].address = "0551-200", "合肥市某路 1 号"
    with acting(world.seat("university")):
        session.refresh(application)
        return letters.issue(application, world.seat("university"), details)


@pytest.mark.slow("prints a letter")
def test_own_letter_can_be_fetched_by_its_owner_alone(browser: Browser, client: FlaskClient, world: World) -> None:
    application = apply(world, world.graduate, "township", **UNPLACED, contact_mobile="13811112222")
    issued = issue(world, application)

    href = f"/member/letters/{issued.id}"
    assert any("介绍信" in text and target == href for text, target in page_of(browser, application).links().items())
    page = browser.get(href)
    assert "请持介绍信去报到" in page.main
    answer = page.click("下载").response
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.get_data().startswith(b"%PDF")

    assert browser.get("/member/letters").click(issued.serial).status == 200
    other = Browser(client.application.test_client()).login(world.classmate.account)
    assert other.get(href).status == 404


def test_a_void_letter_is_neither_offered_nor_handed_out(browser: Browser, world: World) -> None:
    application = apply(world, world.graduate, "township", **UNPLACED, contact_mobile="13811112222")
    issued = issue(world, application)
    with acting(world.seat("university")):
        session.refresh(issued)
        letters.void(issued, world.seat("university"), "团费月份写错了")

    assert not any(href.startswith("/member/letters/") for href in page_of(browser, application).links().values())
    page = browser.get(f"/member/letters/{issued.id}.pdf")
    assert page.status == 404
    assert "这份介绍信已经作废。" in page.main
