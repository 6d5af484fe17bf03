"""The organisation file: who stands below whom, what may change, what cannot be."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.imports.making import organisation, tree
from tests.world import World
from zhtj.graduation.models import BranchMark
from zhtj.imports.orgs import organisations
from zhtj.imports.orgs.organisations import OrganisationPlan
from zhtj.imports.orgs.rules import circles, code_fits
from zhtj.kernel import clock
from zhtj.kernel.database import unit_of_work
from zhtj.orgs.models import (
    INDUSTRIES_BRANCH,
    INDUSTRIES_COMMITTEE,
    Category,
    Organisation,
    OrganisationTerm,
    Purpose,
    Region,
    Tier,
)
from zhtj.people.models import Account, CodeKind, Post, Seat
from zhtj.people.signing import codes

SCHOOL = "共青团新学校委员会"


def preview(*rows: dict[str, Any], scope: Organisation | None = None) -> OrganisationPlan:
    return organisations.preview(tree(*rows), scope)


def load(*rows: dict[str, Any], scope: Organisation | None = None) -> int:
    with unit_of_work():
        return organisations.apply(preview(*rows, scope=scope), partial=True)


def problems(plan: OrganisationPlan) -> list[tuple[int, str]]:
    return [(one.row, one.column) for one in plan.errors]


def named(session: Session, name: str) -> Organisation:
    return session.scalars(select(Organisation).where(Organisation.full_name == name)).one()


def school(**cells: Any) -> dict[str, Any]:
    return organisation(SCHOOL, "3401", 组织类别="团委", **cells)


def test_a_parent_may_stand_further_down_or_be_given_by_code_or_name(city: Organisation, session: Session) -> None:
    rows = (
        organisation("新学校一班团支部", "共青团新学校第一学院委员会"),
        organisation("共青团新学校第一学院委员会", SCHOOL, 组织类别="团委"),
        school(),
        organisation("合肥市直属团支部", city.full_name),
    )

    assert load(*rows) == 4

    branch = named(session, "新学校一班团支部")
    query = select(Organisation).where(Organisation.path.in_(branch.line)).order_by(Organisation.path)
    line = [one.full_name for one in session.scalars(query)]
    assert line[2:] == [city.full_name, SCHOOL, "共青团新学校第一学院委员会", "新学校一班团支部"]
    tiers = [named(session, name).tier for name in (SCHOOL, "共青团新学校第一学院委员会")]
    assert tiers == [Tier.BASIC, Tier.SECOND]
    assert named(session, "合肥市直属团支部").parent_id == city.id


def test_a_parent_in_the_file_may_be_named_by_the_code_it_gets(city: Organisation, session: Session) -> None:
    load(organisation("新学校一班团支部", "3401-007"), school(组织编码="3401-007"))
    assert named(session, "新学校一班团支部").code == "3401-007-001"
    # The next number is the city's own count; a number given by hand is stepped over.
    city_children = [named(session, SCHOOL)]
    for number in range(9):
        load(organisation(f"合肥市第{number}直属团支部", "3401"))
        city_children.append(named(session, f"合肥市第{number}直属团支部"))
    assert len({one.code for one in city_children}) == 10


@pytest.mark.rule("O-02")
def test_nothing_stands_below_a_branch(city: Organisation, world_free_branch: Organisation) -> None:
    del city
    plan = preview(
        organisation("支部下的支部", world_free_branch.full_name),
        organisation("新支部", "3401"),
        organisation("新支部下的团委", "新支部", 组织类别="团委"),
    )
    assert problems(plan) == [(2, "上级组织"), (4, "上级组织")]
    assert "最末一级" in plan.errors[0].cause


@pytest.fixture
def world_free_branch(city: Organisation, session: Session) -> Organisation:
    """A branch directly below the city."""
    load(organisation("合肥市机关团支部", city.code))
    return named(session, "合肥市机关团支部")


@pytest.mark.rule("O-02")
def test_a_committee_left_without_a_branch_is_flagged(city: Organisation) -> None:
    del city
    plan = preview(school(), organisation("共青团新学校学院委员会", SCHOOL, 组织类别="团委"))
    assert plan.errors == []
    assert [(one.row, one.column) for one in plan.warnings] == [(3, "组织全称")]


def test_circles_are_errors_of_every_row_in_them(city: Organisation) -> None:
    del city
    plan = preview(
        organisation("甲委员会", "乙委员会", 组织类别="团委"),
        organisation("乙委员会", "丙委员会", 组织类别="团委"),
        organisation("丙委员会", "甲委员会", 组织类别="团委"),
        organisation("丙的支部", "丙委员会"),
        organisation("丁委员会", "丁委员会", 组织类别="团委"),
        school(),
    )
    assert problems(plan) == [(2, "上级组织"), (3, "上级组织"), (4, "上级组织"), (5, "上级组织"), (6, "上级组织")]
    assert plan.accepted == 1


def test_circles_are_found_once_each() -> None:
    assert circles({"a": "b", "b": "c", "c": "b", "d": "d", "e": "x"}) == [["b", "c"], ["d"]]


def test_below_a_bad_row_nothing_is_built(city: Organisation) -> None:
    del city
    plan = preview(
        school(单位所属行业类别="大学"),
        organisation("新学校一班团支部", SCHOOL),
        organisation("别处团支部", "共青团合肥市委会"),
    )
    assert problems(plan) == [(2, "单位所属行业类别"), (3, "上级组织"), (4, "上级组织")]
    assert "第 2 行有错误" in plan.errors[1].cause
    assert "共青团安徽省合肥市委员会" in plan.errors[2].fix


@pytest.mark.rule("O-16")
@pytest.mark.parametrize("name", INDUSTRIES_COMMITTEE)
def test_the_industry_dictionary_depends_on_the_category(city: Organisation, name: str) -> None:
    del city
    plan = preview(school(单位所属行业类别=name), organisation("支部", "3401", 单位所属行业类别=name))
    wrong = [] if name in INDUSTRIES_BRANCH else [(3, "单位所属行业类别")]
    assert problems(plan) == wrong
    assert (len(INDUSTRIES_COMMITTEE), len(INDUSTRIES_BRANCH)) == (17, 14)


def test_industries_may_be_typed_with_other_brackets(city: Organisation, session: Session) -> None:
    del city
    load(school(单位所属行业类别="事业单位 (不含公立学校)"))
    assert named(session, SCHOOL).industry == "事业单位（不含公立学校）"


@pytest.mark.rule("O-01")
@pytest.mark.parametrize(
    ("category", "tier"),
    [("团委", Tier.BASIC), ("团工委", Tier.BASIC), ("团总支", Tier.BASIC), ("团支部", Tier.BRANCH)],
)
def test_every_category_has_its_level(city: Organisation, session: Session, category: str, tier: Tier) -> None:
    del city
    load(organisation("新组织", "3401", 组织类别=category))
    assert named(session, "新组织").tier is tier


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"组织类别": "团组织"}, "组织类别"),
        ({"组织类别": None}, "组织类别"),
        ({"组织类别": "毕业生团组织"}, "组织类别"),
        ({"组织全称": None}, "组织全称"),
        ({"组织全称": "长" * 121}, "组织全称"),
        ({"组织简称": None}, "组织简称"),
        ({"上级组织": None}, "上级组织"),
        ({"上级组织": "9999"}, "上级组织"),
        ({"书记姓名": "王敏"}, "书记手机"),
        ({"书记手机": "13600000001"}, "书记姓名"),
        ({"书记姓名": "王敏", "书记手机": "136000"}, "书记手机"),
        ({"邮编": "12345678"}, "邮编"),
        ({"毕业时间": "六月"}, "毕业时间"),
        ({"毕业时间": "2026-06", "组织类别": "团委"}, "毕业时间"),
        ({"毕业时间": "2026-06", "单位所属行业类别": "农村"}, "毕业时间"),
        ({"毕业时间": "2026-06", "单位所属行业类别": "小学"}, "毕业时间"),
        ({"毕业时间": "2026-06", "单位所属行业类别": None}, "毕业时间"),
        ({"组织编码": "3402-001"}, "组织编码"),
        ({"组织编码": "340104"}, "组织编码"),
    ],
)
def test_what_cannot_be_right_is_named_with_its_column(city: Organisation, cells: dict[str, Any], column: str) -> None:
    del city
    plan = preview(
        {key: value for key, value in {**organisation("新组织", "3401"), **cells}.items() if value is not None}
    )
    assert problems(plan) == [(2, column)]
    assert plan.errors[0].fix


def test_of_two_rows_with_one_name_code_or_number_the_later_is_the_error(city: Organisation) -> None:
    del city
    plan = preview(
        organisation("甲团支部", "3401", 组织编码="3401-051", 书记姓名="王敏", 书记手机="13600000001"),
        organisation(" 甲 团支部", "3401"),
        organisation("乙团支部", "3401", 组织编码="3401-051"),
        organisation("丙团支部", "3401", 书记姓名="李明", 书记手机="13600000001"),
        organisation("丁团支部", "3401", 书记姓名="王敏", 书记手机="13600000001"),
    )
    assert problems(plan) == [(3, "组织全称"), (4, "组织编码"), (5, "书记手机")]
    assert plan.created == 2


@pytest.mark.rule("PD-31")
def test_one_person_may_be_secretary_twice_with_one_account(city: Organisation, session: Session) -> None:
    del city
    who = {"书记姓名": "王敏", "书记手机": 13600000001.0}
    load(organisation("甲团支部", "3401", **who), organisation("乙团支部", "3401", **who))

    account = session.scalars(select(Account).where(Account.name == "王敏")).one()
    seats = session.scalars(select(Seat).where(Seat.account_id == account.id)).all()
    assert [(seat.post, seat.ended_at) for seat in seats] == [(Post.SECRETARY, None)] * 2
    assert (account.mobile, account.activated_at, account.id_number) == ("13600000001", None, None)


@pytest.mark.rule("PD-31", "U-03")
def test_a_mobile_number_of_another_person_is_an_error(world: World) -> None:
    plan = preview(
        organisation("甲团支部", "3401", 书记姓名="王敏", 书记手机=world.graduate.account.mobile),
        organisation("乙团支部", "3401", 书记姓名=world.classmate.name, 书记手机=world.classmate.account.mobile),
    )
    assert problems(plan) == [(2, "书记手机")]


def test_a_township_is_a_committee_never_a_branch() -> None:
    assert code_fits("340104001", "340104", Category.COMMITTEE)
    assert code_fits("340104001", "340104", Category.GENERAL_BRANCH)
    assert not code_fits("340104001", "340104", Category.BRANCH)
    # A superior does not give its own code away.
    assert not code_fits("3401", "3401", Category.LEADING_ORGAN)
    assert not code_fits("3401001", "3401", Category.COMMITTEE)


@pytest.mark.parametrize(
    ("code", "parent", "category", "fits"),
    [
        ("3401-001", "3401", Category.COMMITTEE, True),
        ("3401-001-012", "3401-001", Category.BRANCH, True),
        ("3401-001", "3401-001", Category.BRANCH, False),
        ("3402-001", "3401", Category.BRANCH, False),
        ("3401-x", "3401", Category.BRANCH, False),
        ("340199", "3401", Category.LEADING_ORGAN, True),
        ("3501", "34", Category.LEADING_ORGAN, False),
        ("99", "0", Category.LEADING_ORGAN, True),
        ("0-012", "0", Category.LEADING_ORGAN, True),
    ],
)
def test_codes_come_from_the_direct_superior(code: str, parent: str, category: Category, *, fits: bool) -> None:
    assert code_fits(code, parent, category) is fits


def test_a_known_organisation_is_updated_in_what_may_change(world: World, session: Session) -> None:
    college = world.orgs["college"]
    row = organisation(
        college.full_name,
        world.orgs["university"].code,
        组织简称="计科学院团总支",
        组织类别="团委",
        联系电话="0551-1",
        邮编=230000.0,
    )
    plan = preview(row)
    assert (plan.created, plan.errors) == (0, [])
    assert [change.column for change in plan.updates[0].changes] == ["组织简称", "组织类别", "联系电话", "邮编"]

    load(row)

    college = session.get_one(Organisation, college.id)
    assert (college.short_name, college.category, college.phone) == ("计科学院团总支", Category.COMMITTEE, "0551-1")
    assert college.postcode == "230000"


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"上级组织": "340104"}, "上级组织"),
        ({"组织类别": "团支部"}, "组织类别"),
        ({"组织编码": "3401-999"}, "组织编码"),
    ],
)
def test_what_an_import_may_not_change(world: World, cells: dict[str, Any], column: str) -> None:
    row = organisation(world.orgs["college"].full_name, world.orgs["university"].full_name, 组织类别="团总支")
    assert problems(preview({**row, **cells})) == [(2, column)]


@pytest.mark.rule("PD-06")
def test_a_closed_organisation_is_neither_updated_nor_built_upon(world: World, session: Session) -> None:
    world.orgs["company"].closed_at = clock.now()
    session.commit()
    plan = preview(
        organisation(world.orgs["company"].full_name, "340104", 组织类别="团委", 单位所属行业类别="非公企业"),
        organisation("新支部", world.orgs["company"].full_name),
    )
    assert problems(plan) == [(2, "组织全称"), (3, "上级组织")]


@pytest.mark.rule("PD-05")
def test_nothing_is_built_in_an_external_region(city: Organisation, session: Session) -> None:
    city.system = Region.BEIJING
    session.commit()
    plan = preview(organisation("新支部", "3401"))
    assert problems(plan) == [(2, "上级组织")]
    assert "自己的系统" in plan.errors[0].cause


def activate(session: Session, account: Account) -> None:
    """As the owner does with the code he was given."""
    code = codes.issue_as_operator(CodeKind.ACTIVATION, session.merge(account))
    codes.activate(code.plain, "山高月小水落石出真好看")


@pytest.mark.rule("PD-61", "PD-22")
def test_another_secretary_takes_the_seat(world: World, session: Session) -> None:
    row = organisation(
        world.orgs["class1"].full_name, world.orgs["college"].code, 书记姓名="新书记", 书记手机="13600000001"
    )

    plan = preview(row, scope=world.orgs["university"])
    assert [str(change) for change in plan.updates[0].changes][
        -1
    ] == f"书记姓名：{world.accounts['class1'].name} → 新书记"
    load(row, scope=world.orgs["university"])

    seats = session.scalars(select(Seat).where(Seat.org_id == world.orgs["class1"].id, Seat.ended_at.is_(None))).all()
    assert [seat.account.name for seat in seats] == ["新书记"]
    # PD-61: until he has activated his account, the college acts.
    branch = session.get_one(Organisation, world.orgs["class1"].id)
    assert branch.office_id == world.orgs["college"].id
    with unit_of_work():
        activate(session, seats[0].account)
    session.refresh(branch)
    assert branch.office_id == branch.id


@pytest.mark.rule("PD-02")
def test_nobody_replaces_the_secretary_of_his_own_organisation(world: World) -> None:
    own = world.orgs["university"]
    row = organisation(
        own.full_name, "3401", 组织简称=own.short_name, 组织类别="团委", 书记姓名="新", 书记手机="13600000001"
    )

    plan = preview(row, scope=own)

    assert (plan.updates, [one.column for one in plan.warnings]) == ([], ["书记姓名"])


@pytest.mark.rule("G-03")
def test_branches_are_marked_with_their_month(city: Organisation, session: Session) -> None:
    del city
    load(school(), organisation("一班团支部", SCHOOL, 毕业时间="2026年6月"), organisation("二班团支部", SCHOOL))

    assert session.get_one(BranchMark, named(session, "一班团支部").id).month == date(2026, 6, 1)
    assert session.get(BranchMark, named(session, "二班团支部").id) is None
    again = preview(organisation("一班团支部", SCHOOL, 毕业时间="2026-06"))
    assert (again.updates, again.warnings) == ([], [])


@pytest.mark.rule("G-14")
def test_a_marked_month_is_not_changed_by_an_import(world: World, session: Session) -> None:
    row = organisation(world.orgs["class1"].full_name, world.orgs["college"].code, 毕业时间="2027-06")
    assert [one.column for one in preview(row).warnings] == ["毕业时间"]
    load(row)
    assert session.get_one(BranchMark, world.orgs["class1"].id).month == date(2026, 6, 1)


@pytest.mark.rule("G-11", "G-12")
def test_a_leading_organ_marks_only_what_stands_directly_below_it(world: World, session: Session) -> None:
    far = organisation(
        world.orgs["class2"].full_name, world.orgs["college"].code, 组织简称="软工2班团支部", 毕业时间="2026-06"
    )
    near = organisation("一个支部的学校团支部", "340104", 毕业时间="2026-06")

    load(far, scope=world.orgs["city"])
    load(near, scope=world.orgs["county"])

    assert session.get(BranchMark, world.orgs["class2"].id) is None
    assert session.get(BranchMark, named(session, "一个支部的学校团支部").id) is not None


@pytest.mark.rule("G-12")
def test_a_school_marks_the_branches_of_its_colleges(world: World, session: Session) -> None:
    row = organisation(world.orgs["class2"].full_name, world.orgs["college"].code, 毕业时间="2026-06")

    load(row, scope=world.orgs["university"])

    assert session.get_one(BranchMark, world.orgs["class2"].id).month == date(2026, 6, 1)


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("某镇流动团员团支部", Purpose.FLOATING),
        ("某大学出国（境）学习研究团员团支部", Purpose.OVERSEAS),
        ("某公司临时团支部", Purpose.TEMPORARY),
        ("某班团支部", None),
    ],
)
def test_a_branch_is_built_for_what_its_name_says(
    city: Organisation, session: Session, name: str, purpose: Purpose
) -> None:
    del city
    load(organisation(name, "3401"))
    assert named(session, name).purpose is purpose


def test_new_organisations_are_found_by_search_at_once(city: Organisation, session: Session) -> None:
    del city
    load(school(组织简称="新学校团委"))
    terms = session.scalars(select(OrganisationTerm.term).where(OrganisationTerm.org_id == named(session, SCHOOL).id))
    assert "新学校" in set(terms)


@pytest.mark.rule("O-07", "O-12")
def test_a_purpose_built_branch_says_in_both_names_what_it_is_for(world: World, session: Session) -> None:
    del session
    college = world.orgs["college"].code
    full = "江淮示范大学计算机学院流动团员团支部"
    plan = preview(organisation(full, college, 组织简称="计算机学院流动支部"), scope=world.orgs["university"])
    assert problems(plan) == [(2, "组织简称")]
    assert "结尾" in plan.errors[0].cause
    load(organisation(full, college, 组织简称="计算机学院流动团员团支部"), scope=world.orgs["university"])
    # A known one is not renamed otherwise either
    plan = preview(organisation(full, college, 组织简称="流动支部"), scope=world.orgs["university"])
    assert problems(plan) == [(2, "组织简称")]
