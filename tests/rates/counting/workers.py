"""Processes that change what is counted, as fast as they can, until somebody kills them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from zhtj import sweeps
from zhtj.factory import create_app
from zhtj.graduation import destinations, season_register
from zhtj.graduation.destinations import Given
from zhtj.graduation.models import CloseReason, RegisterRow
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.deciding import decisions
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import OPEN, Action, State

EMPLOYED: dict[str, Any] = {"reason": "employed_with_org", "unit_name": "示例科技有限公司"}
MANY = 40  # graduates at once, at most
Seats = dict[int, ActiveSeat]  # of a branch's secretary, by branch


def work(environment: dict[str, str], seed: int, seats: Seats, counted: Any, troubles: Any) -> None:
    """Do one random thing after another.

    Args:
        environment: of the application.
        seed: of chance.
        seats: secretaries of the branches where graduates go.
        counted: how many graduates' affairs were changed and committed, by this process alone.
        troubles: how often the database gave up.
    """
    chance, app = random.Random(seed), create_app(environment)
    with app.app_context():
        everybody = list(session.scalars(select(Member.id).order_by(Member.id)))
        while True:
            try:
                counted.value += _something(chance, everybody, seats)
            except DomainError:
                pass  # another one was faster
            except OperationalError:
                troubles.value += 1
            session.remove()


def _something(chance: random.Random, everybody: Sequence[int], seats: Seats) -> int:
    some = sorted(chance.sample(everybody, chance.randint(1, MANY)))
    deed = chance.choice(DEEDS)
    if deed is _sweep:
        return _sweep()
    with audit.acting(next(iter(seats.values()))), unit_of_work():
        return deed(chance, some, seats)


def _close(_chance: random.Random, some: Sequence[int], _seats: Seats) -> int:
    return season_register.close(some, CloseReason.TEACHER)


def _reopen(_chance: random.Random, some: Sequence[int], _seats: Seats) -> int:
    return season_register.reopen(some, CloseReason.TEACHER)


def _categorise(chance: random.Random, some: Sequence[int], _seats: Seats) -> int:
    done, wanted = 0, chance.choice([Given("further_study", unit_name="淮上示范大学"), Given("unplaced")])
    for row in session.scalars(select(RegisterRow).where(RegisterRow.member_id.in_(some)).order_by(RegisterRow.id)):
        if not destinations.frozen_why(row):
            destinations.enter(row, wanted)
            done += 1
    return done


def _submit(chance: random.Random, some: Sequence[int], seats: Seats) -> int:
    done = 0
    season_register.hold(members=some[:6])
    for number in some[:6]:
        member, to = session.get_one(Member, number), session.get_one(Organisation, chance.choice(list(seats)))
        try:
            with session.begin_nested():
                operations.submit(Submission(member, to, **EMPLOYED), _own(member))
        except DomainError:
            continue
        done += 1
    return done


def _own(member: Member) -> ActiveSeat:
    return ActiveSeat(SeatKind.MEMBER, member.account_id, None, member.org_id, member.org.path, member.id)


def _decide(chance: random.Random, _some: Sequence[int], seats: Seats) -> int:
    """A branch accepts, or refuses, several together."""
    branch = chance.choice(list(seats))
    query = select(Application).where(Application.to_org_id == branch, Application.state == State.AWAITING_ACCEPTANCE)
    found = list(session.scalars(query.order_by(Application.id).limit(chance.randint(1, 12))))
    action = chance.choice([Action.ACCEPT, Action.REFUSE])
    errors = decisions.decide(found, seats[branch], action, ground="other", remark="手续还没有办完")
    return len(found) - len(errors)


def _withdraw(chance: random.Random, some: Sequence[int], _seats: Seats) -> int:
    query = select(Application).where(Application.member_id.in_(some), Application.state.in_(OPEN))
    found = list(session.scalars(query.order_by(Application.id).limit(6)))
    return sum(not decisions.decide([each], _own(each.member), Action.WITHDRAW) for each in found)


def _sweep(*_nothing: object) -> int:
    return sweeps.run("return").done


DEEDS: tuple[Callable[[random.Random, Sequence[int], Seats], int], ...] = (
    *(_close, _close, _reopen, _reopen, _categorise, _categorise),
    *(_submit, _decide, _decide, _withdraw, _sweep),
)
