"""One number for a row of a file with several sheets: rows of the first sheet that is read keep their own.

Rows are told apart, sorted and kept by this number; people read ``label``, machines ``row_of`` and ``sheet_of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# No format has longer sheets.
_A_SHEET = 2**20


def number(sheet: int, row: int) -> int:
    """Number of a row.

    Args:
        sheet: position among the sheets that are read, from 0.
        row: as the spreadsheet program numbers it.
    """
    return sheet * _A_SHEET + row


def row_of(number: int) -> int:
    """The row, as the spreadsheet program numbers it."""
    return number % _A_SHEET


def sheet_of(number: int) -> int:
    """Position among the sheets that are read, from 1."""
    return number // _A_SHEET + 1


def as_dict(number: int) -> dict[str, int]:
    """For machines: the row, and the sheet from the second on."""
    sheet = sheet_of(number)
    return {"row": row_of(number), "sheet": sheet} if sheet > 1 else {"row": row_of(number)}


def restored(kept: Mapping[str, Any]) -> int:
    """The number of which ``as_dict`` made this."""
    return number(kept.get("sheet", 1) - 1, kept["row"])


def label(number: int) -> str:
    """For people: 第 3 行, or 第 2 张表第 3 行."""
    sheet = sheet_of(number)
    if row_of(number) == 0:
        return "文件" if sheet == 1 else f"第 {sheet} 张表"
    return (f"第 {sheet} 张表" if sheet > 1 else "") + f"第 {row_of(number)} 行"
