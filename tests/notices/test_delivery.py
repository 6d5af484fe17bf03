"""Letters leave by mail and robot: once each, however long the receiver is away and whoever dies on the way (PD-36)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.notices.receivers import MailReceiver, Robot
from zhtj import sweeps
from zhtj.config import ROOT, ConfigError, load
from zhtj.kernel import clock
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.work import outgoing
from zhtj.notices import delivery, outbox
from zhtj.notices.delivery import cut
from zhtj.notices.models import Channel, Outbox

Move = Callable[[str], None]


@pytest.fixture
def mail() -> MailReceiver:
    return MailReceiver()


@pytest.fixture
def robot() -> Robot:
    return Robot()


@pytest.fixture
def outside(app: Flask, monkeypatch: pytest.MonkeyPatch, mail: MailReceiver, robot: Robot) -> None:
    """The application knows both receivers."""
    conf = replace(app.config["ZHTJ"], mail=outgoing.mail_server(mail.url), robots=outgoing.robots(robot.url))
    monkeypatch.setitem(app.config, "ZHTJ", conf)


def write(channel: Channel, *addresses: str, title: str = "待办提醒：3 件等待办理") -> None:
    with unit_of_work():
        for address in addresses:
            outbox.put(channel, address, title, f"给{address}的提醒。")


def letters() -> list[Outbox]:
    session.expire_all()
    return list(session.scalars(select(Outbox).order_by(Outbox.id)))


def fingerprint(robot: Robot) -> str:
    return outgoing.robots(robot.url)[0].fingerprint


@pytest.mark.rule("PD-36")
def test_what_was_written_while_the_receivers_were_away_arrives_once(
    clock_at: Move, outside: None, mail: MailReceiver, robot: Robot
) -> None:
    # Given five letters and a note for the chat group, and nobody there
    write(Channel.MAIL, *(f"office{number}@example.com" for number in range(5)))
    write(Channel.WEBHOOK, fingerprint(robot))
    # When it is tried in vain: a server that does not answer is asked once a run, not once a letter
    counts = sweeps.run("deliver")
    assert (counts.done, counts.failed, counts.skipped) == (0, 2, 4)
    clock_at("2026-10-14T09:01")
    assert sweeps.run("deliver").done == 0
    # And both come back
    with mail.up(), robot.up():
        for moment in ("2026-10-14T09:02", "2026-10-14T09:30", "2026-10-14T12:00", "2026-10-14T18:00"):
            clock_at(moment)
            sweeps.run("deliver")
    # Then everything has arrived, once
    assert sorted(str(one["To"]) for one in mail.letters) == [f"office{number}@example.com" for number in range(5)]
    assert [one["msgtype"] for one in robot.letters] == ["text"]
    assert all(one.sent_at and one.failed_why is None for one in letters())


def test_a_letter_says_what_it_says(outside: None, mail: MailReceiver) -> None:
    write(Channel.MAIL, "office@example.com")
    with mail.up():
        sweeps.run("deliver")
    (letter,) = mail.letters
    assert letter["Subject"] == "待办提醒：3 件等待办理"
    assert "zhtj@example.com" in letter["From"]
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().strip() == "给office@example.com的提醒。"


@pytest.mark.rule("PD-36")
def test_a_letter_whose_sender_died_comes_up_again_but_a_confirmed_one_never(
    clock_at: Move, outside: None, mail: MailReceiver
) -> None:
    write(Channel.MAIL, "one@example.com", "two@example.com")
    one, two = letters()
    # Given a worker that claimed the first and was killed before it sent, and one that had the second confirmed
    with unit_of_work():
        assert outbox.claim(one.id, 0)
        assert outbox.claim(two.id, 0)
        outbox.confirm(two.id, two.payload)
    with mail.up():
        # Then nobody takes the first while its sender may still be at work
        sweeps.run("deliver")
        assert mail.letters == []
        # And afterwards it is sent; the second is not
        clock_at("2026-10-14T09:06")
        sweeps.run("deliver")
        clock_at("2026-10-16T09:00")
        sweeps.run("deliver")
    assert [letter["To"] for letter in mail.letters] == ["one@example.com"]


def test_a_late_failure_does_not_undo_a_confirmation(outside: None, clock_at: Move) -> None:
    write(Channel.MAIL, "one@example.com")
    (letter,) = letters()
    with unit_of_work():
        assert outbox.claim(letter.id, 0)
        outbox.confirm(letter.id, letter.payload)
        outbox.fail(letter.id, 1, "邮件服务器没有应答", forever=True)
    (letter,) = letters()
    assert letter.sent_at is not None
    assert letter.given_up_at is None


@pytest.mark.rule("PD-36")
def test_two_workers_at_the_same_moment_send_each_letter_once(live: Flask, mail: MailReceiver) -> None:
    with live.app_context():
        write(Channel.MAIL, *(f"office{number}@example.com" for number in range(20)))
    server = outgoing.mail_server(mail.url)
    start = threading.Barrier(4)

    def work() -> None:
        with live.app_context():
            start.wait()
            delivery.deliver(server, ())
            db.session.remove()

    with mail.up():
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert sorted(str(one["To"]) for one in mail.letters) == sorted(
        f"office{number}@example.com" for number in range(20)
    )


def test_a_refused_address_is_given_up_visibly_and_holds_up_nobody(outside: None, mail: MailReceiver) -> None:
    write(Channel.MAIL, "nobody@example.com", "office@example.com")
    with mail.up():
        counts = sweeps.run("deliver")
    assert (counts.done, counts.failed) == (1, 1)
    refused, sent = letters()
    assert refused.given_up_at is not None
    assert refused.failed_why == "对方邮箱拒收：550 no such user"
    assert sent.sent_at is not None


def test_a_server_that_hangs_up_in_the_middle_is_tried_again_later(
    clock_at: Move, outside: None, mail: MailReceiver
) -> None:
    write(Channel.MAIL, "office@example.com")
    mail.answers = ["hang up", "451 try later"]
    with mail.up():
        for moment in ("2026-10-14T09:00", "2026-10-14T10:00", "2026-10-14T12:00"):
            clock_at(moment)
            sweeps.run("deliver")
    assert len(mail.letters) == 1
    assert letters()[0].attempts == 3


def test_a_robot_s_no_is_a_failure_that_is_repeated(clock_at: Move, outside: None, robot: Robot) -> None:
    write(Channel.WEBHOOK, fingerprint(robot))
    robot.answers = ['{"errcode": 45009, "errmsg": "api freq out of limit"}', "<html>gateway</html>"]
    with robot.up():
        sweeps.run("deliver")
        assert letters()[0].failed_why == "群机器人拒收：45009 api freq out of limit"
        clock_at("2026-10-14T10:00")
        sweeps.run("deliver")
        assert letters()[0].failed_why == "群机器人的答复无法识别"
        clock_at("2026-10-14T12:00")
        sweeps.run("deliver")
    assert len(robot.letters) == 1
    assert letters()[0].sent_at is not None


def test_a_robot_gets_at_most_twenty_letters_a_run(clock_at: Move, outside: None, robot: Robot) -> None:
    write(Channel.WEBHOOK, *[fingerprint(robot)] * 25)
    with robot.up():
        assert sweeps.run("deliver").done == 20
        clock_at("2026-10-14T09:01")
        assert sweeps.run("deliver").done == 5


def test_a_robot_that_was_taken_out_of_the_settings_is_given_up(outside: None) -> None:
    write(Channel.WEBHOOK, "0123456789abcdef")
    sweeps.run("deliver")
    assert letters()[0].failed_why == "设置中已没有这个群机器人"
    assert letters()[0].given_up_at is not None


def test_after_the_last_attempt_it_is_given_up_and_says_why(clock_at: Move, outside: None) -> None:
    write(Channel.MAIL, "office@example.com")
    start = clock.now()
    for hours in range(0, 200, 7):
        clock_at(start + outbox.pause(1) * 12 * hours)  # type: ignore[arg-type]  # the fixture takes both
        sweeps.run("deliver")
    (letter,) = letters()
    assert letter.attempts == outbox.ATTEMPTS_AT_MOST
    assert letter.given_up_at is not None
    assert letter.failed_why == "邮件服务器没有应答"


def test_attempts_lie_further_and_further_apart() -> None:
    minutes = [outbox.pause(number).total_seconds() / 60 for number in range(1, 10)]
    assert minutes == [5, 10, 20, 40, 80, 160, 320, 360, 360]


def test_without_a_mail_server_letters_wait(app: Flask) -> None:
    write(Channel.MAIL, "office@example.com")
    assert sweeps.run("deliver").found == 0
    assert letters()[0].attempts == 0


def test_letters_sent_long_ago_are_removed(clock_at: Move, outside: None, mail: MailReceiver) -> None:
    write(Channel.MAIL, "office@example.com")
    with mail.up():
        sweeps.run("deliver")
    clock_at("2027-02-01T09:00")
    sweeps.run("deliver")
    assert letters() == []


def test_a_text_is_cut_between_characters() -> None:
    assert cut("团员", 100) == "团员"
    assert cut("团员团员团员", 10) == "团员…"


MAIL, HOOKS = "ZHTJ_MAIL_URL", "ZHTJ_WEBHOOK_URLS"


@pytest.fixture
def environment(tmp_path: object) -> dict[str, str]:
    return {"ZHTJ_ENV": "test", "ZHTJ_INSTANCE": str(tmp_path), "ZHTJ_SECRET_KEY": "x"}


def test_both_settings_are_read(environment: dict[str, str]) -> None:
    conf = load(
        environment
        | {
            MAIL: "smtps://bot%40example.com:pass%2Fword@mail.example.com",
            HOOKS: "https://example.com/send?key=a,340104=https://example.com/send?key=b\nhttps://example.com/send?key=a",
        }
    )
    assert conf.mail is not None
    assert (conf.mail.port, conf.mail.encrypted, conf.mail.sender) == (465, True, "bot@example.com")
    assert conf.mail.password == "pass/word"
    assert [(robot.place, robot.url) for robot in conf.robots] == [
        ("", "https://example.com/send?key=a"),
        ("340104", "https://example.com/send?key=b"),
    ]
    # A configuration that is printed shows no secret
    assert "pass/word" not in repr(conf)
    assert "key=a" not in repr(conf)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (MAIL, "mail.example.com"),
        (MAIL, "http://mail.example.com?from=a@example.com"),
        (MAIL, "smtp://mail.example.com"),
        (MAIL, "smtp://user:geheim@mail.example.com:port?from=a@example.com"),
        (HOOKS, "example.com/send?key=geheim"),
        (HOOKS, "https://example.com/a ftp://example.com/geheim"),
        (HOOKS, "340104=geheim"),
        (HOOKS, "https://"),
    ],
)
def test_a_wrong_setting_is_refused_at_start_in_one_chinese_line(
    environment: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environment | {name: value})
    assert str(caught.value).startswith(f"{name} 不正确：")
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow("starts the command line")
def test_the_command_line_says_it_in_one_line_too(environment: dict[str, str]) -> None:
    wrong = environment | {MAIL: "bad", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "flask", "--app", "app", "sweep"]
    done = subprocess.run(command, cwd=ROOT, env=wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"{MAIL} 不正确：应为 smtp://主机:端口?from=发件邮箱 或 smtps://…"]
