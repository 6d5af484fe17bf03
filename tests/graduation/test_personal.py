"""Members' own marks: months in mixed branches, delayed graduates, teachers, taken back (G-05, G-16 … G-21)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests.transfers.steps import EMPLOYED, apply, do
from tests.world import World
from zhtj.graduation import operations, personal, queries
from zhtj.graduation.models import CloseReason, MarkKind, MemberMark, NoTime, RegisterRow
from zhtj.graduation.personal import OwnMark, mark_members, undo
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.orgs.models import Category
from zhtj.people.models import Member
from zhtj.transfers import operations as transfers
from zhtj.transfers.watching import graduates
from zhtj.transfers.watching.graduates import GraduateFilters
from zhtj.transfers.workflow import State

JUNE, LATER = date(2026, 6, 1), date(2027, 6, 1)
DELAY = OwnMark(MarkKind.DELAYED, LATER, "学分未修满")
TEACHER = OwnMark(MarkKind.TEACHER)


@pytest.fixture
def summer(spring: World, clock_at) -> World:
    """The same world after the conversion: class 1 is a 毕业生团组织."""
    clock_at("2026-06-02T09:00")
    with unit_of_work():
        operations.convert_branches()
    return spring


def mark(world: World, wanted: OwnMark, *members: Member, seat: str = "college", branch: str = "class1") -> None:
    with unit_of_work():
        mark_members(world.seat(seat), world.orgs[branch], [member.id for member in members], wanted)
    session.expire_all()


def row(member: Member, season: int = 2026) -> RegisterRow | None:
    session.expire_all()
    return queries.register_row(member.id, season)


def names(world: World) -> list[str]:
    session.expire_all()
    found = graduates.listing(world.seat("university"), clock.today().year, GraduateFilters())
    return [each.row.member.name for each in found]


@pytest.mark.rule("G-05", "O-15", "PD-08", "K-03")
def test_members_of_a_mixed_branch_are_marked_one_by_one(spring: World) -> None:
    # given a mixed branch
    with unit_of_work():
        operations.mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=None, no_time=NoTime.MIXED)
        other = spring.enrol("方圆", "class2")
    # when one member gets this year, another a later one
    mark(spring, OwnMark(MarkKind.INDIVIDUAL, JUNE), spring.sophomore, branch="class2")
    mark(spring, OwnMark(MarkKind.INDIVIDUAL, LATER), other, branch="class2")
    # then only the first graduates this season, by his own mark
    assert row(spring.sophomore).origin_org_id == spring.orgs["class2"].id
    assert row(other) is None
    # and a changed mark closes his row
    mark(spring, OwnMark(MarkKind.INDIVIDUAL, LATER), spring.sophomore, branch="class2")
    assert row(spring.sophomore).close_reason is CloseReason.MARK


@pytest.mark.rule("G-05")
def test_only_mixed_branches_have_months_of_their_own(spring: World) -> None:
    assert personal.offered(spring.seat("college"), spring.orgs["class2"])[0] == []
    with pytest.raises(DomainError, match="不能这样标记"):
        mark(spring, OwnMark(MarkKind.INDIVIDUAL, JUNE), spring.graduate)


@pytest.mark.rule("G-10", "PD-08")
def test_who_is_marked_singly_becomes_a_graduate_on_the_day_too(spring: World, clock_at) -> None:
    with unit_of_work():
        operations.mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=None, no_time=NoTime.MIXED)
    mark(spring, OwnMark(MarkKind.INDIVIDUAL, JUNE), spring.sophomore, branch="class2")
    assert spring.sophomore.is_graduate is False
    clock_at("2026-06-01T00:05")
    with unit_of_work():
        operations.convert_branches()
    session.expire_all()
    assert spring.sophomore.is_graduate is True
    assert spring.orgs["class2"].category is Category.BRANCH


@pytest.mark.rule("G-16", "G-17", "PD-09", "PD-12", "R-19")
@pytest.mark.parametrize(("wanted", "reason"), [(DELAY, CloseReason.DELAYED), (TEACHER, CloseReason.TEACHER)])
def test_delayed_graduates_and_teachers_leave_the_season_from_that_day(
    summer: World, wanted: OwnMark, reason: CloseReason
) -> None:
    assert names(summer) == ["丁一", "卜喆"]
    mark(summer, wanted, summer.graduate)
    assert row(summer.graduate).close_reason is reason
    assert row(summer.graduate).closed_at == clock.now()
    assert names(summer) == ["卜喆"]
    assert summer.graduate.is_graduate is False


@pytest.mark.rule("G-17")
def test_many_at_once_and_one_event_each(summer: World) -> None:
    mark(summer, DELAY, summer.graduate, summer.classmate)
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.mark")).all()
    assert {event.subject_id for event in events} == {summer.graduate.id, summer.classmate.id}
    assert all(event.detail["reason"] == "学分未修满" for event in events)


@pytest.mark.rule("G-18")
@pytest.mark.parametrize("month", [date(2026, 6, 1), date(2026, 5, 1), None])
def test_the_delayed_time_must_be_later_than_the_branch_s(summer: World, month: date | None) -> None:
    with pytest.raises(DomainError):
        mark(summer, OwnMark(MarkKind.DELAYED, month, "学分未修满"), summer.graduate)
    mark(summer, OwnMark(MarkKind.DELAYED, date(2026, 7, 1), "学分未修满"), summer.graduate)


@pytest.mark.rule("G-17")
def test_a_delay_needs_its_reason(summer: World) -> None:
    with pytest.raises(DomainError, match="延迟毕业原因"):
        mark(summer, OwnMark(MarkKind.DELAYED, LATER, " "), summer.graduate)


@pytest.mark.rule("G-19", "PD-09")
def test_his_transfer_goes_on_and_is_counted_nowhere(summer: World) -> None:
    # given an application of the season under way
    application = apply(summer, summer.graduate, "team", **EMPLOYED)
    # when he is marked as delayed
    mark(summer, DELAY, summer.graduate)
    # then it can still be accepted, and his row stays out
    do(transfers.accept, application, summer.seat("team"))
    session.expire_all()
    assert application.state is State.COMPLETED
    assert row(summer.graduate).closed_at is not None
    assert names(summer) == ["卜喆"]


@pytest.mark.rule("G-20", "K-02")
def test_who_may_is_the_policy_s(summer: World, policy) -> None:
    branch = summer.orgs["class1"]
    for key, kinds in (("college", 2), ("university", 2), ("class1", 0)):
        assert len(personal.offered(summer.seat(key), branch)[0]) == kinds, key
    policy("2022-nankai")
    assert len(personal.offered(summer.seat("class1"), branch)[0]) == 2
    assert personal.offered(summer.seat("province"), branch)[0] == []


@pytest.mark.rule("G-21", "PD-09")
def test_taken_back_he_counts_again(summer: World) -> None:
    mark(summer, DELAY, summer.graduate)
    mark(summer, TEACHER, summer.classmate)
    assert queries.disposed(summer.seat("college")).count() == 2
    assert queries.disposed(summer.seat("company")).count() == 0
    with unit_of_work():
        undo(summer.seat("college"), [summer.graduate.id])
    session.expire_all()
    assert row(summer.graduate).closed_at is None
    assert summer.graduate.is_graduate is True
    assert names(summer) == ["丁一"]
    assert [one.member_id for one in queries.disposed(summer.seat("college")).page().rows] == [summer.classmate.id]


@pytest.mark.rule("G-21")
def test_nobody_takes_back_what_lies_elsewhere(summer: World) -> None:
    mark(summer, DELAY, summer.graduate)
    with unit_of_work():
        summer.add("other", "city", "共青团另一大学委员会", "另一大学团委", Category.COMMITTEE, "普通高等院校")
        summer.appoint("other")
    with pytest.raises(NotFound):
        undo(summer.seat("other"), [summer.graduate.id])
    assert session.get(MemberMark, summer.graduate.id) is not None


@pytest.mark.rule("PD-08", "R-19")
def test_delayed_in_an_earlier_year_he_is_in_the_register_of_his_new_one(summer: World, clock_at) -> None:
    mark(summer, DELAY, summer.graduate)
    clock_at("2027-05-02T09:00")
    with unit_of_work():
        operations.open_register()
    assert row(summer.graduate, 2027).origin_org_id == summer.orgs["class1"].id
    assert row(summer.classmate, 2027) is None
    assert names(summer) == ["丁一"]


def test_delayed_within_the_year_he_gets_no_second_chance_this_season(summer: World) -> None:
    mark(summer, OwnMark(MarkKind.DELAYED, date(2026, 12, 1), "学分未修满"), summer.graduate)
    with unit_of_work():
        operations.open_register()
    assert row(summer.graduate).closed_at is not None


@pytest.mark.rule("R-08")
def test_a_delayed_graduate_does_not_go_to_a_floating_branch(summer: World) -> None:
    mark(summer, DELAY, summer.graduate)
    with pytest.raises(DomainError) as caught:
        apply(summer, summer.graduate, "floating", reason="other", place="residence", remark="回家乡居住")
    assert caught.value.rule == "R-08"


@pytest.mark.rule("PD-02")
def test_nobody_marks_himself(summer: World) -> None:
    seat = summer.seat("college")
    himself = type(seat)(seat.kind, seat.account_id, None, seat.org_id, seat.path, summer.graduate.id)
    with pytest.raises(DomainError, match="不能标记自己"):
        mark_members(himself, summer.orgs["class1"], [summer.graduate.id], DELAY)
