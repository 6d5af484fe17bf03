"""One mechanism for all cases: raised, passed up, decided, with history, log and messages (PD-34, F-18)."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cases.steps import PROOF, ask, do, grant
from tests.transfers.steps import acting
from tests.waiting import waits_for
from tests.world import World
from zhtj import doctor
from zhtj.cases import operations, queries
from zhtj.cases.kind import About
from zhtj.cases.kinds import KINDS
from zhtj.cases.models import Case, CaseEvent
from zhtj.cases.queries import CaseFilters, CaseList, about_himself
from zhtj.cases.workflow import (
    TRANSITIONS,
    CaseAction,
    CaseParty,
    CaseState,
    Decider,
    LineLevel,
    actions,
    line,
    next_state,
)
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.notices.models import Message
from zhtj.notices.waiting import WaitingKind
from zhtj.people import operations as people
from zhtj.people.models import Post, Seat

NAME = {"name": "丁乙", "why": "录入时写错一个字"}


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        world.appoint("city")
        world.appoint("centre")
    return world


def wrong_name(world: World, key: str = "class1") -> Case:
    return ask(world.seat(key), "correction", world.graduate, PROOF, **NAME)


LEVELS = [
    LineLevel(5, "second", 5),
    LineLevel(4, "basic", 4),
    LineLevel(3, "county", 3),
    LineLevel(2, "province", 2),
    LineLevel(1, "centre", 1),
]


@pytest.mark.rule("PD-01", "PD-34")
def test_the_decider_is_the_nearest_of_its_rank_or_above():
    assert line(LEVELS, Decider.COMMITTEE) == [5, 4]
    assert line(LEVELS, Decider.CITY) == [5, 4, 3, 2], "no city here: the province"
    assert line(LEVELS, Decider.PROVINCE) == [5, 4, 3, 2]
    assert line(LEVELS, Decider.CENTRE) == [5, 4, 3, 2, 1]


@pytest.mark.rule("PD-22")
def test_an_office_that_acts_for_two_levels_sees_a_case_once():
    unmanned = [LineLevel(5, "second", 4), *LEVELS[1:]]
    assert line(unmanned, Decider.COMMITTEE) == [4]
    assert line([], Decider.CITY) == []


def test_the_table_is_closed():
    assert {row.state for row in TRANSITIONS} == {None, CaseState.WAITING}, "an ended case is never taken up again"
    assert next_state(CaseState.WAITING, CaseAction.APPROVE, CaseParty.HOLDER, last=False) is None
    assert next_state(CaseState.WAITING, CaseAction.APPROVE, CaseParty.RAISER, last=True) is None
    assert actions(CaseState.WAITING, CaseParty.HOLDER, last=True) == [CaseAction.APPROVE, CaseAction.REFUSE]
    assert actions(CaseState.WAITING, CaseParty.HOLDER, last=False) == [CaseAction.FORWARD, CaseAction.REFUSE]
    assert not any(actions(state, party, last=True) for state in CaseState if not state.is_open for party in CaseParty)


@pytest.mark.rule("PD-34", "F-18", "PD-38")
def test_a_case_climbs_college_school_city_and_takes_effect_there(world: World):
    case = wrong_name(world)
    assert [one.short_name for one in queries.way(case)] == ["计算机学院团总支", "江淮示范大学团委", "团合肥市委"]
    for key in ("university", "city"):
        with pytest.raises(Forbidden):
            do(case, world.seat(key), CaseAction.FORWARD)
    with pytest.raises(Forbidden, match="由上级决定"):
        do(case, world.seat("college"), CaseAction.APPROVE)
    grant(world, case, "college", "university", "city")
    assert world.graduate.name == "丁乙"
    assert case.outcome == "已更正姓名。"
    events = [(event.action, event.org.short_name) for event in queries.case(world.seat("city"), case.id).events]
    assert events == [
        (CaseAction.RAISE, "软工1班团支部"),
        (CaseAction.FORWARD, "计算机学院团总支"),
        (CaseAction.FORWARD, "江淮示范大学团委"),
        (CaseAction.APPROVE, "团合肥市委"),
    ]
    logged = session.scalars(select(AuditEvent).where(AuditEvent.subject_type == "case").order_by(AuditEvent.id))
    assert [event.action for event in logged] == ["case.raise", "case.forward", "case.forward", "case.approve"]
    broken = [finding.name for finding in doctor.examine() if finding.broken]
    assert broken == []


def test_whoever_is_next_and_whoever_asked_are_told(world: World):
    case = wrong_name(world)
    do(case, world.seat("college"), CaseAction.FORWARD)
    do(case, world.seat("university"), CaseAction.REFUSE, "身份证照片看不清，请重新上传")
    told = session.execute(
        select(Message.org_id, Message.title).where(Message.subject_type == "case").order_by(Message.id)
    ).all()
    orgs = world.orgs
    assert told == [
        (orgs["college"].id, "新的事项"),
        (orgs["class1"].id, "事项已上报"),
        (orgs["university"].id, "新的事项"),
        (orgs["class1"].id, "事项未同意"),
    ]
    last = session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert "照片看不清" in last.body


@pytest.mark.rule("PD-34", "PD-38")
def test_a_refusal_needs_a_reason_and_ends_the_case(world: World):
    case = wrong_name(world)
    with pytest.raises(DomainError, match="至少 5 个字"):
        do(case, world.seat("college"), CaseAction.REFUSE, "不行")
    do(case, world.seat("college"), CaseAction.REFUSE, "与身份证不符")
    assert (case.state, case.holder_id) == (CaseState.REFUSED, None)
    logged = session.scalars(select(AuditEvent).where(AuditEvent.action == "case.refuse")).one()
    assert (logged.detail["before"], logged.detail["after"]) == ("waiting", "refused")
    assert logged.detail["why"] == "与身份证不符"
    with pytest.raises(Conflict):
        do(case, world.seat("college"), CaseAction.FORWARD)
    again = wrong_name(world)
    assert again.state is CaseState.WAITING


@pytest.mark.rule("PD-34")
def test_the_raiser_takes_it_back_until_it_is_decided(world: World):
    case = wrong_name(world)
    do(case, world.seat("college"), CaseAction.FORWARD)
    # The college, which has passed it on, neither withdraws it nor passes it on again
    with pytest.raises(Forbidden):
        do(case, world.seat("college"), CaseAction.WITHDRAW)
    with pytest.raises(Conflict, match="上报"):
        do(case, world.seat("college"), CaseAction.FORWARD)
    do(case, world.seat("class1"), CaseAction.WITHDRAW)
    assert case.state is CaseState.WITHDRAWN
    with pytest.raises(Conflict):
        do(case, world.seat("university"), CaseAction.FORWARD)
    assert world.graduate.name == "丁一"


def test_one_open_case_of_a_kind_about_one_person(world: World):
    first = wrong_name(world)
    with pytest.raises(Conflict, match=first.number):
        wrong_name(world, "college")


@pytest.mark.rule("PD-02")
def test_nobody_decides_about_himself(world: World):
    with unit_of_work():
        people.start_seat(world.graduate.account, world.orgs["college"], Post.DEPUTY)
    case = wrong_name(world)
    seat = world.seat("college")
    own = type(seat)(seat.kind, world.graduate.account_id, None, seat.org_id, seat.path, world.graduate.id)
    with pytest.raises(Forbidden, match="与本人有关"):
        do(case, own, CaseAction.FORWARD)
    assert queries.possible_actions(own, case) == []
    # The level above may act for the office in which he sits.
    do(case, world.seat("university"), CaseAction.FORWARD)
    assert case.holder_id == world.orgs["university"].id


@pytest.mark.rule("PD-22")
def test_the_office_acts_for_an_organisation_without_administrator(world: World):
    case = ask(
        world.seat("class1"), "statement", world.graduate, purpose="other", text="该生为定向委培学生，协议在校。"
    )
    with unit_of_work():
        post = session.scalars(select(Seat).where(Seat.org_id == world.orgs["college"].id)).one()
        people.end_seat(post, "left")
    assert waits_for(world.seat("university")).get(WaitingKind.CASE, 0) == 1
    do(case, world.seat("university"), CaseAction.FORWARD)
    do(case, world.seat("university"), CaseAction.APPROVE)
    assert case.state is CaseState.APPROVED


@pytest.mark.rule("F-18", "PD-34")
def test_a_level_passes_up_many_at_once_with_a_result_a_line(world: World):
    cases = [
        ask(world.seat("class1"), "statement", one, purpose="other", text="本人情况属实，特此说明。")
        for one in (world.graduate, world.classmate)
    ]
    other = ask(world.seat("college"), "statement", world.sophomore, purpose="other", text="本人情况属实，特此说明。")
    seat = world.seat("college")
    with acting(seat):
        errors = operations.decide([*cases, other], seat, CaseAction.FORWARD)
    assert set(errors) == {other.id}, "that one lies with the school already"
    session.expire_all()
    assert {case.holder_id for case in [*cases, other]} == {world.orgs["university"].id}
    seat = world.seat("university")
    with acting(seat):
        assert operations.decide([*cases, other], seat, CaseAction.APPROVE) == {}
    session.expire_all()
    assert {case.state for case in [*cases, other]} == {CaseState.APPROVED}


def test_what_fails_in_its_effect_stays_where_it_was(world: World):
    case = ask(world.seat("college"), "correction", world.graduate, PROOF, name="丁乙", why="录入时写错一个字")
    do(case, world.seat("university"), CaseAction.FORWARD)
    with unit_of_work():
        world.graduate.account.name = "丁乙"
    with pytest.raises(DomainError, match="没有要更正的内容"):
        do(case, world.seat("city"), CaseAction.APPROVE)
    session.expire_all()
    assert (case.state, case.is_last) == (CaseState.WAITING, True)
    assert len(session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id)).all()) == 2


def test_cases_are_seen_by_the_line_alone(world: World):
    case = wrong_name(world)
    for key in ("class1", "college", "university", "city", "province"):
        assert queries.case(world.seat(key), case.id).id == case.id
    for key in ("class2", "company", "county"):
        with pytest.raises(NotFound):
            queries.case(world.seat(key), case.id)
    with pytest.raises(NotFound):
        queries.case(world.own_seat(world.classmate), case.id)
    assert [one.id for one in queries.listing(world.seat("college"), CaseFilters())] == [case.id]
    assert waits_for(world.seat("university")).get(WaitingKind.CASE, 0) == 0
    assert queries.listing(world.seat("university"), CaseFilters(CaseList.ALL, text="丁一")).count() == 1
    assert queries.listing(world.seat("university"), CaseFilters(CaseList.ALL, text=case.number)).count() == 1
    assert queries.listing(world.seat("university"), CaseFilters(CaseList.ALL, kind="removal")).count() == 0


def test_a_member_asks_for_himself_alone(world: World):
    seat = world.own_seat(world.graduate)
    case = ask(seat, "correction", world.classmate, PROOF, **NAME)
    assert case.subject_id == world.graduate.id
    assert queries.way(case)[0].short_name == "软工1班团支部"
    assert queries.case(seat, case.id).id == case.id
    with pytest.raises(Forbidden):
        ask(seat, "removal", world.classmate, ground="death", detail="本人已经去世")
    do(case, seat, CaseAction.WITHDRAW)
    assert case.state is CaseState.WITHDRAWN


def test_every_kind_is_complete():
    for key, kind in KINDS.items():
        assert kind.key == key
        assert kind.raised_by
        assert kind.columns
        assert len({one.name for one in kind.fields}) == len(kind.fields)
        assert kind.about in set(About)


def test_of_two_at_once_one_wins(live: Flask):
    with live.app_context():
        world = World.build()
        case = ask(world.seat("class1"), "statement", world.graduate, purpose="other", text="本人情况属实，特此说明。")
        number, seat = case.id, world.seat("college")
    ready = threading.Barrier(2)
    answers: list[str] = []

    def act(action: CaseAction) -> None:
        with live.app_context(), acting(seat):
            found = session.get_one(Case, number)
            session.refresh(found)
            if session.get_bind().dialect.name != "sqlite":  # there the second waits to begin
                ready.wait(10)
            errors = operations.decide([found], seat, action, "与事实不符，请核对")
            answers.append(type(next(iter(errors.values()))).__name__ if errors else "done")

    threads = [threading.Thread(target=act, args=(action,)) for action in (CaseAction.FORWARD, CaseAction.REFUSE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["Conflict", "done"]


@pytest.mark.rule("PD-02")
def test_it_is_about_himself_who_is_its_subject_or_asked_for_it_and_about_nobody_else(world: World) -> None:
    case = ask(world.seat("class1"), "profile", world.graduate, ethnicity="回族", why="户口簿")
    assert about_himself(world.own_seat(world.graduate), case)
    assert not about_himself(world.own_seat(world.classmate), case)
    assert not about_himself(world.seat("college"), case)
    # An organisation is nobody, though its number be his
    case.subject_type, case.subject_id = About.ORGANISATION, world.classmate.id
    assert not about_himself(world.own_seat(world.classmate), case)
    session.expire(case)
