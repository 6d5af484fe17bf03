"""The inbox: badge, list, one message, read state, addresses of the digest; with and without an administrator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.notices import inboxes
from tests.notices.receivers import MailReceiver
from tests.statements import statements
from tests.transfers.steps import UNPLACED, apply
from tests.world import World
from zhtj import sweeps
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.work import outgoing
from zhtj.notices import operations, queries
from zhtj.notices.models import Message, MessageKind, Subscription
from zhtj.notices.operations import NewMessage


def fill(world: World, key: str, number: int) -> None:
    """That many messages for an organisation."""
    with unit_of_work():
        operations.send_many(
            NewMessage(MessageKind.NOTE, f"通知{count}", f"通知{count}的全文。", org_id=world.orgs[key].id)
            for count in range(number)
        )


@pytest.fixture
def team(world: World, client: FlaskClient) -> Browser:
    """The secretary of the company's branch."""
    return Browser(client).login(world.accounts["team"])


def test_the_badge_counts_what_is_unread_on_every_page(world: World, team: Browser) -> None:
    assert "条未读" not in team.get("/branch/").text
    fill(world, "team", 3)
    assert "消息3 条未读" in team.get("/branch/members").text.replace("\n", "")
    fill(world, "team", 120)
    assert "99+ 条未读" in team.get("/branch/").text


def test_the_badge_costs_one_query_that_stops_at_a_hundred(world: World) -> None:
    fill(world, "team", 150)
    assert queries.count_unread(world.seat("team")) == 100


def test_the_list_is_newest_first_and_leads_to_the_whole_text(world: World, team: Browser) -> None:
    # Given an application that waits for the branch
    application = apply(world, world.graduate, "team")
    page = team.get("/branch/messages")
    assert "请办理：丁一的转接申请（待转入方审批）" in page.main
    assert "未读" in page.main
    # When its message is opened
    page = page.click("请办理：丁一")
    # Then the whole text stands there, selected by one tap, with the way to the application
    assert "丁一的组织关系转接申请（软工1班团支部 → 研发团支部）已提交" in page.main
    assert 'class="copy"' in page.source
    assert page.links()["查看申请"] == f"/branch/applications/{application.id}"
    assert page.click("查看申请").status == 200
    # And it is read, by him
    (message,) = inboxes.of(world, "team")
    assert message.read_by_account_id == world.accounts["team"].id
    assert "条未读" not in team.get("/branch/").text


def test_a_browser_that_looks_ahead_reads_nothing(world: World, team: Browser) -> None:
    fill(world, "team", 1)
    (message,) = inboxes.of(world, "team")
    assert team.get(f"/branch/messages/{message.id}", headers={"Sec-Purpose": "prefetch"}).status == 200
    assert inboxes.of(world, "team")[0].read_at is None


def test_the_list_is_paged_filtered_and_empty(world: World, team: Browser) -> None:
    assert "还没有消息" in team.get("/branch/messages").main
    fill(world, "team", 45)
    apply(world, world.graduate, "team")
    page = team.get("/branch/messages")
    assert page.main.count("其他通知") == 20  # nineteen lines, and the option of the filter
    second = page.click("下一页")
    assert "通知25" in second.main
    assert "通知26" not in second.main
    third = second.click("下一页")
    assert "通知0" in third.main
    assert "通知25" in third.click("上一页").main
    # By kind
    page = page.form("/branch/messages").submit(kind="task")
    assert "请办理：丁一" in page.main
    assert "通知4" not in page.main
    # Unread only
    page.click("请办理：丁一")
    assert "没有未读消息" in team.get("/branch/messages?kind=task&show=unread").main
    assert "通知44" in team.get("/branch/messages?show=unread").main
    assert team.get("/branch/messages?kind=nonsense&show=x").status == 200


def test_all_is_marked_read_but_what_came_in_meanwhile(world: World, team: Browser) -> None:
    fill(world, "team", 25)
    page = team.get("/branch/messages")
    fill(world, "team", 1)
    page = page.form("/messages/read").submit().follow()
    assert "已将 25 条消息标为已读" in page.text
    assert [one.read_at is None for one in inboxes.of(world, "team")] == [True] + [False] * 19
    # A kind by itself, when the list is narrowed to it
    apply(world, world.graduate, "team")
    page = team.get("/branch/messages?kind=task").form("/messages/read").submit().follow()
    assert "已将 1 条消息标为已读" in page.text
    assert team.post("/branch/messages/read", {"up_to": "9" * 30}).status == 303
    assert queries.count_unread(world.seat("team")) == 0
    assert team.post("/branch/messages/read", {"up_to": "x"}).status == 303


@pytest.mark.rule("PD-22")
def test_the_office_reads_for_an_organisation_without_administrator(world: World, client: FlaskClient) -> None:
    apply(world, world.graduate, "floating", **UNPLACED)
    browser = Browser(client).login(world.accounts["township"])
    page = browser.get("/school/messages")
    assert "致井岗镇流动团员团支部" in page.main
    page = page.click("请办理：丁一")
    assert "该组织没有管理员，由本组织代为办理" in page.main
    assert page.click("查看申请").status == 200


def test_two_of_one_office_see_who_has_read_it(world: World, client: FlaskClient) -> None:
    fill(world, "team", 1)
    first, seat = world.accounts["team"], world.seat("team")
    with unit_of_work():
        second = world.appoint("team")
    (message,) = inboxes.of(world, "team")
    with unit_of_work():
        operations.mark_read(session.get_one(Message, message.id), seat)
    page = Browser(client).login(second).get(f"/branch/messages/{message.id}")
    assert f"{first.name}已在 10月14日 09:00 阅读" in page.main


def test_a_member_reads_his_own_and_nobody_else_s(world: World, client: FlaskClient) -> None:
    apply(world, world.graduate, "team")
    apply(world, world.classmate, "team")
    browser = Browser(client).login(world.graduate.account)
    page = browser.get("/member/messages")
    assert page.main.count("转接申请已提交") == 1
    assert "未读" not in page.main.replace("未读\n", "", 1)  # the filter's option alone
    page = page.click("转接申请已提交")
    assert "您的组织关系转接申请" in page.main
    assert page.click("查看申请").status == 200
    (other,) = inboxes.of_member(world, world.classmate)
    assert browser.get(f"/member/messages/{other.id}").status == 404
    (foreign,) = session.scalars(select(Message.id).where(Message.org_id == world.orgs["class1"].id).limit(1))
    assert browser.get(f"/member/messages/{foreign}").status == 404


def test_a_reminder_leads_to_what_waits(world: World, team: Browser, clock_at: Any) -> None:
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    clock_at("2026-10-06T08:00")
    sweeps.run("remind")
    page = team.get("/branch/messages").click("待办提醒：1 件等待办理")
    assert page.links()["去办理"] == "/branch/waiting"


@pytest.fixture
def mail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailReceiver]:
    """A mail server the application knows."""
    receiver = MailReceiver()
    monkeypatch.setitem(app.config, "ZHTJ", replace(app.config["ZHTJ"], mail=outgoing.mail_server(receiver.url)))
    with receiver.up():
        yield receiver


@pytest.mark.rule("PD-19")
def test_an_address_gets_digests_once_its_code_is_typed_in(
    world: World, client: FlaskClient, mail: MailReceiver, clock_at: Any
) -> None:
    browser = Browser(client).login(world.accounts["team"])
    # When an address is added
    page = browser.get("/branch/messages").click("邮件提醒")
    page = page.form("/messages/addresses").submit(address="team@example.com").follow()
    assert "验证码正在发往 team@example.com" in page.text
    assert "待验证" in page.main
    sweeps.run("deliver")
    code = re.search(r"\d{8}", mail.letters[0].get_content())[0]
    # Then a wrong code is refused where it was typed
    wrong = page.form("/confirm").submit(code="00000000")
    assert wrong.status == 422
    assert "验证码不对" in wrong.main
    # And the right one opens it
    page = page.form("/confirm").submit(code=f"{code[:4]} {code[4:]}").follow()
    assert "接收中" in page.main
    clock_at("2026-10-14T10:00")
    apply(world, world.graduate, "team")
    clock_at("2026-10-15T08:00")
    sweeps.run("remind")
    sweeps.run("deliver")
    assert [letter["Subject"] for letter in mail.letters][1:] == [inboxes.of(world, "team")[0].title]
    page = browser.get("/branch/messages/addresses")
    assert "已送达" in page.main
    # And it can be taken off again
    page = page.form("/remove").submit().follow()
    assert "不再向 team@example.com 发送提醒" in page.text
    assert session.scalars(select(Subscription)).all() == []


@pytest.mark.parametrize(
    "typed", ["", "team", "team@example", "a b@example.com", "a@example.com\nb@example.com", "团@例子.com"]
)
def test_what_is_no_address_is_said_and_kept(world: World, client: FlaskClient, mail: MailReceiver, typed: str) -> None:
    browser = Browser(client).login(world.accounts["team"])
    page = browser.get("/branch/messages/addresses").form("/addresses").submit(address=typed)
    assert page.status == 422
    assert "这不是完整的邮箱地址" in page.main
    if typed.isascii() and typed and "\n" not in typed:
        assert f'value="{typed}"' in page.source


def test_an_address_twice_too_many_and_too_often(world: World, client: FlaskClient, mail: MailReceiver) -> None:
    browser = Browser(client).login(world.accounts["team"])
    page = browser.get("/branch/messages/addresses")
    for number in range(5):
        page = page.form("/addresses").submit(address=f"a{number}@example.com").follow()
    # Asked again, an address that is not confirmed gets a new code
    page = page.form("/addresses").submit(address="A0@example.com").follow()
    assert page.main.count("待验证") == 5
    full = page.form("/addresses").submit(address="b@example.com")
    assert "最多填写 5 个邮箱" in full.main
    for _ in range(3):
        page.form("/addresses").submit(address="b@example.com")
    late = page.form("/addresses").submit(address="b@example.com")
    assert late.status == 429
    assert late.response.headers["Retry-After"]
    # Confirmed ones are not asked again
    (first, *_) = session.scalars(select(Subscription).order_by(Subscription.id)).all()
    with unit_of_work():
        one = session.get_one(Subscription, first.id)
        with pytest.raises(Exception, match="验证码不对"):
            operations.confirm(one, "1")
        one.code_hash, one.confirmed_at = None, one.created_at
        operations.confirm(one, "whatever")


def test_without_a_mail_server_the_page_says_so(world: World, team: Browser) -> None:
    page = team.get("/branch/messages/addresses")
    assert "本系统没有开通邮件" in page.main
    assert not page.has_form("/addresses")
    assert team.post("/branch/messages/addresses", {"address": "a@example.com"}).status == 422


def test_nobody_touches_the_addresses_of_another_organisation(
    world: World, client: FlaskClient, mail: MailReceiver
) -> None:
    Browser(client).login(world.accounts["team"]).post("/branch/messages/addresses", {"address": "a@example.com"})
    (one,) = session.scalars(select(Subscription)).all()
    browser = Browser(client).login(world.accounts["class1"])
    for what in ("confirm", "remove"):
        assert browser.post(f"/branch/messages/addresses/{one.id}/{what}", {"code": "1"}).status == 404


def test_a_page_asks_for_its_badges_once_and_a_fragment_never(world: World, team: Browser) -> None:
    application = apply(world, world.graduate, "team")
    with statements() as of_page:
        team.get("/branch/")
    with statements() as of_fragment:
        team.get(f"/branch/applications/{application.id}/refuse", htmx=True)
    assert [_counts(of_page), _counts(of_fragment)] == [1, 0]


def _counts(seen: list[str]) -> int:
    """How often it was counted what waits and what is unread: together."""
    return sum("count(*)" in one and "messages" in one and "applications" in one for one in seen)
