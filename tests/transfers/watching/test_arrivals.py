"""Who has arrived, and what his new organisation still has to do for him (U-26, A-30)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from tests.transfers.steps import acting, apply, do
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.people.models import Member
from zhtj.transfers import operations
from zhtj.transfers.watching import arrivals
from zhtj.transfers.watching.arrivals import ArrivalFilters, Arrived, Ticks

TODO, DONE = ArrivalFilters("todo"), ArrivalFilters("done")


def bring(world: World, member: Member, to: str = "team") -> Member:
    application = apply(world, member, to)
    do(operations.accept, application, world.seat(to))
    session.expire_all()
    return session.get_one(Member, member.id)


def shown(world: World, key: str, filters: ArrivalFilters | None = None) -> list[Arrived]:
    session.expire_all()
    return list(arrivals.listing(world.seat(key), filters or ArrivalFilters()).page().rows)


@pytest.mark.rule("A-30", "U-26")
def test_acceptance_puts_him_on_the_new_organisations_list(world: World) -> None:
    bring(world, world.graduate)
    (line,) = shown(world, "team")
    assert line.arrival.member.name == "丁一"
    assert line.left == ["联系本人", "更新信息", "线下报到", "团费起交月份"]
    assert line.application.from_org.id == world.orgs["class1"].id
    assert arrivals.count(world.seat("team"), TODO) == arrivals.count(world.seat("company"), TODO) == 1
    assert shown(world, "class1") == shown(world, "college") == []


@pytest.mark.rule("U-26")
def test_what_is_ticked_off_for_many_leaves_the_list_of_what_is_to_do(world: World) -> None:
    members, seat = [bring(world, each) for each in (world.graduate, world.classmate)], world.seat("team")
    today = date(2026, 10, 14)
    with acting(seat):
        assert arrivals.tick(seat, members, Ticks(contacted_on=today, informed_on=today, reported_on=today)) == 2
    assert [line.left for line in shown(world, "team", TODO)] == [["团费起交月份"]] * 2
    with acting(seat):
        assert arrivals.tick(seat, members[:1], Ticks(dues_from=date(2026, 11, 1))) == 1
    assert [line.arrival.member.name for line in shown(world, "team", DONE)] == ["丁一"]
    assert [line.arrival.member.name for line in shown(world, "team", TODO)] == ["卜喆"]
    audited = session.scalars(select(AuditEvent).where(AuditEvent.action == "arrival.tick")).all()
    assert len(audited) == 3


def test_a_day_that_is_known_stays_and_can_be_corrected(world: World, clock_at: Any) -> None:
    member, seat = bring(world, world.graduate), world.seat("team")
    with acting(seat):
        arrivals.tick(seat, [member], Ticks(contacted_on=date(2026, 10, 14)))
    clock_at("2026-10-20T09:00")
    with acting(seat):
        assert arrivals.tick(seat, [member], Ticks(contacted_on=date(2026, 10, 20))) == 0
    assert shown(world, "team")[0].arrival.contacted_on == date(2026, 10, 14)
    with acting(seat):
        arrivals.correct(seat, member, {"contacted_on": None, "reported_on": date(2026, 10, 19)})
    (line,) = shown(world, "team")
    assert (line.arrival.contacted_on, line.arrival.reported_on) == (None, date(2026, 10, 19))


@pytest.mark.parametrize(
    "done",
    [
        Ticks(),
        Ticks(contacted_on=date(2026, 10, 15)),
        Ticks(reported_on=date(2026, 10, 13)),
        Ticks(dues_from=date(2026, 9, 1)),
    ],
)
def test_days_that_cannot_be_are_refused(world: World, done: Ticks) -> None:
    member, seat = bring(world, world.graduate), world.seat("team")
    with pytest.raises(DomainError), unit_of_work():
        arrivals.tick(seat, [member], done)


def test_only_who_looks_after_him_may_tick(world: World) -> None:
    member = bring(world, world.graduate)
    done = Ticks(contacted_on=date(2026, 10, 14))
    assert not shown(world, "province")[0].may_tick
    for key in ("county", "college"):
        with pytest.raises(Forbidden), unit_of_work():
            arrivals.tick(world.seat(key), [member], done)
    assert shown(world, "company")[0].may_tick
    with pytest.raises(DomainError, match="不是经转接"), unit_of_work():
        arrivals.tick(world.seat("team"), [world.employee], done)


def test_who_has_moved_on_is_nobodys_work(world: World) -> None:
    member = bring(world, world.graduate)
    application = apply(world, member, "floating", reason="unplaced", place="residence")
    do(operations.accept, application, world.seat("township"))
    (line,) = shown(world, "team")
    assert (line.is_here, line.left, line.may_tick) == (False, [], False)
    assert arrivals.count(world.seat("team"), TODO) == 0
    assert arrivals.count(world.seat("township"), TODO) == 1


def test_filters_and_order(world: World, clock_at: Any) -> None:
    bring(world, world.graduate)
    clock_at("2026-10-15T09:00")
    bring(world, world.classmate)
    assert [line.arrival.member.name for line in shown(world, "company")] == ["卜喆", "丁一"]
    assert [line.arrival.member.name for line in shown(world, "company", ArrivalFilters(text="丁"))] == ["丁一"]
    assert shown(world, "company", ArrivalFilters(org_id=world.orgs["class1"].id)) == []
    assert len(shown(world, "company", ArrivalFilters(org_id=world.orgs["team"].id))) == 2
    assert [branch.id for branch in arrivals.branches(world.seat("company"))] == [world.orgs["team"].id]


@pytest.mark.slow("more people than a page holds")
def test_pages_turn_through_everybody_once(world: World, clock_at: Any) -> None:
    with unit_of_work():
        people = [world.enrol(f"多{number:02}", "class1") for number in range(21)]
        graduation.open_register()
    for number, member in enumerate(people):
        clock_at(f"2026-10-14T10:{number // 2:02}")
        bring(world, member)
    seat = world.seat("team")
    listing = arrivals.listing(seat, ArrivalFilters())
    first = listing.page()
    second = listing.page(after=first.after)
    assert [line.arrival.member.name for line in (*first.rows, *second.rows)] == [
        f"多{number:02}" for number in reversed(range(21))
    ]
    assert second.after == ""
    back = listing.page(before=second.before)
    assert [line.application.id for line in back.rows] == [line.application.id for line in first.rows]
