"""The desk of objections and flagged refusals; what administrators amend and redirect (A-16, PD-16, PD-17)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.transfers.steps import EMPLOYED, acting, apply, do, start
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category
from zhtj.transfers import operations, queries
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import Application, Objection, RefusalFlag
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State

DESK = "/school/objections"


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def state_of(number: int) -> State:
    session.expire_all()
    return session.get_one(Application, number).state


def refused(world: World, ground: Ground = Ground.WORKS_ELSEWHERE, remark: str = "本人已在滨湖新区就业") -> int:
    application = apply(world, world.graduate, "team")
    number = application.id
    do(operations.refuse, application, world.seat("team"), ground, remark)
    session.expire_all()
    return number


def objected(world: World) -> int:
    number = refused(world)
    seat = world.own_seat(world.graduate)
    with acting(seat):
        objections.object_to(queries.application(seat, number), seat, "劳动合同已签，去向属实")
    return number


@pytest.mark.rule("PD-17")
def test_the_superior_sees_refusal_text_and_both_telephones_and_sustains(world: World, browser: Browser) -> None:
    number = objected(world)
    page = browser.login(world.accounts["company"]).get(DESK)
    for words in ("丁一", "本人已在其他单位就业", "本人已在滨湖新区就业", "劳动合同已签，去向属实"):
        assert words in page.main
    for phone in (world.graduate.account.mobile, world.accounts["team"].mobile, world.accounts["class1"].mobile):
        assert f"tel:{phone}" in page.source
    assert "1 件申诉和违规拒收提示等待办理" in browser.get("/school/").main
    # Without an answer it comes back, with the other forms as they were
    form = page.form(f"/applications/{number}/objection", button="支持，交对方重新办理")
    failed = form.submit(remark="同意")
    assert failed.status == 422
    assert "至少 5 个字" in failed.main
    again = failed.form(f"/applications/{number}/objection", button="支持，交对方重新办理")
    assert again.values["remark"] == "同意"
    done = again.submit(remark="合同属实，应当接收").follow()
    assert "申请已重新交给对方办理" in done.text
    assert "待转入方审批" in done.main
    new = session.query(Application).filter_by(follows_id=number).one()
    assert new.state is State.AWAITING_ACCEPTANCE
    assert "丁一" not in browser.get(DESK).main
    decided = browser.get(f"{DESK}?done=1")
    assert "合同属实，应当接收" in decided.main


@pytest.mark.rule("PD-17")
def test_dismissing_is_answered_in_writing_and_who_comes_second_is_told(world: World, browser: Browser) -> None:
    number = objected(world)
    page = browser.login(world.accounts["company"]).get(DESK)
    first = page.form(f"/applications/{number}/objection", button="不支持，答复申请人")
    second = page.form(f"/applications/{number}/objection", button="支持，交对方重新办理")
    assert "不支持申诉" in first.submit(remark="经核实本人确已在别处就业").follow().text
    late = second.submit(remark="应当接收这位团员")
    assert late.status == 409
    assert "已经处理过" in late.main
    assert session.query(Application).filter_by(follows_id=number).count() == 0


@pytest.mark.rule("PD-17")
def test_no_other_office_answers_and_a_branch_has_no_such_desk(world: World, browser: Browser) -> None:
    number = objected(world)
    assert browser.login(world.accounts["team"]).get("/branch/objections").status == 403
    for key, role in (("county", "provincial"), ("university", "school")):
        browser.login(world.accounts[key])
        assert "丁一" not in browser.get(f"/{role}/objections").main
        values = {"verdict": "sustain", "remark": "应当接收这位团员"}
        assert browser.post(f"/{role}/applications/{number}/objection", values).status == 403
    assert session.query(Objection).one().decided_at is None


@pytest.mark.rule("A-16", "PD-17")
def test_a_flagged_refusal_is_looked_at_and_noted(world: World, browser: Browser) -> None:
    number = refused(world, Ground.OTHER, "他不是我们的正式职工")
    page = browser.login(world.accounts["company"]).get(f"{DESK}?what=flags")
    assert "他不是我们的正式职工" in page.main
    assert "不是本地户籍，都不能拒收" in page.main
    empty = page.form(f"/applications/{number}/flag").submit()
    assert empty.status == 422
    assert "怎样处理" in empty.main
    done = empty.form(f"/applications/{number}/flag").submit(note="已电话要求重新接收").follow()
    assert "已记下" in done.text
    assert "丁一" not in done.main
    assert session.get_one(RefusalFlag, number).note == "已电话要求重新接收"
    assert "已电话要求重新接收" in browser.get(f"{DESK}?what=flags&done=1").main


@pytest.mark.rule("A-20", "PD-16")
def test_whoever_started_it_amends_it_on_its_page(world: World, browser: Browser) -> None:
    number = start(world.seat("class1"), world.graduate, world.orgs["company"], **EMPLOYED).id
    page = browser.login(world.accounts["class1"]).get(f"/branch/applications/{number}")
    done = page.click("修改申请").form("/amend").submit(unit_name="示例科技合肥分公司").follow()
    assert "示例科技有限公司 → 示例科技合肥分公司" in done.main
    # Nobody else, and nobody once it was accepted
    assert browser.login(world.accounts["company"]).get(f"/school/applications/{number}/amend").status == 403
    do(operations.accept, session.get_one(Application, number), world.seat("company"))
    late = browser.login(world.accounts["class1"]).post(
        f"/branch/applications/{number}/amend", {"unit_name": "别的公司", "remark": ""}
    )
    assert late.status == 409
    assert "同意转入" in late.main


@pytest.mark.rule("A-18", "PD-16")
def test_whoever_started_it_sends_it_elsewhere_in_one_step(world: World, browser: Browser) -> None:
    with unit_of_work():
        session.merge(world.orgs["county"])
        world.add("plant", "county", "共青团示例制造有限公司委员会", "示例制造团委", Category.COMMITTEE, "非公企业")
    old = start(world.seat("class1"), world.graduate, world.orgs["company"], remark="请尽快", **EMPLOYED).id
    page = browser.login(world.accounts["class1"]).get(f"/branch/applications/{old}").click("改转其他组织")
    found = page.form(button="查找").submit(q="示例制造").click("示例制造团委")
    form = found.form(f"/applications/{old}/redirect")
    assert (form.values["unit_name"], form.values["remark"]) == ("示例科技有限公司", "请尽快")
    assert state_of(old) is State.AWAITING_ACCEPTANCE
    done = form.submit(unit_name="示例制造有限公司").follow()
    assert "原申请已撤销，新的申请已提交" in done.text
    assert state_of(old) is State.WITHDRAWN
    new = session.query(Application).filter_by(follows_id=old).one()
    assert (new.to_org_id, new.unit_name) == (world.orgs["plant"].id, "示例制造有限公司")


@pytest.mark.rule("PD-16")
def test_a_redirection_that_fails_keeps_the_old_one_and_what_was_typed(world: World, browser: Browser) -> None:
    old = start(world.seat("company"), world.graduate, world.orgs["company"], **EMPLOYED).id
    page = browser.login(world.accounts["company"]).get(f"/school/applications/{old}").click("改转其他组织")
    form = page.form(f"/applications/{old}/redirect")
    same = form.submit(to=world.orgs["company"].code, remark="新的备注")
    assert same.status == 422
    assert "转入组织没有改变" in same.main
    assert same.form("/redirect").values["remark"] == "新的备注"
    assert state_of(old) is State.AWAITING_RELEASE
    done = same.form("/redirect").submit(to=world.orgs["team"].code).follow()
    assert "新的申请已提交" in done.text
    assert state_of(old) is State.WITHDRAWN


@pytest.mark.rule("PD-17")
def test_an_administrator_objects_for_what_he_started(world: World, browser: Browser) -> None:
    number = start(world.seat("class1"), world.graduate, world.orgs["team"], **EMPLOYED).id
    do(operations.refuse, session.get_one(Application, number), world.seat("team"), Ground.NOT_OURS, "本人与我单位无关")
    page = browser.login(world.accounts["class1"]).get(f"/branch/applications/{number}").click("申诉")
    done = page.form("/object").submit(text="本人已与该单位签约").follow()
    assert "申诉已交给示例科技团委" in done.text
    assert "本人已与该单位签约" in done.main
    assert browser.login(world.accounts["class2"]).get(f"/branch/applications/{number}/object").status == 404
