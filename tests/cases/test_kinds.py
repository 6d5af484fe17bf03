"""What each kind of case asks, who decides it, what it does, and the sheet it replaces (F-03 … F-06, F-11, F-17)."""

from __future__ import annotations

import itertools
import json
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select

from tests.cases.steps import PROOF, ask, do, grant, on_file, reply
from tests.transfers.steps import UNPLACED, acting, apply
from tests.transfers.steps import do as transfer
from tests.uploads import PDF
from tests.waiting import waits_for
from tests.world import World, id_number
from zhtj import doctor
from zhtj.cases import queries, special_unit_form, subjects
from zhtj.cases.kinds import kind_of
from zhtj.cases.queries import CaseFilters, CaseList
from zhtj.cases.subjects import Invalid
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.graduation.models import BranchMark, CloseReason, RegisterRow
from zhtj.imports.spreadsheets import write_xlsx
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.notices.waiting import WaitingKind
from zhtj.orgs.models import Category, Organisation
from zhtj.orgs.queries import by_code_or_name
from zhtj.people import operations as people
from zhtj.people.models import Member, Membership, Post, Seat, Sex
from zhtj.transfers import operations as transfers
from zhtj.transfers.applying.situations import special_unit

CITY = ("university", "city")


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        world.appoint("city")
        world.appoint("centre")
    return world


def sheet(seat: Any, kind: str) -> list[tuple[Any, ...]]:
    """The export of a kind, read back from the file."""
    found = kind_of(kind)
    target = BytesIO()
    lines = queries.export(seat, found, CaseFilters(CaseList.ALL))
    rows = [[column.cell(line) for column in found.columns] for line in lines]
    write_xlsx(target, found.title, [column.heading for column in found.columns], rows)
    target.seek(0)
    return list(load_workbook(target).active.iter_rows(values_only=True))


def sound() -> None:
    session.expire_all()
    assert [finding.name for finding in doctor.examine() if finding.broken] == []


# -- F-04 the mark

MARK = {"month": "2027-06", "ground": "study_length", "detail": "学制由四年改为五年"}


@pytest.mark.rule("F-04", "G-14", "G-15", "K-01", "F-18", "PD-34")
def test_a_mark_is_changed_by_the_citys_decision(world: World, policy):
    policy(mark_edit="approval", mark_edit_level="city")
    case = ask(world.seat("college"), "mark_change", world.orgs["class1"].full_name, **MARK)
    assert session.get_one(BranchMark, world.orgs["class1"].id).month == date(2026, 6, 1)
    grant(world, case, *CITY)
    assert session.get_one(BranchMark, world.orgs["class1"].id).month == date(2027, 6, 1)
    assert sheet(world.seat("city"), "mark_change") == [
        ("序号", "团支部名称（智慧团建系统里的全称）", "正确毕业时间", "提交时间"),
        ("1", "江淮示范大学计算机学院2022级软件工程专业1班团支部", "2027-06", "2026-10-14"),
    ]
    sound()


@pytest.mark.rule("K-01", "G-14")
@pytest.mark.parametrize(("way", "words"), [("free", "可以直接修改"), ("forbidden", "不能修改")])
def test_where_the_policy_has_no_decision_none_is_asked(world: World, policy, way: str, words: str):
    policy(mark_edit=way, mark_change_after_conversion="free")
    with pytest.raises(DomainError, match=words):
        ask(world.seat("college"), "mark_change", world.orgs["class1"], **MARK)


@pytest.mark.rule("G-15")
def test_only_two_grounds_change_a_mark(world: World, policy):
    policy(mark_edit="approval", mark_edit_level="city")
    assert [words for _, words in kind_of("mark_change").field("ground").choices] == ["学制变动", "录入错误"]
    with pytest.raises(Invalid) as caught:
        ask(world.seat("college"), "mark_change", world.orgs["class1"], **{**MARK, "ground": "late"})
    assert set(caught.value.errors) == {"ground"}


@pytest.mark.rule("O-22")
def test_a_branch_is_named_in_full_exactly_as_in_the_system(world: World, policy):
    policy(mark_edit="approval", mark_edit_level="city")
    with pytest.raises(DomainError, match="全称") as caught:
        ask(world.seat("college"), "mark_change", "软工1班", **MARK)
    assert world.orgs["class1"].full_name in str(caught.value), "the nearest full name is offered"
    with pytest.raises(DomainError, match="没有找到"):
        ask(world.seat("college"), "mark_change", world.orgs["team"].full_name, **MARK)


# -- F-05 the occupied number


def occupied(world: World, **typed: Any):
    details = {"number": "201934009999", "occupant": "提示已被示例科技研发团支部的于敏使用"}
    return ask(world.seat("class1"), "occupied_number", world.graduate, **{**details, **typed})


@pytest.mark.rule("U-21", "F-05", "F-18")
def test_the_province_frees_an_occupied_number(world: World):
    with unit_of_work():
        world.employee.dev_number = "201934009999"
    case = occupied(world)
    assert queries.way(case)[-1].short_name == "团安徽省委"
    assert "于敏" in kind_of("occupied_number").warn(subjects.matter(case))
    reply(case, world.seat("team"))
    grant(world, case, "college", "university", "city", "province")
    assert world.graduate.dev_number == "201934009999"
    assert world.employee.dev_number is None
    assert sheet(world.seat("province"), "occupied_number") == [
        ("省份", "所在团支部", "姓名", "身份证号", "发展团员编号", "备注（被谁占用）"),
        (
            "安徽省",
            world.orgs["class1"].full_name,
            "丁一",
            world.graduate.account.id_number,
            "201934009999",
            "提示已被示例科技研发团支部的于敏使用",
        ),
    ]
    sound()


@pytest.mark.rule("U-21")
def test_a_number_used_in_another_province_goes_on_to_the_centre(world: World):
    with unit_of_work():
        world.add("jiangsu", "centre", "共青团江苏省委员会", "团江苏省委", Category.LEADING_ORGAN, code="32")
        world.add("works", "jiangsu", "共青团江苏示例公司委员会", "江苏示例团委", Category.COMMITTEE, "非公企业")
        world.add("shift", "works", "江苏示例公司一车间团支部", "一车间团支部", Category.BRANCH, "非公企业")
        other = world.enrol("戈明", "shift")
        other.dev_number = "201934009999"
        world.appoint("shift")
    case = occupied(world)
    reply(case, world.seat("shift"))
    assert queries.way(case)[-1].short_name == "团中央"
    grant(world, case, "college", "university", "city", "province", "centre")
    assert (world.graduate.dev_number, other.dev_number) == ("201934009999", None)


def test_a_number_that_is_ones_own_needs_nobody(world: World):
    with pytest.raises(DomainError, match="已经登记在本人名下"):
        occupied(world, number=world.graduate.dev_number)
    with pytest.raises(Invalid, match="12 位"):
        occupied(world, number="2019")


# -- F-06 instead of deletion


def removal(world: World, member: Member, **typed: Any):
    details = {"ground": "entry_error", "detail": "误把外校同学录入本支部"}
    return ask(world.seat("college"), "removal", member, **{**details, **typed})


@pytest.mark.rule("F-06", "U-16", "U-17", "PD-06", "K-19", "PD-13")
def test_a_wrong_record_is_archived_not_deleted(world: World):
    with unit_of_work():
        people.start_seat(world.graduate.account, world.orgs["class1"], Post.DEPUTY)
    case = removal(world, world.graduate)
    assert [one.short_name for one in queries.way(case)] == ["江淮示范大学团委", "团合肥市委"]
    do(case, world.seat("university"), CaseAction.FORWARD)
    assert world.graduate.archived_at is None
    do(case, world.seat("city"), CaseAction.APPROVE)
    session.expire_all()
    assert world.graduate.archived_at is not None, "kept, with its history"
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.graduate.id)).one()
    assert row.close_reason is CloseReason.LEFT
    stays = session.scalars(select(Membership).where(Membership.member_id == world.graduate.id)).all()
    assert [stay.ended_by for stay in stays] == [f"case:{case.id}"]
    post = session.scalars(select(Seat).where(Seat.account_id == world.graduate.account_id)).one()
    assert post.ended_at is not None
    rows = sheet(world.seat("city"), "removal")
    assert rows[0] == ("序号", "姓名", "所在团支部名称全称", "身份证号", "删除原因")
    assert rows[1][:3] == ("1", "丁一", world.orgs["class1"].full_name)
    sound()


@pytest.mark.rule("U-16")
def test_there_are_no_other_grounds_for_taking_a_record_away(world: World):
    grounds = [value for value, _ in kind_of("removal").field("ground").choices]
    assert grounds == ["entry_error", "duplicate", "death", "moved"]
    with pytest.raises(Invalid):
        removal(world, world.graduate, ground="dropout")
    # One who has gone to another system needs the school's word: its line never leaves the school out
    case = removal(world, world.graduate, ground="moved", detail="已转入北京系统并核实")
    assert queries.way(case)[0].id == world.orgs["university"].id


@pytest.mark.rule("T-26", "U-16")
@pytest.mark.parametrize("ground", ["entry_error", "moved"])
@pytest.mark.parametrize("words", ["退学", "休学", "开除学籍", "肄业", "已被学校退 学处理"])
def test_dropping_out_is_no_ground_and_the_way_there_is_is_named(world: World, ground: str, words: str):
    with pytest.raises(DomainError, match="不是归档的理由") as caught:
        removal(world, world.graduate, ground=ground, detail=f"该同学{words}，不在校")
    assert (caught.value.field, caught.value.rule) == ("detail", "T-26")
    for way in ("办理转出", "保留团组织关系", "退学后暂时联系不上"):
        assert way in str(caught.value)


@pytest.mark.rule("U-16")
def test_whoever_died_on_leave_or_came_back_with_a_second_record_is_archived_all_the_same(world: World):
    assert removal(world, world.graduate, ground="death", detail="休学期间因病去世").state is CaseState.WAITING
    with unit_of_work():
        again = world.enrol("卜喆", "class2")
    number = again.account.id_number
    case = removal(world, world.classmate, ground="duplicate", keep=number, detail="退学后重新入学，有两条记录")
    assert case.state is CaseState.WAITING


@pytest.mark.rule("U-18")
def test_deletion_takes_the_place_of_no_transfer(world: World):
    for instead in ("转接", "转出", "转走", "转不", "转入不", "重新注册", "重新登记", "重新录入"):
        with pytest.raises(DomainError, match="代替转接"):
            removal(world, world.graduate, detail=f"删除后请对方{instead}")
    apply(world, world.classmate, "floating", **UNPLACED)
    with pytest.raises(DomainError, match="正在办理的转接申请"):
        removal(world, world.classmate)


@pytest.mark.rule("U-18")
def test_an_application_that_begins_meanwhile_stops_the_decision(world: World):
    case = removal(world, world.graduate)
    do(case, world.seat("university"), CaseAction.FORWARD)
    apply(world, world.graduate, "floating", **UNPLACED)
    with pytest.raises(DomainError, match="正在办理的转接申请"):
        do(case, world.seat("city"), CaseAction.APPROVE)
    assert session.get_one(Member, world.graduate.id).archived_at is None


@pytest.mark.rule("U-17", "U-18")
def test_a_branch_or_a_member_cannot_ask_for_a_removal(world: World):
    for seat in (world.seat("class1"), world.own_seat(world.classmate)):
        with pytest.raises(Forbidden):
            ask(seat, "removal", world.graduate, ground="entry_error", detail="误把外校同学录入本支部")


@pytest.mark.rule("U-15", "K-19", "PD-06")
def test_two_records_of_one_person_become_one(world: World):
    with unit_of_work():
        doubled = world.enrol("丁一", "class2")
        doubled.major, doubled.student_no = "软件工程", "2022999999"
        world.graduate.student_no = None
        people.start_seat(doubled.account, world.orgs["class2"], Post.DEPUTY)
    mobile, kept_mobile = doubled.account.mobile, world.graduate.account.mobile
    keep = {"ground": "duplicate", "detail": "同一人录入了两次", "keep": world.graduate.account.id_number}
    case = removal(world, doubled, **keep)
    # Whoever decides reads first where the record goes and what it brings
    warned = kind_of("removal").warn(subjects.matter(case))
    assert warned.startswith("合并到软工1班团支部的记录：")
    grant(world, case, *CITY)
    assert doubled.archived_at is not None
    assert (world.graduate.archived_at, world.graduate.major, world.graduate.student_no) == (
        None,
        "软件工程",
        "2022999999",
    )
    assert (doubled.account.mobile, world.graduate.account.mobile) == (None, kept_mobile) != (None, mobile)
    posts = session.scalars(select(Seat).where(Seat.org_id == world.orgs["class2"].id, Seat.ended_at.is_(None)))
    assert world.graduate.account_id in {post.account_id for post in posts}
    sound()


@pytest.mark.rule("K-19", "U-15")
def test_a_merge_is_decided_by_a_level_above_both_records(world: World):
    with unit_of_work():
        world.add("jiangsu", "centre", "共青团江苏省委员会", "团江苏省委", Category.LEADING_ORGAN, code="32")
        world.add("works", "jiangsu", "共青团江苏示例公司委员会", "江苏示例团委", Category.COMMITTEE, "非公企业")
        world.add("shift", "works", "江苏示例公司一车间团支部", "一车间团支部", Category.BRANCH, "非公企业")
        far, near = world.enrol("丁一", "shift"), world.enrol("万堃", "team")
    for doubled, kept, last in ((world.sophomore, near, "团合肥市委"), (world.graduate, far, "团中央")):
        case = removal(world, doubled, ground="duplicate", keep=kept.account.id_number)
        assert queries.way(case)[-1].short_name == last


@pytest.mark.rule("U-15")
def test_a_merge_needs_the_other_record_of_the_same_person(world: World):
    for keep, words in (
        ("", "请填写要保留"),
        (world.classmate.account.id_number, "没有找到同名"),
        (world.graduate.account.id_number, "就是要归档"),
    ):
        with pytest.raises(DomainError, match=words):
            removal(world, world.graduate, ground="duplicate", keep=keep)


@pytest.mark.rule("U-19", "F-17", "PD-06")
def test_a_record_removed_by_mistake_comes_back_by_a_statement(world: World):
    grant(world, removal(world, world.graduate), *CITY)
    assert world.graduate.archived_at is not None
    # Nothing else can be asked about somebody who is archived
    with pytest.raises(DomainError, match="没有"):
        ask(world.seat("class1"), "correction", world.graduate, name="丁二", why="录入时看错一个字")
    text = "本支部管理员误操作，将在册团员丁一归档。"
    case = ask(world.seat("class1"), "statement", "丁一", purpose="mistaken_removal", text=text)
    grant(world, case, "college", *CITY)
    assert (world.graduate.archived_at, world.graduate.org_id) == (None, world.orgs["class1"].id)
    stays = session.scalars(select(Membership).where(Membership.member_id == world.graduate.id)).all()
    assert [stay.ended_at is None for stay in sorted(stays, key=lambda one: one.id)] == [False, True]
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.graduate.id)).one()
    assert row.closed_at is None
    sound()
    with pytest.raises(DomainError, match="没有归档"):
        ask(world.seat("class1"), "statement", world.graduate, purpose="mistaken_removal", text=text)


# -- correction

CORRECT = {"why": "录入时看错一位数字"}


@pytest.mark.rule("U-14", "K-19", "E-06")
def test_name_number_and_joining_month_are_corrected_by_a_decision(world: World):
    number = id_number(77, born=date(2003, 5, 6), sex=Sex.FEMALE)
    case = ask(
        world.seat("class1"),
        "correction",
        world.graduate,
        PROOF,
        **CORRECT,
        name="丁乙",
        id_number=number.lower(),
        joined="2018年5月",
    )
    kept = session.connection().exec_driver_sql("SELECT data FROM cases").scalar_one()
    assert number not in kept
    before = world.graduate.id
    grant(world, case, "college", *CITY)
    member, account = world.graduate, world.graduate.account
    assert (account.name, account.id_number, member.joined_on) == ("丁乙", number, date(2018, 5, 1))
    assert (member.id, member.sex) == (before, Sex.FEMALE), "the same record: not deleted and registered again"
    assert case.outcome == "已更正姓名、身份证号码、入团年月。"
    head, row = sheet(world.seat("city"), "correction")
    found = dict(zip(head, row, strict=True))
    assert found["更正内容"] == f"姓名：丁乙；身份证号码：{number}；入团年月：2018-05"
    assert (found["原因"], found["结果"]) == (CORRECT["why"], "已同意")
    sound()


@pytest.mark.rule("U-14")
def test_a_correction_needs_proof_a_right_number_and_something_to_correct(world: World):
    seat = world.seat("class1")
    with pytest.raises(DomainError, match="证明材料"):
        ask(seat, "correction", world.graduate, **CORRECT, name="丁乙")
    with pytest.raises(Invalid, match="校验码"):
        ask(seat, "correction", world.graduate, PROOF, **CORRECT, id_number="340104200403140013")
    with pytest.raises(DomainError, match="没有要更正的内容"):
        ask(seat, "correction", world.graduate, PROOF, **CORRECT, name="丁一")
    with pytest.raises(DomainError, match="另一条记录"):
        ask(seat, "correction", world.graduate, PROOF, **CORRECT, id_number=world.classmate.account.id_number)


# -- F-17


@pytest.mark.rule("F-17")
def test_a_statement_is_filed_by_the_committee_and_stays_on_the_persons_file(world: World):
    text = "该生为定向委培学生，毕业后回原单位工作，档案随人。"
    paper = Upload("协议.pdf", PDF)
    typed = {"purpose": "commissioned", "text": text, "dues": "按月交给学院", "life": "随班参加"}
    case = ask(world.seat("college"), "statement", world.graduate, paper, **typed)
    assert [one.short_name for one in queries.way(case)] == ["江淮示范大学团委"]
    grant(world, case, "university")
    kept = on_file(world.seat("class1"), world.graduate.id)
    assert [one.data["text"] for one in kept] == [text]
    assert on_file(world.seat("class2"), world.graduate.id) == []
    assert sheet(world.seat("university"), "statement")[1][3:5] == ("定向委培，在原单位任职，组织关系留在原单位", text)


# -- F-11


def flag(world: World, key: str, answer: str, by: str = "county"):
    return ask(world.seat(by), "township", world.orgs[key], is_township=answer)


@pytest.mark.rule("O-06", "F-11", "F-18")
def test_the_three_errors_of_the_township_flag_are_corrected_at_the_centre(world: World):
    with unit_of_work():
        world.add(
            "farm", "county", "共青团安徽省合肥市蜀山区示范农场委员会", "团示范农场委", Category.COMMITTEE, "农村"
        )
        world.add("street", "county", "共青团安徽省合肥市蜀山区示范街道工委", "示范街道", Category.COMMITTEE, "农村")
        world.orgs["farm"].township_flag = True
        world.orgs["street"].township_flag = False
        world.add("town", "county", "共青团安徽省合肥市蜀山区示范镇委员会", "团示范镇委", Category.COMMITTEE, "农村")
    cases = [flag(world, "street", "yes"), flag(world, "farm", "no"), flag(world, "town", "yes")]
    for case in cases:
        assert [one.short_name for one in queries.way(case)] == ["团合肥市委", "团安徽省委", "团中央"]
        for key in ("city", "province"):
            do(case, world.seat(key), CaseAction.FORWARD)
    assert world.orgs["street"].township_flag is False, "nothing changes before the centre decides"
    assert sheet(world.seat("province"), "township") == [
        ("组织全称", "是否乡镇街道团委"),
        ("共青团安徽省合肥市蜀山区示范街道工委", "是"),
        ("共青团安徽省合肥市蜀山区示范农场委员会", "否"),
        ("共青团安徽省合肥市蜀山区示范镇委员会", "是"),
    ]
    for case in cases:
        do(case, world.seat("centre"), CaseAction.APPROVE)
    session.expire_all()
    assert [world.orgs[key].township_flag for key in ("street", "farm", "town")] == [True, False, True]
    sound()


@pytest.mark.rule("O-06")
def test_what_is_no_error_is_not_reported(world: World):
    with pytest.raises(DomainError, match="不算错误"):
        flag(world, "company", "no")
    with pytest.raises(DomainError, match="现在就标记为“是”"):
        flag(world, "township", "yes")
    with pytest.raises(DomainError, match="基层团委"):
        flag(world, "floating", "yes")


@pytest.mark.rule("O-06")
def test_the_operator_decides_for_the_centre(world: World, app: Flask):
    case = flag(world, "company", "yes")
    early = flag(world, "township", "no")
    for key in ("city", "province"):
        do(case, world.seat(key), CaseAction.FORWARD)
    run = app.test_cli_runner()
    listed: Result = run.invoke(args=["cases", "list", "--kind", "township", "--json"])
    assert [line["id"] for line in json.loads(listed.stdout)] == [case.id]
    done = run.invoke(args=["cases", "approve", str(case.id), str(early.id), "999999"])
    assert done.exit_code == 1
    assert done.stdout == f"{case.id}\t已改为“是”。\n"
    assert "这一步不由" in done.stderr
    assert "没有这件事" in done.stderr
    session.expire_all()
    assert world.orgs["company"].township_flag is True
    assert (case.state, early.state) == (CaseState.APPROVED, CaseState.WAITING)


# -- a missing organisation

WANTED = {
    "full_name": "共青团安徽省合肥市蜀山区示范医院委员会",
    "short_name": "示范医院团委",
    "category": "committee",
    "industry": "事业单位（不含公立学校）",
    "parent": "340104",
    "why": "本校毕业生要转到该医院",
}


@pytest.mark.rule("O-20", "PD-34")
def test_a_missing_organisation_is_asked_for_and_then_stands_in_the_tree(world: World):
    case = ask(world.seat("class1"), "missing_organisation", **WANTED)
    assert [one.short_name for one in queries.way(case)] == ["计算机学院团总支", "江淮示范大学团委", "团蜀山区委"]
    grant(world, case, "college", "university", "county")
    found = by_code_or_name(WANTED["full_name"])
    assert found is not None
    assert (found.parent_id, found.tier.value) == (world.orgs["county"].id, "basic")
    assert found.code in case.outcome
    sound()


@pytest.mark.rule("O-20")
def test_what_can_be_found_is_not_asked_for(world: World):
    seat = world.seat("class1")
    with pytest.raises(DomainError, match="系统中已有"):
        ask(seat, "missing_organisation", **{**WANTED, "full_name": world.orgs["company"].full_name})
    with unit_of_work():
        session.get_one(Organisation, world.orgs["class1"].id).category = Category.GRADUATES
    with pytest.raises(DomainError, match="毕业生团组织"):
        ask(seat, "missing_organisation", **{**WANTED, "full_name": world.orgs["class1"].full_name})
    with pytest.raises(Invalid, match="没有找到这个组织"):
        ask(seat, "missing_organisation", **{**WANTED, "parent": "不知道"})
    with pytest.raises(DomainError, match="最末一级"):
        ask(seat, "missing_organisation", **{**WANTED, "parent": world.orgs["team"].code})


@pytest.mark.rule("O-19", "O-20")
@pytest.mark.parametrize("typed", ["团蜀山区委", "共青团安徽省合肥市蜀山区委员会", "340104", " 团蜀山区委 "])
def test_its_superior_is_found_by_the_name_that_every_screen_shows(world: World, typed: str):
    case = ask(world.seat("class1"), "missing_organisation", **{**WANTED, "parent": typed})
    assert case.line[-1] == world.orgs["county"].id


@pytest.mark.rule("O-19", "O-20")
@pytest.mark.parametrize(("typed", "near"), [("蜀山", "共青团安徽省合肥市蜀山区委员会"), ("合肥 井岗", "井岗镇")])
def test_where_a_name_fits_several_or_none_what_comes_near_is_named(world: World, typed: str, near: str):
    with pytest.raises(Invalid) as caught:
        ask(world.seat("class1"), "missing_organisation", **{**WANTED, "parent": typed})
    assert any(near in one.full_name for one in caught.value.near["parent"])


@pytest.mark.rule("O-22")
def test_an_organisation_a_case_is_about_is_picked_where_its_short_name_is_typed(world: World):
    """The sheet needs the full name; whoever typed the short one picks it."""
    with pytest.raises(Invalid) as caught:
        ask(world.seat("county"), "township", "团井岗镇委", is_township="yes")
    (found,) = caught.value.near["subject"]
    assert found.id == world.orgs["township"].id
    case = ask(world.seat("county"), "township", f"#{found.id}", is_township="no")
    assert case.subject_id == found.id


# -- F-03


@pytest.mark.rule("F-03", "S-09", "F-18")
def test_the_register_of_special_units_fills_itself_and_keeps_the_name(world: World):
    enlist(world, world.graduate, remark="参军入伍，政审体检已完成")
    enlist(world, world.classmate, remark="涉密单位，政审体检已完成", secret_unit="某部某团")
    taken_back = enlist(world, world.sophomore, remark="参军入伍，政审体检已完成")
    transfer(transfers.withdraw, taken_back, world.own_seat(world.sophomore))
    target = BytesIO()
    write_xlsx(
        target,
        special_unit_form.TITLE,
        special_unit_form.COLUMNS,
        map(special_unit_form.cells, special_unit_form.listing(world.seat("university"), 2026), itertools.count(1)),
    )
    target.seek(0)
    rows = list(load_workbook(target).active.iter_rows(values_only=True))
    name = world.orgs["class1"].full_name
    assert rows == [
        (
            "序号",
            "姓名",
            "提交时所在支部（系统内全称）",
            "系统提交时间",
            "去向单位名称（若部队名称涉密，填写去向即可，如参军入伍）",
        ),
        ("1", "丁一", name, "2026-10-14 09:00", "参军入伍"),
        ("2", "卜喆", name, "2026-10-14 09:00", "涉密单位"),
    ]
    # Each level above has it too; another school has nothing
    for key, season, number in (("city", 2026, 2), ("college", 2026, 2), ("company", 2026, 0), ("university", 2025, 0)):
        assert special_unit_form.listing(world.seat(key), season).count() == number, (key, season)


def enlist(world: World, member: Member, **details: str) -> Any:
    seat = world.own_seat(member)
    with acting(seat):
        session.refresh(member)
        return transfers.submit(special_unit(member, **{**details, "confirmed": True}), seat)


@pytest.mark.rule("S-09")
def test_whether_the_school_files_the_register_is_policy(world: World, policy):
    assert not special_unit_form.is_filed(world.orgs["university"])
    policy(special_unit_register=True)
    assert special_unit_form.is_filed(world.orgs["university"])


def test_an_empty_register_has_its_headings(world: World):
    assert sheet(world.seat("county"), "removal") == [("序号", "姓名", "所在团支部名称全称", "身份证号", "删除原因")]
    assert session.scalar(select(func.count()).select_from(Member)) == 4
    with acting(world.seat("county")):
        assert waits_for(world.seat("county")).get(WaitingKind.CASE, 0) == 0
