"""An expired session or form returns to the same form with its content after login."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.world import World
from zhtj.kernel.database import db
from zhtj.people.models import Account
from zhtj.people.signing import accounts
from zhtj.web.auth.refill import refill
from zhtj.web.auth.resume import KEPT

GOOD = "山高月小水落石出真好看"
OWN = {"Origin": "http://localhost", "Referer": "http://localhost/account"}
TYPED = {"mobile": "13922223333", "residence": "合肥市“蜀山”区 <b>&", "emergency_name": "丁母", "emergency_phone": "1"}


@pytest.fixture
def account(world: World) -> Account:
    accounts.set_password(world.graduate.account, GOOD)
    db.session.commit()
    return world.graduate.account


@pytest.fixture
def browser(client: FlaskClient, account: Account) -> Browser:
    return Browser(client).login(account)


def send_late(
    browser: Browser,
    path: str = "/account",
    values: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Page:
    """Fill in the form, lose the session, and send it."""
    browser.get("/account")
    browser.client.delete_cookie("session")
    return browser.post(path, values or TYPED, headers={**OWN, **(headers or {})})


def sign_in(page: Page, account: Account) -> Page:
    return page.follow().form("/login").submit(username=account.mobile, password=GOOD).follow()


def test_after_login_the_form_is_as_one_had_left_it(browser: Browser, account: Account) -> None:
    # when
    page = send_late(browser)
    assert page.location == "/login?next=/account"
    page = sign_in(page, account)

    # then everything typed is there, and nothing was changed without one's doing
    assert page.url == "/account"
    assert "已放回表单" in page.text
    values = page.form("/account").values
    assert {name: values[name] for name in TYPED} == TYPED
    db.session.expire_all()
    assert account.mobile != TYPED["mobile"]

    # and once put back it is forgotten
    assert browser.get("/account").form("/account").values["mobile"] == account.mobile


def test_a_mistyped_password_on_the_way_loses_nothing(browser: Browser, account: Account) -> None:
    page = send_late(browser).follow().form("/login").submit(username=account.mobile, password="wrong")
    page = page.form("/login").submit(username=account.mobile, password=GOOD).follow()
    assert page.form("/account").values["residence"] == TYPED["residence"]


def test_with_htmx_too(browser: Browser, account: Account) -> None:
    page = send_late(browser, headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/account"})
    assert (page.status, page.response.headers["HX-Redirect"]) == (401, "/login?next=/account")
    page = sign_in(browser.get(page.response.headers["HX-Redirect"]), account)
    assert page.form("/account").values["residence"] == TYPED["residence"]


def test_passwords_are_not_kept(browser: Browser, account: Account) -> None:
    secrets = {"current": GOOD, "password": "correct horse battery", "again": "correct horse battery"}
    page = sign_in(send_late(browser, "/account/password", secrets), account)
    assert page.url == "/account"
    assert page.form("/account/password").values["password"] == ""


def test_what_is_kept_is_encrypted_and_forgotten_after_half_an_hour(
    browser: Browser, account: Account, clock_at: Any
) -> None:
    page = send_late(browser)
    with browser.client.session_transaction() as kept:
        assert "蜀山" not in str(kept[KEPT])
    clock_at("2026-10-14T09:30")
    page = sign_in(page, account)
    assert page.form("/account").values["mobile"] == account.mobile


@pytest.mark.parametrize("source", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_what_a_foreign_page_sends_is_never_put_into_our_forms(browser: Browser, account: Account, source: str) -> None:
    page = send_late(browser, headers={"Origin": source, "Referer": source})
    assert page.status == 400
    with browser.client.session_transaction() as kept:
        assert KEPT not in kept


def test_a_form_whose_token_has_expired_comes_back_without_a_login(browser: Browser, account: Account) -> None:
    browser.get("/account")
    page = browser.post("/account", {**TYPED, "csrf_token": "stale"}, headers=OWN)
    assert page.location == "/account"
    assert page.follow().form("/account").values["residence"] == TYPED["residence"]


def test_so_does_a_form_that_is_open_to_everybody(client: FlaskClient, world: World) -> None:
    stranger = Browser(client)
    stranger.get("/register")
    values = {"organisation": "340104001", "name": "新任书记", "csrf_token": "stale", "password": GOOD}
    headers = {"Origin": "http://localhost", "Referer": "http://localhost/register"}
    page = stranger.post("/register", values, headers=headers).follow()
    assert page.url == "/register"
    assert page.form("/register").values["name"] == "新任书记"
    assert page.form("/register").values["password"] == ""


def test_an_address_that_only_takes_posts_leads_to_a_page_that_exists(browser: Browser, account: Account) -> None:
    page = send_late(browser, "/seats", {"seat": "member"}, {"Referer": "http://localhost/seats"})
    assert page.location == "/login?next=/"


def test_what_is_too_long_for_the_session_stays_in_the_browsers_own_history(browser: Browser, account: Account) -> None:
    noise = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(4000))
    page = send_late(browser, values={**TYPED, "residence": noise})
    assert page.status == 400
    assert "返回上一页" in page.text


def test_a_session_ended_by_a_new_password_elsewhere_loses_nothing_either(browser: Browser, account: Account) -> None:
    # given a form on the screen, and the password changed on another device
    browser.get("/account")
    accounts.set_password(account, GOOD)
    db.session.commit()

    # when it is sent
    page = browser.post("/account", TYPED, headers=OWN)

    # then
    assert page.location == "/login?next=/account"
    assert sign_in(page, account).form("/account").values["residence"] == TYPED["residence"]


# ---- filling a page in

PAGE = """<!doctype html><form action="/a"><input name="who" value="x"></form>
<details class="confirm"><summary>不同意</summary><form method="post" action="/b">
<input type="hidden" name="csrf_token" value="fresh"><input type="hidden" name="version" value="3">
<input name="who" value="old" aria-label="a &amp; b"><input name="when" type="date">
<input type="checkbox" name="tick" value="1" checked><input type="checkbox" name="tick" value="2">
<input type="radio" name="one" value="a" checked><input type="radio" name="one" value="b">
<select name="ground"><option value="">请选择</option>
<option value="x" selected>甲</option><option value="y">乙</option></select>
<textarea name="remark" rows="3">
before</textarea><input type="password" name="secret"></form></details>
<details><p>other</p></details>"""


def filled(*fields: tuple[str, str]) -> str:
    page, found = refill(PAGE, "/b", fields)
    assert found
    return page


def test_every_kind_of_control_shows_what_was_typed() -> None:
    # when
    page = filled(
        ("who", 'quoted "x" & <y>'), ("when", "2026-10-14"), ("tick", "2"), ("one", "b"), ("ground", "y"),
        ("remark", "</textarea><script>"), ("secret", "s"), ("version", "2"), ("csrf_token", "old"),
    )  # fmt: skip

    # then
    assert '<input name="who" aria-label="a &amp; b" value="quoted &#34;x&#34; &amp; &lt;y&gt;">' in page
    assert '<input name="when" type="date" value="2026-10-14">' in page
    assert '<input type="checkbox" name="tick" value="1">' in page
    assert '<input type="checkbox" name="tick" value="2" checked>' in page
    assert '<input type="radio" name="one" value="a">' in page
    assert '<input type="radio" name="one" value="b" checked>' in page
    assert '<option value="x">甲</option><option value="y" selected>乙</option>' in page
    assert '<textarea name="remark" rows="3">&lt;/textarea&gt;&lt;script&gt;</textarea>' in page


def test_tokens_versions_passwords_and_other_forms_stay_as_they_are() -> None:
    page = filled(("who", "new"), ("secret", "s"), ("version", "2"), ("csrf_token", "old"))
    assert '<input type="hidden" name="csrf_token" value="fresh"><input type="hidden" name="version" value="3">' in page
    assert '<input type="password" name="secret">' in page
    assert '<form action="/a"><input name="who" value="x"></form>' in page


def test_what_the_form_is_folded_into_opens() -> None:
    page = filled(("who", "new"))
    assert '<details class="confirm" open>' in page
    assert "<details><p>other" in page


def test_a_page_without_that_form_stays_as_it_is() -> None:
    assert refill(PAGE, "/c", [("who", "new")]) == (PAGE, False)


def test_of_two_forms_with_one_address_the_one_with_these_fields_is_meant() -> None:
    page = '<form action="/b"><input name="x"></form><form action="/b"><input name="x"><input name="y"></form>'
    assert refill(page, "/b", [("x", "1"), ("y", "2")])[0] == (
        '<form action="/b"><input name="x"></form>'
        '<form action="/b"><input name="x" value="1"><input name="y" value="2"></form>'
    )
