"""The main path by all three initiators, with its effects (A-01 … A-18, PD-14, PD-16, PD-20, PD-22)."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.transfers.steps import EMPLOYED, UNPLACED, accept_into, acting, apply, do, start
from tests.world import World
from zhtj.graduation.models import RegisterRow
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as people
from zhtj.people.models import Membership, Post, Seat
from zhtj.transfers import operations, queries
from zhtj.transfers.models import Arrival
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, Initiator, State


@pytest.mark.rule("A-01")
@pytest.mark.rule("A-08")
@pytest.mark.rule("A-12")
def test_a_member_applies_the_committee_accepts_and_allocates(world: World) -> None:
    # Given a graduate who applies to a company's committee
    application = apply(world, world.graduate, "company")
    assert application.state is State.AWAITING_ACCEPTANCE
    assert application.initiator is Initiator.MEMBER
    # When the company accepts, he is not yet in a branch
    do(operations.accept, application, world.seat("company"))
    assert application.state is State.AWAITING_ALLOCATION
    assert world.graduate.org_id == world.orgs["class1"].id
    # And when it allocates him, he has moved
    do(operations.allocate, application, world.seat("company"), world.orgs["team"])
    assert application.state is State.COMPLETED
    assert world.graduate.org_id == world.orgs["team"].id


@pytest.mark.rule("A-12")
def test_a_branch_as_destination_needs_no_allocation(world: World) -> None:
    application = apply(world, world.graduate, "team")
    do(operations.accept, application, world.seat("team"))
    assert application.state is State.COMPLETED
    assert application.final_org_id == world.orgs["team"].id


@pytest.mark.rule("A-03")
def test_the_old_side_starts_and_its_consent_is_implied(world: World) -> None:
    application = start(world.seat("college"), world.graduate, world.orgs["team"], **EMPLOYED)
    assert application.initiator is Initiator.OLD_SIDE
    assert application.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-04", "A-09")
def test_the_new_side_starts_and_the_old_branch_must_release(world: World) -> None:
    application = start(world.seat("team"), world.graduate, world.orgs["team"], **EMPLOYED)
    assert application.state is State.AWAITING_RELEASE
    # The company cannot release for the class
    with pytest.raises(Forbidden):
        do(operations.release, application, world.seat("company"))
    do(operations.release, application, world.seat("class1"))
    assert application.state is State.COMPLETED


@pytest.mark.rule("A-09")
def test_the_old_branch_s_direct_superior_may_release_but_nobody_above(world: World) -> None:
    application = start(world.seat("company"), world.graduate, world.orgs["company"], **EMPLOYED)
    with pytest.raises(Forbidden):
        do(operations.release, application, world.seat("university"))
    do(operations.release, application, world.seat("college"))
    assert application.state is State.AWAITING_ALLOCATION


@pytest.mark.rule("PD-14")
def test_inside_the_acting_committee_it_completes_at_once(world: World) -> None:
    start(world.seat("university"), world.sophomore, world.orgs["class1"], reason="internal_transfer", remark="转专业")
    assert world.sophomore.org_id == world.orgs["class1"].id


@pytest.mark.rule("A-10")
def test_inside_one_school_the_old_branch_releases_a_member_s_own_application(world: World) -> None:
    application = apply(world, world.sophomore, "class1", reason="internal_transfer", remark="转专业")
    assert application.state is State.AWAITING_RELEASE
    do(operations.release, application, world.seat("class2"))
    assert application.state is State.AWAITING_ACCEPTANCE
    do(operations.accept, application, world.seat("class1"))
    assert application.state is State.COMPLETED


@pytest.mark.rule("A-06")
def test_a_second_application_is_refused_while_one_is_open(world: World) -> None:
    first = apply(world, world.graduate, "team")
    with pytest.raises(Conflict, match="已有业务正在办理，不能重复发起"):
        start(world.seat("class1"), world.graduate, world.orgs["company"], **EMPLOYED)
    do(operations.withdraw, first, world.own_seat(world.graduate))
    second = apply(world, world.graduate, "company")
    assert second.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-07")
def test_the_member_sees_every_application_about_himself_with_who_started_it(world: World) -> None:
    first = start(world.seat("class1"), world.graduate, world.orgs["team"], **EMPLOYED)
    do(operations.withdraw, first, world.own_seat(world.graduate), remark="单位填错了")
    apply(world, world.graduate, "company")
    found = queries.of_member(world.graduate.id)
    assert [a.initiator for a in found] == [Initiator.MEMBER, Initiator.OLD_SIDE]
    session.expire_all()
    steps = [(e.action, e.account_id) for e in queries.application(world.own_seat(world.graduate), first.id).events]
    assert steps == [
        (Action.SUBMIT, world.accounts["class1"].id),
        (Action.WITHDRAW, world.graduate.account_id),
    ]


@pytest.mark.rule("A-15")
@pytest.mark.parametrize("remark", ["", "   ", "不同意", "不 同 意 ！"])
def test_a_refusal_without_a_real_remark_is_not_accepted(world: World, remark: str) -> None:
    application = apply(world, world.graduate, "team")
    with pytest.raises(DomainError) as error:
        do(operations.refuse, application, world.seat("team"), Ground.NOT_OURS, remark)
    assert error.value.field == "remark"
    session.refresh(application)
    assert application.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-16")
@pytest.mark.parametrize("ground", [Ground.NOT_REGULAR, Ground.NOT_RESIDENT])
def test_forbidden_grounds_do_not_refuse(world: World, ground: Ground) -> None:
    application = apply(world, world.graduate, "team")
    with pytest.raises(DomainError, match="不能以"):
        do(operations.refuse, application, world.seat("team"), ground, "不是正式职工，不接收")


@pytest.mark.rule("A-15", "A-17", "A-23")
def test_a_refusal_carries_ground_and_remark_and_leads_to_a_new_application(world: World) -> None:
    application = apply(world, world.graduate, "team")
    do(operations.refuse, application, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在其他公司就业")
    assert application.state is State.REFUSED
    session.expire_all()
    event = queries.application(world.own_seat(world.graduate), application.id).events[-1]
    assert (event.ground, event.remark) == ("works_elsewhere", "本人已在其他公司就业")
    again = start(
        world.own_seat(world.graduate), world.graduate, world.orgs["company"], **EMPLOYED, follows=application
    )
    assert again.follows_id == application.id
    assert world.graduate.org_id == world.orgs["class1"].id


@pytest.mark.rule("A-18", "PD-16")
def test_withdrawal_is_open_to_initiator_and_member_until_acceptance(world: World) -> None:
    application = start(world.seat("college"), world.graduate, world.orgs["company"], **EMPLOYED)
    with pytest.raises(Forbidden):
        do(operations.withdraw, application, world.seat("company"))
    do(operations.accept, application, world.seat("company"))
    for seat in (world.seat("college"), world.own_seat(world.graduate)):
        with pytest.raises(Conflict, match="对方已经同意接收"):
            do(operations.withdraw, application, seat)


@pytest.mark.rule("PD-10")
def test_staying_at_the_own_school_is_no_transfer(world: World) -> None:
    with unit_of_work():
        kept = NewOrganisation(
            "江淮示范大学流动团员团支部",
            "校流动团员团支部",
            Category.BRANCH,
            "普通高等院校",
            purpose=Purpose.FLOATING,
        )
        world.orgs["kept"] = orgs.create(session.merge(world.orgs["university"]), kept)
    with pytest.raises(DomainError, match="不是转接") as error:
        start(world.seat("class1"), world.graduate, world.orgs["kept"], **UNPLACED)
    assert error.value.rule == "PD-10"


@pytest.mark.rule("O-10")
def test_a_graduates_organisation_takes_nobody(world: World) -> None:
    with unit_of_work():
        world.orgs["class2"].category = Category.GRADUATES
    with pytest.raises(DomainError, match="毕业生团组织"):
        apply(world, world.employee, "class2", reason="other", remark="回校")


@pytest.mark.rule("PD-20")
def test_completion_moves_membership_ends_posts_and_updates_the_register(world: World) -> None:
    # Given a graduate who is also deputy secretary of his class
    with unit_of_work():
        people.start_seat(world.graduate.account, world.orgs["class1"], Post.DEPUTY)
    application = apply(world, world.graduate, "team")
    do(operations.accept, application, world.seat("team"))
    stays = session.scalars(
        select(Membership).where(Membership.member_id == world.graduate.id).order_by(Membership.id)
    ).all()
    assert [(stay.org_id, stay.ended_at is None) for stay in stays] == [
        (world.orgs["class1"].id, False),
        (world.orgs["team"].id, True),
    ]
    assert session.scalar(select(Seat.ended_why).where(Seat.account_id == world.graduate.account_id)) == "transferred"
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.graduate.id)).one()
    assert row.completed_at is not None
    assert row.season_path == world.orgs["class1"].path
    assert session.get(Arrival, application.id).org_id == world.orgs["team"].id


@pytest.mark.rule("PD-22")
def test_what_waits_for_a_branch_without_administrator_appears_at_its_township(world: World) -> None:
    application = apply(world, world.graduate, "floating", **UNPLACED)
    assert len(queries.waiting(world.seat("township"), queries.Filters()).page().rows) == 1
    assert len(queries.waiting(world.seat("county"), queries.Filters()).page().rows) == 0
    do(operations.accept, application, world.seat("township"))
    assert world.graduate.org_id == world.orgs["floating"].id


@pytest.mark.rule("PD-22")
def test_a_new_administrator_takes_the_work_over_and_gives_it_back(world: World) -> None:
    apply(world, world.graduate, "floating", **UNPLACED)
    with unit_of_work():
        world.appoint("floating")
    assert len(queries.waiting(world.seat("floating"), queries.Filters()).page().rows) == 1
    assert len(queries.waiting(world.seat("township"), queries.Filters()).page().rows) == 0
    with unit_of_work():
        people.end_seat(session.scalars(select(Seat).where(Seat.org_id == world.orgs["floating"].id)).one(), "left")
    assert len(queries.waiting(world.seat("township"), queries.Filters()).page().rows) == 1


@pytest.mark.rule("PD-02")
def test_nobody_decides_about_himself(world: World) -> None:
    # Given a secretary of the team who is in the class and applies to his own team
    with unit_of_work():
        people.start_seat(world.graduate.account, world.orgs["team"], Post.DEPUTY)
    application = apply(world, world.graduate, "team")
    own = world.seat("team")
    himself = type(own)(own.kind, world.graduate.account_id, None, own.org_id, own.path, world.graduate.id)
    with pytest.raises(Forbidden):
        do(operations.accept, application, himself)
    # Then his direct superior may decide
    do(operations.accept, application, world.seat("company"))
    assert application.state is State.COMPLETED


def test_an_application_is_invisible_to_whom_it_does_not_concern(world: World) -> None:
    application = apply(world, world.graduate, "team")
    with pytest.raises(NotFound):
        queries.application(world.seat("township"), application.id)
    with pytest.raises(NotFound):
        queries.application(world.own_seat(world.classmate), application.id)
    assert queries.application(world.seat("province"), application.id).id == application.id


def test_every_step_leaves_one_audit_event(world: World) -> None:
    application = apply(world, world.graduate, "company")
    with acting(world.seat("company")):
        accept_into(application, world.seat("company"), world.orgs["team"])
    steps = session.execute(
        select(AuditEvent.action, func.count())
        .where(AuditEvent.subject_type == "application", AuditEvent.subject_id == application.id)
        .group_by(AuditEvent.action)
    ).all()
    assert dict(steps) == {
        "transfer.submit": 1,
        "transfer.accept": 1,
        "transfer.allocate": 1,
    }
