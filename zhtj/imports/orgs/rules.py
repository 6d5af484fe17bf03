"""Rules of a row of the organisation file (O-01 … O-03, O-16, PD-05). Pure: no database, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from zhtj.graduation.operations import UNMARKABLE
from zhtj.imports.files.cells import key
from zhtj.imports.files.layouts import (
    ADDRESS,
    CATEGORIES,
    CATEGORY,
    CODE,
    FULL_NAME,
    GRADUATION,
    INDUSTRY,
    ORGANISATIONS,
    PARENT,
    PHONE,
    POSTCODE,
    SECRETARY,
    SECRETARY_MOBILE,
    SHORT_NAME,
)
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.reading import Reading
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable
from zhtj.orgs.divisions import WIDTHS
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Category, Purpose, industries
from zhtj.orgs.rules import purpose_named

CENTRE_CODE = "0"
_COMMITTEES = (Category.COMMITTEE, Category.WORKING_COMMITTEE, Category.GENERAL_BRANCH)
_POSTCODE = re.compile(r"[0-9]{6}")
_CATEGORIES = {key(label): category for label, category in CATEGORIES.items()}


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """A row without errors of its own; "" where a cell is empty.

    Args:
        parent: full name or code, as written.
        graduation: first day of a branch's month.
    """

    row: int
    parent: str
    full_name: str
    short_name: str
    category: Category
    industry: str
    secretary: str
    mobile: str
    phone: str
    address: str
    postcode: str
    code: str
    graduation: date | None

    @property
    def key(self) -> str:
        """The form in which full names are compared."""
        return key(self.full_name)

    @property
    def is_branch(self) -> bool:
        """Whether members can belong to it."""
        return self.category in {Category.BRANCH, Category.GRADUATES}


@dataclass(slots=True)
class CheckedOrganisations:
    """A table after all checks that need the file alone."""

    entries: list[OrganisationEntry] = field(default_factory=list)
    errors: list[ImportProblem] = field(default_factory=list)
    warnings: list[ImportProblem] = field(default_factory=list)
    # Full names of rows with errors, for the rows that name them as parents.
    refused: dict[str, int] = field(default_factory=dict)


class _Earlier:
    """What rows further up have taken: names, codes, and mobile numbers with their owners."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.codes: dict[str, int] = {}
        self.owners: dict[str, tuple[int, str]] = {}


def check(table: ImportTable) -> CheckedOrganisations:
    """Check every row by itself and against the rows above it."""
    checked = CheckedOrganisations(warnings=table.remarks())
    earlier = _Earlier()
    for row in table.rows:
        reading = Reading(row, ORGANISATIONS, typed=table.typed)
        entry = _entry(reading)
        if entry is not None:
            _repeated(entry, reading, earlier)
        checked.errors += reading.errors
        checked.warnings += reading.warnings
        if entry is not None and reading.errors:
            checked.refused[entry.key] = entry.row
        elif entry is not None:
            checked.entries.append(entry)
    return checked


def purpose_of(entry: OrganisationEntry) -> Purpose | None:
    """What an organisation was built for, where its name says so."""
    # The file has no column for it: such organisations carry their purpose in their names (O-07, O-12, O-13).
    return purpose_named(entry.full_name) if entry.is_branch else None


def code_fits(code: str, parent_code: str, category: Category) -> bool:
    """Whether a code is one the direct superior may give: its own with a number behind it.

    Leading organs and townships carry division codes, which go on from the superior's in digits; a township is a
    committee (O-03).
    """
    if code.startswith(f"{parent_code}-"):
        return re.fullmatch(r"[0-9]{3,}", code.removeprefix(f"{parent_code}-")) is not None
    prefix = "" if parent_code == CENTRE_CODE else parent_code
    if not (
        code.isdigit() and code.startswith(prefix) and (prefix.isdigit() or not prefix) and len(code) > len(prefix)
    ):
        return False
    if category is Category.LEADING_ORGAN:
        return len(code) in WIDTHS[:-1]
    return category in _COMMITTEES and len(code) == WIDTHS[-1] and len(prefix) in WIDTHS[1:-1]


def circles(parents: Mapping[str, str]) -> list[list[str]]:
    """Loops in a mapping from child to parent, each once, starting anywhere in it."""
    found: list[list[str]] = []
    settled: set[str] = set()
    for start in parents:
        line: list[str] = []
        at = start
        while at in parents and at not in settled and at not in line:
            line.append(at)
            at = parents[at]
        if at in line:
            found.append(line[line.index(at) :])
        settled.update(line)
    return found


def _entry(reading: Reading) -> OrganisationEntry | None:
    full_name = reading.required(FULL_NAME, reading.text(FULL_NAME))
    short_name = reading.required(SHORT_NAME, reading.text(SHORT_NAME))
    category = _category(reading)
    industry = _industry(reading, category)
    secretary, mobile = _secretary(reading)
    entry = OrganisationEntry(
        row=reading.number,
        parent=reading.text(PARENT),
        full_name=full_name,
        short_name=short_name,
        category=category or Category.BRANCH,
        industry=industry,
        secretary=secretary,
        mobile=mobile,
        phone=reading.code(PHONE),
        address=reading.text(ADDRESS),
        postcode=_postcode(reading),
        code=reading.code(CODE),
        graduation=_graduation(reading, category, industry),
    )
    return entry if full_name and category is not None else None


def _category(reading: Reading) -> Category | None:
    words = reading.required(CATEGORY, reading.text(CATEGORY))
    category = _CATEGORIES.get(key(words))
    if words and category is None:
        reading.error(CATEGORY, f"没有“{words}”这种组织类别。", f"可填：{'、'.join(CATEGORIES)}。")
    return category


def _industry(reading: Reading, category: Category | None) -> str:
    """A value of the dictionary of its category, 17 or 14 of them (O-16)."""
    words = reading.text(INDUSTRY)
    if not words or category is None:
        return ""
    allowed = {key(name): name for name in industries(category)}
    name = allowed.get(key(words), "")
    if not name:
        cause = f"“{words}”不是{category.label}可选的单位所属行业类别。"
        reading.error(INDUSTRY, cause, f"可填：{'、'.join(allowed.values())}。")
    return name


def _secretary(reading: Reading) -> tuple[str, str]:
    name, digits = reading.person(SECRETARY, reading.text(SECRETARY)), reading.compact(SECRETARY_MOBILE)
    mobile = reading.mobile(SECRETARY_MOBILE, digits)
    if name and not digits and not reading.has_error(SECRETARY_MOBILE):
        reading.error(SECRETARY_MOBILE, "填了书记姓名，没有填书记手机。", "请补上，账号要用它登录。")
    if digits and not name and not reading.has_error(SECRETARY):
        reading.error(SECRETARY, "填了书记手机，没有填书记姓名。", "请补上。")
    return name, mobile


def _postcode(reading: Reading) -> str:
    digits = reading.compact(POSTCODE)
    if digits and not _POSTCODE.fullmatch(digits):
        # A number loses the zeros in front of it.
        padded = digits.zfill(6)
        if not _POSTCODE.fullmatch(padded):
            reading.error(POSTCODE, "邮编应为 6 位数字。", "请核对。")
            return ""
        return padded
    return digits


def _graduation(reading: Reading, category: Category | None, industry: str) -> date | None:
    """Only branches of schools are marked, primary schools not (G-13)."""
    month = reading.month(GRADUATION)
    if month is None or category is None:
        return None
    if category not in {Category.BRANCH, Category.GRADUATES}:
        reading.error(GRADUATION, "只有团支部填写毕业时间。", "请留空。")
    elif industry and (industry not in SCHOOL_INDUSTRIES or industry == UNMARKABLE):
        reading.error(GRADUATION, f"单位所属行业类别是“{industry}”的团支部没有毕业时间。", "请核对行业类别，或留空。")
    return month


def _repeated(entry: OrganisationEntry, reading: Reading, earlier: _Earlier) -> None:
    first = earlier.names.setdefault(entry.key, entry.row)
    if first != entry.row:
        reading.error(FULL_NAME, f"组织全称与{label(first)}相同。", "全称不能重复，同一组织只留一行。")
    if entry.code and (first := earlier.codes.setdefault(entry.code, entry.row)) != entry.row:
        reading.error(CODE, f"组织编码与{label(first)}相同。", "编码不能重复，请核对或留空。")
    if entry.mobile and entry.secretary:
        first, owner = earlier.owners.setdefault(entry.mobile, (entry.row, entry.secretary))
        if key(owner) != key(entry.secretary):
            reading.error(
                SECRETARY_MOBILE, f"与{label(first)}“{owner}”的手机号码相同。", "一人一号，请填写本人的号码。"
            )
