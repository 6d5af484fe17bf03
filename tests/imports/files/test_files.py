"""Opening files and finding the table in them."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest

from tests.imports.conftest import DATA
from tests.imports.making import csv_bytes, xlsx
from zhtj.imports.files import cells, finding, tables, unpack, workbooks
from zhtj.imports.files.cells import CellError
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.files.workbooks import Sheet

HEADINGS = ["姓名", "身份证号码", "手机号码", "所在团支部"]
PERSON = ["王敏", "340104200403140017", "13600000001", "一班团支部"]


def find(data: bytes, name: str = "名单.xlsx") -> ImportTable:
    return finding.find(workbooks.read(data, name), ROSTER)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_every_usual_encoding(encoding: str, delimiter: str) -> None:
    table = find(csv_bytes([["花名册"], HEADINGS, [], PERSON], encoding, delimiter), "名单.csv")

    assert (table.header_row, table.typed) == (2, False)
    assert [(row.number, row.cells["姓名"]) for row in table.rows] == [(4, "王敏")]


def test_a_quotation_mark_too_many_swallows_no_rows() -> None:
    data = ",".join(HEADINGS) + '\n"王敏,1,2,3\n李明,1,2,3\n'
    with pytest.raises(FileError, match="引号"):
        find(data.encode(), "名单.csv")


def test_columns_may_stand_in_any_order_with_stars_blanks_and_other_names() -> None:
    headings = ["序号", "所在团支部 *", "手机\n号码（必填）", "姓　名*", "身份证号：", "备注"]
    table = find(xlsx([["标题"], headings, [1, "一班", 13600000001, "王敏", PERSON[1], "无"]]))

    assert table.columns == ["所在团支部", "手机号码", "姓名", "身份证号码"]
    assert table.rows[0].cells == {
        "所在团支部": "一班",
        "手机号码": 13600000001.0,
        "姓名": "王敏",
        "身份证号码": PERSON[1],
    }
    assert table.unknown == ["序号", "备注"]
    assert [(one.row, one.column) for one in table.remarks()] == [(2, "备注")]


def test_headings_over_two_rows_are_one_header() -> None:
    rows = [
        ["花名册"],
        ["姓名", "身份证号码", "联系方式", None, "所在团支部"],
        [None, None, "手机号码", "紧急联系电话"],
        ["王敏", PERSON[1], "13600000001", "13700000000", "一班"],
    ]
    table = find(xlsx(rows, merges=["A1:E1", "A2:A3", "B2:B3", "C2:D2", "E2:E3"]))

    assert (table.header_row, len(table.rows)) == (3, 1)
    assert table.columns == ["姓名", "身份证号码", "手机号码", "紧急联系电话", "所在团支部"]


def test_a_cell_merged_over_several_people_counts_for_each() -> None:
    rows = [HEADINGS, PERSON, ["李明", "x", "y"], ["张强", "x", "y"], ["赵云", "x", "y", "二班团支部"]]
    table = find(xlsx(rows, merges=["D2:D4"]))

    assert [row.cells["所在团支部"] for row in table.rows] == ["一班团支部", "一班团支部", "一班团支部", "二班团支部"]


def test_totals_notes_blanks_and_repeated_headings_are_no_data() -> None:
    rows = [HEADINGS, ["填写说明：示例"], PERSON, [], HEADINGS, PERSON, ["合 计", 2], ["填表人：王老师"], ["共2人"]]
    table = find(xlsx(rows))

    assert [row.number for row in table.rows] == [3, 6]
    assert [row for row, _ in table.skipped] == [2, 5, 7, 8, 9]


def test_a_person_whose_row_begins_like_a_note_stays() -> None:
    table = find(xlsx([HEADINGS, ["合计", *PERSON[1:]]]))
    assert [row.number for row in table.rows] == [2]


def test_a_row_that_only_carries_a_serial_number_is_blank() -> None:
    table = find(xlsx([["序号", *HEADINGS], [1, *PERSON], [2], [3]]))
    assert [row.number for row in table.rows] == [2]


def test_the_sheet_with_the_header_is_read_whatever_comes_first() -> None:
    book = io.BytesIO()
    from openpyxl import Workbook  # noqa: PLC0415

    made = Workbook()
    made.active.append(["团委", "普通高等院校"])
    page = made.create_sheet("花名册")
    page["C5"], page["D5"], page["E5"], page["F5"] = HEADINGS
    page["C6"], page["D6"], page["E6"], page["F6"] = PERSON
    page["G6"] = datetime(2019, 5, 1)  # noqa: DTZ001 - cells know no zone
    made.save(book)

    table = find(book.getvalue())

    assert (table.header_row, [row.number for row in table.rows]) == (5, [6])


def test_all_sheets_with_a_list_are_read() -> None:
    table = find(xlsx([HEADINGS, PERSON], more=True))

    assert table.sheets == ["名单", "另一张"]
    assert [label(row.number) for row in table.rows] == ["第 2 行", "第 2 张表第 2 行"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["你好"], ["世界"]], "没有找到表头行"),
        ([["姓名", "手机号码", "学号"], PERSON], "缺少必需的列：身份证号码、所在团支部"),
        ([[*HEADINGS, "手机"], PERSON], "同名的列出现了两次：手机号码"),
        ([HEADINGS, ["合计", "0"]], "没有数据"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_clear_error(rows: list[list[str]], words: str) -> None:
    with pytest.raises(FileError, match=words) as raised:
        find(xlsx(rows))
    assert raised.value.fix


def test_formulas_count_by_their_values() -> None:
    target = io.BytesIO()
    from xlsxwriter import Workbook  # noqa: PLC0415

    with Workbook(target, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADINGS)
        page.write_row(1, 0, PERSON)
        page.write_formula(1, 0, '="王"&"敏"', None, "王敏")
    assert find(target.getvalue()).rows[0].cells["姓名"] == "王敏"


def test_the_old_format_is_read_too() -> None:
    table = find((DATA / "roster-97.xls").read_bytes(), "名单.xls")

    first, second = table.rows
    assert (first.number, second.number, table.skipped) == (3, 4, [(6, "合计")])
    assert (first.cells["手机号码"], first.cells["入团年月"]) == (13600000001.0, date(2019, 5, 1))
    assert second.cells["所在团支部"] == first.cells["所在团支部"]
    with pytest.raises(CellError, match="丢失"):
        cells.compact(second.cells["身份证号码"])


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "名单.xlsx", "空"),
        (b"  \n", "名单.csv", "空"),
        (b"PK\x03\x04 nothing", "名单.xlsx", "损坏"),
        (xlsx([HEADINGS]), "名单.xlsm", "宏"),
        (b"<html><table></table></html>", "名单.xls", "网页"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "名单.xlsx", "密码"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "_VBA_PROJECT".encode("utf-16-le"), "名单.xls", "宏"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0", "图.png", "不认识"),
        (b"%PDF-1.7 \xff\xfe\x00\x81", "名单.pdf", "编码"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "名单.xls", "损坏"),
    ],
)
def test_what_is_no_such_file_is_refused_with_advice(data: bytes, name: str, words: str) -> None:
    with pytest.raises(FileError, match=words) as raised:
        workbooks.read(data, name)
    assert raised.value.fix


def _zip(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return target.getvalue()


def test_macros_are_found_inside() -> None:
    data = _zip(**{"xl__workbook.xml": b"<a/>", "xl__vbaProject.bin": b"x"})
    with pytest.raises(FileError, match="宏"):
        workbooks.read(data, "名单.xlsx")


def test_another_kind_of_zip_is_no_workbook() -> None:
    with pytest.raises(FileError, match=r"不是 \.xlsx"):
        workbooks.read(_zip(content=b"x"), "名单.xlsx")


def test_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_UNCOMPRESSED", 2**20)
    monkeypatch.setattr(workbooks, "_unpacked", lambda _: pytest.fail("unpacked"))
    data = _zip(**{"xl__workbook.xml": b"\0" * 2**21})
    assert len(data) < 2**14
    with pytest.raises(FileError, match="内容太多"):
        workbooks.read(data, "名单.xlsx")


def test_a_sheet_that_claims_billions_of_cells_takes_nobody_down() -> None:
    book = xlsx([HEADINGS, PERSON])
    source = zipfile.ZipFile(io.BytesIO(book))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                content = content.replace(b"</sheetData>", far)
            archive.writestr(name, content)
    with pytest.raises(FileError, match=r"过大|太多"):
        workbooks.read(target.getvalue(), "名单.xlsx")


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_ROWS", 50)
    with pytest.raises(FileError, match="一次最多"):
        workbooks.read(csv_bytes([HEADINGS, *[PERSON] * 60]), "名单.csv")


def test_a_file_that_is_too_long_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_BYTES", 10)
    with pytest.raises(FileError, match="超过"):
        workbooks.read(b"x" * 11)


def test_what_is_kept_between_preview_and_import_is_the_same(roster_table: ImportTable) -> None:
    assert tables.load(tables.dump(roster_table)) == roster_table


def test_the_samples_rows_are_numbered_as_the_spreadsheet_program_does(roster_table: ImportTable) -> None:
    assert (len(roster_table.rows), roster_table.header_row) == (425, 3)
    assert (roster_table.rows[0].number, roster_table.rows[-1].number) == (4, 428)
    assert roster_table.skipped == [(431, "合计")]
    assert [sheet.visible for sheet in workbooks.read((DATA / "roster-sample.xlsx").read_bytes())] == [True, False]


def test_sheets_without_cells_have_no_table() -> None:
    with pytest.raises(FileError, match="表头"):
        finding.find([Sheet("空")], ROSTER)
