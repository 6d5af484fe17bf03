"""The pages of organisation administration: build, rename, close, posts, codes, tree."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.browsing import Browser
from tests.statements import statements
from tests.world import World
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.people import operations as people
from zhtj.people import posts
from zhtj.people.models import Code, CodeKind, Post, Seat
from zhtj.people.signing import codes
from zhtj.people.signing.accounts import rules_now

STATEMENTS = 10
GOOD = "山高月小水落石出真好看"


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def named(full_name: str) -> Organisation:
    session.expire_all()
    return session.scalars(select(Organisation).where(Organisation.full_name == full_name)).one()


@pytest.mark.rule("O-12")
def test_a_purpose_built_branch_takes_two_clicks(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["college"]).get("/college/organisations")
    number = world.orgs["college"].id
    # The first click opens the confirmation in place, the second one builds
    done = page.form(f"/college/organisations/{number}/new", button="建立").submit().follow()
    assert "已建立江淮示范大学计算机学院2026级新生团支部" in done.text
    assert named("江淮示范大学计算机学院2026级新生团支部").purpose is Purpose.NEW_STUDENTS


def test_a_child_is_built_and_a_mistake_loses_nothing(world: World, browser: Browser) -> None:
    number = world.orgs["university"].id
    page = browser.login(world.accounts["university"]).get(f"/school/organisations/{number}/new")
    typed: dict[str, Any] = {"category": "general_branch", "short_name": "外院团总支", "industry": "普通高等院校"}
    back = page.form(f"/school/organisations/{number}/new").submit(full_name="外语学院", **typed)
    assert back.status == 422
    form = back.form(f"/school/organisations/{number}/new")
    assert form.values["short_name"] == "外院团总支"
    form.submit(full_name="共青团江淮示范大学外语学院总支部委员会")
    assert named("共青团江淮示范大学外语学院总支部委员会").category is Category.GENERAL_BRANCH


@pytest.mark.rule("K-04")
def test_a_renamed_branch_is_found_in_the_tree_by_its_old_name(world: World, browser: Browser) -> None:
    number = world.orgs["class1"].id
    page = browser.login(world.accounts["college"]).get(f"/college/organisations/{number}/edit")
    page.form(f"/college/organisations/{number}/edit").submit(
        full_name="江淮示范大学计算机学院2022级卓越班团支部", short_name="卓越班团支部"
    )
    old = "江淮示范大学计算机学院2022级软件工程专业1班团支部"
    assert "卓越班团支部" in browser.get(f"/college/organisations/tree?q={old}").main
    assert f"曾用名\n{old}" in browser.get(f"/college/organisations/{number}").text


def test_the_tree_opens_level_by_level_with_and_without_javascript(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["university"]).get("/school/organisations/tree")
    college = world.orgs["college"].id
    assert "计算机学院团总支" in page.main
    assert "软工1班团支部" not in page.main
    assert "软工1班团支部" in page.click("打开计算机学院团总支").main
    level = browser.get(f"/school/organisations/{college}/children", htmx=True)
    assert "<html" not in level.source
    assert "软工1班团支部" in level.text
    assert browser.get(f"/school/organisations/tree?at={world.orgs['county'].id}").status == 404


@pytest.mark.rule("O-02")
def test_what_lacks_a_branch_or_an_administrator_is_flagged(world: World, browser: Browser) -> None:
    with unit_of_work():
        world.add(
            "empty", "university", "共青团江淮示范大学文学院总支部委员会", "文学院团总支", Category.GENERAL_BRANCH
        )
    browser.login(world.accounts["university"])
    for address in ("/school/organisations/tree", "/school/organisations", "/school/organisations/tree?q=文学院"):
        assert "没有团支部" in browser.get(address).main
    assert "没有管理员" in browser.get("/school/organisations/tree").main


@pytest.mark.rule("PD-06")
def test_closing_asks_for_a_reason_and_says_what_is_in_the_way(world: World, browser: Browser) -> None:
    with unit_of_work():
        world.add("empty", "college", "江淮示范大学计算机学院空团支部", "空团支部", Category.BRANCH, "普通高等院校")
    browser.login(world.accounts["college"])
    assert "还有 2 名团员" in browser.get(f"/college/organisations/{world.orgs['class1'].id}").main
    number = world.orgs["empty"].id
    form = browser.get(f"/college/organisations/{number}").form(f"/college/organisations/{number}/close")
    assert "至少 5 个字" in form.submit(why="").text
    assert "已停用" in form.submit(why="班级已经撤销").follow().text
    assert "空团支部" not in browser.get("/college/organisations").main
    assert "空团支部" in browser.get("/college/organisations?closed=1").main
    form = browser.get(f"/college/organisations/{number}").form(f"/college/organisations/{number}/reopen")
    assert "已恢复使用" in form.submit(why="班级恢复建制").follow().text


@pytest.mark.rule("U-23", "PD-22")
def test_a_secretary_hands_over_on_the_page(world: World, browser: Browser) -> None:
    root = f"/branch/organisations/{world.orgs['class1'].id}/posts"
    page = browser.login(world.accounts["class1"]).get(f"{root}?q=卜")
    chosen: dict[str, Any] = {"member": str(world.classmate.id), "post": "secretary"}
    back = page.form(root, button="任命").submit(**chosen)
    assert back.status == 422
    assert "现任书记是" in back.text
    # Then he has no seat left: he is signed out, and the page says so
    done = back.form(root, button="任命").submit(**chosen, hand_over="1").follow()
    assert done.status == 200
    assert done.url == "/login"
    assert "已任命卜喆为书记" in done.text
    assert "您在软工1班团支部的任职已结束，没有其他任职，已退出登录" in done.text
    assert browser.get("/account").location.startswith("/login")


@pytest.mark.rule("U-23", "PD-02")
def test_whoever_gives_up_his_post_goes_on_with_what_is_left(world: World, browser: Browser) -> None:
    # Given a member of the class who is its secretary too
    with unit_of_work():
        secretary = people.start_seat(world.graduate.account, world.orgs["class1"], Post.SECRETARY)
        old = next(one for one in posts.open_posts(world.orgs["class1"]) if one.id != secretary.id)
        people.end_seat(old, "ended")
    root = f"/branch/organisations/{world.orgs['class1'].id}/posts"
    # When he hands over
    page = browser.login(world.graduate.account).get(f"{root}?q=卜")
    chosen: dict[str, Any] = {"member": str(world.classmate.id), "post": "secretary", "hand_over": "1"}
    done = page.form(root, button="任命").submit(**chosen).follow()
    # Then he is on his own page, and reads why
    assert done.status == 200
    assert done.url == "/member/"
    assert "已任命卜喆为书记" in done.text
    assert "您在软工1班团支部的任职已结束，现在的身份是：软工1班团支部 团员" in done.text
    # The successor ends his own post in the same way
    page = browser.login(world.classmate.account).get(root)
    done = page.form(f"{root}/end").submit(acts=world.orgs["college"].code).follow()
    assert (done.status, done.url) == (200, "/member/")
    assert "您在软工1班团支部的任职已结束" in done.text


@pytest.mark.rule("U-23", "PD-61")
def test_a_successor_who_has_not_activated_leaves_the_work_to_the_superior(world: World, browser: Browser) -> None:
    with unit_of_work():
        world.classmate.account.activated_at = None
    root = f"/college/organisations/{world.orgs['class1'].id}/posts"
    page = browser.login(world.accounts["college"]).get(f"{root}?q=卜")
    chosen: dict[str, Any] = {"member": str(world.classmate.id), "post": "secretary", "hand_over": "1"}
    done = page.form(root, button="任命").submit(**chosen).follow()
    assert "已任命卜喆为书记，账号激活之前由上级代办" in done.text
    assert "还没有人激活账号；激活之前，事项由计算机学院团总支代办" in done.main


@pytest.mark.rule("PD-22")
def test_the_last_administrator_leaves_only_with_a_word_on_who_acts(world: World, browser: Browser) -> None:
    root = f"/college/organisations/{world.orgs['class1'].id}/posts"
    page = browser.login(world.accounts["college"]).get(root)
    back = page.form(f"{root}/end").submit()
    assert back.status == 422
    assert "之后由计算机学院团总支代办" in back.text
    done = back.form(f"{root}/end").submit(acts=world.orgs["college"].code).follow()
    assert "任职已结束" in done.text
    assert "没有管理员" in done.main


@pytest.mark.slow("goes to the limit of its kind")
@pytest.mark.rule("PD-37")
def test_somebody_elsewhere_is_appointed_by_name_and_number_a_limited_number_of_times(
    world: World, browser: Browser
) -> None:
    root = f"/college/organisations/{world.orgs['college'].id}/posts"
    page = browser.login(world.accounts["college"]).get(root)
    wrong: dict[str, Any] = {"name": "于敏", "number": "13800000000", "post": "administrator"}
    assert "没有找到这个人" in page.form(root, button="任命").submit(**wrong).text
    right: dict[str, Any] = wrong | {"number": world.employee.account.mobile}
    assert "已任命于敏为管理员" in page.form(root, button="任命").submit(**right).follow().text
    for _ in range(rules_now().lookup_limit - 2):
        assert page.form(root, button="任命").submit(**wrong).status == 422
    assert page.form(root, button="任命").submit(**wrong).status == 429


@pytest.mark.rule("U-05", "PD-03")
def test_a_cadre_gets_his_code_on_the_page_of_posts(world: World, browser: Browser) -> None:
    root = f"/college/organisations/{world.orgs['class1'].id}/posts"
    page = browser.login(world.accounts["college"]).get(root)
    shown = page.form(f"{root}/code").submit()
    assert "重置密码验证码" in shown.text
    assert session.scalar(select(func.count()).where(Code.kind == CodeKind.RESET)) == 1


@pytest.mark.rule("PD-03", "U-07")
def test_a_county_prints_a_code_for_each_of_its_townships(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["county"]).get("/provincial/organisations")
    sheet = page.form("/provincial/organisations/codes", button="确认生成").submit()
    assert "共青团安徽省合肥市蜀山区井岗镇委员会" in sheet.text
    assert "示例科技" not in sheet.text
    assert "管理员注册码（区分大小写）" in sheet.text  # the full text to pass on (U-06)
    assert sheet.source.count("data:image/svg+xml") == 2  # the icon of the page, and one slip
    session.expire_all()
    assert session.scalars(select(Code.org_id)).all() == [world.orgs["township"].id]
    assert session.scalar(select(func.count()).where(AuditEvent.action == "code.issue")) == 1


@pytest.mark.rule("PD-03")
def test_codes_for_ticked_organisations_leave_out_whose_superior_is_another(world: World, browser: Browser) -> None:
    browser.login(world.accounts["university"]).get("/school/organisations")
    ticked = [str(world.orgs[key].id) for key in ("college", "class1")]
    sheet = browser.post("/school/organisations/codes", {"organisation": ticked})
    assert "1 个没有生成" in sheet.text
    assert "管理员注册码由直接上级生成" in sheet.text
    outside = browser.post("/school/organisations/codes", {"organisation": [str(world.orgs["company"].id)]})
    assert outside.status == 404


@pytest.mark.rule("PD-03")
def test_a_whole_class_gets_its_codes_at_one_click(world: World, browser: Browser) -> None:
    with unit_of_work():
        session.merge(world.classmate.account).activated_at = None
    number = world.orgs["class1"].id
    page = browser.login(world.accounts["college"]).get(f"/college/organisations/{number}")
    sheet = page.form("/college/members/codes").submit()
    assert "丁一" in sheet.text
    assert "卜喆" in sheet.text
    session.expire_all()
    assert sorted(session.scalars(select(Code.kind))) == [CodeKind.ACTIVATION, CodeKind.RESET]


@pytest.mark.rule("U-07", "PD-03")
def test_a_registration_code_opens_only_its_own_organisation_and_only_once(world: World, browser: Browser) -> None:
    number = world.orgs["company"].id
    page = browser.login(world.accounts["county"]).get(f"/provincial/organisations/{number}")
    shown = page.form(f"/provincial/organisations/{number}/code").submit()
    assert "管理员注册码" in shown.text
    with unit_of_work():
        plain = codes.issue_registrations([number], world.seat("county")).issued[0].plain
    stranger = Browser(browser.client.application.test_client())
    form = stranger.get("/register").form("/register")
    typed: dict[str, Any] = {
        "code": plain,
        "name": "新管理员",
        "mobile": "13655550001",
        "password": "山高月小水落石出真好看",
    }
    typed["again"] = typed["password"]
    wrong = form.submit(organisation=world.orgs["township"].code, **typed)
    assert "不是共青团安徽省合肥市蜀山区井岗镇委员会的注册码" in wrong.text
    assert form.submit(organisation=world.orgs["company"].code, **typed).status == 303
    later = Browser(browser.client.application.test_client()).get("/register").form("/register")
    assert "已被使用" in later.submit(organisation=world.orgs["company"].code, **typed | {"mobile": "13655550002"}).text
    assert len(session.scalars(select(Seat).where(Seat.org_id == number, Seat.ended_at.is_(None))).all()) == 2


@pytest.mark.parametrize(
    ("who", "address"),
    [
        ("county", "/provincial/organisations"),
        ("college", "/college/organisations"),
        ("university", "/school/organisations/tree"),
    ],
)
def test_a_list_of_organisations_costs_few_statements(world: World, browser: Browser, who: str, address: str) -> None:
    browser.login(world.accounts[who])
    with statements() as seen:
        assert browser.get(address).status == 200
    reads = [one for one in seen if one.startswith("SELECT")]
    assert len(reads) <= STATEMENTS, "\n".join(one[:110].replace("\n", " ") for one in reads)
