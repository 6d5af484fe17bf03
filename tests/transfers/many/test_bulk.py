"""Many decisions at once: the same rules as for one, a result a line, each line once (A-08 … A-18, PD-22)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.statements import statements
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do, start
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as people
from zhtj.people.models import Member, Post
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import special_unit
from zhtj.transfers.many import bulk, runs
from zhtj.transfers.many.bulk import Order
from zhtj.transfers.many.models import BulkRun, RunKind
from zhtj.transfers.many.results import Result
from zhtj.transfers.models import Application, ApplicationEvent, RefusalFlag
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, State


@pytest.fixture
def applicants(world: World, clock_at: Callable[[str], None]) -> list[Member]:
    """Six more graduates of the first class, entered in summer."""
    clock_at("2026-08-01T09:00")
    with unit_of_work():
        found = [world.enrol(f"毕业生{number}", "class1") for number in "甲乙丙丁戊己"]
        graduation.open_register()
    clock_at("2026-10-14T09:00")
    return found


def decide(seat: ActiveSeat, applications: Sequence[Application], action: Action, **options: Any) -> list[Result]:
    """Decide them together, as they are now."""
    with acting(seat):
        lines = [bulk.content(each) for each in bulk.load(seat, [each.id for each in applications])]
        branches = options.pop("branches", {})
        lines = [{**line, "branch": branches.get(line["id"])} for line in lines]
        return bulk.decide_lines(seat, {"action": action.value, **options}, lines)


def states(applications: Sequence[Application]) -> list[State]:
    """Their states now."""
    for application in applications:
        session.refresh(application)
    return [application.state for application in applications]


@pytest.mark.rule("A-12")
def test_accepted_members_of_a_committee_wait_for_a_branch_those_of_a_branch_have_arrived(
    world: World, applicants: list[Member]
) -> None:
    # Given applications to a committee and to its branch
    to_committee = [apply(world, member, "company", **EMPLOYED) for member in applicants[:2]]
    to_branch = [apply(world, member, "team", **EMPLOYED) for member in applicants[2:4]]
    # When the committee accepts all of them together (the branch's own are not its turn)
    at_committee = decide(world.seat("company"), to_committee, Action.ACCEPT)
    at_branch = decide(world.seat("team"), to_branch, Action.ACCEPT)
    # Then the first wait for a branch, the second have arrived
    assert all(result.ok for result in at_committee + at_branch)
    assert states(to_committee) == [State.AWAITING_ALLOCATION] * 2
    assert states(to_branch) == [State.COMPLETED] * 2
    # And allocating puts each where it was told to, one with a branch of his own
    with unit_of_work():
        other = orgs.create(
            world.orgs["company"],
            NewOrganisation("示例科技有限公司市场团支部", "市场团支部", Category.BRANCH, "非公企业"),
        )
    done = decide(
        world.seat("company"),
        to_committee,
        Action.ALLOCATE,
        branch=world.orgs["team"].id,
        branches={to_committee[1].id: other.id},
    )
    assert all(result.ok for result in done)
    assert states(to_committee) == [State.COMPLETED] * 2
    assert [each.final_org_id for each in to_committee] == [world.orgs["team"].id, other.id]


@pytest.mark.rule("A-12")
def test_accepting_into_a_branch_is_two_steps_in_the_history(world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:3]]
    done = decide(world.seat("company"), waiting, Action.ACCEPT, branch=world.orgs["team"].id)
    assert [result.text for result in done] == ["已转入研发团支部。"] * 3
    steps = session.scalars(
        select(ApplicationEvent.action).where(ApplicationEvent.application_id == waiting[0].id).order_by("id")
    ).all()
    assert steps == [Action.SUBMIT, Action.ACCEPT, Action.ALLOCATE]
    assert {session.get_one(Member, each.member_id).org_id for each in waiting} == {world.orgs["team"].id}


@pytest.mark.rule("O-10")
def test_nobody_is_allocated_to_a_graduates_organisation(world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:2]]
    decide(world.seat("company"), waiting, Action.ACCEPT)
    with unit_of_work():
        team = session.get_one(Organisation, world.orgs["team"].id)
        team.category = Category.GRADUATES
    done = decide(world.seat("company"), waiting, Action.ALLOCATE, branch=world.orgs["team"].id)
    assert [result.ok for result in done] == [False, False]
    assert "毕业生团组织" in done[0].text
    assert states(waiting) == [State.AWAITING_ALLOCATION] * 2


@pytest.mark.rule("A-12")
def test_a_branch_of_somebody_else_is_refused(world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:2]]
    decide(world.seat("company"), waiting, Action.ACCEPT)
    done = decide(world.seat("company"), waiting, Action.ALLOCATE, branch=world.orgs["floating"].id)
    assert {result.text for result in done} == {"请选择转入组织下面的团支部。"}
    done = decide(world.seat("company"), waiting, Action.ALLOCATE)
    assert {result.text for result in done} == {"请选择要编入的团支部。"}


@pytest.mark.rule("A-16")
@pytest.mark.rule("A-15")
def test_refusing_many_takes_an_allowed_ground_and_a_remark(world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:3]]
    seat = world.seat("company")
    # A forbidden ground, no ground and a remark that is too short refuse nobody
    for ground, remark in ((Ground.NOT_REGULAR, "不是我们的正式职工"), ("", "不是我们的人"), (Ground.NOT_OURS, "不要")):
        done = decide(seat, waiting, Action.REFUSE, ground=str(ground), remark=remark)
        assert not any(result.ok for result in done)
        assert states(waiting) == [State.AWAITING_ACCEPTANCE] * 3
    # A ground that holds refuses all of them, and each is told why
    done = decide(seat, waiting, Action.REFUSE, ground=Ground.NOT_OURS.value, remark="本单位没有录用这些人")
    assert all(result.ok for result in done)
    assert states(waiting) == [State.REFUSED] * 3
    told = session.scalars(select(ApplicationEvent.remark).where(ApplicationEvent.action == Action.REFUSE)).all()
    assert told == ["本单位没有录用这些人"] * 3


@pytest.mark.rule("A-16")
def test_a_forbidden_ground_under_another_name_is_flagged_for_each(world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:3]]
    decide(world.seat("company"), waiting, Action.REFUSE, ground=Ground.OTHER.value, remark="都不是正式员工，不收")
    flagged = set(session.scalars(select(RefusalFlag.application_id)))
    assert flagged == {each.id for each in waiting}


@pytest.mark.rule("PD-02")
def test_ones_own_application_is_left_out_with_the_reason(world: World, applicants: list[Member]) -> None:
    # Given a company secretary who is himself a member and applies to his company
    boss = applicants[0]
    mine = apply(world, boss, "company", **EMPLOYED)
    theirs = apply(world, applicants[1], "company", **EMPLOYED)
    with unit_of_work():
        people.start_seat(boss.account, world.orgs["company"], Post.DEPUTY)
    company = world.seat("company")
    seat = ActiveSeat(company.kind, boss.account_id, None, company.org_id, company.path, boss.id)
    # When he picks both
    done = decide(seat, [mine, theirs], Action.ACCEPT)
    # Then his own stays, with the reason
    assert [result.ok for result in done] == [False, True]
    assert "不能办理本人的申请" in done[0].text
    assert states([mine, theirs]) == [State.AWAITING_ACCEPTANCE, State.AWAITING_ALLOCATION]


@pytest.mark.rule("A-09")
def test_the_old_side_releases_many(world: World, applicants: list[Member]) -> None:
    waiting = [start(world.seat("team"), member, world.orgs["team"], **EMPLOYED) for member in applicants[:3]]
    done = decide(world.seat("class1"), waiting, Action.RELEASE)
    assert [result.text for result in done] == ["已转入研发团支部。"] * 3
    assert states(waiting) == [State.COMPLETED] * 3


@pytest.mark.rule("A-18")
def test_only_ones_own_applications_are_withdrawn_together(world: World, applicants: list[Member]) -> None:
    ours = [start(world.seat("college"), member, world.orgs["company"], **EMPLOYED) for member in applicants[:2]]
    his = apply(world, applicants[2], "company", **EMPLOYED)
    done = decide(world.seat("college"), [*ours, his], Action.WITHDRAW)
    assert [result.ok for result in done] == [True, True, False]
    assert states([*ours, his]) == [State.WITHDRAWN, State.WITHDRAWN, State.AWAITING_ACCEPTANCE]


def _county_floating(world: World) -> Organisation:
    with unit_of_work():
        return orgs.create(
            world.orgs["county"],
            NewOrganisation(
                "安徽省合肥市蜀山区流动团员团支部", "蜀山区流动团员团支部", Category.BRANCH, purpose=Purpose.FLOATING
            ),
        )


@pytest.mark.rule("D-15")
@pytest.mark.rule("T-03")
@pytest.mark.rule("PD-22")
def test_the_county_takes_over_a_townships_waiting_graduates_from_september_on(
    world: World, applicants: list[Member], clock_at: Callable[[str], None]
) -> None:
    floating = _county_floating(world)
    clock_at("2026-08-31T12:00")
    waiting = [apply(world, member, "township", **UNPLACED) for member in applicants[:3]]
    county = world.seat("county")
    # In August it is too early
    early = decide(county, waiting, Action.TAKE_OVER, branch=floating.id)
    assert not any(result.ok for result in early)
    assert "09月01日" in early[0].text
    # In September they come in one step, but into no other branch than the county's own
    clock_at("2026-09-01T00:00")
    wrong = decide(county, waiting, Action.TAKE_OVER, branch=world.orgs["floating"].id)
    assert {result.text for result in wrong} == {"请选择本县（市、区）的流动团员团支部。"}
    done = decide(county, waiting, Action.TAKE_OVER, branch=floating.id)
    assert all(result.ok for result in done)
    assert states(waiting) == [State.COMPLETED] * 3
    assert {each.final_org_id for each in waiting} == {floating.id}


@pytest.mark.rule("PD-22")
def test_the_county_leaves_those_who_are_no_graduates(world: World, applicants: list[Member]) -> None:
    floating = _county_floating(world)
    graduate = apply(world, applicants[0], "township", **UNPLACED)
    address = "安徽省合肥市蜀山区井岗镇"
    other = apply(world, world.employee, "township", reason="relocation", place="residence", unit_address=address)
    done = decide(world.seat("county"), [graduate, other], Action.TAKE_OVER, branch=floating.id)
    assert [result.ok for result in done] == [True, False]
    assert done[1].text == "县级只接收应届毕业生团员。"


@pytest.mark.rule("S-07")
@pytest.mark.rule("S-05")
def test_the_province_approves_many_special_units_once_it_has_read_what_follows(
    world: World, applicants: list[Member]
) -> None:
    waiting = []
    for member in applicants[:3]:
        with acting(world.own_seat(member)):
            session.refresh(member)
            wanted = special_unit(member, remark="参军入伍，政审、体检已通过", confirmed=True)
            waiting.append(operations.submit(wanted, world.own_seat(member)))
    unread = decide(world.seat("province"), waiting, Action.APPROVE)
    assert not any(result.ok for result in unread)
    assert states(waiting) == [State.AWAITING_PROVINCE] * 3
    done = decide(world.seat("province"), waiting, Action.APPROVE, confirmed=True)
    assert all(result.ok for result in done)
    assert states(waiting) == [State.COMPLETED] * 3


def test_a_line_that_has_changed_since_it_was_seen_is_told_not_done(world: World, applicants: list[Member]) -> None:
    # Given three lines on somebody's page
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:3]]
    seat = world.seat("company")
    with acting(seat):
        seen = [bulk.content(each) for each in bulk.load(seat, [each.id for each in waiting])]
    # When meanwhile one is accepted by a colleague, one amended by its member
    do(operations.accept, waiting[0], seat)
    with acting(world.own_seat(applicants[1])):
        session.refresh(waiting[1])
        operations.amend(waiting[1], world.own_seat(applicants[1]), {"unit_name": "示例科技有限公司合肥分公司"})
    with acting(seat):
        done = bulk.decide_lines(seat, {"action": "refuse", "ground": "not_ours", "remark": "没有录用此人"}, seen)
    # Then both say what happened, and only the third is done
    assert [result.ok for result in done] == [False, False, True]
    assert "办理了“同意转入”" in done[0].text
    assert "办理了“修改申请”" in done[1].text
    assert states(waiting) == [State.AWAITING_ALLOCATION, State.AWAITING_ACCEPTANCE, State.REFUSED]


def test_what_one_may_not_see_is_not_told_apart_from_what_is_not_there(world: World, applicants: list[Member]) -> None:
    theirs = apply(world, applicants[0], "company", **EMPLOYED)
    line = {"id": theirs.id, "version": 1}
    nothing = {"id": 999_999, "version": 1}
    with acting(world.seat("township")):
        done = bulk.decide_lines(world.seat("township"), {"action": "accept"}, [line, nothing])
    assert done[0].text == done[1].text == "没有找到这份申请，或不在您的管理范围内。"


def test_the_preview_says_what_the_decision_does_and_writes_nothing(world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:2]]
    completed = apply(world, applicants[2], "team", **EMPLOYED)
    do(operations.accept, completed, world.seat("team"))
    seat, order = world.seat("company"), Order(Action.ACCEPT, world.orgs["team"])
    applications = bulk.load(seat, [each.id for each in (*waiting, completed)])
    seen = bulk.foresee(seat, applications, order)
    assert [line.after for line in seen] == [State.COMPLETED, State.COMPLETED, None]
    assert [line.lands for line in seen[:2]] == ["研发团支部"] * 2
    assert states(waiting) == [State.AWAITING_ACCEPTANCE] * 2


@pytest.mark.slow("counts over many applications")
def test_statements_do_not_grow_with_the_lines(world: World) -> None:
    with unit_of_work():
        few = [world.enrol(f"甲{number}", "class1") for number in range(3)]
        many = [world.enrol(f"乙{number}", "class1") for number in range(30)]
        graduation.open_register()
    seat, branch = world.seat("company"), world.orgs["team"].id
    few_ids, many_ids = ([apply(world, each, "company", **EMPLOYED).id for each in group] for group in (few, many))

    def count(numbers: list[int]) -> int:
        with acting(seat):
            session.expunge_all()
            lines = [bulk.content(each) for each in bulk.load(seat, numbers)]
            session.expunge_all()
            with statements() as seen:
                done = bulk.decide_lines(seat, {"action": "accept", "branch": branch}, lines)
        assert all(result.ok for result in done)
        return len(seen)

    assert count(many_ids) <= count(few_ids) + 2


@pytest.mark.slow("two at once, over many applications")
def test_two_people_who_picked_the_same_lines_do_each_once(live: Flask) -> None:
    with live.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            members = [world.enrol(f"团员{number}", "class1") for number in range(30)]
            graduation.open_register()
            deputy = world.appoint("company")
        waiting = [apply(world, member, "company", **EMPLOYED).id for member in members]
        first = world.seat("company")
        second = ActiveSeat(first.kind, deputy.id, None, first.org_id, first.path)
        numbers = []
        for seat, picked, action in (
            (first, waiting[:20], {"action": "accept"}),
            (second, waiting[10:], {"action": "refuse", "ground": "not_ours", "remark": "没有录用此人"}),
        ):
            with acting(seat):
                lines = [bulk.content(each) for each in bulk.load(seat, picked)]
                run = runs.keep(RunKind.DECIDE, seat, lines, key=action["action"], title="待办", options=action)
                runs.confirm(run)
                numbers.append(run.id)
        db.session.remove()
    barrier = threading.Barrier(2)

    def work(number: int) -> None:
        with live.app_context():
            barrier.wait()
            runs.work_off(number)
            db.session.remove()

    threads = [threading.Thread(target=work, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with live.app_context():
        done = [session.get_one(BulkRun, number) for number in numbers]
        # Each line was done by exactly one of them, the other was told
        assert sum(run.done for run in done) == 30
        assert sum(run.failed for run in done) == 10
        histories = session.execute(
            select(ApplicationEvent.application_id, func.count())
            .where(ApplicationEvent.action.in_([Action.ACCEPT, Action.REFUSE]))
            .group_by(ApplicationEvent.application_id)
        ).all()
        assert sorted(histories) == [(number, 1) for number in waiting]
        for run in done:
            for _, _, result in runs.results(run):
                assert result is not None
                assert result.ok or "办理了“" in result.text
