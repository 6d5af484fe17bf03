"""Starting many: from a selection, a file, a freshman list; killed, repeated, at once (PD-23, A-03, A-04)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs import runs as jobs
from tests.transfers.steps import EMPLOYED, acting, apply
from tests.world import World
from zhtj import sweeps
from zhtj.graduation import operations as graduation
from zhtj.imports.files.layouts import ID_NUMBER, NAME
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.tables import ImportTable, TableRow
from zhtj.imports.graduates import starts
from zhtj.kernel import audit, clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work import queue as work_queue
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member, Seat
from zhtj.transfers.applying.situations import Situation
from zhtj.transfers.applying.starting import start
from zhtj.transfers.many import mass_starts, runs
from zhtj.transfers.many.models import BulkLine, BulkRun, RunKind, RunState
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.workflow import Action, Initiator, State

COMPANY = "共青团示例科技有限公司委员会"
OUT = {"reason": "employed_with_org", "to": COMPANY, "unit_name": "示例科技有限公司"}


@pytest.fixture
def graduates(world: World) -> list[Member]:
    """Five more graduates, one of them called 龑喆."""
    with unit_of_work():
        found = [world.enrol(name, "class1") for name in ("龑喆", "毕业生甲", "毕业生乙", "毕业生丙", "毕业生丁")]
        graduation.open_register()
    return found


def kept(kind: RunKind, seat: ActiveSeat, contents: list[dict[str, Any]], options: dict[str, Any]) -> int:
    """A confirmed run; its number."""
    with acting(seat):
        run = runs.keep(kind, seat, contents, key=f"k{len(contents)}-{clock.now():%f}", title="名单", options=options)
        runs.confirm(run)
        return run.id


def answers(number: int) -> list[tuple[bool, str]]:
    """Whether and what, a line."""
    run = session.get_one(BulkRun, number)
    return [(result.ok, result.text) for _, _, result in runs.results(run) if result is not None]


def who(member: Member) -> dict[str, Any]:
    """A line of a file about this member."""
    return {"name": member.name, "id_number": member.account.id_number}


@pytest.mark.rule("PD-23")
@pytest.mark.rule("A-03")
def test_a_college_starts_for_a_selection(world: World, graduates: list[Member]) -> None:
    seat = world.seat("college")
    number = kept(RunKind.TRANSFER_OUT, seat, [{"member": member.id} for member in graduates], OUT)
    assert runs.work_off(number)
    assert [ok for ok, _ in answers(number)] == [True] * 5
    started = session.scalars(select(Application)).all()
    assert {each.state for each in started} == {State.AWAITING_ACCEPTANCE}
    assert {each.initiator for each in started} == {Initiator.OLD_SIDE}
    assert {each.initiator_account_id for each in started} == {seat.account_id}


@pytest.mark.rule("PD-23")
def test_each_line_of_a_file_says_for_itself_and_is_answered_for_itself(world: World, graduates: list[Member]) -> None:
    busy, stranger = graduates[4], world.employee
    apply(world, busy, "company", **EMPLOYED)
    contents = [
        {
            **who(graduates[0]),
            "to": COMPANY,
            "reason": "已落实工作单位（单位有团组织）",
            "unit_name": "示例科技有限公司",
        },
        {**who(graduates[1]), "to": "没有这个组织"},
        {**who(graduates[2]), "reason": "想去哪里就去哪里"},
        {**who(busy)},
        {**who(stranger)},
        {**who(graduates[3]), "to": "合肥"},
        {"problem": "“身份证号码”：这里是 17 位。", "fix": "请核对。"},
        {**who(graduates[0])},
    ]
    seat = world.seat("college")
    seen = mass_starts.examine_out(seat, contents, OUT)
    number = kept(RunKind.TRANSFER_OUT, seat, contents, OUT)
    runs.work_off(number)
    # What was foreseen is what happened
    assert [line.error is None for line in seen] == [True, *[False] * 7]
    said = answers(number)
    assert [ok for ok, _ in said] == [True, *[False] * 7]
    assert said[1][1] == "没有找到组织“没有这个组织”。"
    assert "不适用于这位团员" in said[2][1]
    assert said[3][1] == "已有业务正在办理，不能重复发起。"
    assert said[4][1] == "本组织及下级没有这位团员。"
    assert "17 位" in said[6][1]
    assert "出现了两次" in said[7][1]


@pytest.mark.rule("PD-11")
def test_a_warned_destination_waits_for_a_remark_and_a_confirmation(world: World, graduates: list[Member]) -> None:
    # Given people whose employer has an organisation, sent to the township where it lies: the table warns
    options = {**OUT, "to": "340104001", "place": "unit_location", "unit_address": "安徽省合肥市蜀山区井岗镇"}
    contents = [{"member": member.id} for member in graduates[:2]]
    seat = world.seat("college")
    open_lines = mass_starts.examine_out(seat, contents, options)
    assert all(line.warning and line.error is not None for line in open_lines)
    confirmed = {**options, "confirmed": True, "remark": "在镇政府工作"}
    assert all(line.warning and line.error is None for line in mass_starts.examine_out(seat, contents, confirmed))
    number = kept(RunKind.TRANSFER_OUT, seat, contents, confirmed)
    runs.work_off(number)
    assert [each.warnings != [] for each in session.scalars(select(Application))] == [True, True]


@pytest.mark.rule("PD-11")
def test_what_the_table_forbids_nobody_starts_for_many(world: World, graduates: list[Member]) -> None:
    options = {**OUT, "to": "共青团安徽省合肥市委员会"}
    seen = mass_starts.examine_out(world.seat("college"), [{"member": graduates[0].id}], options)
    assert seen[0].error is not None
    assert "领导机关" in seen[0].error.message


def test_special_units_are_started_with_what_must_be_said(world: World, graduates: list[Member]) -> None:
    contents = [
        {"member": graduates[0].id, "reason": "special_unit", "remark": "参军入伍，体检已通过"},
        {"member": graduates[1].id, "reason": "special_unit", "remark": "去部队"},
    ]
    seat = world.seat("college")
    number = kept(RunKind.TRANSFER_OUT, seat, contents, {"confirmed": True})
    runs.work_off(number)
    assert [ok for ok, _ in answers(number)] == [True, False]
    assert session.scalars(select(Application.state)).all() == [State.AWAITING_PROVINCE]


@pytest.mark.rule("PD-23")
@pytest.mark.rule("A-04")
def test_a_school_starts_for_its_freshmen_by_name_and_number(world: World) -> None:
    # Given freshmen of the university who still are where they worked, and a branch built for them
    new = NewOrganisation(
        "江淮示范大学2026级新生团支部",
        "2026级新生团支部",
        Category.BRANCH,
        "普通高等院校",
        purpose=Purpose.NEW_STUDENTS,
    )
    with unit_of_work():
        orgs.create(world.orgs["university"], new)
        freshmen = [world.enrol(name, "team") for name in ("龑喆", "新生甲")]
    seat = world.seat("university")
    wrong = {"name": "新生乙", "id_number": freshmen[1].account.id_number}
    options = {"reason": "further_study", "to": new.full_name, "unit_name": "江淮示范大学"}
    seen = mass_starts.examine_in(seat, [who(freshmen[0]), wrong], options)
    assert [line.member for line in seen] == [freshmen[0], None]
    number = kept(RunKind.TRANSFER_IN, seat, [who(freshmen[0]), who(freshmen[1]), wrong], options)
    runs.work_off(number)
    said = answers(number)
    assert [ok for ok, _ in said] == [True, True, False], said
    assert said[2][1] == "没有找到这位团员。"
    # They wait for the old side, which alone can let them go
    assert set(session.scalars(select(Application.state))) == {State.AWAITING_RELEASE}


@pytest.mark.rule("PD-37")
def test_every_look_up_of_a_batch_is_in_the_log(world: World, graduates: list[Member]) -> None:
    with acting(world.seat("university")):
        mass_starts.record_look_ups([who(graduates[0]), {"name": "无此人", "id_number": "110101199003070000"}])
    noted = session.execute(
        select(AuditEvent.subject_id, AuditEvent.detail, AuditEvent.account_id).where(
            AuditEvent.action == "member.look_up"
        )
    ).all()
    account = world.accounts["university"].id
    assert [tuple(row) for row in noted] == [
        (graduates[0].id, {"found": True, "batch": True}, account),
        (0, {"found": False, "batch": True}, account),
    ]


@pytest.mark.rule("PD-37")
def test_only_where_students_are_admitted_many_are_looked_up(world: World) -> None:
    allowed = {
        key
        for key in ("university", "college", "company", "township", "county", "class1")
        if mass_starts.may_admit(world.seat(key), world.orgs[key])
    }
    assert allowed == {"university", "college"}


@pytest.mark.rule("A-06")
def test_a_run_that_was_killed_goes_on_where_it_stopped(
    world: World, graduates: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = world.seat("college")
    number = kept(RunKind.TRANSFER_OUT, seat, [{"member": member.id} for member in graduates], OUT)
    monkeypatch.setitem(runs.WORK, RunKind.TRANSFER_OUT, runs._Work(mass_starts.start_out, chunk=2, at_once=20))
    calls: list[int] = []

    def dying(situation: Situation) -> Application:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return start(situation)

    monkeypatch.setattr("zhtj.transfers.many.mass_starts.start", dying)
    with pytest.raises(KeyboardInterrupt):
        runs.work_off(number)
    # The chunk at hand left nothing behind, the one before stays
    assert session.scalar(select(func.count(Application.id))) == 2
    assert len(answers(number)) == 2
    monkeypatch.setattr("zhtj.transfers.many.mass_starts.start", start)
    assert runs.work_off(number)
    assert runs.work_off(number)
    assert [ok for ok, _ in answers(number)] == [True] * 5
    submitted = session.scalar(select(func.count()).where(ApplicationEvent.action == Action.SUBMIT))
    assert submitted == 5


def test_one_line_that_breaks_does_not_stop_the_others(
    world: World, graduates: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = kept(RunKind.TRANSFER_OUT, world.seat("college"), [{"member": one.id} for one in graduates], OUT)

    def broken(situation: Situation) -> Application:
        if situation.member.name == "毕业生乙":
            raise RuntimeError("unforeseen")
        return start(situation)

    monkeypatch.setattr("zhtj.transfers.many.mass_starts.start", broken)
    assert runs.work_off(number)
    assert [ok for ok, _ in answers(number)] == [True, True, False, True, True]
    assert answers(number)[2][1] == "办理时系统出错，这一行没有办理。"


def test_the_sweep_finds_a_run_that_lost_its_job(
    world: World, graduates: list[Member], clock_at: Callable[[Any], None]
) -> None:
    number = kept(RunKind.TRANSFER_OUT, world.seat("college"), [{"member": one.id} for one in graduates], OUT)
    assert sweeps.run("runs").as_dict() == {"found": 0, "done": 0, "skipped": 0, "failed": 0}
    clock_at(clock.now() + timedelta(minutes=3))
    assert sweeps.run("runs").done == 1
    assert session.get_one(BulkRun, number).state is RunState.DONE
    assert sweeps.run("runs").found == 0


def test_whoever_has_left_his_post_meanwhile_starts_nothing_more(world: World, graduates: list[Member]) -> None:
    number = kept(RunKind.TRANSFER_OUT, world.seat("college"), [{"member": one.id} for one in graduates], OUT)
    with unit_of_work():
        post = session.scalars(select(Seat).where(Seat.account_id == world.accounts["college"].id)).one()
        post.ended_at = clock.now()
    runs.work_off(number)
    assert {text for _, text in answers(number)} == {"办理人的任职已经结束，这一行没有办理。"}
    assert session.scalar(select(func.count(Application.id))) == 0


def test_what_is_not_confirmed_goes_after_two_hours_a_result_after_a_week(
    world: World, graduates: list[Member], clock_at: Callable[[Any], None]
) -> None:
    seat = world.seat("college")
    contents = [{"member": graduates[0].id}]
    with acting(seat):
        looked_at = runs.keep(RunKind.TRANSFER_OUT, seat, contents, key="a", title="甲").id
    done = kept(RunKind.TRANSFER_OUT, seat, contents, OUT)
    runs.work_off(done)
    clock_at(clock.now() + timedelta(hours=2))
    with pytest.raises(NotFound):
        runs.owned(looked_at, seat)
    assert sweeps.run("old-runs").done == 1
    assert runs.owned(done, seat).state is RunState.DONE
    clock_at(clock.now() + timedelta(days=7))
    assert sweeps.run("old-runs").done == 1
    assert session.scalars(select(BulkLine)).all() == []


@pytest.mark.slow("two at once, over many lines")
def test_two_workers_on_one_run_do_each_line_once(live: Flask) -> None:
    with live.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            members = [world.enrol(f"团员{number}", "class1") for number in range(60)]
            graduation.open_register()
        number = kept(RunKind.TRANSFER_OUT, world.seat("college"), [{"member": one.id} for one in members], OUT)
        db.session.remove()
    barrier = threading.Barrier(3)

    def work() -> None:
        with live.app_context():
            barrier.wait()
            runs.work_off(number)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with live.app_context():
        runs.work_off(number)
        run = session.get_one(BulkRun, number)
        assert (run.state, run.done, run.failed) == (RunState.DONE, 60, 0)
        assert session.scalar(select(func.count(Application.id))) == 60


def table(rows: list[dict[str, Any]]) -> ImportTable:
    """A file of such rows, from row 4 on."""
    return ImportTable([TableRow(number, cells) for number, cells in enumerate(rows, start=4)], 3, [NAME, ID_NUMBER])


@pytest.mark.rule("PD-23")
def test_a_file_is_read_with_the_row_numbers_of_the_spreadsheet(world: World, graduates: list[Member]) -> None:
    number = graduates[0].account.id_number
    lines = starts.read(
        table(
            [
                {NAME: "龑喆", ID_NUMBER: f" {number} ", "联系电话": 13800000099},
                {NAME: "卜 喆", ID_NUMBER: 1.10101199003e17},
                {NAME: "", ID_NUMBER: number},
                {NAME: "某人", ID_NUMBER: "34010420040314"},
            ]
        ),
        starts.out_layout(),
    )
    assert lines[0] == {"row": 4, "name": "龑喆", "id_number": number, "contact_mobile": "13800000099"}
    assert "后面几位已经丢失" in lines[1]["problem"]
    assert "没有填写姓名" in lines[2]["problem"]
    assert "应为 18 位" in lines[3]["problem"]
    assert [line["row"] for line in lines] == [4, 5, 6, 7]


def test_the_same_person_twice_in_a_file_is_the_later_rows_error(world: World, graduates: list[Member]) -> None:
    row = {NAME: "龑喆", ID_NUMBER: graduates[0].account.id_number}
    first, second = starts.read(table([row, row]), starts.IN)
    assert "problem" not in first
    assert second["problem"] == "“身份证号码”：与第 4 行是同一人。"


def test_fifty_thousand_rows_are_refused_with_the_limit() -> None:
    with pytest.raises(FileError, match="一次最多 5,000 行"):
        starts.read(table([{NAME: "某人"}] * 50_000), starts.IN)


def test_a_job_does_so_many_lines_and_queues_up_for_the_rest(
    world: World, graduates: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = kept(RunKind.TRANSFER_OUT, world.seat("college"), [{"member": one.id} for one in graduates], OUT)
    monkeypatch.setitem(runs.WORK, RunKind.TRANSFER_OUT, runs._Work(mass_starts.start_out, chunk=2, at_once=20))
    monkeypatch.setattr(runs.work_off, "__kwdefaults__", {"at_most": 4})
    queued: list[tuple[Any, ...]] = []
    monkeypatch.setattr(work_queue, "enqueue", lambda *arguments: queued.append(arguments))
    assert not jobs.work_off(number)
    assert queued == [("jobs.runs.work_off", number)]
    assert len(answers(number)) == 4
    assert jobs.work_off(number)
    assert len(queued) == 1
    assert jobs.work_off(number)
