"""Every timer listed, a return sweep rehearsed, the same whenever it runs (D-01, D-06, D-08, D-09, PD-18, PD-36)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import undone
from tests.statements import statements
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do, start
from tests.world import World
from zhtj import sweeps
from zhtj.floating import operations as onward
from zhtj.floating import timers as floating
from zhtj.graduation import operations as graduation
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.policies import policy_of
from zhtj.policy import phases
from zhtj.policy.seasons import policy_for
from zhtj.policy.vocabulary import CampaignPhase
from zhtj.transfers import operations
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import timers
from zhtj.transfers.watching.timers import Timer, TimerKind
from zhtj.transfers.workflow import State

Move = Callable[[str], None]
NATIONAL = policy_for(2026, ())


@pytest.fixture
def world(session: Session, clock_at: Move) -> World:
    """As everywhere, but standing since the season's second day."""
    del session
    clock_at("2026-05-02T09:00")
    return World.build()


def several(world: World, clock_at: Move) -> list[Application]:
    """Six graduates who apply on six days of October; the third is refused, the fourth withdraws."""
    with unit_of_work():
        members = [world.graduate, world.classmate, *(world.enrol(f"戊{number}", "class1") for number in range(4))]
        graduation.open_register()
    found = []
    for number, member in enumerate(members):
        clock_at(f"2026-10-{number + 2:02d}T15:00")
        found.append(apply(world, member, "team" if number % 2 else "company"))
    do(operations.refuse, found[2], world.seat("company"), Ground.NOT_OURS, "本人与我单位无关")
    do(operations.withdraw, found[3], world.own_seat(members[3]))
    return found


def picture() -> list[tuple[Any, ...]]:
    """States and history as the database has them; not when it was written down, which differs by nature."""
    session.expire_all()
    states = session.execute(
        select(Application.id, Application.state, Application.ended_at, Application.version).order_by(Application.id)
    )
    events = session.execute(
        select(
            ApplicationEvent.application_id, ApplicationEvent.action, ApplicationEvent.to_state, ApplicationEvent.at
        ).order_by(ApplicationEvent.application_id, ApplicationEvent.at, ApplicationEvent.id)
    )
    return [tuple(row) for row in states] + [tuple(row) for row in events]


@pytest.mark.rule("PD-36", "PD-18")
def test_one_sweep_after_a_week_s_outage_does_what_seven_daily_ones_would_have_done(
    world: World, clock_at: Move
) -> None:
    several(world, clock_at)
    days = [f"2026-10-{day}T03:00" for day in range(13, 20)]
    with undone():
        done = []
        for moment in days:
            clock_at(moment)
            done.append(sweeps.run("return").done)
        daily = picture()
    assert done == [1, 1, 0, 0, 1, 1, 0]
    # When nobody sweeps until the last day
    clock_at(days[-1])
    assert sweeps.run("return").done == sum(done)
    assert picture() == daily
    # And twice is the same as once
    assert sweeps.run("return").found == 0
    assert picture() == daily


@pytest.mark.rule("PD-36", "D-09", "A-24")
def test_a_rehearsal_foretells_exactly_what_the_sweep_does_and_writes_nothing(world: World, clock_at: Move) -> None:
    several(world, clock_at)
    clock_at("2026-10-10T09:00")
    assert timers.next_return() == clock.parse("2026-10-13T00:00")
    moment = clock.parse("2026-10-17T00:00")
    before = picture()
    with statements() as seen:
        foretold = timers.rehearse(moment)
    assert {statement.split(maxsplit=1)[0].upper() for statement in seen} == {"SELECT"}
    assert picture() == before
    assert sum(heap.number for heap in foretold.by_organisation) == foretold.number == 3
    numbers = {line.id for line in foretold.lines}
    # Inside one part of the tree: what leaves it or comes to it
    assert {line.id for line in timers.rehearse(moment, world.orgs["company"].path).lines} == numbers
    assert timers.rehearse(moment, world.orgs["class2"].path).number == 0
    clock_at("2026-10-17T00:00")
    assert sweeps.run("return").done == foretold.number
    returned = session.scalars(select(Application.id).where(Application.state == State.RETURNED))
    assert set(returned) == numbers


@pytest.mark.rule("PD-36")
def test_the_command_rehearses_any_moment(app: Flask, world: World, clock_at: Move) -> None:
    several(world, clock_at)
    runner = app.test_cli_runner()
    before = picture()
    said = runner.invoke(args=["sweep", "--at", "2026-10-14T00:00", "--rehearse", "--json"])
    assert said.exit_code == 0
    told = json.loads(said.stdout)
    assert told["found"] == len(told["lines"]) == 2
    assert told["at"].startswith("2026-10-14T00:00:00+08:00")
    assert {line["member"] for line in told["lines"]} == {"丁一", "卜喆"}
    assert {one["name"]: one["found"] for one in told["organisations"]} == {"示例科技团委": 1, "研发团支部": 1}
    # Without a moment: the next one at which something goes back
    plain = runner.invoke(args=["sweep", "--rehearse"])
    assert plain.stdout.splitlines()[0] == "2026-10-13 00:00\t退回 1"
    assert runner.invoke(args=["sweep", "--rehearse", "--only", "seal"]).exit_code == 2
    assert picture() == before
    # The same moment without the word does it
    really = json.loads(runner.invoke(args=["sweep", "--at", "2026-10-14T00:00", "--only", "return", "--json"]).stdout)
    assert really["return"]["done"] == told["found"]


def listed(world: World, key: str, kind: TimerKind) -> list[Timer]:
    seat = world.seat(key)
    policy = policy_of(world.orgs[key])
    sources = {
        TimerKind.RETURN: timers.returns(seat),
        TimerKind.REMINDER: timers.next_reminders(seat),
        TimerKind.REVIEW: timers.september(seat, policy),
        TimerKind.ONWARD: floating.timers(seat),
        TimerKind.MILESTONE: timers.season_days(policy),
    }
    return list(sources[kind](None, 100))


@pytest.mark.rule("PD-18", "PD-36")
def test_every_running_clock_is_listed_where_it_concerns_somebody(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T09:00")
    late = apply(world, world.graduate, "team", **EMPLOYED)
    clock_at("2026-10-03T09:00")
    soon = apply(world, world.classmate, "floating", **UNPLACED)
    clock_at("2026-10-06T09:00")
    assert [timer.number for timer in listed(world, "class1", TimerKind.RETURN)] == [soon.id, late.id]
    assert [timer.number for timer in listed(world, "team", TimerKind.RETURN)] == [late.id]
    assert listed(world, "class2", TimerKind.RETURN) == []
    first = listed(world, "class1", TimerKind.RETURN)[0]
    assert (first.at, first.org) == (clock.parse("2026-10-14T00:00"), world.orgs["floating"])
    # Nothing runs while a branch is being chosen
    committee = apply(world, world.sophomore, "company", reason="work", unit_name="示例科技有限公司")
    do(operations.accept, committee, world.seat("company"))
    assert committee.id not in {timer.number for timer in listed(world, "company", TimerKind.RETURN)}


@pytest.mark.rule("PD-19")
def test_the_next_reminder_of_each_office_below_is_known(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T09:00")
    apply(world, world.graduate, "team", **EMPLOYED)
    (timer,) = listed(world, "company", TimerKind.REMINDER)
    assert (timer.org, clock.local(timer.at).date()) == (world.orgs["team"], date(2026, 10, 6))
    clock_at("2026-10-12T09:00")
    sweeps.run("remind")
    (timer,) = listed(world, "company", TimerKind.REMINDER)
    assert clock.local(timer.at).date() == date(2026, 10, 14)
    assert listed(world, "university", TimerKind.REMINDER) == []


@pytest.mark.rule("D-08")
def test_september_lists_what_was_submitted_by_the_end_of_august_and_not_reviewed(world: World, clock_at: Move) -> None:
    # Given one of August at the team, one of August that was accepted, one of September
    clock_at("2026-08-20T09:00")
    august = apply(world, world.graduate, "team", **EMPLOYED)
    done = start(world.seat("class1"), world.classmate, world.orgs["company"], **EMPLOYED)
    do(operations.accept, done, world.seat("company"))
    with unit_of_work():
        third = world.enrol("戊一", "class1")
        graduation.open_register()

    def overdue(key: str) -> list[int]:
        return [one.id for one in timers.unreviewed(world.seat(key), NATIONAL).page().rows]

    # In August nothing is overdue
    assert overdue("team") == []
    clock_at("2026-09-01T00:00")
    september = apply(world, third, "team", **EMPLOYED)
    # Then the receiver and everybody above him sees the one; the old side has it in its own lists
    for key in ("team", "company", "county", "province"):
        assert overdue(key) == [august.id]
    assert overdue("class1") == []
    (heap,) = timers.unreviewed_by_organisation(world.seat("province"), NATIONAL)
    assert (heap.org, heap.number) == (world.orgs["team"], 1)
    (timer,) = listed(world, "team", TimerKind.REVIEW)
    assert timer.at == clock.parse("2026-10-01T00:00")
    do(operations.accept, august, world.seat("team"))
    assert overdue("team") == []
    assert september.id not in overdue("province")


@pytest.mark.rule("D-01")
@pytest.mark.parametrize(
    ("day", "phase"),
    [
        (date(2026, 4, 30), None),
        (date(2026, 5, 1), CampaignPhase.APPLICATION),
        (date(2026, 8, 31), CampaignPhase.APPLICATION),
        (date(2026, 9, 1), CampaignPhase.REVIEW),
        (date(2026, 9, 30), CampaignPhase.REVIEW),
        (date(2026, 10, 1), CampaignPhase.CLOSING),
        (date(2026, 12, 31), CampaignPhase.CLOSING),
    ],
)
def test_the_campaign_runs_from_may_to_the_year_s_end_in_three_phases(day: date, phase: CampaignPhase | None) -> None:
    assert phases.line(NATIONAL, day).phase is phase


@pytest.mark.rule("D-06", "D-08", "D-09")
def test_each_phase_says_whether_the_clock_runs_and_what_withdrawing_costs() -> None:
    application = phases.line(NATIONAL, date(2026, 6, 10)).text
    assert "至8月31日" in application
    assert "撤销不影响双方的衔接率" in application
    assert "系统不自动退回" in application
    review = phases.line(NATIONAL, date(2026, 9, 10)).text
    assert "至9月30日" in review
    assert "全部审核" in review
    assert "系统不自动退回" in review
    closing = phases.line(NATIONAL, date(2026, 10, 1))
    assert closing.runs
    assert "超过 10 天没有办理的，系统自动退回" in closing.text
    assert "不影响" not in closing.text


@pytest.mark.rule("D-06", "A-19")
def test_in_the_application_phase_nothing_is_forced_and_withdrawing_is_free(world: World, clock_at: Move) -> None:
    clock_at("2026-05-20T09:00")
    application = apply(world, world.graduate, "team", **EMPLOYED)
    clock_at("2026-08-31T23:59")
    assert sweeps.run("return").found == 0
    do(operations.withdraw, application, world.own_seat(world.graduate))
    session.refresh(application)
    assert application.state is State.WITHDRAWN
    row = graduation.open_row(world.graduate.id, clock.now())
    assert row is not None
    assert row.completed_at is None
    # And the receiver may decide at once
    again = apply(world, world.graduate, "team", **EMPLOYED)
    do(operations.accept, again, world.seat("team"))
    assert again.state is State.COMPLETED


def test_the_days_of_the_season_still_to_come_are_listed(world: World, clock_at: Move) -> None:
    clock_at("2026-09-15T09:00")
    days = [clock.local(timer.at).date() for timer in listed(world, "class1", TimerKind.MILESTONE)]
    assert days == sorted(days)
    assert date(2026, 10, 1) in days  # the end of 30 September
    assert min(days) > date(2026, 9, 15)


def test_a_floating_member_s_month_is_among_the_timers(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T09:00")
    application = apply(world, world.graduate, "floating", **UNPLACED)
    do(operations.accept, application, world.seat("township"))
    assert listed(world, "township", TimerKind.ONWARD) == []
    with acting(world.seat("township")):
        onward.found(world.seat("township"), world.graduate, date(2026, 10, 5), "示例科技有限公司")
    (timer,) = listed(world, "county", TimerKind.ONWARD)
    assert (timer.who, timer.at, timer.rule) == (world.graduate, clock.parse("2026-11-06T00:00"), "D-17")
