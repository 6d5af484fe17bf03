"""Writers of every format that people bring, in the forms in which other programs write them; for tests."""

from __future__ import annotations

import enum
import html
import io
import re
import struct
import zipfile
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from xlsxwriter import Workbook

HIDDEN_ROW = 0x20


class Odd(enum.Enum):
    """Cells that are no value."""

    ERROR = "#N/A"
    UNFINISHED = "a formula that nobody has calculated"


Rows = Sequence[Sequence[Any]]


def xlsx(rows: Rows, hidden: Collection[int] = (), *, unfinished: str = "") -> bytes:
    """A workbook of one sheet; ``unfinished``: what follows an uncalculated formula in its cell."""
    target = io.BytesIO()
    with Workbook(target, {"in_memory": True}) as book:
        page = book.add_worksheet("名单")
        dates = book.add_format({"num_format": 14})
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    page.write_datetime(number, column, cell, dates)
                elif isinstance(cell, Odd):
                    page.write_number(number, column, 424242 if cell is Odd.ERROR else 434343)
                elif cell is not None:
                    page.write(number, column, cell)
        for number in hidden:
            page.set_row(number - 1, None, None, {"hidden": True})
    return reworked(target.getvalue(), sheet=lambda text: _odd(text, unfinished))


def _odd(text: str, unfinished: str) -> str:
    text = re.sub(r"<c ([^>]*)><v>424242</v></c>", r'<c \1 t="e"><v>#N/A</v></c>', text)
    return re.sub(r"<c ([^>]*)><v>434343</v></c>", rf"<c \1><f>A1&amp;B1</f>{unfinished}</c>", text)


def reworked(
    book: bytes,
    *,
    sheet: Callable[[str], str] = str,
    every: Callable[[str], str] = str,
    name: Callable[[str], str] = str,
    encoding: str = "utf-8",
) -> bytes:
    """The workbook with the text of its sheets, of every part, and the names of the parts changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for part in source.namelist():
            content = source.read(part)
            if "theme" not in part:
                text = content.decode()
                text = every(sheet(text) if part.startswith("xl/worksheets/") else text)
                content = text.encode(encoding)
            about = zipfile.ZipInfo()
            about.filename = name(part)
            copy.writestr(about, content)
    return target.getvalue()


def prefixed(text: str) -> str:
    """A sheet whose elements have a prefix."""
    return re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", text).replace("xmlns=", "xmlns:x=", 1)


def web_page(rows: Rows, hidden: Collection[int] = (), *, before: str = "", closed: bool = True) -> str:
    """A table of a web page; ``closed``: with the ends of cells and rows, which may be left out."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for cell in row:
            about = ' x:fmla="=A1&amp;B1"' if cell is Odd.UNFINISHED else ""
            cells.append(f"<td{about}>{html.escape(shown(cell))}{'</td>' if closed else ''}")
        style = ' style="height:0; display:none"' if number in hidden else ""
        lines.append(f"<tr{style}>{''.join(cells)}{'</tr>' if closed else ''}")
    return f"{before}<table border=1>\r\n{chr(10).join(lines)}\r\n</table>"


def shown(cell: Any) -> str:
    """A cell as text."""
    if cell is None or cell is Odd.UNFINISHED:
        return ""
    if isinstance(cell, Odd):
        return str(cell.value)
    if isinstance(cell, bool):
        return str(cell).upper()
    return str(cell)


_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"


def workbook_xml(rows: Rows, hidden: Collection[int] = (), *, prefix: str = "", declared: str = "UTF-8") -> str:
    """A workbook as one XML document, as Excel 2003 saves it; columns by index where cells are left out."""
    p = prefix
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = [_xml_cell(p, column, cell) for column, cell in enumerate(row, start=1) if cell is not None]
        about = ' ss:Hidden="1"' if number in hidden else ""
        lines.append(f'<{p}Row ss:Index="{number}"{about}>{"".join(cells)}</{p}Row>')
    spaces = {f"xmlns:{p[:-1]}" if p else "xmlns", "xmlns:ss"}
    about = " ".join(f'{space}="{_SPREADSHEET}"' for space in sorted(spaces))
    return (
        f'<?xml version="1.0" encoding="{declared}"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        f'<{p}Workbook {about}><{p}Worksheet ss:Name="名单"><{p}Table>'
        f"{''.join(lines)}</{p}Table></{p}Worksheet></{p}Workbook>"
    )


def _xml_cell(p: str, column: int, cell: Any) -> str:
    if cell is Odd.UNFINISHED:
        return f'<{p}Cell ss:Index="{column}" ss:Formula="=RC[-1]"/>'
    kind, words = "String", shown(cell)
    if cell is Odd.ERROR:
        kind = "Error"
    elif isinstance(cell, bool):
        kind, words = "Boolean", str(int(cell))
    elif isinstance(cell, date):
        kind, words = "DateTime", f"{cell}T00:00:00.000"
    elif isinstance(cell, int | float):
        kind = "Number"
    return f'<{p}Cell ss:Index={quoteattr(str(column))}><{p}Data ss:Type="{kind}">{escape(words)}</{p}Data></{p}Cell>'


def xls(
    rows: Rows,
    hidden: Collection[int] = (),
    *,
    new: bool = True,
    codepage: int = 936,
    encoding: str = "gbk",
    merges: Collection[tuple[int, int, int, int]] = (),
    visibility: int = 0,
    hidden_columns: Collection[int] = (),
) -> bytes:
    """The stream of a workbook, without its container: of Excel 97 (``new``) or Excel 5.0."""
    sheet = _begin(new=new, kind=0x10)
    for column in hidden_columns:
        sheet += _record(0x007D, struct.pack("<HHHHHH", column, column, 2048, 0, 1, 0))
    for number, row in enumerate(rows):
        flags = HIDDEN_ROW if number + 1 in hidden else 0
        sheet += _record(0x0208, struct.pack("<HHHHHHI", number, 0, len(row), 255, 0, 0, flags))
        for column, cell in enumerate(row):
            sheet += _xls_cell(number, column, cell, new=new, encoding=encoding)
    if merges:
        places = b"".join(struct.pack("<HHHH", *place) for place in merges)
        sheet += _record(0x00E5, struct.pack("<H", len(merges)) + places)
    sheet += _record(0x000A)
    start = _begin(new=new, kind=5) + _record(0x0042, struct.pack("<H", 1200 if new else codepage))
    for form in (0, 14):
        start += _record(0x00E0, struct.pack("<HH", 0, form) + bytes(16 if new else 12))
    name = _short("名单", new=new, encoding=encoding)
    length = len(start) + 4 + 6 + len(name) + 4
    start += _record(0x0085, struct.pack("<IBB", length, visibility, 0) + name) + _record(0x000A)
    return start + sheet


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _begin(*, new: bool, kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHH", 0x0600 if new else 0x0500, kind, 0x0DBB, 0x07CC) + bytes(8 * new))


def _short(words: str, *, new: bool, encoding: str) -> bytes:
    if new:
        return struct.pack("<BB", len(words), 1) + words.encode("utf-16-le")
    return struct.pack("<B", len(words.encode(encoding))) + words.encode(encoding)


def _xls_cell(row: int, column: int, cell: Any, *, new: bool, encoding: str) -> bytes:
    place = struct.pack("<HHH", row, column, int(isinstance(cell, date)))
    if cell is None:
        return _record(0x0201, place)
    if cell is Odd.ERROR:
        return _record(0x0205, place + b"\x2a\x01")
    if cell is Odd.UNFINISHED:
        return _record(0x0006, place + b"\x03\0\0\0\0\0\xff\xff" + bytes(6) + b"\x03\0\x1e\x01\0")
    if isinstance(cell, bool):
        return _record(0x0205, place + bytes([cell, 0]))
    if isinstance(cell, date | int | float):
        number = (cell - date(1899, 12, 30)).days if isinstance(cell, date) else cell
        return _record(0x0203, place + struct.pack("<d", number))
    words = cell.encode("utf-16-le" if new else encoding)
    return _record(0x0204, place + (struct.pack("<HB", len(cell), 1) if new else struct.pack("<H", len(words))) + words)


_SECTOR, _LEAST = 512, 4096
_END, _FREE, _TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def contained(stream: bytes, name: str = "Workbook") -> bytes:
    """The stream in the container that Office writes: table of sectors, directory, stream; up to 60 kilobytes."""
    stream = stream.ljust(_LEAST, b"\0")
    stream += bytes(-len(stream) % _SECTOR)
    count = len(stream) // _SECTOR
    chain = [_TABLE, _END, *range(3, count + 2), _END]
    table = struct.pack("<128I", *chain, *[_FREE] * (128 - len(chain)))
    directory = _entry("Root Entry", 5, _END, 0, child=1) + _entry(name, 2, 2, len(stream)) + bytes(256)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, _LEAST, _END, 0, _END, 0) + struct.pack("<I", 0)
    return header.ljust(_SECTOR, b"\xff") + table + directory + stream


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE) -> bytes:
    words = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<III", _FREE, _FREE, child)
    return (
        words.ljust(64, b"\0")
        + struct.pack("<HBB", len(words), kind, 1)
        + links
        + bytes(36)
        + struct.pack("<III", start, size, 0)
    )
