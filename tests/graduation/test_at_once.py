"""Two who say something of the same graduate at the same moment: the later is whoever is committed later (PD-09)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.world import World
from zhtj.graduation import destinations, queries
from zhtj.graduation.destinations import Given
from zhtj.graduation.models import GraduateCategory, RegisterEvent, RegisterRow
from zhtj.kernel import audit
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission

SOCIETY, STUDY = GraduateCategory.SOCIETY, GraduateCategory.FURTHER_STUDY
WAIT = 20  # seconds, on the busiest machine
Deed = Callable[[], object]


@pytest.fixture
def registered(live: Flask) -> Iterator[World]:
    """A graduate of whom is said that he has found nothing yet."""
    with live.app_context():
        world = World.build()
        with unit_of_work():
            destinations.enter(_row(world.graduate.id), Given("unplaced"))
        yield world
        session.rollback()


def _row(member_id: int) -> RegisterRow:
    row = queries.register_row(member_id, 2026)
    assert row is not None
    return row


def meanwhile(app: Flask, first: tuple[Deed, ActiveSeat], second: tuple[Deed, ActiveSeat]) -> list[BaseException]:
    """Do the second while what the first has written is not committed yet. Returns what went wrong."""
    written, begun, failed = threading.Event(), threading.Event(), list[BaseException]()

    def earlier() -> None:
        first[0]()
        written.set()
        assert begun.wait(WAIT)
        time.sleep(0.5)  # whoever does not wait for this one has read what stood before it by now

    def run(deed: Deed, seat: ActiveSeat) -> None:
        with app.app_context():
            try:
                with audit.acting(seat), unit_of_work():
                    deed()
            except BaseException as error:  # noqa: BLE001 - told to the test
                failed.append(error)
            finally:
                db.session.remove()

    threads = [
        threading.Thread(target=run, args=(earlier, first[1])),
        threading.Thread(target=run, args=second),
    ]
    threads[0].start()
    assert written.wait(WAIT)
    threads[1].start()
    begun.set()
    for thread in threads:
        thread.join(2 * WAIT)
    return failed


@pytest.mark.rule("PD-09")
@pytest.mark.parametrize("later", ["registers", "applies"])
def test_the_later_wins_though_it_began_before_the_earlier_was_committed(
    registered: World, live: Flask, later: str
) -> None:
    member_id, to_id = registered.graduate.id, registered.orgs["team"].id
    college, own = registered.seat("college"), registered.own_seat(registered.graduate)
    session.rollback()

    def studies() -> None:
        destinations.enter(_row(member_id), Given("further_study", "黄山师范大学"))

    def registers() -> None:
        destinations.enter(_row(member_id), Given("unplaced"))

    def applies() -> None:
        member, to = session.get_one(Member, member_id), session.get_one(Organisation, to_id)
        operations.submit(Submission(member, to, "employed_with_org", unit_name="示例科技有限公司"), own)

    # When his college registers further study, and meanwhile somebody says once more what was said before
    second = (registers, college) if later == "registers" else (applies, own)
    assert not meanwhile(live, (studies, college), second)
    # Then both have been heard, one after the other, and the second is the later
    session.expire_all()
    row = _row(member_id)
    assert row.category is SOCIETY
    told = session.scalars(select(RegisterEvent.after).where(RegisterEvent.row_id == row.id).order_by(RegisterEvent.id))
    assert list(told) == [SOCIETY, STUDY, SOCIETY]
