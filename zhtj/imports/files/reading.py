"""Takes the cells of one row apart and collects what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from zhtj.imports.files import cells, fixed_values, months
from zhtj.imports.files.cells import Cell, CellError, FormulaError
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.tables import FILE_CHECKED, Layout, TableRow
from zhtj.kernel import names

Value = TypeVar("Value")
MOBILE_DIGITS = 11
_LISTED = 12
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_NO_DIGITS = re.compile(r"[^0-9+]+")
_COUNTRY = re.compile(r"(?:\+|00)?86(?=1[3-9][0-9]{9}$)")


class Reading:
    """One row being read.

    Args:
        row: the row.
        layout: says how long a text may be, and which columns must be filled.
        typed: whether cells know text from number.
    """

    def __init__(self, row: TableRow, layout: Layout, *, typed: bool) -> None:
        self.number = row.number
        self.errors: list[ImportProblem] = []
        self.warnings: list[ImportProblem] = []
        self._cells = row.cells
        self._widths = layout.widths
        self._required = layout.required
        self._listed = layout.listed
        self._typed = typed

    def text(self, column: str) -> str:
        """The words of a cell; "" if empty or wrong."""
        return self._fitting(column, cells.text)

    def choice(self, column: str) -> str:
        """One of the column's fixed list; "" if empty or wrong."""
        words, listed = self.text(column), self._listed[column]
        value = listed.get(cells.key(words), "")
        if words and not value:
            value = listed.get(cells.key(fixed_values.fold(column, words) or ""), "")
        if words and not value:
            several = fixed_values.possible(column, words)
            cause = f"“{words[:30]}”可能有几种意思。" if several else f"没有“{words[:30]}”这一项。"
            known = several or tuple(listed.values())
            shown = "、".join(known[:_LISTED]) + ("等" if len(known) > _LISTED else "")
            self.error(column, cause, f"请填写：{shown}；整份文件可以在核对页统一选择。")
        return value

    def compact(self, column: str) -> str:
        """The digits of a cell, without blanks and hyphens."""
        digits = self._read(column, cells.compact) or ""
        if column in self._required and (words := cells.words_beside(digits)):
            self.error(column, f"号码旁边写着“{words[:20]}”。", "请只填写号码，并确认是本人的。")
            return ""
        return digits

    @property
    def file_checked(self) -> bool:
        """Whether somebody has said of this row that the file was checked (PD-61)."""
        return FILE_CHECKED in self._cells

    def code(self, column: str) -> str:
        """A number with its hyphens."""
        return self._fitting(column, cells.code)

    def month(self, column: str) -> date | None:
        """First day of a month; None if empty or wrong."""
        return self._read(column, lambda cell: self._month(column, cell))

    def mobile(self, column: str, digits: str) -> str:
        """``digits`` as a mobile number of 11 digits without country code; "" after an error (U-03)."""
        digits = _COUNTRY.sub("", digits)
        if not digits or _MOBILE.fullmatch(digits):
            return digits
        cause = f"手机号码应为 11 位，这里是 {len(digits)} 位。"
        if found := _NO_DIGITS.search(digits):
            cause = f"手机号码里有“{found[0][:20]}”。"
        elif len(digits) == MOBILE_DIGITS:
            cause = "手机号码应是 11 位数字，以 13 至 19 开头。"
        self.error(column, cause, "请填写本人的手机号码。")
        return ""

    def person(self, column: str, value: str) -> str:
        """``value`` as the name of a person in its one form; what is none is an error (PD-55).

        Two names in a cell are told by the blank between them, which ``text`` takes away.
        """
        typed = self._cells.get(column)
        name = names.tidy(value)
        wrong = names.problem(name) if name else None
        wrong = wrong or (names.problem(names.tidy(typed)) if isinstance(typed, str) and names.several(typed) else None)
        if wrong and not self.has_error(column):
            self.error(column, *wrong)
        return name

    def required(self, column: str, value: str) -> str:
        """``value``, after an error if the cell is empty."""
        if not value and not self.has_error(column):
            self.error(column, f"没有填写{column}。", "请补上。")
        return value

    def error(self, column: str, cause: str, fix: str) -> None:
        """The row cannot be imported."""
        self.errors.append(ImportProblem(self.number, column, cause, fix))

    def warning(self, column: str, cause: str, fix: str) -> None:
        """The row can be imported, but somebody should look."""
        self.warnings.append(ImportProblem(self.number, column, cause, fix))

    def has_error(self, column: str) -> bool:
        """Whether the cell of this column is wrong already."""
        return any(problem.column == column for problem in self.errors)

    def _fitting(self, column: str, read: Callable[[Cell], str]) -> str:
        value = self._read(column, read) or ""
        if len(value) > self._widths[column]:
            self.error(column, f"{column}超过 {self._widths[column]} 个字。", "请缩短。")
            return ""
        return value

    def _month(self, column: str, cell: Cell) -> date | None:
        if (day := months.day_number(cell)) is None:
            return months.month(cell, typed=self._typed)
        said = cells.text(cell)
        self.warning(column, f"“{said}”是电子表格的日期序号，按 {day.year} 年 {day.month} 月读取。", "不对的请改正。")
        return day.replace(day=1)

    def _read(self, column: str, read: Callable[[Cell], Value]) -> Value | None:
        cell = self._cells.get(column)
        if cell is None:
            return None
        try:
            return read(cell)
        except FormulaError as error:
            say = self.error if column in self._required else self.warning
            say(column, error.cause, error.fix)
        except CellError as error:
            self.error(column, error.cause, error.fix)
        return None
