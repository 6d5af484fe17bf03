"""What forbids an entry is asked at submission and again at the moment of entry, whatever the way (PD-57)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do, start
from tests.world import World
from zhtj import sweeps
from zhtj.graduation.models import MarkKind
from zhtj.graduation.personal import OwnMark, mark_members
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.notices.models import Message
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member
from zhtj.transfers import operations, queries
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.many import mass_starts
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import conversions
from zhtj.transfers.workflow import Action, State

Move = Callable[[str], None]
MAY, JUNE = "2026-05-28T09:00", "2026-06-01T00:05"
CHANGES_SUBJECT: dict[str, Any] = {"reason": "internal_transfer"}
MOVED: dict[str, Any] = {"reason": "relocation", "place": "residence", "unit_address": "合肥市蜀山区井岗镇"}
SCHOOL = "普通高等院校"


@pytest.fixture
def spring(clock_at: Move, session: Any) -> World:
    """In May: class 1 graduates in June, class 2 does not."""
    clock_at(MAY)
    return World.build()


def convert(clock_at: Move) -> None:
    """The first of June."""
    clock_at(JUNE)
    assert sweeps.run("convert").done == 1
    session.expire_all()


def delay(world: World, member: Member, *, until: date = date(2027, 6, 1)) -> None:
    """The college marks a graduate of class 1 as delayed."""
    with acting(world.seat("college")):
        mark = OwnMark(MarkKind.DELAYED, until, "缓考")
        mark_members(world.seat("college"), world.orgs["class1"], [member.id], mark)


def build(world: World, key: str, parent: str, name: str, **details: Any) -> Organisation:
    """A branch below ``parent``."""
    with unit_of_work():
        world.orgs[key] = orgs.create(world.orgs[parent], NewOrganisation(name, name, Category.BRANCH, **details))
    return world.orgs[key]


def released(world: World, member: Member) -> Application:
    """A sophomore who changes his subject into class 1; the old branch has let him go."""
    application = apply(world, member, "class1", **CHANGES_SUBJECT)
    do(operations.release, application, world.seat("class2"))
    assert application.state is State.AWAITING_ACCEPTANCE
    return application


# ---- a class that is converted


@pytest.mark.rule("PD-57", "O-10", "G-09")
def test_a_class_that_was_converted_meanwhile_takes_nobody_in(spring: World, clock_at: Move) -> None:
    application = released(spring, spring.sophomore)
    convert(clock_at)
    with pytest.raises(DomainError, match="毕业生团组织") as refused:
        do(operations.accept, application, spring.seat("class1"))
    assert refused.value.rule == "O-10"
    assert refused.value.fix
    assert spring.sophomore.org_id == spring.orgs["class2"].id


@pytest.mark.rule("PD-57", "O-10")
def test_nor_does_the_old_side_let_him_go_there(spring: World, clock_at: Move) -> None:
    application = apply(spring, spring.sophomore, "class1", **CHANGES_SUBJECT)
    convert(clock_at)
    with pytest.raises(DomainError, match="毕业生团组织"):
        do(operations.release, application, spring.seat("class2"))


@pytest.mark.rule("PD-57", "D-06")
def test_withdrawal_another_destination_and_refusal_stay_open(spring: World, clock_at: Move) -> None:
    with unit_of_work():
        others = [spring.enrol(name, "class2") for name in ("吴甲", "郑乙")]
    applications = [released(spring, member) for member in (spring.sophomore, *others)]
    build(spring, "class3", "college", "江淮示范大学计算机学院2024级1班团支部", industry=SCHOOL)
    convert(clock_at)
    do(operations.refuse, applications[0], spring.seat("class1"), Ground.BARRED, "本班已经毕业，请改转")
    do(operations.withdraw, applications[1], spring.own_seat(others[0]))
    with acting(spring.own_seat(others[1])):
        session.refresh(applications[2])
        wanted = Submission(
            member=others[1], destination=spring.orgs["class3"], follows=applications[2], **CHANGES_SUBJECT
        )
        elsewhere = operations.redirect(applications[2], wanted, spring.own_seat(others[1]))
    assert [one.state for one in applications] == [State.REFUSED, State.WITHDRAWN, State.WITHDRAWN]
    assert elsewhere.state is State.AWAITING_RELEASE


@pytest.mark.rule("PD-57")
def test_member_and_both_sides_are_told_at_once(spring: World, clock_at: Move) -> None:
    application = released(spring, spring.sophomore)
    before = session.query(Message).count()
    convert(clock_at)
    told = session.query(Message).order_by(Message.id).all()[before:]
    about = [one for one in told if one.subject_id == application.id]
    assert {(one.member_id, one.org_id) for one in about} == {
        (spring.sophomore.id, None),
        (None, spring.orgs["class1"].id),
        (None, spring.orgs["class2"].id),
    }
    assert all("不能再接收" in one.body and "毕业生团组织" in one.body for one in about)
    mine = next(one for one in about if one.member_id)
    assert "改转" in mine.body
    assert "撤销" in mine.body


@pytest.mark.rule("PD-57")
def test_the_rehearsal_of_the_conversion_lists_them(spring: World, clock_at: Move) -> None:
    application = released(spring, spring.sophomore)
    apply(spring, spring.employee, "floating", **MOVED)
    assert [one.id for one in conversions.foreseen(spring.orgs["university"].path)] == [application.id]
    assert conversions.count_foreseen("") == 1
    assert conversions.foreseen(spring.orgs["county"].path) == []


# ---- delayed graduates and floating branches


@pytest.mark.rule("PD-57", "R-08")
def test_a_delayed_graduate_is_put_into_no_floating_branch_of_a_township(world: World) -> None:
    # Given one who was on the way to the township, with another branch there, when he was marked
    build(world, "village", "township", "安徽省合肥市蜀山区井岗镇东风村团支部")
    application = apply(world, world.graduate, "township", **UNPLACED)
    do(operations.accept, application, world.seat("township"))
    delay(world, world.graduate)
    # Then the floating branch is closed to him and the other one is not
    with pytest.raises(DomainError) as refused:
        do(operations.allocate, application, world.seat("township"), world.orgs["floating"])
    assert refused.value.rule == "R-08"
    do(operations.allocate, application, world.seat("township"), world.orgs["village"])
    assert application.state is State.COMPLETED


@pytest.mark.rule("PD-57", "R-08")
def test_nor_of_a_county_that_takes_over(world: World) -> None:
    build(world, "county_floating", "county", "安徽省合肥市蜀山区流动团员团支部", purpose=Purpose.FLOATING)
    application = apply(world, world.graduate, "township", **UNPLACED)
    delay(world, world.graduate)
    with pytest.raises(DomainError) as refused:
        do(operations.take_over, application, world.seat("county"), world.orgs["county_floating"])
    assert refused.value.rule == "R-08"


@pytest.mark.rule("PD-57", "R-08")
def test_nor_of_a_park_whatever_the_reason(world: World) -> None:
    with unit_of_work():
        name = "蜀山经开区团工委"
        park = NewOrganisation("共青团蜀山经开区工作委员会", name, Category.WORKING_COMMITTEE, purpose=Purpose.PARK)
        world.orgs["park"] = orgs.create(world.orgs["county"], park)
    build(world, "park_floating", "park", "蜀山经开区流动团员团支部", purpose=Purpose.FLOATING)
    delay(world, world.graduate)
    works = {"reason": "work", "unit_name": "示例公司", "place": "unit_location"}
    with pytest.raises(DomainError) as refused:
        apply(world, world.graduate, "park_floating", **works)
    assert refused.value.rule == "R-08"


@pytest.mark.rule("R-08", "PD-08")
def test_in_the_season_of_his_later_time_he_graduates_like_everybody(world: World, clock_at: Move) -> None:
    delay(world, world.graduate)
    clock_at("2027-06-10T09:00")
    sweeps.run("register")
    session.expire_all()
    application = apply(world, world.graduate, "floating", **UNPLACED)
    do(operations.accept, application, world.seat("floating" if "floating" in world.accounts else "township"))
    assert application.state is State.COMPLETED


# ---- somewhere to arrive


@pytest.mark.rule("PD-57", "A-12")
def test_nobody_is_accepted_where_no_branch_may_take_him(world: World) -> None:
    # Given a township that has nothing but its floating branch, and a delayed graduate
    application = apply(world, world.graduate, "township", **UNPLACED)
    delay(world, world.graduate)
    with pytest.raises(DomainError, match="没有可以编入的团支部") as refused:
        do(operations.accept, application, world.seat("township"))
    assert "延迟毕业" in refused.value.message
    assert refused.value.rule == "PD-57"
    # A company without any branch at all says so too; once it has one, it may
    with unit_of_work():
        new = NewOrganisation("共青团新办公司委员会", "新办公司团委", Category.COMMITTEE, "非公企业")
        world.orgs["bare"] = orgs.create(world.orgs["county"], new)
    with unit_of_work():
        world.appoint("bare")
    session.expire_all()
    other = apply(world, world.classmate, "bare", **EMPLOYED)
    with pytest.raises(DomainError, match="没有可以编入的团支部"):
        do(operations.accept, other, world.seat("bare"))
    build(world, "bare_team", "bare", "新办公司第一团支部", industry="非公企业")
    do(operations.accept, other, world.seat("bare"))
    assert other.state is State.AWAITING_ALLOCATION


@pytest.mark.rule("PD-57", "PD-16")
def test_who_becomes_barred_after_acceptance_may_be_refused_and_nobody_else(world: World) -> None:
    barred = apply(world, world.graduate, "township", **UNPLACED)
    other = apply(world, world.classmate, "township", **UNPLACED)
    seat = world.seat("township")
    for application in (barred, other):
        do(operations.accept, application, seat)
        assert queries.possible_actions(seat, application) == [Action.ALLOCATE]
    delay(world, world.graduate)
    session.expire_all()
    assert queries.possible_actions(seat, barred) == [Action.ALLOCATE, Action.REFUSE]
    assert queries.possible_actions(seat, other) == [Action.ALLOCATE]
    with pytest.raises(Conflict):
        do(operations.refuse, other, seat, Ground.BARRED, "不想再接收了")
    with pytest.raises(DomainError, match="不适用于当前环节"):
        do(operations.refuse, barred, seat, Ground.OTHER, "不想再接收了")
    do(operations.refuse, barred, seat, Ground.BARRED, "本人已延迟毕业，仍在学校")
    assert barred.state is State.REFUSED
    assert world.graduate.org_id == world.orgs["class1"].id


# ---- the school's own purposes


@pytest.mark.rule("PD-57", "T-09")
def test_a_new_students_branch_takes_in_those_who_study(world: World) -> None:
    build(world, "new", "university", "江淮示范大学2026级新生团支部", industry=SCHOOL, purpose=Purpose.NEW_STUDENTS)
    with unit_of_work():
        teacher = world.enrol("教师甲", "team")
    application = apply(world, teacher, "university", reason="work", unit_name="江淮示范大学")
    do(operations.accept, application, world.seat("university"))
    with pytest.raises(DomainError, match="只接收升学") as refused:
        do(operations.allocate, application, world.seat("university"), world.orgs["new"])
    assert refused.value.rule == "T-09"


@pytest.mark.rule("PD-57", "M-12")
def test_nobody_at_all_is_transferred_among_those_who_stay(world: World) -> None:
    build(world, "kept", "university", "江淮示范大学流动团员团支部", industry=SCHOOL, purpose=Purpose.FLOATING)
    with unit_of_work():
        teacher = world.enrol("教师甲", "team")
    application = apply(world, teacher, "university", reason="work", unit_name="江淮示范大学")
    do(operations.accept, application, world.seat("university"))
    with pytest.raises(DomainError) as refused:
        do(operations.allocate, application, world.seat("university"), world.orgs["kept"])
    assert refused.value.rule == "M-12"


# ---- every way asks the same


@pytest.mark.rule("PD-57", "O-10")
def test_a_sustained_objection_does_not_lead_into_a_converted_class(spring: World, clock_at: Move) -> None:
    from zhtj.transfers.deciding import objections  # noqa: PLC0415

    application = released(spring, spring.sophomore)
    do(operations.refuse, application, spring.seat("class1"), Ground.NOT_OURS, "不是我班的同学")
    with acting(spring.own_seat(spring.sophomore)):
        session.refresh(application)
        raised = objections.object_to(application, spring.own_seat(spring.sophomore), "确实转到这个专业")
    convert(clock_at)
    with acting(spring.seat("college")):
        started = objections.answer(raised, spring.seat("college"), sustained=True, remark="核实属实，应当接收")
    assert started is None
    assert raised.sustained


@pytest.mark.rule("PD-57", "R-08")
def test_a_preview_of_many_says_what_the_start_would_say(world: World) -> None:
    delay(world, world.graduate)
    line = {"member": world.graduate.id, "to": world.orgs["floating"].code, **MOVED}
    (seen,) = mass_starts.examine_out(world.seat("college"), [line], {})
    with pytest.raises(DomainError) as refused:
        start(world.seat("college"), world.graduate, world.orgs["floating"], **MOVED)
    assert seen.error is not None
    assert (seen.error.message, seen.error.rule) == (refused.value.message, "R-08")


@pytest.mark.rule("A-01")
def test_nobody_else_starts_it(world: World) -> None:
    with pytest.raises(Forbidden):
        start(world.seat("county"), world.graduate, world.orgs["team"], **EMPLOYED)
    with pytest.raises(Forbidden):
        start(world.own_seat(world.classmate), world.graduate, world.orgs["team"], **EMPLOYED)
