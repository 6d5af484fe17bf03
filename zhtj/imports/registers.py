"""Registers of the documents as xlsx: their own headings, some of them over two columns. Every cell is text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import BinaryIO

from zhtj.imports.exports import Heading, write_xlsx


def write_register(target: BinaryIO, title: str, columns: Sequence[Heading], rows: Iterable[Sequence[str]]) -> int:
    """Write a register: its title, its headings merged as on the printed form, then the lines.

    Args:
        target: where to.
        title: over the whole width, and the name of the sheet.
        columns: a heading, or a pair of one and those that stand below it.
        rows: as many cells as there are columns at the bottom.

    Returns:
        The number of rows.
    """
    return write_xlsx(target, title, columns, rows, banner=True)
