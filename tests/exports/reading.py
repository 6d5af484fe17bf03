"""Reads exported files the way a person opens them."""

from __future__ import annotations

import csv
import io

from openpyxl import load_workbook

Rows = list[list[str]]


def xlsx(data: bytes) -> tuple[Rows, dict[str, str]]:
    """The rows of the sheet, headings first, and what the sheet 说明 says."""
    book = load_workbook(io.BytesIO(data))
    rows = [[str(cell or "") for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    about = {str(label): str(words) for label, words in book["说明"].iter_rows(values_only=True)}
    return rows, about


def csv_file(data: bytes) -> tuple[Rows, str]:
    """The rows, headings first, and the last line."""
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    return rows[:-1], rows[-1][0]
