"""What waits for an office is counted once: badge, 待办, its lists and the digest agree (PD-19, PD-22, PD-25)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.cases import steps as cases
from tests.letters.test_issue import issue
from tests.notices import inboxes
from tests.transfers.steps import acting, apply, do
from tests.waiting import waits_for
from tests.world import World
from zhtj import sweeps
from zhtj.cases.workflow import CaseAction
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import session, unit_of_work
from zhtj.notices.models import MessageKind
from zhtj.notices.waiting import WaitingKind
from zhtj.orgs.models import Category
from zhtj.people.models import Member
from zhtj.transfers import operations, queries
from zhtj.transfers.deciding import objections
from zhtj.transfers.rules import Ground

Move = Callable[[str], None]
CORRECTION = {"name": "于明", "why": "录入时写错了一个字"}


def badge(page: Page, tab: str = "") -> int:
    """The number in the menu, or on a tab below it."""
    found = re.search(rf'id="waiting-count{tab}"[^>]*>(\d+)<', page.source)
    return int(found[1]) if found else 0


@pytest.fixture
def company(world: World, clock_at: Move) -> World:
    """A company for which waits: two applications, a case, an objection, somebody who arrived, and an old receipt."""
    with unit_of_work():
        for key in ("university", "company"):
            org = session.merge(world.orgs[key])
            org.phone, org.address, org.postcode = "0551-65500000", "安徽省合肥市示范路1号", "230031"
        world.add("shop", "company", "示例科技有限公司门店团支部", "门店团支部", Category.BRANCH, "非公企业")
        arriving, refused, late = (world.enrol(name, "class1") for name in ("方圆", "陶然", "毛毛"))
        graduation.open_register()
    # One arrived in a branch that has no administrator, with a letter whose receipt nobody has filled in
    there = apply(world, arriving, "company")
    issue(there, world.seat("university"))
    do(operations.accept, there, world.seat("company"))
    do(operations.allocate, there, world.seat("company"), world.orgs["shop"])
    clock_at("2026-11-20T09:00")
    # One was refused by a branch of the company, and objects
    one = apply(world, refused, "team")
    do(operations.refuse, one, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在别处就业")
    object_to(world, refused, one.id)
    # Somebody's name is to be corrected, and two more apply
    case = cases.ask(world.seat("team"), "correction", world.employee, cases.PROOF, **CORRECTION)
    assert case.holder_id == world.orgs["company"].id
    apply(world, world.graduate, "company")
    apply(world, late, "company")
    return world


def object_to(world: World, member: Member, number: int) -> None:
    seat = world.own_seat(member)
    session.expire_all()
    with acting(seat):
        objections.object_to(queries.application(seat, number), seat, "劳动合同已签，去向属实")


ALL = {
    WaitingKind.APPLICATION: 2,
    WaitingKind.CASE: 1,
    WaitingKind.OBJECTION: 1,
    WaitingKind.ARRIVAL: 1,
    WaitingKind.RECEIPT: 1,
}


@pytest.mark.rule("PD-19", "PD-25")
@pytest.mark.slow("makes one thing of each kind and opens the list behind each")
def test_badge_desk_lists_and_digest_count_the_same(company: World, client: FlaskClient, clock_at: Move) -> None:
    assert waits_for(company.seat("company")) == ALL
    # Then the badge says six, on 待办 each kind has its number, and the list behind it as many lines
    browser = Browser(client).login(company.accounts["company"])
    desk = browser.get("/school/waiting")
    assert badge(desk) == badge(browser.get("/school/")) == sum(ALL.values())
    tabs = {"waiting": 2, "waiting-allocate": 0, "arrivals": 1, "cases": 1, "objections": 1, "letter_receipts": 1}
    assert {name: badge(desk, f"-{name}") for name in tabs} == tabs
    assert "于敏" in browser.get("/school/cases").main
    assert "陶然" in browser.get("/school/objections").main
    assert "方圆" in browser.get("/school/arrivals?status=mine").main
    assert "毛毛" not in browser.get("/school/arrivals?status=mine").main
    assert "方圆" in browser.get("/school/letters/receipts?side=late").main
    # And the digest of the next day the same
    clock_at("2026-11-21T08:00")
    sweeps.run("remind")
    digest = next(one for one in inboxes.of(company, "company") if one.kind is MessageKind.REMINDER)
    assert digest.title.startswith("待办提醒：6 件等待办理")
    assert (
        "组织关系转接申请 2 件（待转入方审批 2 件），事项 1 件，申诉和违规拒收提示 1 件，"
        "新转入团员的接续事项 1 件，逾期未回的介绍信回执 1 件。" in digest.body
    )
    assert "其中 1 件属于没有管理员的下级组织" in digest.body


@pytest.mark.rule("PD-19")
def test_a_case_alone_is_asked_for_weekly(world: World, clock_at: Move) -> None:
    # Given a case that waits, and nothing else
    case = cases.ask(world.seat("team"), "correction", world.employee, cases.PROOF, **CORRECTION)
    told = []
    for day in range(15, 31):
        clock_at(f"2026-10-{day}T08:00")
        told += [day] if sweeps.run("remind").done else []
    # Then its office hears of it every week, until it is passed on
    assert told == [21, 28]
    assert "有 1 件等待办理：事项 1 件。" in inboxes.of(world, "company")[0].body
    cases.do(case, world.seat("company"), CaseAction.FORWARD)
    assert WaitingKind.CASE not in waits_for(world.seat("company"))


@pytest.mark.rule("PD-18", "PD-19")
def test_what_is_past_its_due_moment_waits_for_nobody(world: World, clock_at: Move) -> None:
    apply(world, world.graduate, "team")
    assert waits_for(world.seat("team")) == {WaitingKind.APPLICATION: 1}
    clock_at("2026-10-25T00:00")
    assert waits_for(world.seat("team")) == {}
    assert queries.waiting(world.seat("team"), queries.Filters()).count() == 0
