"""Rules of a roster row (PD-31, U-03, U-10, U-11, O-22). Pure: no database, no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from zhtj.imports.files.cells import DAMAGED, DAMAGED_FIX
from zhtj.imports.files.layouts import (
    BRANCH,
    DEGREE,
    DEV_NUMBER,
    DUES,
    EMERGENCY_NAME,
    EMERGENCY_PHONE,
    ETHNICITY,
    HOUSEHOLD,
    ID_NUMBER,
    JOINED,
    MAJOR,
    MOBILE,
    NAME,
    ORIGIN,
    POLITICAL,
    RESIDENCE,
    ROSTER,
    SEX,
    STUDENT_NO,
)
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.reading import Reading
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.orgs.known_organisations import Branches, KnownOrganisation
from zhtj.people import identity
from zhtj.people.identity import Identity, IdentityError
from zhtj.people.models import Sex
from zhtj.policy.model import Policy

_PHONE = re.compile(r"[0-9+()-]{7,20}")
_NONE = frozenset({"无", "/", "暂无", "没有", "\\"})
_SEXES = {sex.label: sex for sex in Sex}
_TEXTS = {
    MAJOR: "major",
    HOUSEHOLD: "household",
    ORIGIN: "origin",
    RESIDENCE: "residence",
    EMERGENCY_NAME: "emergency_name",
}
_FIXED = {ETHNICITY: "ethnicity", DEGREE: "degree", POLITICAL: "political_status"}
FIELDS = {
    **_FIXED,
    STUDENT_NO: "student_no",
    **_TEXTS,
    EMERGENCY_PHONE: "emergency_phone",
    DUES: "dues_until",
}
"""Columns and the member's attributes they fill, beside those that say who he is."""


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A roster row without errors of its own.

    Args:
        identity: what the ID number says.
        joined_on: first day of the month of joining; None where the file does not say (fine for a known member).
        details: the other attributes of a member that the row fills, by name.
        file_checked: somebody says that the file was checked (PD-61).
    """

    row: int
    name: str
    identity: Identity
    mobile: str
    branch: KnownOrganisation
    joined_on: date | None
    dev_number: str | None
    details: dict[str, str | date]
    file_checked: bool = False


@dataclass(slots=True)
class CheckedRoster:
    """A table after all checks that need the file alone."""

    entries: list[RosterEntry] = field(default_factory=list)
    errors: list[ImportProblem] = field(default_factory=list)
    warnings: list[ImportProblem] = field(default_factory=list)


def check(
    table: ImportTable, branches: Branches, policy: Policy, today: date, earlier: Earlier | None = None
) -> CheckedRoster:
    """Check every row by itself and against the rows above it (PD-31).

    Args:
        table: the roster, or a part of it.
        branches: where its members may go.
        policy: whose ages and numbers hold.
        today: nobody is born or joins later.
        earlier: what the parts above have.
    """
    checked = CheckedRoster(warnings=table.remarks())
    earlier = earlier or Earlier()
    for row in table.rows:
        reading = Reading(row, ROSTER, typed=table.typed)
        entry = _entry(reading, branches, policy, today, earlier)
        checked.errors += reading.errors
        checked.warnings += reading.warnings
        if entry is not None:
            checked.entries.append(entry)
    return checked


def new_member_problems(entry: RosterEntry, policy: Policy) -> list[ImportProblem]:
    """What a person who is not in the system yet must bring besides (PD-31, U-10)."""
    if entry.joined_on is None:
        return [ImportProblem(entry.row, JOINED, "没有填写入团年月。", "请按入团志愿书补上。")]
    age, limit = entry.identity.age_on(entry.joined_on), policy.join_age(entry.joined_on)
    # PD-61: so young is somebody a member only if the file shows it; whoever enters him says that it was looked at.
    if limit.needs_file_check(age) and not entry.file_checked:
        cause = f"按身份证号码，入团时只有 {age} 周岁。"
        return [
            ImportProblem(
                entry.row, JOINED, cause, "核查本人档案、确认属实后，勾选“已核查档案”再登记。", asks_file_check=True
            )
        ]
    since = policy.dev_number_required_from
    if entry.dev_number is None and entry.joined_on >= since:
        cause = f"{since.year} 年及以后入团的团员必须有发展团员编号。"
        fix = f"请从团员证或入团志愿书上抄录 {policy.dev_number_length} 位编号。"
        return [ImportProblem(entry.row, DEV_NUMBER, cause, fix)]
    return []


class Earlier:
    """Numbers that stand further up in the file, with their rows."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], int] = {}

    def row_of(self, column: str, value: str, row: int) -> int | None:
        """The first row with this value, if that is an earlier one."""
        first = self._rows.setdefault((column, value), row)
        return None if first == row else first


def _entry(reading: Reading, branches: Branches, policy: Policy, today: date, earlier: Earlier) -> RosterEntry | None:
    name = person_name(reading)
    who = person_identity(reading, today)
    mobile = _mobile(reading)
    joined = _joined(reading, who, policy, today)
    dev_number = _dev_number(reading, joined, policy)
    branch = _branch(reading, branches)
    details = _details(reading)
    _sex(reading, who)
    _repeated(reading.number, reading, earlier, {ID_NUMBER: who.number if who else "", MOBILE: mobile})
    if dev_number and (first := earlier.row_of(DEV_NUMBER, dev_number, reading.number)):
        reading.warning(DEV_NUMBER, f"编号与{label(first)}相同。", "一人一号，重复的编号以后不能转接，请核对。")
    if reading.errors or who is None or branch is None:
        return None
    return RosterEntry(reading.number, name, who, mobile, branch, joined, dev_number, details, reading.file_checked)


def person_name(reading: Reading) -> str:
    """A name in its one form (PD-55); what is none is an error of the row."""
    return reading.person(NAME, reading.required(NAME, reading.text(NAME)))


def person_identity(reading: Reading, today: date) -> Identity | None:
    """What the ID number says; None after an error."""
    number = reading.required(ID_NUMBER, reading.compact(ID_NUMBER))
    if not number:
        return None
    number = number.upper().replace("×", "X").replace("Х", "X")  # multiplication sign, Cyrillic letter
    try:
        return identity.read(number, today=today)
    except IdentityError as error:
        # Saved as a number, the last three digits become zeros.
        lost = len(number) == identity.LENGTH and number.endswith("000")
        reading.error(ID_NUMBER, *((DAMAGED, DAMAGED_FIX) if lost else (error.message, error.fix)))
        return None


def _mobile(reading: Reading) -> str:
    return reading.mobile(MOBILE, reading.required(MOBILE, reading.compact(MOBILE)))


def _joined(reading: Reading, who: Identity | None, policy: Policy, today: date) -> date | None:
    joined = reading.month(JOINED)
    if joined is None:
        return None
    if joined > today:
        reading.error(JOINED, "入团年月还没有到。", "请按入团志愿书填写。")
        return None
    if who is None:
        return joined
    age = max(who.age_on(joined), 0)
    limit, since = policy.join_age(joined), policy.strict_join_from
    strict, least = joined >= since, limit.error_below
    if age < least:
        when = f"{since.year} 年及以后" if strict else f"{since.year} 年以前"
        fix = "请核对两项；确实如此的，身份不能认定。" if strict else "请核对两项；确实如此的，核查档案后线下管理。"
        reading.error(JOINED, f"按身份证号码，入团时 {age} 周岁；{when}入团应满 {least} 周岁。", fix)
    elif limit.warn_below is not None and age < limit.warn_below:
        reading.warning(JOINED, f"入团时 {age} 周岁，不满 {limit.warn_below} 周岁。", "请对照入团志愿书核对。")
    return joined


def _dev_number(reading: Reading, joined: date | None, policy: Policy) -> str | None:
    number = reading.compact(DEV_NUMBER)
    if not number or number in _NONE:
        return None
    digits, since = policy.dev_number_length, policy.dev_number_required_from
    if len(number) == digits and number.isascii() and number.isdigit():
        return number
    length = f"这里是 {len(number)} 位" if number.isdigit() else "这里有别的字符"
    cause = f"发展团员编号应为 {digits} 位数字，{length}。"
    if joined is not None and joined < since:
        reading.warning(DEV_NUMBER, cause, f"{since.year} 年以前入团的按“{policy.dev_number_missing}”登记。")
        return None
    reading.error(DEV_NUMBER, cause, "请对照团员证或入团志愿书填写。")
    return None


def _branch(reading: Reading, branches: Branches) -> KnownOrganisation | None:
    words = reading.text(BRANCH)
    if not words and branches.only is not None and not reading.has_error(BRANCH):
        return branches.only
    if not reading.required(BRANCH, words):
        return None
    branch = branches.find(words)
    if branch is None:
        reading.error(BRANCH, *branches.problem(words))
    return branch


def _sex(reading: Reading, who: Identity | None) -> None:
    sex = _SEXES.get(reading.choice(SEX))
    if sex is not None and who is not None and sex is not who.sex:
        reading.error(SEX, f"填写的是{sex.label}，身份证号码表明是{who.sex.label}。", "请核对性别和身份证号码。")


def _details(reading: Reading) -> dict[str, str | date]:
    details: dict[str, str | date] = {attribute: reading.text(column) for column, attribute in _TEXTS.items()}
    details |= {_FIXED[column]: reading.choice(column) for column in _FIXED}
    details["student_no"] = reading.code(STUDENT_NO)
    phone = details["emergency_phone"] = reading.code(EMERGENCY_PHONE)
    if phone and not _PHONE.fullmatch(phone):
        reading.warning(EMERGENCY_PHONE, "不像电话号码。", "请核对。")
    if dues := reading.month(DUES):
        details["dues_until"] = dues
    return {attribute: value for attribute, value in details.items() if value}


def _repeated(row: int, reading: Reading, earlier: Earlier, numbers: dict[str, str]) -> None:
    """The later of two rows with the same number is the error; a row entered twice is one error."""
    first_rows: set[int] = set()
    for column, number in numbers.items():
        first = earlier.row_of(column, number, row) if number else None
        if first is not None and first not in first_rows:
            fix = "同一人只留一行。" if column == ID_NUMBER else "一人一号，请填写本人的号码。"
            reading.error(column, f"{column}与{label(first)}相同。", fix)
            first_rows.add(first)
