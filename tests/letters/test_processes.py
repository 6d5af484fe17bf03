"""Two issuers at once, and a worker that is killed three times, in processes of their own (PD-27)."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.concurrency.processes import family, processes, variables
from tests.letters.processes import Order, press, work
from tests.processes import until
from tests.transfers.steps import apply
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.letters.many import letter_batches
from zhtj.letters.many import print_files as batch_files
from zhtj.letters.many.models import BatchState, LetterBatch, LetterFile
from zhtj.letters.models import Letter, LetterSeries
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition

NOW = "2026-10-14T09:00"
EACH = int(os.environ.get("ZHTJ_PRESS", "60"))
"""Letters each of two issuers presses; 500 shows the whole of it."""
MANY = int(os.environ.get("ZHTJ_BATCH", "40"))
"""Letters in the batch whose worker is killed."""
DETAILS = Details(dues_until=date(2026, 9, 1), file_disposition=FileDisposition.KEPT)
TYPED = {"dues_until": "2026-09", "file_disposition": "kept"}


@pytest.fixture
def town(live: Flask) -> Iterator[World]:
    with live.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            session.merge(world.orgs["university"]).phone = "0551-65500000"
        yield world


def numbers() -> list[int]:
    session.rollback()
    return list(session.scalars(select(Letter.number).order_by(Letter.number)))


def issued() -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Letter)) or 0


def more_than(count: int) -> bool:
    return issued() > count


@pytest.mark.slow("starts two processes")
@pytest.mark.rule("L-09", "PD-27")
def test_two_processes_press_at_once_and_number_one_after_the_other(live: Flask, town: World) -> None:
    order = Order(town.seat("university"), town.sophomore.id, DETAILS, EACH)
    job = (press, variables(live, NOW), order, family().Barrier(2))
    with processes(job, job) as issuers:
        for issuer in issuers:
            issuer.join(300)
            assert issuer.exitcode == 0
    assert numbers() == list(range(1, 2 * EACH + 1))
    assert session.scalars(select(LetterSeries.last_number)).one() == 2 * EACH


@pytest.mark.slow("starts workers and kills them")
@pytest.mark.rule("L-09", "PD-27")
def test_a_worker_killed_three_times_leaves_all_letters_no_gap_and_no_repeat(live: Flask, town: World) -> None:
    # given a confirmed batch, and workers ready to start
    with unit_of_work():
        members = [town.enrol(f"员{position}", "class1") for position in range(MANY)]
        graduation.open_register()
    applications = [apply(town, member, "company").id for member in members]
    seat = town.seat("university")
    with unit_of_work(), audit.acting(seat):
        number = letter_batches.keep(seat, applications, key="k", title="t", details=TYPED, site="https://x.example/")
    with unit_of_work(), audit.acting(seat):
        letter_batches.confirm(letter_batches.owned(number, seat), seat, {})
    starts = [family().Event() for _ in range(4)]
    with processes(*((work, variables(live, NOW), number, 3, start) for start in starts)) as workers:
        for worker, start in zip(workers[:3], starts[:3], strict=True):
            # when three of them are killed outright, each after it has got on
            before = issued()
            start.set()
            until(functools.partial(more_than, before), "the worker to issue")
            worker.kill()
            worker.join()
        # and the fourth does the rest
        starts[3].set()
        workers[3].join(300)
        assert workers[3].exitcode == 0
    # then everybody has his letter, no number was used twice, none is missing, and every file is there
    assert numbers() == list(range(1, MANY + 1))
    assert set(Counter(session.scalars(select(Letter.application_id))).values()) == {1}
    batch = session.get_one(LetterBatch, number, populate_existing=True)
    assert (batch.state, batch.issued, batch.failed) == (BatchState.DONE, MANY, 0)
    printed = session.scalars(select(LetterFile.letters).where(LetterFile.batch_id == number)).all()
    assert sum(printed) == MANY
    assert len(printed) == -(-MANY // batch_files.A_FILE)
