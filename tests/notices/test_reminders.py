"""Who is reminded when: weekly, by the clock, in September; one digest an office and day (PD-19, D-08, PD-36)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.notices import inboxes
from tests.notices.receivers import MailReceiver, Robot
from tests.transfers.steps import EMPLOYED, UNPLACED, apply, do
from tests.world import World
from zhtj import sweeps
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.work import outgoing
from zhtj.notices import digests
from zhtj.notices.models import Message, MessageKind, Outbox, Subscription
from zhtj.orgs import policies
from zhtj.policy import seasons
from zhtj.policy.model import Policy
from zhtj.transfers import operations
from zhtj.transfers.rules import Ground

Move = Callable[[str], None]
MOVED = {
    "reason": "relocation",
    "place": "residence",
    "unit_address": "安徽省合肥市蜀山区井岗镇",
    "remark": "搬到井岗镇居住",
}


def days_reminded(world: World, key: str, clock_at: Move, first: str, last: str) -> list[str]:
    """Run the sweep at eight every day from ``first`` to ``last``; the days on which ``key`` got a digest."""
    day, end = clock.parse(f"{first}T08:00"), clock.parse(f"{last}T08:00")
    while day <= end:
        clock_at(day)  # type: ignore[arg-type]  # the fixture takes both
        sweeps.run("remind")
        day += timedelta(days=1)
    return [f"{clock.local(one.at):%m-%d}" for one in reversed(reminders(world, key))]


def reminders(world: World, key: str) -> list[Message]:
    return [one for one in inboxes.of(world, key) if one.kind is MessageKind.REMINDER]


@pytest.mark.rule("PD-19")
def test_where_a_clock_runs_the_receiver_is_reminded_on_days_one_seven_and_nine(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    assert days_reminded(world, "team", clock_at, "2026-10-05", "2026-10-15") == ["10-06", "10-12", "10-14"]
    last = reminders(world, "team")[0]
    assert "须在 10月15日 24:00 前办理（还剩 1 天），逾期系统自动退回" in last.body


@pytest.mark.rule("PD-19")
def test_while_no_clock_runs_the_receiver_is_reminded_weekly(world: World, clock_at: Move) -> None:
    clock_at("2026-06-10T10:00")
    apply(world, world.graduate, "team")
    assert days_reminded(world, "team", clock_at, "2026-06-11", "2026-07-02") == ["06-17", "06-24", "07-01"]
    # Nobody else is: it is not their turn
    assert reminders(world, "class1") == []


@pytest.mark.rule("PD-19")
def test_an_accepted_member_without_a_branch_is_asked_for_weekly(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T10:00")
    application = apply(world, world.graduate, "company")
    do(operations.accept, application, world.seat("company"))
    assert days_reminded(world, "company", clock_at, "2026-10-05", "2026-10-20") == ["10-12", "10-19"]
    assert "待分配支部 1 件" in reminders(world, "company")[0].body


@pytest.mark.rule("PD-19", "D-08")
def test_in_september_what_is_unreviewed_is_asked_for_weekly_from_the_first(world: World, clock_at: Move) -> None:
    # Given one application that waits to be reviewed since 30 August, and one that is accepted but not allocated
    clock_at("2026-08-30T10:00")
    apply(world, world.graduate, "team")
    accepted = apply(world, world.classmate, "company")
    do(operations.accept, accepted, world.seat("company"))
    found = days_reminded(world, "team", clock_at, "2026-08-31", "2026-09-30")
    # Then the first is asked for on each Tuesday of the review phase, the second after a week of waiting
    assert found == ["09-01", "09-08", "09-15", "09-22", "09-29"]
    assert "1 件尚未审核，收到的申请应当在 9月30日前全部审核" in reminders(world, "team")[0].body
    (first, *_) = reversed(reminders(world, "company"))
    assert f"{clock.local(first.at):%m-%d}" == "09-06"
    assert "审核期" not in first.body


@pytest.mark.rule("PD-19")
def test_it_is_one_digest_however_much_waits(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    apply(world, world.classmate, "team")
    apply(world, world.sophomore, "team", reason="work", unit_name="示例科技有限公司", remark="实习后留用")
    clock_at("2026-10-06T08:00")
    assert sweeps.run("remind").as_dict() == {"found": 1, "done": 1, "skipped": 0, "failed": 0}
    (digest,) = reminders(world, "team")
    assert digest.title == "待办提醒：3 件等待办理，最早的 10月15日 24:00 前到期"
    assert digest.body.startswith(
        "2026年10月6日，研发团支部有 3 件等待办理：组织关系转接申请 3 件（待转入方审批 3 件）。"
    )
    # No name stands in it: it leaves the house
    assert "丁一" not in digest.body


@pytest.mark.rule("PD-36", "PD-19")
def test_after_an_outage_what_still_applies_is_said_once_and_twice_is_the_same_as_once(
    world: World, clock_at: Move
) -> None:
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    # When nothing ran on days 1 to 8, but on the eighth: day 1 and day 7 merge
    clock_at("2026-10-13T20:00")
    assert sweeps.run("remind").done == 1
    assert sweeps.run("remind").as_dict() == {"found": 0, "done": 0, "skipped": 0, "failed": 0}
    # Then only day 9 is left
    assert days_reminded(world, "team", clock_at, "2026-10-14", "2026-10-15") == ["10-13", "10-14"]


@pytest.mark.rule("PD-36")
def test_what_is_past_its_due_time_is_no_longer_asked_for(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    clock_at("2026-10-16T08:00")
    assert sweeps.run("remind").found == 0


@pytest.mark.rule("PD-22", "PD-19")
def test_whoever_acts_for_an_organisation_without_administrator_is_reminded_for_it(
    world: World, clock_at: Move
) -> None:
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "floating", **UNPLACED)
    clock_at("2026-10-06T08:00")
    sweeps.run("remind")
    assert "其中 1 件属于没有管理员的下级组织，由贵组织代为办理" in reminders(world, "township")[0].body


@pytest.mark.rule("PD-19")
def test_outside_the_season_the_clock_and_its_reminders_start_at_submission(world: World, clock_at: Move) -> None:
    clock_at("2026-06-10T10:00")
    apply(world, world.employee, "floating", **MOVED)
    assert days_reminded(world, "township", clock_at, "2026-06-10", "2026-06-20") == ["06-11", "06-17", "06-19"]


class Shorter:
    """A policy whose clock ends after five days, with reminders on days 2 and 4."""

    auto_return_days = 5
    reminder_days = (2, 4)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __getattr__(self, name: str) -> Any:
        return getattr(self.policy, name)


@pytest.mark.rule("PD-18", "PD-19")
def test_the_origin_s_own_policy_says_on_which_days(
    world: World, clock_at: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a university with a policy of its own
    code = world.orgs["university"].code

    def policy_for(season: int, line: Sequence[str]) -> Any:
        policy = seasons.policy_for(season, ())
        return Shorter(policy) if code in line else policy

    monkeypatch.setattr(policies, "governed", lambda _: frozenset({code}))
    monkeypatch.setattr(policies, "policy_for", policy_for)
    clock_at("2026-10-05T10:00")
    # When one of its students applies, and somebody from elsewhere
    apply(world, world.graduate, "team")
    apply(world, world.employee, "floating", **MOVED)
    # Then each is asked for on the days of his origin
    assert days_reminded(world, "team", clock_at, "2026-10-05", "2026-10-10") == ["10-07", "10-09"]
    assert [f"{clock.local(one.at):%m-%d}" for one in reminders(world, "township")] == ["10-06"]


@pytest.mark.rule("PD-36", "PD-19")
def test_two_sweeps_at_the_same_moment_remind_once(live: Flask, clock_at: Move) -> None:
    clock_at("2026-10-05T10:00")
    with live.app_context():
        world = World.build()
        apply(world, world.graduate, "team")
        apply(world, world.classmate, "floating", **UNPLACED)
        session.remove()
    clock_at("2026-10-06T08:00")
    start, done = threading.Barrier(4), []

    def work() -> None:
        with live.app_context():
            start.wait()
            done.append(sweeps.run("remind").done)
            session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(done) == 2
    with live.app_context():
        found = select(Message.org_id).where(Message.kind == MessageKind.REMINDER)
        assert len(session.scalars(found).all()) == 2


@pytest.fixture
def mail() -> MailReceiver:
    return MailReceiver()


@pytest.fixture
def groups() -> tuple[Robot, Robot]:
    """The robot of everything, and the county's."""
    return Robot(), Robot()


@pytest.fixture
def outside(app: Flask, monkeypatch: pytest.MonkeyPatch, mail: MailReceiver, groups: tuple[Robot, Robot]) -> None:
    """Mail and two robots, one for a county."""
    everything, county = groups
    conf = replace(
        app.config["ZHTJ"],
        mail=outgoing.mail_server(mail.url),
        robots=outgoing.robots(f"{everything.url} 340104={county.url}"),
        address="https://tuan.example.com",
    )
    monkeypatch.setitem(app.config, "ZHTJ", conf)


def subscribe(world: World, key: str, address: str, *, confirmed: bool = True) -> None:
    with unit_of_work():
        session.add(
            Subscription(
                org_id=world.orgs[key].id,
                address=address,
                account_id=world.accounts[key].id,
                created_at=clock.now(),
                confirmed_at=clock.now() if confirmed else None,
                code_hash=None if confirmed else "hash",
            )
        )


@pytest.mark.rule("PD-19", "PD-36")
def test_the_digest_also_leaves_by_mail_and_robot_once_a_day(
    world: World, clock_at: Move, outside: None, mail: MailReceiver, groups: tuple[Robot, Robot]
) -> None:
    subscribe(world, "team", "team@example.com")
    subscribe(world, "team", "later@example.com", confirmed=False)
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    apply(world, world.employee, "class2", reason="other", remark="回校工作", confirmed=True)
    clock_at("2026-10-06T08:00")
    with mail.up(), groups[0].up(), groups[1].up():
        for _ in range(2):
            sweeps.run("remind")
            sweeps.run("deliver")
    # Then one letter goes to the confirmed address, with the system's address under it
    (letter,) = mail.letters
    assert letter["To"] == "team@example.com"
    assert letter["Subject"] == reminders(world, "team")[0].title
    digest, foot = letter.get_content().strip().split("\n\n")
    assert digest == reminders(world, "team")[0].body
    assert foot.endswith("：https://tuan.example.com")
    # And one to each robot, the county's with its own part of the tree only; the URLs stay out of the database
    (everywhere,), (county,) = ([one["text"]["content"] for one in group.letters] for group in groups)
    assert everywhere.startswith("10月6日转接待办提醒\n")
    assert "研发团支部：1 件，最早的10月15日 24:00前到期" in everywhere
    assert "软工2班团支部" in everywhere
    assert "研发团支部" in county
    assert "软工2班团支部" not in county
    assert all("127.0.0.1" not in one.address for one in session.scalars(select(Outbox)))


@pytest.mark.rule("PD-19", "PD-36")
def test_what_leaves_late_says_what_waits_then(
    world: World, clock_at: Move, outside: None, mail: MailReceiver, groups: tuple[Robot, Robot]
) -> None:
    # Given a mail server that is away, and three days of reminders of two applications
    subscribe(world, "team", "team@example.com")
    clock_at("2026-10-20T10:00")
    first = apply(world, world.graduate, "team")
    apply(world, world.classmate, "team")
    assert days_reminded(world, "team", clock_at, "2026-10-20", "2026-10-27") == ["10-21", "10-27"]
    sweeps.run("deliver")
    # When one is withdrawn, and the server comes back three days later
    do(operations.withdraw, first, world.own_seat(world.graduate))
    clock_at("2026-10-30T09:00")
    with mail.up(), groups[0].up(), groups[1].up():
        sweeps.run("deliver")
        # Then one mail arrives: of the one that is left, with the days that are left, and that day's date
        (letter,) = mail.letters
        assert letter["Subject"] == "待办提醒：1 件等待办理，最早的 10月30日 24:00 前到期"
        assert "2026年10月30日，研发团支部有 1 件等待办理" in letter.get_content()
        assert "（今天截止）" in letter.get_content()
        (content,) = [one["text"]["content"] for one in groups[0].letters]
        assert "研发团支部：1 件" in content


@pytest.mark.rule("PD-19")
def test_what_is_done_by_the_time_the_mail_leaves_is_not_told(
    world: World, clock_at: Move, outside: None, mail: MailReceiver, groups: tuple[Robot, Robot]
) -> None:
    subscribe(world, "team", "team@example.com")
    clock_at("2026-10-20T10:00")
    application = apply(world, world.graduate, "team")
    clock_at("2026-10-21T08:00")
    sweeps.run("remind")
    do(operations.refuse, application, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在别处就业")
    # When the mail server is there again in January
    clock_at("2027-01-03T09:00")
    with mail.up(), groups[0].up(), groups[1].up():
        sweeps.run("deliver")
    # Then nobody hears of a deadline that was met, and the page of mails says why
    assert [mail.letters, groups[0].letters, groups[1].letters] == [[], [], []]
    why = session.scalars(select(Outbox.failed_why)).all()
    assert set(why) == {"发送时已没有待办，没有发送"}


@pytest.mark.rule("PD-19", "A-24")
def test_a_return_is_told_by_mail_without_a_name(
    world: World, clock_at: Move, outside: None, mail: MailReceiver
) -> None:
    for key in ("team", "class1", "company", "township"):
        subscribe(world, key, f"{key}@example.com")
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    apply(world, world.classmate, "team")
    clock_at("2026-10-16T00:10")
    sweeps.run("return")
    with mail.up():
        sweeps.run("deliver")
    # Then both sides and the level above who let it lapse have one mail each, nobody else
    assert sorted(str(one["To"]) for one in mail.letters) == [
        "class1@example.com",
        "company@example.com",
        "team@example.com",
    ]
    assert {str(one["Subject"]) for one in mail.letters} == {"转接申请超期退回"}
    for one in mail.letters:
        assert "2026年10月16日" in one.get_content()
        assert "丁一" not in one.get_content()


def test_a_robot_s_letter_stays_within_its_size() -> None:
    lines = [f"共青团安徽省合肥市蜀山区示例第{number}街道工作委员会：12 件" for number in range(200)]
    text = digests.robot_text(lines, 2000)
    kept = text.count("件\n")
    assert len(text.encode()) <= 2000
    assert text.endswith(f"另有 {200 - kept} 个组织有待办，请登录系统查看。")
    assert digests.robot_text(lines[:2], 2000).endswith("请登录系统办理。")


def test_an_unknown_organisation_of_a_robot_is_reported_and_harms_nobody(
    world: World, clock_at: Move, app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    conf = replace(app.config["ZHTJ"], robots=outgoing.robots("999=https://example.com/?key=1"))
    monkeypatch.setitem(app.config, "ZHTJ", conf)
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team", **EMPLOYED)
    clock_at("2026-10-06T08:00")
    assert sweeps.run("remind").done == 1
    assert "there is no organisation 999" in caplog.text
