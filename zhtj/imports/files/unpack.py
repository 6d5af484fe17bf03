"""Reads a workbook in a process of its own: ``python unpack.py < book.xlsx`` prints one JSON document a line.

A workbook of a few kilobytes can claim billions of cells. Here it meets limits of memory and time, and takes nobody
down with it. Run by path, so that nothing but the reader is loaded. Formulas arrive as their values.

Lines: ``{"name", "visible"}`` opens a sheet, then ``[row number, cells]`` for each row that is not empty; a cell merged
over several rows counts in each of them. ``{"problem": "password" | "broken" | "size"}`` ends it all.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

MEMORY = 2**30
SECONDS = 60
MAX_ROWS = 100_100
"""Rows of one sheet that are not empty: the data and what stands above and below it."""
MAX_COLUMNS = 200
MAX_TEXT = 500
MAX_OUTPUT = 200 * 2**20


def encode(value: Any) -> Any:
    """A cell as JSON; dates and times carry their kind."""
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, time | timedelta):
        return {"time": str(value)}
    return value


def _cells(row: list[Any]) -> list[Any]:
    end = min(len(row), MAX_COLUMNS)
    while end and row[end - 1] == "":
        end -= 1
    return [encode(value) for value in row[:end]]


def _merges(sheet: Any) -> dict[int, list[tuple[int, int]]]:
    """Merged cells over several rows, by their first row: column (from the first used) and last row."""
    left = sheet.start[1] if sheet.start else 0
    found: dict[int, list[tuple[int, int]]] = {}
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or []:
        if top < bottom and left <= column < left + MAX_COLUMNS:
            found.setdefault(top, []).append((column - left, bottom))
    return found


def _rows(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """Rows that have a cell of their own, with their numbers; merged cells filled downwards."""
    merges = _merges(sheet)
    open_merges: dict[int, tuple[int, Any]] = {}
    for place, row in enumerate(sheet.iter_rows()):
        for column, bottom in merges.get(place, []):
            open_merges[column] = (bottom, row[column])
        cells = _cells(row)
        if not cells:
            continue
        for column, (bottom, value) in open_merges.items():
            if place <= bottom:
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = cells[column] or encode(value)
        yield place + 1, cells


def lines(workbook: Any) -> Iterator[Any]:
    """Everything in the workbook, line by line."""
    for sheet in workbook.sheets_metadata:
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        opened = workbook.get_sheet_by_name(sheet.name)
        yield {"name": sheet.name, "visible": sheet.visible == SheetVisibleEnum.Visible}
        for count, line in enumerate(_rows(opened), start=1):
            if count > MAX_ROWS:
                yield {"problem": "size"}
                return
            yield line


def main() -> int:
    """Read standard input, write standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    out = sys.stdout.buffer
    written = 0
    problem = ""
    try:
        with CalamineWorkbook.from_filelike(BytesIO(sys.stdin.buffer.read())) as workbook:
            for line in lines(workbook):
                written += out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
                if written > MAX_OUTPUT:
                    problem = "size"
                    break
    except PasswordError:
        problem = "password"
    except MemoryError:
        problem = "size"
    except (CalamineError, OSError, ValueError):
        problem = "broken"
    if problem:
        out.write(json.dumps({"problem": problem}).encode() + b"\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
