"""What other processes do with letters on the same database: press, issue batches, print files - until killed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.concurrency.processes import PATIENCE
from zhtj.factory import create_app
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat
from zhtj.letters import operations
from zhtj.letters.many import letter_batches
from zhtj.letters.many import print_files as batch_files
from zhtj.letters.many.models import LetterBatch
from zhtj.letters.operations import Details
from zhtj.letters.record import LetterReason
from zhtj.people.models import Member

ELSEWHERE = "共青团北京示范大学委员会"


@dataclass(frozen=True)
class Order:
    """So many letters about one member, to be pressed in one seat."""

    seat: ActiveSeat
    member_id: int
    details: Details
    times: int


def press(environment: dict[str, str], order: Order, together: Any) -> None:
    """Issue them one after another, each in a transaction of its own."""
    app = create_app(environment)
    with app.app_context():
        session.connection()
        session.rollback()
        together.wait(PATIENCE)
        for _ in range(order.times):
            with unit_of_work():
                member = session.get_one(Member, order.member_id)
                reason = (LetterReason.FURTHER_STUDY, "")
                operations.issue_offline(member, ELSEWHERE, reason, order.seat, order.details)


def work(environment: dict[str, str], number: int, chunk: int, start: Any, share: tuple[int, int] = (0, 1)) -> None:
    """Do what the jobs of a batch do, until it is done.

    Args:
        environment: of the application.
        number: id of the batch.
        chunk: letters a transaction.
        start: what to wait for.
        share: which part of the files it prints, of how many.
    """
    app = create_app(environment)
    letter_batches.CHUNK = chunk
    which, parts = share
    with app.app_context():
        session.connection()
        session.rollback()
        assert start.wait(PATIENCE)
        while not letter_batches.issue(number):
            time.sleep(0.05)  # another one has the lines in hand
        batch = session.get_one(LetterBatch, number, populate_existing=True)
        for place in batch_files.missing(batch):
            if place % parts == which:
                batch_files.print_file(number, place)
