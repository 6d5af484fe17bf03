"""Every format, however it was written: each cell of a visible sheet arrives, or the file is refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.imports.files import formats
from tests.imports.files.formats import Odd, Rows
from tests.imports.making import csv_bytes
from zhtj.imports.files import workbooks
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.readers import reading_process
from zhtj.imports.files.unpack import NO_RESULT
from zhtj.imports.files.workbooks import Sheet

HEADINGS = ["姓名", "身份证号码", "入团年月", "备注"]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in this process: a test of hundreds starts none."""

    def unpacked(data: bytes, kind: str) -> list[Sheet]:
        reader = import_module(f"zhtj.imports.files.readers.{reading_process.READERS[kind]}")
        return workbooks._sheets(json.loads(json.dumps(line)) for line in reader.read(data))

    monkeypatch.setattr(workbooks, "_unpacked", unpacked)


@dataclass
class Form:
    """One way of writing a file; ``plain``: its cells are texts and nothing else."""

    name: str
    write: Callable[..., bytes]
    plain: bool = False
    hides: bool = True


def _text(write: Callable[..., str], encoding: str, *, mark: bytes = b"", **options: Any) -> Callable[..., bytes]:
    return lambda rows, hidden=(): mark + write(rows, hidden, **options).encode(encoding)


def _xlsx(unfinished: str = "", **changes: Any) -> Callable[..., bytes]:
    return lambda rows, hidden=(): formats.reworked(formats.xlsx(rows, hidden, unfinished=unfinished), **changes)


def _xls(*, bare: bool = False, name: str = "Workbook", **options: Any) -> Callable[..., bytes]:
    def write(rows: Rows, hidden: Any = ()) -> bytes:
        stream = formats.xls(rows, hidden, **options)
        return stream if bare else formats.contained(stream, name)

    return write


def _csv(rows: Rows, _: Any = (), *, encoding: str, delimiter: str) -> bytes:
    return csv_bytes([[formats.shown(cell) for cell in row] for row in rows], encoding, delimiter)


def _far(row: int, column: str, blank: str) -> Callable[[str], str]:
    cell = f'<row r="{row}"><c r="{column}{row}" t="inlineStr"><is><t xml:space="preserve">{blank}</t></is></c></row>'
    return lambda text: text.replace("</sheetData>", f"{cell}</sheetData>")


BEFORE = {
    "nothing": "",
    "doctype": "<!DOCTYPE html><html><head><meta charset='{}'></head><body>",
    "office": "<html xmlns:x='urn:schemas-microsoft-com:office:excel'><head>"
    "<meta http-equiv=Content-Type content='text/html; charset={}'>"
    "<!--[if gte mso 9]><xml><x:ExcelWorkbook><x:Name>名</x:Name></x:ExcelWorkbook></xml><![endif]--></head>",
    "div": "<div>\r\n\t<p>名单</p>",
    "style": "<style>td {{mso-number-format:'\\@'}}</style>",
    "comment": "<!-- exported <b>by</b> a system -->\n",
    "xhtml": "<?xml version='1.0' encoding='{}'?>\n<html xmlns='http://www.w3.org/1999/xhtml'><body>",
    "words": "查询成功 \n",
    "blanks": "\r\n \t",
    "script": "<script>if (1 < 2) document.write('<td>x</td>')</script>",
}
ENCODINGS = {"utf-8": b"", "utf-8-sig": b"", "gb18030": b"", "utf-16": b"", "utf-16-le": b"", "utf-16-be": b"\xfe\xff"}
FORMS = [
    Form("xlsx", _xlsx()),
    Form("xlsx with empty values", _xlsx("<v></v>")),
    Form("xlsx with closed values", _xlsx("<v />")),
    Form("xlsx prefixed", _xlsx("<v/>", sheet=formats.prefixed)),
    Form("xlsx in apostrophes", _xlsx(sheet=lambda text: text.replace('"', "'"))),
    Form(
        "xlsx with blanks at signs",
        _xlsx(sheet=lambda text: text.replace(' t="', ' t = "').replace(' hidden="', ' hidden= "')),
    ),
    Form("xlsx in UTF-16", _xlsx(every=lambda text: text.replace("UTF-8", "UTF-16"), encoding="utf-16")),
    Form("xlsx in GBK", _xlsx(every=lambda text: text.replace("UTF-8", "GBK"), encoding="gb18030")),
    Form("xlsx with a mark", _xlsx(encoding="utf-8-sig")),
    Form("xlsx with backslashes", _xlsx(name=lambda name: name.replace("/", "\\"))),
    Form("xlsx with backslashes inside", _xlsx(every=lambda text: text.replace('"worksheets/', '"worksheets\\'))),
    Form("xlsx in capitals", _xlsx(name=lambda name: name.replace("xl/w", "xl/W"))),
    Form("xlsx with a far blank column", _xlsx(sheet=_far(9, "XFD", " "))),
    Form("xlsx with a far blank row", _xlsx(sheet=_far(1048576, "A", "&#12288;"))),
    Form("xlsx with a farthest blank", _xlsx(sheet=_far(1048576, "XFD", " "))),
    Form("xls", _xls()),
    Form("xls bare", _xls(bare=True)),
    Form("xls 5.0", _xls(new=False, name="Book")),
    Form("xls 5.0 bare", _xls(new=False, bare=True)),
    Form("xls 5.0 called Western", _xls(new=False, codepage=1252, name="Book")),
    Form("xls 5.0 of a Macintosh", _xls(new=False, codepage=10008, name="Book")),
    Form("xls 5.0 of nowhere", _xls(new=False, codepage=21010, name="Book")),
    *(
        Form(
            f"page after {name} in {encoding}",
            _text(formats.web_page, encoding, mark=mark, before=before.format(encoding)),
            plain=True,
        )
        for name, before in BEFORE.items()
        for encoding, mark in ENCODINGS.items()
        if not (encoding == "utf-16-le" and name in {"words", "blanks"})
    ),
    Form("page without ends", _text(formats.web_page, "utf-8", closed=False), plain=True),
    *(
        Form(
            f"workbook in XML, {prefix or 'no prefix'}, {encoding}",
            _text(formats.workbook_xml, encoding, mark=mark, prefix=prefix, declared=encoding),
        )
        for prefix in ("", "ss:", "x:")
        for encoding, mark in ENCODINGS.items()
    ),
    *(
        Form(
            f"csv with {delimiter!r} in {encoding}",
            partial(_csv, encoding=encoding, delimiter=delimiter),
            plain=True,
            hides=False,
        )
        for delimiter in (",", "\t", ";", "，", "|")
        for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16")
    ),
]
words = st.text("王敏李明阿古丽林江山0189XxAz·（）- ", min_size=1, max_size=9).filter(
    lambda text: text == " ".join(text.split())
)
cells = st.one_of(
    words,
    words,
    st.none(),
    st.integers(0, 10**11).map(float),
    st.dates(date(1950, 1, 1), date(2030, 1, 1)),
    st.booleans(),
    st.just(Odd.ERROR),
    st.just(Odd.UNFINISHED),
)
# Each row has words and so is one, whatever else it has.
rows = st.lists(st.tuples(words, cells, cells, cells), min_size=1, max_size=6)


def expected(form: Form, table: Rows) -> dict[tuple[int, int], Any]:
    found = {}
    for number, row in enumerate(table, start=1):
        for column, cell in enumerate(row):
            said = cell
            if cell is Odd.UNFINISHED:
                said = NO_RESULT if form.hides else ""
            elif form.plain or cell is Odd.ERROR:
                said = formats.shown(cell)
            if said not in {None, ""}:
                found[number, column] = said
    return found


def delivered(sheet: Sheet) -> dict[tuple[int, int], Any]:
    return {
        (number, column): cell.date() if isinstance(cell, datetime) else cell
        for number, row in sheet.rows
        for column, cell in enumerate(row)
        if cell is not None and str(cell).strip()
    }


def best(sheets: list[Sheet]) -> Sheet:
    """Of csv there is one sheet for each possible delimiter."""
    return max(sheets, key=lambda sheet: max(len(row) for _, row in sheet.rows))


@pytest.mark.slow("writes and reads hundreds of files")
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.usefixtures("here")
@settings(
    max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(rows=rows, data=st.data())
def test_every_cell_arrives_whatever_the_format(form: Form, rows: Rows, data: st.DataObject) -> None:
    table: Rows = [HEADINGS, *rows]
    hidden = data.draw(st.sets(st.integers(2, len(table))))

    sheet = best(workbooks.read(form.write(table, hidden)))

    assert delivered(sheet) == expected(form, table)
    assert sheet.hidden == (sorted(hidden) if form.hides else [])
    assert sheet.visible


@pytest.mark.parametrize(
    "name", ["xlsx in UTF-16", "xls 5.0", "page after style in gb18030", "workbook in XML, no prefix, utf-8"]
)
def test_the_reading_process_gives_the_same(name: str) -> None:
    form = next(form for form in FORMS if form.name == name)
    table: Rows = [HEADINGS, ["王敏", 1.0, Odd.ERROR, Odd.UNFINISHED]]

    (sheet,) = workbooks.read(form.write(table, {2}))

    assert delivered(sheet) == expected(form, table)
    assert sheet.hidden == [2]


def _with_hidden_columns(kind: str) -> bytes:
    rows: Rows = [HEADINGS, ["王敏", 1.0]]
    if kind == "xls":
        return formats.xls(rows, hidden_columns=(2, 3))
    if kind == "xml":
        about = '<Table><Column/><Column ss:Index="3" ss:Hidden="1" ss:Span="1"/>'
        return formats.workbook_xml(rows).replace("<Table>", about).encode()
    return _with_columns('<col min="1" max="1" width="9"/><col min="3" max="4" hidden="1" width="0"/>', rows)


def _with_columns(about: str, rows: Rows) -> bytes:
    columns = f"<cols>{about}</cols><sheetData>"
    return formats.reworked(formats.xlsx(rows), sheet=lambda text: text.replace("<sheetData>", columns))


@pytest.mark.parametrize("kind", ["xlsx", "xls", "xml"])
def test_hidden_columns_are_told(kind: str) -> None:
    (sheet,) = workbooks.read(_with_hidden_columns(kind))
    assert sheet.hidden_columns == {2, 3}
    assert sheet.hidden == []


def test_hidden_columns_are_counted_as_the_cells_are() -> None:
    shifted = [[None, None, "姓名", "学号", "专业"], [None, None, "王敏", "1", "软件"]]
    (sheet,) = workbooks.read(_with_columns('<col min="1" max="4" hidden="1" width="0"/>', shifted))
    first = sheet.rows[0][1]
    assert {first[at] for at in sheet.hidden_columns if at < len(first)} - {None} == {"姓名", "学号"}


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_long_text_arrives_whole(kind: str) -> None:
    words = "安" * 5000
    data = formats.xlsx([HEADINGS, [words]]) if kind == "xlsx" else f"姓名,学号\n{words},1\n".encode()
    assert workbooks.read(data)[0].rows[1][1][0] == words


def test_a_web_page_may_merge_cells_and_stand_one_table_in_another() -> None:
    page = """<table><tr><td>花名册<table>
        <tr><th rowspan=2>姓名<th colspan=2>联系方式<th rowspan=2>团支部</tr>
        <tr><th>手机<br>号码<th>紧急电话</tr>
        <tr><td>王敏<td x:num="13600000001">1.36E+10<td><td rowspan=2>一班
        <tr><td>李明<td>1<td>2
        <tr style='display:none'><td>张强<td>2018.1<td x:fmla="=A1"><td>&nbsp;</table></td></tr></table>"""

    inner, outer = sorted(workbooks.read(page.encode()), key=lambda sheet: -len(sheet.rows))

    assert [row for _, row in outer.rows] == [["花名册"]]
    assert inner.hidden == [5]
    assert inner.rows == [
        (1, ["姓名", "联系方式", None, "团支部"]),
        (2, ["姓名", "手机 号码", "紧急电话", "团支部"]),
        (3, ["王敏", 13600000001.0, None, "一班"]),
        (4, ["李明", "1", "2", "一班"]),
        (5, ["张强", 2018.1, NO_RESULT, "\xa0"]),
    ]


def test_a_workbook_in_xml_may_merge_cells_and_hide_sheets() -> None:
    cell = '<Cell ss:MergeDown="1"><Data ss:Type="String">王敏</Data></Cell>'
    row = f'<Row>{cell}<Cell ss:MergeAcross="1"/><Cell ss:Index="5"/></Row>'
    content = formats.workbook_xml([]).replace(
        "</Table></Worksheet>",
        f'{row}<Row><Cell><Data ss:Type="String">一<B>班</B></Data></Cell></Row></Table><WorksheetOptions>'
        "<Visible>SheetHidden</Visible></WorksheetOptions></Worksheet>",
    )

    (sheet,) = workbooks.read(content.encode())

    assert not sheet.visible
    assert sheet.rows == [(1, ["王敏"]), (2, ["王敏", "一班"])]


def test_an_old_workbook_may_merge_cells_and_hide_sheets() -> None:
    rows: Rows = [["甲", "乙"], [None, "丙"], ["丁", date(2019, 5, 1)]]

    (sheet,) = workbooks.read(formats.contained(formats.xls(rows, merges=[(0, 1, 0, 0)], visibility=2)))

    assert not sheet.visible
    assert sheet.rows == [(1, ["甲", "乙"]), (2, ["甲", "丙"]), (3, ["丁", date(2019, 5, 1)])]


def test_formulas_copied_down_in_advance_are_no_rows() -> None:
    (sheet,) = workbooks.read(formats.contained(formats.xls([["王敏"], [2.0, Odd.UNFINISHED], [Odd.UNFINISHED]])))

    assert sheet.rows == [(1, ["王敏"]), (2, [2.0])]


def test_a_formula_whose_value_is_no_text_at_all_is_calculated() -> None:
    book = formats.reworked(formats.xlsx([["王敏", Odd.UNFINISHED, "x"]], unfinished="<v></v>"), sheet=_as_text)

    (sheet,) = workbooks.read(book)

    assert sheet.rows == [(1, ["王敏", None, "x"])]


def _as_text(text: str) -> str:
    return text.replace('<c r="B1"', '<c r="B1" t="str"')


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n<html><table><tr><td>x</table>", "单个文件网页"),
        (b"From: x\r\nSubject: y\r\nMIME-Version: 1.0\r\n\r\n<html>", "单个文件网页"),
        (b"<?xml version='1.0'?><list><person>x</person></list>", "XML 文件"),
        (b"<html><frameset><frame src='sheet001.htm'></frameset></html>", "网页格式"),
        (b"\xef\xbb\xbf<table><tr><td></td></tr></table>", "网页格式"),
        ("<!-- x -->\n<style>td{}</style>".encode("utf-16"), "网页格式"),
        (formats.workbook_xml([["x"]]).replace("</Row>", "").encode(), "损坏"),
        (formats.workbook_xml([["&x;"]]).replace("?>", "?><!DOCTYPE x [<!ENTITY x 'y'>]>", 1).encode(), "损坏"),
        (formats.xlsx([["x", *[None] * 1100, "y"]]), "第 1,000 列之后"),
        (formats.contained(b"no workbook", "Letter"), "损坏"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_way_out(data: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words) as raised:
        workbooks.read(data, "名单.xls")
    assert "另存" in raised.value.fix


@pytest.mark.slow("writes and reads a long sheet")
def test_a_long_sheet_is_mended_in_pieces() -> None:
    numbers = [Odd.ERROR if position % 1000 == 999 else position for position in range(20_000)]
    rows: Rows = [[f"团员{position}", number, Odd.UNFINISHED] for position, number in enumerate(numbers)]

    (sheet,) = workbooks.read(formats.reworked(formats.xlsx(rows, [15_000]), sheet=_far(1048576, "XFD", " ")))

    assert [(number, row[1], row[2]) for number, row in sheet.rows] == [
        (position, "#N/A" if number is Odd.ERROR else number, NO_RESULT)
        for position, number in enumerate(numbers, start=1)
    ]
    assert sheet.hidden == [15_000]
