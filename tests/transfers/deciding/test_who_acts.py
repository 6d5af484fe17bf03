"""Who may start, decide and start again - and who may not (A-01, A-24, PD-22, PD-33)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.transfers.steps import EMPLOYED, apply, do, start
from tests.world import World, id_number
from zhtj import sweeps
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Forbidden
from zhtj.orgs.policies import national_policy
from zhtj.transfers import operations
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground, low_age
from zhtj.transfers.workflow import Initiator, State

Move = Callable[[str], None]


@pytest.mark.rule("PD-22")
@pytest.mark.parametrize("key", ["county", "city", "province"])
def test_nobody_above_decides_for_who_has_an_administrator(world: World, key: str) -> None:
    with unit_of_work():
        if key not in world.accounts:
            world.appoint(key)
    application = apply(world, world.graduate, "company")
    with pytest.raises(Forbidden):
        do(operations.accept, application, world.seat(key))
    with pytest.raises(Forbidden):
        do(operations.refuse, application, world.seat(key), Ground.NOT_OURS, "与本组织没有关系")
    session.expire_all()
    assert application.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-01", "A-04", "A-09")
def test_the_new_side_starts_and_the_old_side_is_asked(world: World) -> None:
    application = start(world.seat("team"), world.graduate, world.orgs["team"])
    assert (application.initiator, application.state) == (Initiator.NEW_SIDE, State.AWAITING_RELEASE)
    assert application.holder_id == world.orgs["class1"].id
    # And once it agrees he has arrived, for the new side has said yes by starting
    do(operations.release, application, world.seat("class1"))
    assert application.state is State.COMPLETED


@pytest.mark.rule("A-24", "D-09")
@pytest.mark.parametrize("by", ["class1", "team", "own"])
def test_what_waits_for_release_is_returned_and_begun_again_by_each_of_the_three(
    world: World, clock_at: Move, by: str
) -> None:
    application = start(world.seat("team"), world.graduate, world.orgs["team"])
    assert application.state is State.AWAITING_RELEASE
    clock_at("2026-10-25T00:01")
    assert sweeps.run("return").done == 1
    session.expire_all()
    ended = session.get_one(Application, application.id)
    assert ended.state is State.RETURNED
    seat = world.own_seat(world.graduate) if by == "own" else world.seat(by)
    again = start(seat, world.graduate, world.orgs["team"], **EMPLOYED, follows=ended)
    assert again.state.is_open
    assert again.follows_id == ended.id


@pytest.mark.rule("PD-33", "X-09")
@pytest.mark.parametrize(("born", "young"), [(date(2006, 5, 1), False), (date(2006, 5, 2), True)])
def test_thirteen_on_the_first_of_the_month_is_old_enough(world: World, born: date, young: bool) -> None:  # noqa: FBT001
    # Given somebody who joined in May 2019
    with unit_of_work():
        world.graduate.account.id_number = id_number(90, born=born)
        world.graduate.joined_on = date(2019, 5, 20)
    assert national_policy().interface_min_age == 13
    assert low_age(national_policy(), world.graduate) is young
