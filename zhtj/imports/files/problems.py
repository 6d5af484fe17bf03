"""What is wrong with a file or a row, in a form a person can act on: where, why, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zhtj.imports.files import row_numbers
from zhtj.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One error or warning.

    Args:
        row: see ``row_numbers``; 0 for the file as a whole.
        column: heading of the column.
        cause: what is wrong, one sentence.
        fix: what to do about it, one sentence.
        asks_file_check: it is out of the way as soon as somebody says that the file was checked (PD-61).
    """

    row: int
    column: str
    cause: str
    fix: str
    asks_file_check: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and for keeping; the sheet is named from the second on."""
        said = {"column": self.column, "cause": self.cause, "fix": self.fix}
        asks = {"asks_file_check": True} if self.asks_file_check else {}
        return {**row_numbers.as_dict(self.row), **said, **asks}

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> ImportProblem:
        """What ``as_dict`` gave."""
        asks = kept.get("asks_file_check", False)
        return cls(row_numbers.restored(kept), kept["column"], kept["cause"], kept["fix"], asks)

    def __str__(self) -> str:
        return f"{row_numbers.label(self.row)}“{self.column}”：{self.cause}{self.fix}"


class FileError(DomainError):
    """The file as a whole cannot be imported.

    Args:
        message: what is wrong.
        fix: what to do about it.
        row: row number, where one can be named; else 0.
        column: heading, where one can be named.
    """

    def __init__(self, message: str, fix: str, *, row: int = 0, column: str = "") -> None:
        super().__init__(message, fix=fix, field="file")
        self.problem = ImportProblem(row, column, message, fix)
