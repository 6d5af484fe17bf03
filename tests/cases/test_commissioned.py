"""定向委培: a decided statement ends the open application, is told to unit and schools, marks the row (PD-60, T-27)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.cases.steps import ask, do, grant
from tests.notices import inboxes
from tests.transfers.steps import do as transfer
from tests.transfers.steps import start
from tests.world import World
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction
from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member
from zhtj.policy.seasons import policy_for
from zhtj.policy.vocabulary import CountsAs
from zhtj.rates import queries as rates
from zhtj.rates.explain import GraduateOnDay, why
from zhtj.rates.rules import Counted, RateKind
from zhtj.transfers import operations as transfers
from zhtj.transfers.models import Application
from zhtj.transfers.watching.graduates import GraduateFilters, listing
from zhtj.transfers.workflow import State

WORDS = {
    "purpose": "commissioned",
    "text": "定向委培，在原单位任团支部委员，组织关系不转。",
    "dues": "按月在单位交纳",
    "life": "寒暑假参加组织生活",
}


@pytest.fixture
def world(world: World) -> World:
    """The university has a new students' branch, to which the unit's employee was admitted."""
    with unit_of_work():
        fresh = NewOrganisation(
            "江淮示范大学计算机学院2026级新生团支部",
            "计算机学院2026级新生团支部",
            Category.BRANCH,
            "普通高等院校",
            purpose=Purpose.NEW_STUDENTS,
        )
        world.orgs["fresh"] = orgs.create(world.orgs["college"], fresh)
        world.appoint("fresh")
    return world


def admitted(world: World) -> Application:
    seat = world.own_seat(world.employee)
    return start(seat, world.employee, world.orgs["fresh"], reason="further_study", unit_name="江淮示范大学")


def state(world: World, key: str, member: Member, **more: Any) -> Case:
    return ask(world.seat(key), "statement", member, **{**WORDS, **more})


@pytest.mark.rule("PD-60", "T-27")
def test_once_decided_it_ends_the_open_application_and_the_new_school_hears_of_it(world: World) -> None:
    application = admitted(world)
    case = state(world, "team", world.employee)
    assert application.state is State.AWAITING_ACCEPTANCE, "nothing ends before it is decided"
    inboxes.forget()
    grant(world, case, "company")
    session.expire_all()
    assert application.state is State.WITHDRAWN
    said = application.events[-1]
    assert case.number in (said.remark or "")
    # Its own branch, the new branch and its school; the member; whoever raised it
    for key in ("fresh", "university", "team"):
        told = [one.body for one in inboxes.of(world, key) if "定向委培" in one.body]
        assert any("组织关系留在研发团支部" in body for body in told), key
    (own,) = [one for one in inboxes.of_member(world, world.employee) if one.subject_type == "application"]
    assert "已撤销，由示例科技团委办理" in own.body, "who has ended it, not who had started it"


@pytest.mark.rule("PD-60", "PD-16")
def test_an_accepted_application_is_ended_by_nobody(world: World) -> None:
    seat = world.own_seat(world.employee)
    application = start(seat, world.employee, world.orgs["university"], reason="work", unit_name="江淮示范大学")
    transfer(transfers.accept, application, world.seat("university"))
    with pytest.raises(DomainError, match="已经同意接收"):
        state(world, "team", world.employee)
    session.expire_all()
    assert application.state is State.AWAITING_ALLOCATION


@pytest.mark.rule("PD-60", "PD-16")
def test_accepted_while_the_statement_was_under_way_it_goes_on(world: World) -> None:
    seat = world.own_seat(world.employee)
    application = start(seat, world.employee, world.orgs["university"], reason="work", unit_name="江淮示范大学")
    case = state(world, "team", world.employee)
    transfer(transfers.accept, application, world.seat("university"))
    with pytest.raises(DomainError, match="已经同意接收"):
        do(case, world.seat("company"), CaseAction.APPROVE)
    session.expire_all()
    assert (application.state, case.state.is_open) == (State.AWAITING_ALLOCATION, True)


@pytest.mark.rule("PD-60", "M-04")
def test_a_graduate_still_in_his_class_is_marked_and_counts_as_not_completed(world: World) -> None:
    before = rates.figures(world.orgs["university"].path, 2026)
    application = start(
        world.own_seat(world.graduate),
        world.graduate,
        world.orgs["team"],
        reason="employed_with_org",
        unit_name="示例科技有限公司",
    )
    case = state(world, "college", world.graduate)
    inboxes.forget()
    grant(world, case, "university")
    session.expire_all()
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.graduate.id)).one()
    assert (row.with_unit_since is not None, row.closed_at, row.completed_at) == (True, None, None)
    assert row.category is GraduateCategory.SOCIETY
    assert application.state is State.WITHDRAWN
    after = rates.figures(world.orgs["university"].path, 2026)
    assert (after.society, after.society_done) == (before.society, before.society_done), "no disposition"
    assert "计为未完成" in (case.outcome or "")
    assert [one.title for one in inboxes.of(world, "team")] == ["丁一的转接申请已撤销"]
    # And every page that says how he stands says so
    (line,) = [one for one in listing(world.seat("college"), 2026, GraduateFilters()).page().rows if one.is_with_unit]
    assert line.row.id == row.id
    assert any(
        "组织关系留在该单位" in str(one)
        for one in why(GraduateOnDay(2026, Counted(), with_unit=True), RateKind.SOCIETY)
    )


@pytest.mark.rule("PD-60")
def test_whose_relation_lies_with_the_unit_has_no_row_to_mark(world: World) -> None:
    case = grant(world, state(world, "team", world.employee), "company")
    assert session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.employee.id)).all() == []
    assert case.outcome == "说明已存入本人材料，组织关系留在研发团支部。"


@pytest.mark.rule("PD-60", "M-04")
def test_the_adviser_promises_nothing_that_is_not_so() -> None:
    row = policy_for(2026, ()).situations["commissioned"]
    assert row.counts is CountsAs.NOT_COMPLETED
    assert "计为未完成" in row.say
    assert "撤销" in row.say
