"""Cells: every way of typing a value is read alike; what is not certain is refused."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhtj.imports.files import cells, months
from zhtj.imports.files.cells import Cell, CellError, FormulaError
from zhtj.imports.files.layouts import JOINED, MAJOR, MOBILE, NAME, ROSTER
from zhtj.imports.files.reading import Reading
from zhtj.imports.files.tables import TableRow
from zhtj.imports.files.unpack import NO_RESULT

FULL = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
any_month = st.dates(date(1950, 1, 1), date(2026, 10, 1)).map(lambda day: day.replace(day=1))
FORMS = (
    "{0:%Y-%m-%d}",
    "{0:%Y-%m}",
    "{0:%Y.%m}",
    "{0:%Y/%m/%d}",
    "{0:%Y}年{0.month}月",
    "{0:%Y年%m月}",
    "{0:%Y年%m月%d日}",
    "{0:%Y%m}",
    "{0:%Y%m%d}",
    "{0:%Y-%m-%d} 00:00:00",
    " {0:%Y} 年 {0.month} 月 ",
)


@given(any_month, st.sampled_from(FORMS), st.sampled_from([{}, FULL]))
def test_a_month_is_read_in_every_form(month: date, form: str, width: dict[int, int]) -> None:
    assert months.month(form.format(month).translate(width)) == month


@given(any_month)
def test_a_month_is_read_from_dates_and_certain_numbers(month: date) -> None:
    assert months.month(month.replace(day=28)) == month
    assert months.month(datetime(month.year, month.month, 15, 8, 30)) == month  # noqa: DTZ001 - cells know no zone
    assert months.month(float(f"{month:%Y%m}")) == month
    if month.month not in {1, 10}:
        assert months.month(float(f"{month:%Y.%m}")) == month


@pytest.mark.parametrize(
    "value", ["2018", "2018.13", "2018-02-30", "5/2018", "去年", "0019-05", 43586.0, True, time(8), "2018年", "201800"]
)
def test_what_is_no_month_is_refused(value: Cell) -> None:
    with pytest.raises(CellError) as raised:
        months.month(value)
    assert raised.value.fix


CERTAIN = [
    "2019年5月份",
    "二〇一九年五月",
    "二零一九年五月四日",
    "二○一九年五月",
    "〇九年五月",
    "一九年五月",
    "贰零壹玖年伍月",
    "2019年五月",
    "19年5月",
    "'19年5月",
    "19年5月4日",
    "2019–05",
    "2019—5",
    "2019－05",
    "2019‐05",
    "2019−05",
    "2019·05",
    "2019・5",
    "2019•5",
    "2019。5",
    "2019．05",
    "2019、5",
    "2019,5",
    "2019.5.4",
    "2019/5/4",
    "2019\\5",
    "2019~5",
    "2019 05",
    "May 2019",
    "May, 2019",
    "2019-May",
    "2019 May",
    "MAY-2019",
    "5 May 2019",
    "May 4, 2019",
    "May 4th 2019",
    "4-May-2019",
    "2019年5月（补录）",
    "“2019年5月”",
    "2019-05'",
    "2019年5月初",
    "5月2019年",
    "2019-05-",
    "2019年05月04日 08:30",
    "2019-05-01T00:00:00",
    "2019-05-01T00:00:00.000+08:00",
    "2019-04-30T16:00:00Z",
    "2019-04-30T16:00:00.000Z",
    "2019-05-31T15:59:59Z",
    "2019-05-31T23:00:00-00:00",
    "Wed May 01 2019 08:00:00 GMT+0800 (中国标准时间)",
    "Wed May 01 00:00:00 CST 2019",
    "2019-05-01 00:00:00.0",
    "20190504000000",
    "201905.0",
]


@pytest.mark.parametrize("words", CERTAIN)
def test_every_certain_form_is_a_month(words: str) -> None:
    expected = {"〇九年五月": date(2009, 5, 1), "2019-05-31T23:00:00-00:00": date(2019, 6, 1)}
    assert months.month(words) == expected.get(words, date(2019, 5, 1))


@given(any_month)
def test_a_month_in_chinese_numerals_is_read(month: date) -> None:
    digits = dict(zip("0123456789", "〇一二三四五六七八九", strict=True))
    tens = f"{'十' if month.month > 9 else ''}{digits[str(month.month % 10)] if month.month != 10 else ''}"
    assert months.month("".join(digits[sign] for sign in str(month.year)) + f"年{tens}月") == month


@pytest.mark.parametrize(
    ("words", "readings"),
    [
        ("190504", ["2019 年 5 月 4 日", "1905 年 4 月"]),
        (190504.0, ["2019 年 5 月 4 日", "1905 年 4 月"]),
        ("191205", ["2019 年 12 月 5 日", "1912 年 5 月"]),
        ("May-19", ["2019 年 5 月", "5 月 19 日"]),
        ("19-May", ["2019 年 5 月", "5 月 19 日"]),
        ("19.5", ["两位年份", "2019 年 5 月"]),
        ("19-05", ["两位年份", "2019 年 5 月"]),
        ("19/5/4", ["两位年份", "2019 年 5 月"]),
    ],
)
def test_what_may_be_two_months_is_asked_about(words: Cell, readings: list[str]) -> None:
    with pytest.raises(CellError) as raised:
        months.month(words)
    assert [reading for reading in readings if reading not in raised.value.cause] == []


def test_a_number_of_days_is_known_as_such_and_nothing_else_is() -> None:
    assert [months.day_number(value) for value in (43586.0, 43586.5, "43586", 20000, 60000)] == [
        *[date(2019, 5, 1)] * 3,
        date(1954, 10, 3),
        date(2064, 4, 8),
    ]
    assert {months.day_number(value) for value in (19999, 60001, 201905.0, "201905", "4358", True, None, "")} == {None}


def test_a_lost_zero_leaves_two_months() -> None:
    with pytest.raises(CellError, match="10 月"):
        months.month(2018.1)
    with pytest.raises(CellError, match="10 月"):
        months.month("2018.1", typed=False)


def test_a_typed_text_is_certain() -> None:
    assert months.month("2018.1") == date(2018, 1, 1)
    assert months.month("") is None
    assert months.month(None) is None


digits = st.text("0123456789", min_size=6, max_size=18)


@given(digits, st.data())
def test_digits_are_read_through_blanks_hyphens_and_full_width(number: str, data: st.DataObject) -> None:
    spoiled = number.translate(FULL) if data.draw(st.booleans()) else number
    for sign in data.draw(st.lists(st.sampled_from([" ", "\u3000", "-", "\u2013", "\u200b", "\t"]), max_size=4)):
        position = data.draw(st.integers(0, len(spoiled)))
        spoiled = spoiled[:position] + sign + spoiled[position:]
    assert cells.compact(f" '{spoiled} ") == number


@given(st.integers(0, 10**15 - 1))
def test_a_number_below_the_limit_keeps_its_digits(number: int) -> None:
    assert cells.compact(float(number)) == str(number)
    assert cells.compact(f"{number}.0") == str(number)


@pytest.mark.parametrize(
    "value", [1.10101e17, 3.402022003010241e17, "1.10101E+17", "1.39122E+10", "1.1e+17", float("inf")]
)
def test_lost_digits_are_refused(value: Cell) -> None:
    with pytest.raises(CellError, match="丢失"):
        cells.compact(value)


def test_a_long_mantissa_has_lost_nothing() -> None:
    assert cells.compact("1.3912169593E+10") == "13912169593"
    assert cells.compact("2.01934848973E+11") == "201934848973"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("王　伟", "王伟"),
        (" 阿卜杜拉 · 姝天江 ", "阿卜杜拉·姝天江"),
        ("外国语\u200b学院\n２０２２级", "外国语学院 2022级"),
        ("Anna  Bell", "Anna Bell"),
        ("事业单位（不含公立学校）", "事业单位（不含公立学校）"),
        ("'0551", "0551"),
        ('="0551"', "0551"),
        (2022.0, "2022"),
        (1.5, "1.5"),
        (None, ""),
    ],
)
def test_words_lose_stray_blanks_only(value: Cell, words: str) -> None:
    assert cells.text(value) == words


@pytest.mark.parametrize("words", ["#N/A", " #n/a ", "#NAME?", "#DIV/0!", "#SPILL!", NO_RESULT])
def test_a_formula_without_a_result_is_no_text(words: str) -> None:
    with pytest.raises(FormulaError, match="公式"):
        cells.text(words)


def test_what_had_no_room_in_its_column_is_no_text() -> None:
    with pytest.raises(CellError, match="太窄"):
        cells.text("########")
    assert cells.text("#3") == "#3"


@given(
    st.from_regex("1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from("'‘’`＇\"“”＂′"),
    st.sampled_from("'‘’`＇\"“”＂′"),
    st.sampled_from(["", "（本人）", "(本人手机)", "（微信同号）"]),
    st.sampled_from([{}, FULL]),
)
def test_quotation_marks_and_empty_remarks_around_a_number_are_no_part_of_it(
    number: str, before: str, behind: str, remark: str, width: dict[int, int]
) -> None:
    for spoiled in (number + behind, before + number, before + number + behind, number + remark):
        assert cells.compact(spoiled.translate(width)) == number


@pytest.mark.parametrize("number", ["13900000000（父亲）", "父亲13900000000", "13900000000转1", "1390000000/138"])
def test_words_beside_a_mobile_number_are_an_error_that_says_so(number: str) -> None:
    reading = Reading(TableRow(7, {MOBILE: number}), ROSTER, typed=True)

    assert reading.mobile(MOBILE, reading.compact(MOBILE)) == ""
    (problem,) = reading.errors
    assert any(words in problem.cause for words in ("父亲", "转", "/"))


def test_a_formula_without_a_result_is_an_error_where_something_must_stand_and_a_warning_elsewhere() -> None:
    reading = Reading(TableRow(7, {NAME: "#N/A", MAJOR: NO_RESULT, JOINED: "#REF!"}), ROSTER, typed=True)

    assert (reading.required(NAME, reading.text(NAME)), reading.text(MAJOR), reading.month(JOINED)) == ("", "", None)
    assert [(problem.row, problem.column) for problem in reading.errors] == [(7, NAME)]
    assert [problem.column for problem in reading.warnings] == [MAJOR, JOINED]
    assert "没有保存算出的结果" in reading.warnings[0].cause


def test_a_number_of_days_in_a_column_of_months_is_read_and_said() -> None:
    for typed, value in ((True, 43586.0), (False, "43586")):
        reading = Reading(TableRow(7, {JOINED: value}), ROSTER, typed=typed)

        assert reading.month(JOINED) == date(2019, 5, 1)
        assert [problem.cause for problem in reading.warnings] == ["“43586”是电子表格的日期序号，按 2019 年 5 月读取。"]
        assert reading.errors == []


@pytest.mark.slow("hundreds of invented cells")
@given(st.one_of(st.text(), st.floats(), st.booleans(), st.dates(), st.datetimes(), st.none()))
def test_any_cell_is_read_or_refused_with_advice(value: Cell) -> None:
    for read in (cells.text, cells.compact, cells.code, months.month):
        try:
            read(value)
        except CellError as error:
            refusal = error
        else:
            continue
        assert refusal.cause
        assert refusal.fix


@given(st.text())
def test_reading_twice_is_reading_once(value: str) -> None:
    try:
        once = cells.text(value)
    except CellError:
        return
    try:
        assert cells.text(once) == once
    except CellError:
        assert once.startswith("#")
