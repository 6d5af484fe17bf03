"""Figures of any past day, the frozen season, and how what happens at once or is taken back is counted (PD-25)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from tests.browsing import Browser
from tests.imports.making import csv_bytes, person
from tests.rates import town
from tests.rates.conftest import SEASON, Area
from tests.rates.counting import agreement
from tests.rates.town import UNIT
from tests.transfers.steps import acting, do
from tests.world import World
from zhtj.graduation import destinations, season_register
from zhtj.graduation.destinations import Given
from zhtj.graduation.models import CloseReason, RegisterRow
from zhtj.graduation.queries import register_row
from zhtj.imports.files.layouts import ROSTER
from zhtj.kernel import audit, clock
from zhtj.kernel.database import pending, session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.changing import moving
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.rates import queries
from zhtj.rates.counting import counters, keeping, recount
from zhtj.rates.drawing import curve
from zhtj.rates.models import RateCounter, RateDay, Standing
from zhtj.rates.rules import Figures, RateKind
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission

KEYS = ("class1", "university", "city", "p2", "province", "q", "centre")
CLASS1 = "江淮示范大学计算机学院2022级软件工程专业1班团支部"


def everything(area: Area, day: date | None = None) -> dict[str, Figures]:
    return {key: area.figures(key, day) for key in KEYS}


def row_of(member: Member) -> RegisterRow:
    row = register_row(member.id, SEASON)
    assert row is not None
    return session.merge(row)


# -- any day


@pytest.mark.slow("asks the oracle about every place on every day")
@pytest.mark.rule("PD-25")
def test_any_past_day_can_be_told_again(area: Area, clock_at: Callable[..., None]) -> None:
    world, told = area.world, {}

    def passes(days: int) -> None:
        told[clock.today()] = everything(area)
        clock_at(clock.now() + timedelta(days=days))

    # Given four days on which something happened, with quiet ones in between
    application = area.goes(world.graduate, "p2_team", **UNIT)
    passes(2)
    do(operations.accept, application, world.seat("p2_team"))
    passes(3)
    with unit_of_work():
        season_register.close([world.classmate.id], CloseReason.TEACHER)
    passes(1)
    with unit_of_work():
        season_register.reopen([world.classmate.id], CloseReason.TEACHER)
        destinations.enter(row_of(area.third), Given("further_study", unit_name="淮上示范大学"))
    passes(10)
    # Then each of them, and those in between, is told as it was
    assert len({str(figures) for figures in told.values()}) == len(told) == 4
    days = sorted(told)
    for day in (days[0] + timedelta(days=each) for each in range(10)):
        last = max(each for each in days if each <= day)
        assert everything(area, day) == told[last], day
    assert everything(area, days[0] - timedelta(days=1)) == dict.fromkeys(KEYS, Figures())
    agreement.everywhere(SEASON, [None, *days])


@pytest.mark.slow("asks the oracle about every place on every day")
@pytest.mark.rule("PD-25", "PD-08")
def test_the_season_freezes_at_the_end_of_the_year(area: Area, clock_at: Callable[..., None]) -> None:
    # Given one transfer completed on the last evening, and one under way
    world = area.world
    clock_at("2026-12-31T23:50")
    first = area.goes(world.graduate, "p2_team", **UNIT)
    second = area.goes(world.classmate, "q_team", **UNIT)
    do(operations.accept, first, world.seat("p2_team"))
    frozen = everything(area)
    assert (frozen["city"].society_done, frozen["q"].incoming_society) == (1, 1)
    # When the other is completed in the new year, by night and by the sweeps of the following days
    clock_at("2027-01-01T00:05")
    do(operations.accept, second, world.seat("q_team"))
    recount.recount()
    # Then the season keeps its figures, and says of him that he came after its close
    assert everything(area) == frozen
    assert everything(area, date(2027, 1, 1)) == everything(area, date(2026, 12, 31)) == frozen
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.classmate.id)).one()
    assert row.after_close
    agreement.everywhere(SEASON, [None, date(2026, 12, 31)])


@pytest.mark.rule("PD-25", "PD-08")
def test_what_is_done_at_midnight_of_the_last_day_and_committed_after_it_counts(
    area: Area, clock_at: Callable[..., None]
) -> None:
    world = area.world
    clock_at("2026-12-31T23:59")
    application = area.goes(world.graduate, "p2_team", **UNIT)
    seat = world.seat("p2_team")
    with acting(seat):
        session.refresh(application)
        operations.accept(application, seat)
        clock_at("2027-01-01T00:00")
    assert area.figures("city").society_done == 1
    agreement.everywhere(SEASON)


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("day", [date(2026, 10, 15), date(2027, 1, 1), date(2025, 12, 31)])
def test_a_day_that_cannot_be_asked_for_is_refused(area: Area, day: date) -> None:
    with pytest.raises(DomainError):
        queries.check_day(SEASON, day)
    assert queries.check_day(SEASON, clock.today()) is None
    assert queries.check_day(SEASON - 1, date(2026, 10, 1)) is None


# -- the people behind


@pytest.mark.slow("asks the oracle about every place on every day")
@pytest.mark.rule("PD-25")
def test_as_many_people_stand_behind_a_figure_as_it_says(area: Area, clock_at: Callable[..., None]) -> None:
    world = town.build(area)
    for member, key in ((world.graduate, "team"), (world.classmate, "q_team"), (area.stranger, "p2_team")):
        do(operations.accept, area.goes(member, key, **UNIT), world.seat(key))
    area.goes(area.third, "freshmen", **town.STUDY)
    today = clock.today()
    clock_at(clock.now() + timedelta(days=2))
    with unit_of_work():
        moving.move(session.merge(world.orgs["college"]), session.merge(world.orgs["school2"]), "case:1")
    clock_at(clock.now() + timedelta(seconds=1))
    oracle = agreement.everywhere(SEASON, [None, today])
    chosen = [session.merge(world.orgs[key]) for key in (*KEYS, "college", "school2", "team")]
    agreement.people(oracle, chosen, SEASON, [None, today])
    agreement.children(oracle, chosen, SEASON, [None, today])


@pytest.mark.rule("PD-07", "PD-08", "PD-25")
def test_who_moved_takes_his_figures_along_and_leaves_them_with_the_old_superior(
    area: Area, clock_at: Callable[..., None]
) -> None:
    world = town.build(area)
    before = {key: area.figures(key) for key in ("college", "university", "school2", "city", "p2", "province")}
    clock_at(clock.now() + timedelta(hours=1))
    with unit_of_work():
        moving.move(session.merge(world.orgs["college"]), session.merge(world.orgs["school2"]), "case:1")
    # Then everybody has what he had; the new superior gets nothing of this season
    assert {key: area.figures(key) for key in before} == before
    lines = {line.organisation.id: line for line in queries.by_child(session.merge(world.orgs["school2"]), SEASON)}
    college = lines[world.orgs["college"].id]
    assert (college.figures, college.moved_in, college.moved_out) == (before["college"], True, False)
    old = {line.organisation.id: line for line in queries.by_child(session.merge(world.orgs["university"]), SEASON)}
    assert (old[college.organisation.id].figures, old[college.organisation.id].moved_out) == (before["college"], True)
    # And its class, which has moved with it, did not come under the college only now
    inside = queries.by_child(session.merge(world.orgs["college"]), SEASON)
    assert [(line.figures.society, line.moved_in, line.moved_out) for line in inside if line.figures] == [
        (5, False, False)
    ]
    # Who applies into it from its old home now comes from inside, and counts as coming in for the new superior
    clock_at(clock.now() + timedelta(hours=1))
    area.goes(world.graduate, "class3", reason="internal_upgrade")
    assert area.figures("college").incoming_study == 0
    assert area.figures("school2").incoming_study == 1
    agreement.everywhere(SEASON)


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("key", ["province", "class1"])
def test_the_curve_falls_to_nothing_where_nobody_counts_any_more(
    area: Area, clock_at: Callable[..., None], key: str
) -> None:
    organisation = area.world.orgs[key]
    clock_at(clock.now() + timedelta(days=2))
    recount.recount()
    with unit_of_work():
        season_register.close(session.scalars(select(Member.id)).all(), CloseReason.TEACHER)
    for _ in range(3):
        clock_at(clock.now() + timedelta(days=1))
        recount.recount()
    points = curve.by_day(session.merge(organisation), SEASON)
    assert [figures.society for _, figures in points] == [3, 3, 0, 0, 0, 0]
    zeros = select(func.count()).where(RateDay.path == organisation.path, RateDay.society == 0)
    assert session.scalar(zeros) == (1 if key == "province" else 0)


# -- in one transaction with the facts


@pytest.mark.rule("PD-25")
def test_what_a_savepoint_takes_back_leaves_no_trace(area: Area) -> None:
    world, before = area.world, everything(area)
    seat = world.seat("class1")
    with acting(seat):
        member = session.merge(world.graduate)
        with session.begin_nested() as savepoint:
            operations.submit(Submission(member, session.merge(world.orgs["q_team"]), **UNIT), seat)
            season_register.close([world.classmate.id], CloseReason.TEACHER)
            savepoint.rollback()
        season_register.close([area.third.id], CloseReason.TEACHER)
    after = everything(area)
    assert after["q"] == before["q"]
    assert after["class1"] == Figures(society=2, unregistered=2)
    agreement.healthy()


@pytest.mark.rule("PD-25")
def test_what_fails_leaves_no_trace(area: Area) -> None:
    before = everything(area)
    with pytest.raises(ZeroDivisionError):
        _half_done(area)
    assert everything(area) == before
    assert not pending("rates_queue")
    agreement.healthy()


def _half_done(area: Area) -> None:
    with unit_of_work():
        season_register.close([area.third.id], CloseReason.TEACHER)
        keeping.settle()
        assert area.figures("class1").society == 2
        season_register.close([area.world.graduate.id], CloseReason.TEACHER)
        assert 1 / 0


@pytest.mark.rule("PD-25", "PD-06")
def test_an_import_taken_back_takes_its_people_out_of_all_figures(area: Area, client, clock_at) -> None:
    before, day = everything(area), clock.today()
    browser = Browser(client).login(area.world.accounts["university"])
    names = [column.name for column in ROSTER.columns]
    people = enumerate("一二三")
    rows = [person(100 + place, 姓名=f"导入{name}", 所在团支部=CLASS1, 学号=f"N{place}") for place, name in people]
    data = csv_bytes([names, *([row.get(name, "") for name in names] for row in rows)])
    address = "/school/imports/members"
    page = browser.get(address).form(address).submit(file=(BytesIO(data), "名单.csv"))
    browser.get(page.location).form(button="导入").submit()
    assert area.figures("class1") == Figures(society=6, unregistered=6)
    clock_at(clock.now() + timedelta(days=1))
    browser.get(page.location).click("撤销这次导入").form(button="撤销这次导入").submit()
    assert everything(area) == everything(area, day) == before
    agreement.healthy()


@pytest.fixture
def life(live: Flask) -> Iterator[World]:
    with live.app_context():
        world = World.build()
        with unit_of_work():
            destinations.enter(row_of(world.graduate), Given("unplaced"))
        yield world
        session.rollback()


@pytest.mark.rule("PD-25")
def test_two_who_change_the_same_graduate_at_once_both_count(life: World, live: Flask) -> None:
    # Given an application about a graduate that is written and not committed, and a mark that comes meanwhile
    written, comes, failed = threading.Event(), threading.Event(), []
    seat, seat_above = life.own_seat(life.graduate), life.seat("university")
    member_id, to_id = life.graduate.id, life.orgs["team"].id
    session.rollback()

    def applies() -> None:
        member, to = session.get_one(Member, member_id), session.get_one(Organisation, to_id)
        operations.submit(Submission(member, to, **UNIT), seat)
        written.set()
        assert comes.wait(20)
        time.sleep(0.3)  # long enough to be in its way

    def marks() -> None:
        season_register.close([member_id], CloseReason.TEACHER)

    def does(deed: Callable[[], None], who: ActiveSeat) -> None:
        if deed is marks:
            written.wait(20)
            comes.set()
        try:
            with live.app_context(), audit.acting(who), unit_of_work():
                deed()
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    both = [threading.Thread(target=does, args=each) for each in ((applies, seat), (marks, seat_above))]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    # Then both are committed, whoever was last, and the standing says both
    session.rollback()
    assert failed == []
    standing = session.scalars(select(Standing).join(RegisterRow).where(RegisterRow.member_id == member_id)).all()
    assert [each for each in standing if each.until is None] == []
    agreement.everywhere(SEASON)
    agreement.healthy()
    with unit_of_work():
        season_register.reopen([member_id], CloseReason.TEACHER)
    assert queries.figures(life.orgs["class1"].path, SEASON).society == 2


@pytest.mark.rule("PD-25")
def test_a_recount_puts_right_what_is_wrong(area: Area) -> None:
    area.goes(area.world.graduate, "q_team", **UNIT)
    before = everything(area)
    with unit_of_work():
        session.execute(delete(RateCounter))
        session.execute(delete(Standing).where(Standing.row_id == select(func.min(RegisterRow.id)).scalar_subquery()))
    assert everything(area) != before
    found = recount.recount()
    assert found.standings == 1
    assert found.places > 0
    assert everything(area) == before
    agreement.healthy()
    assert not session.scalars(counters.differing(SEASON)).all()


@pytest.mark.rule("PD-24")
def test_figures_of_a_season_without_anybody_are_nothing(area: Area) -> None:
    assert everything(area).keys() == set(KEYS)
    assert queries.figures(area.world.orgs["centre"].path, 2019) == Figures()
    assert {str(kind.of(Figures())) for kind in RateKind} == {"—"}
