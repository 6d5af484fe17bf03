"""Small files for tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from xlsxwriter import Workbook

from tests.world import id_number
from zhtj.imports.files.layouts import ORGANISATIONS, ROSTER
from zhtj.imports.files.tables import ImportTable, Layout, TableRow

BRANCH = "江淮示范大学计算机学院2022级软件工程专业1班团支部"


def xlsx(rows: Sequence[Any], *, merges: Sequence[str] = (), sheet: str = "名单", more: bool = False) -> bytes:
    """A workbook of one sheet (``more``: and a second like it); merges as ``A1:C1``."""
    target = io.BytesIO()
    with Workbook(target, {"in_memory": True}) as book:
        for name in [sheet, "另一张"] if more else [sheet]:
            page = book.add_worksheet(name)
            for place in merges:
                page.merge_range(place, "")
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    return target.getvalue()


def workbook(sheets: Mapping[str, Sequence[Any]], *, hidden: Sequence[str] = ()) -> bytes:
    """A workbook of these sheets; rows as lists of cells."""
    target = io.BytesIO()
    with Workbook(target, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
            if name in hidden:
                page.hide()
    return target.getvalue()


def csv_bytes(rows: Sequence[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A csv file."""
    target = io.StringIO()
    csv.writer(target, delimiter=delimiter).writerows(rows)
    return target.getvalue().encode(encoding)


def table(layout: Layout, rows: Sequence[dict[str, Any]]) -> ImportTable:
    """A table as the reader would give it; data from row 2 on."""
    return ImportTable(
        [TableRow(number, dict(row)) for number, row in enumerate(rows, start=2)], 1, [c.name for c in layout.columns]
    )


def person(serial: int, **cells: Any) -> dict[str, Any]:
    """A right roster row; None leaves a cell empty. Keys are column names."""
    row = {
        "姓名": "王敏",
        "身份证号码": id_number(serial),
        "手机号码": f"1360000{serial:04d}",
        "入团年月": "2019-05",
        "发展团员编号": f"20193401{serial:04d}",
        "所在团支部": BRANCH,
    }
    return {name: value for name, value in {**row, **cells}.items() if value is not None}


def roster(*rows: dict[str, Any]) -> ImportTable:
    """A roster of such rows."""
    return table(ROSTER, rows)


def organisation(name: str, parent: str, **cells: Any) -> dict[str, Any]:
    """A right row of the organisation file: a branch unless ``组织类别`` says otherwise."""
    row = {
        "上级组织": parent,
        "组织全称": name,
        "组织简称": name,
        "组织类别": "团支部",
        "单位所属行业类别": "普通高等院校",
    }
    return {column: value for column, value in {**row, **cells}.items() if value is not None}


def tree(*rows: dict[str, Any]) -> ImportTable:
    """An organisation file of such rows."""
    return table(ORGANISATIONS, rows)
