"""The way in and out, and the seats (PD-02, PD-04)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.world import World
from zhtj.kernel.database import db, unit_of_work
from zhtj.people import operations as people
from zhtj.people import queries
from zhtj.people.models import Account, Post
from zhtj.people.signing import accounts
from zhtj.web.auth import sign_in, visitor

GOOD = "山高月小水落石出真好看"
WRONG = "correct horse battery"


@pytest.fixture
def account(world: World) -> Account:
    accounts.set_password(world.graduate.account, GOOD)
    db.session.commit()
    return world.graduate.account


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def name_of(account: Account) -> str:
    return account.mobile or ""


@pytest.mark.rule("PD-04")
@pytest.mark.parametrize("by", ["mobile", "id_number"])
def test_signing_in_leads_to_the_workbench(browser: Browser, account: Account, by: str) -> None:
    page = browser.sign_in(getattr(account, by), GOOD)
    assert (page.status, page.location) == (303, "/member/")


@pytest.mark.rule("PD-04")
def test_a_failure_keeps_the_name_and_says_nothing_about_either_half(browser: Browser, account: Account) -> None:
    # when
    known = browser.sign_in(name_of(account), WRONG)
    unknown = browser.sign_in("13999999999", WRONG)

    # then
    assert known.status == unknown.status == 422
    assert known.text == unknown.text
    assert "账号或密码不正确" in known.text
    assert known.form("/login").values["username"] == name_of(account)
    assert WRONG not in known.source


@pytest.mark.rule("PD-04")
def test_a_lock_says_until_when_and_answers_429(browser: Browser, account: Account, clock_at: Any) -> None:
    for minute in range(8):
        clock_at(f"2026-10-14T09:0{minute}")
        page = browser.sign_in(name_of(account), WRONG)
    assert "09:22 以后再试" in page.text
    assert (page.status, page.response.headers["Retry-After"]) == (429, "900")
    assert browser.sign_in(name_of(account), GOOD).status == 429
    clock_at("2026-10-14T09:22")
    assert browser.sign_in(name_of(account), GOOD).status == 303


def test_empty_fields_are_named(browser: Browser, account: Account) -> None:
    page = browser.sign_in("", "")
    assert page.status == 422
    assert "请填写身份证号码或手机号码" in page.text
    assert "请填写密码" in page.text


def test_without_the_token_nothing_happens(browser: Browser, account: Account) -> None:
    values = {"username": name_of(account), "password": GOOD}
    assert browser.post("/login", values, token=False).status == 400


def test_one_returns_to_where_one_wanted_to_go(browser: Browser, account: Account) -> None:
    page = browser.get("/account?part=2").follow()
    assert page.url.startswith("/login")
    page = page.form("/login").submit(username="", password="")
    page = page.form("/login").submit(username=name_of(account), password=GOOD)
    assert page.location == "/account?part=2"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/login",
        "/logout",
        "account",
        "",
    ],
)
def test_but_never_to_a_foreign_address(browser: Browser, account: Account, target: str) -> None:
    page = browser.post("/login", {"username": name_of(account), "password": GOOD, "next": target})
    assert page.location == "/member/"


def test_own_addresses_are_recognised() -> None:
    assert visitor.own_address("/branch/members?q=%E4%B8%81&after=3") == "/branch/members?q=%E4%B8%81&after=3"
    assert visitor.own_address("/help/#x") == "/help/#x"
    assert visitor.own_address(None) == ""


def test_whoever_is_signed_in_is_sent_on(browser: Browser, account: Account) -> None:
    browser.login(account)
    assert browser.get("/login").location == "/member/"
    assert browser.get("/login?next=/account").location == "/account"


def test_signing_out_ends_the_session(browser: Browser, account: Account) -> None:
    browser.login(account).get("/account")
    page = browser.post("/logout").follow()
    assert "您已退出登录" in page.text
    assert browser.get("/account").location.startswith("/login")
    assert browser.get("/logout").status == 405


def test_htmx_is_told_to_leave_for_the_login_page(browser: Browser) -> None:
    page = browser.get("/account", htmx=True)
    assert (page.status, page.response.headers["HX-Redirect"]) == (401, "/login?next=/account")


def test_a_new_session_begins_with_the_login(browser: Browser, account: Account) -> None:
    # given something somebody else left in the session, such as his seat
    with browser.client.session_transaction() as kept:
        kept["seat"] = "999"
    browser.sign_in(name_of(account), GOOD)
    with browser.client.session_transaction() as kept:
        assert "seat" not in kept


# ---- seats


@pytest.fixture
def busy(world: World, account: Account) -> Account:
    """A student who also is deputy of his college and administrator of his class."""
    with unit_of_work():
        people.start_seat(account, world.orgs["college"], Post.DEPUTY)
        people.start_seat(account, world.orgs["class1"], Post.ADMINISTRATOR)
    return account


@pytest.mark.rule("PD-02")
def test_one_switches_between_all_ones_seats(browser: Browser, busy: Account) -> None:
    # given: the highest seat is taken first
    assert browser.sign_in(name_of(busy), GOOD).location == "/college/"
    page = browser.get("/account")

    # then each button leads to the workbench of its seat
    buttons = {
        element.get("value"): "".join(element.itertext())
        for element in page.document.iter("button")
        if element.get("name") == "seat"
    }
    assert len(buttons) == 3
    for key, text in buttons.items():
        home = "/college/" if "计算机学院" in text else "/member/" if key == "member" else "/branch/"
        assert browser.post("/seats", {"seat": key}).location == home


@pytest.mark.rule("PD-02")
def test_every_request_is_judged_by_the_active_seat_alone(browser: Browser, busy: Account) -> None:
    # given the college's seat is active
    browser.sign_in(name_of(busy), GOOD).follow()
    assert browser.get("/college/").status == 200
    assert browser.get("/member/").status == 403
    assert browser.get("/branch/").status == 403

    # when he sits down as a member
    browser.post("/seats", {"seat": "member"})

    # then what the college may do is closed to him, although he still has that seat
    assert browser.get("/college/").status == 403
    assert browser.get("/member/").status == 200


@pytest.mark.rule("PD-02")
def test_nobody_takes_a_seat_that_is_not_his(browser: Browser, world: World, busy: Account) -> None:
    browser.sign_in(name_of(busy), GOOD).follow()
    with unit_of_work():
        foreign = people.start_seat(world.classmate.account, world.orgs["class2"], Post.DEPUTY).id
    for key in (str(foreign), "0", "", "school"):
        assert browser.post("/seats", {"seat": key}).status == 404
    assert browser.get("/college/").status == 200


@pytest.mark.rule("PD-02")
def test_a_seat_that_has_ended_is_no_longer_acted_in(browser: Browser, world: World, busy: Account) -> None:
    browser.sign_in(name_of(busy), GOOD).follow()
    browser.get("/college/")
    with unit_of_work():
        for seat in people_posts(world, "college", busy):
            people.end_seat(seat, "left")
    assert browser.get("/college/").status == 403
    assert browser.get("/branch/").status == 200


def people_posts(world: World, key: str, account: Account):
    return [seat for seat in queries.posts(world.orgs[key]) if seat.account_id == account.id]


@pytest.mark.rule("PD-02")
def test_somebody_without_any_seat_sees_his_account_and_the_way_out(browser: Browser, world: World) -> None:
    # given a secretary whose only post has ended
    account = world.accounts["company"]
    with unit_of_work():
        accounts.set_password(account, GOOD)
        for seat in people_posts(world, "company", account):
            people.end_seat(seat, "left")

    # then
    page = browser.sign_in(name_of(account), GOOD).follow()
    assert page.url == "/account"
    assert "目前没有任职" in page.text
    assert browser.get("/school/").status == 403
    assert page.form("/logout").submit().location == "/login"


# ---- demonstration


def test_accounts_to_try_are_listed_in_demonstration_mode_only(
    browser: Browser, app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    assert "演示账号" not in browser.get("/login").text
    row = {
        "role": "member",
        "username": name_of(account),
        "password": GOOD,
        "organisation": "软工1班团支部",
        "organisation_code": "x",
    }
    demo = {"团员": [row]}
    monkeypatch.setattr(sign_in, "_demo_accounts", lambda: demo)

    # when one of them is clicked on
    page = browser.get("/login?next=/account")
    assert "演示账号" in page.text
    page = page.form(button="用此账号登录").submit()

    # then one is in, without typing anything, where one wanted to go
    assert page.location == "/account"
