"""What a member does about an application of his: correct it, send it elsewhere, object, get help (A-18 … A-23)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.transfers.steps import UNPLACED, acting, apply, do
from tests.world import World
from zhtj import sweeps
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category
from zhtj.transfers import operations, queries
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import Application, Objection, TransferDraft
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State

Move = Callable[[str], None]


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.graduate.account, "member")


def state_of(number: int) -> State:
    session.expire_all()
    return session.get_one(Application, number).state


def elsewhere(browser: Browser, number: int, world: World) -> Page:
    """Begin to redirect, choose the township's floating branch by place, arrive at the last page."""
    page = browser.get(f"/member/applications/{number}").form("/redirect").submit().follow()
    assert "转到哪个团组织" in page.main
    return browser.post("/member/transfer/new/organisation", {"destination": world.orgs["company"].code}).follow()


def refuse(world: World, number: int, remark: str = "本人已在滨湖新区就业") -> None:
    found = session.get_one(Application, number)
    do(operations.refuse, found, world.seat("team"), Ground.WORKS_ELSEWHERE, remark)


@pytest.mark.rule("A-20", "PD-16")
def test_the_member_corrects_his_application_and_everybody_sees_what_changed(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "team", reason="employed_with_org", unit_name="示例科技有限公司").id
    page = browser.get(f"/member/applications/{number}").click("修改申请")
    form = page.form(f"/applications/{number}/amend")
    assert form.values["unit_name"] == "示例科技有限公司"
    done = form.submit(unit_name="示例科技有限公司合肥分公司", remark="档案已寄出").follow()
    assert "已修改" in done.text
    assert "单位或学校：示例科技有限公司 → 示例科技有限公司合肥分公司；备注：（未填） → 档案已寄出" in done.main
    assert state_of(number) is State.AWAITING_ACCEPTANCE
    # The receiver reads the same
    other = Browser(browser.client).login(world.accounts["team"]).get(f"/branch/applications/{number}")
    assert "示例科技有限公司 → 示例科技有限公司合肥分公司" in other.main


@pytest.mark.rule("A-20", "PD-16")
def test_a_correction_that_cannot_be_comes_back_with_what_was_typed(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "team", reason="employed_with_org", unit_name="示例科技有限公司").id
    form = browser.get(f"/member/applications/{number}/amend").form("/amend")
    failed = form.submit(unit_name="", contact_mobile="12345", remark="写了很长的一段备注")
    assert failed.status == 422
    assert "请填写工作单位全称" in failed.main
    assert "手机号码应为 11 位数字" in failed.main
    assert failed.form("/amend").values["remark"] == "写了很长的一段备注"
    same = browser.get(f"/member/applications/{number}/amend").form("/amend").submit()
    assert same.status == 422
    assert "没有改动" in same.main


@pytest.mark.rule("A-18", "PD-16")
def test_while_the_new_one_is_filled_in_the_old_one_runs_on(world: World, browser: Browser) -> None:
    old = apply(
        world, world.graduate, "team", reason="employed_with_org", unit_name="示例科技有限公司", remark="请尽快"
    ).id
    check = elsewhere(browser, old, world)
    # Everything is filled in, and nothing has happened yet
    assert "示例科技有限公司" in check.main
    assert check.form("/check").values["remark"] == "请尽快"
    assert "照常办理" in check.main
    assert state_of(old) is State.AWAITING_ACCEPTANCE
    draft = session.get_one(TransferDraft, world.graduate.id)
    assert draft.answers["redirects"] == old
    assert "改转其他组织还没有提交" in browser.get("/member/").main
    # Sent: in the same moment the old one is withdrawn, and the two name each other
    home = check.form("/check").submit().follow()
    assert "申请已提交给示例科技团委" in home.text
    assert state_of(old) is State.WITHDRAWN
    new = session.query(Application).filter_by(follows_id=old).one()
    assert (new.state, new.to_org_id) == (State.AWAITING_ACCEPTANCE, world.orgs["company"].id)
    assert f"/member/applications/{new.id}" in browser.get(f"/member/applications/{old}").source
    assert "它接续的前一份申请" in browser.get(f"/member/applications/{new.id}").main
    assert session.get(TransferDraft, world.graduate.id) is None


@pytest.mark.rule("PD-16")
@pytest.mark.parametrize(("to", "happened"), [("team", "同意转入"), ("company", "已经同意接收")])
def test_accepted_meanwhile_is_said_and_nothing_is_lost(world: World, browser: Browser, to: str, happened: str) -> None:
    """409 with what happened, whether the member has moved already or waits for his branch."""
    old = apply(world, world.graduate, to, reason="employed_with_org", unit_name="示例科技有限公司").id
    with unit_of_work():
        session.merge(world.orgs["county"])
        world.add("plant", "county", "共青团示例制造有限公司委员会", "示例制造团委", Category.COMMITTEE, "非公企业")
    browser.get(f"/member/applications/{old}").form("/redirect").submit()
    page = browser.post("/member/transfer/new/organisation", {"destination": world.orgs["plant"].code}).follow()
    form = page.form("/transfer/new/check")
    do(operations.accept, session.get_one(Application, old), world.seat(to))
    late = form.submit(remark="改到制造公司")
    assert late.status == 409
    assert happened in late.main
    assert "改到制造公司" in late.source
    assert "示例制造团委" in late.main
    assert session.query(Application).filter_by(member_id=world.graduate.id).count() == 1
    assert session.get(TransferDraft, world.graduate.id) is not None
    # Once moved, what he filled in is a new application if he still wants it; it follows nothing
    if to == "team":
        late.form("/check").submit()
        new = session.query(Application).filter_by(to_org_id=world.orgs["plant"].id).one()
        assert (new.follows_id, new.remark) == (None, "改到制造公司")


@pytest.mark.rule("PD-16")
def test_a_redirection_can_be_given_up_and_one_to_the_same_place_is_none(world: World, browser: Browser) -> None:
    old = apply(world, world.graduate, "company", reason="employed_with_org", unit_name="示例科技有限公司").id
    same = elsewhere(browser, old, world).form("/check").submit()
    assert same.status == 422
    assert "转入组织没有改变" in same.main
    given_up = same.form("/transfer/drop").submit().follow()
    assert "原申请继续办理" in given_up.text
    assert session.get(TransferDraft, world.graduate.id) is None
    assert state_of(old) is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-23", "PD-17")
def test_a_refused_member_sees_why_and_every_way_out(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "team").id
    refuse(world, number)
    page = browser.get(f"/member/applications/{number}")
    for words in ("本人已在其他单位就业", "本人已在滨湖新区就业", "改选去向", "申诉", "发给老师的话"):
        assert words in page.main
    assert "我没有在别的单位工作，请帮我向研发团支部说明" in page.main


@pytest.mark.rule("PD-17")
def test_the_member_objects_once_and_follows_his_objection(world: World, browser: Browser) -> None:
    with unit_of_work():
        session.merge(world.orgs["company"]).phone = "0551-65550001"
    number = apply(world, world.graduate, "team").id
    refuse(world, number)
    asked = browser.get(f"/member/applications/{number}").click("申诉")
    assert "示例科技团委" in asked.main
    assert "0551-65550001" in asked.main
    short = asked.form("/object").submit(text="不服")
    assert short.status == 422
    assert "至少 5 个字" in short.main
    assert short.form("/object").values["text"] == "不服"
    done = short.form("/object").submit(text="劳动合同已签，去向属实").follow()
    for words in ("申诉已交给示例科技团委", "等待处理", "0551-65550001", "劳动合同已签，去向属实"):
        assert words in done.text
    # The refusal still is why it ended
    assert "本人已在滨湖新区就业" in done.main
    assert not any(href.endswith("/object") for href in done.links().values())
    assert browser.get(f"/member/applications/{number}/object").status == 409
    # Sustained: the answer, and the way to the new application
    objection = session.query(Objection).one()
    with acting(world.seat("company")):
        objections.answer(objection, world.seat("company"), sustained=True, remark="合同属实，应当接收")
    heard = browser.get(f"/member/applications/{number}")
    assert "支持申诉" in heard.main
    assert "合同属实，应当接收" in heard.main
    assert "待转入方审批" in heard.click("查看重新办理的申请").main


@pytest.mark.rule("A-23", "A-24")
def test_a_returned_application_names_who_let_it_lapse_and_starts_again_in_one_tap(
    world: World, browser: Browser, clock_at: Move
) -> None:
    clock_at("2026-10-01T09:00")
    number = apply(world, world.graduate, "team", remark="请尽快", reason="employed_with_org", unit_name="示例科技").id
    clock_at("2026-10-12T09:00")
    assert sweeps.run("return").done == 1
    home = browser.get("/member/")
    assert "研发团支部没有在期限内办理" in home.main
    assert "发给老师的话" in home.main
    assert "系统退回了" in home.main
    check = home.form("/again").submit().follow()
    assert check.url == "/member/transfer/new/check"
    again = check.form("/check").submit().follow()
    assert "申请已提交" in again.text
    new = queries.of_member(world.graduate.id)[0]
    assert (new.follows_id, new.remark, new.state) == (number, "请尽快", State.AWAITING_ACCEPTANCE)


@pytest.mark.rule("A-21")
def test_whoever_gets_the_already_under_way_message_can_withdraw_there(world: World, browser: Browser) -> None:
    apply(world, world.graduate, "floating", **UNPLACED)
    late = browser.post("/member/transfer/new", {"reason": "unplaced"})
    assert late.status == 409
    assert "已有业务正在办理，不能重复发起" in late.main
    assert "撤销申请" in late.main
