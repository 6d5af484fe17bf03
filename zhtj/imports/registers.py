"""Registers of the documents as xlsx: their own headings, some of them over two columns. Every cell is text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import BinaryIO

from xlsxwriter import Workbook

Heading = str | tuple[str, tuple[str, ...]]


def write_register(target: BinaryIO, title: str, columns: Sequence[Heading], rows: Iterable[Sequence[str]]) -> int:
    """Write a register: title, two rows of headings merged as on the printed form, then the lines.

    Args:
        target: where to.
        title: over the whole width, and the name of the sheet.
        columns: a heading, or a pair of one and those that stand below it.
        rows: as many cells as there are columns at the bottom.

    Returns:
        The number of rows.
    """
    count = 0
    # Not in constant memory: a cell that is merged downwards is written in two rows at once.
    with Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet = workbook.add_worksheet(title)
        bold = {"bold": True, "align": "center", "valign": "vcenter"}
        head = workbook.add_format({**bold, "bg_color": "#EFF1F4", "border": 1, "text_wrap": True})
        plain = workbook.add_format({"num_format": "@"})
        width = sum(1 if isinstance(column, str) else len(column[1]) for column in columns)
        sheet.set_column(0, width - 1, 20, plain)
        sheet.merge_range(0, 0, 0, width - 1, title, workbook.add_format({**bold, "font_size": 16}))
        place = 0
        for column in columns:
            if isinstance(column, str):
                sheet.merge_range(1, place, 2, place, column, head)
                place += 1
                continue
            above, below = column
            sheet.merge_range(1, place, 1, place + len(below) - 1, above, head)
            for words in below:
                sheet.write_string(2, place, words, head)
                place += 1
        sheet.freeze_panes(3, 0)
        for count, row in enumerate(rows, start=1):
            for cell, words in enumerate(row):
                sheet.write_string(count + 2, cell, words, plain)
    return count
