"""What every reader gives: the lines of its sheets, merged cells filled downwards, limits kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from zhtj.imports.files import unpack


class UnreadableError(Exception):
    """The file cannot be read; the argument is one of the kinds that ``unpack`` names."""


class Spans:
    """Cells merged over several rows, while a sheet is read from the top: each counts in every row it covers."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[int, Any]] = {}

    def open(self, column: int, last: int, value: Any) -> None:
        """A cell of ``column`` reaches down to row ``last``."""
        self._open[column] = (last, value)

    def covers(self, row: int, column: int) -> bool:
        """Whether the position belongs to a cell of a row above."""
        return column in self._open and row <= self._open[column][0]

    def fill(self, row: int, cells: list[Any]) -> list[Any]:
        """The cells of a row with those of the rows above that reach down to it."""
        for column, (last, value) in self._open.items():
            if row <= last and value != "":
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = value if cells[column] == "" else cells[column]
        return cells


def has_content(cells: Iterable[Any]) -> bool:
    """Whether any cell is more than blanks."""
    for cell in cells:  # noqa: SIM110 - once a row, and a generator takes as long again
        if not isinstance(cell, str) or (cell and not cell.isspace()):
            return True
    return False


def sheet(
    name: str,
    *,
    visible: bool,
    rows: Iterable[tuple[int, list[Any]]],
    hidden: Collection[int] = (),
    columns: Collection[int] = (),
) -> Iterator[Any]:
    """The lines of one sheet.

    Args:
        name: of the sheet.
        visible: whether people see it.
        rows: row number and cells, "" for an empty one; only rows with content of their own.
        hidden: numbers of hidden rows; looked at when all rows are read.
        columns: positions of hidden columns; likewise.

    Raises:
        UnreadableError: too many rows, or content in a column too far to the right of a visible sheet.
    """
    yield {"name": name, "visible": visible}
    for count, (number, cells) in enumerate(rows, start=1):
        if count > unpack.MAX_ROWS:
            raise UnreadableError("size")
        if len(cells) > unpack.MAX_COLUMNS and visible and has_content(cells[unpack.MAX_COLUMNS :]):
            raise UnreadableError("wide")
        yield number, [unpack.encode(cell) for cell in _trimmed(cells)]
    if hidden or columns:
        yield {"hidden": sorted(hidden), "columns": sorted(columns)}


def _trimmed(cells: list[Any]) -> list[Any]:
    end = min(len(cells), unpack.MAX_COLUMNS)
    while end and cells[end - 1] == "":
        end -= 1
    return cells[:end]
