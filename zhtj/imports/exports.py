"""Spreadsheets out: templates, organisations, lists of errors. Every cell is text; none is ever a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO, TextIO

from sqlalchemy import select
from sqlalchemy.orm import joinedload
from xlsxwriter import Workbook

from zhtj.imports import queries
from zhtj.imports.layouts import ORGANISATIONS
from zhtj.imports.problems import Problem
from zhtj.imports.tables import Layout
from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import Organisation

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK = 2000
_TEMPLATE_ROWS = 3000
_WIDE, _NARROW = 28, 14
_WIDE_FROM = 60  # characters a column has room for
# What a spreadsheet program would read as the start of a formula in csv.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _workbook(target: BinaryIO) -> Workbook:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    return Workbook(target, options)


def write_xlsx(target: BinaryIO, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a table; rows go out as they come, so that memory does not grow with them. Returns their number."""
    count = 0
    with _workbook(target) as workbook:
        sheet = workbook.add_worksheet(title)
        bold = workbook.add_format({"bold": True, "bg_color": "#EFF1F4", "border": 1})
        plain = workbook.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headings) - 1, 22, plain)
        for place, heading in enumerate(headings):
            sheet.write_string(0, place, heading, bold)
        for count, row in enumerate(rows, start=1):
            for place, words in enumerate(row):
                if words:
                    sheet.write_string(count, place, words, plain)
    return count


def write_csv(target: TextIO, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write csv; an apostrophe keeps a text from being taken for a formula (reading drops it). Returns the rows."""
    writer = csv.writer(target)
    writer.writerow(headings)
    count = 0
    for row in rows:
        count += 1
        writer.writerow([f"'{words}" if words.startswith(_FORMULA) else words for words in row])
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
        for place, column in enumerate(layout.columns):
            sheet.set_column(place, place, _WIDE if column.width >= _WIDE_FROM else _NARROW, plain)
            if column.choices:
                rule = {"validate": "list", "source": list(column.choices)}
                sheet.data_validation(header + 1, place, header + _TEMPLATE_ROWS, place, rule)
        for row, (words, form) in enumerate(lines):
            sheet.merge_range(row, 0, row, last, words, form)
        sheet.freeze_panes(header + 1, 1)
        for place, column in enumerate(layout.columns):
            sheet.write_string(header, place, column.heading, heading)
    return target.getvalue()


def problem_list(errors: Iterable[Problem], warnings: Iterable[Problem] = ()) -> bytes:
    """Errors and warnings as a table to work through."""
    target = BytesIO()
    rows = [
        (str(one.row), one.column, kind, one.cause, one.fix)
        for kind, problems in (("错误", errors), ("提醒", warnings))
        for one in problems
    ]
    write_xlsx(target, "问题清单", ("行", "列", "类别", "原因", "怎样改"), rows)
    return target.getvalue()


def organisation_headings() -> list[str]:
    """Headings of the export: those of the import, so that it can be edited and imported again."""
    return [column.name for column in ORGANISATIONS.columns]


def organisation_rows(scope: Organisation | None = None) -> Iterator[list[str]]:
    """Open organisations in and below ``scope`` (all without), superiors first, in the columns of the import."""
    query = select(Organisation).where(Organisation.closed_at.is_(None)).options(joinedload(Organisation.parent))
    if scope is not None:
        query = query.where(subtree(Organisation.path, scope.path))
    after = ""
    while True:
        page = query.where(Organisation.path > after).order_by(Organisation.path).limit(_CHUNK)
        chunk = session.scalars(page).all()
        if not chunk:
            return
        ids = [organisation.id for organisation in chunk]
        seats, marks = queries.secretaries(ids), queries.marks(ids)
        for organisation in chunk:
            secretary = seats[organisation.id][0].account if organisation.id in seats else None
            month = marks.get(organisation.id)
            yield [
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
        after = chunk[-1].path
