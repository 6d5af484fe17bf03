"""The exceptions register F-02: fed by refusals and returns, closed by a later completion (A-28, A-23)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from tests.transfers.steps import UNPLACED, acting, apply, do
from tests.world import World
from zhtj.exports.models import FileFormat
from zhtj.exports.operations import ExportOrder
from zhtj.exports.registry import LISTS
from zhtj.graduation import operations as graduation
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.orgs.policies import national_policy
from zhtj.people.models import Member
from zhtj.transfers import operations, queries
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import exception_records, exceptions_register, sweeps
from zhtj.transfers.watching.exception_records import Record
from zhtj.transfers.watching.exceptions_register import BY_HAND, ByHand, ExceptionFilters

SEASON = 2026
ELSEWHERE = (Ground.WORKS_ELSEWHERE, "本人已在滨湖新区就业")


def refuse(world: World, member: Member, to: str = "team") -> Application:
    application = apply(world, member, to)
    do(operations.refuse, application, world.seat(to), *ELSEWHERE)
    return application


def shown(world: World, key: str = "college", **filters: Any) -> list[Record]:
    session.expire_all()
    reasons = {each.value: spec.label for each, spec in national_policy().reasons.items()}
    lines = list(exceptions_register.listing(world.seat(key), SEASON, ExceptionFilters(**filters)))
    return exception_records.records(lines, reasons)


@pytest.mark.rule("A-28")
def test_a_refusal_stands_in_the_register_with_its_reason(world: World) -> None:
    refuse(world, world.graduate)
    (record,) = shown(world)
    assert record.cells() == (
        "1",
        "丁一",
        world.graduate.student_no,
        "计算机学院团总支",
        "江淮示范大学计算机学院2022级软件工程专业1班团支部",
        "已落实工作单位（单位有团组织）",
        "安徽省",
        "合肥市",
        "研发团支部",
        "是",
        "本人已在其他单位就业，应转往该单位：本人已在滨湖新区就业",
        "",
    )


@pytest.mark.rule("A-28")
def test_a_return_says_who_let_the_deadline_pass(world: World, clock_at: Any) -> None:
    application = apply(world, world.graduate, "floating", **UNPLACED)
    clock_at(application.due_at)
    sweeps.return_overdue(clock.now())
    (record,) = shown(world)
    assert record.why == "转入方未在期限内办理，系统自动退回"
    assert record.destination == "井岗镇流动团员团支部"


def test_withdrawn_running_and_completed_ones_stay_out(world: World) -> None:
    withdrawn = apply(world, world.graduate, "team")
    do(operations.withdraw, withdrawn, world.own_seat(world.graduate))
    done = apply(world, world.classmate, "team")
    do(operations.accept, done, world.seat("team"))
    assert shown(world) == []


@pytest.mark.rule("A-28")
def test_a_line_closes_by_itself_when_a_later_transfer_completes(world: World) -> None:
    # Given two lines
    refuse(world, world.graduate)
    refuse(world, world.classmate)
    # When one of the two is transferred after all
    again = apply(world, world.graduate, "floating", **UNPLACED)
    assert exceptions_register.under_way([world.graduate.id, world.classmate.id]) == {world.graduate.id}
    assert len(shown(world, status="open")) == 2
    do(operations.accept, again, world.seat("township"))
    # Then his line is closed and stands behind the open one
    assert [record.name for record in shown(world)] == ["卜喆", "丁一"]
    assert [record.name for record in shown(world, status="open")] == ["卜喆"]
    assert [record.name for record in shown(world, status="closed")] == ["丁一"]


def test_a_refusal_after_a_completion_is_open_again(world: World) -> None:
    done = apply(world, world.graduate, "team")
    do(operations.accept, done, world.seat("team"))
    session.expire_all()
    later = apply(world, session.get_one(Member, world.graduate.id), "floating", **UNPLACED)
    do(operations.refuse, later, world.seat("township"), Ground.OTHER, "本人不在本镇居住")
    assert [record.name for record in shown(world, status="open")] == ["丁一"]


def test_the_register_is_seen_where_he_graduated_and_above(world: World) -> None:
    refuse(world, world.graduate)
    assert len(shown(world, "university")) == len(shown(world, "province")) == 1
    assert shown(world, "township") == []
    assert shown(world, path=world.orgs["class2"].path) == []


@pytest.mark.rule("A-28")
def test_who_never_applied_is_entered_by_hand(world: World) -> None:
    seat = world.seat("college")
    row = exceptions_register.graduate(seat, world.graduate, SEASON)
    with acting(seat):
        exceptions_register.enter(
            seat, row, ByHand("本人失去联系，家中电话无人接听", "升学", "江苏省", "南京市", "示例大学")
        )
    (record,) = shown(world, kind=BY_HAND)
    assert record.cells()[5:] == (
        "升学",
        "江苏省",
        "南京市",
        "示例大学",
        "否",
        "本人失去联系，家中电话无人接听",
        "",
    )
    # Corrected in place, not doubled
    with acting(seat):
        exceptions_register.enter(seat, row, ByHand("本人在国外，暂时无法联系", remark="已托同学转告"))
    (record,) = shown(world)
    assert (record.why, record.remark) == ("本人在国外，暂时无法联系", "已托同学转告")
    # And closed by his transfer
    done = apply(world, world.graduate, "team")
    do(operations.accept, done, world.seat("team"))
    assert [each.name for each in shown(world, status="closed")] == ["丁一"]


def test_what_cannot_be_entered_by_hand_says_why(world: World) -> None:
    seat, row = world.seat("college"), exceptions_register.graduate(world.seat("college"), world.graduate, SEASON)
    for wanted in (ByHand("不知道"), ByHand("失" * 201), ByHand("本人失去联系多时", remark="长" * 501)):
        with pytest.raises(DomainError), unit_of_work():
            exceptions_register.enter(seat, row, wanted)
    with pytest.raises(DomainError, match="本届毕业生"):
        exceptions_register.graduate(seat, world.sophomore, SEASON)
    with pytest.raises(NotFound):
        exceptions_register.graduate(world.seat("township"), world.graduate, SEASON)
    refuse(world, world.graduate)
    with pytest.raises(DomainError, match="已经发起过"), unit_of_work():
        exceptions_register.enter(
            seat, exceptions_register.graduate(seat, world.graduate, SEASON), ByHand("本人失去联系多时")
        )


def test_a_remark_is_kept_and_audited(world: World) -> None:
    application, seat = refuse(world, world.graduate), world.seat("college")
    for words in ("已与对方电话沟通", "对方同意重新接收"):
        do(lambda a, s, text: exceptions_register.annotate(s, a, text), application, seat, words)
    assert shown(world)[0].remark == "对方同意重新接收"
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "exception.remark")).all()[-1]
    assert (event.detail["before"], event.detail["after"]) == ("已与对方电话沟通", "对方同意重新接收")
    # The receiving side has no business in it
    with pytest.raises(NotFound), unit_of_work():
        exceptions_register.annotate(world.seat("company"), application, "不归我们管")
    running = apply(world, world.classmate, "team")
    with pytest.raises(DomainError, match="没有被退回"), unit_of_work():
        exceptions_register.annotate(seat, running, "还在办理")


@pytest.mark.rule("A-23")
def test_the_next_step_names_the_reason_the_receiver_and_its_superior(world: World) -> None:
    refuse(world, world.graduate)
    session.expire_all()
    application = queries.of_member(world.graduate.id)[0]
    step = exception_records.next_step(application, world.orgs["college"])
    assert step.why.startswith("本人已在其他单位就业")
    assert step.blocker.id == world.orgs["team"].id
    assert step.superior.id == world.orgs["company"].id
    assert "丁一" in step.message
    assert "请协调研发团支部办理" in step.message


@pytest.mark.rule("A-23")
def test_where_an_office_acts_for_the_branch_its_own_superior_is_named(world: World, clock_at: Any) -> None:
    application = apply(world, world.graduate, "floating", **UNPLACED)
    clock_at(application.due_at)
    sweeps.return_overdue(clock.now())
    session.expire_all()
    step = exception_records.next_step(queries.of_member(world.graduate.id)[0], world.orgs["college"])
    assert (step.blocker.id, step.superior.id) == (world.orgs["township"].id, world.orgs["county"].id)


@pytest.mark.slow("more lines than a page holds")
def test_pages_turn_both_ways_and_number_the_lines(world: World, clock_at: Any) -> None:
    with unit_of_work():
        people = [world.enrol(f"多{number:02}", "class1") for number in range(23)]
        graduation.open_register()
    for number, member in enumerate(people):
        clock_at(f"2026-10-14T10:{number:02}")
        refuse(world, member)
    seat = world.seat("college")
    listing = exceptions_register.listing(seat, SEASON, ExceptionFilters())
    first = listing.page()
    second = listing.page(after=first.after)
    assert [line.number for line in first.rows] == list(range(1, 21))
    assert [line.number for line in second.rows] == [21, 22, 23]
    assert first.rows[0].row.member.name == "多22"
    assert (first.before, second.after) == ("", "")
    back = listing.page(before=second.before)
    assert [line.number for line in back.rows] == list(range(1, 21))
    assert exceptions_register.listing(seat, SEASON, ExceptionFilters(text="多0")).count() == 10
    with pytest.raises(DomainError):
        listing.page(after="WzFd")


@pytest.mark.rule("F-02")
def test_the_file_has_exactly_the_columns_of_the_form(world: World) -> None:
    application = refuse(world, world.graduate)
    do(lambda a, s: exceptions_register.annotate(s, a, "=1+1"), application, world.seat("college"))
    target = BytesIO()
    order = ExportOrder(LISTS["exceptions"], world.seat("college"), ExceptionFilters(), FileFormat.XLSX)
    assert order.write(target, {}, lambda _: None) == 1
    sheet = load_workbook(target).active
    assert sheet["A1"].value == "学社衔接转出特殊情况记录"
    above = [sheet.cell(2, position).value for position in range(1, 13)]
    assert above == [
        "序号",
        "姓名",
        "学号",
        "学院",
        "原所在团组织名称",
        "转接类型",
        "待转入团组织所在地区",
        None,
        "待转入团组织名称",
        "是否发起",
        "未接受原因",
        "备注",
    ]
    assert [sheet.cell(3, position).value for position in (7, 8)] == ["省", "市"]
    merged = {str(area) for area in sheet.merged_cells.ranges}
    assert {"G2:H2", "A2:A3", "L2:L3", "A1:L1"} <= merged
    assert sheet.max_column == 12
    assert [cell.value for cell in sheet[4]][:2] == ["1", "丁一"]
    assert (sheet["L4"].value, sheet["L4"].data_type) == ("=1+1", "s")
