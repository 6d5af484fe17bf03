"""The adviser's pages: one question a page, back always right, then the answer with what to do."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.browsing import Browser, Page
from tests.transfers.steps import apply
from tests.world import World
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.transfers import queries
from zhtj.transfers.models import TransferDraft

HELP = "/help/advice"
AT = "安徽省合肥市蜀山区井岗镇香樟大道88号"
COMPANY = "示例科技有限公司"
COLLEGE = "普通高等院校"


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        member = session.merge(world.graduate)
        member.residence, member.household = AT, "安徽省阜阳市颍州区三合镇"
        session.merge(world.orgs["township"]).phone = "0551-65330001"
        world.add("south", "city", "共青团江南示范大学委员会", "江南示范大学团委", Category.COMMITTEE, COLLEGE)
        world.add("beijing", "centre", "共青团北京市委员会", "团北京市委", Category.LEADING_ORGAN, code="11")
        world.orgs["beijing"].system = Region.BEIJING
    session.refresh(world.graduate)
    return world


@pytest.fixture
def visitor(client: FlaskClient, world: World) -> Browser:
    return Browser(client)


@pytest.fixture
def graduate(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.graduate.account)


def heading(page: Page) -> str:
    return "".join(page.document.find(".//h1").itertext()).strip()


# ---- the way through the questions


def test_a_visitor_is_led_to_the_answer_in_three_questions(visitor: Browser) -> None:
    page = visitor.get("/help/").click("去向顾问")
    assert heading(page) == "毕业后去哪里？"

    page = page.click("工作")
    assert heading(page) == "单位有没有团组织？"
    page = page.click("单位没有团组织")
    assert heading(page) == "是哪个单位，在哪里？"
    page = page.form(HELP).submit(unit="某小店", address=AT)

    assert heading(page) == "转到团井岗镇委"
    assert "共青团安徽省合肥市蜀山区井岗镇委员会" in page.main
    assert "依据：《毕业生团员团组织关系转接工作指引》（2020）" in page.main
    assert page.links()["0551-65330001"] == "tel:055165330001"
    assert "已经就业的不能转到户籍地。" in page.main
    assert "登录后申请转接" in page.links()


def test_going_back_keeps_what_was_said(visitor: Browser) -> None:
    page = visitor.get(f"{HELP}?situation=employed_without_org&unit=某小店&address={AT}&party=1&done=1")

    page = page.click("上一步")
    form = page.form(HELP)
    assert (form.values["unit"], form.values["address"], form.values["party"]) == ("某小店", AT, "1")
    assert page.click("上一步").click("上一步").url == HELP


def test_nothing_a_visitor_says_is_stored(visitor: Browser) -> None:
    before = session.scalar(select(func.count()).select_from(audit.AuditEvent))

    visitor.get(f"{HELP}?situation=employed_unsure&unit=某小店&address={AT}&done=1")

    assert session.scalar(select(func.count()).select_from(audit.AuditEvent)) == before
    assert session.scalar(select(func.count()).select_from(TransferDraft)) == 0


@pytest.mark.parametrize(
    "query", ["situation=moon", "group=火星", "situation=unplaced&place=moon&done=1", "situation=no_application"]
)
def test_an_address_somebody_made_up_leads_to_a_question_or_an_answer(visitor: Browser, query: str) -> None:
    assert visitor.get(f"{HELP}?{query}").status == 200


# ---- what the answers say


@pytest.mark.parametrize(
    ("query", "title", "words"),
    [
        (f"situation=employed_with_org&unit={COMPANY}", "转到示例科技团委", ["自主创业也算"]),
        (f"situation=employed_unsure&unit=某小店&address={AT}", "转到团井岗镇委", ["没有查到您单位的团组织"]),
        ("situation=employed_with_org&unit=没有的公司", "转到工作单位团组织", ["单位确实没有团组织？"]),
        ("situation=unplaced&place=household&address=" + AT, "转到井岗镇流动团员团支部", ["一个月内再转出"]),
        ("situation=enlisted", "不选转入组织，由省级团委审批", ["不能撤回", "政审"]),
        ("situation=secret_unit", "不选转入组织，由省级团委审批", ["单位名称不必写出"]),
        ("situation=overseas_study", "不转出，办理“出国（境）学习研究”", ["国内经常联系的人"]),
        ("situation=delayed", "不转出，办理“延迟毕业”", ["标记“延迟毕业”"]),
        ("situation=teacher", "不用申请转接", ["由学校标记为教师即可"]),
        ("situation=commissioned", "不用申请转接", ["情况说明"]),
        ("situation=retake_exam", "不转出，办理“保留团组织关系”", ["团费和组织生活"]),
        ("situation=teaching_year", "不转出，办理“保留团组织关系”", ["支教"]),
        ("situation=file_first", "不转出，办理“保留团组织关系”", ["入职"]),
        ("situation=dropout", "转到", ["不能删除"]),
        (f"situation=probation&unit={COMPANY}", "转到示例科技团委", ["试用期也应接收", "临时团支部"]),
        (f"situation=labour_dispatch&unit={COMPANY}", "转到示例科技团委", ["没有统一规定"]),
        (f"situation=employed_with_org&unit={COMPANY}&party=1", "转到示例科技团委", ["入党后仍要转接团组织关系"]),
        ("situation=employed_without_org&unit=某店&address=北京市海淀区", "转到北京的团组织", ["各有自己的团务系统"]),
        ("situation=internal_upgrade", "转到", ["先由原学院同意转出"]),
        ("situation=overseas_official&unit=" + COMPANY, "转到示例科技团委", ["出发前办好"]),
    ],
)
def test_every_situation_gets_its_answer(visitor: Browser, query: str, title: str, words: list[str]) -> None:
    page = visitor.get(f"{HELP}?{query}&done=1")

    assert heading(page).startswith(title)
    assert not [word for word in words if word not in page.main]


@pytest.mark.rule("T-11", "D-12")
def test_before_the_admitting_school_is_ready_the_page_says_wait(visitor: Browser) -> None:
    page = visitor.get(f"{HELP}?situation=further_study&unit=江南示范大学&done=1")

    assert heading(page) == "先等一等，暂时不要申请"
    assert "录取学校还没有建好新生团组织，先不要申请" in page.main


def test_only_the_days_of_ones_own_group_are_named(visitor: Browser) -> None:
    page = visitor.get(f"{HELP}?situation=further_study&unit=江南示范大学&done=1")

    assert "升学的毕业生团员基本完成转接" in page.main
    assert "毕业学校应发起" not in page.main


# ---- a member


def test_one_button_leads_from_the_answer_into_the_application(graduate: Browser, world: World) -> None:
    page = graduate.get("/member/").click("去向顾问").click("工作").click("单位没有团组织")
    page = page.form("/member/advice").submit(unit="某小店", address=AT)
    assert heading(page) == "转到团井岗镇委"

    page = page.form(button="申请转入：团井岗镇委").submit().follow()

    assert page.url == "/member/transfer/new/check"
    assert "核对一下，然后提交" in page.main
    draft = queries.draft(world.graduate.id)
    assert draft.answers["reason"] == "employed_without_org"
    assert (draft.answers["place"], draft.answers["destination"]) == ("unit_location", world.orgs["township"].code)
    page.form("/check").submit(contact_mobile="13811112222").follow()
    assert queries.latest(world.graduate.id).to_org_id == world.orgs["township"].id


def test_what_the_record_knows_need_not_be_typed(graduate: Browser, world: World) -> None:
    page = graduate.get("/member/advice?situation=unplaced")
    assert AT in page.main

    page = page.form("/member/advice").submit(place="residence")

    assert heading(page) == "转到井岗镇流动团员团支部"
    page = page.form(button="申请转入：井岗镇流动团员团支部").submit().follow()
    assert page.url == "/member/transfer/new/check"
    assert queries.draft(world.graduate.id).answers["unit_address"] == ""


def test_without_a_found_organisation_the_application_goes_on_at_the_open_question(
    graduate: Browser, world: World
) -> None:
    page = graduate.get("/member/advice?situation=employed_with_org&unit=没有的公司&done=1")

    page = page.form(button="就按这个去申请").submit().follow()

    assert page.url == "/member/transfer/new/organisation"


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("situation=enlisted", "special"),
        ("situation=employed_without_org&unit=某店&address=北京市海淀区某街道1号", "external"),
    ],
)
def test_special_units_and_external_systems_go_on_at_their_own_question(
    graduate: Browser, world: World, query: str, step: str
) -> None:
    page = graduate.get(f"/member/advice?{query}&done=1").form(button="就按这个去申请").submit().follow()

    assert page.url == f"/member/transfer/new/{step}"


def test_with_an_open_application_the_answer_says_so_and_offers_none(graduate: Browser, world: World) -> None:
    apply(world, world.graduate, "company")

    page = graduate.get(f"/member/advice?situation=employed_with_org&unit={COMPANY}&done=1")

    assert "您有一份申请正在办理" in page.main
    assert not page.has_form("/member/advice/apply")


def test_the_record_says_who_is_a_party_member(graduate: Browser, world: World) -> None:
    with unit_of_work():
        session.merge(world.graduate).political_status = "中共预备党员"

    page = graduate.get("/member/advice?situation=employed_with_org")
    assert "party" not in page.form("/member/advice").names
    page = page.form("/member/advice").submit(unit=COMPANY)

    assert "入党后仍要转接团组织关系" in page.main


def test_who_is_no_graduate_is_asked_his_own_questions(client: FlaskClient, world: World) -> None:
    page = Browser(client).login(world.sophomore.account).get("/member/advice")

    assert heading(page) == "为什么要转？"
    assert "搬家" in page.main
    assert "仍在学校" not in page.main


# ---- an administrator


def test_an_administrator_goes_from_the_answer_into_the_start_form(app: Flask, world: World) -> None:
    browser = Browser(app.test_client()).login(world.accounts["college"])
    page = browser.get(f"/college/members/{world.graduate.id}").click("去向建议")
    page = browser.get(f"{page.url}?group=工作").click("单位没有团组织")
    page = page.form("/advice").submit(unit="某小店", address=AT)

    page = page.click("办理转出：团井岗镇委")

    assert urlsplit(page.url).path == f"/college/members/{world.graduate.id}/transfer-out"
    assert parse_qs(urlsplit(page.url).query)["reason"] == ["employed_without_org"]
    form = page.form("/transfer-out")
    assert (form.values["unit_name"], form.values["place"]) == ("某小店", "unit_location")
    page = form.submit().follow()
    assert queries.latest(world.graduate.id).to_org_id == world.orgs["township"].id


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("situation=enlisted&done=1", "批准后不能撤回，也不能再转出"),
        ("situation=employed_without_org&address=北京市海淀区&done=1", "对方系统"),
    ],
)
def test_special_units_and_external_systems_have_their_own_start_form(
    app: Flask, world: World, query: str, words: str
) -> None:
    browser = Browser(app.test_client()).login(world.accounts["college"])

    page = browser.get(f"/college/members/{world.graduate.id}/advice?{query}").click("办理转出")

    assert page.has_form("/transfer-out")
    assert words in page.main


def test_a_stranger_sees_nobodys_advice(app: Flask, world: World) -> None:
    browser = Browser(app.test_client()).login(world.accounts["company"])

    assert browser.get(f"/school/members/{world.graduate.id}/advice").status == 404


def test_a_youth_home_and_the_county_are_offered_with_their_conditions(visitor: Browser, world: World) -> None:
    with unit_of_work():
        for key, parent, name, purpose in (
            ("home", "township", "井岗镇青年之家团支部", Purpose.YOUTH_HOME),
            ("county_floating", "county", "蜀山区流动团员团支部", Purpose.FLOATING),
        ):
            world.orgs[key] = orgs.create(
                world.orgs[parent], NewOrganisation(name, name, Category.BRANCH, "农村", purpose=purpose)
            )

    page = visitor.get(f"{HELP}?situation=employed_without_org&address={AT}&done=1")
    unable = visitor.get(f"{HELP}?situation=employed_without_org&address={AT}&unable=1&done=1")

    assert "井岗镇青年之家团支部\n可以" in page.main
    assert "蜀山区流动团员团支部\n需说明" in page.main
    assert heading(unable) == "转到蜀山区流动团员团支部"
    assert "团井岗镇委\n需说明" in unable.main
    assert "9月1日起由县级团组织建立流动团员团支部接收" in unable.main


# ---- the waiting list


def freshmen(world: World) -> None:
    with unit_of_work():
        new = NewOrganisation(
            "江南示范大学2026级新生团支部", "2026级新生团支部", Category.BRANCH, COLLEGE, purpose=Purpose.NEW_STUDENTS
        )
        world.orgs["freshmen"] = orgs.create(session.merge(world.orgs["south"]), new)


@pytest.mark.rule("T-11")
def test_a_member_waits_and_is_led_on_when_the_school_is_ready(graduate: Browser, world: World) -> None:
    page = graduate.get("/member/advice?situation=further_study&unit=江南示范大学&done=1")

    page = page.form(button="建好了通知我").submit().follow()
    assert "江南示范大学还没有准备好，您在等待名单上" in page.main
    assert "从10月14日" in page.main

    freshmen(world)
    assert "江南示范大学可以转入了" in graduate.get("/member/").main
    page = graduate.get("/member/advice?situation=further_study&unit=江南示范大学&done=1")
    assert heading(page) == "转到2026级新生团支部"
    page = page.form(button="申请转入：2026级新生团支部").submit().follow()
    page.form("/check").submit(contact_mobile="13811112222").follow()
    assert "等待名单" not in graduate.get("/member/").main


def test_who_waits_may_stop_waiting(graduate: Browser, world: World) -> None:
    graduate.get("/member/advice?situation=further_study&unit=江南示范大学&done=1").form(button="建好了").submit()

    page = graduate.get("/member/").form("/member/waits/leave").submit().follow()

    assert "已退出等待名单。" in page.main
    assert "您在等待名单上" not in page.main


@pytest.mark.rule("T-11", "D-11")
def test_who_waits_for_his_school_is_told_one_thing_at_home(graduate: Browser, world: World) -> None:
    graduate.get("/member/advice?situation=further_study&unit=江南示范大学&done=1").form(button="建好了").submit()

    page = graduate.get("/member/")

    assert heading(page) == "等录取学校准备好，暂时不用申请"
    assert "升学的团员应完成转接" in page.main
    assert "10月31日" in page.main
    assert "请提交转接申请" not in page.main
    assert not page.has_form("/member/transfer/new")
    assert "申请转接" not in page.main


def test_a_school_that_stands_nowhere_yet_can_be_waited_for(graduate: Browser, world: World) -> None:
    page = graduate.get("/member/advice?situation=further_study&unit=远方大学&done=1")

    page = page.form(button="建好了通知我").submit().follow()

    assert "远方大学还没有准备好" in page.main


def test_nobody_waits_for_a_school_that_is_ready(graduate: Browser, world: World) -> None:
    freshmen(world)

    page = graduate.post("/member/waits", {"unit": "江南示范大学"}).follow()

    assert "已经建好新生团组织，可以直接申请" in page.text
    assert heading(page) == "转到2026级新生团支部"


def test_both_schools_see_who_waits_and_the_new_one_nothing_but_name_and_school(
    graduate: Browser, app: Flask, world: World
) -> None:
    world.appoint("south")
    session.commit()
    graduate.post("/member/waits", {"unit": "江南示范大学"})

    new = Browser(app.test_client()).login(world.accounts["south"])
    assert "1 名升学团员在等本组织建好新生团组织" in new.get("/school/").main
    page = new.get("/school/waits")
    assert "丁一" in page.main
    assert "江淮示范大学团委" in page.main
    assert not [href for href in page.links().values() if "/members/" in href]
    old = Browser(app.test_client()).login(world.accounts["college"])
    assert "丁一" in old.get("/college/waits?side=out").main
    assert "丁一" not in old.get("/college/waits").main


@pytest.mark.rule("T-11")
def test_the_last_page_of_an_application_offers_to_wait_instead(graduate: Browser, world: World) -> None:
    values = {"reason": "further_study", "unit": "江南示范大学", "destination": world.orgs["south"].code}
    page = graduate.post("/member/advice/apply", values).follow()

    assert "录取学校还没有建好新生团组织" in page.main
    assert page.has_form("/member/waits")
