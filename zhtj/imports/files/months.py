"""Which month a cell says, in every form that leaves no doubt; what leaves two readings is asked about, not guessed."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache

from zhtj.imports.files.cells import Cell, CellError, text

_FIX = "请写成“2019年5月”或“2019-05”。"
_YEARS = range(1900, 2101)
# Of six digits, 2019 and 05 are a month; 19, 05 and 04 would be the year 1905, in which no member was born.
_FIRST_OF_SIX = 1950
_CENTURY = 50  # 49年 is 2049, 50年 is 1950
_DAY_NUMBERS = range(20_000, 60_001)  # 1954 to 2064
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - cells know no zone
_HERE = timezone(timedelta(hours=8))
_QUOTES = "'\"‘’“”`´′＇＂「」『』"

_CHINESE = {sign: str(digit) for digit, signs in enumerate(("〇零○◯", *"一二三四五六七八九")) for sign in signs}
_CHINESE |= {sign: str(digit) for digit, sign in enumerate("壹贰叁肆伍陆柒捌玖", start=1)}
_SIGNS = "".join(_CHINESE)
_CHINESE_YEAR = re.compile(rf"(?<![0-9])[{_SIGNS}]{{2,4}}(?= ?[-年./·・])")
_CHINESE_NUMBER = re.compile(rf"[{_SIGNS}]?[十拾][{_SIGNS}]?|[廿卅][{_SIGNS}]?|[{_SIGNS}]{{1,2}}")
_TENS = {"廿": "二十", "卅": "三十", "拾": "十"}

_SEPARATORS = re.compile("[-\u2010-\u2015\u2043\u207b\u2212\u2500\u2501\u30fc\ufe58\uff0d~/\\\\.,、。·•・∙⋅‧_－．｡，]")
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_GAP = r"[ -]*"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[-.][0-9]+)?)?(?: ?(?:am|pm|上午|下午))?"
_ZONE = r"(?: ?(z|utc|gmt|(?:gmt|utc)?[+-][0-9]{2}:?[0-9]{2})(?: ?\(.*\))?)?"
_TIME = rf"(?:(?: ?t?|t-)(?P<clock>{_CLOCK}){_ZONE.replace('(z', '(?P<zone>z', 1)})?"
_REMARK = re.compile(r" ?\([^()0-9]*\)")

_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})?(?:[0-9]{6})?")
_YEAR_FIRST = re.compile(
    r"(?P<year>[0-9]{4}) ?[- 年]-? ?(?P<month>[0-9]{1,2})"
    r"(?: ?月?(?:份|初|底|末|中|[上中下]旬)?| ?[- 月] ?(?P<day>[0-9]{1,2}) ?[日号]?)" + _TIME
)
_SHORT_YEAR = re.compile(
    r"(?P<year>[0-9]{2}) ?年 ?(?P<month>[0-9]{1,2}) ?"
    r"(?:月?(?:份|初|底|末|中|[上中下]旬)?|月 ?(?P<day>[0-9]{1,2}) ?[日号]?)"
)
_YEAR_LAST = re.compile(r"(?P<month>[0-9]{1,2}) ?月 ?(?P<year>[0-9]{4}) ?年")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[- ]*")
_ENGLISH = tuple(
    re.compile(form + _TIME)
    for form in (
        rf"{_NAME}{_GAP}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[ -]+(?P<year>[0-9]{{4}})",
        rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?{_GAP}{_NAME}{_GAP}(?P<year>[0-9]{{4}})",
        rf"{_NAME}{_GAP}(?P<year>[0-9]{{4}})",
        rf"(?P<year>[0-9]{{4}}){_GAP}{_NAME}(?:{_GAP}(?P<day>[0-9]{{1,2}}))?",
    )
)
_JAVA = re.compile(rf"{_NAME} (?P<day>[0-9]{{1,2}}) {_CLOCK} [a-z]{{3,4}} (?P<year>[0-9]{{4}})")  # Date.toString()

# 2018.10 as a number is stored as 2018.1, which may also have been meant as January.
_LOST_ZERO = re.compile(r"[0-9]{4}\.1")
_POINT_ZERO = re.compile(r"([0-9]+)\.0+")
_SHORT = re.compile(r"([0-9]{2}) ?[-] ?([0-9]{1,2})(?: ?- ?[0-9]{1,2})?")
_SHORT_NAME = re.compile(rf"{_NAME}{_GAP}([0-9]{{2}})|([0-9]{{2}}){_GAP}{_NAME}")


# The same few months stand in thousands of rows; 1, 1.0 and True are different cells.
@lru_cache(maxsize=4096, typed=True)
def day_number(value: Cell) -> date | None:
    """The day a number stands for in spreadsheets, 43586 for 2019-05-01; None if it is no such number.

    Certain only in a column of months: a spreadsheet shows the number where the cell has lost its format.
    """
    if isinstance(value, str):
        words = unicodedata.normalize("NFKC", value).strip().strip(_QUOTES)
        number = int(float(words)) if re.fullmatch(r"[0-9]{5}(?:\.[0-9]+)?", words) else 0
    elif (
        isinstance(value, int | float) and not isinstance(value, bool) and _DAY_NUMBERS[0] <= value < _DAY_NUMBERS.stop
    ):
        number = int(value)
    else:
        number = 0
    return (_DAY_ZERO + timedelta(days=number)).date() if number in _DAY_NUMBERS else None


@lru_cache(maxsize=4096, typed=True)
def month(value: Cell, *, typed: bool = True) -> date | None:
    """The month in a cell as its first day; None if empty.

    Accepts dates and 2019-05-01, 2018.12, 2018年12月份, 二〇一八年十二月, 18年12月, 2018/5, 201712, 20171203, Dec 2018,
    2017-12-03T16:00:00Z as text or number.

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
        raise CellError("这不是年月。", _FIX)
    said = unicodedata.normalize("NFKC", text(value)).strip(_QUOTES)
    if _LOST_ZERO.fullmatch(said) and not (typed and isinstance(value, str)):
        year = said[:4]
        raise CellError(f"“{said}”可能是 {year} 年 1 月，也可能是 {year} 年 10 月。", _FIX)
    words = _plain(said)
    found = _digits(said) or _in_digits(words) or _in_english(words)
    if found is None:
        raise CellError(_doubt(said, words) or f"看不出“{said[:20]}”是哪一年哪一月。", _FIX)
    return found


def _plain(said: str) -> str:
    """Western digits, one kind of separator, no remarks: 二〇一九年五月（补） is 2019年5月."""
    words = _REMARK.sub("", said.casefold()) if "gmt" not in said.casefold() else said.casefold()
    words = words.replace("元月", "1月")
    words = _CHINESE_YEAR.sub(lambda found: "".join(_CHINESE[sign] for sign in found[0]), words)
    words = _CHINESE_NUMBER.sub(lambda found: str(_number(found[0])), words)
    return _SEPARATORS.sub("-", words).strip(" -")


def _number(words: str) -> int:
    """十二 is 12, 廿三 is 23, 〇五 is 5."""
    for sign, meant in _TENS.items():
        words = words.replace(sign, meant)
    tens, ten, ones = words.rpartition("十")
    digits = "".join(_CHINESE[sign] for sign in ones) or "0"
    return (int(_CHINESE[tens]) if tens else 1) * 10 + int(digits) if ten else int(digits)


def _digits(said: str) -> date | None:
    """201905, 20190504, as numbers too."""
    whole = _POINT_ZERO.fullmatch(said)
    found = _DIGITS.fullmatch(whole[1] if whole else said)
    if found is None or (found[3] is None and int(found[1]) < _FIRST_OF_SIX and found[1] != "0000"):
        return None
    return _first_day(int(found[1]), int(found[2]), int(found[3] or 1))


def _in_digits(words: str) -> date | None:
    found = _YEAR_FIRST.fullmatch(words) or _SHORT_YEAR.fullmatch(words) or _YEAR_LAST.fullmatch(words)
    if found is None:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:  # noqa: PLR2004 - two digits
        year += 2000 if year < _CENTURY else 1900
    return _moved(found, year, int(found["month"]))


def _in_english(words: str) -> date | None:
    words = _WEEKDAY.sub("", words)
    found = next((found for form in (*_ENGLISH, _JAVA) if (found := form.fullmatch(words))), None)
    if found is None:
        return None
    name = next(part for part in found.groups() if part and part[:3] in _NAMES)
    return _moved(found, int(found["year"]), _NAMES.index(name[:3]) + 1)


def _moved(found: re.Match[str], year: int, number: int) -> date:
    """The month in China: midnight of 1 May is 16:00 of 30 April in UTC, as programs write it."""
    parts = found.groupdict()
    first = _first_day(year, number, int(parts.get("day") or 1))
    if not parts.get("day") or not parts.get("zone"):
        return first
    hour, minute = (int(part) for part in re.findall("[0-9]+", parts["clock"])[:2])
    shift = re.search(r"([+-])([0-9]{2}):?([0-9]{2})", parts["zone"])
    sign, hours, minutes = shift.groups() if shift else ("+", "00", "00")
    try:
        away = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        moment = datetime(year, number, int(parts["day"]), hour % 24, minute, tzinfo=timezone(away))
        return moment.astimezone(_HERE).date().replace(day=1)
    except (ValueError, OverflowError) as error:
        raise CellError("没有这个日期。", _FIX) from error


def _doubt(said: str, words: str) -> str:
    """What a form with two readings may mean; "" if it means no month at all."""
    if re.fullmatch(r"[0-9]{6}(?:\.0+)?", said):
        year, number, day = said[:2], int(said[2:4]), int(said[4:6])
        return f"“{said}”可能是 20{year} 年 {number} 月 {day} 日，也可能是 {said[:4]} 年 {day} 月。"
    if found := _SHORT.fullmatch(words):
        return f"“{said[:20]}”只有两位年份，可能是 20{found[1]} 年 {int(found[2])} 月。"
    if found := _SHORT_NAME.fullmatch(words):
        number = _NAMES.index((found[1] or found[4])[:3]) + 1
        two = found[2] or found[3]
        return f"“{said[:20]}”可能是 20{two} 年 {number} 月，也可能是某年 {number} 月 {int(two)} 日。"
    return ""


def _first_day(year: int, number: int, day: int) -> date:
    try:
        date(year, number, day)
    except ValueError as error:
        raise CellError("没有这个日期。", _FIX) from error
    if year not in _YEARS:
        raise CellError(f"年份 {year} 不合理。", _FIX)
    return date(year, number, 1)
