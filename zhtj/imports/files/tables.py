"""A table out of a file: the layout of its columns, its rows, what was not read, and how it is kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from zhtj.imports.files import headings, unpack
from zhtj.imports.files.cells import Cell, CellError, key, text
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.workbooks import decode

FILE_CHECKED = "档案已核查"
"""No heading of a file: set where somebody ticks it for a row, or says it on the command line (PD-61)."""
_DECORATION = re.compile(r"[*:]|\(.*?\)|\[.*?\]|【.*?】|(?:必填|选填)$")


def heading_of(value: Cell) -> str:
    """A heading without stars, brackets and blanks; "" where there is none."""
    try:
        return _DECORATION.sub("", key(text(value)))
    except CellError:
        return ""


@dataclass(frozen=True, slots=True)
class LayoutColumn:
    """One column of a layout.

    Args:
        name: heading in our templates.
        required: the column must be there (its heading carries a *).
        aliases: headings that can only mean the same.
        width: characters the database has room for.
        choices: the fixed list of its values.
        identifying: a row without any such column is about nobody.
    """

    name: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    width: int = 120
    choices: tuple[str, ...] = ()
    identifying: bool = False

    @property
    def heading(self) -> str:
        """As it stands in a template."""
        return self.name + "*" if self.required else self.name


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of file, in the order of its template.

    What every row of a file asks it is worked out once.
    """

    title: str
    columns: tuple[LayoutColumn, ...]
    instructions: tuple[str, ...] = ()

    def by_heading(self) -> dict[str, str]:
        """Column names by every heading that can only mean them."""
        return {
            heading_of(heading): column.name
            for column in self.columns
            for heading in (*headings.SURE.get(column.name, ()), *column.aliases, column.name)
        } | {heading_of(column.name): column.name for column in self.columns}

    def likely(self) -> dict[str, tuple[str, ...]]:
        """Headings that mean a column where the file has no surer one, by column, the likeliest first."""
        return {
            column.name: tuple(heading_of(heading) for heading in headings.LIKELY.get(column.name, ()))
            for column in self.columns
        }

    @cached_property
    def widths(self) -> dict[str, int]:
        """Characters the database has room for, by column."""
        return {column.name: column.width for column in self.columns}

    @cached_property
    def required(self) -> frozenset[str]:
        """The columns that must be there."""
        return frozenset(column.name for column in self.columns if column.required)

    @cached_property
    def listed(self) -> dict[str, dict[str, str]]:
        """The values of each column with a fixed list, by ``key`` of the value."""
        return {
            column.name: {key(choice): choice for choice in column.choices} for column in self.columns if column.choices
        }

    @cached_property
    def order(self) -> dict[str, int]:
        """Position of each column, for sorting problems."""
        return {column.name: position for position, column in enumerate(self.columns)}


@dataclass(frozen=True, slots=True)
class Meanings:
    """What somebody has said about a kind of file, kept for his organisation.

    Args:
        headings: column meant by a heading that is none of ours; "" for one that is not to be read.
        values: one of a column's fixed list, by column and words.
    """

    headings: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of data.

    Args:
        number: see ``row_numbers``.
        cells: those that are not empty, by column name.
        others: those under headings that are none of ours.
    """

    number: int
    cells: dict[str, Cell]
    others: dict[str, Cell] = field(default_factory=dict)


@dataclass(slots=True)
class ImportTable:
    """What a file says.

    Args:
        rows: the data, in the order of the file.
        header_row: its row number.
        columns: the layout's columns that the file has.
        unknown: headings that are none of ours; their content is not imported.
        skipped: rows that are about nobody - totals, notes, repeated headings, samples: row number and first words.
        typed: whether cells know text from number.
        sheets: names of the sheets that were read, in order.
        passed: what else the file has, and why it was not read: sentences.
        missing: required columns that nobody could find.
        folded: words that were taken for one of a fixed list: column, words, value, how often.
        asked: words nobody can tell the meaning of: column, words, how often.
    """

    rows: list[TableRow]
    header_row: int
    columns: list[str]
    unknown: list[str] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    typed: bool = True
    sheets: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    folded: list[tuple[str, str, str, int]] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    def parts(self, size: int) -> Iterator[tuple[int, ImportTable]]:
        """The rows in parts: how many rows come up to the end of each, and the part; without what is said about all."""
        for start in range(0, len(self.rows), size):
            part = self.rows[start : start + size]
            yield start + len(part), self.only(part)

    def only(self, rows: list[TableRow]) -> ImportTable:
        """A table of these of its rows, without what is said about all."""
        return ImportTable(rows, self.header_row, self.columns, typed=self.typed)

    def file_checked(self, numbers: Collection[int] | None = None) -> ImportTable:
        """The same, with somebody's word that the files of these rows' people were checked; None: of all rows."""
        rows = [
            replace(row, cells={**row.cells, FILE_CHECKED: "1"}) if numbers is None or row.number in numbers else row
            for row in self.rows
        ]
        return replace(self, rows=rows)

    def about(self) -> dict[str, Any]:
        """What a plan of it says about the file as a whole."""
        return {
            "warnings": self.remarks(),
            "skipped": self.skipped,
            "sheets": self.sheets,
            "columns": self.columns,
            "unknown": self.unknown,
            "missing": self.missing,
            "asked": self.asked,
        }

    def remarks(self) -> list[ImportProblem]:
        """Warnings about the file as a whole."""
        return [
            *(
                ImportProblem(self.header_row, name, "没有这样的列，内容不会导入。", "如需导入，请改成模板中的列名。")
                for name in self.unknown
                if name not in headings.COUNTING
            ),
            *(ImportProblem(0, "工作表", words, "需要导入的，请改好后重新上传。") for words in self.passed),
            *(
                ImportProblem(0, column, f"“{words}”（{count:,} 处）按“{value}”登记。", "不对的请改表后重新上传。")
                for column, words, value, count in self.folded
            ),
        ]


def dump(table: ImportTable) -> dict[str, Any]:
    """The table as JSON, to be kept between preview and apply."""
    return {
        "rows": [[row.number, _packed(row.cells), _packed(row.others)] for row in table.rows],
        "header_row": table.header_row,
        "columns": table.columns,
        "unknown": table.unknown,
        "skipped": table.skipped,
        "typed": table.typed,
        "sheets": table.sheets,
        "passed": table.passed,
        "missing": table.missing,
        "folded": table.folded,
        "asked": table.asked,
    }


def _packed(cells: Mapping[str, Cell]) -> dict[str, Any]:
    return {name: unpack.encode(cell) for name, cell in cells.items()}


def _unpacked(cells: Mapping[str, Any]) -> dict[str, Cell]:
    return {name: decode(cell) for name, cell in cells.items()}


def load(kept: dict[str, Any]) -> ImportTable:
    """The table that ``dump`` kept."""
    return ImportTable(
        [TableRow(row, _unpacked(cells), _unpacked(others)) for row, cells, others in kept["rows"]],
        kept["header_row"],
        kept["columns"],
        kept["unknown"],
        [(row, words) for row, words in kept["skipped"]],
        kept["typed"],
        kept["sheets"],
        kept["passed"],
        kept["missing"],
        [(column, words, value, count) for column, words, value, count in kept["folded"]],
        [(column, words, count) for column, words, count in kept["asked"]],
    )
