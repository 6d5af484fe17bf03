"""F-01 毕业生流动团员信息汇总表: read into cases that wait for a signature, and written, a sheet a college."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import joinedload
from xlsxwriter import Workbook

from zhtj.cases import operations as cases
from zhtj.cases.kind import CaseMatter
from zhtj.cases.kinds.retention import INSTRUCTIONS, KIND, PLANS, SHEET
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseState
from zhtj.floating import branches
from zhtj.imports.files.cells import key
from zhtj.imports.files.layouts import (
    COLLEGE,
    FLOATING,
    LEADER,
    LEADER_PHONE,
    LEAVER,
    LEAVER_PHONE,
    OLD_BRANCH,
    PLAN,
    REMARK,
    WHY_KEPT,
)
from zhtj.imports.files.nearest import Nearest
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.reading import Reading
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.files.workbooks import Sheet
from zhtj.imports.plans import Plan
from zhtj.kernel import audit, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, subtree
from zhtj.orgs.models import Organisation, Tier
from zhtj.people.models import Account, Member
from zhtj.people.signing.accounts import read_mobile

_FIRST_WORDS = "填写说明"
_SHEET_NAME = 31
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", ""))
_WIDTHS = (18, 40, 20, 20, 14, 18, 36, 22, 30)
# Words of the free text that tell which of the form's grounds is meant.
_WORDS = (
    ("二战", "retake"),
    ("再次考研", "retake"),
    ("支教", "teaching"),
    ("定向", "commissioned"),
    ("档案", "file_first"),
    ("入职", "file_first"),
    ("未确定", "undecided"),
    ("升学", "no_study"),
    ("就业", "no_job"),
    ("工作", "no_job"),
    ("退学", "dropout"),
)


@dataclass(slots=True)
class FloatingPlan(Plan):
    """A preview that knows how to become true: whom a case is raised for, with its answers."""

    organisation_id: int = 0
    entries: list[tuple[int, dict[str, str]]] = field(default_factory=list)


def check_sheet(sheets: Iterable[Sheet]) -> None:
    """Raise FileError where the row of instructions was deleted: the form says that such a file is not taken (F-01)."""
    for sheet in sheets:
        for _, cells in sheet.rows:
            if any(isinstance(cell, str) and cell.strip().startswith(_FIRST_WORDS) for cell in cells):
                return
    raise FileError("填写说明这一行被删掉了。", "请下载模板，保留说明行，把内容填在表头下面。")


def ground_of(words: str) -> str:
    """Which ground of the form the words of 转接原因 mean."""
    return next((ground for word, ground in _WORDS if word in words), "other")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the file is imported to: its branches by full name, its members by branch and name."""

    organisation: Organisation
    by_name: Mapping[str, Organisation]
    nearest: Nearest
    people: Mapping[tuple[int, str], list[Member]]
    waiting: frozenset[int]


def preview(table: ImportTable, organisation: Organisation) -> FloatingPlan:
    """What importing ``table`` would raise, row by row; writes nothing."""
    plan = FloatingPlan(read=len(table.rows), **table.about(), organisation_id=organisation.id)
    place = _place(organisation)
    seen: dict[int, int] = {}
    for row in table.rows:
        reading = Reading(row, FLOATING, typed=table.typed)
        member, answers = _read(reading, place)
        if member is not None and not reading.errors:
            _check(reading, member, answers, place, seen)
        plan.errors += reading.errors
        plan.warnings += reading.warnings
        if member is not None and not reading.errors and member.id not in place.waiting:
            plan.created += 1
            plan.entries.append((member.id, answers))
    plan.sort(FLOATING)
    return plan


def _place(organisation: Organisation) -> _Place:
    here = select(Organisation).where(
        subtree(Organisation.path, organisation.path),
        Organisation.tier == Tier.BRANCH,
        Organisation.closed_at.is_(None),
    )
    by_name = {key(one.full_name): one for one in session.scalars(here)}
    people: dict[tuple[int, str], list[Member]] = {}
    members = (
        select(Member)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(subtree(Organisation.path, organisation.path), Member.archived_at.is_(None))
        .options(joinedload(Member.account).load_only(Account.name, Account.mobile_hash), joinedload(Member.org))
    )
    for one in session.scalars(members):
        people.setdefault((one.org_id, names.key(one.name)), []).append(one)
    waiting = select(Case.subject_id).where(Case.kind == KIND.key, Case.state == CaseState.WAITING)
    return _Place(
        organisation,
        by_name,
        Nearest(one.full_name for one in by_name.values()),
        people,
        frozenset(number for number in session.scalars(waiting) if number is not None),
    )


def _read(reading: Reading, place: _Place) -> tuple[Member | None, dict[str, str]]:
    """Whose row it is, and the answers of his case; everything but the remark must be there."""
    texts = {name: reading.text(name) for name in (COLLEGE, OLD_BRANCH, LEADER, LEAVER, WHY_KEPT, PLAN)}
    for name, words in texts.items():
        reading.required(name, words)
    for name in (LEADER, LEAVER):
        texts[name] = reading.person(name, texts[name])
    leader_phone = reading.required(LEADER_PHONE, reading.code(LEADER_PHONE))
    mobile = _mobile(reading)
    plans = {key(label): value for value, label in PLANS}
    if texts[PLAN] and key(texts[PLAN]) not in plans:
        listed = "、".join(label for _, label in PLANS)
        reading.error(PLAN, f"没有“{texts[PLAN][:20]}”这一项。", f"请用下拉框选择：{listed}。")
    answers = {
        "ground": ground_of(texts[WHY_KEPT]),
        "detail": texts[WHY_KEPT],
        "plan": plans.get(key(texts[PLAN]), ""),
        "mobile": mobile,
        "remark": reading.text(REMARK),
        "leader": texts[LEADER],
        "leader_phone": leader_phone,
    }
    return _member(reading, texts, mobile, place), {name: text for name, text in answers.items() if text}


def _mobile(reading: Reading) -> str:
    text = reading.required(LEAVER_PHONE, reading.compact(LEAVER_PHONE))
    if not text:
        return ""
    try:
        return read_mobile(text)
    except DomainError as error:
        reading.error(LEAVER_PHONE, error.message, "请填写本人的手机号码。")
        return ""


def _member(reading: Reading, texts: Mapping[str, str], mobile: str, place: _Place) -> Member | None:
    if not texts[OLD_BRANCH] or not texts[LEAVER]:
        return None
    branch = place.by_name.get(key(texts[OLD_BRANCH]))
    if branch is None:
        near = "、".join(place.nearest(texts[OLD_BRANCH]))
        reading.error(
            OLD_BRANCH,
            "系统中没有这个团支部，或它不在本组织之下。",
            f"请填写系统内的全称{f'，是不是：{near}' if near else ''}。",
        )
        return None
    _college(reading, texts[COLLEGE], branch)
    same = place.people.get((branch.id, names.key(texts[LEAVER])), [])
    if len(same) > 1:
        same = [one for one in same if one.account.mobile_hash == keyed_hash("mobile", mobile)]
    if len(same) != 1:
        reading.error(LEAVER, "这个团支部没有这名团员，或有同名的。", "请核对姓名；同名的，填写系统内登记的手机号码。")
        return None
    return same[0]


def _college(reading: Reading, words: str, branch: Organisation) -> None:
    """The college must be the branch's own."""
    home = branches.home_of(branch)
    if home is None or not words:
        return
    known = {key(home.nearest.full_name), key(home.nearest.short_name)}
    said = key(words)
    if said not in known and not any(said in name or name in said for name in known):
        reading.error(COLLEGE, f"“{words[:20]}”与转出团支部所在的学院不符。", f"应为：{home.nearest.short_name}。")


def _check(reading: Reading, member: Member, answers: Mapping[str, str], place: _Place, seen: dict[int, int]) -> None:
    """The kind's own conditions; somebody who has applied already is passed over."""
    if member.id in seen:
        reading.error(LEAVER, f"与{label(seen[member.id])}是同一个人。", "请只留一行。")
        return
    seen[member.id] = reading.number
    if member.id in place.waiting:
        reading.warning(LEAVER, "本人已经申请，正在办理。", "不会重复提出。")
        return
    try:
        KIND.check(CaseMatter(place.organisation, dict(answers), member))
    except DomainError as error:
        column = {"remark": REMARK}.get(error.field or "", LEAVER)
        reading.error(column, error.message, error.fix or "请删去这一行。")


def apply(plan: FloatingPlan, seat: ActiveSeat, *, partial: bool = False) -> int:
    """Raise a case for each row; the members are asked to read and sign the notice (F-08, A-26).

    Returns:
        How many rows were imported.
    """
    if not plan.may_apply(partial=partial):
        return 0
    cases.raise_many(KIND, seat, [(f"#{member}", answers) for member, answers in plan.entries])
    audit.record(
        "import.floating",
        "organisation",
        plan.organisation_id,
        read=plan.read,
        created=plan.created,
        skipped=plan.bad_rows,
    )
    return plan.accepted


# ---- the file


def write(target: BinaryIO, sheets: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> int:
    """Write F-01: title, row of instructions, headings; one sheet a college (R-06).

    Args:
        target: where to.
        sheets: name of the college and its rows, in the document's columns; none: an empty form.

    Returns:
        The number of rows.
    """
    count = 0
    with Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        names: set[str] = set()
        for college, rows in sheets:
            count += _sheet(workbook, _name(college, names), rows)
    return count


def _name(college: str, taken: set[str]) -> str:
    plain = college.translate(_FORBIDDEN)[:_SHEET_NAME] or SHEET
    name = plain
    for number in range(2, 100):
        if name not in taken:
            break
        name = f"{plain[: _SHEET_NAME - 3]}{number}"
    taken.add(name)
    return name


def _sheet(workbook: Workbook, name: str, rows: Iterable[Sequence[str]]) -> int:
    sheet = workbook.add_worksheet(name)
    last = len(FLOATING.columns) - 1
    title = workbook.add_format({"bold": True, "font_size": 16, "align": "center"})
    note = workbook.add_format({"text_wrap": True, "valign": "top", "font_color": "#565E69"})
    head = workbook.add_format({"bold": True, "bg_color": "#EFF1F4", "border": 1, "text_wrap": True})
    plain = workbook.add_format({"num_format": "@"})
    for position, width in enumerate(_WIDTHS):
        sheet.set_column(position, position, width, plain)
    sheet.merge_range(0, 0, 0, last, SHEET, title)
    sheet.merge_range(1, 0, 1, last, "\n".join(INSTRUCTIONS), note)
    sheet.set_row(1, 100)
    for position, column in enumerate(FLOATING.columns):
        sheet.write_string(2, position, column.name, head)
        if column.choices:
            sheet.data_validation(3, position, 3000, position, {"validate": "list", "source": list(column.choices)})
    sheet.freeze_panes(3, 0)
    count = 0
    for count, row in enumerate(rows, start=1):
        for position, words in enumerate(row):
            sheet.write_string(count + 2, position, words, plain)
    return count


def template() -> bytes:
    """The empty form to fill in."""
    target = BytesIO()
    write(target, [(SHEET, ())])
    return target.getvalue()


def by_college(lines: Iterable[tuple[str, Sequence[str]]]) -> list[tuple[str, list[Sequence[str]]]]:
    """Rows with the name of their college, as sheets."""
    ordered = sorted(lines, key=lambda one: one[0])
    return [(college, [row for _, row in rows]) for college, rows in groupby(ordered, key=lambda one: one[0])]
