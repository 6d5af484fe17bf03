"""What stands open to everybody: the way in, health, figures, help, the check of a letter - and every refusal."""

from __future__ import annotations

import contextvars
import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import services
from tests.browsing import Browser
from tests.conftest import KEY
from tests.guards.town import PAPERS
from tests.transfers.steps import apply
from tests.world import World
from zhtj.config import HTMX_URL
from zhtj.factory import create_app
from zhtj.kernel import audit, settings
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.work.queue import EXTENSION
from zhtj.letters import operations as letters
from zhtj.letters.models import Letter
from zhtj.people import operations as people

TOKEN = r'(?<="X-CSRFToken": ")[^"]+|(?<=name="csrf_token" value=")[^"]+'
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


# ---- the way in ----


def test_the_first_address_leads_a_stranger_to_the_login_page(browser: Browser) -> None:
    page = browser.get("/")
    assert (page.status, page.location) == (302, "/login")


@pytest.mark.rule("PD-01")
@pytest.mark.parametrize(
    ("key", "home"),
    [("class1", "/branch/"), ("college", "/college/"), ("university", "/school/"), ("township", "/school/"),
     ("county", "/provincial/"), ("province", "/provincial/")],
)  # fmt: skip
def test_the_first_address_leads_everybody_to_his_workbench(
    world: World, browser: Browser, key: str, home: str
) -> None:
    page = browser.login(world.accounts[key]).get("/")
    assert page.location == home
    assert page.follow().status == 200


def test_a_member_comes_to_his_own_page_and_somebody_without_a_seat_to_his_account(
    world: World, client: FlaskClient, app: Flask
) -> None:
    assert Browser(client).login(world.graduate.account).get("/").location == "/member/"
    with unit_of_work():
        nobody = people.create_account("无任职", mobile="13900009999")
        nobody.activated_at = world.graduate.account.activated_at
    page = Browser(app.test_client()).login(nobody).get("/")
    assert page.location == "/account"
    assert page.follow().status == 200


# ---- health and figures ----


def broken_installation(tmp_path, **more: str) -> Flask:
    """An application whose database and queue are not there."""
    variables = {
        "ZHTJ_ENV": "test",
        "ZHTJ_INSTANCE": str(tmp_path),
        "ZHTJ_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "ZHTJ_REDIS_URL": f"unix://{tmp_path / 'none.sock'}",
        "ZHTJ_SECRET_KEY": "test",
        "ZHTJ_DATA_KEYS": KEY,
    }
    return create_app(variables | more)


def test_a_process_is_alive_even_if_everything_around_it_is_down(tmp_path) -> None:
    answer = broken_installation(tmp_path).test_client().get("/healthz")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")


@pytest.mark.slow("builds the application anew")
def test_it_is_not_ready_without_database_and_queue_and_says_which(tmp_path) -> None:
    answer = broken_installation(tmp_path).test_client().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "database\nqueue\n")


def test_it_is_ready_with_both_and_not_when_the_queue_goes_down(app: Flask, client: FlaskClient, tmp_path) -> None:
    kept = app.config["ZHTJ"], app.extensions.pop(EXTENSION, None)
    try:
        with services.redis_url() as url:
            app.config["ZHTJ"] = replace(kept[0], redis_url=url)
            answer = client.get("/readyz")
            assert (answer.status_code, answer.text) == (200, "ok\n")
        app.extensions.pop(EXTENSION).close()
        app.config["ZHTJ"] = replace(kept[0], redis_url=f"unix://{tmp_path / 'none.sock'}")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "queue\n")
    finally:
        app.config["ZHTJ"] = kept[0]
        app.extensions.pop(EXTENSION, None)
        if kept[1] is not None:
            app.extensions[EXTENSION] = kept[1]


@pytest.mark.slow("builds the application anew")
def test_a_page_without_a_database_is_an_error_page_and_no_traceback(tmp_path) -> None:
    answer = broken_installation(tmp_path).test_client().get("/v/ABCD")
    assert answer.status_code == 500
    assert "系统出错" in answer.text
    assert "Traceback" not in answer.text
    assert "psycopg" not in answer.text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.8.8"])
def test_figures_are_told_to_this_machine(client: FlaskClient, address: str) -> None:
    client.get("/help/")
    answer = client.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert 'zhtj_requests_total{endpoint="public.help_page",status="200"}' in answer.text


@pytest.mark.parametrize("address", ["10.0.0.7", "203.0.113.9", "2001:db8::1"])
def test_figures_are_not_told_to_anybody_else(client: FlaskClient, address: str) -> None:
    answer = client.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 404
    assert "zhtj_requests" not in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_nor_are_they_through_a_proxy_on_this_machine(client: FlaskClient, header: str) -> None:
    assert client.get("/metrics", headers={header: "203.0.113.9"}).status_code == 404


def test_unknown_addresses_do_not_fill_the_figures(client: FlaskClient) -> None:
    for number in range(3):
        client.get(f"/nowhere-{number}")
    figures = client.get("/metrics").text
    assert 'endpoint="none",status="404"' in figures
    assert "nowhere" not in figures


# ---- help ----


@pytest.mark.rule("H-01")
def test_help_is_open_before_login(browser: Browser) -> None:
    page = browser.get("/help/")
    assert page.status == 200
    assert "我是毕业生团员" in page.main
    assert browser.get("/login").links()["帮助"] == "/help/"


@pytest.mark.rule("PD-62", "PD-61")
def test_help_speaks_of_the_edition_in_force_and_of_its_days(browser: Browser, policy: Any) -> None:
    page = browser.get("/help/")

    assert "《毕业生团员团组织关系转接工作指引》（4.0 版，2022 年 5 月）" in page.main
    assert "经常居住地就在附近的，转到居住地也一样" in page.main
    assert "首选转到经常居住地" in page.main
    assert "10月1日起开始计时，满 10 天" in page.main

    policy("2020-college", auto_return_days=7)
    page = browser.get("/help/")
    assert "第一版 2020年" in page.main
    assert "某学院" not in page.main  # who asks nothing belongs to no school
    assert "居住地、户籍所在地或生源地" in page.main
    assert "5月1日起开始计时，满 7 天" in page.main


@pytest.mark.rule("PD-62")
def test_help_says_that_no_diploma_hangs_on_a_transfer(browser: Browser) -> None:
    assert "谁也不能以没有转接、没有登记去向为由扣发证书" in browser.get("/help/").main


# ---- the check of a letter ----


@pytest.fixture
def letter(world: World) -> Letter:
    with unit_of_work():
        for key in ("university", "company"):
            org = session.merge(world.orgs[key])
            org.phone, org.address, org.postcode = "0551-65500000", "示范路1号", "230031"
    application = apply(world, world.graduate, "company")
    seat = world.seat("university")
    with audit.acting(seat), unit_of_work():
        session.refresh(application)
        return letters.issue(application, seat, PAPERS)


@pytest.mark.rule("PD-29")
def test_a_letter_is_checked_without_login_and_tells_no_more_than_needed(
    world: World, browser: Browser, letter: Letter
) -> None:
    page = browser.get(f"/v/{letter.code}")
    assert page.status == 200
    for told in (letter.record.serial, "丁*", letter.record.issuer, letter.record.receiver, "有效"):
        assert told in page.main
    account = world.graduate.account
    for kept in (
        "丁一",
        account.id_number,
        account.mobile,
        world.graduate.dev_number,
        world.accounts["university"].name,
    ):
        assert kept not in page.source


def test_an_unknown_code_reveals_nothing(browser: Browser, letter: Letter) -> None:
    nearly = letter.code[:-1] + ("A" if letter.code[-1] != "A" else "B")
    answers = [browser.get(f"/v/{code}") for code in (nearly, "x", "0" * 200, "' OR 1=1 --")]
    assert {page.status for page in answers} == {404}
    assert len({page.main for page in answers}) == 1
    assert "没有这封介绍信" in answers[0].main
    assert letter.record.issuer not in answers[0].source


def test_codes_cannot_be_tried_one_after_another(browser: Browser, world: World) -> None:
    del world
    statuses = [browser.get(f"/v/try-{number}").status for number in range(61)]
    assert set(statuses[:60]) == {404}
    refused = browser.get("/v/one-more")
    assert statuses[60] == refused.status == 429
    assert int(refused.response.headers["Retry-After"]) > 0


# ---- headers ----


EVERY_SORT: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/login", {}),
    ("GET", "/", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/nowhere", HTMX),
    ("GET", "/help/?q=%00", {}),
    ("DELETE", "/help/", {}),
    ("POST", "/login", {}),
    ("GET", "/healthz", {}),
    ("GET", "/metrics", {}),
    ("GET", "/member/", {}),
    ("GET", "/static/zhtj.000000000000.css", {}),
    ("OPTIONS", "/login", {}),
    ("HEAD", "/login", {}),
)


def test_every_answer_carries_the_headers_that_protect(client: FlaskClient) -> None:
    seen = set()
    for method, address, headers in EVERY_SORT:
        # As on a real server, in a context of its own
        answer = contextvars.Context().run(client.open, address, method=method, headers=headers)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        seen.add(answer.headers["X-Request-Id"])
    assert len(seen) == len(EVERY_SORT)


def test_scripts_come_from_the_one_address_and_with_their_checksum(browser: Browser) -> None:
    page = browser.get("/login")
    scripts = list(page.document.iter("script"))
    assert [script.get("src") for script in scripts] == [HTMX_URL]
    assert (scripts[0].get("integrity") or "").startswith("sha384-")
    host = HTMX_URL.split("/npm/")[0]
    assert f"script-src {host};" in page.response.headers["Content-Security-Policy"]


def test_pages_are_kept_nowhere_and_the_stylesheet_for_long(browser: Browser, world: World) -> None:
    for page in (browser.get("/login"), browser.login(world.graduate.account).get("/member/")):
        assert page.response.headers["Cache-Control"] == "no-store"
        assert {"HX-Request", "HX-Request-Type"} <= set(page.response.vary)
    sheet = next(link.get("href") for link in page.document.iter("link") if link.get("rel") == "stylesheet")
    assert "immutable" in browser.get(str(sheet)).response.headers["Cache-Control"]
    assert "immutable" not in browser.get("/static/zhtj.000000000000.css").response.headers["Cache-Control"]


def test_the_session_is_out_of_reach_of_scripts_and_other_sites(browser: Browser, tmp_path) -> None:
    cookie = browser.get("/login").response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    production = broken_installation(tmp_path, ZHTJ_ENV="production", ZHTJ_DATABASE_URL=f"sqlite:///{tmp_path}/x.db")
    assert "Secure" in production.test_client().get("/login").headers["Set-Cookie"]


def test_the_gallery_is_no_part_of_production(tmp_path) -> None:
    production = broken_installation(tmp_path, ZHTJ_ENV="production", ZHTJ_DATABASE_URL=f"sqlite:///{tmp_path}/x.db")
    assert not [rule for rule in production.url_map.iter_rules() if rule.rule.startswith("/_components")]


# ---- refusals ----


@pytest.mark.parametrize("token", [None, "", "tampered", "IjEi.x.y"])
def test_a_form_without_its_token_is_a_400_page(browser: Browser, token: str | None) -> None:
    browser.get("/login")
    data = {"username": "13800000001", "password": "x"} | ({} if token is None else {"csrf_token": token})
    page = browser.post("/login", data, token=False)
    assert page.status == 400
    assert "这张表单已经过期" in page.main


def test_a_token_does_not_outlive_its_hour(browser: Browser, world: World, monkeypatch) -> None:
    del world
    form = browser.get("/login").form("/login")
    monkeypatch.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda _: 2**33)
    assert form.submit(username="13800000001", password="x").status == 400


def test_a_form_of_another_session_is_refused(app: Flask, browser: Browser) -> None:
    other = Browser(app.test_client())
    other.get("/login")
    browser.get("/login")
    page = browser.post("/login", {"username": "x", "password": "y", "csrf_token": other.token}, token=False)
    assert page.status == 400


def test_an_expired_form_is_a_notice_for_htmx(client: FlaskClient) -> None:
    answer = client.post("/login", headers=HTMX)
    assert answer.status_code == 400
    assert answer.headers["HX-Retarget"] == "#messages"
    assert "<html" not in answer.text


def test_an_unknown_address_is_a_page_for_strangers_and_for_those_inside(world: World, browser: Browser) -> None:
    strange = browser.get("/nowhere/at/all")
    inside = browser.login(world.accounts["university"]).get("/school/nowhere")
    for page in (strange, inside):
        assert page.status == 404
        assert "没有找到" in page.main
        assert page.response.headers["X-Request-Id"] in page.text
    assert "工作台" in inside.text


def test_an_address_outside_one_s_part_of_the_tree_reads_like_one_that_does_not_exist(
    world: World, browser: Browser
) -> None:
    browser.login(world.accounts["team"])
    foreign = browser.get(f"/branch/members/{world.sophomore.id}")
    missing = browser.get("/branch/members/2147483647")
    assert foreign.status == missing.status == 404
    texts = [
        re.sub(TOKEN, "", page.source.replace(page.response.headers["X-Request-Id"], "")) for page in (foreign, missing)
    ]
    assert texts[0] == texts[1]


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.delete("/login")
    assert answer.status_code in {400, 405}
    answer = client.get("/logout")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "OPTIONS, POST"
    assert "这个地址不接受这样的操作" in answer.text


def test_a_file_beyond_the_limit_is_refused_as_a_page(world: World, browser: Browser, app: Flask) -> None:
    browser.login(world.accounts["university"]).get("/school/")
    app.config["MAX_CONTENT_LENGTH"], limit = 1000, app.config["MAX_CONTENT_LENGTH"]
    try:
        file = (BytesIO(b"x" * 5000), "roster.xlsx")
        page = browser.post("/school/imports/members", {"file": file})
    finally:
        app.config["MAX_CONTENT_LENGTH"] = limit
    assert page.status == 413
    assert "文件太大" in page.main


def test_a_crash_is_a_page_with_the_number_of_the_request_and_nothing_else(
    app: Flask, browser: Browser, monkeypatch, caplog
) -> None:
    def crash() -> str:
        raise RuntimeError("secret detail")

    monkeypatch.setitem(app.view_functions, "public.help_page", crash)
    page = browser.get("/help/")
    assert page.status == 500
    assert "系统出错" in page.main
    assert page.response.headers["X-Request-Id"] in page.text
    assert "secret detail" not in page.source
    assert "secret detail" in caplog.text
    assert browser.get("/help/", htmx=True).response.headers["HX-Retarget"] == "#messages"


def test_what_was_written_before_a_crash_is_undone(app: Flask, world: World, browser: Browser, monkeypatch) -> None:
    def crash() -> str:
        with unit_of_work():
            settings.put("half", "done")
            raise RuntimeError

    monkeypatch.setitem(app.view_functions, "public.help_page", crash)
    del world
    assert browser.get("/help/").status == 500
    assert settings.get("half") == ""
