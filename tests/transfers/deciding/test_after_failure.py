"""After a refusal, a return, a withdrawal: whom one rings up and what one does, by what was said and by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.transfers.steps import acting, apply, do, start
from tests.world import World
from zhtj import sweeps
from zhtj.kernel.database import session, unit_of_work
from zhtj.transfers import operations, queries
from zhtj.transfers.applying.situations import special_unit
from zhtj.transfers.deciding import after_failure
from zhtj.transfers.deciding.after_failure import GUIDANCE, EndedBy, Ending
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground, grounds
from zhtj.transfers.workflow import State
from zhtj.web.member.applications import plea
from zhtj.web.member.outside import asked
from zhtj.web.rendering.history import decisive

Move = Callable[[str], None]
# Whoever says no, and where the application stands when he does.
REFUSERS: Mapping[EndedBy, State] = {
    EndedBy.OLD: State.AWAITING_RELEASE,
    EndedBy.NEW: State.AWAITING_ACCEPTANCE,
    EndedBy.SUPERIOR: State.AWAITING_ACCEPTANCE,
    EndedBy.PROVINCE: State.AWAITING_PROVINCE,
}
KEYS = {EndedBy.OLD: "class1", EndedBy.NEW: "team", EndedBy.SUPERIOR: "university", EndedBy.PROVINCE: "province"}
EVERY = [(side, ground) for side, state in REFUSERS.items() for ground in grounds(state) if not ground.forbidden_by]
# What the first thing is that has to be done, and by whom: the words that no other ground has.
FIRST = {
    Ground.NOT_OURS: "选错了的，改选组织",
    Ground.WORKS_ELSEWHERE: "改转到实际工作的单位",
    Ground.FILE_UNVERIFIED: "请先补齐团员档案",
    Ground.JOINED_MISMATCH: "核对并出具书面说明",
    Ground.NOT_LEAVING: "您确实要转的",
    Ground.WRONG_DESTINATION: "核对应当转到哪里",
    Ground.NOT_PASSED: "把政审、体检等手续办完",
    Ground.NO_SPECIAL_UNIT: "按实际去向改选",
    Ground.WRONG_DATA: "改正写错的地方",
    Ground.BARRED: "坚持申请也不能办理",
    Ground.OTHER: "问清原因",
}
AT_OWN_SCHOOL = {Ground.FILE_UNVERIFIED, Ground.JOINED_MISMATCH}


@pytest.fixture
def reachable(world: World) -> World:
    """Everybody has an office number of his own, so that one sees whose is named."""
    with unit_of_work():
        for position, key in enumerate(world.orgs):
            session.merge(world.orgs[key]).phone = phone(position)
    return world


def phone(position: int) -> str:
    return f"0551-6555{position:04d}"


def phone_of(world: World, key: str) -> str:
    return phone(list(world.orgs).index(key))


def begun(world: World, side: EndedBy) -> Application:
    """An application that waits for this side."""
    own = world.own_seat(world.graduate)
    if side is EndedBy.OLD:
        return start(world.seat("team"), world.graduate, world.orgs["team"])
    if side is EndedBy.NEW:
        return apply(world, world.graduate, "team")
    if side is EndedBy.SUPERIOR:
        words = {"reason": "other", "remark": "留在本校其他支部", "confirmed": True}
        return start(world.seat("college"), world.graduate, world.orgs["class2"], **words)
    with acting(own):
        wanted = special_unit(world.graduate, remark="参军入伍，政审、体检已通过", confirmed=True)
        return operations.submit(wanted, own)


def ended(world: World, number: int) -> tuple[Application, Ending]:
    session.expire_all()
    found = queries.application(world.own_seat(world.graduate), number)
    ending = after_failure.ending(found, decisive(found))
    assert ending is not None
    return found, ending


def refused(world: World, side: EndedBy, ground: Ground) -> tuple[Application, Ending]:
    application = begun(world, side)
    assert application.state is REFUSERS[side]
    if ground is Ground.BARRED and side is not EndedBy.OLD:
        assert ground in grounds(application.state)
    do(operations.refuse, application, world.seat(KEYS[side]), ground, "请按说明办理")
    return ended(world, application.id)


@pytest.mark.rule("A-17", "A-23")
@pytest.mark.slow("one refusal for each ground and side")
@pytest.mark.parametrize(("side", "ground"), EVERY)
def test_text_number_and_next_step_follow_from_the_ground(reachable: World, side: EndedBy, ground: Ground) -> None:
    world = reachable
    application, ending = refused(world, side, ground)
    # Then it is said whose doing it was, and what to do, in words that are this ground's alone
    assert (ending.side, ending.who.id) == (side, world.orgs[KEYS[side]].id)
    assert FIRST[ground] in ending.guidance.text
    assert [each for each, row in GUIDANCE.items() if FIRST[ground] in row.text] == [ground]
    # And the number is the refuser's, or that of the school that has to do something first
    where = "university" if ground in AT_OWN_SCHOOL else KEYS[side]
    assert asked(application).phone == phone_of(world, where)
    # And what is sent to the teachers names the refuser and the ground
    words = plea(application)
    who = world.orgs[KEYS[side]].short_name
    assert f"{who}没有同意，理由是“{ground.label}”" in words
    assert (phone_of(world, KEYS[side]) in words) == (ground not in AT_OWN_SCHOOL)
    assert ("我的去向没有变" in words) == (ground in {Ground.NOT_OURS, Ground.OTHER})


@pytest.mark.rule("A-17", "A-16")
def test_every_ground_has_its_guidance() -> None:
    assert set(GUIDANCE) == set(Ground)


@pytest.mark.rule("A-23", "A-24")
@pytest.mark.parametrize("side", [EndedBy.OLD, EndedBy.NEW, EndedBy.SUPERIOR])
def test_after_a_return_one_rings_up_who_let_it_lapse(reachable: World, clock_at: Move, side: EndedBy) -> None:
    world = reachable
    application = begun(world, side)
    clock_at("2026-10-25T01:00")
    assert sweeps.run("return").done == 1
    found, ending = ended(world, application.id)
    assert (ending.side, ending.who.id) == (side, world.orgs[KEYS[side]].id)
    assert asked(found).phone == phone_of(world, KEYS[side])
    assert f"{world.orgs[KEYS[side]].short_name}没有在期限内办理" in plea(found)


@pytest.mark.rule("A-23", "A-18")
def test_after_a_withdrawal_one_rings_up_who_withdrew(reachable: World) -> None:
    world = reachable
    # Taken back by the company that had started it
    application = begun(world, EndedBy.OLD)
    do(operations.withdraw, application, world.seat("team"), remark="名额已满")
    found, ending = ended(world, application.id)
    assert asked(found).phone == phone_of(world, "team")
    assert "研发团支部" in ending.guidance.text
    assert plea(found) == ""
    # Taken back by himself: there is nobody to ask but his own class
    application = begun(world, EndedBy.NEW)
    do(operations.withdraw, application, world.own_seat(world.graduate))
    found, _ = ended(world, application.id)
    assert asked(found).phone == phone_of(world, "class1")
