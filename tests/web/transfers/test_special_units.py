"""Special units on the screen: no organisation, stop and read, the province alone decides, nothing secret is shown."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser, Page
from tests.transfers.applying.test_special_units import ARMY, enlist
from tests.transfers.steps import do
from tests.world import World
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category
from zhtj.transfers import operations
from zhtj.transfers.applying import drafts
from zhtj.transfers.models import Application, TransferDraft
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Initiator, State

START = "/member/transfer/new"
SECRET = "示例研究所"
PHONE = "0551-62600000"


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        session.merge(world.orgs["province"]).phone = PHONE
    return world


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.graduate.account)


@pytest.fixture
def province(app: Flask, world: World) -> Browser:
    return Browser(app.test_client()).login(world.accounts["province"])


def described(browser: Browser, **values: str) -> Page:
    """Reason chosen and remark written, at the page that has to be read."""
    page = browser.get(START).form("/new").submit(reason="special_unit").follow()
    filled: dict[str, Any] = {"remark": ARMY, **values}
    return page.form("/special").submit(**filled).follow()


def the_application() -> Application:
    session.expire_all()
    return session.scalars(select(Application)).one()


def waiting(world: World, **details: str) -> int:
    return enlist(world.own_seat(world.graduate), world.graduate, **details).id


# ---- the member


@pytest.mark.rule("S-02", "S-05", "S-07", "S-08", "PD-18")
def test_a_member_describes_it_reads_what_cannot_be_undone_and_sends_it(browser: Browser) -> None:
    # Given remark and, if he likes, the unit's name; no organisation is asked for
    page = described(browser, secret_unit=SECRET)
    # When he has read that it cannot be undone, that the province decides, that papers are needed all the same
    assert "第 3 步，共 3 步" in page.main
    for sentence in ("批准后不能撤回，也不能再转出", "由团安徽省委一家审批，不用选转入组织", "线下的手续照样要办"):
        assert sentence in page.main
    assert SECRET not in page.source
    # Then it is not sent before he has ticked that all is done
    refused = page.form("/check").submit(contact_mobile="13811112222")
    assert refused.status == 422
    assert "请核实手续都已完成" in refused.main
    assert refused.form("/check").values["contact_mobile"] == "13811112222"
    home = refused.form("/check").submit(confirmed="y").follow()
    assert home.url == "/member/"
    application = the_application()
    assert (application.state, application.remark) == (State.AWAITING_PROVINCE, ARMY)
    assert (application.secret_unit, application.contact_mobile) == (SECRET, "13811112222")
    # And his first page says who decides, how to ring them, and that no clock runs
    assert "等待团安徽省委审批" in home.main
    assert PHONE in home.main
    assert "没有期限，不会自动退回" in home.main
    assert "最迟" not in home.main
    shown = home.click("查看办理经过")
    assert "待省级团委审批" in shown.main
    assert "转往参军入伍" in shown.title
    assert SECRET not in shown.source


@pytest.mark.rule("S-04")
@pytest.mark.parametrize("remark", ["", "到部队去"])
def test_a_remark_that_does_not_say_it_comes_back_with_what_was_typed(browser: Browser, remark: str) -> None:
    page = described(browser, remark=remark, secret_unit=SECRET)
    assert page.status == 422
    assert "请在备注中写明情况" in page.main or "备注须写明“入伍”或“涉密”" in page.main
    form = page.form("/special")
    assert (form.values["remark"], form.values["secret_unit"]) == (remark, SECRET)
    assert browser.get(f"{START}/check").location == f"{START}/special"


def test_the_draft_goes_on_elsewhere_and_keeps_the_name_encrypted(browser: Browser, app: Flask, world: World) -> None:
    described(browser, secret_unit=SECRET)
    other = Browser(app.test_client()).login(world.graduate.account)
    home = other.get("/member/")
    assert "由省级团委审批" in home.main
    assert home.click("继续填写").url == f"{START}/check"
    assert other.get(f"{START}/special").form("/special").values["secret_unit"] == SECRET
    draft = session.get_one(TransferDraft, world.graduate.id)
    assert SECRET not in repr(draft.answers)


def test_a_page_that_belongs_to_another_reason_leads_to_the_open_question(browser: Browser) -> None:
    described(browser)
    for step in ("unit", "place", "organisation", "external"):
        assert browser.get(f"{START}/{step}").location == f"{START}/check"
    browser.get(START).form("/new").submit(reason="unplaced")
    assert browser.get(f"{START}/special").location == f"{START}/place"


@pytest.mark.rule("A-23")
def test_after_a_refusal_everything_is_filled_in_again(browser: Browser, world: World) -> None:
    number = waiting(world, secret_unit=SECRET)
    refused = session.get_one(Application, number)
    do(operations.refuse, refused, world.seat("province"), Ground.NOT_PASSED, "体检还没有做完")
    home = browser.get("/member/")
    assert "没有同意" in home.main
    assert "体检还没有做完" in home.main
    page = home.form("/again").submit().follow()
    assert page.url == f"{START}/check"
    assert ARMY in page.main
    assert "已填写，加密保存" in page.main
    assert "上次没有同意" in page.main
    page.form("/check").submit(confirmed="y")
    session.expire_all()
    again = session.scalars(select(Application).order_by(Application.id.desc())).first()
    assert again is not None
    assert (again.follows_id, again.state, again.secret_unit) == (number, State.AWAITING_PROVINCE, SECRET)


@pytest.mark.rule("PD-16")
def test_it_can_be_taken_back_until_the_province_decides(browser: Browser, world: World) -> None:
    waiting(world)
    page = browser.get("/member/").form("/withdraw").submit(remark="不去了").follow()
    assert "申请已撤销" in page.text
    assert the_application().state is State.WITHDRAWN


@pytest.mark.rule("S-06", "S-07")
def test_once_approved_the_first_page_says_it_is_irreversible_and_offers_nothing(
    browser: Browser, world: World
) -> None:
    application = session.get_one(Application, waiting(world))
    do(operations.approve, application, world.seat("province"))
    home = browser.get("/member/")
    assert "组织关系在特殊单位专属库" in home.main
    assert "不可逆" in home.main
    assert "参军入伍" in home.main
    assert "线下手续照样要办" in home.main
    assert "申请转接" not in home.links()
    assert not home.has_form("/again")
    # Neither the address of the application leads anywhere, nor an old draft
    with unit_of_work():
        drafts.save(session.merge(world.graduate), {"reason": "unplaced"})
    assert browser.get(START).location == "/member/"
    assert "组织关系在特殊单位专属库" in browser.get("/member/").main


# ---- the old side


@pytest.mark.rule("S-01")
def test_the_old_side_starts_it_with_the_same_confirmations(app: Flask, world: World) -> None:
    college = Browser(app.test_client()).login(world.accounts["college"])
    page = college.get(f"/college/members/{world.graduate.id}/transfer-out").click("办理特殊单位转接")
    assert "批准后不能撤回，也不能再转出" in page.main
    assert "查找转入组织" not in page.main
    missing = page.form("/transfer-out").submit(remark="去部队", secret_unit=SECRET)
    assert missing.status == 422
    assert "备注须写明“入伍”或“涉密”" in missing.main
    unread = missing.form("/transfer-out").submit(remark=ARMY)
    assert unread.status == 422
    assert "勾选确认" in unread.main
    assert unread.form("/transfer-out").values["secret_unit"] == SECRET
    done = unread.form("/transfer-out").submit(confirmed="1").follow()
    assert "待省级团委审批" in done.main
    assert SECRET not in done.source
    application = the_application()
    assert (application.initiator, application.secret_unit) == (Initiator.OLD_SIDE, SECRET)


@pytest.mark.rule("S-01")
def test_a_receiver_is_offered_no_such_reason(app: Flask, world: World) -> None:
    company = Browser(app.test_client()).login(world.accounts["company"])
    page = company.get("/school/transfer-in").form("/transfer-in")
    found = page.submit(name="丁一", id_number=world.graduate.account.id_number)
    options = [option.get("value") for option in found.document.iter("option")]
    assert "special_unit" not in options
    forced = found.form("/transfer-in").submit(to=world.orgs["team"].code, reason="special_unit", remark=ARMY)
    assert forced.status == 422
    assert "转入方不能办理" in forced.main


def test_what_was_refused_is_started_again_from_its_page(app: Flask, world: World) -> None:
    application = enlist(world.seat("college"), world.graduate, secret_unit=SECRET)
    do(operations.refuse, application, world.seat("province"), Ground.NOT_PASSED, "体检还没有做完")
    college = Browser(app.test_client()).login(world.accounts["college"])
    page = college.get(f"/college/applications/{application.id}").click("重新办理转出")
    form = page.form("/transfer-out")
    assert form.values["remark"] == ARMY
    assert SECRET not in page.source
    done = form.submit(confirmed="1").follow()
    assert "待省级团委审批" in done.main
    session.expire_all()
    again = session.scalars(select(Application).order_by(Application.id.desc())).first()
    assert again is not None
    assert again.follows_id == application.id


# ---- the province


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("S-05", "S-07")
def test_the_province_stops_reads_and_approves_on_the_line(province: Browser, world: World) -> None:
    number = waiting(world)
    page = province.get("/provincial/waiting")
    assert "软工1班团支部 → 参军入伍" in page.main
    asked = page.click("批准")
    assert "批准后不能撤回，也不能再转出" in asked.main
    assert "请先核实政审、体检等手续" in asked.main
    done = asked.form(f"/applications/{number}/approve").submit().follow()
    assert "丁一：已批准，进入特殊单位专属库" in done.text
    assert "没有等您办理的事" in done.main
    assert the_application().state is State.COMPLETED


def test_the_line_becomes_its_own_result(province: Browser, world: World) -> None:
    number = waiting(world)
    opened = province.get(f"/provincial/applications/{number}/approve", htmx=True)
    line = opened.form(f"/applications/{number}/approve").submit(htmx=True)
    assert line.status == 200
    assert "<html" not in line.source
    assert "已批准，进入特殊单位专属库" in line.text


@pytest.mark.rule("A-15")
def test_the_province_refuses_with_its_own_grounds(province: Browser, world: World) -> None:
    number = waiting(world)
    asked = province.get("/provincial/waiting").click("不同意")
    assert "政审、体检等手续尚未完成" in asked.main
    assert "不是本单位正式职工" not in asked.main
    done = asked.form(f"/applications/{number}/refuse").submit(ground="not_passed", remark="体检还没有做完").follow()
    assert "理由已告知" in done.text
    assert the_application().state is State.REFUSED


@pytest.mark.rule("S-05")
def test_another_province_and_the_school_cannot(app: Flask, world: World) -> None:
    with unit_of_work():
        world.add("province2", "centre", "共青团江苏省委员会", "团江苏省委", Category.LEADING_ORGAN, code="32")
        world.appoint("province2")
    number = waiting(world, secret_unit=SECRET)
    stranger = Browser(app.test_client()).login(world.accounts["province2"])
    for path in ("", "/approve", "/refuse"):
        assert stranger.get(f"/provincial/applications/{number}{path}").status == 404
    for path in ("/approve", "/refuse", "/secret-unit"):
        assert stranger.post(f"/provincial/applications/{number}{path}", {}).status == 404
    school = Browser(app.test_client()).login(world.accounts["university"])
    shown = school.get(f"/school/applications/{number}")
    assert not shown.has_form("/approve")
    assert not shown.has_form("/secret-unit")
    assert school.post(f"/school/applications/{number}/approve", {}).status == 403
    assert school.post(f"/school/applications/{number}/secret-unit", {}).status == 403
    assert the_application().state is State.AWAITING_PROVINCE


@pytest.mark.rule("S-09")
@pytest.mark.rule("PD-37")
def test_the_name_is_opened_on_demand_for_the_deciding_province_and_the_look_is_noted(
    province: Browser, app: Flask, world: World
) -> None:
    number = waiting(world, secret_unit=SECRET)
    # Nowhere is it shown by itself
    own = Browser(app.test_client()).login(world.graduate.account)
    school = Browser(app.test_client()).login(world.accounts["university"])
    pages = [
        province.get("/provincial/"),
        province.get("/provincial/waiting"),
        province.get("/provincial/applications"),
        province.get(f"/provincial/applications/{number}"),
        school.get("/school/applications"),
        school.get(f"/school/applications/{number}"),
        school.get(f"/school/members/{world.graduate.id}"),
        own.get("/member/"),
        own.get("/member/history"),
        own.get(f"/member/applications/{number}"),
    ]
    assert all(page.status == 200 for page in pages)
    assert not [page.url for page in pages if SECRET in page.source]
    # The province presses the button
    shown = pages[3].form("/secret-unit").submit()
    assert SECRET in shown.main
    looks = session.scalars(select(AuditEvent).where(AuditEvent.action == "application.secret_unit_seen")).all()
    assert [(look.subject_id, look.account_id) for look in looks] == [(number, world.accounts["province"].id)]


def test_without_a_name_there_is_no_button(province: Browser, world: World) -> None:
    number = waiting(world)
    assert not province.get(f"/provincial/applications/{number}").has_form("/secret-unit")
