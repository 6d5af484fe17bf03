"""Finds the table in a file: its sheets, their header rows behind titles and instructions, the rows before the totals.

Every cell of a visible sheet is either in the table or said not to be read: sheets and rows that are passed over,
columns by their heading. Hidden sheets are never read unasked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from zhtj.imports.files import fixed_values, headings
from zhtj.imports.files.cells import Cell, CellError, key, text
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.row_numbers import number as row_number_of
from zhtj.imports.files.tables import ImportTable, Layout, LayoutColumn, Meanings, TableRow, heading_of
from zhtj.imports.files.workbooks import Sheet

_TOTAL = re.compile(r"(?:以上)?(?:合计|总计|小计|共计|累计|总人数|共)[:]?[0-9]*[人名条]?")
_NOTE = re.compile(
    r"(?:填写说明|填表说明|填报说明|说明|备注|注|示例|例|填表人|制表人|填报人|经办人|审核人|负责人|联系人|联系电话"
    r"|填表日期|填报日期|制表日期|填表单位|填报单位)[:(].*"
)
_SIGNED = re.compile(
    r"(?:填表人|制表人|填报人|经办人|审核人|负责人|审批人|签字|签名|盖章|填表日期|填报日期|制表日期|填表单位|填报单位"
    r"|单位盖章|负责人签字|经办人签字|日期)[:]?"
)
_NOTHING_BELOW = re.compile(r"[(（]?以下(?:无正文|无内容|无数据|为空|空白|为空白|空行)[)）]?")
_SAMPLE = re.compile(r"(?:示例|样例|范例|例子|例)[:0-9]*")
_SAMPLE_CELL = re.compile(r".*[(【\[](?:示例|样例|范例|例)[)】\]]")
# What is said about a column below its heading.
_HINT = re.compile(
    r"(?:必填|选填|可选|可不填|非必填|不用填|格式|填写|请填|请选|请按|下拉|示例|样例|如[:：]?|例如|文本|数字|日期|年月|选择"
    r"|[0-9]+位|[yY]{4}|[xX×*]{3,}).*"
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_LEAST_CODES = 3
_SAMPLE_SHEET = re.compile(
    r".*(?:示例|样例|范例|样表|样本|填写说明|填表说明|填报说明|说明|模板|字典|代码表|下拉|选项|参考)"
)
_LEAST_HEADINGS = 2
_SIGNATURE_CELLS = 4
_HEADER_ROWS = 60
_NAMED = 10
_ID_LIKE = re.compile(r"[0-9]{14,17}[0-9X]", re.IGNORECASE)
_SERIAL = re.compile(r"[0-9]{0,6}")
_NUMBER_LIKE = re.compile(r"[0-9]{6,18}X?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Header:
    row: int
    positions: dict[int, str]
    labels: frozenset[str]
    others: dict[int, str]
    doubled: list[str]
    marks: frozenset[int] = frozenset()

    def headings(self) -> list[tuple[int, str]]:
        """Position and name of every column, ours and others', from the left."""
        return sorted((self.positions | self.others).items())

    def missing(self, layout: Layout) -> list[str]:
        present = set(self.positions.values())
        return [column.name for column in layout.columns if column.required and column.name not in present]


def find(
    sheets: Sequence[Sheet], layout: Layout, meanings: Meanings | None = None, *, ask: bool = False
) -> ImportTable:
    """The table of ``layout`` in a file: the rows of all its visible sheets.

    Args:
        sheets: of the file.
        layout: the columns that are looked for.
        meanings: what is known already about headings and values of such files.
        ask: a table without a required column is returned, so that somebody can say which column it is.

    Raises:
        FileError: no header row, a required column missing, a column twice, no data.
    """
    known = meanings or Meanings()
    reader = _Reader(layout, known)
    for sheet in _alternatives(sheets, reader):
        reader.take(sheet)
    if not reader.table.sheets:
        reader.give_up(ask=ask)
    table = reader.table
    if not table.rows:
        raise FileError("表头下面没有数据。", "请填好后再导入。", row=table.header_row)
    _fold(table, layout, known)
    return table


def _alternatives(sheets: Sequence[Sheet], reader: _Reader) -> Sequence[Sheet]:
    """Of csv there is one sheet for each possible delimiter: the one with most headings is the file."""
    if not sheets or sheets[0].typed:
        return sheets
    return [max(sheets, key=lambda sheet: len(header.positions) if (header := reader.header(sheet)) else 0)]


class _Reader:
    """Goes through the sheets of a file, one after another."""

    def __init__(self, layout: Layout, known: Meanings) -> None:
        self.layout = layout
        self.table = ImportTable([], 0, [])
        self._by_heading = {
            **layout.by_heading(),
            **{heading_of(words): name for words, name in known.headings.items()},
        }
        self._likely = layout.likely()
        self._last: _Header | None = None
        self._partial: tuple[_Header, Sheet] | None = None
        self._hidden: list[str] = []

    def header(self, sheet: Sheet) -> _Header | None:
        """The row with most known headings among the first ones; of equal ones the first, with what stands below."""
        lines = sheet.rows[:_HEADER_ROWS]
        found = [self._read_header(row, cells) for row, cells in lines]
        best = max(range(len(found)), key=lambda at: (len(found[at].positions), -at), default=None)
        if best is None or len(found[best].positions) < _LEAST_HEADINGS:
            return None
        return self._with_second(found[best], lines[best : best + 2])

    def _with_second(self, header: _Header, lines: Sequence[tuple[int, list[Cell]]]) -> _Header:
        """Headings over two rows: 联系方式 above, 手机号码 below; a cell without a second heading keeps the first."""
        if len(lines) < 2 or lines[1][0] != lines[0][0] + 1:  # noqa: PLR2004 - the second of two
            return header
        (_, upper), (row, lower) = lines
        above = {at: heading_of(cell) for at, cell in enumerate(upper)}
        below = {at: heading for at, cell in enumerate(lower) if (heading := heading_of(cell))}
        if all(above.get(at) == one for at, one in below.items()):
            return header
        likely = {heading for many in self._likely.values() for heading in many}
        if not all(above.get(at) == one or one in self._by_heading or one in likely for at, one in below.items()):
            return header
        pairs = zip_longest(upper, lower)
        return self._read_header(row, [first if _is_blank(second) else second for first, second in pairs])

    def take(self, sheet: Sheet) -> None:
        """Read a sheet, or say why not."""
        if not sheet.rows:
            return
        name = f"工作表“{sheet.name}”"
        if not sheet.visible:
            self._hidden.append(sheet.name)
            self.table.passed.append(f"隐藏的{name}没有读取。")
            return
        header = self.header(sheet)
        if _SAMPLE_SHEET.fullmatch(key(sheet.name)) and (self._last or not _ordinary(sheet, header)):
            self.table.passed.append(f"{name}没有读取：看名称是样例或说明。")
        elif header is not None and not header.missing(self.layout):
            self._read(sheet, header)
        elif header is None and self._last is not None and _continues(sheet, self._last):
            self.table.passed.append(f"{name}没有表头，按上一张表的列读取了。")
            self._read(sheet, replace(self._last, row=0))
        elif header is not None:
            self._partial = max(
                self._partial or (header, sheet), (header, sheet), key=lambda one: len(one[0].positions)
            )
            self.table.passed.append(f"{name}没有读取：缺少必需的列“{'”、“'.join(header.missing(self.layout))}”。")
        else:
            self.table.passed.append(f"{name}没有读取：没有找到表头行，共 {len(sheet.rows):,} 行有内容。")

    def give_up(self, *, ask: bool) -> None:
        """No sheet has all it needs: one to be asked about, or the error. Raises FileError."""
        hidden = f"隐藏的工作表“{'”、“'.join(self._hidden)}”没有读取，需要的请先取消隐藏。" if self._hidden else ""
        if self._partial is None:
            names = "、".join(column.name for column in self.layout.columns if column.required)
            raise FileError("没有找到表头行。", f"请使用导入模板，表头至少要有：{names}。{hidden}")
        header, sheet = self._partial
        missing = header.missing(self.layout)
        if ask and len(header.others) >= len(missing):
            self.table.passed = [words for words in self.table.passed if f"“{sheet.name}”" not in words]
            self.table.missing = missing
            self._read(sheet, header)
            return
        listed = "、".join(missing)
        raise FileError(f"缺少必需的列：{listed}。", f"请补上，或使用导入模板。{hidden}", row=header.row, column=listed)

    def _read(self, sheet: Sheet, header: _Header) -> None:
        if header.doubled:
            listed = "、".join(header.doubled)
            raise FileError(f"同名的列出现了两次：{listed}。", "请只留一列。", row=header.row, column=listed)
        table, position = self.table, len(self.table.sheets)
        if not table.sheets:
            table.header_row, table.typed = header.row, sheet.typed
        table.sheets.append(sheet.name)
        table.rows += _data(sheet, header, self.layout, position, table.skipped)
        table.columns += [name for name in header.positions.values() if name not in table.columns]
        used = {heading for row in table.rows for heading in row.others} | set(header.others.values())
        table.unknown += [heading for heading in _in_order(header, used) if heading not in table.unknown]
        if hidden := [row for row in sheet.hidden if row > header.row]:
            shown = "、".join(label(row_number_of(position, row)) for row in hidden[:_NAMED])
            table.passed.append(f"{shown}共 {len(hidden):,} 行在表格里是隐藏的，一并读取了。")
        unseen = [heading for at, heading in header.headings() if at in sheet.hidden_columns]
        if unseen:
            table.passed.append(f"列“{'”、“'.join(unseen[:_NAMED])}”在表格里是隐藏的，一并读取了。")
        self._last = header

    def _read_header(self, row: int, cells: list[Cell]) -> _Header:
        words = {position: heading for position, cell in enumerate(cells) if (heading := heading_of(cell))}
        marks = frozenset(position for position, heading in words.items() if heading == headings.MARKS)
        positions: dict[int, str] = {}
        others: dict[int, str] = {}
        doubled: list[str] = []
        for position, heading in words.items():
            name = self._by_heading.get(heading)
            if position in marks:
                continue
            if not name:
                others[position] = heading
            elif name in positions.values():
                doubled.append(name)
            else:
                positions[position] = name
        self._guess(positions, others)
        return _Header(row, positions, frozenset(words.values()), others, doubled, marks)

    def _guess(self, positions: dict[int, str], others: dict[int, str]) -> None:
        """Give columns that no sure heading names to the likeliest of the others."""
        for column, likely in self._likely.items():
            if column in positions.values():
                continue
            found = {heading: position for position, heading in reversed(others.items()) if heading in likely}
            if found and self._by_heading.get(best := min(found, key=likely.index)) != "":
                positions[found[best]] = column
                del others[found[best]]


def _in_order(header: _Header, used: set[str]) -> list[str]:
    named = [heading for _, heading in sorted(header.others.items())]
    return [*named, *sorted(used - set(named))]


def _ordinary(sheet: Sheet, header: _Header | None) -> bool:
    """Whether a sheet called 模板 or so is a list all the same: somebody filled in the template."""
    return header is not None and not _SAMPLE.match(key(sheet.name)) and sheet.rows[-1][0] > header.row


def _continues(sheet: Sheet, header: _Header) -> bool:
    """Whether a sheet without headings goes on with the columns of the one before: numbers stand where they should."""
    numbered = [position for position, name in header.positions.items() if re.search("号码|学号|编号|联系方式", name)]
    first = sheet.rows[0][1]
    cells = [first[position] for position in numbered if position < len(first) and not _is_blank(first[position])]
    return bool(cells) and all(_NUMBER_LIKE.fullmatch(_plain(cell)) for cell in cells)


def _plain(cell: Cell) -> str:
    try:
        return key(text(cell))
    except CellError:
        return ""


def _data(
    sheet: Sheet, header: _Header, layout: Layout, position: int, skipped: list[tuple[int, str]]
) -> Iterator[TableRow]:
    about = {column.name for column in layout.columns if column.identifying}
    for line, cells in sheet.rows:
        if line <= header.row:
            continue
        filled = {at: cell for at, cell in enumerate(cells) if not _is_blank(cell) and at not in header.marks}
        row = {name: filled.pop(at) for at, name in header.positions.items() if at in filled}
        others = {header.others.get(at, f"没有列名的第 {at + 1} 列"): cell for at, cell in filled.items()}
        number = row_number_of(position, line)
        if row and not _is_nobody(row, cells, header, about):
            yield TableRow(number, row, others)
        elif row or not all(_SERIAL.fullmatch(_plain(cell)) for cell in others.values()):
            skipped.append((number, key(_first_words(cells))[:20]))


def _is_nobody(row: dict[str, Cell], cells: list[Cell], header: _Header, about: set[str]) -> bool:
    """Totals, notes, signatures, samples, hints, codes, column numbers, defaults only, the headings once more."""
    words = key(_first_words(cells))
    if _SAMPLE.fullmatch(words) or any(_SAMPLE_CELL.fullmatch(_plain(cell)) for cell in row.values()):
        return True
    if any(_ID_LIKE.search(_plain(cell)) for cell in row.values()):
        return False  # a number that could be a person's
    filled = [_plain(cell) for cell in cells if not _is_blank(cell)]
    return (
        bool(_TOTAL.fullmatch(words) or _NOTE.fullmatch(words) or _NOTHING_BELOW.fullmatch(words))
        or (len(filled) <= _SIGNATURE_CELLS and _SIGNED.fullmatch(words) is not None)
        or all(heading_of(cell) in header.labels for cell in row.values())
        or all(_HINT.fullmatch(one) for one in filled)
        or (len(filled) >= _LEAST_CODES and all(_CODE.fullmatch(one) for one in filled))
        or (len(filled) > _LEAST_HEADINGS and filled == [str(n) for n in range(1, len(filled) + 1)])
        or (bool(about) and not about & row.keys())
    )


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _first_words(cells: list[Cell]) -> str:
    cell = next((cell for cell in cells if not _is_blank(cell)), None)
    return cell if isinstance(cell, str) else ""


def _fold(table: ImportTable, layout: Layout, known: Meanings) -> None:
    """Take what stands in columns with fixed lists for one of the list, where that is certain."""
    folded: Counter[tuple[str, str, str]] = Counter()
    asked: Counter[tuple[str, str]] = Counter()
    for column in layout.columns:
        if not column.choices or column.name not in table.columns:
            continue
        listed = {key(choice): choice for choice in column.choices}
        for row in table.rows:
            words = _plain(row.cells.get(column.name))
            if not words or words in listed:
                continue
            value = _one_of(column, listed, words, known)
            if value is None:
                asked[column.name, words] += 1
            else:
                row.cells[column.name] = value
                folded[column.name, words, value] += 1
    table.folded = [(*one, count) for one, count in folded.items()]
    table.asked = [(*one, count) for one, count in asked.items()]


def _one_of(column: LayoutColumn, listed: Mapping[str, str], words: str, known: Meanings) -> str | None:
    value = known.values.get((column.name, words)) or fixed_values.fold(column.name, words)
    if value is None:
        return None
    # A policy may word the end of a label otherwise (K-18): the part before the bracket decides.
    return listed.get(key(value)) or next(
        (choice for choice in column.choices if choice.partition("（")[0] == value.partition("（")[0]), None
    )


def applied(table: ImportTable, layout: Layout, known: Meanings) -> ImportTable:
    """The same table once more is known about its headings and values."""
    for heading, name in known.headings.items():
        if not name or heading not in table.unknown or name in table.columns:
            continue
        for row in table.rows:
            if heading in row.others:
                row.cells[name] = row.others.pop(heading)
        table.unknown.remove(heading)
        table.columns.append(name)
        table.missing = [one for one in table.missing if one != name]
    before = table.folded
    _fold(table, layout, known)
    table.folded = [*before, *table.folded]
    return table
