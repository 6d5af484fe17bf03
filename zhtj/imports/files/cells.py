"""What one cell says, however it was typed: text or number, full width, stray blanks, every usual form of a month.

A value that is certain is accepted; where the program lost digits or left two readings, ``CellError`` says so.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time
from typing import TypeAlias

Cell: TypeAlias = str | float | bool | date | datetime | time | None

# A spreadsheet keeps 15 significant digits of a number; whatever is longer has lost its end.
_EXACT = 10**15
DAMAGED = "号码被电子表格当成数字，后面几位已经丢失。"
DAMAGED_FIX = "请回到原始名单，先把这一列设为“文本”格式再填写，重新导出。"
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"\s+")
_APOSTROPHES = "'‘’`＇"
_HYPHENS = re.compile("[-\u2010-\u2015\u2212\uff0d]")
# Full-width letters, digits and blanks; punctuation stays, because names contain （ ） and ·.
_HALF_WIDTH: dict[int, int | str] = {
    **{
        code: code - 0xFEE0
        for start, end in (("０", "９"), ("Ａ", "Ｚ"), ("ａ", "ｚ"))
        for code in range(ord(start), ord(end) + 1)
    },
    0x3000: " ",
}
_CJK = "\u2e80-\u2fff\u3001-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TIDY = re.compile(rf"[{_CJK}0-9A-Za-z（）()·_.+-]*")  # nearly all cells are, and there are many
_INNER_BLANK = re.compile(rf"(?<=[{_CJK}·]) (?=[{_CJK}·])")
_QUOTED = re.compile(r'\s*="(.*)"\s*')
_SCIENTIFIC = re.compile(r"([+-]?)([0-9])(?:\.([0-9]*))?E\+?([0-9]{1,3})", re.IGNORECASE)
_POINT_ZERO = re.compile(r"([0-9]+)\.0+")


class CellError(Exception):
    """The cell's value is not certain; ``cause`` says why, ``fix`` what to do."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix


def text(value: Cell) -> str:
    """The words in a cell: half-width letters and digits, single blanks, none between Chinese signs; "" if empty.

    Raises:
        CellError: the cell holds the error of a formula, or a number that lost digits.
    """
    words = _typed(value) if isinstance(value, str) else _number(value)
    if _TIDY.fullmatch(words):
        return words
    words = _INVISIBLE.sub("", words).translate(_HALF_WIDTH)
    words = _BLANKS.sub(" ", words).strip().lstrip(_APOSTROPHES).strip()
    if words in _ERRORS:
        raise CellError("单元格里是公式的出错提示。", "请填写实际内容。")
    return _INNER_BLANK.sub("", words)


def key(value: str) -> str:
    """The form in which names are compared: without any blank, full width and half width alike."""
    if value.isascii() and value.isalnum():
        return value
    return _BLANKS.sub("", unicodedata.normalize("NFKC", value))


def compact(value: Cell) -> str:
    """A number written in digits (or letters): no blanks, no hyphens, half width; "" if empty.

    Raises:
        CellError: the spreadsheet program lost digits.
    """
    return _HYPHENS.sub("", code(value))


def code(value: Cell) -> str:
    """Like ``compact``, for numbers whose hyphens mean something (a student number, a telephone)."""
    signs = key(text(value))
    if found := _SCIENTIFIC.fullmatch(signs):
        return _expanded(found)
    if found := _POINT_ZERO.fullmatch(signs):
        return found[1]
    return signs


def _typed(value: str) -> str:
    # Some programs write ="0123" into csv so that a number stays text.
    found = _QUOTED.fullmatch(value) if "=" in value else None
    return found[1] if found else value


def _number(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        if not abs(value) < _EXACT:  # also NaN and infinity
            raise CellError(DAMAGED, DAMAGED_FIX)
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)


def _expanded(found: re.Match[str]) -> str:
    """Digits of 1.3912169593E+10; certain only if the mantissa has them all."""
    sign, first, rest, power = found[1], found[2], found[3] or "", int(found[4])
    if len(rest) < power or sign == "-":
        raise CellError(DAMAGED, DAMAGED_FIX)
    digits, fraction = first + rest[:power], rest[power:]
    if fraction.strip("0"):
        raise CellError("这里应是整数。", "请核对后重新填写。")
    return digits


_MONTH_FIX = "请写成“2019年5月”或“2019-05”。"
_MONTH = re.compile(
    r"([0-9]{4}) ?[-./年] ?([0-9]{1,2})"  # 2019-5, 2019.05, 2019/5, 2019年5
    r"(?: ?月?| ?[-./月] ?([0-9]{1,2}) ?[日号]?)"  # 月, or the day behind it
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"  # 00:00:00
)
_PLAIN_MONTH = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})?")
# 2018.10 as a number is stored as 2018.1, which may also have been meant as January.
_LOST_ZERO = re.compile(r"[0-9]{4}\.1")
_YEARS = range(1900, 2101)


def month(value: Cell, *, typed: bool = True) -> date | None:
    """The month in a cell as its first day; None if empty.

    Accepts dates and 2019-05-01, 2018.12, 2018年12月, 2018/5, 201712, 20171203 as text or number.

    Args:
        value: the cell.
        typed: False for csv, where a text may once have been a number.

    Raises:
        CellError: no month, or two readings.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, date):  # datetime too
        return _first_day(value.year, value.month, value.day)
    if isinstance(value, bool | time):
        raise CellError("这不是年月。", _MONTH_FIX)
    words = unicodedata.normalize("NFKC", text(value))
    if _POINT_ZERO.fullmatch(words):
        words = words.split(".", 1)[0]
    if _LOST_ZERO.fullmatch(words) and not (typed and isinstance(value, str)):
        year = words[:4]
        raise CellError(f"“{words}”可能是 {year} 年 1 月，也可能是 {year} 年 10 月。", _MONTH_FIX)
    found = _PLAIN_MONTH.fullmatch(words) or _MONTH.fullmatch(words)
    if found is None:
        raise CellError(f"看不出“{words[:20]}”是哪一年哪一月。", _MONTH_FIX)
    return _first_day(int(found[1]), int(found[2]), int(found[3] or 1))


def _first_day(year: int, number: int, day: int) -> date:
    try:
        date(year, number, day)
    except ValueError as error:
        raise CellError("没有这个日期。", _MONTH_FIX) from error
    if year not in _YEARS:
        raise CellError(f"年份 {year} 不合理。", _MONTH_FIX)
    return date(year, number, 1)
