"""Numbers under concurrency: consecutive, none twice, none missing (L-09, PD-27)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from tests.transfers.steps import apply
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict
from zhtj.kernel.permissions import ActiveSeat
from zhtj.letters import operations
from zhtj.letters.models import Letter, LetterSeries
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition, LetterReason
from zhtj.people.models import Member
from zhtj.transfers.models import Application

EACH = 100
DETAILS = Details(dues_until=date(2026, 9, 1), file_disposition=FileDisposition.KEPT)


class CrashError(Exception):
    """Stands for a process that dies before its commit."""


def cut_off(turn: int) -> None:
    """Every tenth time something happens before the commit."""
    if turn % 10 == 9:
        raise CrashError


def together(live: Flask, *works: Callable[[], None]) -> list[BaseException | None]:
    """Run each work in a thread of its own, all starting at once; returns what each raised."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        with live.app_context():
            gate.wait()
            try:
                work()
            finally:
                session.remove()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.exception() for future in [pool.submit(run, work) for work in works]]


@dataclass
class Office:
    """A school's seat, and a graduate with an application on his way out."""

    seat: ActiveSeat
    member_id: int
    application_id: int


@pytest.fixture
def office(live: Flask) -> Office:
    with live.app_context():
        world = World.build()
        with unit_of_work():
            session.merge(world.orgs["university"]).phone = "0551-65500000"
        seat, member_id = world.seat("university"), world.graduate.id
        application_id = apply(world, world.graduate, "company").id
        session.remove()
    return Office(seat, member_id, application_id)


@pytest.mark.slow("two at once, many letters")
@pytest.mark.rule("PD-27")
def test_two_issuers_at_once_leave_no_gap_and_repeat_nothing(live, office):
    # given two people of one committee who issue at the same time, and now and then one of them is cut off
    def press():
        for turn in range(EACH):
            with suppress(CrashError), unit_of_work():
                member = session.get_one(Member, office.member_id)
                reason = (LetterReason.FURTHER_STUDY, "")
                operations.issue_offline(member, "共青团北京示范大学委员会", reason, office.seat, DETAILS)
                cut_off(turn)

    assert together(live, press, press) == [None, None]
    # then the numbers of what was issued are 1, 2, 3 … without a gap
    with live.app_context():
        numbers = session.scalars(select(Letter.number).order_by(Letter.number)).all()
        assert numbers == list(range(1, 2 * EACH * 9 // 10 + 1))
        assert session.scalars(select(LetterSeries.last_number)).one() == len(numbers)


@pytest.mark.rule("PD-27")
def test_of_two_letters_for_one_application_one_is_issued(live, office):
    # given one application and two people who press the button at the same moment
    def press():
        with unit_of_work():
            operations.issue(session.get_one(Application, office.application_id), office.seat, DETAILS)

    raised = [error for error in together(live, press, press) if error is not None]
    # then one letter exists, it has number 1, and the other is told
    assert [type(error) for error in raised] == [Conflict]
    with live.app_context():
        assert session.scalars(select(Letter.number)).all() == [1]
        assert session.scalars(select(LetterSeries.last_number)).one() == 1
