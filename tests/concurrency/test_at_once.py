"""Two at the same moment, in two processes on one database: one result, one event, one clear word to the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select, text

from tests.concurrency import flood
from tests.concurrency.processes import PATIENCE, Deed, at_once, browse, family, processes, variables
from tests.conftest import Installation
from tests.processes import until
from tests.transfers.steps import acting, apply
from tests.world import World
from zhtj import doctor
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.people.models import Member, Membership
from zhtj.transfers.many import mass_starts
from zhtj.transfers.models import Application, ApplicationEvent, Arrival
from zhtj.transfers.workflow import Action, State

pytestmark = pytest.mark.slow("several processes at once")

ROUNDS = 8
WORK = {"reason": "employed_with_org", "to": "共青团示例科技有限公司委员会", "unit_name": "示例科技有限公司"}
NOW = "2026-10-14T09:00"


@pytest.fixture
def town(live: Flask) -> Iterator[World]:
    with live.app_context():
        yield World.build()


@pytest.fixture
def graduates(town: World) -> list[Member]:
    """So many members of a class as there are rounds."""
    with unit_of_work():
        found = [town.enrol(f"员{number}", "class1") for number in range(ROUNDS)]
        graduation.open_register()
    return found


def events(number: int) -> list[tuple[Action, int | None]]:
    """The history of an application after its submission."""
    rows = session.execute(
        select(ApplicationEvent.action, ApplicationEvent.account_id)
        .where(ApplicationEvent.application_id == number)
        .order_by(ApplicationEvent.id)
    )
    return [(action, account) for action, account in rows][1:]


def audited(number: int) -> list[str]:
    rows = select(AuditEvent.action).where(AuditEvent.subject_type == "application", AuditEvent.subject_id == number)
    return [action.removeprefix("transfer.") for action in session.scalars(rows.order_by(AuditEvent.id))][1:]


def healthy() -> bool:
    return [finding.name for finding in doctor.examine() if finding.broken] == []


@pytest.mark.rule("A-08")
def test_of_two_who_approve_one_succeeds_and_the_other_is_told_who_was_first(
    live: Flask, town: World, graduates: list[Member]
) -> None:
    # Given two secretaries of one team, each with the page of the same application open
    first, second = town.accounts["team"], town.appoint("team")
    session.commit()
    numbers = [apply(town, member, "team").id for member in graduates]
    names = {first.id: first.name, second.id: second.name}
    context = family()
    together, answers = context.Barrier(2), context.Queue()
    # When both click at the same moment, again and again
    environment = variables(live, NOW)
    with processes(*((browse, environment, number, numbers, together, answers) for number in names)):
        found = [answers.get(timeout=PATIENCE) for _ in range(2 * ROUNDS)]
    # Then each application was accepted once, and whoever was second reads what happened
    session.rollback()
    for number in numbers:
        (winner, first_status, _), (_, second_status, text) = sorted(
            ((account, status, text) for one, account, status, text in found if one == number), key=lambda row: row[1]
        )
        assert (first_status, second_status) == (303, 409)
        assert events(number) == [(Action.ACCEPT, winner)]
        assert audited(number) == ["accept"]
        assert f"{names[winner]}已在 10月14日 09:00 办理了“同意转入”，申请现在是“已完成”" in text
        application = session.get_one(Application, number)
        assert (application.state, application.version) == (State.COMPLETED, 2)
        stays = session.scalars(select(Membership.org_id).where(Membership.member_id == application.member_id))
        assert sorted(stays) == sorted([town.orgs["class1"].id, town.orgs["team"].id])
    assert session.scalar(select(func.count()).select_from(Arrival)) == ROUNDS
    assert healthy()


@pytest.mark.parametrize("destination", ["team", "company"])
def test_acceptance_and_withdrawal_exclude_each_other(
    live: Flask, town: World, graduates: list[Member], destination: str
) -> None:
    # Given applications to a branch, which an acceptance completes, and to a committee, which still has to allocate
    found = [apply(town, member, destination) for member in graduates]
    accepting = [Deed("accept", one.id, town.seat(destination)) for one in found]
    withdrawing = [Deed("withdraw", one.id, town.own_seat(one.member)) for one in found]
    names = {"accept": town.accounts[destination].name, "withdraw": ""}
    after = {
        "withdraw": State.WITHDRAWN,
        "accept": State.COMPLETED if destination == "team" else State.AWAITING_ALLOCATION,
    }
    # When the receiving side accepts and the member withdraws at the same moment
    rounds = at_once(live, accepting, withdrawing, NOW)
    # Then one of them has done it, and the other is told who did what and when
    session.rollback()
    for (done, answer), (_, refused) in rounds:
        application = session.get_one(Application, done.number)
        assert answer == "done"
        assert refused.startswith("Conflict: ")
        who = names[done.action] or application.member.name
        label = Action(done.action).label
        assert f"{who}已在 10月14日 09:00 办理了“{label}”，申请现在是“{application.state.label}”" in refused
        assert application.state is after[done.action]
        assert [action for action, _ in events(done.number)] == [done.action]
        assert audited(done.number) == [done.action]
    assert healthy()


@pytest.mark.rule("PD-18")
def test_at_the_due_moment_either_the_acceptance_counts_or_the_return(
    live: Flask, town: World, graduates: list[Member]
) -> None:
    # Given an application that falls due at midnight
    found = [apply(town, member, "team") for member in graduates]
    due = found[0].due_at
    assert due is not None
    assert {one.due_at for one in found} == {due}
    accepting = [Deed("accept", one.id, town.seat("team")) for one in found]
    before, midnight = (clock.local(moment).isoformat() for moment in (due - timedelta(microseconds=1), due))
    # When somebody accepts in the last moment while the sweep, whose clock is a moment ahead, returns what is due
    rounds = at_once(live, accepting, [Deed("sweep")] * ROUNDS, before, midnight)
    # Then each application went one of the two ways, whole
    session.rollback()
    refused = [answer for pair in rounds for deed, answer in pair if deed.action == "accept" and answer != "done"]
    assert not [answer for answer in refused if not answer.startswith("Conflict: ")]
    for one in found:
        application = session.get_one(Application, one.id)
        ways = {State.COMPLETED: [Action.ACCEPT], State.RETURNED: [Action.RETURN]}
        assert [action for action, _ in events(one.id)] == ways[application.state]
        assert audited(one.id) == [action.value for action in ways[application.state]]
    returned = [one for one in found if session.get_one(Application, one.id).state is State.RETURNED]
    assert returned
    assert len(refused) == len(returned)
    assert all("系统已在" in answer or "超过办理期限" in answer for answer in refused)
    assert healthy()


@pytest.mark.rule("A-06")
def test_of_two_submissions_for_one_member_one_is_refused(live: Flask, town: World, graduates: list[Member]) -> None:
    # Given members who apply themselves while their class starts an application for them
    own = [Deed("submit", one.id, town.own_seat(one), town.orgs["team"].id) for one in graduates]
    old = [Deed("submit", one.id, town.seat("class1"), town.orgs["company"].id) for one in graduates]
    # When both are sent at the same moment
    rounds = at_once(live, own, old, NOW)
    # Then there is one open application each, and the other one reads why
    session.rollback()
    for (_, answer), (_, refused) in rounds:
        assert answer == "done"
        assert refused == "Conflict: 已有业务正在办理，不能重复发起。请先撤销原申请，或等待它办结。"
    found = session.scalars(select(Application.member_id)).all()
    assert sorted(found) == sorted(one.id for one in graduates)
    assert session.scalar(select(func.count()).select_from(ApplicationEvent)) == ROUNDS
    assert healthy()


@pytest.mark.rule("PD-36")
def test_two_sweeps_at_once_return_everything_once(live: Flask, town: World) -> None:
    due = clock.parse("2026-10-16T00:00")
    flood.applications(town, 1200, due=due)
    rounds = at_once(live, [Deed("sweep")], [Deed("sweep")], "2026-10-16T00:00")
    counts = [json.loads(answer) for pair in rounds for _, answer in pair]
    assert sum(count["done"] for count in counts) == 1200
    assert sum(count["failed"] for count in counts) == 0
    returned = select(ApplicationEvent.application_id).where(ApplicationEvent.action == Action.RETURN)
    numbers = session.scalars(returned).all()
    assert len(numbers) == len(set(numbers)) == 1200
    assert session.scalar(select(func.count()).where(Application.state == State.RETURNED)) == 1200
    assert healthy()


def test_a_bulk_start_holds_its_graduates_in_one_order(
    installation: Installation, live: Flask, town: World, graduates: list[Member]
) -> None:
    if installation.backend == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    rows = dict(session.execute(select(RegisterRow.id, RegisterRow.member_id)).all())
    first, last = min(rows), max(rows)
    seat, done = town.seat("college"), list[bool]()
    session.rollback()

    def start() -> None:
        with live.app_context(), acting(seat):
            lines = [{"member": rows[number]} for number in (last, first)]
            done.extend(result.ok for result in mass_starts.start_out(seat, WORK, lines))

    def held(connection: Connection, number: int, how: str = "") -> None:
        connection.execute(text(f"SELECT FROM season_register WHERE id = {number} FOR NO KEY UPDATE {how}"))

    def waiting(connection: Connection) -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        found = connection.execute(text(query)).scalar_one()
        connection.rollback()  # else one would look at the same moment again
        return int(found)

    # Given somebody at work on the first of two graduates
    with db.engine.connect() as other, db.engine.connect() as third:
        held(other, first)
        # When a college starts for both, the last one in front
        thread = Thread(target=start)
        thread.start()
        until(lambda: waiting(third) == 1, "the college to wait")
        # Then it waits for the first, and has not taken the last: nobody can wait for it in turn
        held(third, last, "NOWAIT")
        third.rollback()
        other.rollback()
        thread.join(PATIENCE)
    assert done == [True, True]
