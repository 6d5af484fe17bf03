"""A roster row by itself and against the rows above it (PD-31)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.imports.making import BRANCH, person, roster
from tests.world import id_number
from zhtj.imports.files.nearest import Nearest
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.members import rules
from zhtj.imports.members.rules import CheckedRoster
from zhtj.imports.orgs.known_organisations import Branches, KnownOrganisation
from zhtj.people.models import Sex
from zhtj.policy.layers import policy_named

POLICY = policy_named("2026-national")
TODAY = date(2026, 10, 14)
OTHER = "江淮示范大学计算机学院2022级软件工程专业2班团支部"
PLACES = [
    KnownOrganisation(1, "3401-001", "共青团江淮示范大学委员会", is_branch=False, is_closed=False),
    KnownOrganisation(2, "3401-001-001", BRANCH, is_branch=True, is_closed=False),
    KnownOrganisation(3, "3401-001-002", OTHER, is_branch=True, is_closed=False),
    KnownOrganisation(4, "3401-001-003", "江淮示范大学旧团支部", is_branch=True, is_closed=True),
]


def check(*rows: dict[str, Any], typed: bool = True) -> CheckedRoster:
    table = roster(*rows)
    table.typed = typed
    return rules.check(table, Branches("共青团江淮示范大学委员会", PLACES), POLICY, TODAY)


def errors(**cells: Any) -> list[ImportProblem]:
    """Errors of one row; those of a new member included."""
    checked = check(person(1, **cells))
    return checked.errors + [one for entry in checked.entries for one in rules.new_member_problems(entry, POLICY)]


def test_a_right_row_has_nothing_to_complain_about() -> None:
    checked = check(person(1, 民族="壮", 学号=2022000001.0, 紧急联系电话="0551-6375951", 团费交至="2026-06"))

    assert (checked.errors, checked.warnings) == ([], [])
    entry = checked.entries[0]
    assert (entry.branch.id, entry.joined_on, entry.identity.sex) == (2, date(2019, 5, 1), Sex.MALE)
    assert entry.details == {
        "ethnicity": "壮族",
        "student_no": "2022000001",
        "emergency_phone": "0551-6375951",
        "dues_until": date(2026, 6, 1),
    }


@pytest.mark.rule("PD-31", "U-03")
@pytest.mark.parametrize("column", ["姓名", "身份证号码", "手机号码", "所在团支部"])
@pytest.mark.parametrize("empty", [None, " ", "\u3000"])
def test_a_missing_mandatory_field_is_an_error(column: str, empty: str | None) -> None:
    found = errors(**{column: empty})
    assert [(one.column, one.cause) for one in found] == [(column, f"没有填写{column}。")]


def born(day: date) -> str:
    return id_number(7, born=day)


@pytest.mark.rule("PD-31", "U-11")
@pytest.mark.parametrize(
    ("birthday", "joined", "wrong", "warned"),
    [
        # On or after 1 January 2017: below 13 an error, 13 a warning.
        (date(2004, 1, 1), "2017-01", False, True),
        (date(2004, 1, 2), "2017-01", True, False),
        (date(2003, 1, 1), "2017-01", False, False),
        (date(2003, 1, 2), "2017-01", False, True),
        (date(2005, 5, 1), "2018-05", False, True),
        (date(2005, 5, 2), "2018-05", True, False),
        # Before: below 12 an error, 12 and 13 right.
        (date(2004, 12, 1), "2016-12", False, False),
        (date(2004, 12, 2), "2016-12", True, False),
        (date(2003, 12, 2), "2016-12", False, False),
    ],
)
def test_age_counts_in_completed_years_on_the_first_of_the_month(
    birthday: date, joined: str, *, wrong: bool, warned: bool
) -> None:
    checked = check(person(1, 身份证号码=born(birthday), 入团年月=joined))

    assert [one.column for one in checked.errors] == ["入团年月"] * wrong
    assert [one.column for one in checked.warnings] == ["入团年月"] * warned


def test_nobody_joins_before_birth_or_after_today() -> None:
    assert "0 周岁" in errors(身份证号码=born(date(2020, 1, 1)))[0].cause
    assert errors(入团年月="2026-11")[0].cause == "入团年月还没有到。"
    assert errors(入团年月="2026-10") == []


@pytest.mark.rule("PD-31", "U-10")
@pytest.mark.parametrize(
    ("joined", "number", "column"),
    [
        ("2017-01", None, "发展团员编号"),
        ("2017-01", "无", "发展团员编号"),
        ("2017-01", "20170100001", "发展团员编号"),
        ("2017-01", "2017010000011", "发展团员编号"),
        ("2017-01", "20170100000A", "发展团员编号"),
        ("2017-01", 201701000001.0, None),
        ("2016-12", None, None),
        ("2016-12", "无", None),
        ("2016-12", "123", None),
        (None, None, "入团年月"),
    ],
)
def test_the_number_of_twelve_digits_is_needed_since_2017(joined: str | None, number: Any, column: str | None) -> None:
    found = errors(身份证号码=born(date(2000, 1, 1)), 入团年月=joined, 发展团员编号=number)
    assert [one.column for one in found] == ([column] if column else [])


def test_a_short_number_from_before_2017_is_entered_as_none_with_a_warning() -> None:
    checked = check(person(1, 身份证号码=born(date(2000, 1, 1)), 入团年月="2016-05", 发展团员编号="123"))
    assert checked.entries[0].dev_number is None
    assert [one.column for one in checked.warnings] == ["发展团员编号"]


@pytest.mark.rule("PD-31")
@pytest.mark.parametrize(
    ("words", "wrong"), [("女", True), ("男", False), ("男性", False), ("", False), ("不详", True)]
)
def test_the_sex_must_be_that_of_the_id_number(words: str, *, wrong: bool) -> None:
    assert [one.column for one in errors(性别=words)] == ["性别"] * wrong


@pytest.mark.rule("PD-31", "U-03")
def test_of_two_rows_with_one_number_the_later_is_the_error() -> None:
    twin, same_mobile = person(1, 手机号码="13600000009"), person(2, 手机号码="13600000001")
    checked = check(person(1), twin, same_mobile, person(1), person(3))

    assert [(one.row, one.column, one.cause) for one in checked.errors] == [
        (3, "身份证号码", "身份证号码与第 2 行相同。"),
        (4, "手机号码", "手机号码与第 2 行相同。"),
        (5, "身份证号码", "身份证号码与第 2 行相同。"),
    ]
    assert [entry.row for entry in checked.entries] == [2, 6]


def test_a_number_repeats_however_it_is_typed() -> None:
    full_width = person(1)["手机号码"].translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})
    checked = check(person(1), person(2, 手机号码=f"+86 {full_width}"))
    assert [(one.row, one.column) for one in checked.errors] == [(3, "手机号码")]


@pytest.mark.rule("U-21")
def test_a_repeated_development_number_is_pointed_out() -> None:
    checked = check(person(1), person(2, 发展团员编号=person(1)["发展团员编号"]))
    assert [(one.row, one.column) for one in checked.warnings] == [(3, "发展团员编号")]
    assert checked.errors == []


@pytest.mark.rule("O-22", "PD-31")
@pytest.mark.parametrize(
    ("words", "cause", "fix"),
    [
        ("软件工程专业1班团支部", "没有全称为", "最接近的是"),
        ("计算机学院2022级软件工程专业1班", "没有全称为", BRANCH),
        ("共青团江淮示范大学委员会", "不是团支部", "下面团支部的全称"),
        ("江淮示范大学旧团支部", "已停用", "现在的团支部"),
        ("完全另外的名称", "没有全称为", "先建立"),
    ],
)
def test_a_branch_that_is_not_its_full_name_is_an_error(words: str, cause: str, fix: str) -> None:
    found = errors(所在团支部=words)
    assert [one.column for one in found] == ["所在团支部"]
    assert cause in found[0].cause
    assert fix in found[0].fix


@pytest.mark.parametrize("words", [f" {BRANCH[:4]} {BRANCH[4:]} ", BRANCH.replace("2022", "２０２２"), "3401-001-001"])
def test_blanks_full_width_digits_and_the_code_name_the_branch(words: str) -> None:
    assert check(person(1, 所在团支部=words)).entries[0].branch.id == 2


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"身份证号码": "340104040314001"}, "身份证号码", "15 位"),
        ({"身份证号码": 3.401042004031400e17}, "身份证号码", "丢失"),
        ({"身份证号码": "340104200403141000"}, "身份证号码", "丢失"),
        ({"身份证号码": "1.10101E+17"}, "身份证号码", "丢失"),
        ({"手机号码": "1360000000"}, "手机号码", "10 位"),
        ({"手机号码": "12600000001"}, "手机号码", "13 至 19"),
        ({"姓名": "王?"}, "姓名", "没有保存"),
        ({"姓名": "王3"}, "姓名", "没有保存"),
        ({"姓名": "王" * 61}, "姓名", "超过 60"),
        ({"专业": "专" * 61}, "专业", "超过 60"),
        ({"入团年月": "很久以前"}, "入团年月", "看不出"),
        ({"学号": 2.0e15}, "学号", "丢失"),
        ({"团费交至": "2026"}, "团费交至", "看不出"),
    ],
)
def test_what_cannot_be_right_is_named_with_column_and_advice(cells: dict[str, Any], column: str, words: str) -> None:
    found = errors(**cells)
    assert [one.column for one in found] == [column]
    assert words in found[0].cause
    assert found[0].fix


@pytest.mark.parametrize(
    ("typed_as", "name"),
    [("壮", "壮族"), ("维吾尔", "维吾尔族"), ("汉族", "汉族"), (" 哈 尼 族 ", "哈尼族"), ("其他", "其他")],
)
def test_ethnicities_get_their_full_names(typed_as: str, name: str) -> None:
    checked = check(person(1, 民族=typed_as))
    assert checked.entries[0].details["ethnicity"] == name
    assert checked.warnings == []


@pytest.mark.parametrize(("column", "words"), [("民族", "汗族"), ("政治面貌", "群众"), ("学历", "学霸"), ("性别", "3")])
def test_what_is_none_of_a_fixed_list_is_never_stored_as_typed(column: str, words: str) -> None:
    checked = check(person(1, **{column: words}))
    assert [(one.column, one.cause) for one in checked.errors] == [(column, f"没有“{words}”这一项。")]
    assert checked.entries == []


def test_dots_in_names_are_written_alike() -> None:
    assert check(person(1, 姓名="阿卜杜拉•姝天江")).entries[0].name == "阿卜杜拉·姝天江"


def test_in_csv_a_lost_zero_is_not_guessed() -> None:
    checked = check(person(1, 入团年月="2019.1"), typed=False)
    assert [one.column for one in checked.errors] == ["入团年月"]


def test_the_nearest_names_come_in_order_of_likeness() -> None:
    nearest = Nearest(["甲大学1班团支部", "甲大学2班团支部", "乙中学团支部", "丙公司委员会"])
    assert nearest("甲大学2班支部") == ["甲大学2班团支部", "甲大学1班团支部"]
    assert nearest("毫不相干") == []
