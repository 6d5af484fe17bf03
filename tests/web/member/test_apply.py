"""Applying on the phone: one question a page, saved as one goes, nothing lost, one application in the end."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.remembering import remembered
from tests.transfers.steps import EMPLOYED, UNPLACED, apply, do
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.transfers import operations
from zhtj.transfers.models import Application, TransferDraft
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State

START = "/member/transfer/new"
ADDRESS = "安徽省合肥市蜀山区井岗镇香樟大道88号"


@pytest.fixture
def world(session: Session) -> World:
    del session
    return build()


@remembered
def build() -> World:
    world = World.build()
    with unit_of_work():
        session.refresh(world.graduate)
        world.graduate.residence = ADDRESS
        world.graduate.household = "安徽省阜阳市颍州区三合镇"
        _other_province(world)
    return world


def _other_province(world: World) -> None:
    world.add("jiangsu", "centre", "共青团江苏省委员会", "团江苏省委", Category.LEADING_ORGAN, code="32")
    world.add("wuxi", "jiangsu", "共青团江苏省无锡市委员会", "团无锡市委", Category.LEADING_ORGAN, code="3202")
    school = "普通高等院校"
    world.add("south", "wuxi", "共青团江南示范大学委员会", "江南示范大学团委", Category.COMMITTEE, school)
    freshmen = NewOrganisation(
        "江南示范大学2026级研究生新生团支部", "研究生新生团支部", Category.BRANCH, school, purpose=Purpose.NEW_STUDENTS
    )
    world.orgs["freshmen"] = orgs.create(world.orgs["south"], freshmen)
    world.add("leavers", "south", "江南示范大学2022级毕业班团支部", "毕业班团支部", Category.GRADUATES, school)
    retained = NewOrganisation(
        "江淮示范大学流动团员团支部", "校流动团员团支部", Category.BRANCH, school, purpose=Purpose.FLOATING
    )
    world.orgs["retained"] = orgs.create(world.orgs["university"], retained)
    world.add("beijing", "centre", "共青团北京市委员会", "团北京市委", Category.LEADING_ORGAN, code="11")
    world.orgs["beijing"].system = Region.BEIJING


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.graduate.account)


def answer(page: Page, **values: Any) -> Page:
    """Fill in the question's form and go where it leads."""
    return page.form("/transfer/new" + page.url.removeprefix(START).split("?")[0]).submit(**values).follow()


def choose(page: Page, organisation: Organisation) -> Page:
    """Press the button of one result."""
    return page.browser.post(f"{START}/organisation", {"destination": organisation.code}).follow()


def at_check(browser: Browser, world: World, to: str = "floating") -> Page:
    """Everything answered for somebody without a job, up to the last page."""
    page = answer(browser.get(START), reason="unplaced")
    page = answer(page, place="residence")
    return choose(page, world.orgs[to])


def look(page: Page, province: str, text: str) -> Page:
    """Choose a province or system and search in it."""
    values: dict[str, Any] = {"in": province, "q": text}
    return page.form(button="搜索").submit(**values)


def applications() -> list[Application]:
    session.expire_all()
    return list(session.scalars(select(Application).order_by(Application.id)))


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("A-01", "A-02", "T-14")
def test_a_graduate_without_a_job_applies_in_four_pages(browser: Browser, world: World) -> None:
    # Given: the call on the home page.
    page = browser.get("/member/").click("申请转接")
    assert "毕业后去哪里？" in page.main
    assert "第 1 步，共 4 步" in page.main

    # When: reason, place, organisation, check.
    page = answer(page, reason="unplaced")
    assert "转到您的哪个地方？" in page.main
    page = answer(page, place="residence")
    assert "转到哪个团组织？" in page.main
    assert "井岗镇流动团员团支部\n首选" in page.main
    page = choose(page, world.orgs["floating"])
    assert "核对一下，然后提交" in page.main
    assert "10月24日（周六）24:00 前，还剩 10 天" in page.main
    page = answer(page, contact_mobile="138 1111 2222", remark="假期常住家里").follow()

    # Then: one application, and home says so.
    assert page.url == "/member/"
    assert "申请已提交给井岗镇流动团员团支部。" in page.main
    assert "等待团井岗镇委审批" in page.main
    (application,) = applications()
    assert application.state is State.AWAITING_ACCEPTANCE
    assert (application.reason, application.place) == ("unplaced", "residence")
    assert (application.contact_mobile, application.remark) == ("13811112222", "假期常住家里")
    assert session.get(TransferDraft, world.graduate.id) is None


@pytest.mark.rule("PD-10")
def test_graduates_and_others_are_offered_their_own_reasons(
    browser: Browser, client: FlaskClient, world: World
) -> None:
    graduate = browser.get(START).main
    other = Browser(client).login(world.sophomore.account).get(START).main

    assert "未落实就业去向" in graduate
    assert "校内转专业" not in graduate
    assert "校内转专业" in other
    assert "未落实就业去向" not in other


def test_a_reason_of_somebody_else_is_refused(browser: Browser) -> None:
    page = browser.post(START, {"reason": "relocation"})

    assert page.status == 422
    assert "请选择转接原因。" in page.main


@pytest.mark.parametrize("reason", ["", "nonsense"])
def test_no_reason_stays_on_the_page_with_the_error_at_the_field(browser: Browser, reason: str) -> None:
    page = browser.post(START, {"reason": reason})

    assert page.status == 422
    assert "有 1 处需要改正" in page.main
    assert 'href="#reason"' in page.source


def test_a_page_whose_question_comes_too_early_leads_to_the_open_one(browser: Browser) -> None:
    assert browser.get(f"{START}/check").location == START
    answer(browser.get(START), reason="unplaced")
    assert browser.get(f"{START}/check").location == f"{START}/place"
    assert browser.get(f"{START}/unit").location == f"{START}/place"


def test_answers_are_there_on_another_device(browser: Browser, app: Flask, world: World) -> None:
    answer(browser.get(START), reason="employed_without_org")
    page = Browser(app.test_client()).login(world.graduate.account).get("/member/").click("继续填写")

    page = answer(page, unit_name="合肥某某科技有限公司", unit_address=ADDRESS)

    assert browser.get(f"{START}/unit").form(f"{START}/unit").values["unit_name"] == "合肥某某科技有限公司"
    assert browser.get(START).form("/new").values["reason"] == "employed_without_org"
    assert page.url == f"{START}/place"


def test_back_leads_to_the_question_before(browser: Browser) -> None:
    page = answer(browser.get(START), reason="unplaced")
    page = answer(page, place="residence")

    assert page.click("上一步").url == f"{START}/place"
    assert page.click("上一步").click("上一步").url == START
    assert browser.get(START).click("返回").url == "/member/"


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({}, ["请填写工作单位全称。", "请填写详细地址，写到乡镇、街道。"]),
        ({"unit_name": "某公司", "unit_address": "x" * 161}, ["地址不能超过 160 字。"]),
    ],
)
def test_unit_page_says_what_is_missing_and_keeps_what_was_typed(
    browser: Browser, values: dict[str, str], sentences: list[str]
) -> None:
    page = answer(browser.get(START), reason="employed_without_org")

    page = browser.post(f"{START}/unit", values)

    assert page.status == 422
    assert all(sentence in page.main for sentence in sentences)
    assert values.get("unit_name", "") in page.source


@pytest.mark.rule("T-02", "T-04", "PD-11")
def test_places_the_table_forbids_are_greyed_with_the_reason(browser: Browser) -> None:
    page = answer(browser.get(START), reason="employed_without_org")

    page = answer(page, unit_name="合肥某某科技有限公司", unit_address=ADDRESS)

    disabled = [field.get("value") for field in page.document.iter("input") if field.get("disabled") is not None]
    assert disabled == ["household", "origin", "parents_residence"]
    assert "工作单位所在地（首选）" in page.main
    assert "已经就业的不能转到户籍地。" in page.main


@pytest.mark.rule("T-02")
def test_township_is_found_from_the_units_address(browser: Browser, world: World) -> None:
    page = answer(browser.get(START), reason="employed_without_org")
    page = answer(page, unit_name="合肥某某科技有限公司", unit_address="合肥市蜀山区井岗镇天湖路 1 号")

    page = answer(page, place="unit_location")

    assert "按您填的，多半是这里\n团井岗镇委\n首选" in page.main
    page = answer(choose(page, world.orgs["township"]), remark="").follow()
    (application,) = applications()
    assert application.to_org_id == world.orgs["township"].id
    assert application.unit_address == "合肥市蜀山区井岗镇天湖路 1 号"


def test_address_on_the_place_page_wins_over_the_one_on_record(browser: Browser) -> None:
    page = answer(browser.get(START), reason="unplaced")

    page = answer(page, place="household", unit_address=ADDRESS)

    assert "井岗镇流动团员团支部" in page.main


@pytest.mark.rule("X-01")
def test_the_region_an_address_lies_in_is_chosen_in_advance(browser: Browser) -> None:
    page = answer(browser.get(START), reason="unplaced")

    page = answer(page, place="parents_residence", unit_address="北京市海淀区")

    assert page.form(button="搜索").values["in"] == "11"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "没有父母居住地的地址。"),
        ("某地", "看不出“某地”在哪个省、哪个县（市、区）。"),
        ("安徽省合肥市", "“安徽省合肥市”没有写到县（市、区）。"),
        ("合肥市蜀山区天湖路1号", "没有写到乡镇、街道，或乡镇、街道的名称有误。"),
    ],
)
@pytest.mark.rule("PD-60")
def test_an_address_that_cannot_be_placed_is_asked_for_again(browser: Browser, address: str, sentence: str) -> None:
    page = answer(browser.get(START), reason="unplaced")

    page = page.form("/transfer/new/place").submit(place="parents_residence", unit_address=address)

    assert page.status == 422
    assert sentence in page.main
    assert "请把地址写全，写到乡镇、街道，例如：安徽省合肥市蜀山区井岗镇。" in page.main


@pytest.mark.rule("T-09")
def test_admitting_school_is_proposed_by_its_name(browser: Browser, world: World) -> None:
    page = answer(browser.get(START), reason="further_study")
    assert "考上了哪所学校？" in page.main

    page = answer(page, unit_name="江南示范大学")

    assert "江南示范大学团委" in page.main
    assert "团江苏省委 › 团无锡市委" in page.main
    assert page.form(button="搜索").values["in"] == "32"
    page = answer(choose(page, world.orgs["freshmen"])).follow()
    assert applications()[0].unit_name == "江南示范大学"


@pytest.mark.rule("O-19")
def test_search_goes_by_province_first_then_keyword_initials_or_code(browser: Browser, world: World) -> None:
    page = answer(browser.get(START), reason="further_study")
    page = answer(page, unit_name="还不知道的学校")

    for text in ("江南示范", "共青团江南示范大学委员会", "jnsfdx", world.orgs["south"].code):
        found = look(page, "32", text)
        assert "江南示范大学团委" in found.main, text
    options = [option.get("value") for option in page.document.iter("option")]
    assert {"34", "32", "11"} == set(options)


@pytest.mark.rule("O-10")
def test_graduates_organisation_is_shown_greyed_and_cannot_be_posted(browser: Browser, world: World) -> None:
    page = answer(browser.get(START), reason="further_study")
    page = answer(page, unit_name="江南示范大学")

    found = look(page, "32", "毕业班")
    assert "毕业班团支部\n不能选" in found.main
    assert "该组织是毕业生团组织，不能转入" in found.main
    assert f'value="{world.orgs["leavers"].code}"' not in found.source

    forced = browser.post(f"{START}/organisation", {"destination": world.orgs["leavers"].code})
    assert forced.status == 422
    assert "该组织是毕业生团组织，不能转入" in forced.main


@pytest.mark.rule("O-20")
def test_nothing_found_gives_the_four_hints_and_the_province_that_has_it(browser: Browser) -> None:
    page = answer(browser.get(START), reason="further_study")
    page = answer(page, unit_name="江南示范大学")

    found = look(page, "34", "江南示范大学")

    assert "团安徽省委没有找到“江南示范大学”" in found.main
    for hint in ("核对名称", "核对所选的省级组织", "毕业生团组织", "仍然找不到"):
        assert hint in found.main
    assert "江南示范大学团委" in found.click("团江苏省委那里有").main


@pytest.mark.rule("T-10")
def test_township_is_greyed_for_further_study(browser: Browser) -> None:
    page = answer(browser.get(START), reason="further_study")
    page = answer(page, unit_name="江南示范大学")

    found = look(page, "34", "井岗")

    assert "团井岗镇委\n不能选" in found.main
    assert "已经升学的不能转到户籍地" in found.main
    assert "选这里" not in found.main
    assert found.click("都不能选？回去改原因").url == START


def test_live_search_answers_with_the_results_alone(browser: Browser) -> None:
    page = answer(browser.get(START), reason="unplaced")
    answer(page, place="residence")

    fragment = browser.get(f"{START}/organisation?in=34&q=井岗", htmx=True)

    assert "<html" not in fragment.source
    assert "井岗镇流动团员团支部" in fragment.source
    assert "找到 2 个</hx-partial>" in fragment.source


@pytest.mark.rule("X-01", "X-03")
def test_external_region_leads_to_a_page_that_says_what_to_do(browser: Browser) -> None:
    page = answer(browser.get(START), reason="employed_with_org")
    page = answer(page, unit_name="北京某某公司")

    found = look(page, "11", "某某")
    assert "北京使用自己的系统" in found.main
    guide = found.click("转往北京、广东、福建怎么办理？")

    assert guide.status == 200
    assert "在对方系统里的全称" in guide.main
    assert "不要自己在那边的系统重新注册" in guide.main


def test_own_school_is_listed_for_a_move_inside_it(browser: Browser, world: World) -> None:
    page = answer(browser.get(START), reason="internal_upgrade")

    assert "本校的团组织\n计算机学院团总支\n首选" in page.main
    page = choose(page, world.orgs["college"])
    assert "先由转出方同意，再由计算机学院团总支审批，然后分到团支部" in page.main


@pytest.mark.rule("PD-11", "T-01")
def test_forbidden_destination_gives_the_reasons_and_places_that_fit(browser: Browser, world: World) -> None:
    at_check(browser, world)
    page = choose(browser.get(f"{START}/organisation"), world.orgs["company"])

    assert "不能这样转" in page.main
    assert "提交申请" not in page.main
    page = page.form("/transfer/reason/employed_with_org").submit().follow()

    # Then: the better reason keeps the destination and asks only what it needs on top.
    assert page.url == f"{START}/unit"
    page = answer(page, unit_name="示例科技有限公司")
    assert page.url == f"{START}/check"
    assert "首选" in page.main


def test_a_forbidden_destination_cannot_be_posted(browser: Browser, world: World) -> None:
    at_check(browser, world)
    choose(browser.get(f"{START}/organisation"), world.orgs["company"])

    page = browser.post(f"{START}/check", {"contact_mobile": "13811112222"})

    assert page.status == 422
    assert applications() == []


@pytest.mark.rule("PD-11")
def test_warned_destination_asks_for_confirmation_and_a_remark(browser: Browser, world: World) -> None:
    page = answer(browser.get(START), reason="employed_with_org")
    page = answer(page, unit_name="江淮示范大学")
    page = choose(page, world.orgs["college"])
    assert "这样转需要说明" in page.main

    refused = answer(page, remark="", confirmed=None)
    assert refused.status == 422
    assert "请在备注中说明情况，对方审批时会看到。" in refused.main
    assert "请勾选确认。" in refused.main

    answer(refused, remark="留校任辅导员", confirmed="y")
    (application,) = applications()
    assert application.remark == "留校任辅导员"
    assert application.warnings


@pytest.mark.rule("PD-10")
def test_a_branch_for_those_who_stay_opens_no_transfer(browser: Browser, world: World) -> None:
    # Choosing it opens the application to be kept instead, and says so
    page = at_check(browser, world, "retained")
    assert "不是转接，要办理“保留团组织关系”" in page.text
    assert page.has_form("/member/stay/retention")
    assert "暂时保留在学校" in page.click("这是怎么回事").main
    # Whoever goes on nevertheless is led there from the last page too
    page = browser.get(f"{START}/check")
    assert "这不是转接，要另外办理" in page.main
    assert "提交申请" not in page.main
    assert page.click("申请保留团组织关系").has_form("/member/stay/retention")
    assert browser.post(f"{START}/check", {"contact_mobile": "13811112222"}).status == 422
    assert applications() == []


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("special-unit", "批准以后不能撤回"),
        ("retention", "一般不超过 6 个月，经申请最长 12 个月"),
        ("overseas-study", "国内经常联系的人和电话"),
        ("delay", "标记“延迟毕业”"),
        ("external", "一个字都不能错"),
    ],
)
def test_every_guide_says_what_to_do_and_whom_to_ring(browser: Browser, world: World, topic: str, says: str) -> None:
    with unit_of_work():
        world.orgs["college"].phone = "0551-222"

    page = browser.get(f"/member/guides/{topic}")

    assert page.status == 200
    assert says in page.main
    assert "0551-222" in page.main


def test_unknown_guide_is_not_there(browser: Browser) -> None:
    assert browser.get("/member/guides/nothing").status == 404


def test_special_unit_has_a_short_way_of_its_own(browser: Browser) -> None:
    page = answer(browser.get(START), reason="special_unit")

    assert page.url == f"{START}/special"
    assert "第 2 步，共 3 步" in page.main


@pytest.mark.parametrize("mobile", ["", "123", "23811112222", "<script>"])
def test_wrong_mobile_number_stays_with_the_error(browser: Browser, world: World, mobile: str) -> None:
    page = answer(at_check(browser, world), contact_mobile=mobile, remark="备注要留着")

    assert page.status == 422
    assert "手机号码" in page.main
    assert "备注要留着" in page.main
    assert applications() == []


@pytest.mark.rule("A-06")
def test_sending_twice_makes_one_application_and_says_so(browser: Browser, world: World) -> None:
    form = at_check(browser, world).form(f"{START}/check")

    first, second = form.submit(), form.submit()

    assert first.location == "/member/"
    assert second.status == 409
    assert "已有业务正在办理，不能重复发起。" in second.main
    assert second.has_form("/withdraw")
    assert len(applications()) == 1


@pytest.mark.rule("A-06", "A-21")
def test_starting_while_one_is_open_leads_to_it_with_the_way_to_withdraw(browser: Browser, world: World) -> None:
    application = apply(world, world.graduate, "township", **UNPLACED)

    page = browser.get(START).follow()

    assert page.url == f"/member/applications/{application.id}"
    assert "已有业务正在办理，不能重复发起。" in page.main
    assert page.has_form("/withdraw")


def test_draft_can_be_dropped(browser: Browser, world: World) -> None:
    answer(browser.get(START), reason="unplaced")

    page = browser.get("/member/").form("/transfer/drop").submit().follow()

    assert page.url == START
    assert session.get(TransferDraft, world.graduate.id) is None


@pytest.mark.rule("A-23")
def test_starting_again_after_a_refusal_is_filled_in_and_linked(browser: Browser, world: World) -> None:
    first = apply(world, world.graduate, "company", **EMPLOYED, contact_mobile="13811112222")
    do(operations.refuse, first, world.seat("company"), Ground.NOT_OURS, "不在我单位工作，请核对。")

    page = browser.get("/member/").form("/again").submit().follow()

    assert "已按上次的申请填好" in page.main
    assert "不在我单位工作，请核对。" in page.main
    assert page.form("/check").values["contact_mobile"] == "13811112222"
    page = choose(page, world.orgs["team"])
    answer(page)
    again = applications()[-1]
    assert (again.follows_id, again.to_org_id) == (first.id, world.orgs["team"].id)
    assert (again.unit_name, again.contact_mobile) == (EMPLOYED["unit_name"], "13811112222")


def test_what_another_reason_asked_for_is_not_sent(browser: Browser, world: World) -> None:
    page = answer(browser.get(START), reason="employed_without_org")
    answer(page, unit_name="合肥某某科技有限公司", unit_address=ADDRESS)

    page = answer(browser.get(START), reason="further_study")
    assert page.url == f"{START}/unit"
    page = choose(answer(page, unit_name="江南示范大学"), world.orgs["freshmen"])
    assert ADDRESS not in page.main
    answer(page)

    assert applications()[0].unit_address is None


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (START, {"reason": "\u0000"}),
        (f"{START}/place", {"place": "moon"}),
        (f"{START}/place", {}),
        (f"{START}/organisation", {"destination": "no-such-code"}),
        (f"{START}/organisation", {}),
    ],
)
def test_tampered_answers_are_refused(browser: Browser, path: str, data: dict[str, str]) -> None:
    page = answer(browser.get(START), reason="unplaced")
    answer(page, place="residence")

    assert browser.post(path, data).status in {400, 422}


def test_without_token_nothing_is_saved(browser: Browser, world: World) -> None:
    browser.get(START)

    assert browser.post(START, {"reason": "unplaced"}, token=False).status == 400
    assert session.get(TransferDraft, world.graduate.id) is None


def test_a_forged_better_reason_is_refused(browser: Browser, world: World) -> None:
    at_check(browser, world)

    assert browser.post("/member/transfer/reason/relocation").status == 422
    assert browser.post("/member/transfer/reason/nonsense").status == 422
