"""Killed in the middle, again and again: nothing is lost and nothing is done twice (PD-36)."""

from __future__ import annotations

import functools
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs import schedule
from tests.concurrency import flood
from tests.concurrency.processes import family, processes, sweep, variables
from tests.processes import until
from tests.world import World
from zhtj import doctor, sweeps
from zhtj.config import ROOT
from zhtj.kernel import clock, events
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.kernel.work import queue as work_queue
from zhtj.serve import embedded
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.workflow import Action, State

pytestmark = pytest.mark.slow("several processes at once")

DUE = "2026-10-16T00:00"
AFTER = "2026-10-16T00:01"
MANY = 3000


@pytest.fixture
def flooded(live: Flask) -> Iterator[Flask]:
    """Three thousand applications that all fall due at one moment."""
    with live.app_context():
        flood.applications(World.build(), MANY, due=clock.parse(DUE))
        yield live


def returned() -> int:
    """How many have gone back by now."""
    session.rollback()
    return session.scalar(select(func.count()).where(Application.state == State.RETURNED)) or 0


def further_than(number: int) -> bool:
    return returned() > number


def nothing_is_half_done() -> None:
    """Each returned application has exactly one return in its history and one in the audit log; no other has any."""
    session.rollback()
    gone = set(session.scalars(select(Application.id).where(Application.state == State.RETURNED)))
    told = session.scalars(select(ApplicationEvent.application_id).where(ApplicationEvent.action == Action.RETURN))
    audited = session.scalars(select(AuditEvent.subject_id).where(AuditEvent.action == "transfer.return"))
    for found in (told, audited):
        assert Counter(found) == dict.fromkeys(gone, 1)
    assert [finding for finding in doctor.examine() if finding.broken] == []


@pytest.mark.rule("PD-36")
def test_a_sweep_that_is_killed_again_and_again_ends_as_if_it_never_was(flooded: Flask, clock_at) -> None:
    chance = random.Random(7)
    # Given sweepers ready to start
    starts = [family().Event() for _ in range(4)]
    with processes(*((sweep, variables(flooded, AFTER), 25, start) for start in starts)) as sweepers:
        for sweeper, start in zip(sweepers, starts, strict=True):
            goal = returned() + chance.randrange(200)
            start.set()
            # When each is killed outright somewhere in its work
            until(functools.partial(further_than, goal), "the sweep to get on")
            time.sleep(chance.random() / 50)
            sweeper.kill()
            sweeper.join()
            # Then what it did is done, and what it did not do is whole
            nothing_is_half_done()
    interrupted = returned()
    assert interrupted > 0
    # And the next sweep does the rest
    clock_at(AFTER)
    assert sweeps.run("return").as_dict() == {
        "found": MANY - interrupted,
        "done": MANY - interrupted,
        "skipped": 0,
        "failed": 0,
    }
    assert returned() == MANY
    nothing_is_half_done()


@contextmanager
def queue(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A queue that may be killed."""
    server = embedded.start(folder)
    try:
        yield server
    finally:
        server.kill()
        server.wait()


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker in a hurry, which sweeps in small chunks."""
    command = [sys.executable, "-m", "tests.concurrency.hurry"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.rule("PD-36")
def test_worker_and_queue_killed_in_the_middle_of_a_sweep_lose_nothing(
    flooded: Flask, tmp_path: Path, clock_at
) -> None:
    # Given a scheduler that has put the sweep into the queue, and a worker in the middle of it
    folder = tmp_path / "q"
    folder.mkdir()
    url = embedded.embedded_redis_url(folder)
    flooded.config["ZHTJ"] = replace(flooded.config["ZHTJ"], redis_url=url)
    environment = variables(flooded, AFTER)
    clock_at(AFTER)
    entries = [entry for entry in schedule.SCHEDULE if entry.name == "sweep-return"]
    with queue(folder) as server, worker(environment) as busy:
        assert schedule.tick(entries) == ["sweep-return"]
        until(lambda: returned() > 0, "the sweep to begin")
        # When both are killed outright
        for process in (busy, server):
            process.kill()
            process.wait()
    interrupted = returned()
    assert 0 < interrupted < MANY
    nothing_is_half_done()
    # And started again, the queue as empty as it comes
    embedded.socket_path(folder).unlink(missing_ok=True)
    with queue(folder), worker(environment):
        assert work_queue.queue().count == 0
        clock_at("2026-10-16T00:02")
        assert schedule.tick(entries) == ["sweep-return"]
        # Then everything has gone back, once
        until(lambda: returned() == MANY, "the sweep to finish")
    nothing_is_half_done()


def test_one_application_that_cannot_be_returned_keeps_no_other_from_it(flooded: Flask, clock_at, monkeypatch) -> None:
    # Given one among three thousand on which a room above stumbles
    victim = session.scalar(select(func.min(Application.id)))
    publish = events.publish

    def stumble(event: ApplicationsChanged) -> None:
        if victim in event.ids:
            raise RuntimeError("no letter can be voided here")
        publish(event)

    monkeypatch.setattr(events, "publish", stumble)
    clock_at(AFTER)
    # When the sweep runs
    counts = sweeps.run("return")
    # Then all others are returned, and the one is counted and stays as it was
    assert (counts.found, counts.done, counts.skipped, counts.failed) == (MANY, MANY - 1, 0, 1)
    assert session.get_one(Application, victim).state is State.AWAITING_ACCEPTANCE
    nothing_is_half_done()
    # And once the cause is gone, it goes too
    monkeypatch.undo()
    assert sweeps.run("return").done == 1
