"""Fifty threads in two processes on the same twenty applications: each ends in one state with one matching history."""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.concurrency.processes import family, processes, variables
from tests.transfers.steps import apply
from tests.world import World
from zhtj import doctor, sweeps
from zhtj.factory import create_app
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.people.models import Membership
from zhtj.transfers import operations
from zhtj.transfers.models import Application, ApplicationEvent, Arrival
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, State

pytestmark = pytest.mark.slow("several processes at once")

APPLICATIONS, THREADS, PROCESSES = 20, 25, 2
PATIENCE = 240
ENDS = {
    Action.ACCEPT: State.COMPLETED,
    Action.REFUSE: State.REFUSED,
    Action.WITHDRAW: State.WITHDRAWN,
    Action.RETURN: State.RETURNED,
}


def act(action: str, number: int, seat: ActiveSeat) -> str:
    """One attempt; what came of it."""
    if action == "sweep":
        sweeps.run("return")
        return "swept"
    try:
        with audit.acting(seat), unit_of_work():
            application = session.get_one(Application, number)
            if action == "accept":
                operations.accept(application, seat)
            elif action == "refuse":
                operations.refuse(application, seat, Ground.NOT_OURS, "经核实，去向与本单位无关")
            else:
                operations.withdraw(application, seat)
    except Conflict as error:
        return f"late: {error}"
    except DomainError as error:
        return f"wrong: {error}"
    return action


def crowd(
    environment: dict[str, str], tasks: list[list[tuple[str, int, ActiveSeat]]], start: Any, answers: Any
) -> None:
    """Threads of one process, each working through its own list as soon as all are ready."""
    app = create_app(environment)
    said: list[str] = []

    def work(own: list[tuple[str, int, ActiveSeat]]) -> None:
        with app.app_context():
            for action, number, seat in own:
                try:
                    said.append(act(action, number, seat))
                except Exception as error:  # noqa: BLE001 - told to the test
                    said.append(f"crash: {error!r}")
                finally:
                    session.remove()

    threads = [threading.Thread(target=work, args=(own,)) for own in tasks]
    start.wait(PATIENCE)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(said)


def test_each_of_twenty_applications_ends_once_whoever_presses(live: Flask) -> None:
    with live.app_context():
        # Given twenty applications that fall due in a moment, with the clock running
        town = World.build()
        with unit_of_work():
            members = [town.enrol(f"员{number}", "class1") for number in range(APPLICATIONS)]
            graduation.open_register()
        found = [apply(town, member, "team") for member in members]
        due = found[0].due_at
        assert due is not None
        seats = {"accept": town.seat("team"), "refuse": town.seat("team")}
        owners = {one.id: town.own_seat(one.member) for one in found}
        start = clock.local(due - timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%S")
        # When fifty threads in two processes accept, refuse, withdraw and sweep them, each in an order of its own
        chance = random.Random(11)
        tasks = []
        for position in range(THREADS * PROCESSES):
            action = ("accept", "refuse", "withdraw", "sweep", "withdraw")[position % 5]
            own = [(action, one.id, seats.get(action, owners[one.id])) for one in found]
            chance.shuffle(own)
            tasks.append(own if action != "sweep" else own[:4])
        ready, answers = family().Barrier(PROCESSES), family().Queue()
        environment = variables(live, start) | {"ZHTJ_NOW": start}
        jobs = [(crowd, environment, tasks[n::PROCESSES], ready, answers) for n in range(PROCESSES)]
        with processes(*jobs):
            said = Counter(answer.split(":")[0] for _ in jobs for answer in answers.get(timeout=PATIENCE))
        sweeps.run("return", due)
        # Then nobody met anything but success or the word that another was first
        assert set(said) <= {"accept", "refuse", "withdraw", "swept", "late"}, said
        session.rollback()
        done: Counter[str] = Counter()
        for one in found:
            application = session.get_one(Application, one.id)
            history = list(
                session.scalars(
                    select(ApplicationEvent)
                    .where(ApplicationEvent.application_id == one.id)
                    .order_by(ApplicationEvent.id)
                )
            )
            # and each application has one end, with one matching line in history and log
            assert history[0].action is Action.SUBMIT
            assert len(history) == 2
            assert application.state is ENDS[history[1].action] is history[1].to_state
            assert application.version == 2
            logged = select(AuditEvent.action).where(
                AuditEvent.subject_type == "application", AuditEvent.subject_id == one.id
            )
            assert sorted(session.scalars(logged)) == sorted(["transfer.submit", f"transfer.{history[1].action.value}"])
            moved = application.state is State.COMPLETED
            stays = select(Membership.org_id).where(
                Membership.member_id == one.member_id, Membership.ended_at.is_(None)
            )
            assert session.scalars(stays).all() == [town.orgs["team" if moved else "class1"].id]
            assert (session.get(Arrival, one.id) is not None) == moved
            done[history[1].action.value] += 1
        assert done["accept"] == said["accept"]
        assert done["refuse"] == said["refuse"]
        assert done["withdraw"] == said["withdraw"]
        assert [finding.name for finding in doctor.examine() if finding.broken] == []
