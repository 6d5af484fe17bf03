"""Workbooks of today (xlsx)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from zhtj.imports.files.readers.sheet_lines import Spans, UnreadableError, has_content, sheet
from zhtj.imports.files.readers.xlsx_parts import Hidden, prepared


def read(data: bytes) -> Iterator[Any]:
    """Everything in the workbook, line by line.

    Raises:
        UnreadableError: damaged, protected, too large.
    """
    content, hidden = prepared(data)
    try:
        with CalamineWorkbook.from_filelike(content) as workbook:
            for position, about in enumerate(workbook.sheets_metadata):
                if about.typ != SheetTypeEnum.WorkSheet:
                    continue
                opened = workbook.get_sheet_by_name(about.name)
                visible = about.visible == SheetVisibleEnum.Visible
                found = hidden.get(position, Hidden())
                left = opened.start[1] if opened.start else 0
                columns = [column - left for column in found.columns if column >= left]
                yield from sheet(about.name, visible=visible, rows=_rows(opened), hidden=found.rows, columns=columns)
    except PasswordError as error:
        raise UnreadableError("password") from error
    except CalamineError as error:
        raise UnreadableError("broken") from error


def _merges(opened: Any) -> dict[int, list[tuple[int, int]]]:
    """Merged cells over several rows, by their first row: column (from the first used) and last row."""
    left = opened.start[1] if opened.start else 0
    found: dict[int, list[tuple[int, int]]] = {}
    for (top, column), (bottom, _) in opened.merged_cell_ranges or []:
        if top < bottom and left <= column < left + opened.width:
            found.setdefault(top, []).append((column - left, bottom))
    return found


def _rows(opened: Any) -> Iterator[tuple[int, list[Any]]]:
    """Rows that have a cell of their own, with their numbers."""
    merges, spans = _merges(opened), Spans()
    for position, row in enumerate(opened.iter_rows()):
        for column, bottom in merges.get(position, ()):
            spans.open(column, bottom, row[column])
        if has_content(row):
            yield position + 1, spans.fill(position, row) if merges else row
