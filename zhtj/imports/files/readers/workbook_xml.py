"""Workbooks as one XML document (Excel 2003)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NoReturn
from xml.parsers import expat

from zhtj.imports.files import unpack
from zhtj.imports.files.readers import markup
from zhtj.imports.files.readers.sheet_lines import Spans, UnreadableError, has_content, sheet

_FARTHEST = 2**20


class _Page:
    """One sheet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.visible = True
        self.rows: list[tuple[int, list[Any]]] = []
        self.hidden: list[int] = []
        self.hidden_columns: list[int] = []
        self.column = 0
        self.spans = Spans()
        self.number = 0
        self.row: list[Any] = []


class _Pages:
    def __init__(self) -> None:
        self.found: list[_Page] = []
        self._cell: dict[str, str] | None = None
        self._column = 0
        self._kind = ""
        self._words: list[str] = []
        self._inside: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        about = {_local(one): value for one, value in attributes.items()}
        self._inside.append(tag)
        if tag == "Worksheet":
            self.found.append(_Page(about.get("Name", "")))
        elif not self.found:
            return
        elif tag == "Column":
            self._column_about(self.found[-1], about)
        elif tag == "Row":
            self._begin_row(self.found[-1], about)
        elif tag == "Cell":
            self._begin_cell(self.found[-1], about)
        elif tag == "Data":
            self._kind = about.get("Type", "String")

    def _column_about(self, page: _Page, about: dict[str, str]) -> None:
        first = _whole(about.get("Index"), page.column + 1)
        page.column = first + min(_whole(about.get("Span"), 0), unpack.MAX_COLUMNS)
        if about.get("Hidden") == "1":
            page.hidden_columns += range(first - 1, page.column)

    def _begin_row(self, page: _Page, about: dict[str, str]) -> None:
        page.number = _whole(about.get("Index"), page.number + 1)
        page.row = []
        if about.get("Hidden") == "1":
            page.hidden.append(page.number)

    def _begin_cell(self, page: _Page, about: dict[str, str]) -> None:
        column = _whole(about.get("Index"), len(page.row) + 1) - 1
        if "Index" not in about:
            while page.spans.covers(page.number, column):
                column += 1
        if column >= 2**14:
            raise UnreadableError("broken")
        self._cell, self._column, self._kind, self._words = about, column, "", []

    def data(self, words: str) -> None:
        if self._cell is not None and "Data" in self._inside:
            self._words.append(words)
        elif self._inside[-1:] == ["Visible"] and words.strip() and self.found:
            self.found[-1].visible = words.strip() == "SheetVisible"

    def end(self, name: str) -> None:
        self._inside.pop()
        tag = _local(name)
        if tag == "Cell" and self._cell is not None:
            self._end_cell(self.found[-1], self._cell)
            self._cell = None
        elif tag == "Row" and self.found:
            page = self.found[-1]
            if has_content(page.row):
                page.rows.append((page.number, page.spans.fill(page.number, page.row)))
                if len(page.rows) > unpack.MAX_ROWS:
                    raise UnreadableError("size")

    def _end_cell(self, page: _Page, about: dict[str, str]) -> None:
        value = _value(self._kind, "".join(self._words))
        if value == "" and "Formula" in about and not self._kind:
            value = unpack.NO_RESULT
        wide = min(_whole(about.get("MergeAcross"), 0), unpack.MAX_COLUMNS)
        page.row.extend([""] * (self._column - len(page.row)))
        page.row += [value, *[""] * wide]
        if deep := _whole(about.get("MergeDown"), 0):
            for position in range(wide + 1):
                page.spans.open(self._column + position, page.number + deep, "" if position else value)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _whole(digits: str | None, else_: int) -> int:
    return min(int(digits[:9]), _FARTHEST) if digits and digits.isdecimal() else else_


def _value(kind: str, words: str) -> Any:
    try:
        if kind == "Number":
            return float(words)
        if kind == "DateTime":
            return datetime.fromisoformat(words)
    except ValueError:
        return words
    return words == "1" if kind == "Boolean" and words in {"0", "1"} else words


def _refuse(*_: Any) -> NoReturn:
    raise UnreadableError("broken")


def read(data: bytes) -> Iterator[Any]:
    """Everything in the workbook, line by line.

    Raises:
        UnreadableError: damaged, or with entities of its own, which may grow without end.
    """
    pages = _Pages()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = pages.start, pages.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = pages.data, _refuse
    try:
        parser.Parse(markup.decode(data).lstrip().encode(), True)
    except (expat.ExpatError, UnicodeError) as error:
        raise UnreadableError("broken") from error
    for page in pages.found:
        yield from sheet(
            page.name, visible=page.visible, rows=page.rows, hidden=page.hidden, columns=page.hidden_columns
        )
