"""The doors that codes open, as pages: activation, reset, registration; and the slips that carry the codes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.letters.printing.reading import reader, squeeze
from tests.world import World
from zhtj.kernel.database import db, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.people.models import CodeKind, Member
from zhtj.people.signing import codes
from zhtj.people.signing.accounts import find_by_username
from zhtj.people.signing.codes import IssuedCode
from zhtj.web.auth import code_sheets

GOOD = "山高月小水落石出真好看"


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def activation(world: World, member: Member) -> IssuedCode:
    with unit_of_work():
        member.account.activated_at = None
        db.session.flush()
        return codes.issue(CodeKind.ACTIVATION, account=member.account, seat=world.seat("class1"))


def reset(world: World) -> IssuedCode:
    with unit_of_work():
        return codes.issue(CodeKind.RESET, account=world.graduate.account, seat=world.seat("class1"))


def registration(world: World) -> IssuedCode:
    with unit_of_work():
        return codes.issue(CodeKind.REGISTRATION, organisation=world.orgs["college"], seat=world.seat("university"))


def choose(page: Page, password: str = GOOD, again: str | None = None, **values: Any) -> Page:
    return page.form().submit(password=password, again=password if again is None else again, **values)


# ---- activation


@pytest.mark.rule("U-08", "PD-03")
def test_a_code_shows_whose_it_is_and_opens_the_account(browser: Browser, world: World) -> None:
    # given
    issued = activation(world, world.graduate)

    # when it is typed
    page = browser.get("/login").click("激活账号").form("/activate").submit(code=issued.plain.lower())

    # then the person recognises himself, and nobody learns more
    account = world.graduate.account
    assert "丁*" in page.main
    assert "138****" in page.main
    for secret in (account.name, account.id_number or "", account.mobile or ""):
        assert secret not in page.source

    # when a password is chosen
    page = choose(page)

    # then he is in
    assert page.location == "/member/"
    assert "账号已激活" in page.follow().text
    assert Browser(browser.client.application.test_client()).sign_in(account.mobile or "", GOOD).status == 303


@pytest.mark.parametrize("address", ["/activate?code={}", "/activate/{}"])
def test_a_qr_code_brings_the_code_along_and_looking_writes_nothing(
    browser: Browser, world: World, address: str
) -> None:
    issued = activation(world, world.graduate)
    page = browser.get(address.format(issued.plain))
    assert page.form("/activate").values["code"] == issued.plain
    assert "丁" not in page.main
    assert "设置密码" in page.form("/activate").submit().title


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [("", "", "请设置密码"), (GOOD, "other", "两次输入的密码不一样"), ("1234567890", "1234567890", "容易被猜到")],
)
def test_a_password_that_will_not_do_keeps_the_code(
    browser: Browser, world: World, password: str, again: str, says: str
) -> None:
    # given
    issued = activation(world, world.graduate)
    page = browser.get(f"/activate/{issued.plain}").form("/activate").submit()

    # when
    page = choose(page, password, again)

    # then
    assert page.status == 422
    assert says in page.text
    assert choose(page).status == 303


def test_a_wrong_code_says_what_to_do_and_loses_nothing(browser: Browser, world: World) -> None:
    page = browser.get("/activate").form("/activate").submit(code="AAAA-BBBB-CCCC")
    assert page.status == 422
    assert "重新生成" in page.text
    assert page.form("/activate").values["code"] == "AAAA-BBBB-CCCC"
    assert browser.get("/activate").form("/activate").submit(code=" ").status == 422


def test_a_code_that_has_run_out_in_between_leads_back_to_the_first_step(
    browser: Browser, world: World, clock_at: Any
) -> None:
    issued = activation(world, world.graduate)
    page = browser.get(f"/activate/{issued.plain}").form("/activate").submit()
    clock_at("2026-11-13T09:00")
    # The form's own token is an hour old as well; a fresh one comes with the next page.
    browser.get("/activate")
    page = browser.post("/activate", {"code": issued.plain, "password": GOOD, "again": GOOD})
    assert page.status == 422
    assert "已过期" in page.text
    assert page.form("/activate").values["code"] == issued.plain


@pytest.mark.rule("PD-03")
def test_guessing_codes_ends_with_429(browser: Browser, world: World) -> None:
    page = browser.get("/activate")
    for _ in range(30):
        assert page.form("/activate").submit(code="AAAA-BBBB-CCCC").status == 422
    refused = page.form("/activate").submit(code="AAAA-BBBB-CCCC")
    assert refused.status == 429
    assert int(refused.response.headers["Retry-After"]) == 3600
    assert "10:00 以后再试" in refused.text


# ---- a new password


@pytest.mark.rule("U-04")
def test_a_reset_code_gives_a_new_password_and_signs_out_elsewhere(browser: Browser, app: Flask, world: World) -> None:
    # given a session on another device
    account = world.graduate.account
    other = Browser(app.test_client()).login(account)
    assert other.get("/account").status == 200
    issued = reset(world)

    # when
    page = browser.get("/login").click("我有验证码")
    page = choose(page, username=account.id_number or "", code=issued.plain)

    # then
    assert page.location == "/member/"
    assert other.get("/account").status == 303


@pytest.mark.rule("U-04")
def test_the_page_says_who_issues_the_code(browser: Browser) -> None:
    text = browser.get("/password/reset").main
    assert "自己不能找回密码" in text
    assert "本组织的管理员，或直接上级组织的管理员" in text
    assert "2 天内有效" in text


@pytest.mark.rule("U-06")
def test_wrong_name_and_wrong_code_are_answered_alike(browser: Browser, world: World) -> None:
    issued = reset(world)
    page = browser.get("/password/reset")
    wrong_name = choose(page, username="13999999999", code=issued.plain)
    wrong_code = choose(page, username=world.graduate.account.mobile or "", code="AAAA-BBBB-CCCC")
    assert wrong_name.status == wrong_code.status == 422
    assert "账号或重置密码验证码不正确" in wrong_name.text
    assert wrong_name.text == wrong_code.text
    assert wrong_name.form().values["username"] == "13999999999"


# ---- registration


@pytest.mark.rule("U-07", "U-08")
def test_an_administrator_registers_with_the_code_of_his_organisation(browser: Browser, world: World) -> None:
    # given
    issued = registration(world)
    college = world.orgs["college"]
    values = {"name": "新任书记", "mobile": "136 1111 0000"}

    # when he first takes the wrong organisation
    page = browser.get("/login").click("管理员注册")
    page = choose(page, organisation=world.orgs["company"].full_name, code=issued.plain, **values)

    # then he reads the documents' words and keeps what he typed
    assert page.status == 422
    assert "您所填写的管理员注册码不是共青团示例科技有限公司委员会的注册码" in page.text
    assert page.form().values["name"] == "新任书记"

    # when he takes the right one, by its code
    page = choose(page, organisation=college.code)

    # then he sits in it
    assert page.location == "/college/"
    assert college.full_name in page.follow().text
    assert find_by_username("13611110000") is not None


def test_a_name_that_is_not_quite_right_is_answered_with_those_that_come_near(browser: Browser, world: World) -> None:
    page = browser.get("/register")
    values = {"code": "AAAA", "name": "新任书记", "mobile": "13611110000"}
    near = choose(page, organisation="示例科技", **values)
    assert near.status == 422
    assert "没有找到这个组织" in near.text
    assert world.orgs["company"].full_name in near.main
    picked = choose(near, picked=world.orgs["company"].code)
    assert "不是共青团示例科技有限公司委员会的注册码" in picked.text
    far = choose(page, organisation="没有这样的组织", **values)
    assert "请填写组织编码或组织全称" in far.text


@pytest.mark.rule("U-03")
def test_a_number_that_is_taken_or_none_is_refused_at_its_field(browser: Browser, world: World) -> None:
    issued = registration(world)
    page = browser.get("/register")
    values = {"organisation": world.orgs["college"].code, "code": issued.plain, "name": "新任书记"}
    page = choose(page, mobile="123", **values)
    assert "11 位" in page.text
    page = choose(page, mobile=world.graduate.account.mobile or "", **values)
    assert "已有账号" in page.text
    assert 'id="mobile-error"' in page.source


@pytest.mark.rule("PD-02")
def test_somebody_signed_in_adds_the_seat_to_his_own_account(browser: Browser, world: World) -> None:
    # given
    issued = registration(world)
    browser.login(world.graduate.account)

    # when
    page = browser.get("/account").click("增加任职")
    assert "password" not in page.form("/register").names
    page = page.form("/register").submit(organisation=world.orgs["college"].full_name, code=issued.plain)

    # then he acts in it at once, and still has his own page
    assert page.location == "/college/"
    browser.get("/college/")
    assert browser.post("/seats", {"seat": "member"}).location == "/member/"


# ---- slips


def issued_codes(world: World) -> list[IssuedCode]:
    return [activation(world, world.graduate), activation(world, world.classmate)]


@pytest.mark.rule("U-06", "PD-03")
def test_one_code_is_shown_with_the_text_to_pass_on(app: Flask, world: World) -> None:
    [issued, _] = issued_codes(world)
    with app.test_request_context("/branch/", base_url="https://league.example"):
        card = str(code_sheets.code_card(issued))
    assert issued.plain in card
    assert "https://league.example/activate" in card
    assert "只显示这一次" in card
    assert issued.message("https://league.example/activate") in card


@pytest.mark.rule("PD-03")
def test_a_class_is_printed_with_a_qr_code_each(app: Flask, world: World) -> None:
    issued = issued_codes(world)
    with app.test_request_context("/branch/", base_url="https://league.example"):
        page = code_sheets.sheet_page(issued, [("万堃", DomainError("账号已经激活。"))], back="/branch/members")
        link = code_sheets.slip(issued[0])
    assert page.count('<img src="data:image/svg+xml') == 2
    assert link.address == "https://league.example/activate"
    for one in issued:
        assert one.name in page
        assert one.plain in page
    assert "万堃：账号已经激活。" in page
    assert not re.search(r"\sstyle=", page)


@pytest.mark.rule("PD-03")
def test_the_sheet_on_the_screen_is_had_as_a_pdf_by_whoever_made_it(app: Flask, browser: Browser, world: World) -> None:
    # Given a sheet with a code of a class
    page = browser.login(world.accounts["college"]).get("/college/members")
    sheet = page.form("/members/codes", button="生成").submit(member=str(world.graduate.id))
    [plain] = re.findall(r'slip__code">([^<]+)<', sheet.source)
    form = sheet.form("/codes/sheet.pdf")
    # When he asks for it as a PDF, then name and code stand in it
    answer = form.submit()
    words = squeeze("".join(page.extract_text() for page in reader(answer.response.data).pages))
    assert world.graduate.name in words
    assert squeeze(plain) in words
    assert answer.response.headers["Cache-Control"] == "no-store"
    # And nobody else can have anything printed with what he took from there, nor he with what he wrote himself
    other = Browser(app.test_client()).login(world.accounts["class1"])
    for slips in (str(form.values["slips"]), "made-up"):
        refused = other.post("/codes/sheet.pdf", {"slips": slips})
        assert refused.status == 422
        assert "请重新生成代码" in refused.main
