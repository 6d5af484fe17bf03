"""What 北京, 广东, 福建 decided is recorded with a file; without one a second person above confirms (PD-61, PD-32)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.cases.steps import ask, do
from tests.transfers.applying.test_external import ABROAD, NOTE, incoming
from tests.transfers.applying.test_external import world as world  # noqa: PLC0414 - a fixture
from tests.transfers.steps import acting, apply
from tests.transfers.steps import do as transfer
from tests.uploads import SHOT
from tests.world import World
from zhtj import doctor
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.notices.models import Message
from zhtj.people.models import Post
from zhtj.people.operations import start_seat
from zhtj.transfers import operations
from zhtj.transfers.deciding import external
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State


def abroad(world: World) -> Application:
    return apply(world, world.graduate, "beijing", **ABROAD)


def newest() -> Case:
    session.expire_all()
    return session.scalars(select(Case).order_by(Case.id.desc())).first() or pytest.fail("no case")


def is_whole() -> bool:
    return not [one for one in doctor.examine() if one.broken]


@pytest.mark.rule("PD-61", "PD-32")
@pytest.mark.parametrize("action", ["confirm", "fail"])
def test_one_person_alone_records_nothing_without_a_file(world: World, action: str) -> None:
    application = abroad(world)
    with pytest.raises(DomainError, match="没有凭据，不能由一个人登记") as caught:
        transfer(getattr(external, action), application, world.seat("class1"), NOTE)
    assert (caught.value.rule, caught.value.field) == ("PD-61", "file")
    assert application.state is State.AWAITING_EXTERNAL


@pytest.mark.rule("PD-61", "PD-32")
@pytest.mark.parametrize(("action", "state"), [("confirm", State.COMPLETED), ("fail", State.FAILED_EXTERNAL)])
def test_on_the_page_the_direct_superior_is_asked_and_confirms(
    world: World, client: FlaskClient, action: str, state: State
) -> None:
    # Given an application that waits for Beijing
    number = abroad(world).id
    browser = Browser(client).login(world.accounts["class1"])
    # When the secretary of the branch records an answer without a file
    page = browser.get(f"/branch/applications/{number}/{action}")
    done = page.form(f"/applications/{number}/{action}").submit(remark=NOTE).follow()
    # Then nothing has happened yet, and the college is asked
    assert "没有凭据，已提请计算机学院团总支的另一个人确认" in done.text
    assert session.get_one(Application, number).state is State.AWAITING_EXTERNAL
    case = newest()
    assert case.holder_id == world.orgs["college"].id
    told = session.scalars(select(Message.title).where(Message.org_id == world.orgs["college"].id)).all()
    assert "新的事项" in told
    assert "等待上级确认" in browser.get(f"/branch/applications/{number}").main
    # When the college has looked and says yes
    page = browser.login(world.accounts["college"]).get(f"/college/cases/{case.id}")
    assert "没有凭据" in page.main
    do(case, world.seat("college"), CaseAction.APPROVE)
    # Then the answer stands, with both names in the history
    application = session.get_one(Application, number)
    assert application.state is state
    for words in (NOTE, "没有凭据", "软工1班团支部", case.number):
        assert words in application.events[-1].remark
    assert application.events[-1].account_id == world.accounts["college"].id
    assert is_whole()


@pytest.mark.rule("PD-61", "PD-02")
def test_the_second_person_is_not_the_first_in_another_post(world: World) -> None:
    abroad(world)
    with unit_of_work():
        start_seat(world.accounts["class1"], world.orgs["college"], Post.DEPUTY)
    case = ask(world.seat("class1"), "external_answer", world.graduate, answer="confirm", note=NOTE)
    both = world.seat("college")
    same = type(both)(both.kind, world.accounts["class1"].id, None, both.org_id, both.path)
    with pytest.raises(Forbidden, match="登记的人不能自己确认"):
        do(case, same, CaseAction.APPROVE)
    do(case, both, CaseAction.APPROVE)
    assert case.state is CaseState.APPROVED


@pytest.mark.rule("PD-61")
def test_what_a_college_records_its_school_confirms(world: World) -> None:
    application = abroad(world)
    case = ask(world.seat("college"), "external_answer", world.graduate, answer="confirm", note=NOTE)
    assert case.line == [world.orgs["university"].id]
    do(case, world.seat("university"), CaseAction.APPROVE)
    session.refresh(application)
    assert application.state is State.COMPLETED


@pytest.mark.rule("PD-61", "PD-32")
def test_only_the_old_side_records_it(world: World) -> None:
    abroad(world)
    with pytest.raises(DomainError, match="由转出方登记"):
        ask(world.seat("university"), "external_answer", world.graduate, answer="confirm", note=NOTE)
    with pytest.raises(DomainError, match="没有这名团员"):
        ask(world.seat("team"), "external_answer", world.graduate, answer="confirm", note=NOTE)
    with pytest.raises(Conflict, match="没有等待外部系统办理的申请"):
        ask(world.seat("class1"), "external_answer", world.classmate, answer="confirm", note=NOTE)


@pytest.mark.rule("PD-61", "PD-16")
def test_an_application_that_ended_meanwhile_or_another_one_is_not_answered(world: World, clock_at) -> None:
    application = abroad(world)
    case = ask(world.seat("class1"), "external_answer", world.graduate, answer="confirm", note=NOTE)
    transfer(operations.withdraw, application, world.own_seat(world.graduate))
    with pytest.raises(Conflict, match="没有等待外部系统办理的申请"):
        do(case, world.seat("college"), CaseAction.APPROVE)
    clock_at("2026-10-14T10:00")
    again = abroad(world)
    with pytest.raises(Conflict, match="现在的是另一份"):
        do(case, world.seat("college"), CaseAction.APPROVE)
    assert again.state is State.AWAITING_EXTERNAL


@pytest.mark.rule("PD-61")
def test_where_the_policy_leaves_it_to_one_person_he_records_it(world: World, policy) -> None:
    policy(external_without_file="recorder")
    application = abroad(world)
    transfer(external.confirm, application, world.seat("class1"), NOTE)
    assert application.state is State.COMPLETED


@pytest.mark.rule("PD-61", "PD-32")
def test_who_comes_without_a_file_is_taken_in_by_the_superior_alone(world: World) -> None:
    seat = world.seat("team")
    with acting(seat):
        application = external.record_incoming(incoming(world, upload=None), seat)
    assert application.holder_id == world.orgs["company"].id
    with pytest.raises(Forbidden):
        transfer(operations.accept, application, seat)
    transfer(operations.accept, application, world.seat("company"))
    assert application.state is State.COMPLETED
    assert is_whole()


@pytest.mark.rule("PD-61", "PD-32")
def test_who_comes_with_a_file_is_taken_in_by_the_branch(world: World) -> None:
    seat = world.seat("team")
    with acting(seat):
        application = external.record_incoming(incoming(world, upload=SHOT), seat)
    transfer(operations.accept, application, seat)
    assert application.state is State.COMPLETED
