"""Workbooks of the years before 2007 (xls), back to Excel 2.0; those of Excel 5.0 and 95 in whatever code page."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import time
from io import StringIO
from typing import Any

import xlrd
from xlrd.biffh import error_text_from_code

from zhtj.imports.files import unpack
from zhtj.imports.files.readers.sheet_lines import Spans, UnreadableError, has_content, sheet

_UNICODE = 80  # from Excel 97 on texts are Unicode
# Code pages that say what they mean; others of an old file are mostly wrong here, and its texts Chinese.
_MEANT = frozenset({932, 949, 950, 1361})
_CHINESE = "gb18030"
_DAMAGED = (
    xlrd.XLRDError,
    xlrd.compdoc.CompDocError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})
_SHEET, _END, _BEGIN = 0x0085, 0x000A, frozenset({0x0809, 0x0409, 0x0209, 0x0009})
_LEAST_TYPED = 2


def read(data: bytes) -> Iterator[Any]:
    """Everything in the workbook, line by line.

    Raises:
        UnreadableError: damaged, protected, too large.
    """
    book = _opened(data)
    unfinished = _unfinished(book)
    for position, page in enumerate(book.sheets()):
        hidden = [row + 1 for row, about in page.rowinfo_map.items() if about.hidden]
        columns = [column for column, about in page.colinfo_map.items() if about.hidden]
        rows = _rows(book, page, unfinished.get(position, set()))
        yield from sheet(page.name, visible=not page.visibility, rows=rows, hidden=hidden, columns=columns)


def _opened(data: bytes) -> Any:
    encoding = _encoding(data)
    failure: Exception | None = None
    # What is damaged in looks alone must not cost the content.
    for override, formatting in ((encoding, True), (encoding, False), (None, True), (None, False)):
        try:
            book = _open(data, encoding_override=override, formatting_info=formatting)
            book.sheets()
        except _DAMAGED as error:
            failure = error
        else:
            return book
    raise UnreadableError("password" if "encrypted" in str(failure) else "broken") from failure


def _open(data: bytes, **options: Any) -> Any:
    return xlrd.open_workbook(
        file_contents=data,
        logfile=StringIO(),
        ragged_rows=True,
        ignore_workbook_corruption=True,
        on_demand=True,
        **options,
    )


def _encoding(data: bytes) -> str | None:
    """In what the texts are written; None if the file says so rightly."""
    try:
        book = _open(data)
    except (UnicodeError, LookupError):
        return _CHINESE
    except _DAMAGED:
        return None
    return None if book.biff_version >= _UNICODE or book.codepage in _MEANT else _CHINESE


def _rows(book: Any, page: Any, unfinished: set[tuple[int, int]]) -> Iterator[tuple[int, list[Any]]]:
    merges: dict[int, list[tuple[int, int]]] = {}
    for top, bottom, left, _ in page.merged_cells:
        if bottom - top > 1:
            merges.setdefault(top, []).append((left, bottom - 1))
    spans = Spans()
    for row in range(page.nrows):
        kinds, values = page.row_types(row), page.row_values(row)
        cells = [_cell(book, kind, value) for kind, value in zip(kinds, values, strict=True)]
        for column, bottom in merges.get(row, ()):
            spans.open(column, bottom, cells[column] if column < len(cells) else "")
        if has_content(cells):
            typed = [cell for cell in cells if cell != ""]
            # Formulas copied down in advance, beside a serial number at most, are no row yet.
            if any(isinstance(cell, str) for cell in typed) or len(typed) >= _LEAST_TYPED:
                cells = [
                    unpack.NO_RESULT if (row, position) in unfinished else cell for position, cell in enumerate(cells)
                ]
            yield row + 1, spans.fill(row, cells)


def _cell(book: Any, kind: int, value: Any) -> Any:
    if kind == xlrd.XL_CELL_DATE:
        return _moment(value, book.datemode)
    if kind == xlrd.XL_CELL_ERROR:
        return error_text_from_code.get(value, "#N/A")
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    return "" if kind in {xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK} else value


def _moment(value: float, datemode: int) -> Any:
    try:
        moment = xlrd.xldate_as_datetime(value, datemode)
    except (xlrd.xldate.XLDateError, ValueError, OverflowError):
        return value
    if 0 <= value < 1:
        return moment.time()
    return moment.date() if moment.time() == time() else moment


def _unfinished(book: Any) -> dict[int, set[tuple[int, int]]]:
    """Formulas whose result is a text of no length, by the sheet's position: so are those that were never calculated.

    A program that calculates leaves a trace of the calculation in the record; 0 there tells the others.
    """
    found: dict[int, set[tuple[int, int]]] = {}
    starts: dict[int, int] = {}
    data, position = book.mem, book.base
    open_sheets: list[int] = []
    while position + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, position)
        if kind in _BEGIN:
            open_sheets.append(starts.get(position, -1))
        elif kind == _END and open_sheets:
            open_sheets.pop()
        elif kind == _SHEET and length > 5 and data[position + 9] == 0:  # noqa: PLR2004 - a worksheet, not a chart
            starts[book.base + struct.unpack_from("<I", data, position + 4)[0]] = len(starts)
        elif kind in _FORMULAS and length >= 20 and _is_unfinished(data[position + 4 : position + 24]):  # noqa: PLR2004
            row, column = struct.unpack_from("<HH", data, position + 4)
            found.setdefault(open_sheets[-1] if open_sheets else 0, set()).add((row, column))
        position += 4 + length
    return found


def _is_unfinished(record: bytes) -> bool:
    return record[6] == 3 and record[12:14] == b"\xff\xff" and record[16:20] == b"\0\0\0\0"  # noqa: PLR2004 - no text
