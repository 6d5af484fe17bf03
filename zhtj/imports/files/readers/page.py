"""Tables of web pages (HTML), as many systems give out for spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from zhtj.imports.files import unpack
from zhtj.imports.files.readers import markup
from zhtj.imports.files.readers.sheet_lines import Spans, UnreadableError, has_content, sheet

_UNSEEN = frozenset({"script", "style", "title", "template", "noscript", "option"})
_BREAKS = frozenset({"br", "p", "div", "li", "tr"})
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
# Nothing but a number that was shortened to be shown; its true value stands beside it.
_SHORTENED = re.compile(r"[+-]?[0-9](?:\.[0-9]+)?E[+-]?[0-9]+|#+", re.IGNORECASE)
# A page does not say whether this is text, or once was the number 2018.10.
_LOST_ZERO = re.compile(r"[0-9]{4}\.1")
_DEEPEST = 65_536


class _Cell:
    def __init__(self, column: int, about: dict[str, str | None]) -> None:
        self.column = column
        self.about = about
        self.words: list[str] = []

    def value(self) -> str | float:
        words = _BLANKS.sub(" ", "".join(self.words)).strip(" ")
        exact = self.about.get("x:num")
        if exact and _SHORTENED.fullmatch(words):
            return _number(exact, words)
        if not words and exact is None and self.about.get("x:fmla"):
            return unpack.NO_RESULT
        return _number(words, words) if _LOST_ZERO.fullmatch(words) else words


def _number(digits: str, else_: str) -> str | float:
    try:
        return float(digits)
    except ValueError:
        return else_


def _span(about: dict[str, str | None], name: str, most: int) -> int:
    digits = (about.get(name) or "").strip()
    if not digits.isdecimal():
        return 1
    return min(int(digits[:9]), most) or (most if name == "rowspan" else 1)


class _Table:
    """One table being read; a row or cell is closed by whatever comes next, as pages may leave out the ends."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, list[Any]]] = []
        self.hidden: list[int] = []
        self._number = 0
        self._spans = Spans()
        self._row: list[Any] | None = None
        self._cell: _Cell | None = None

    def begin_row(self, about: dict[str, str | None]) -> None:
        self.end_row()
        self._number += 1
        self._row = []
        if "hidden" in about or _HIDDEN.search(about.get("style") or ""):
            self.hidden.append(self._number)

    def begin_cell(self, about: dict[str, str | None]) -> None:
        self.end_cell()
        if self._row is None:
            self.begin_row({})
        column = len(self._row or ())
        while self._spans.covers(self._number, column):
            column += 1
        self._cell = _Cell(column, about)

    def add(self, words: str) -> None:
        if self._cell is not None:
            self._cell.words.append(words)

    def end_cell(self) -> None:
        cell, self._cell = self._cell, None
        if cell is None or self._row is None:
            return
        value = cell.value()
        wide, deep = _span(cell.about, "colspan", unpack.MAX_COLUMNS), _span(cell.about, "rowspan", _DEEPEST)
        self._row.extend([""] * (cell.column - len(self._row)))
        self._row += [value, *[""] * (wide - 1)]
        if deep > 1:
            for position in range(wide):
                self._spans.open(cell.column + position, self._number + deep - 1, "" if position else value)

    def end_row(self) -> None:
        self.end_cell()
        row, self._row = self._row, None
        if row and has_content(row):
            self.rows.append((self._number, self._spans.fill(self._number, row)))
            if len(self.rows) > unpack.MAX_ROWS:
                raise UnreadableError("size")


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[_Table] = []
        self._open: list[_Table] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            self._open.append(_Table())
            self.found.append(self._open[-1])
        elif tag == "tr":
            self._table().begin_row(dict(attrs))
        elif tag in {"td", "th"}:
            self._table().begin_cell(dict(attrs))
        elif tag in _BREAKS and self._open:
            self._open[-1].add("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _UNSEEN or tag in {"td", "th", "table"}:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif not self._open:
            return
        elif tag in {"td", "th"}:
            self._open[-1].end_cell()
        elif tag == "tr":
            self._open[-1].end_row()
        elif tag == "table":
            self._open.pop().end_row()
        elif tag in _BREAKS:
            self._open[-1].add("\n")

    def handle_data(self, data: str) -> None:
        if self._open and not self._unseen:
            self._open[-1].add(data)

    def close(self) -> None:
        super().close()
        while self._open:
            self._open.pop().end_row()

    def _table(self) -> _Table:
        """The innermost table; rows outside of any, as in a page that lost its head, make one."""
        if not self._open:
            self._open.append(_Table())
            self.found.append(self._open[-1])
        return self._open[-1]


def read(data: bytes) -> Iterator[Any]:
    """Every table of the page that has cells, line by line.

    Raises:
        UnreadableError: no table, an unknown encoding, too large.
    """
    tables = _Tables()
    try:
        tables.feed(markup.decode(data))
        tables.close()
    except (UnicodeError, AssertionError, RecursionError) as error:
        raise UnreadableError("page") from error
    filled = [table for table in tables.found if table.rows]
    if not filled:
        raise UnreadableError("page")
    for position, table in enumerate(filled, start=1):
        name = "网页表格" if len(filled) == 1 else f"网页表格{position}"
        yield from sheet(name, visible=True, rows=table.rows, hidden=table.hidden)
