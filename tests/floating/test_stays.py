"""Floating members: tracked from arrival to the next transfer, with two deadlines (T-29, D-16, D-17, R-20)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from tests.browsing import Browser
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do, start
from tests.world import World
from zhtj.floating import operations as floating
from zhtj.floating import queries
from zhtj.floating.models import Occupation, Stay, StayKind
from zhtj.floating.queries import LedgerFilters
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member
from zhtj.people.moves import Move, move_members
from zhtj.people.rules import months_after
from zhtj.transfers import operations
from zhtj.transfers.workflow import State

MOVED = {
    "reason": "relocation",
    "place": "residence",
    "unit_address": "安徽省合肥市蜀山区井岗镇",
    "remark": "搬到镇上居住",
}


@pytest.fixture
def county_branch(world: World) -> None:
    """The county's own floating branch, for the fallback."""
    new = NewOrganisation(
        "安徽省合肥市蜀山区流动团员团支部", "蜀山区流动团员团支部", Category.BRANCH, "农村", purpose=Purpose.FLOATING
    )
    with unit_of_work():
        world.orgs["county_floating"] = orgs.create(session.merge(world.orgs["county"]), new)


def bring(world: World, member: Member, to: str, by: str) -> Member:
    """Take somebody in, started by the receiver or the member as the tree allows."""
    application = apply(world, member, to, **UNPLACED, confirmed=True, remark="本镇暂无条件接收")
    do(operations.accept, application, world.seat(by))
    session.expire_all()
    return session.get_one(Member, member.id)


def rows(world: World, key: str, **filters: Any) -> list[Stay]:
    session.expire_all()
    return list(queries.listing(world.seat(key), LedgerFilters(**filters)).page().rows)


@pytest.mark.rule("T-29", "R-20")
def test_who_comes_into_a_floating_branch_is_tracked_until_he_leaves(world: World) -> None:
    # Given a graduate without a job, who goes to his township
    member = bring(world, world.graduate, "floating", "township")
    (row,) = rows(world, "township")
    assert (row.member_id, row.kind, row.since) == (member.id, StayKind.TOWNSHIP, date(2026, 10, 14))
    assert (row.clear_by, row.due_on, row.deadline) == (None, None, None)
    # When he is moved on to an employer
    second = start(world.own_seat(member), member, world.orgs["team"], **EMPLOYED)
    do(operations.accept, second, world.seat("team"))
    # Then he is nobody's floating member any more
    assert rows(world, "township") == []
    assert session.get_one(Stay, row.id).ended_at is not None


@pytest.mark.rule("T-29", "A-12")
def test_whom_the_township_accepts_first_and_allocates_then_is_tracked_from_that_day(
    world: World, clock_at: Any
) -> None:
    application = apply(world, world.graduate, "township", **UNPLACED)
    do(operations.accept, application, world.seat("township"))
    assert application.state is State.AWAITING_ALLOCATION
    assert rows(world, "township") == []
    clock_at("2026-10-20T09:00")
    do(operations.allocate, application, world.seat("township"), session.merge(world.orgs["floating"]))
    (row,) = rows(world, "township")
    assert (row.member_id, row.kind, row.since) == (world.graduate.id, StayKind.TOWNSHIP, date(2026, 10, 20))
    assert queries.open_stay(world.graduate.id) == row


def test_an_employers_branch_is_not_tracked(world: World) -> None:
    bring_in = apply(world, world.graduate, "team")
    do(operations.accept, bring_in, world.seat("team"))
    assert rows(world, "province") == []


@pytest.mark.rule("D-16")
def test_a_county_has_twelve_months(world: World, county_branch: None, clock_at: Any) -> None:
    member = bring(world, world.graduate, "county_floating", "county")
    (row,) = rows(world, "county")
    assert (row.kind, row.clear_by, row.deadline) == (StayKind.COUNTY, date(2027, 10, 14), date(2027, 10, 14))
    (timer,) = queries.deadlines(world.seat("county"))
    assert (timer.member.id, timer.due_on, timer.rule) == (member.id, date(2027, 10, 14), "D-16")
    clock_at("2027-10-14T23:59")
    assert rows(world, "county", status="late") == []
    clock_at("2027-10-15T00:00")
    assert len(rows(world, "county", status="late")) == 1


@pytest.mark.rule("D-17")
def test_a_job_found_starts_one_month(world: World, clock_at: Any) -> None:
    member, seat = bring(world, world.graduate, "floating", "township"), world.seat("township")
    assert queries.deadlines(seat) == []
    clock_at("2026-12-31T09:00")
    with acting(seat):
        row = floating.found(seat, member, date(2026, 12, 20), "示例科技有限公司")
    # The month runs from the day it was found
    assert (row.found_on, row.due_on, row.deadline) == (date(2026, 12, 20), date(2027, 1, 20), date(2027, 1, 20))
    assert [(each.due_on, each.rule) for each in queries.deadlines(seat)] == [(date(2027, 1, 20), "D-17")]
    clock_at("2027-01-05T09:00")
    with acting(seat):
        row = floating.found(seat, member, date(2026, 12, 21), "示例科技有限公司研发中心")
    assert (row.found_what, row.due_on) == ("示例科技有限公司研发中心", date(2027, 1, 20))
    clock_at("2027-01-21T00:00")
    assert len(rows(world, "township", status="late")) == 1
    with acting(seat):
        floating.lost(seat, member)
    assert queries.deadlines(seat) == []
    with pytest.raises(DomainError), unit_of_work():
        floating.lost(seat, member)


@pytest.mark.rule("PD-20", "D-17")
@pytest.mark.parametrize(
    ("recorded", "due"),
    [
        ("2026-11-20", "2026-12-20"),
        ("2026-12-13", "2026-12-20"),
        ("2026-12-18", "2026-12-25"),
        ("2026-12-21", "2026-12-28"),
        ("2027-03-01", "2027-03-08"),
    ],
)
def test_the_month_runs_from_the_day_found_and_seven_days_always_remain(
    world: World, clock_at: Any, client: FlaskClient, recorded: str, due: str
) -> None:
    # Given somebody who found work on 20 November
    member, seat = bring(world, world.graduate, "floating", "township"), world.seat("township")
    clock_at(f"{recorded}T09:00")
    # When that is recorded
    with acting(seat):
        row = floating.found(seat, member, date(2026, 11, 20), "示例科技有限公司")
    # Then a month is counted from that day, and whoever is past it sees so
    assert row.due_on == date.fromisoformat(due)
    page = Browser(client).login(world.accounts["township"]).get(f"/{seat.kind}/members/{member.id}/onward")
    assert ("已超过一个月，请尽快转出" in page.text) is (recorded > "2026-12-20")


@pytest.mark.rule("D-17")
def test_of_two_deadlines_the_nearer_counts(world: World, county_branch: None, clock_at: Any) -> None:
    member, seat = bring(world, world.graduate, "county_floating", "county"), world.seat("county")
    clock_at("2027-10-01T09:00")
    with acting(seat):
        row = floating.found(seat, member, date(2027, 10, 1), "示例大学")
    assert (row.due_on, row.deadline) == (date(2027, 11, 1), date(2027, 10, 14))
    assert queries.deadlines(seat)[0].rule == "D-16"


@pytest.mark.rule("T-29")
def test_contacts_are_logged_with_what_was_heard(world: World, clock_at: Any) -> None:
    member, seat = bring(world, world.graduate, "floating", "township"), world.seat("township")
    assert len(rows(world, "township", status="quiet")) == 1
    clock_at("2026-11-02T09:00")
    with acting(seat):
        floating.contacted(seat, member, date(2026, 11, 1), "在合肥找工作，已发岗位信息", Occupation.SEEKING)
    (row,) = rows(world, "township")
    assert row.situation is Occupation.SEEKING
    (entry,) = queries.log_of(row)
    assert (entry.on, entry.account.name) == (date(2026, 11, 1), world.accounts["township"].name)
    assert queries.last_contacts([member.id]) == {member.id: date(2026, 11, 1)}
    assert rows(world, "township", status="quiet") == []


def test_what_cannot_be_is_refused(world: World) -> None:
    member, seat = bring(world, world.graduate, "floating", "township"), world.seat("township")
    today, tomorrow = date(2026, 10, 14), date(2026, 10, 15)
    for attempt in (
        lambda: floating.contacted(seat, member, tomorrow, "明天联系", None),
        lambda: floating.contacted(seat, member, date(2026, 10, 13), "还没有来", None),
        lambda: floating.contacted(seat, member, today, "  ", None),
        lambda: floating.found(seat, member, tomorrow, "示例科技"),
        lambda: floating.found(seat, member, today, ""),
        lambda: floating.found(seat, member, today, "长" * 121),
    ):
        with pytest.raises(DomainError), unit_of_work():
            attempt()
    with pytest.raises(Forbidden), unit_of_work():
        floating.found(world.seat("county"), member, today, "示例科技")
    with pytest.raises(DomainError, match="不在流动团员"), unit_of_work():
        floating.found(seat, world.employee, today, "示例科技")


def test_overdue_first_then_whoever_is_due_next(world: World, clock_at: Any) -> None:
    seat = world.seat("township")
    members = [bring(world, each, "floating", "township") for each in (world.graduate, world.classmate)]
    with acting(seat):
        floating.found(seat, members[1], date(2026, 10, 14), "示例科技")
    assert [row.member_id for row in rows(world, "township")] == [members[1].id, members[0].id]
    assert queries.listing(seat, LedgerFilters()).page().is_whole
    assert [row.member_id for row in rows(world, "township", status="found")] == [members[1].id]
    assert [row.member_id for row in rows(world, "township", text="丁")] == [members[0].id]
    assert rows(world, "class1") == []


def test_members_of_a_roster_are_put_on_the_list_once(world: World) -> None:
    with unit_of_work():
        world.enrol("名册在列", "floating")
    seat = world.seat("township")
    assert queries.count_untracked(seat) == 1
    assert queries.count_untracked(world.seat("company")) == 0
    for opened in (1, 0):
        with acting(seat):
            assert floating.track_all(seat, queries.untracked(seat)) == opened
    (row,) = rows(world, "township")
    assert row.since == date(2026, 10, 14)


def test_who_was_moved_by_other_means_is_listed_where_he_is(world: World) -> None:
    member = bring(world, world.graduate, "floating", "township")
    seat = world.seat("township")
    with acting(seat):
        move_members([Move(member.id, world.orgs["floating"].id, world.orgs["team"].id, "test:1")])
    assert rows(world, "township") == []
    with acting(seat):
        move_members([Move(member.id, world.orgs["team"].id, world.orgs["floating"].id, "test:2")])
        session.execute(update(Stay).values(org_id=world.orgs["class2"].id))
        assert queries.count_untracked(seat) == 1
        floating.track_all(seat, queries.untracked(seat))
    assert len(rows(world, "township")) == 1


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 24))
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and _tomorrow(later).month != later.month)


def _tomorrow(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
