"""Bad input: a sentence a secretary understands, with the way out, the right status, and nothing typed lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.transfers.steps import EMPLOYED, UNPLACED, apply, do, start
from tests.world import World
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as people
from zhtj.people.models import Post
from zhtj.transfers import operations, queries
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State

Move = Callable[[str], None]
NEW = "/member/transfer/new"
NOTE = "档案已经寄出，请查收"


@pytest.fixture
def member(client: FlaskClient, world: World) -> Browser:
    """The graduate at his phone."""
    return Browser(client).login(world.graduate.account, "member")


@pytest.fixture
def desk(client: FlaskClient) -> Browser:
    """A secretary."""
    return Browser(client)


def answered(browser: Browser, destination: str, **reason: str) -> Page:
    """Everything answered up to the last page."""
    browser.post(NEW, {"reason": reason.pop("reason")})
    if "unit_name" in reason:
        browser.post(f"{NEW}/unit", reason)
    if "place" in reason:
        browser.post(f"{NEW}/place", reason)
    return browser.post(f"{NEW}/organisation", {"destination": destination}).follow()


def count(member_id: int) -> int:
    session.expire_all()
    return session.query(Application).filter_by(member_id=member_id).count()


def state_of(number: int) -> State:
    session.expire_all()
    return session.get_one(Application, number).state


@pytest.mark.rule("PD-11")
def test_a_forbidden_destination_is_explained_with_what_is_allowed(world: World, member: Browser) -> None:
    """Somebody without a job does not go to a company; the page says why, and where else."""
    page = answered(member, world.orgs["company"].code, **UNPLACED)
    assert "不能这样转" in page.main
    assert "依据" in page.main
    assert "换一个组织" in page.main
    sent = member.post(f"{NEW}/check", {"contact_mobile": "13812345678", "remark": NOTE})
    assert sent.status == 422
    assert "不能这样转" in sent.main
    assert count(world.graduate.id) == 0


@pytest.mark.rule("PD-11")
def test_a_forbidden_destination_keeps_what_the_secretary_typed(world: World, desk: Browser) -> None:
    page = desk.login(world.accounts["class1"]).get(
        f"/branch/members/{world.graduate.id}/transfer-out?to={world.orgs['county'].code}"
    )
    failed = page.form("/transfer-out").submit(reason="employed_with_org", unit_name="示例科技有限公司", remark=NOTE)
    assert failed.status == 422
    assert "有 1 处需要改正" in failed.main
    kept = failed.form("/transfer-out").values
    assert (kept["reason"], kept["unit_name"], kept["remark"]) == ("employed_with_org", "示例科技有限公司", NOTE)
    assert count(world.graduate.id) == 0


@pytest.mark.rule("O-10")
@pytest.mark.parametrize("kind", ["closed", "graduates"])
def test_a_closed_or_graduates_organisation_cannot_be_chosen(
    world: World, member: Browser, desk: Browser, kind: str
) -> None:
    with unit_of_work():
        session.merge(world.orgs["company"])
        gone = world.add("gone", "company", "示例科技有限公司旧团支部", "旧团支部", Category.BRANCH, "非公企业")
        if kind == "closed":
            gone.closed_at = clock.now()
        else:
            gone.category = Category.GRADUATES
    code = gone.code
    member.post(NEW, {"reason": "employed_with_org"})
    member.post(f"{NEW}/unit", {"unit_name": "示例科技有限公司"})
    chosen = member.post(f"{NEW}/organisation", {"destination": code}).follow()
    said = chosen if chosen.status == 422 else chosen.form("/check").submit(remark=NOTE)
    assert said.status == 422
    assert ("停用" if kind == "closed" else "毕业生") in said.main
    # At a desk likewise, with everything as it was
    page = desk.login(world.accounts["class1"]).get(f"/branch/members/{world.graduate.id}/transfer-out?to={code}")
    failed = page.form("/transfer-out").submit(reason="employed_with_org", unit_name="示例科技有限公司", remark=NOTE)
    assert failed.status == 422
    assert failed.form("/transfer-out").values["remark"] == NOTE
    assert "换一个组织" in failed.main
    assert count(world.graduate.id) == 0


@pytest.mark.rule("A-15")
def test_a_refusal_without_remark_says_how_much_is_needed_and_keeps_the_ground(world: World, desk: Browser) -> None:
    number = apply(world, world.graduate, "team").id
    page = desk.login(world.accounts["team"]).get(f"/branch/applications/{number}/refuse")
    failed = page.form("/refuse").submit(ground="not_ours")
    assert failed.status == 422
    assert "至少 5 个字" in failed.main
    assert failed.form("/refuse").values["ground"] == "not_ours"
    assert state_of(number) is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("PD-10")
def test_a_missing_remark_of_a_reason_that_needs_one_is_asked_for(world: World, desk: Browser) -> None:
    page = desk.login(world.accounts["team"]).get(
        f"/branch/members/{world.employee.id}/transfer-out?to={world.orgs['company'].code}"
    )
    failed = page.form("/transfer-out").submit(reason="other", contact_mobile="13812345678")
    assert failed.status == 422
    assert "请填写备注" in failed.main
    assert failed.form("/transfer-out").values["contact_mobile"] == "13812345678"


@pytest.mark.rule("PD-18", "D-09")
@pytest.mark.parametrize("action", ["accept", "refuse"])
def test_past_the_deadline_nothing_can_be_decided_and_the_way_out_is_said(
    world: World, desk: Browser, clock_at: Move, action: str
) -> None:
    number = apply(world, world.graduate, "team").id
    page = desk.login(world.accounts["team"]).get(f"/branch/applications/{number}")
    form = page.form("/accept") if action == "accept" else page.click("不同意").form("/refuse")
    clock_at("2026-10-25T00:00")
    values: dict[str, Any] = {} if action == "accept" else {"ground": "not_ours", "remark": "本人与我单位无关"}
    late = form.submit(**values)
    assert late.status == 409
    assert "超过办理期限" in late.main
    assert "请由申请人重新发起" in late.main
    assert action == "accept" or "本人与我单位无关" in late.source
    assert state_of(number) is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("PD-18")
def test_past_the_deadline_the_member_s_correction_is_not_lost(world: World, member: Browser, clock_at: Move) -> None:
    number = apply(world, world.graduate, "team", **EMPLOYED).id
    form = member.get(f"/member/applications/{number}/amend").form("/amend")
    clock_at("2026-10-25T00:00")
    late = form.submit(remark=NOTE)
    assert late.status == 409
    assert "超过办理期限" in late.main
    assert NOTE in late.main


@pytest.mark.rule("PD-02")
@pytest.mark.parametrize("action", ["accept", "refuse"])
def test_nobody_approves_his_own_application(world: World, desk: Browser, action: str) -> None:
    """The secretary of the receiving branch is the applicant: his superior decides."""
    with unit_of_work():
        seat = people.start_seat(
            session.merge(world.graduate.account), session.merge(world.orgs["team"]), Post.SECRETARY
        )
        session.flush()
        number_of_seat = seat.id
    number = apply(world, world.graduate, "team").id
    desk.login(world.graduate.account, str(number_of_seat))
    page = desk.get(f"/branch/applications/{number}")
    assert page.status == 200
    assert not page.has_form("/accept")
    values = {"ground": "not_ours", "remark": "本人与我单位无关"} if action == "refuse" else {}
    sent = desk.post(f"/branch/applications/{number}/{action}", values)
    assert sent.status == 403
    assert "不能办理本人的申请，由直接上级办理" in sent.main
    assert "请联系上级团组织" in sent.main
    assert state_of(number) is State.AWAITING_ACCEPTANCE
    assert desk.login(world.accounts["company"]).get(f"/school/applications/{number}").has_form("/accept")


@pytest.mark.rule("A-06")
def test_a_double_submit_makes_one_application_and_shows_it(world: World, member: Browser) -> None:
    page = answered(member, world.orgs["floating"].code, **UNPLACED)
    form = page.form("/check")
    assert form.submit(remark=NOTE).status == 303
    again = form.submit(remark=NOTE)
    assert again.status == 409
    assert "已有业务正在办理，不能重复发起" in again.main
    assert again.has_form("/withdraw")
    assert "查看这份申请" in again.main
    assert count(world.graduate.id) == 1
    kept = queries.of_member(world.graduate.id)[0]
    assert kept.remark == NOTE


@pytest.mark.rule("A-06")
def test_a_double_submit_at_a_desk_keeps_what_was_typed(world: World, desk: Browser) -> None:
    page = desk.login(world.accounts["class1"]).get(
        f"/branch/members/{world.graduate.id}/transfer-out?to={world.orgs['team'].code}"
    )
    form = page.form("/transfer-out")
    assert form.submit(reason="employed_with_org", unit_name="示例科技有限公司", remark=NOTE).status == 303
    again = form.submit(reason="employed_with_org", unit_name="示例科技有限公司", remark=NOTE)
    assert again.status == 409
    assert "已有业务正在办理，不能重复发起" in again.main
    assert again.form("/transfer-out").values["remark"] == NOTE
    assert count(world.graduate.id) == 1


@pytest.mark.rule("PD-17")
def test_a_double_confirmation_does_it_once_and_says_so(world: World, desk: Browser) -> None:
    number = apply(world, world.graduate, "team").id
    form = desk.login(world.accounts["team"]).get(f"/branch/applications/{number}").form("/accept")
    assert form.submit().status == 303
    again = form.submit()
    assert again.status == 409
    assert "办理了“同意转入”" in again.main
    assert len(queries.application(world.seat("team"), number).events) == 2


@pytest.mark.parametrize("late", ["refuse", "amend", "redirect", "object"])
def test_a_stale_page_says_what_happened_and_keeps_what_was_typed(world: World, desk: Browser, late: str) -> None:
    number = start(world.seat("class1"), world.graduate, world.orgs["company"], **EMPLOYED).id
    found = session.get_one(Application, number)
    key, role = ("company", "school") if late == "refuse" else ("class1", "branch")
    desk.login(world.accounts[key])
    address = f"/{role}/applications/{number}/{late}"
    if late == "refuse":
        form = desk.get(address).form("/refuse")
        do(operations.accept, found, world.seat("company"))
        said = form.submit(ground="not_ours", remark=NOTE)
    elif late == "object":
        do(operations.refuse, found, world.seat("company"), Ground.NOT_OURS, "本人与我单位无关")
        form = desk.get(address).form("/object")
        form.submit(text="第一次的申诉理由")
        said = form.submit(text=NOTE)
    else:
        form = desk.get(f"{address}?to={world.orgs['team'].code}").form(f"/{late}")
        do(operations.accept, found, world.seat("company"))
        said = form.submit(remark=NOTE)
    assert said.status == 409
    assert NOTE in said.main
    assert ("不能再申诉" if late == "object" else "同意转入") in said.main


@pytest.mark.rule("U-22", "A-05")
def test_unknown_organisation_and_forgotten_password_lead_from_the_look_up_to_a_reset_code(
    world: World, desk: Browser
) -> None:
    """Where the member should be: find him, ring his administrator, let him in, issue a code for a new password."""
    employee = world.employee
    with unit_of_work():
        session.merge(world.orgs["team"])
        world.add("shop", "company", "示例科技有限公司门店团支部", "门店团支部", Category.BRANCH, "非公企业")
        world.appoint("shop")
    page = desk.login(world.accounts["shop"]).get("/branch/transfer-in")
    assert "忘了密码" in page.main
    # Given name and full number, organisation and contact are shown, nothing else about him
    found = page.form("/transfer-in").submit(name="于敏", id_number=employee.account.id_number)
    assert world.orgs["team"].full_name in found.main
    assert world.accounts["team"].mobile in found.main
    assert employee.account.mobile not in found.source
    form = found.form("/transfer-in")
    done = form.submit(to=world.orgs["shop"].code, reason="work", unit_name="示例科技有限公司门店").follow()
    assert "请打电话请研发团支部同意转出" in done.main
    number = int(done.url.rsplit("/", 1)[1])
    # Before he is in, there is no way to his account
    assert desk.post(f"/branch/members/{employee.id}/code").status == 404
    do(operations.release, session.get_one(Application, number), world.seat("team"))
    arrived = desk.get(f"/branch/applications/{number}")
    assert "本人忘记密码怎么办" in arrived.main
    issued = arrived.click("打开于敏的资料").form("/code").submit()
    assert issued.status in {200, 303}
    assert "重置密码" in issued.follow().text


@pytest.mark.rule("T-03", "PD-22")
def test_a_county_takes_one_over_on_its_page_and_is_told_where_it_cannot(world: World, desk: Browser) -> None:
    number = apply(world, world.graduate, "floating", **UNPLACED).id
    page = desk.login(world.accounts["county"]).get(f"/provincial/applications/{number}").click("县级接收")
    assert "还没有流动团员团支部" in page.main
    nowhere = page.form("/take_over").submit()
    assert nowhere.status == 422
    assert "请选择要编入的团支部" in nowhere.main
    with unit_of_work():
        name = "蜀山区流动团员团支部"
        new = NewOrganisation(f"安徽省合肥市{name}", name, Category.BRANCH, "农村", purpose=Purpose.FLOATING)
        own = orgs.create(session.merge(world.orgs["county"]), new).id
    form = desk.get(f"/provincial/applications/{number}/take_over").form("/take_over")
    assert form.values["branch"] == str(own)
    assert form.submit().status == 303
    assert state_of(number) is State.COMPLETED
