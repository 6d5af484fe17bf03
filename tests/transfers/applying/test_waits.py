"""The waiting list: nobody applies to a school that is not ready, and everybody hears when it is."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.transfers.steps import apply, start
from tests.world import World
from zhtj import sweeps
from zhtj.kernel import events
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.notices.models import Message
from zhtj.orgs import operations as orgs
from zhtj.orgs.events import OrganisationCreated
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.transfers.applying import waits
from zhtj.transfers.applying.waits import Side
from zhtj.transfers.models import AdmissionWait
from zhtj.transfers.workflow import State

COLLEGE = "普通高等院校"
SOUTH = "江南示范大学"


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        world.add("south", "city", f"共青团{SOUTH}委员会", f"{SOUTH}团委", Category.COMMITTEE, COLLEGE)
        world.add("literature", "south", f"共青团{SOUTH}文学院委员会", "文学院团委", Category.COMMITTEE, COLLEGE)
    world.appoint("south")
    session.commit()
    return world


def ready(world: World, under: str = "south", *, heard: bool = True):
    """The school builds its 新生团组织; ``heard``: whether the event reaches its listeners."""
    new = NewOrganisation(
        f"{SOUTH}2026级新生团支部", "2026级新生团支部", Category.BRANCH, COLLEGE, purpose=Purpose.NEW_STUDENTS
    )
    kept = events._handlers[OrganisationCreated][:]
    if not heard:
        events._handlers[OrganisationCreated].clear()
    try:
        with unit_of_work():
            world.orgs["freshmen"] = orgs.create(session.merge(world.orgs[under]), new)
    finally:
        events._handlers[OrganisationCreated][:] = kept
    return world.orgs["freshmen"]


def wait(member, name: str = SOUTH) -> AdmissionWait:
    with unit_of_work():
        session.refresh(member)
        return waits.join(member, name)


def messages(member) -> list[str]:
    return list(session.scalars(select(Message.body).where(Message.member_id == member.id)))


@pytest.mark.rule("T-09", "T-11", "D-12")
def test_before_the_school_is_ready_nobody_can_apply_and_afterwards_everybody(world):
    study = {"reason": "further_study", "unit_name": SOUTH}
    for seat in (world.own_seat(world.graduate), world.seat("university"), world.seat("south")):
        with pytest.raises(DomainError, match="录取学校还没有建好新生团组织") as refused:
            start(seat, world.graduate, world.orgs["south"], **study)
        assert refused.value.rule == "T-11"

    ready(world)

    application = apply(world, world.graduate, "freshmen", **study)
    assert application.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("T-11")
@pytest.mark.parametrize("under", ["south", "literature"])
def test_everybody_who_waits_is_told_once_the_organisation_is_built(world, under):
    wait(world.graduate)
    wait(world.classmate, f"共青团{SOUTH}委员会")

    ready(world, under)

    for member in (world.graduate, world.classmate):
        (body,) = messages(member)
        assert "江南示范大学已经建好新生团组织：江南示范大学2026级新生团支部" in body
    assert session.scalar(select(func.count()).where(AdmissionWait.told_at.is_(None))) == 0


def test_whoever_waits_for_another_school_is_not_told(world):
    wait(world.graduate, "没有的大学")

    ready(world)

    assert messages(world.graduate) == []


def test_a_school_that_did_not_stand_in_the_tree_is_known_by_its_name_later(world):
    wait(world.graduate, "东方示范大学")
    with unit_of_work():
        world.add("east", "city", "共青团东方示范大学委员会", "东方示范大学团委", Category.COMMITTEE, COLLEGE)
        new = NewOrganisation("东方大新生团支部", "新生团支部", Category.BRANCH, COLLEGE, purpose=Purpose.NEW_STUDENTS)
        orgs.create(world.orgs["east"], new)

    assert len(messages(world.graduate)) == 1
    assert waits.of_member(world.graduate.id).school_id == world.orgs["east"].id


def test_the_sweep_tells_those_who_were_missed_and_nobody_twice(world):
    wait(world.graduate)
    ready(world, heard=False)
    assert messages(world.graduate) == []

    first, second = sweeps.run("waits"), sweeps.run("waits")

    assert (first.done, second.done) == (1, 0)
    assert len(messages(world.graduate)) == 1


def test_joining_twice_is_once_and_another_school_takes_its_place(world):
    one, same = wait(world.graduate), wait(world.graduate)
    other = wait(world.graduate, "没有的大学")

    assert one.id == same.id
    assert waits.of_member(world.graduate.id).id == other.id
    assert session.get(AdmissionWait, one.id).ended_at is not None


def test_for_a_school_that_is_ready_nobody_need_wait(world):
    ready(world)

    with pytest.raises(DomainError, match="已经建好新生团组织，可以直接申请"):
        wait(world.graduate)


def test_whoever_leaves_the_list_or_applies_is_told_no_more(world):
    wait(world.graduate)
    wait(world.classmate)
    with unit_of_work():
        waits.leave(world.graduate)
    apply(world, world.classmate, "company")

    ready(world)

    assert messages(world.graduate) == []
    assert [body for body in messages(world.classmate) if "新生团组织" in body] == []


def test_both_schools_see_their_own_side_of_the_list(world):
    wait(world.graduate)
    new, old = world.seat("south"), world.seat("university")

    assert [each.member_id for each in waits.listing(new, Side.COMING).page().rows] == [world.graduate.id]
    assert [each.member_id for each in waits.listing(old, Side.OWN).page().rows] == [world.graduate.id]
    assert (waits.listing(new, Side.OWN).count(), waits.listing(old, Side.COMING).count()) == (0, 0)
    (row,) = waits.listing(new, Side.COMING).page().rows
    assert waits.schools_of([row])[row.id].short_name == "江淮示范大学团委"
    assert waits.listing(world.seat("company"), Side.COMING).count() == 0


def test_a_typed_name_of_nothing_is_refused(world):
    with pytest.raises(DomainError, match="请填写录取学校全称"):
        wait(world.graduate, "  ")
