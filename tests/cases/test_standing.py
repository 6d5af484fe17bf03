"""Leaving at 28, suspension and removal after lost contact, 自行脱团: proposed, then decided (D-21 … U-25)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.cases.steps import ask, do
from tests.transfers.steps import acting
from tests.world import World, id_number
from zhtj import doctor
from zhtj.cases import operations
from zhtj.cases.kinds import kind_of
from zhtj.cases.membership import proposals
from zhtj.cases.membership.proposals import Measure
from zhtj.cases.models import Case
from zhtj.cases.subjects import matter
from zhtj.cases.workflow import CaseAction
from zhtj.floating import operations as floating
from zhtj.floating.models import Stay, StayKind
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import CloseReason, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.notices.models import Message
from zhtj.orgs import policies
from zhtj.people import operations as people
from zhtj.people.models import Member, Membership, Post, Sex
from zhtj.people.operations import NewMember
from zhtj.people.rules import months_after, years_before
from zhtj.policy import seasons

WHY = "多次电话联系，本人无正当理由"


def enter(world: World, name: str, born: date, key: str = "team", serial: int = 300, **more: Any) -> Member:
    """Somebody of this age."""
    new = NewMember(
        name=name,
        id_number=id_number(serial, born=born),
        mobile=f"1370000{serial:04d}",
        sex=Sex.MALE,
        joined_on=date(2014, 5, 1),
        **more,
    )
    return people.add_member(world.orgs[key], new)


def aged(years: int, days: int = 0) -> date:
    """The day of birth of whoever became so old so many days ago."""
    return years_before(clock.today(), years) - timedelta(days=days)


def names(world: World, key: str, measure: Measure) -> list[str]:
    return [one.name for one in proposals.listing(world.seat(key), measure).page().rows]


def propose(world: World, key: str, member: Member, measure: Measure) -> Case:
    return ask(world.seat(key), "standing", member, measure=measure.value, why=WHY)


def lost(world: World, *, since: date, spoken: date | None = None) -> Member:
    """A floating member who came on a day, and with whom somebody spoke on another."""
    with unit_of_work():
        member = world.enrol("贾失联", "floating")
        session.add(
            Stay(member_id=member.id, org_id=member.org_id, kind=StayKind.TOWNSHIP, since=since, last_contact_on=spoken)
        )
    return member


# -- 28 years


@pytest.mark.rule("U-24")
def test_at_28_without_a_post_membership_is_proposed_to_end_party_member_or_not(world: World):
    with unit_of_work():
        enter(world, "差一天", aged(28, -1), serial=301)
        enter(world, "党员", aged(28), serial=302, political_status="中共党员")
        enter(world, "年轻党员", aged(27), serial=303, political_status="中共党员")
        holder = enter(world, "书记", aged(30), serial=304)
        people.start_seat(holder.account, world.orgs["team"], Post.DEPUTY)
    assert names(world, "company", Measure.OVER_AGE) == ["党员"]
    assert names(world, "university", Measure.OVER_AGE) == [], "nobody of ours"


@pytest.mark.rule("U-24", "PD-13", "PD-06")
def test_the_committee_decides_and_the_record_is_archived_with_its_ground(world: World):
    with unit_of_work():
        member = enter(world, "年长", aged(28, 3))
    case = propose(world, "team", member, Measure.OVER_AGE)
    assert session.get_one(Member, member.id).archived_at is None, "software proposes, people decide"
    do(case, world.seat("company"), CaseAction.APPROVE)
    session.expire_all()
    assert (member.archived_why, member.archived_at is not None) == ("over_age", True)
    assert (
        session.scalars(select(Membership).where(Membership.member_id == member.id)).one().ended_by == f"case:{case.id}"
    )
    assert [one.name for one in doctor.examine() if one.broken] == []


@pytest.mark.rule("U-25")
def test_a_graduate_who_turns_28_during_the_campaign_is_still_transferred(world: World):
    with unit_of_work():
        member = enter(world, "大龄毕业生", aged(28), key="class1")
        graduation.open_register()
    assert names(world, "college", Measure.OVER_AGE) == []
    with pytest.raises(DomainError, match="不符合") as caught:
        propose(world, "college", member, Measure.OVER_AGE)
    assert caught.value.rule == "U-24"
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == member.id)).one()
    assert row.closed_at is None, "he counts until he has been transferred"
    with clock.at(clock.parse("2027-01-05T09:00")):
        assert names(world, "college", Measure.OVER_AGE) == ["大龄毕业生"], "the campaign is over"


@pytest.mark.rule("PD-13")
def test_whoever_leaves_leaves_the_denominators_from_that_day(world: World):
    with unit_of_work():
        member = enter(world, "欠费", aged(22), key="class1", dues_until=date(2026, 3, 1))
        graduation.open_register()
    case = propose(world, "class1", member, Measure.LEFT)
    do(case, world.seat("college"), CaseAction.FORWARD)
    do(case, world.seat("university"), CaseAction.APPROVE)
    session.expire_all()
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == member.id)).one()
    assert (row.close_reason, row.closed_at) == (CloseReason.LEFT, member.archived_at)


# -- lost contact


@pytest.mark.rule("D-21")
@pytest.mark.parametrize(
    ("since", "spoken", "proposed"),
    [(366, None, True), (364, None, False), (900, 366, True), (900, 364, False)],
)
def test_a_year_without_contact_is_a_ground_to_suspend(world: World, since: int, spoken: int | None, *, proposed: bool):
    today = clock.today()
    lost(
        world,
        since=today - timedelta(days=since),
        spoken=None if spoken is None else today - timedelta(days=spoken),
    )
    assert (names(world, "township", Measure.SUSPEND) == ["贾失联"]) is proposed


@pytest.mark.rule("D-21")
def test_suspended_by_decision_told_seen_and_undone_by_decision(world: World):
    member = lost(world, since=clock.today() - timedelta(days=400))
    case = propose(world, "township", member, Measure.SUSPEND)
    told = session.scalars(select(Message).where(Message.member_id == member.id)).all()
    assert [one.title for one in told] == ["拟停止团籍"], "he hears of it while he can still object"
    assert "情况说明" in told[0].body
    assert WHY in told[0].body
    do(case, world.seat("township"), CaseAction.APPROVE)
    session.expire_all()
    assert member.suspended_at == clock.now()
    assert case.outcome == "已停止团籍；重新取得联系后可以申请恢复。"
    assert member.archived_at is None
    assert names(world, "township", Measure.SUSPEND) == []
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.suspend")).one()
    assert (event.subject_id, event.detail["why"]) == (member.id, WHY)
    back = propose(world, "township", member, Measure.RESUME)
    do(back, world.seat("township"), CaseAction.APPROVE)
    session.expire_all()
    assert member.suspended_at is None
    assert back.outcome == "已恢复团籍。"


@pytest.mark.rule("D-21")
@pytest.mark.parametrize(("days", "proposed"), [(2 * 365, True), (2 * 365 - 2, False)])
def test_two_years_after_suspension_removal_is_proposed(world: World, days: int, *, proposed: bool):
    with unit_of_work():
        member = enter(world, "停止", aged(23))
        member.suspended_at = clock.start_of_day(clock.today() - timedelta(days=days)) + timedelta(hours=10)
    assert (names(world, "company", Measure.REMOVE) == ["停止"]) is proposed
    if proposed:
        case = propose(world, "company", member, Measure.REMOVE)
        do(case, world.seat("company"), CaseAction.APPROVE)
        session.expire_all()
        assert member.archived_why == "removed"


@pytest.mark.rule("D-22")
@pytest.mark.parametrize(
    ("paid", "on", "proposed"),
    [
        (date(2026, 3, 1), "2026-10-01", True),
        (date(2026, 3, 1), "2026-09-30", False),
        (date(2026, 4, 1), "2026-10-31", False),
        (None, "2026-10-31", False),
    ],
)
def test_six_whole_months_without_dues_count_as_leaving(world: World, paid: date | None, on: str, *, proposed: bool):
    with unit_of_work():
        enter(world, "欠费", aged(22), dues_until=paid)
    with clock.at(clock.parse(on)):
        assert (names(world, "company", Measure.LEFT) == ["欠费"]) is proposed


@pytest.mark.rule("D-22", "F-17")
def test_the_member_objects_by_a_statement_which_the_decider_sees(world: World):
    with unit_of_work():
        member = enter(world, "欠费", aged(22), dues_until=date(2026, 1, 1))
        member.account.activated_at = clock.now()
    case = propose(world, "team", member, Measure.LEFT)
    words = {"purpose": "objection", "text": "本人因病住院，团费已在补交。"}
    said = ask(world.own_seat(member), "statement", member, **words)
    assert said.number in kind_of("standing").warn(matter(case))
    do(case, world.seat("company"), CaseAction.REFUSE, "本人因病，有正当理由")
    session.expire_all()
    assert member.archived_at is None


@pytest.mark.rule("PD-02")
def test_nobody_decides_about_himself(world: World):
    with unit_of_work():
        member = enter(world, "欠费", aged(22), dues_until=date(2026, 1, 1))
        people.start_seat(member.account, world.orgs["company"], Post.DEPUTY)
    case = propose(world, "team", member, Measure.LEFT)
    own = world.seat("company")
    himself = type(own)(own.kind, member.account_id, None, own.org_id, own.path, member.id)
    with pytest.raises(DomainError, match="与本人有关"), acting(himself):
        operations.act(case, himself, CaseAction.APPROVE)


def test_months_and_years_before_a_day_fit_the_calendar():
    assert months_after(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert months_after(date(2026, 1, 15), -1) == date(2025, 12, 15)
    assert months_after(date(2026, 12, 31), -12) == date(2025, 12, 31)
    assert years_before(date(2024, 2, 29), 1) == date(2023, 2, 28)


# -- reached again after the suspension


def suspended(world: World, days: int) -> Member:
    """A floating member of the township whose membership was suspended so many days ago, and who was lost before."""
    member = lost(world, since=clock.today() - timedelta(days=days + 400))
    with unit_of_work():
        member.suspended_at = clock.start_of_day(clock.today() - timedelta(days=days)) + timedelta(hours=10)
    return member


def reach(world: World, member: Member, days: int) -> None:
    """His branch has spoken with him so many days ago and logs it today."""
    seat = world.seat("township")
    with acting(seat):
        floating.contacted(seat, member, clock.today() - timedelta(days=days), "电话联系上，本人在外地打工", None)


@pytest.mark.rule("PD-61", "D-21")
@pytest.mark.parametrize(
    ("days", "proposed"),
    [(0, False), (800, False), (801, True)],
)
def test_who_was_reached_after_the_suspension_is_not_removed(world: World, days: int, *, proposed: bool):
    member = suspended(world, 800)
    assert names(world, "township", Measure.REMOVE) == ["贾失联"]
    reach(world, member, days)
    assert (names(world, "township", Measure.REMOVE) == ["贾失联"]) is proposed
    if not proposed:
        with pytest.raises(DomainError, match="没有取得联系") as caught:
            propose(world, "township", member, Measure.REMOVE)
        assert "恢复团籍" in str(caught.value)


@pytest.mark.rule("PD-61", "D-21")
def test_who_is_reached_while_his_removal_is_under_way_is_not_removed(world: World):
    member = suspended(world, 800)
    case = propose(world, "township", member, Measure.REMOVE)
    reach(world, member, 0)
    with pytest.raises(DomainError, match="没有取得联系"):
        do(case, world.seat("township"), CaseAction.APPROVE)
    session.expire_all()
    assert member.archived_at is None


@pytest.mark.rule("PD-61", "D-21")
def test_who_speaks_up_himself_has_been_in_contact(world: World):
    member = suspended(world, 800)
    ask(world.own_seat(member), "statement", member, purpose="objection", text="本人一直在外地打工，现已联系团支部。")
    assert names(world, "township", Measure.REMOVE) == []


@pytest.mark.rule("PD-61", "D-22")
def test_owing_dues_is_a_ground_of_its_own_whether_he_is_reached_or_not(world: World):
    member = lost(world, since=clock.today() - timedelta(days=200))
    with unit_of_work():
        member.dues_until = date(2026, 1, 1)
    reach(world, member, 0)
    assert names(world, "township", Measure.LEFT) == ["贾失联"]


@pytest.mark.rule("D-21")
def test_an_ended_stay_is_no_ground_to_suspend(world: World):
    """He was moved on: where he is now, he is no floating member."""
    member = lost(world, since=clock.today() - timedelta(days=500))
    assert names(world, "township", Measure.SUSPEND) == ["贾失联"]
    with unit_of_work():
        stay = session.scalars(select(Stay).where(Stay.member_id == member.id)).one()
        stay.ended_at = clock.now() - timedelta(days=30)
    assert names(world, "township", Measure.SUSPEND) == []
    with pytest.raises(DomainError, match="不符合"):
        propose(world, "township", member, Measure.SUSPEND)


# -- the policy's terms


@pytest.mark.rule("PD-61", "D-21", "D-22", "U-24")
def test_ages_and_terms_are_the_policys(world: World, policy: Any):
    today = clock.today()
    with unit_of_work():
        enter(world, "二十七", aged(27), serial=311)
        enter(world, "欠三月", aged(22), serial=312, dues_until=months_after(today.replace(day=1), -4))
        gone = enter(world, "停一年", aged(22), serial=313)
        gone.suspended_at = clock.now() - timedelta(days=370)
    lost(world, since=months_after(today, -4))
    of = {"township": Measure.SUSPEND, "company": Measure.REMOVE}
    assert [names(world, key, measure) for key, measure in of.items()] == [[], []]
    policy(leave_age=27, suspend_after_months=4, remove_after_suspension_years=1, inactive_months=3)
    assert names(world, "company", Measure.OVER_AGE) == ["二十七"]
    assert names(world, "company", Measure.LEFT) == ["欠三月"]
    assert names(world, "company", Measure.REMOVE) == ["停一年"]
    assert names(world, "township", Measure.SUSPEND) == ["贾失联"]


@pytest.mark.rule("PD-61", "D-22")
def test_each_part_of_the_tree_goes_by_its_own_policy(world: World, monkeypatch: pytest.MonkeyPatch):
    """A layer for the city of the township says three months; the rest of the province keeps six."""
    national = seasons.policy_for(2026, ())
    strict = national.model_copy(update={"inactive_months": 3})
    monkeypatch.setattr(policies, "governed", lambda _: frozenset({"340104001"}))
    monkeypatch.setattr(policies, "policy_for", lambda _, line: strict if "340104001" in line else national)
    owing = months_after(clock.today().replace(day=1), -4)
    with unit_of_work():
        enter(world, "街道", aged(22), key="floating", serial=321, dues_until=owing)
        enter(world, "公司", aged(22), serial=322, dues_until=owing)
    assert names(world, "county", Measure.LEFT) == ["街道"]
