"""What an application counts for: said by every way in before anything completes or freezes (PD-58, M-05)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.rates import town
from tests.rates.conftest import SEASON, Area
from tests.rates.counting import agreement
from tests.remembering import remembered
from tests.transfers.steps import acting, do, start
from tests.world import RESIDENCE
from zhtj import doctor, sweeps
from zhtj.graduation import destinations
from zhtj.graduation.destinations import Given
from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Forbidden
from zhtj.notices.models import Message
from zhtj.orgs.models import Category
from zhtj.rates import drill_down
from zhtj.rates.counting import keeping, recount
from zhtj.rates.drill_down import ListQuery
from zhtj.rates.rules import RateKind
from zhtj.transfers import operations
from zhtj.transfers.deciding import objections
from zhtj.transfers.many import mass_starts
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import graduates
from zhtj.transfers.watching.graduates import DONE, UNCOUNTED, GraduateFilters
from zhtj.transfers.workflow import State

Move = Callable[[str], None]
UPGRADE: dict[str, Any] = {"reason": "internal_upgrade"}
UNIT: dict[str, Any] = {"reason": "employed_with_org", "unit_name": "示例科技有限公司"}
OTHER: dict[str, Any] = {"reason": "other", "remark": "留在本校其他支部", "confirmed": True}


@pytest.fixture
def wide(session: Session) -> Area:
    """The example with schools, branches of all purposes and a region."""
    del session
    return build()


@remembered
def build() -> Area:
    area = town.whole()
    with unit_of_work():
        area.world.add("staff", "school2", "淮上示范大学教职工团支部", "教职工团支部", Category.BRANCH, town.COLLEGE)
    return area


def row_of(member: Any) -> RegisterRow:
    session.expire_all()
    return session.query(RegisterRow).filter_by(member_id=member.id, season=SEASON).one()


def agrees() -> None:
    """Figures and oracle say the same; doctor and recount find nothing."""
    agreement.everywhere(SEASON)
    agreement.healthy()


# ---- the category comes first (line by line, by every way)


@pytest.mark.rule("PD-58", "PD-09", "T-22")
@pytest.mark.parametrize("by", ["college", "university"])
def test_what_completes_at_once_counts_for_what_it_is(wide: Area, by: str) -> None:
    world = wide.world
    application = wide.goes(world.graduate, "class3", by, **UPGRADE)
    assert application.state is State.COMPLETED
    assert row_of(world.graduate).category is GraduateCategory.FURTHER_STUDY
    assert str(wide.rate("class1", RateKind.FURTHER_STUDY)) == "100.00%"
    assert wide.rate("class1", RateKind.SOCIETY).numerator == 0
    agrees()


@pytest.mark.rule("PD-58", "PD-23")
def test_so_does_what_a_list_completes_at_once(wide: Area) -> None:
    world = wide.world
    seat = world.seat("college")
    line = {"member": world.graduate.id, "reason": "internal_upgrade", "to": world.orgs["class3"].code}
    with acting(seat):
        (result,) = mass_starts.start_out(seat, {}, [line])
    assert result.ok
    assert row_of(world.graduate).category is GraduateCategory.FURTHER_STUDY
    agrees()


@pytest.mark.rule("PD-58", "PD-09")
def test_a_later_word_than_the_registration_decides_at_once_too(wide: Area) -> None:
    # Given somebody who was registered as employed
    world = wide.world
    with unit_of_work():
        destinations.enter(row_of(world.graduate), Given("employed_with_org", unit_name="示例科技有限公司"))
    wide.goes(world.graduate, "class3", "college", **UPGRADE)
    assert row_of(world.graduate).category is GraduateCategory.FURTHER_STUDY
    agrees()


@pytest.mark.rule("PD-58", "PD-09", "PD-17")
def test_what_a_sustained_objection_starts_again_is_the_later_word(wide: Area) -> None:
    # Given an application to an employer that was refused, and a registration of further study after it
    world = wide.world
    application = wide.goes(world.graduate, "team", **UNIT)
    do(operations.refuse, application, world.seat("team"), Ground.NOT_OURS, "查无此人，不是本单位")
    with unit_of_work():
        destinations.enter(row_of(world.graduate), Given("further_study", unit_name="淮上示范大学"))
    assert row_of(world.graduate).category is GraduateCategory.FURTHER_STUDY
    # When the objection is sustained and the employer accepts
    with acting(world.own_seat(world.graduate)):
        session.refresh(application)
        raised = objections.object_to(application, world.own_seat(world.graduate), "我已经和单位签约")
    with acting(world.seat("company")):
        again = objections.answer(raised, world.seat("company"), sustained=True, remark="核实属实，请接收")
    assert again is not None
    do(operations.accept, again, world.seat("team"))
    # Then he counts as employed
    assert row_of(world.graduate).category is GraduateCategory.SOCIETY
    assert wide.figures("class1").to_unit == 1
    agrees()


# ---- what is only warned of needs another office


@pytest.mark.rule("PD-58", "PD-14", "PD-12")
@pytest.mark.parametrize(("by", "superior"), [("college", "university"), ("university", "city")])
def test_what_the_table_warns_of_does_not_complete_at_once(wide: Area, by: str, superior: str) -> None:
    world = wide.world
    application = wide.goes(world.graduate, "class2", by, **OTHER)
    assert application.state is State.AWAITING_ACCEPTANCE
    assert application.due_at is not None
    assert application.holder_id == world.orgs[superior].id
    # Nobody but the next superior decides: neither who started it nor the branch itself
    for key in {"class2", "college", "university"} - {superior}:
        with pytest.raises(Forbidden):
            do(operations.accept, application, world.seat(key))
    waiting = [one for one in session.query(Message).filter_by(org_id=world.orgs[superior].id) if "请办理" in one.title]
    assert len(waiting) == 1
    do(operations.accept, application, world.seat(superior))
    assert application.state is State.COMPLETED
    assert world.graduate.org_id == world.orgs["class2"].id


@pytest.mark.rule("PD-58", "PD-12", "M-08")
def test_a_move_inside_the_own_school_counts_for_nothing(wide: Area) -> None:
    world = wide.world
    application = wide.goes(world.graduate, "class2", "college", **OTHER)
    assert wide.figures("class2").incoming_society == 0
    do(operations.accept, application, world.seat("university"))
    assert row_of(world.graduate).completed_at is None
    assert wide.figures("class1").done == 0
    assert wide.figures("class2").incoming_society_done == 0
    agrees()
    # He can still go on, and then he counts
    later = wide.goes(world.graduate, "team", **UNIT)
    do(operations.accept, later, world.seat("team"))
    assert wide.figures("class1").society_done == 1
    assert wide.figures("class1").to_unit == 1
    agrees()


@pytest.mark.rule("PD-58", "PD-12")
def test_no_list_calls_it_completed(wide: Area) -> None:
    world = wide.world
    application = wide.goes(world.graduate, "class2", "college", **OTHER)
    do(operations.accept, application, world.seat("university"))
    seat = world.seat("college")
    # Then the list of graduates says what it is, counts it so, and finds it so
    (line,) = graduates.listing(seat, SEASON, GraduateFilters(text="丁一"))
    assert line.step == "已在校内变动，未计完成"
    found = graduates.counts(seat, SEASON, GraduateFilters())
    assert (found.steps[DONE], found.steps[UNCOUNTED]) == (0, 1)
    assert [one.row.member_id for one in graduates.listing(seat, SEASON, GraduateFilters(step=UNCOUNTED))] == [
        world.graduate.id
    ]
    # And so do the people behind the rate
    asked = ListQuery(world.orgs["college"].path, SEASON, "society.missing")
    assert {one.step for one in drill_down.listing(asked) if one.row.member_id == world.graduate.id} == {line.step}


@pytest.mark.rule("PD-18", "PD-58")
def test_whoever_let_it_lapse_is_named_to_the_level_above_him(wide: Area, clock_at: Callable[[str], None]) -> None:
    # Given what the university has to decide because its college moves a graduate inside the school
    world = wide.world
    application = wide.goes(world.graduate, "class2", "college", **OTHER)
    assert application.due_at is not None
    # When nobody does in time
    clock_at((application.due_at + timedelta(hours=1)).isoformat())
    sweeps.run("return")
    # Then the level above the university hears that the university did nothing, and not the college of itself
    told = [one for one in session.scalars(select(Message)) if "没有按时办理" in one.body]
    assert [(one.org_id, "江淮示范大学团委没有按时办理" in one.body) for one in told] == [(world.orgs["city"].id, True)]


@pytest.mark.rule("PD-58", "T-01", "M-05")
def test_whom_his_own_school_employs_counts(wide: Area) -> None:
    world = wide.world
    details: dict[str, Any] = {**UNIT, "unit_name": "江淮示范大学", "remark": "留校任辅导员", "confirmed": True}
    application = wide.goes(world.graduate, "class2", "college", **details)
    do(operations.accept, application, world.seat("university"))
    figures = wide.figures("class1")
    assert (figures.society_done, figures.to_unit) == (1, 1)
    agrees()


@pytest.mark.rule("PD-58", "PD-14")
def test_others_complete_at_once_as_before(wide: Area) -> None:
    world = wide.world
    application = wide.goes(world.sophomore, "class3", "college", **OTHER)
    assert application.state is State.COMPLETED


# ---- the rate of employers' organisations


@pytest.mark.rule("PD-58", "M-05", "T-01")
def test_a_school_or_a_township_can_be_the_employer(wide: Area) -> None:
    # Given one who works at another university, and one in a township's government
    world = wide.world
    at_school: dict[str, Any] = {**UNIT, "unit_name": "淮上示范大学"}
    in_town: dict[str, Any] = {**UNIT, "place": "unit_location", "remark": "在镇政府工作", "confirmed": True}
    in_town["unit_address"] = RESIDENCE
    first = wide.goes(world.graduate, "school2", **at_school)
    do(operations.accept, first, world.seat("school2"))
    do(operations.allocate, first, world.seat("school2"), world.orgs["staff"])
    second = wide.goes(world.classmate, "township", **in_town)
    do(operations.accept, second, world.seat("township"))
    do(operations.allocate, second, world.seat("township"), world.orgs["floating"])
    assert wide.figures("class1").to_unit == 2
    agrees()


@pytest.mark.rule("PD-58", "M-05", "T-17")
def test_who_is_sent_abroad_counts_where_the_employer_receives_him(wide: Area) -> None:
    world = wide.world
    sent: dict[str, Any] = {"reason": "overseas_official", "unit_name": "示例科技有限公司"}
    there: dict[str, Any] = {**sent, "place": "unit_location", "remark": "派出单位没有团组织", "confirmed": True}
    there["unit_address"] = RESIDENCE
    first = wide.goes(world.graduate, "team", **sent)
    do(operations.accept, first, world.seat("team"))
    second = wide.goes(world.classmate, "township", **there)
    do(operations.accept, second, world.seat("township"))
    do(operations.allocate, second, world.seat("township"), world.orgs["floating"])
    figures = wide.figures("class1")
    assert (figures.society_done, figures.to_unit) == (2, 1)
    agrees()


@pytest.mark.rule("PD-58", "M-05")
def test_for_another_reason_only_a_unit_counts(wide: Area) -> None:
    world = wide.world
    other: dict[str, Any] = {"reason": "other", "remark": "挂职锻炼", "confirmed": True}
    first = wide.goes(world.graduate, "team", **other)
    do(operations.accept, first, world.seat("team"))
    second = wide.goes(world.classmate, "township", **other, place="residence")
    do(operations.accept, second, world.seat("township"))
    do(operations.allocate, second, world.seat("township"), world.orgs["floating"])
    assert wide.figures("class1").to_unit == 1
    agrees()


# ---- frozen, and taken over


@pytest.mark.rule("PD-58", "PD-36", "PD-08")
def test_a_frozen_season_is_judged_by_when_a_thing_fell_due(wide: Area, clock_at: Move) -> None:
    # Given an employer's own application that nobody releases, due on the last day of the year
    world = wide.world
    clock_at("2026-12-20T10:00")
    application = start(world.seat("team"), world.graduate, world.orgs["team"], **UNIT)
    assert application.state is State.AWAITING_RELEASE
    assert wide.figures("team").incoming_society == 1
    # When it is swept days later
    clock_at("2027-01-02T03:00")
    assert sweeps.run("return").done == 1
    session.expire_all()
    # Then the season says what was so when it ended
    assert wide.figures("team").incoming_society == 0
    agrees()


@pytest.mark.rule("PD-58", "PD-36")
def test_doctor_and_recount_see_what_a_frozen_season_has_wrong(wide: Area, clock_at: Move, monkeypatch: Any) -> None:
    world = wide.world
    clock_at("2026-12-20T10:00")
    start(world.seat("team"), world.graduate, world.orgs["team"], **UNIT)
    session.flush()
    clock_at("2027-01-02T03:00")
    monkeypatch.setattr(keeping, "refresh", lambda *_: 0)
    monkeypatch.setattr(keeping, "_refresh", lambda *_: iter(()))
    sweeps.run("return")
    monkeypatch.undo()
    clock_at("2027-01-02T04:00")
    session.expire_all()
    assert wide.figures("team").incoming_society == 1
    assert [finding.name for finding in doctor.examine() if finding.broken] == ["standings"]
    assert recount.recount().standings == 1
    assert wide.figures("team").incoming_society == 0
    assert not [finding for finding in doctor.examine() if finding.broken]


@pytest.mark.rule("PD-58", "T-03")
def test_what_a_county_takes_over_counts_there_and_not_at_the_township(wide: Area) -> None:
    world = wide.world
    applications = [wide.goes(one, "township", **town.HOME) for one in (world.graduate, world.classmate)]
    do(operations.take_over, applications[0], world.seat("county"), world.orgs["county_floating"])
    township, county = wide.figures("township"), wide.figures("county")
    assert (township.incoming_society, township.incoming_society_done) == (1, 0)
    assert (county.incoming_society, county.incoming_society_done) == (2, 1)
    agrees()
