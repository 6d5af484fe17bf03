"""One's own contact data and password, from any seat (U-03)."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.world import RESIDENCE, World
from zhtj.kernel.database import db
from zhtj.people.models import Account
from zhtj.people.signing import accounts

GOOD = "山高月小水落石出真好看"
NEXT = "correct horse battery"


@pytest.fixture
def account(world: World) -> Account:
    accounts.set_password(world.graduate.account, GOOD)
    db.session.commit()
    return world.graduate.account


@pytest.fixture
def browser(client: FlaskClient, account: Account) -> Browser:
    return Browser(client).login(account)


@pytest.mark.rule("U-03")
def test_a_member_changes_his_contact_data_at_once(browser: Browser, world: World) -> None:
    # given what is known of him
    form = browser.get("/account").form("/account")
    assert form.values["mobile"] == world.graduate.account.mobile
    assert form.values["emergency_name"] == "丁大"

    # when
    page = form.submit(mobile="139 2222 3333", residence="合肥市蜀山区", emergency_phone="0551-65550101").follow()

    # then
    assert "联系方式已更新" in page.text
    db.session.expire_all()
    assert world.graduate.account.mobile == "13922223333"
    assert (world.graduate.residence, world.graduate.emergency_phone) == ("合肥市蜀山区", "0551-65550101")


@pytest.mark.rule("U-03")
@pytest.mark.parametrize("mobile", ["", "123"])
def test_the_mobile_number_cannot_be_left_out(browser: Browser, world: World, mobile: str) -> None:
    page = browser.get("/account").form("/account").submit(mobile=mobile, residence="新的住处")
    assert page.status == 422
    assert 'id="mobile-error"' in page.source
    assert page.form("/account").values["residence"] == "新的住处"
    db.session.expire_all()
    assert world.graduate.residence == RESIDENCE


@pytest.mark.rule("U-03")
def test_somebody_elses_number_is_refused(browser: Browser, world: World) -> None:
    page = browser.get("/account").form("/account").submit(mobile=world.classmate.account.mobile)
    assert page.status == 422
    assert "已被其他人使用" in page.text


def test_saving_nothing_new_says_so(browser: Browser) -> None:
    assert "没有改动" in browser.get("/account").form("/account").submit().follow().text


def test_an_administrator_has_a_number_but_no_members_data(client: FlaskClient, world: World) -> None:
    browser = Browser(client).login(world.accounts["university"])
    form = browser.get("/account").form("/account")
    assert form.names == {"csrf_token", "mobile"}
    assert form.submit(mobile="13922223333").status == 303


def test_the_own_id_number_is_masked(browser: Browser, account: Account) -> None:
    page = browser.get("/account")
    assert (account.id_number or "") not in page.source
    assert "***" in page.main


def test_a_new_password_ends_all_other_sessions_but_not_this_one(
    browser: Browser, app: Flask, account: Account
) -> None:
    # given a second device
    other = Browser(app.test_client()).login(account)
    assert other.get("/account").status == 200

    # when
    form = browser.get("/account").form("/account/password")
    page = form.submit(current=GOOD, password=NEXT, again=NEXT).follow()

    # then
    assert "密码已修改" in page.text
    assert other.get("/account").status == 303
    assert Browser(app.test_client()).sign_in(account.mobile or "", NEXT).status == 303


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("wrong", NEXT, NEXT), "current"),
        ((GOOD, "1234567890", "1234567890"), "password"),
        ((GOOD, NEXT, "another"), "again"),
        (("", NEXT, NEXT), "current"),
    ],
)
def test_what_is_wrong_stands_at_its_field(browser: Browser, typed: tuple[str, str, str], field: str) -> None:
    form = browser.get("/account").form("/account/password")
    current, password, again = typed
    page = form.submit(current=current, password=password, again=again)
    assert page.status == 422
    assert f'id="{field}-error"' in page.source
    for secret in filter(None, typed):
        assert f'value="{secret}"' not in page.source


def test_without_signing_in_there_is_no_account(client: FlaskClient, world: World) -> None:
    stranger = Browser(client)
    assert stranger.get("/account").location.startswith("/login")
    assert stranger.post("/account", {"mobile": "13922223333"}).location.startswith("/login")
    assert stranger.post("/account/password", {"current": GOOD}).location.startswith("/login")
