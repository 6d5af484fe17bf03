"""Special units: who may start, what the remark says, who decides, and that nothing leads back (S, PD-14, PD-18)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.concurrency.processes import Deed, at_once
from tests.transfers.steps import acting, apply, do, start
from tests.world import World
from zhtj import doctor, sweeps
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.letters import operations as letters
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition
from zhtj.orgs import outside
from zhtj.orgs.models import Category
from zhtj.orgs.rules import destination_problem
from zhtj.orgs.searching.search import search
from zhtj.people.models import Member, Membership
from zhtj.policy.seasons import policy_for
from zhtj.policy.vocabulary import Reason
from zhtj.transfers import operations, queries
from zhtj.transfers.applying import special_units
from zhtj.transfers.applying.situations import special_unit
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, Initiator, State

ARMY = "参军入伍，政审、体检已通过"
SECRET = "去涉密单位工作，手续已办妥"
NOW = "2026-10-14T09:00"


def enlist(seat: ActiveSeat, member: Member, **details: Any) -> Application:
    """Send an application to a special unit in ``seat``."""
    with acting(seat):
        session.refresh(member)
        wanted = special_unit(member, **{"remark": ARMY, "confirmed": True, **details})
        return operations.submit(wanted, seat)


def own(world: World, **details: Any) -> Application:
    """The graduate applies himself."""
    return enlist(world.own_seat(world.graduate), world.graduate, **details)


@pytest.fixture
def neighbour(world: World) -> ActiveSeat:
    """The seat of another province's secretary."""
    with unit_of_work():
        world.add("province2", "centre", "共青团江苏省委员会", "团江苏省委", Category.LEADING_ORGAN, code="32")
        world.appoint("province2")
    return world.seat("province2")


# ---- who starts, and what it takes


@pytest.mark.rule("S-01")
@pytest.mark.parametrize(
    ("who", "initiator"),
    [("member", Initiator.MEMBER), ("class1", Initiator.OLD_SIDE), ("university", Initiator.OLD_SIDE)],
)
def test_the_member_or_his_old_side_starts_it_and_the_province_has_to_decide(
    world: World, who: str, initiator: Initiator
) -> None:
    seat = world.own_seat(world.graduate) if who == "member" else world.seat(who)
    application = enlist(seat, world.graduate)
    assert (application.initiator, application.state) == (initiator, State.AWAITING_PROVINCE)
    assert application.holder_id == world.orgs["province"].id


@pytest.mark.rule("S-01")
@pytest.mark.parametrize("who", ["team", "company", "province", "township"])
def test_a_receiver_or_anybody_else_may_not_start_it(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        enlist(world.seat(who), world.graduate)
    assert session.scalar(select(Application.id)) is None


@pytest.mark.rule("S-02")
def test_no_organisation_is_chosen_and_the_pool_cannot_be(world: World) -> None:
    pool = own(world).to_org
    assert pool == outside.special_pool()
    # Nobody finds it, and no other reason leads there
    assert destination_problem(pool)
    assert not [hit for hit in search(session, "特殊单位专属库").hits if hit.selectable]
    with pytest.raises(DomainError) as caught:
        start(
            world.own_seat(world.classmate),
            world.classmate,
            pool,
            reason="employed_with_org",
            unit_name="某单位",
            remark=ARMY,
            confirmed=True,
        )
    assert caught.value.rule == "S-02"
    # And with this reason no organisation of ours is taken
    with pytest.raises(DomainError) as caught:
        apply(world, world.classmate, "team", reason="special_unit", remark=ARMY, confirmed=True)
    assert caught.value.rule == "S-02"


@pytest.mark.rule("S-03")
@pytest.mark.parametrize(
    ("season", "line", "label"),
    [
        (2020, ("0", "34"), "特殊单位转接"),
        (2026, ("0", "34"), "转往特殊单位（参军入伍/涉密）"),
    ],
)
def test_the_reason_is_called_as_the_place_calls_it(season: int, line: tuple[str, ...], label: str) -> None:
    policy = policy_for(season, line)
    named = policy.reasons[Reason.SPECIAL_UNIT].label
    assert named == policy.special_unit_label == label


@pytest.mark.rule("S-04")
@pytest.mark.parametrize("remark", ["", "去部队", "政审、体检已通过"])
def test_the_remark_must_name_enlistment_or_a_secret_unit(world: World, remark: str) -> None:
    with pytest.raises(DomainError) as caught:
        own(world, remark=remark)
    assert (caught.value.field, caught.value.rule) == ("remark", "S-04")
    assert "入伍" in caught.value.message
    assert "涉密" in caught.value.message


@pytest.mark.rule("S-07")
def test_the_consequences_must_have_been_confirmed(world: World) -> None:
    with pytest.raises(DomainError) as caught:
        own(world, confirmed=False)
    assert (caught.value.field, caught.value.rule) == ("confirmed", "S-07")
    assert "不能撤回" in caught.value.message


# ---- the province decides


@pytest.mark.rule("S-05", "S-06")
@pytest.mark.rule("T-12", "T-13")
@pytest.mark.parametrize("remark", [ARMY, SECRET])
def test_the_province_approves_and_the_member_is_in_the_pool(world: World, remark: str) -> None:
    application = own(world, remark=remark)
    do(operations.approve, application, world.seat("province"))
    pool = outside.special_pool()
    assert application.state is State.COMPLETED
    assert (application.final_org_id, world.graduate.org_id) == (pool.id, pool.id)
    assert pool.parent_id == world.orgs["centre"].id
    stays = session.scalars(select(Membership).where(Membership.member_id == world.graduate.id).order_by(Membership.id))
    assert [(stay.org_id, stay.ended_at is None) for stay in stays] == [
        (world.orgs["class1"].id, False),
        (pool.id, True),
    ]
    # He counts as gone to society, at his own school (PD-09, PD-12)
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.graduate.id)).one()
    assert (row.category, row.completed_at is not None) == (GraduateCategory.SOCIETY, True)
    assert not [finding.name for finding in doctor.examine() if finding.broken]


@pytest.mark.rule("S-05")
@pytest.mark.parametrize("who", ["class1", "college", "university", "city", "county", "team"])
def test_nobody_else_decides(world: World, who: str) -> None:
    if who == "city":
        with unit_of_work():
            world.appoint("city")
    application, seat = own(world), world.seat(who)
    with pytest.raises(Forbidden):
        do(operations.approve, application, seat)
    with pytest.raises(Forbidden):
        do(operations.refuse, application, seat, Ground.NOT_PASSED, "手续没有办完")
    assert application.state is State.AWAITING_PROVINCE


@pytest.mark.rule("S-05")
def test_another_province_does_not_even_see_it(world: World, neighbour: ActiveSeat) -> None:
    application = own(world)
    with pytest.raises(NotFound):
        queries.application(neighbour, application.id)
    with pytest.raises(Forbidden):
        do(operations.approve, application, neighbour)


@pytest.mark.rule("A-17")
def test_the_province_refuses_with_a_ground_of_its_own(world: World) -> None:
    application = own(world)
    with pytest.raises(DomainError):
        do(operations.refuse, application, world.seat("province"), Ground.NOT_OURS, "与我们没有关系")
    do(operations.refuse, application, world.seat("province"), Ground.NOT_PASSED, "体检还没有做完")
    assert application.state is State.REFUSED
    # Everything can be sent again
    again = own(world, follows=application)
    assert again.follows_id == application.id


@pytest.mark.rule("PD-18")
def test_no_clock_runs_and_no_sweep_takes_it_back(world: World, clock_at: Callable[[str], None]) -> None:
    application = own(world)
    assert application.due_at is None
    clock_at("2026-12-30T09:00")
    sweeps.run("return")
    session.refresh(application)
    assert application.state is State.AWAITING_PROVINCE
    do(operations.approve, application, world.seat("province"))
    assert application.state is State.COMPLETED


@pytest.mark.rule("PD-16")
def test_the_member_takes_it_back_as_long_as_the_province_has_not_decided(world: World) -> None:
    # Whoever has started it
    application = enlist(world.seat("college"), world.graduate)
    do(operations.withdraw, application, world.own_seat(world.graduate))
    assert application.state is State.WITHDRAWN
    assert world.graduate.org_id == world.orgs["class1"].id


@pytest.mark.rule("S-07")
def test_nothing_leads_back_once_it_is_approved(world: World) -> None:
    application = own(world)
    do(operations.approve, application, world.seat("province"))
    with pytest.raises(Conflict):
        do(operations.withdraw, application, world.own_seat(world.graduate))
    for seat in (world.own_seat(world.graduate), world.seat("team")):
        with pytest.raises(DomainError) as caught:
            start(seat, world.graduate, world.orgs["team"], reason="work", unit_name="示例科技有限公司")
        assert (caught.value.rule, "不可逆" in caught.value.message) == ("S-07", True)
    assert world.graduate.org_id == outside.special_pool().id


@pytest.mark.slow("starts two processes")
@pytest.mark.rule("S-05")
def test_of_two_secretaries_of_the_province_who_decide_at_once_one_is_told_the_other_was_first(live: Flask) -> None:
    with live.app_context():
        # Given applications in front of two secretaries of the same province
        world = World.build()
        with unit_of_work():
            members = [world.enrol(f"员{number}", "class1") for number in range(4)]
            graduation.open_register()
        first = world.seat("province")
        with unit_of_work():
            world.appoint("province")
        second = world.seat("province")
        found = [enlist(world.own_seat(member), member).id for member in members]
        # When one approves and the other refuses at the same moment
        rounds = at_once(
            live,
            [Deed("approve", number, first) for number in found],
            [Deed("refuse", number, second) for number in found],
            NOW,
        )
        # Then one has done it, the other reads who did what, and nobody is in the pool without an approval
        session.rollback()
        for (done, answer), (_, refused) in rounds:
            assert answer == "done"
            assert refused.startswith("Conflict: ")
            assert f"办理了“{Action(done.action).label}”" in refused
            application = session.get_one(Application, done.number)
            in_pool = application.member.org_id == outside.special_pool().id
            assert in_pool is (application.state is State.COMPLETED) is (done.action == "approve")
            events = select(ApplicationEvent.action).where(ApplicationEvent.application_id == done.number)
            events = events.order_by(ApplicationEvent.id)
            assert [each.value for each in session.scalars(events)] == ["submit", done.action]
        assert not [finding.name for finding in doctor.examine() if finding.broken]


# ---- paper and secrets


@pytest.mark.rule("S-08")
@pytest.mark.parametrize("stage", ["waiting", "approved"])
def test_the_offline_papers_go_along_and_name_only_the_generic_destination(world: World, stage: str) -> None:
    with unit_of_work():
        school = session.merge(world.orgs["university"])
        school.phone, school.address, school.postcode = "0551-65500000", "示范路1号", "230031"
    application = own(world, secret_unit="示例研究所")
    if stage == "approved":
        do(operations.approve, application, world.seat("province"))
    seat = world.seat("university")
    with acting(seat):
        session.refresh(application)
        papers = Details(dues_until=date(2026, 9, 1), file_disposition=FileDisposition.WITH_PERSONAL_FILE)
        letter = letters.issue(application, seat, papers)
        record = letter.record
    assert record.receiver == "参军入伍"
    assert "示例研究所" not in repr(record)


@pytest.mark.rule("S-09")
@pytest.mark.parametrize(("remark", "shown"), [(ARMY, "参军入伍"), (SECRET, "涉密单位")])
def test_everybody_reads_the_generic_destination_alone(world: World, remark: str, shown: str) -> None:
    where = "示例市示例路1号"
    application = own(world, remark=remark, unit_name="示例研究所", unit_address=where, secret_unit="示例研究所")
    assert (application.to_name, application.unit_label, application.unit_name) == (shown, shown, None)
    # Its address would tell as much as its name
    assert application.unit_address is None
    # Nor does the database tell whoever reads its rows
    session.flush()
    kept = session.execute(
        text("SELECT secret_unit FROM applications WHERE id = :id"), {"id": application.id}
    ).scalar_one()
    assert "示例研究所" not in kept


@pytest.mark.rule("S-09")
@pytest.mark.rule("PD-37")
def test_only_the_deciding_province_opens_the_name_and_each_look_is_noted(world: World, neighbour: ActiveSeat) -> None:
    application, seat = own(world, secret_unit="示例研究所"), world.seat("province")
    for other in (neighbour, world.seat("university"), world.seat("class1"), world.own_seat(world.graduate)):
        assert not special_units.may_open(application, other)
        with pytest.raises(Forbidden):
            special_units.open_name(application, other)
    with acting(seat):
        assert special_units.may_open(application, seat)
        assert special_units.open_name(application, seat) == "示例研究所"
    looks = session.scalars(select(AuditEvent).where(AuditEvent.action == "application.secret_unit_seen")).all()
    assert [(look.subject_id, look.account_id) for look in looks] == [(application.id, seat.account_id)]
    assert "示例研究所" not in repr([look.detail for look in looks])
    # Once it is decided nobody looks any more
    do(operations.approve, application, seat)
    with pytest.raises(Forbidden):
        special_units.open_name(application, seat)


def test_where_no_name_was_told_there_is_nothing_to_open(world: World) -> None:
    application, seat = own(world), world.seat("province")
    assert not special_units.may_open(application, seat)
    with pytest.raises(NotFound):
        special_units.open_name(application, seat)
