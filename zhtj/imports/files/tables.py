"""Finds the table in a file: the sheet, its header row behind titles and instructions, its rows before the totals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from zhtj.imports.files import unpack
from zhtj.imports.files.cells import Cell, CellError, key, text
from zhtj.imports.files.problems import FileError, ImportProblem
from zhtj.imports.files.workbooks import Sheet, decode

_DECORATION = re.compile(r"[*:]|\(.*?\)|\[.*?\]|【.*?】|(?:必填|选填)$")
_TOTAL = re.compile(r"(?:以上)?(?:合计|总计|小计|共计|累计|总人数|共)[:]?[0-9]*[人名条]?")
_NOTE = re.compile(
    r"(?:填写说明|填表说明|填报说明|说明|备注|注|示例|例|填表人|制表人|填报人|经办人|审核人|负责人|联系人|联系电话"
    r"|填表日期|填报日期|制表日期|填表单位|填报单位)[:(].*"
)
_LEAST_HEADINGS = 2
_HEADER_ROWS = 60
_ID_LIKE = re.compile(r"[0-9]{14,17}[0-9X]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LayoutColumn:
    """One column of a layout.

    Args:
        name: heading in our templates.
        required: the column must be there (its heading carries a *).
        aliases: headings that can only mean the same.
        width: characters the database has room for.
        choices: dictionary offered in the template.
    """

    name: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    width: int = 120
    choices: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """As it stands in a template."""
        return self.name + "*" if self.required else self.name


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of file, in the order of its template."""

    title: str
    columns: tuple[LayoutColumn, ...]
    instructions: tuple[str, ...] = ()

    def by_heading(self) -> dict[str, str]:
        """Column names by every heading that stands for them."""
        return {heading: column.name for column in self.columns for heading in (column.name, *column.aliases)}

    @property
    def order(self) -> dict[str, int]:
        """Position of each column, for sorting problems."""
        return {column.name: place for place, column in enumerate(self.columns)}


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of data: cells that are not empty, by column name."""

    number: int
    cells: dict[str, Cell]


@dataclass(slots=True)
class ImportTable:
    """What a file says.

    Args:
        rows: the data, in the order of the file.
        header_row: its row number.
        columns: the layout's columns that the file has.
        unknown: headings that are none of ours; their content is not imported.
        skipped: totals, notes and repeated headings among the data: row number and first words.
        typed: whether cells know text from number.
    """

    rows: list[TableRow]
    header_row: int
    columns: list[str]
    unknown: list[str] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    typed: bool = True

    def parts(self, size: int) -> Iterator[tuple[int, ImportTable]]:
        """The rows in parts: how many rows come up to the end of each, and the part; without what is said about all."""
        for start in range(0, len(self.rows), size):
            part = self.rows[start : start + size]
            yield start + len(part), self.only(part)

    def only(self, rows: list[TableRow]) -> ImportTable:
        """A table of these of its rows, without what is said about all."""
        return ImportTable(rows, self.header_row, self.columns, typed=self.typed)

    def remarks(self) -> list[ImportProblem]:
        """Warnings about the file as a whole."""
        return [
            ImportProblem(self.header_row, name, "没有这样的列，内容不会导入。", "如需导入，请改成模板中的列名。")
            for name in self.unknown
        ]


@dataclass(frozen=True, slots=True)
class _Header:
    row: int
    places: dict[int, str]
    labels: frozenset[str]
    unknown: list[str]
    doubled: list[str]


def find(sheets: Iterable[Sheet], layout: Layout) -> ImportTable:
    """The one table of ``layout`` in a file.

    Raises:
        FileError: no header row, a required column missing, a column twice, two such sheets, no data.
    """
    candidates = [(header, sheet) for sheet in sheets if (header := _find_header(sheet, layout)) is not None]
    if not candidates:
        names = "、".join(column.name for column in layout.columns if column.required)
        raise FileError("没有找到表头行。", f"请使用导入模板，表头至少要有：{names}。")
    header, sheet = max(candidates, key=lambda one: (len(one[0].places), one[1].visible))
    _check_columns(header, layout)
    table = ImportTable([], header.row, list(header.places.values()), header.unknown, typed=sheet.typed)
    for row in _data(sheet, header, table.skipped):
        table.rows.append(row)
    _check_rivals(sheet, candidates, layout)
    if not table.rows:
        raise FileError("表头下面没有数据。", "请填好后再导入。", row=header.row)
    return table


def _heading(value: Cell) -> str:
    try:
        return _DECORATION.sub("", key(text(value)))
    except CellError:
        return ""


def _find_header(sheet: Sheet, layout: Layout) -> _Header | None:
    """The row with most known headings among the first ones; of equal ones the first."""
    known = layout.by_heading()
    headers = [_read_header(number, cells, known) for number, cells in sheet.rows[:_HEADER_ROWS]]
    best = max(headers, key=lambda header: (len(header.places), -header.row), default=None)
    return best if best is not None and len(best.places) >= _LEAST_HEADINGS else None


def _read_header(number: int, cells: list[Cell], known: dict[str, str]) -> _Header:
    places: dict[int, str] = {}
    labels: set[str] = set()
    unknown, doubled = [], []
    for place, cell in enumerate(cells):
        words = _heading(cell)
        if not words:
            continue
        labels.add(words)
        name = known.get(words)
        if name is None:
            unknown.append(words)
        elif name in places.values():
            doubled.append(name)
        else:
            places[place] = name
    return _Header(number, places, frozenset(labels), unknown, doubled)


def _check_columns(header: _Header, layout: Layout) -> None:
    present = set(header.places.values())
    missing = [column.name for column in layout.columns if column.required and column.name not in present]
    if missing:
        listed = "、".join(missing)
        raise FileError(f"缺少必需的列：{listed}。", "请补上，或使用导入模板。", row=header.row, column=listed)
    if header.doubled:
        listed = "、".join(header.doubled)
        raise FileError(f"同名的列出现了两次：{listed}。", "请只留一列。", row=header.row, column=listed)


def _check_rivals(chosen: Sheet, candidates: list[tuple[_Header, Sheet]], layout: Layout) -> None:
    """A workbook with one sheet a class would otherwise lose all but one of them in silence."""
    required = {column.name for column in layout.columns if column.required}
    rivals = [
        sheet.name
        for header, sheet in candidates
        if sheet is not chosen
        and sheet.visible
        and sheet.typed
        and required <= set(header.places.values())
        and next(_data(sheet, header, []), None) is not None
    ]
    if rivals:
        names = "、".join(f"“{name}”" for name in (chosen.name, *rivals))
        raise FileError(f"有几张工作表都像是{layout.title}：{names}。", "请合并成一张，或分成几个文件导入。")


def _data(sheet: Sheet, header: _Header, skipped: list[tuple[int, str]]) -> Iterator[TableRow]:
    for number, cells in sheet.rows:
        if number <= header.row:
            continue
        row = {
            name: cells[place]
            for place, name in header.places.items()
            if place < len(cells) and not _is_blank(cells[place])
        }
        if not row:
            continue
        words = key(_first_words(cells))
        if _is_note(words, row) or _is_header(row, header):
            skipped.append((number, words[:20]))
        else:
            yield TableRow(number, row)


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _is_header(row: dict[str, Cell], header: _Header) -> bool:
    """Whether the headings stand here once more, as at the top of a printed page."""
    return all(_heading(cell) in header.labels for cell in row.values())


def _first_words(cells: list[Cell]) -> str:
    cell = next((cell for cell in cells if not _is_blank(cell)), None)
    return cell if isinstance(cell, str) else ""


def _is_note(words: str, row: dict[str, Cell]) -> bool:
    """Totals and signatures: known words in front, and no number in the row that could be a person's."""
    if not (_TOTAL.fullmatch(words) or _NOTE.fullmatch(words)):
        return False
    return not any(isinstance(cell, str) and _ID_LIKE.search(key(cell)) for cell in row.values())


def dump(table: ImportTable) -> dict[str, Any]:
    """The table as JSON, to be kept between preview and apply."""
    return {
        "rows": [[row.number, {name: unpack.encode(cell) for name, cell in row.cells.items()}] for row in table.rows],
        "header_row": table.header_row,
        "columns": table.columns,
        "unknown": table.unknown,
        "skipped": table.skipped,
        "typed": table.typed,
    }


def load(kept: dict[str, Any]) -> ImportTable:
    """The table that ``dump`` kept."""
    return ImportTable(
        [TableRow(number, {name: decode(cell) for name, cell in cells.items()}) for number, cells in kept["rows"]],
        kept["header_row"],
        kept["columns"],
        kept["unknown"],
        [(number, words) for number, words in kept["skipped"]],
        kept["typed"],
    )
