"""What is wrong with a file or a row, in a form a person can act on: where, why, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from zhtj.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One error or warning.

    Args:
        row: as the spreadsheet program numbers it.
        column: heading of the column.
        cause: what is wrong, one sentence.
        fix: what to do about it, one sentence.
    """

    row: int
    column: str
    cause: str
    fix: str

    def as_dict(self) -> dict[str, object]:
        """For ``--json`` and for keeping."""
        return asdict(self)

    def __str__(self) -> str:
        return f"第 {self.row} 行“{self.column}”：{self.cause}{self.fix}"


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
