"""1 June: conversion and its rehearsal, the notice a week before, what earlier years left (G-09, G-10, D-05, O-11)."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import func, select

from tests.transfers.steps import EMPLOYED, apply, do
from tests.world import World
from zhtj import sweeps
from zhtj.graduation import closing_emptied, conversion, operations, queries, season_register
from zhtj.graduation.models import CloseReason, MarkKind, NoTime, RegisterRow
from zhtj.graduation.personal import OwnMark, mark_members
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.notices.models import Message
from zhtj.orgs.models import Category, Organisation
from zhtj.people.models import Member
from zhtj.rates import queries as rates
from zhtj.transfers import operations as transfers

JUNE = date(2026, 6, 1)
GRADUATES = Category.GRADUATES


@pytest.mark.rule("G-09", "G-10", "D-05")
def test_nothing_happens_before_the_first_of_june_and_everything_on_it(spring: World, clock_at) -> None:
    clock_at("2026-05-31T23:59")
    assert sweeps.run("convert").done == 0
    assert spring.orgs["class1"].category is Category.BRANCH
    clock_at("2026-06-01T00:05")
    assert sweeps.run("convert").done == 1
    session.expire_all()
    assert spring.orgs["class1"].category is Category.GRADUATES
    assert spring.graduate.is_graduate
    assert not spring.sophomore.is_graduate
    assert spring.orgs["class2"].category is Category.BRANCH
    assert sweeps.run("convert").done == 0
    events = session.scalar(select(func.count()).where(AuditEvent.action == "branch.convert"))
    assert events == 1


@pytest.mark.rule("G-09")
def test_every_class_of_the_year_is_converted_whatever_its_month(spring: World, clock_at) -> None:
    # given classes that graduate in July and December of this year, and in January of the next
    months = {"july": date(2026, 7, 1), "december": date(2026, 12, 1), "next": date(2027, 1, 1)}
    with unit_of_work():
        for number, (key, month) in enumerate(months.items(), start=3):
            name = f"江淮示范大学计算机学院2022级软件工程专业{number}班团支部"
            spring.add(key, "college", name, f"软工{number}班团支部", Category.BRANCH, "普通高等院校")
            operations.mark_branch(spring.orgs[key], month=month)
    ids = {key: spring.orgs[key].id for key in ("class1", *months)}
    # when 1 June comes
    clock_at("2026-06-01T00:05")
    assert sweeps.run("convert").done == 3
    session.expire_all()
    # then the year decides, not the month
    converted = {key for key, org_id in ids.items() if session.get_one(Organisation, org_id).category is GRADUATES}
    assert converted == {"class1", "july", "december"}


@pytest.mark.rule("G-09")
def test_the_rehearsal_is_what_happens(spring: World, clock_at) -> None:
    # given a delayed member and a teacher among the graduates, and a class that nobody marked
    with unit_of_work():
        late = spring.enrol("方圆", "class1")
        mark_members(
            spring.seat("college"),
            spring.orgs["class1"],
            [late.id],
            OwnMark(MarkKind.DELAYED, date(2027, 6, 1), "缓考"),
        )
    told = conversion.forecast(spring.seat("university").path)
    assert (told.branches, told.members, told.unmarked) == (1, 2, 1)
    assert told.text == "1 个团支部将转为毕业生团组织，2 名团员将成为毕业生；还有 1 个团支部没有标记毕业时间。"
    assert [(one.org.id, one.forecast) for one in conversion.by_school("")] == [(spring.orgs["university"].id, told)]
    # when the day comes
    clock_at("2026-06-01T00:05")
    with unit_of_work():
        assert conversion.convert() == (told.branches, told.members)
    graduates = session.scalar(select(func.count()).where(Member.is_graduate))
    assert graduates == told.members
    assert conversion.forecast("").branches == 0


@pytest.mark.rule("G-09")
def test_every_school_is_told_once_in_the_week_before(spring: World, clock_at) -> None:
    def told() -> list[Message]:
        return list(session.scalars(select(Message).where(Message.title.contains("毕业生团组织"))))

    clock_at("2026-05-24T09:00")
    sweeps.run("foretell")
    assert told() == []
    clock_at("2026-05-25T09:00")
    sweeps.run("foretell")
    sweeps.run("foretell")
    (message,) = told()
    assert message.org_id == spring.orgs["university"].id
    assert "6 月 1 日，1 个团支部将转为毕业生团组织，2 名团员将成为毕业生；还有 1 个" in message.body
    clock_at("2026-06-01T09:00")
    sweeps.run("foretell")
    assert len(told()) == 1


def test_the_command_rehearses_and_changes_nothing(spring: World, app) -> None:
    runner = app.test_cli_runner()
    shown = runner.invoke(args=["sweep", "--only", "convert", "--rehearse", "--at", "2026-06-01T00:05", "--json"])
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.output)
    assert (found["branches"], found["members"], found["unmarked"]) == (1, 2, 1)
    assert [one["name"] for one in found["schools"]] == ["江淮示范大学团委"]
    assert spring.orgs["class1"].category is Category.BRANCH
    assert runner.invoke(args=["sweep", "--only", "seal", "--rehearse"]).exit_code == 2


def test_marked_after_the_day_it_is_converted_at_once(spring: World, clock_at) -> None:
    clock_at("2026-06-10T09:00")
    with unit_of_work():
        (line,) = operations.mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=JUNE)
    session.expire_all()
    assert "立即转为毕业生团组织" in line.effect
    assert spring.orgs["class2"].category is Category.GRADUATES
    assert spring.sophomore.is_graduate
    assert season_register.open_row(spring.sophomore.id, clock.now()) is not None


# ---- the register


@pytest.mark.rule("PD-08")
def test_rows_begin_with_the_campaign_and_the_season_freezes_at_its_end(spring: World, clock_at) -> None:
    row = season_register.open_row(spring.graduate.id, clock.now())
    assert row is not None
    clock_at("2026-12-31T20:00")
    application = apply(spring, spring.graduate, "team", **EMPLOYED)
    clock_at("2027-01-02T09:00")
    do(transfers.accept, application, spring.seat("team"))
    session.expire_all()
    assert row.completed_at == clock.now()
    assert row.after_close
    assert season_register.is_frozen(row)


@pytest.mark.rule("PD-08")
def test_no_rows_before_the_first_of_may(spring: World, clock_at) -> None:
    with unit_of_work():
        clock_at("2027-04-30T09:00")
        operations.mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=date(2027, 6, 1))
    assert queries.register_row(spring.sophomore.id, 2027) is None
    clock_at("2027-05-01T00:10")
    sweeps.run("register")
    assert queries.register_row(spring.sophomore.id, 2027) is not None


@pytest.mark.rule("PD-13")
def test_who_leaves_leaves_the_denominators_from_that_day_a_dropout_does_not(spring: World, clock_at) -> None:
    left = clock.parse("2026-07-01T10:00")
    with unit_of_work():
        session.get_one(Member, spring.graduate.id).archived_at = left
    clock_at("2026-07-03T09:00")
    sweeps.run("register")
    session.expire_all()
    row = queries.register_row(spring.graduate.id, 2026)
    assert (row.closed_at, row.close_reason) == (left, CloseReason.LEFT)
    # a dropout is only a member of a graduates' organisation like the others: nothing takes him out
    assert queries.register_row(spring.classmate.id, 2026).closed_at is None
    assert rates.figures(spring.orgs["university"].path, 2026).graduates == 1


# ---- earlier years


@pytest.mark.rule("G-23")
def test_leftovers_of_earlier_years_are_a_list_of_their_own_and_in_no_rate(spring: World, clock_at) -> None:
    clock_at("2026-06-02T09:00")
    sweeps.run("convert")
    assert queries.leftovers(spring.seat("university")).count() == 0
    clock_at("2027-05-02T09:00")
    sweeps.run("register")
    found = queries.leftovers(spring.seat("university")).page().rows
    assert [member.name for member in found] == ["丁一", "卜喆"]
    assert rates.figures(spring.orgs["university"].path, 2027).graduates == 0
    assert queries.leftovers(spring.seat("company")).count() == 0
    assert [one.name for one in queries.leftovers(spring.seat("college"), "丁").page().rows] == ["丁一"]


@pytest.mark.rule("G-23", "PD-08")
@pytest.mark.parametrize(("month", "left"), [(date(2026, 12, 1), True), (date(2027, 1, 1), False)])
def test_who_is_delayed_into_this_year_is_no_leftover(spring: World, clock_at, month: date, *, left: bool) -> None:
    with unit_of_work():
        wanted = OwnMark(MarkKind.DELAYED, month, "学分未修满")
        mark_members(spring.seat("college"), spring.orgs["class1"], [spring.classmate.id], wanted)
    clock_at("2026-06-02T09:00")
    sweeps.run("convert")
    clock_at("2027-05-02T09:00")
    sweeps.run("register")
    names = [member.name for member in queries.leftovers(spring.seat("university")).page().rows]
    assert names == (["丁一", "卜喆"] if left else ["丁一"])
    # he is one of this year's graduates instead
    assert (queries.register_row(spring.classmate.id, 2027) is None) is left


@pytest.mark.rule("O-11", "PD-06")
def test_an_emptied_organisation_of_graduates_is_offered_and_closed_a_full_one_is_not(spring: World, clock_at) -> None:
    clock_at("2026-06-02T09:00")
    sweeps.run("convert")
    branch, seat = spring.orgs["class1"], spring.seat("college")
    assert queries.emptied(seat).page().rows == []
    with pytest.raises(Conflict, match="还有 2 名团员"):
        closing_emptied.close_emptied(seat, [branch.id])
    for member in (spring.graduate, spring.classmate):
        do(transfers.accept, apply(spring, member, "team", **EMPLOYED), spring.seat("team"))
    assert [one.id for one in queries.emptied(seat).page().rows] == [branch.id]
    with unit_of_work():
        closing_emptied.close_emptied(seat, [branch.id])
    session.expire_all()
    assert branch.closed_at == clock.now()
    assert queries.emptied(seat).count() == 0


@pytest.mark.rule("O-11")
def test_only_organisations_of_graduates_are_closed_so(spring: World) -> None:
    with pytest.raises(DomainError, match="不是毕业生团组织"):
        closing_emptied.close_emptied(spring.seat("college"), [spring.orgs["class2"].id])
    with pytest.raises(DomainError, match="请先勾选"):
        closing_emptied.close_emptied(spring.seat("company"), [spring.orgs["class1"].id])


def test_a_branch_without_a_time_is_never_converted(spring: World, clock_at) -> None:
    with unit_of_work():
        operations.mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=None, no_time=NoTime.STAFF)
    clock_at("2026-06-02T09:00")
    sweeps.run("convert")
    session.expire_all()
    assert spring.orgs["class2"].category is Category.BRANCH
    assert session.scalar(select(func.count()).where(RegisterRow.member_id == spring.sophomore.id)) == 0
