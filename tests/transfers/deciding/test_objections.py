"""Objections to refusals, and refusals that hide a forbidden ground (A-16, A-23, PD-17)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.transfers.steps import acting, apply, do, start
from tests.waiting import waits_for
from tests.world import World
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.notices.models import Message
from zhtj.notices.waiting import WaitingKind
from zhtj.people import operations as people
from zhtj.people.models import Post, Seat
from zhtj.transfers import operations, queries
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import Application, Objection, RefusalFlag
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, State

Move = Callable[[str], None]
WHY = "劳动合同已签，去向属实"
UPGRADED = {"reason": "other", "remark": "留在本校其他支部", "confirmed": True}


def refused(world: World, ground: Ground = Ground.WORKS_ELSEWHERE, remark: str = "本人已在别处就业") -> Application:
    application = apply(world, world.graduate, "team")
    do(operations.refuse, application, world.seat("team"), ground, remark)
    session.expire_all()
    return queries.application(world.own_seat(world.graduate), application.id)


def objected(world: World, application: Application, text: str = WHY) -> Objection:
    seat = world.own_seat(world.graduate)
    with acting(seat):
        return objections.object_to(application, seat, text)


def answered(
    objection: Objection, seat: ActiveSeat, *, sustained: bool, remark: str = "已与对方核实情况"
) -> Application | None:
    with acting(seat):
        return objections.answer(objection, seat, sustained=sustained, remark=remark)


def waiting(seat: ActiveSeat) -> tuple[int, int]:
    """Objections to decide and flags to look at: as many as wait there."""
    found = objections.objections(seat).count(), objections.flags(seat).count()
    assert waits_for(seat).get(WaitingKind.OBJECTION, 0) == sum(found)
    return found


@pytest.mark.rule("PD-17")
def test_an_objection_goes_to_the_refuser_s_superior_and_may_be_made_once(world: World) -> None:
    application = refused(world)
    seat = world.own_seat(world.graduate)
    assert objections.may_object(seat, application)
    objection = objected(world, application)
    assert objection.org_id == world.orgs["company"].id
    assert not objections.may_object(seat, application)
    with pytest.raises(Conflict, match="不能再申诉"):
        objected(world, application)
    # Who refused does not decide, nor anybody but that superior
    assert waiting(world.seat("company")) == (1, 0)
    for key in ("team", "county", "university"):
        assert waiting(world.seat(key)) == (0, 0)
        with pytest.raises(Forbidden):
            answered(objection, world.seat(key), sustained=True)


@pytest.mark.rule("PD-17")
def test_only_the_applicant_objects_and_only_to_a_refusal(world: World) -> None:
    running = apply(world, world.graduate, "team")
    assert not objections.may_object(world.own_seat(world.graduate), running)
    do(operations.withdraw, running, world.own_seat(world.graduate))
    begun = start(world.seat("class1"), world.graduate, world.orgs["team"])
    do(operations.refuse, begun, world.seat("team"), Ground.OTHER, "情况不清，请核实")
    session.expire_all()
    found = queries.application(world.seat("class1"), begun.id)
    assert objections.may_object(world.seat("class1"), found)
    for seat in (world.seat("class2"), world.seat("team"), world.own_seat(world.sophomore)):
        assert not objections.may_object(seat, found)


@pytest.mark.rule("PD-17")
def test_an_objection_says_why(world: World) -> None:
    application = refused(world)
    with pytest.raises(DomainError, match="至少 5 个字"):
        objected(world, application, "不服")


@pytest.mark.rule("PD-17")
def test_a_sustained_objection_starts_a_linked_application_with_a_new_clock(world: World, clock_at: Move) -> None:
    application = refused(world)
    objection = objected(world, application)
    clock_at("2026-10-20T10:00")
    new = answered(objection, world.seat("company"), sustained=True)
    assert new is not None
    assert (new.state, new.follows_id, new.to_org_id) == (
        State.AWAITING_ACCEPTANCE,
        application.id,
        application.to_org_id,
    )
    assert new.due_at == clock.parse("2026-10-31T00:00")
    session.refresh(objection)
    assert (objection.sustained, objection.new_application_id) == (True, new.id)
    # The refused one stays refused; both say what happened
    session.expire_all()
    old = queries.application(world.own_seat(world.graduate), application.id)
    assert old.state is State.REFUSED
    assert [event.action for event in old.events][-2:] == [Action.OBJECT, Action.SUSTAIN]
    # Starting again gives no second objection
    do(operations.refuse, new, world.seat("team"), Ground.NOT_OURS, "仍然与本组织无关")
    session.expire_all()
    again = queries.application(world.own_seat(world.graduate), new.id)
    assert not objections.may_object(world.own_seat(world.graduate), again)


@pytest.mark.rule("PD-17")
def test_a_sustained_objection_starts_nothing_while_something_runs(world: World) -> None:
    objection = objected(world, refused(world))
    running = apply(world, world.graduate, "company")
    assert answered(objection, world.seat("company"), sustained=True) is None
    assert session.query(Application).filter_by(member_id=world.graduate.id).count() == 2
    session.refresh(running)
    assert running.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("PD-17")
def test_a_dismissed_objection_is_answered_in_writing_and_decided_once(world: World) -> None:
    objection = objected(world, refused(world))
    with pytest.raises(DomainError, match="处理意见"):
        answered(objection, world.seat("company"), sustained=False, remark="不行")
    assert answered(objection, world.seat("company"), sustained=False, remark="经核实，本人确已在别处就业") is None
    with pytest.raises(Conflict, match="已经处理过"):
        answered(objection, world.seat("company"), sustained=True)
    session.refresh(objection)
    assert (objection.sustained, objection.answer) == (False, "经核实，本人确已在别处就业")


@pytest.mark.rule("A-16", "PD-17")
@pytest.mark.parametrize("remark", ["他不是我们的正式职工", "不是本地户籍居民", "只是劳务派遣人员"])
def test_a_forbidden_ground_under_other_is_shown_to_the_level_above(world: World, remark: str) -> None:
    application = refused(world, Ground.OTHER, remark)
    flag = session.get_one(RefusalFlag, application.id)
    assert flag.org_id == world.orgs["company"].id
    assert waiting(world.seat("company")) == (0, 1)
    with pytest.raises(NotFound):
        objections.see_flag(application.id, world.seat("team"), "看过了，没有问题")
    with acting(world.seat("company")):
        with pytest.raises(DomainError, match="怎样处理"):
            objections.see_flag(application.id, world.seat("company"), "好")
        objections.see_flag(application.id, world.seat("company"), "已电话要求重新接收")
    assert waiting(world.seat("company")) == (0, 0)
    assert flag.seen_at is not None


@pytest.mark.rule("A-16")
def test_an_honest_refusal_is_not_flagged(world: World) -> None:
    refused(world, Ground.OTHER, "本人来电说不来了")
    assert session.query(RefusalFlag).count() == 0


@pytest.mark.rule("PD-17", "PD-22")
def test_where_the_superior_has_nobody_the_next_one_up_decides(world: World) -> None:
    """The township stands in for its floating branch: what it refuses goes to the county, not back to itself."""
    application = apply(world, world.graduate, "floating", reason="unplaced", place="residence")
    do(operations.refuse, application, world.seat("township"), Ground.NOT_OURS, "本人不住在本镇")
    session.expire_all()
    found = queries.application(world.own_seat(world.graduate), application.id)
    assert objected(world, found).org_id == world.orgs["county"].id
    assert waiting(world.seat("county")) == (1, 0)
    # When the county loses its only administrator, the nearest office above decides instead
    with unit_of_work():
        for seat in session.scalars(select(Seat).where(Seat.org_id == world.orgs["county"].id)):
            people.end_seat(seat, "调离")
    assert waiting(world.seat("province")) == (1, 0)
    (objection,) = objections.objections(world.seat("province")).page().rows
    assert answered(objection, world.seat("province"), sustained=True) is not None


@pytest.mark.rule("PD-61", "PD-02", "PD-17")
def test_an_objection_of_who_would_decide_it_himself_goes_one_level_higher(world: World) -> None:
    # Given a graduate who holds a post in the company's committee, refused by its team
    with unit_of_work():
        people.start_seat(world.graduate.account, world.orgs["company"], Post.DEPUTY)
    application = refused(world)
    objection = objected(world, application)
    # Then the county decides, and he cannot
    assert objection.org_id == world.orgs["county"].id
    assert objections.superior_of(application) == world.orgs["county"]
    assert waiting(world.seat("company")) == (0, 0)
    again = answered(objection, world.seat("county"), sustained=True)
    assert again is not None
    assert again.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("PD-61", "PD-02", "PD-17")
def test_so_does_one_of_the_committee_that_started_it(world: World) -> None:
    # Given a transfer that the company starts for its own team's new member, refused by the old class
    begun = start(world.seat("company"), world.graduate, world.orgs["team"])
    do(operations.refuse, begun, world.seat("class1"), Ground.NOT_LEAVING, "本人说不去这个单位")
    session.expire_all()
    found = queries.application(world.seat("company"), begun.id)
    assert objections.superior_of(found) == world.orgs["college"]
    # And one that the college starts inside itself, refused by the class it goes to
    inside = start(world.seat("college"), world.classmate, world.orgs["class2"], **UPGRADED)
    do(operations.refuse, inside, world.seat("university"), Ground.NOT_OURS, "没有这项安排，请核实")
    session.expire_all()
    found = queries.application(world.seat("college"), inside.id)
    assert objections.superior_of(found) == world.orgs["city"]


@pytest.mark.rule("PD-17")
def test_a_refusal_by_the_old_side_can_be_objected_to(world: World) -> None:
    # Given a sophomore whose own class will not let him change his subject
    application = apply(world, world.sophomore, "class1", reason="internal_transfer")
    assert application.state is State.AWAITING_RELEASE
    do(operations.refuse, application, world.seat("class2"), Ground.NOT_LEAVING, "还没有办完转专业手续")
    session.expire_all()
    seat = world.own_seat(world.sophomore)
    found = queries.application(seat, application.id)
    assert objections.may_object(seat, found)
    with acting(seat):
        raised = objections.object_to(found, seat, "手续早已办完，学院可以证明")
    assert raised.org_id == world.orgs["college"].id
    # Sustained, it waits for the other side: the old one has had its say
    again = answered(raised, world.seat("college"), sustained=True)
    assert again is not None
    assert (again.state, again.follows_id) == (State.AWAITING_ACCEPTANCE, application.id)


@pytest.mark.rule("A-16", "T-06", "PD-17")
@pytest.mark.parametrize(
    ("ground", "remark", "flagged"),
    [
        (Ground.NOT_OURS, "该同学还在试用期", True),
        (Ground.NOT_OURS, "只是来实习的，不接收", True),
        (Ground.FILE_UNVERIFIED, "劳务派遣人员的档案不收", True),
        (Ground.WORKS_ELSEWHERE, "不是本地户籍，不接收", True),
        (Ground.WRONG_DATA, "本人不是正式职工", True),
        (Ground.OTHER, "户口不在我镇", True),
        (Ground.WORKS_ELSEWHERE, "本人已在合肥一家公司实习", False),
        (Ground.WRONG_DATA, "户籍所在地填错了一个字", False),
        (Ground.NOT_OURS, "本人已经去了外地读书", False),
    ],
)
def test_a_forbidden_ground_is_seen_whatever_was_chosen(
    world: World, ground: Ground, remark: str, *, flagged: bool
) -> None:
    application = refused(world, ground, remark)
    assert (session.get(RefusalFlag, application.id) is not None) is flagged
    told = [one for one in session.scalars(select(Message)) if one.title.startswith("请核实")]
    assert bool(told) is flagged
