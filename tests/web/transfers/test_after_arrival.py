"""The pages of graduates, exceptions, arrivals and floating members, and what the member himself sees of it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from tests.browsing import Browser, Page
from tests.transfers.steps import UNPLACED, apply, do, start
from tests.world import World
from zhtj.floating.models import Stay
from zhtj.graduation import operations as graduation
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.people.models import Member
from zhtj.transfers import operations
from zhtj.transfers.models import Arrival
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def bring(world: World, member: Member, to: str, by: str, **details: Any) -> None:
    application = apply(world, member, to, **details)
    do(operations.accept, application, world.seat(by))


def refuse(world: World, member: Member) -> int:
    application = apply(world, member, "team")
    do(operations.refuse, application, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在滨湖新区就业")
    return application.id


def rows(page: Page) -> int:
    body = page.document.find(".//tbody")
    return 0 if body is None else len(body.findall("tr"))


def cells(page: Page) -> list[list[Any]]:
    sheet = load_workbook(BytesIO(page.response.get_data())).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


# ---- graduates ----


@pytest.mark.rule("A-11")
def test_the_college_follows_applications_of_members_and_its_own(world: World, browser: Browser) -> None:
    mine = apply(world, world.graduate, "company")
    theirs = start(world.seat("college"), world.classmate, world.orgs["floating"], **UNPLACED)
    page = browser.login(world.accounts["college"]).get("/college/").click("毕业生")
    assert State.AWAITING_ACCEPTANCE.label in page.main
    for application, name, phone in (
        (mine, "丁一", world.accounts["company"].mobile),
        (theirs, "卜喆", world.accounts["township"].mobile),
    ):
        assert page.links()[name] == f"/college/applications/{application.id}"
        assert f'href="tel:{phone}"' in page.source
    assert "还剩" in page.main
    assert "办理记录" in page.click("丁一").main


@pytest.mark.rule("PD-25")
def test_every_figure_on_top_leads_to_as_many_lines(world: World, browser: Browser) -> None:
    with unit_of_work():
        people = [world.enrol(f"{name}同学", "class1") for name in "甲乙丙"]
        graduation.open_register()
    refuse(world, people[0])
    bring(world, people[1], "team", "team")
    apply(world, people[2], "company")
    page = browser.login(world.accounts["university"]).get("/school/graduates")
    figures = [link for link in page.document.iter("a") if "figure" in link.get("class", "")]
    (categories,) = [nav for nav in page.document.iter("nav") if nav.get("aria-label") == "按去向筛选"]
    links = [*figures, *categories]
    seen = {}
    for link in links:
        words = "".join(link.itertext())
        number = int("".join(sign for sign in words if sign.isdecimal()).removeprefix("3" if "天内" in words else ""))
        assert rows(browser.get(link.get("href", ""))) == number, words
        seen[words] = number
    assert len(seen) >= 8
    assert {"未发起2", "需重新发起1", "已完成1", "待转入方审批1"} <= set(seen)


def test_graduates_are_narrowed_by_class_and_name(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["college"]).get("/college/graduates")
    assert rows(page) == 2
    assert rows(page.form(button="筛选").submit(q="丁")) == 1
    assert rows(page.form(button="筛选").submit(org=str(world.orgs["class2"].id))) == 0
    chosen = page.form(button="筛选").submit(org=str(world.orgs["class1"].id))
    assert rows(chosen) == 2
    assert "清除" in chosen.links()
    assert browser.get(f"/college/graduates?org={world.orgs['township'].id}").status == 404


def test_a_text_for_the_class_names_only_who_has_not_applied(world: World, browser: Browser) -> None:
    apply(world, world.graduate, "company")
    page = browser.login(world.accounts["college"]).get("/college/graduates")
    text = page.form("/graduates/text").submit()
    assert "软工1班团支部还有 1 名同学没有发起团员组织关系转接：卜喆。" in text.main
    assert "丁一" not in text.main


@pytest.mark.parametrize("chosen", ["filter", "ticked", "all"])
def test_the_file_holds_exactly_what_was_chosen(world: World, browser: Browser, chosen: str) -> None:
    with unit_of_work():
        session.merge(world.classmate.account).name = "=卜喆"
    apply(world, world.graduate, "company")
    query = "?step=none" if chosen == "filter" else ""
    page = browser.login(world.accounts["college"]).get(f"/college/graduates{query}")
    form = page.form("/graduates/text")
    ticks = {one.get("aria-label"): one.get("value") for one in page.document.iter("input") if one.get("name") == "row"}
    names = {"filter": {"=卜喆"}, "ticked": {"丁一"}, "all": {"丁一", "=卜喆"}}[chosen]
    one = {} if chosen == "filter" else {"row": ticks["选择丁一"]}
    values = {**one, "all": "1"} if chosen == "all" else one
    sent = {**form.values, **values}
    found = cells(browser.post("/college/graduates/export", sent))
    assert found[0][:6] == ["姓名", "学号", "毕业团支部", "去向", "进度", "到达该环节"]
    assert {row[0] for row in found[1:]} == names
    assert session.scalars(select(AuditEvent).where(AuditEvent.action == "export.write")).all()


# ---- exceptions ----


@pytest.mark.rule("A-28", "A-23")
def test_a_refusal_leads_to_whom_to_ask_next_and_to_a_remark(world: World, browser: Browser) -> None:
    number = refuse(world, world.graduate)
    page = browser.login(world.accounts["university"]).get("/school/graduates").click("特殊情况记录")
    assert "未解决" in page.main
    one = page.click("丁一")
    assert "本人已在滨湖新区就业" in one.main
    # The right destination: ask the receiver, then its superior; a wrong one: start again
    for key in ("team", "company"):
        assert f'href="tel:{world.accounts[key].mobile}"' in one.source
    assert "研发团支部的事由示例科技团委协调" in one.main
    assert one.links()["重新办理转出"] == f"/school/members/{world.graduate.id}/transfer-out"
    listed = one.form(f"/applications/{number}/exception").submit(remark="已与示例科技团委沟通").follow()
    assert "已与示例科技团委沟通" in listed.main
    long = browser.get(f"/school/applications/{number}/exception").form("/exception").submit(remark="长" * 501)
    assert long.status == 422
    assert "最多 500 个字" in long.main


@pytest.mark.rule("F-02")
def test_the_register_is_handed_over_with_exactly_its_columns(world: World, browser: Browser) -> None:
    refuse(world, world.graduate)
    page = browser.login(world.accounts["college"]).get("/college/exceptions?status=open")
    found = cells(page.form("/exports/list/exceptions").submit())
    merged = [a or b for a, b in zip(found[1], found[2], strict=True)]
    assert merged[:6] == ["序号", "姓名", "学号", "学院", "原所在团组织名称", "转接类型"]
    assert (found[1][6], found[2][6:8]) == ("待转入团组织所在地区", ["省", "市"])
    assert merged[8:] == ["待转入团组织名称", "是否发起", "未接受原因", "备注"]
    assert [row[1] for row in found[3:]] == ["丁一"]


@pytest.mark.rule("A-28")
def test_who_never_applied_is_entered_on_his_page(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["college"]).get(f"/college/members/{world.graduate.id}")
    form = page.click("列入特殊情况记录").form("/exception")
    failed = form.submit(reason="不知", province="江苏省")
    assert failed.status == 422
    assert failed.form("/exception").values["province"] == "江苏省"
    listed = failed.form("/exception").submit(reason="本人失去联系，无人接听电话").follow()
    assert "本人失去联系，无人接听电话" in listed.main
    assert "否" in listed.main
    assert "本人失去联系" in listed.click("丁一").source


def test_a_branch_has_no_register(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["class1"]).get("/branch/graduates")
    assert page.status == 200
    assert "特殊情况记录" not in page.links()


# ---- arrivals ----


@pytest.mark.rule("U-26", "A-30")
def test_the_new_branch_ticks_off_and_the_member_sees_what_is_left(
    world: World, browser: Browser, client: FlaskClient
) -> None:
    bring(world, world.graduate, "team", "team")
    team = browser.login(world.accounts["team"])
    page = team.get("/branch/").click("新转入待办")
    assert world.graduate.account.mobile in page.main
    assert "软工1班团支部" in page.main
    nothing = page.form("/arrivals/tick").submit(member=str(world.graduate.id))
    assert nothing.status == 422
    assert "请先勾选做了什么" in nothing.main
    form = nothing.form("/arrivals/tick")
    form.submit(member=str(world.graduate.id), contacted_on="1", informed_on="1", reported_on="1")
    home = Browser(client.application.test_client()).login(world.graduate.account).get("/member/")
    assert "10月14日已报到" in home.main
    assert "从哪个月起交到新组织" in home.main
    team.get("/branch/arrivals").form("/arrivals/tick").submit(member=str(world.graduate.id), dues_from="2026-11")
    assert "还有事要做0" in team.get("/branch/arrivals").main
    home = Browser(client.application.test_client()).login(world.graduate.account).get("/member/")
    assert "新组织还等您做的事" not in home.main


@pytest.mark.rule("U-26")
def test_contact_data_of_who_arrived_are_brought_up_to_date(world: World, browser: Browser) -> None:
    bring(world, world.graduate, "team", "team")
    page = browser.login(world.accounts["team"]).get("/branch/arrivals").click("丁一")
    wrong = page.form("/contact").submit(mobile="123")
    assert wrong.status == 422
    done = wrong.form("/contact").submit(mobile="13812345678", residence="合肥市蜀山区示例路2号").follow()
    assert "联系方式已更新" in done.text
    session.expire_all()
    member = session.get_one(Member, world.graduate.id)
    assert (member.account.mobile, member.residence) == ("13812345678", "合肥市蜀山区示例路2号")
    arrival = session.scalars(select(Arrival)).one()
    assert arrival.informed_on is not None
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "account.mobile")).one()
    assert event.account_id == world.accounts["team"].id


def test_days_are_corrected_on_the_members_line(world: World, browser: Browser, clock_at: Any) -> None:
    bring(world, world.graduate, "team", "team")
    clock_at("2026-10-20T09:00")
    page = browser.login(world.accounts["team"]).get(f"/branch/members/{world.graduate.id}/arrival")
    failed = page.form("/arrival").submit(contacted_on="2026-10-21")
    assert failed.status == 422
    assert "不能晚于今天" in failed.main
    done = failed.form("/arrival").submit(contacted_on="2026-10-19", dues_from="2026-11").follow()
    assert done.form("/arrival").values["contacted_on"] == "2026-10-19"
    assert done.form("/arrival").values["dues_from"] == "2026-11"
    bad = done.form("/arrival").submit(reported_on="昨天")
    assert (bad.status, bad.form("/arrival").values["reported_on"]) == (422, "昨天")


def test_a_superior_sees_arrivals_and_ticks_nothing(world: World, browser: Browser) -> None:
    bring(world, world.graduate, "team", "team")
    page = browser.login(world.accounts["county"]).get("/provincial/arrivals")
    assert "丁一" in page.main
    assert not [one for one in page.document.iter("input") if one.get("name") == "member"]
    one = browser.get(f"/provincial/members/{world.graduate.id}/arrival")
    assert not one.has_form("/arrival")
    sent = browser.post("/provincial/arrivals/tick", {"member": str(world.graduate.id), "contacted_on": "1"})
    assert sent.status == 403


# ---- floating members ----


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("T-29", "D-17")
def test_the_township_logs_contacts_and_starts_the_month(world: World, browser: Browser, clock_at: Any) -> None:
    bring(world, world.graduate, "floating", "township", **UNPLACED)
    page = browser.login(world.accounts["township"]).get("/school/more").click("流动团员")
    assert "还没有" in page.main
    assert page.links()["办理二次转接：丁一"] == f"/school/members/{world.graduate.id}/transfer-out"
    one = page.click("丁一")
    failed = one.form("/onward/contact").submit(on="2026-10-14", note="")
    assert failed.status == 422
    logged = failed.form("/onward/contact").submit(situation="seeking", note="正在合肥找工作").follow()
    assert "正在合肥找工作" in logged.main
    found = logged.form("/onward/found").submit(found_what="示例科技有限公司").follow()
    assert "请在 11月14日 前办理二次转接" in found.text
    clock_at("2026-11-15T00:00")
    late = browser.get("/school/").click("流动团员逾期未转出")
    assert "已过 1 天" in late.main
    browser.get(f"/school/members/{world.graduate.id}/onward").form("/onward/lost").submit()
    assert session.scalars(select(Stay)).one().due_on is None


def test_members_of_a_roster_join_the_list_with_one_button(world: World, browser: Browser) -> None:
    with unit_of_work():
        world.enrol("名册在列", "floating")
    page = browser.login(world.accounts["township"]).get("/school/floating")
    assert "还有 1 名团员" in page.main
    assert "名册在列" in page.form("/floating/track").submit().follow().main


# ---- menus and the member's history ----


@pytest.mark.parametrize(
    ("key", "role", "entries"),
    [
        ("class1", "branch", {"毕业生"}),
        ("university", "school", {"毕业生", "流动团员"}),
        ("team", "branch", set()),
        ("company", "school", set()),
        ("township", "school", {"流动团员"}),
        ("province", "provincial", {"毕业生", "流动团员"}),
    ],
)
def test_the_menu_holds_what_concerns_the_organisation(
    world: World, browser: Browser, key: str, role: str, entries: set[str]
) -> None:
    page = browser.login(world.accounts[key]).get(f"/{role}/more")
    assert {"新转入", *entries} == {"毕业生", "新转入", "流动团员"} & set(page.links())


@pytest.mark.rule("A-07")
def test_history_tells_each_step_and_how_each_membership_began(world: World, browser: Browser, clock_at: Any) -> None:
    refuse(world, world.graduate)
    clock_at("2026-10-16T09:00")
    bring(world, world.graduate, "floating", "township", **UNPLACED)
    page = browser.login(world.graduate.account).get("/member/history")
    text = page.main.replace("\n", "")
    assert text.index("转接完成") < text.index("本人已在滨湖新区就业") < text.index("组织关系所在")
    assert "办理经过，共 2 步" in text
    assert "10月16日起，至今来：转接" in text
    assert "10月14日起，10月16日止来：录入系统 · 去：转接" in text
