"""Spreadsheets out: templates, organisations, lists of errors. Every cell is text; none is ever a formula."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import BinaryIO, TextIO

from sqlalchemy import select
from sqlalchemy.orm import joinedload
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from zhtj.imports.files import cells, row_numbers
from zhtj.imports.files.cells import Cell, CellError
from zhtj.imports.files.headings import MARKS
from zhtj.imports.files.layouts import ORGANISATIONS
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.tables import ImportTable, Layout
from zhtj.imports.orgs import queries
from zhtj.kernel.permissions import subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import Organisation

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_A_SHEET = 1_000_000
_TEMPLATE_ROWS = 3000
_LONGEST_LIST = 255  # signs of a drop-down list that is written out
_WIDE, _NARROW = 28, 14
_WIDE_FROM = 60  # characters a column has room for
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\]")
Heading = str | tuple[str, tuple[str, ...]]
About = Sequence[tuple[str, str]]
# What a spreadsheet program would read as the start of a formula in csv.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _workbook(target: BinaryIO) -> Workbook:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    return Workbook(target, options)


def write_xlsx(
    target: BinaryIO,
    title: str,
    headings: Sequence[Heading],
    rows: Iterable[Sequence[str]],
    *,
    banner: bool = False,
    about: Callable[[int], About] | None = None,
) -> int:
    """Write a table; rows go out as they come, so that memory does not grow with them.

    Args:
        target: where to.
        title: name of the sheet; a table longer than a sheet goes on in the next one.
        headings: a heading, or a pair of one and those that stand below it, merged as on a printed form.
        rows: as many texts as there are columns at the bottom. None is ever a formula.
        banner: the title stands over the whole width too.
        about: what is said about the file, given the number of rows; a sheet of its own behind the others.

    Returns:
        The number of rows.
    """
    count = 0
    with _workbook(target) as workbook:
        plain = workbook.add_format({"num_format": "@"})
        lines = iter(rows)
        for number in itertools.count(1):
            sheet = workbook.add_worksheet(_sheet_name(title, number))
            top = _head(workbook, sheet, title if banner else "", headings)
            position = top - 1
            for position, row in enumerate(itertools.islice(lines, ROWS_A_SHEET), start=top):
                for column, words in enumerate(row):
                    if words:
                        sheet.write_string(position, column, words, plain)
            count += position - top + 1
            if position - top + 1 < ROWS_A_SHEET:
                break
        if about is not None:
            _about(workbook, about(count))
    return count


def _sheet_name(title: str, number: int) -> str:
    """What a sheet may be called: 31 signs, some of them not."""
    plain = _NOT_IN_A_NAME.sub(" ", title).strip("' ")
    return plain[:31] if number == 1 else f"{plain[:26]}（{number}）"


def _head(workbook: Workbook, sheet: Worksheet, banner: str, headings: Sequence[Heading]) -> int:
    """Banner and headings, row by row from above, as constant memory demands. Returns the first row below."""
    bold = {"bold": True, "align": "center", "valign": "vcenter"}
    head = workbook.add_format({**bold, "bg_color": "#EFF1F4", "border": 1, "text_wrap": True})
    columns = [(one, ("",)) if isinstance(one, str) else one for one in headings]
    width = sum(len(below) for _, below in columns)
    grouped = any(below != ("",) for _, below in columns)
    sheet.set_column(0, width - 1, 22, workbook.add_format({"num_format": "@"}))
    top = 1 if banner else 0
    if banner:
        sheet.merge_range(0, 0, 0, width - 1, banner, workbook.add_format({**bold, "font_size": 16}))
    position = 0
    for above, below in columns:
        for step in range(len(below)):
            sheet.write_string(top, position + step, "" if step else above, head)
        if grouped and below == ("",):
            sheet.merge.append([top, position, top + 1, position])  # merge_range would write upwards later
        elif len(below) > 1:
            sheet.merge.append([top, position, top, position + len(below) - 1])
        position += len(below)
    if grouped:
        for position, words in enumerate(words for _, below in columns for words in below):
            sheet.write_string(top + 1, position, words, head)
    first = top + (2 if grouped else 1)
    sheet.freeze_panes(first, 0)
    return first


def _about(workbook: Workbook, lines: About) -> None:
    sheet = workbook.add_worksheet("说明")
    sheet.set_column(0, 0, 14, workbook.add_format({"bold": True}))
    sheet.set_column(1, 1, 80)
    for position, (label, words) in enumerate(lines):
        sheet.write_string(position, 0, label)
        sheet.write_string(position, 1, words)


def write_csv(
    target: TextIO,
    headings: Sequence[Heading],
    rows: Iterable[Sequence[str]],
    *,
    about: Callable[[int], About] | None = None,
) -> int:
    """Write csv; an apostrophe keeps a text from being taken for a formula (reading drops it).

    Args:
        target: where to.
        headings: those over two columns are written out for each.
        rows: texts.
        about: as for ``write_xlsx``; one last line, which reading takes for the note that it is.

    Returns:
        The number of rows.
    """
    writer = csv.writer(target)
    writer.writerow(
        one if isinstance(heading, str) else f"{heading[0]}（{one}）"
        for heading in headings
        for one in ([heading] if isinstance(heading, str) else heading[1])
    )
    count = 0
    for row in rows:
        count += 1
        writer.writerow([f"'{words}" if words.startswith(_FORMULA) else words for words in row])
    if about is not None:
        writer.writerow(["说明：" + "；".join(f"{label} {words}" for label, words in about(count))])
    return count


def template(layout: Layout) -> bytes:
    """An empty file to fill in: title, instructions, headings with * where a column must be, drop-down lists."""
    target = BytesIO()
    last = len(layout.columns) - 1
    with _workbook(target) as workbook:
        sheet = workbook.add_worksheet(layout.title)
        title = workbook.add_format({"bold": True, "font_size": 14})
        note = workbook.add_format({"font_color": "#565E69"})
        heading = workbook.add_format({"bold": True, "bg_color": "#EFF1F4", "border": 1})
        plain = workbook.add_format({"num_format": "@"})
        lines = [(layout.title, title), *((f"填写说明：{words}", note) for words in layout.instructions)]
        header = len(lines)
        for position, column in enumerate(layout.columns):
            sheet.set_column(position, position, _WIDE if column.width >= _WIDE_FROM else _NARROW, plain)
            if column.choices and len(",".join(column.choices)) <= _LONGEST_LIST:
                rule = {"validate": "list", "source": list(column.choices)}
                sheet.data_validation(header + 1, position, header + _TEMPLATE_ROWS, position, rule)
        for row, (words, form) in enumerate(lines):
            sheet.merge_range(row, 0, row, last, words, form)
        sheet.freeze_panes(header + 1, 1)
        for position, column in enumerate(layout.columns):
            sheet.write_string(header, position, column.heading, heading)
    return target.getvalue()


def problem_list(errors: Iterable[ImportProblem], warnings: Iterable[ImportProblem] = ()) -> bytes:
    """Errors and warnings as a table to work through."""
    target = BytesIO()
    rows = [
        (row_numbers.label(one.row), one.column, kind, one.cause, one.fix)
        for kind, problems in (("错误", errors), ("提醒", warnings))
        for one in problems
    ]
    write_xlsx(target, "问题清单", ("行", "列", "类别", "原因", "怎样改"), rows)
    return target.getvalue()


def marked(table: ImportTable, errors: Iterable[ImportProblem], layout: Layout) -> bytes:
    """What was read, row by row, with what is wrong in the last column; reading leaves that column out.

    Args:
        table: the rows; what stood in columns that were not read comes behind the layout's.
        errors: found in them.
        layout: order of the columns.
    """
    wrong: dict[int, list[str]] = {}
    for one in errors:
        wrong.setdefault(one.row, []).append(f"{one.column}：{one.cause}{one.fix}")
    own = [column for column in layout.columns if column.name in table.columns or column.required]
    names = [column.heading for column in own]
    target = BytesIO()
    rows = (
        (
            *(_shown(row.cells.get(column.name)) for column in own),
            *(_shown(row.others.get(heading)) for heading in table.unknown),
            "；".join(wrong.get(row.number, ())),
        )
        for row in table.rows
    )
    write_xlsx(target, layout.title, (*names, *table.unknown, MARKS), rows)
    return target.getvalue()


def _shown(cell: Cell) -> str:
    """As somebody would type it."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}"
    try:
        return cells.text(cell)
    except CellError:
        return str(cell)


def organisation_headings() -> list[str]:
    """Headings of the export: those of the import, so that it can be edited and imported again."""
    return [column.name for column in ORGANISATIONS.columns]


def organisation_rows(scope: Organisation | None = None) -> Iterator[list[str]]:
    """Open organisations in and below ``scope`` (all without), superiors first, in the columns of the import."""
    query = select(Organisation).where(Organisation.closed_at.is_(None))
    if scope is not None:
        query = query.where(subtree(Organisation.path, scope.path))
    loads = [joinedload(Organisation.parent)]
    return iter(Listing(query, [Organisation.path], loads=loads, dress=_organisation_rows))


def _organisation_rows(organisations: Sequence[Organisation]) -> list[list[str]]:
    ids = [organisation.id for organisation in organisations]
    seats, marks = queries.secretaries(ids), queries.marks(ids)
    rows = []
    for organisation in organisations:
        secretary = seats[organisation.id][0].account if organisation.id in seats else None
        month = marks.get(organisation.id)
        rows.append(
            [
                organisation.parent.full_name if organisation.parent else "",
                organisation.full_name,
                organisation.short_name,
                organisation.category.label,
                organisation.industry or "",
                secretary.name if secretary else "",
                (secretary.mobile or "") if secretary else "",
                organisation.phone or "",
                organisation.address or "",
                organisation.postcode or "",
                organisation.code,
                f"{month:%Y-%m}" if month else "",
            ]
        )
    return rows
