"""Cells: every way of typing a value is read alike; what is not certain is refused."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhtj.imports.files import cells
from zhtj.imports.files.cells import Cell, CellError

FULL = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
months = st.dates(date(1950, 1, 1), date(2026, 10, 1)).map(lambda day: day.replace(day=1))
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


@given(months, st.sampled_from(FORMS), st.sampled_from([{}, FULL]))
def test_a_month_is_read_in_every_form(month: date, form: str, width: dict[int, int]) -> None:
    assert cells.month(form.format(month).translate(width)) == month


@given(months)
def test_a_month_is_read_from_dates_and_certain_numbers(month: date) -> None:
    assert cells.month(month.replace(day=28)) == month
    assert cells.month(datetime(month.year, month.month, 15, 8, 30)) == month  # noqa: DTZ001 - cells know no zone
    assert cells.month(float(f"{month:%Y%m}")) == month
    if month.month not in {1, 10}:
        assert cells.month(float(f"{month:%Y.%m}")) == month


@pytest.mark.parametrize(
    "value", ["2018", "2018.13", "2018-02-30", "5/2018", "去年", "0019-05", 43586.0, True, time(8), "2018年", "201800"]
)
def test_what_is_no_month_is_refused(value: Cell) -> None:
    with pytest.raises(CellError) as raised:
        cells.month(value)
    assert raised.value.fix


def test_a_lost_zero_leaves_two_months() -> None:
    with pytest.raises(CellError, match="10 月"):
        cells.month(2018.1)
    with pytest.raises(CellError, match="10 月"):
        cells.month("2018.1", typed=False)


def test_a_typed_text_is_certain() -> None:
    assert cells.month("2018.1") == date(2018, 1, 1)
    assert cells.month("") is None
    assert cells.month(None) is None


digits = st.text("0123456789", min_size=6, max_size=18)


@given(digits, st.data())
def test_digits_are_read_through_blanks_hyphens_and_full_width(number: str, data: st.DataObject) -> None:
    spoiled = number.translate(FULL) if data.draw(st.booleans()) else number
    for sign in data.draw(st.lists(st.sampled_from([" ", "\u3000", "-", "\u2013", "\u200b", "\t"]), max_size=4)):
        place = data.draw(st.integers(0, len(spoiled)))
        spoiled = spoiled[:place] + sign + spoiled[place:]
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


def test_a_formula_error_is_no_text() -> None:
    with pytest.raises(CellError, match="公式"):
        cells.text("#N/A")


@pytest.mark.slow("hundreds of invented cells")
@given(st.one_of(st.text(), st.floats(), st.booleans(), st.dates(), st.datetimes(), st.none()))
def test_any_cell_is_read_or_refused_with_advice(value: Cell) -> None:
    for read in (cells.text, cells.compact, cells.code, cells.month):
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
        assert once in {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
