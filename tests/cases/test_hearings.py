"""Whoever has a 发展团员编号 is heard before somebody else's claim on it is decided (PD-61)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.cases.steps import ask, do, grant, reply
from tests.transfers.steps import acting
from tests.waiting import waits_for
from tests.world import World
from zhtj.cases import hearings, operations, queries, subjects
from zhtj.cases.kinds import kind_of
from zhtj.cases.membership import records
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.notices.models import Message
from zhtj.notices.waiting import WaitingKind

NUMBER = "201934009999"
WAY = ("college", "university", "city", "province")


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        world.appoint("city")
        world.appoint("centre")
        world.employee.dev_number = NUMBER
    return world


def claim(world: World) -> Case:
    return ask(world.seat("class1"), "occupied_number", world.graduate, number=NUMBER, occupant="被于敏使用")


def climb(world: World, case: Case) -> Case:
    """Up to the level that decides."""
    for key in WAY[:-1]:
        do(case, world.seat(key), CaseAction.FORWARD)
    return case


@pytest.mark.rule("PD-61", "U-21")
def test_no_level_takes_a_number_from_somebody_unheard(world: World):
    case = climb(world, claim(world))
    with pytest.raises(Conflict, match="等待对方团支部答复"):
        do(case, world.seat("province"), CaseAction.APPROVE)
    assert world.employee.dev_number == NUMBER
    reply(case, world.seat("team"))
    assert "编号不是该团员的" in kind_of("occupied_number").heard(case)
    do(case, world.seat("province"), CaseAction.APPROVE)
    session.expire_all()
    assert (world.graduate.dev_number, world.employee.dev_number) == (NUMBER, None)


@pytest.mark.rule("PD-61")
def test_what_the_branch_says_stands_before_whoever_decides(world: World, client: FlaskClient):
    case = climb(world, claim(world))
    reply(case, world.seat("team"), is_holders=True)
    page = Browser(client).login(world.accounts["province"]).get(f"/provincial/cases/{case.id}")
    assert "编号是该团员本人的" in page.text
    assert "已核对团员证原件" in page.text
    do(case, world.seat("province"), CaseAction.REFUSE, "编号属于对方本人")
    assert world.employee.dev_number == NUMBER


@pytest.mark.rule("PD-61")
def test_the_holder_and_his_branch_are_told_at_once(world: World):
    claim(world)
    holder = session.query(Message).filter_by(member_id=world.employee.id).one()
    branch = session.query(Message).filter_by(org_id=world.orgs["team"].id).one()
    assert NUMBER in holder.body
    assert "丁一" in holder.body
    assert branch.subject_type == "hearing"


@pytest.mark.rule("PD-61", "PD-19")
def test_the_claim_waits_for_the_branch_until_it_is_answered(world: World):
    assert WaitingKind.CASE not in waits_for(world.seat("team"))
    case = claim(world)
    assert waits_for(world.seat("team"))[WaitingKind.CASE] == 1
    assert [one.member.name for one in hearings.waiting(world.seat("team"))] == ["于敏"]
    reply(case, world.seat("team"))
    assert WaitingKind.CASE not in waits_for(world.seat("team"))
    assert hearings.waiting(world.seat("team")) == []


@pytest.mark.rule("PD-61")
def test_a_silent_branch_holds_nothing_up_after_thirty_days(world: World):
    case = climb(world, claim(world))
    with clock.at(clock.now() + timedelta(days=30) - timedelta(seconds=1)), pytest.raises(Conflict):
        do(case, world.seat("province"), CaseAction.APPROVE)
    with clock.at(clock.now() + timedelta(days=30)):
        assert "没有答复" in kind_of("occupied_number").heard(case)
        do(case, world.seat("province"), CaseAction.APPROVE)
    assert case.state is CaseState.APPROVED


@pytest.mark.rule("PD-61")
def test_the_days_are_the_policys(world: World, policy):
    policy(number_claim_answer_days=10)
    case = climb(world, claim(world))
    with clock.at(clock.now() + timedelta(days=10)):
        do(case, world.seat("province"), CaseAction.APPROVE)
    assert case.state is CaseState.APPROVED


@pytest.mark.rule("PD-61")
def test_where_the_holder_is_archived_the_level_decides_and_reads_that(world: World):
    with unit_of_work():
        records.archive(world.employee, "left", "test")
    case = claim(world)
    assert "已归档的记录也有这个编号" in kind_of("occupied_number").warn(subjects.matter(case))
    grant(world, case, *WAY)
    assert (world.graduate.dev_number, world.employee.dev_number) == (NUMBER, None), "it never comes back twice"


@pytest.mark.rule("PD-61")
def test_where_nobody_has_it_the_level_decides_and_reads_that(world: World):
    with unit_of_work():
        world.employee.dev_number = None
    case = claim(world)
    assert "没有其他人使用这个编号，无人可以答复" in kind_of("occupied_number").warn(subjects.matter(case))
    grant(world, case, *WAY)


@pytest.mark.rule("PD-61")
def test_whoever_came_by_the_number_later_is_not_robbed_unheard_either(world: World):
    case = climb(world, claim(world))
    reply(case, world.seat("team"))
    with unit_of_work():
        session.merge(world.sophomore).dev_number = NUMBER
    with pytest.raises(Conflict, match="还没有听取对方意见"):
        do(case, world.seat("province"), CaseAction.APPROVE)


@pytest.mark.rule("PD-61")
def test_the_branch_answers_wherever_the_holder_is_by_then(world: World):
    case = claim(world)
    with unit_of_work():
        session.merge(world.employee).org_id = world.orgs["class2"].id
    session.expire_all()
    assert hearings.waiting(world.seat("team")) == []
    reply(case, world.seat("class2"))


@pytest.mark.rule("PD-61", "PD-22")
@pytest.mark.parametrize("key", ["company", "county", "class1"])
def test_nobody_else_answers_for_the_branch(world: World, key: str):
    with pytest.raises((Forbidden, NotFound)):
        reply(claim(world), world.seat(key))


@pytest.mark.rule("PD-61", "PD-02")
def test_the_claimant_does_not_answer_himself(world: World):
    case = claim(world)
    seat = world.seat("team")
    own = ActiveSeat(seat.kind, world.graduate.account_id, None, seat.org_id, seat.path, world.graduate.id)
    with pytest.raises(Forbidden):
        reply(case, own)


@pytest.mark.rule("PD-61")
def test_one_answers_once_and_only_while_it_is_open(world: World):
    case = claim(world)
    reply(case, world.seat("team"))
    with pytest.raises(Conflict):
        reply(case, world.seat("team"), is_holders=True)
    do(case, world.seat("class1"), CaseAction.WITHDRAW)
    second = claim(world)
    do(second, world.seat("class1"), CaseAction.WITHDRAW)
    with pytest.raises(Conflict):
        reply(second, world.seat("team"))
    assert waits_for(world.seat("team")) == {}


@pytest.mark.rule("PD-61")
def test_the_branch_answers_on_its_page(world: World, client: FlaskClient):
    case = claim(world)
    browser = Browser(client).login(world.accounts["team"])
    listed = browser.get("/branch/cases")
    page = listed.click("于敏的发展团员编号")
    assert "丁一" in page.text
    again = page.form(button="答复").submit(remark="核")
    assert again.status == 422
    done = again.form(button="答复").submit(is_holders="yes", remark="已核对入团志愿书原件").follow()
    assert "已答复" in done.text
    (found,) = hearings.of_case(case)
    assert (found.is_holders, found.account_id) == (True, world.accounts["team"].id)


@pytest.mark.rule("PD-61", "PD-34")
def test_many_at_once_are_no_way_around_it(world: World):
    case = climb(world, claim(world))
    seat = world.seat("province")
    with acting(seat):
        errors = operations.decide(queries.load(seat, [case.id]), seat, CaseAction.APPROVE)
    assert isinstance(errors[case.id], DomainError)
    assert session.get_one(Case, case.id).state is CaseState.WAITING
