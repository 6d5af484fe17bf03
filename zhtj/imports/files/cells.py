"""What one cell says, however it was typed: text or number, full width, stray blanks and quotation marks.

A value that is certain is accepted; where the program lost digits or left two readings, ``CellError`` says so.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time
from typing import TypeAlias

from zhtj.imports.files.unpack import NO_RESULT

Cell: TypeAlias = str | float | bool | date | datetime | time | None

# A spreadsheet keeps 15 significant digits of a number; whatever is longer has lost its end.
_EXACT = 10**15
DAMAGED = "号码被电子表格当成数字，后面几位已经丢失。"
DAMAGED_FIX = "请回到原始名单，先把这一列设为“文本”格式再填写，重新导出。"
_ERRORS = re.compile(r"#(?:N/A|GETTING_DATA|[A-Z][A-Z0-9/_]*[!?])", re.IGNORECASE)
_TOO_NARROW = re.compile(r"#{3,}")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"\s+")
_APOSTROPHES = "'‘’`＇"
_QUOTES = _APOSTROPHES + '"“”„‟‚‛＂′″´「」『』' + "\u02bc"
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


# Remarks beside a number that change nothing.
_REMARK = re.compile(
    r"\((?:本人|自己|个人)?的?(?:手机号?码?|电话|移动|联通|电信|广电|微信同号|同微信号?|微信|常用|新号码?|在用)?\)"
)
_DIGITS = re.compile(r"[0-9]{2,}[0-9Xx]*")
_DIGITS_AND_WORDS = re.compile(rf"(?=.*[0-9]{{6}})[^{_CJK}]*[{_CJK}]+.*")


class CellError(Exception):
    """The cell's value is not certain; ``cause`` says why, ``fix`` what to do."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix


class FormulaError(CellError):
    """A formula stands here whose result is an error or is not in the file."""


def text(value: Cell) -> str:
    """The words in a cell: half-width letters and digits, single blanks, none between Chinese signs; "" if empty.

    Raises:
        FormulaError: the cell holds the error of a formula, or a formula that was never calculated.
        CellError: a number that lost digits, or that was not shown for want of room.
    """
    words = _typed(value) if isinstance(value, str) else _number(value)
    if _TIDY.fullmatch(words):
        return words
    words = _INVISIBLE.sub("", words).translate(_HALF_WIDTH)
    words = _BLANKS.sub(" ", words).strip().lstrip(_APOSTROPHES).strip()
    if words.startswith("#"):
        _refuse(words)
    return _INNER_BLANK.sub("", words)


def _refuse(words: str) -> None:
    if words == NO_RESULT:
        raise FormulaError(
            "这里是公式，文件里没有保存算出的结果。", "请用电子表格软件打开、重新计算后保存，或直接填写内容。"
        )
    if _ERRORS.fullmatch(words):
        raise FormulaError("单元格里是公式的出错提示。", "请填写实际内容。")
    if _TOO_NARROW.fullmatch(words):
        raise CellError("这一列太窄，导出的只有“###”。", "请把列调宽后重新保存，或直接填写内容。")


def key(value: str) -> str:
    """The form in which names are compared: without any blank, full width and half width alike."""
    if value.isascii() and value.isalnum():
        return value
    return _BLANKS.sub("", unicodedata.normalize("NFKC", value))


def compact(value: Cell) -> str:
    """A number written in digits (or letters): no blanks, no hyphens, half width; "" if empty.

    Remarks that change nothing, such as （本人）, are left out.

    Raises:
        CellError: the spreadsheet program lost digits.
    """
    return _HYPHENS.sub("", _REMARK.sub("", code(value)))


def words_beside(digits: str) -> str:
    """The words that stand beside a long number, as in 13900000000(父亲); "" if there are none."""
    return _DIGITS.sub("", digits) if _DIGITS_AND_WORDS.fullmatch(digits) else ""


def code(value: Cell) -> str:
    """Like ``compact``, for numbers whose hyphens mean something (a student number, a telephone)."""
    signs = key(text(value)).strip(_QUOTES)
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
