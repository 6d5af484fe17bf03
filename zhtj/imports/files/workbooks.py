"""Opens an uploaded file - xlsx, xls, csv, web page, XML, told apart by content - as sheets of plain cells.

Everything is limited before it is read: bytes, uncompressed bytes, rows, memory, time.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from zhtj.config import ROOT
from zhtj.imports.files import unpack
from zhtj.imports.files.cells import Cell
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.readers import markup

MAX_BYTES = 20 * 2**20
MAX_UNCOMPRESSED = 400 * 2**20
TIMEOUT = unpack.SECONDS + 30
SAVE_AS_XLSX = "请用电子表格软件打开，另存为 .xlsx 后再导入。"
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Excel 2 to 4, and programs that write the stream of later ones without the container around it.
_BARE_XLS = re.compile(rb"\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00")
# Only modules of this project are added to what the isolated interpreter finds.
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from zhtj.imports.files.readers import reading_process; sys.exit(reading_process.main())"
)
_TOO_LARGE = f"文件内容太多，一次最多 {unpack.MAX_ROWS // 1000 * 1000:,} 行。"
_TOO_LARGE_FIX = "请拆成几个文件，分次导入；并删去表格下方、右侧的空白格式。"
_PROBLEMS = {
    "password": ("文件设有密码，不能读取。", "请去掉密码后重新保存。"),
    "broken": ("文件已损坏，不能读取。", SAVE_AS_XLSX),
    "size": (_TOO_LARGE, _TOO_LARGE_FIX),
    "wide": (f"有内容在第 {unpack.MAX_COLUMNS:,} 列之后，不能读取。", "请删去多余的列，或另存一份只含名单的文件。"),
    "page": ("这是网页格式的文件，里面没有能读取的表格。", SAVE_AS_XLSX),
    "envelope": ("这是单个文件网页（.mht），不是真正的电子表格。", SAVE_AS_XLSX),
    "xml": ("这是 XML 文件，不是电子表格。", SAVE_AS_XLSX),
}
DELIMITERS = (",", "\t", ";", "，", "|")


@dataclass(slots=True)
class Sheet:
    """One sheet: its rows that are not empty, by the row number that the spreadsheet program shows.

    Args:
        name: of the sheet.
        visible: whether the spreadsheet program shows the sheet.
        rows: row number and cells.
        typed: whether cells know text from number; in csv they do not.
        hidden: numbers of the rows that the spreadsheet program does not show; they stand among the others.
        hidden_columns: positions in ``rows`` of the columns that it does not show.
    """

    name: str
    visible: bool = True
    rows: list[tuple[int, list[Cell]]] = field(default_factory=list)
    typed: bool = True
    hidden: list[int] = field(default_factory=list)
    hidden_columns: frozenset[int] = frozenset()


def read(data: bytes, name: str = "") -> list[Sheet]:
    """The sheets of a file; of csv there is one for each possible delimiter.

    Args:
        data: the whole file.
        name: its name, for the messages; the format is told by the content.

    Raises:
        FileError: too large, damaged, protected, with macros, or no such format.
    """
    if len(data) > MAX_BYTES:
        raise FileError(f"文件超过 {MAX_BYTES // 2**20} MB。", _TOO_LARGE_FIX)
    if not data.strip():
        raise FileError("文件是空的。", "请选择填好的名单。")
    if name.lower().endswith((".xlsm", ".xltm", ".xlsb")):
        raise _macros()
    if data.startswith(_ZIP):
        _check_zip(data)
        return _unpacked(data, "xlsx")
    if data.startswith(_OLE) or _BARE_XLS.match(data):
        _check_xls(data)
        return _unpacked(data, "xls")
    if kind := markup.kind(data):
        if kind in _PROBLEMS and kind != "page":
            raise FileError(*_PROBLEMS[kind])
        return _unpacked(data, kind)
    return _csv(data)


def _macros() -> FileError:
    return FileError("不接受含有宏的文件。", "请另存为不含宏的 .xlsx 后再导入。")


def _check_zip(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise FileError(*_PROBLEMS["broken"]) from error
    names = {entry.filename.replace("\\", "/").lower().lstrip("/") for entry in entries}
    if any(name.endswith(("vbaproject.bin", "xl/workbook.bin")) for name in names):
        raise _macros()
    if "xl/workbook.xml" not in names:
        raise FileError("这不是 .xlsx 文件。", SAVE_AS_XLSX)
    if sum(entry.file_size for entry in entries) > MAX_UNCOMPRESSED:
        raise FileError(_TOO_LARGE, _TOO_LARGE_FIX)


def _check_xls(data: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise FileError(*_PROBLEMS["password"])
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        raise _macros()


def _unpacked(data: bytes, kind: str) -> list[Sheet]:
    """Run the reader with its limits. A crash there is a problem of the file, not ours."""
    command = [sys.executable, "-I", "-c", _START, str(ROOT), kind]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603 - fixed
    except subprocess.TimeoutExpired as error:
        raise FileError(*_PROBLEMS["size"]) from error
    if done.returncode:
        raise FileError("文件内容过大或已损坏，不能读取。", _TOO_LARGE_FIX)
    return _sheets(json.loads(line) for line in done.stdout.split(b"\n") if line)


def _sheets(lines: Iterable[Any]) -> list[Sheet]:
    sheets: list[Sheet] = []
    for line in lines:
        if isinstance(line, list):
            number, cells = line
            sheets[-1].rows.append((number, [decode(cell) for cell in cells]))
        elif "problem" in line:
            raise FileError(*_PROBLEMS[line["problem"]])
        elif "hidden" in line:
            sheets[-1].hidden, sheets[-1].hidden_columns = line["hidden"], frozenset(line["columns"])
        else:
            sheets.append(Sheet(line["name"], line["visible"]))
    return sheets


_KINDS: dict[str, Callable[[str], Cell]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": str,
}


def decode(cell: Any) -> Cell:
    """A cell as ``unpack.encode`` wrote it."""
    if isinstance(cell, dict):
        kind, value = next(iter(cell.items()))
        return _KINDS[kind](value)
    decoded: Cell = None if cell == "" else cell
    return decoded


def _csv(data: bytes) -> list[Sheet]:
    content = _decode(data)
    if "\x00" in content:
        raise FileError("不认识这种文件。", "请使用 .xlsx、.xls 或 .csv 文件。")
    used = [sign for sign in DELIMITERS if sign in content] or [","]
    sheets, failure = [], None
    for delimiter in used:
        try:
            sheets.append(Sheet("", rows=list(_records(content, delimiter)), typed=False))
        except csv.Error as error:
            failure = error
    if not sheets:
        raise FileError("csv 文件的引号没有配对，不能读取。", SAVE_AS_XLSX) from failure
    return sheets


def _decode(data: bytes) -> str:
    encodings = ["utf-16"] if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileError("文件的文字编码无法识别。", "请另存为 .xlsx，或“CSV UTF-8”格式。")


def _records(content: str, delimiter: str) -> Iterator[tuple[int, list[Cell]]]:
    # Strict: a quotation mark too many must not swallow the rows behind it in silence.
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    count = 0
    for number, record in enumerate(reader, start=1):
        cells: list[Cell] = [cell or None for cell in record[: unpack.MAX_COLUMNS]]
        if any(cells):
            count += 1
            yield number, cells
        if count > unpack.MAX_ROWS:
            raise FileError(*_PROBLEMS["size"])
