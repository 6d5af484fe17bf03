"""What an import would do: counted, listed, and explained row by row before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zhtj.imports.files import row_numbers
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.tables import Layout

Tell = Callable[[int], None]
"""Hears how many rows have been looked at."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that an update changes, as shown (personal numbers masked)."""

    column: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.column}：{self.before or '（空）'} → {self.after or '（空）'}"


@dataclass(frozen=True, slots=True)
class Update:
    """A row about somebody (or some organisation) that is there already."""

    row: int
    name: str
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        changes = [{"column": one.column, "from": one.before, "to": one.after} for one in self.changes]
        return {**row_numbers.as_dict(self.row), "name": self.name, "changes": changes}


@dataclass(slots=True)
class Plan:
    """The outcome of a preview.

    Args:
        read: rows of data.
        created: rows that make something new.
        updates: rows that change something.
        errors: rows with at least one of them are not imported.
        skipped: rows about nobody: row number and first words.
        sheets: names of the sheets that were read.
        columns: the columns that were read.
        unknown: headings that were not.
        missing: required columns that nobody could find; nothing can be imported before somebody names them.
        asked: words in columns with a fixed list that nobody can tell the meaning of: column, words, how often.
    """

    read: int = 0
    created: int = 0
    updates: list[Update] = field(default_factory=list)
    errors: list[ImportProblem] = field(default_factory=list)
    warnings: list[ImportProblem] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def bad_rows(self) -> int:
        """How many rows have an error."""
        return len({problem.row for problem in self.errors})

    @property
    def accepted(self) -> int:
        """How many rows can be imported."""
        return 0 if self.missing else self.read - self.bad_rows

    @property
    def unchanged(self) -> int:
        """How many rows say what is known already."""
        return self.accepted - self.created - len(self.updates)

    def may_apply(self, *, partial: bool) -> bool:
        """All or nothing, unless ``partial``."""
        return self.accepted > 0 and (partial or not self.errors)

    def extend(self, part: Plan) -> None:
        """Take over what was found in further rows of the same file."""
        self.read += part.read
        self.created += part.created
        self.updates += part.updates
        self.errors += part.errors
        self.warnings += part.warnings

    def sort(self, layout: Layout) -> None:
        """Problems in the order of the file."""
        order = layout.order
        for problems in (self.errors, self.warnings):
            problems.sort(key=lambda problem: (problem.row, order.get(problem.column, -1)))

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``, and for keeping."""
        return {
            "read": self.read,
            "accepted": self.accepted,
            "created": self.created,
            "updated": len(self.updates),
            "unchanged": self.unchanged,
            "errors": [problem.as_dict() for problem in self.errors],
            "warnings": [problem.as_dict() for problem in self.warnings],
            "updates": [update.as_dict() for update in self.updates],
            "skipped": [{**row_numbers.as_dict(row), "text": text} for row, text in self.skipped],
            "sheets": self.sheets,
            "columns": self.columns,
            "unread": self.unknown,
            "missing": self.missing,
            "asked": [{"column": column, "text": text, "rows": rows} for column, text, rows in self.asked],
        }

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Plan:
        """A plan from what ``as_dict`` gave, to be shown once more."""
        return cls(
            read=kept["read"],
            created=kept["created"],
            updates=[_update(one) for one in kept["updates"]],
            errors=[ImportProblem.restored(one) for one in kept["errors"]],
            warnings=[ImportProblem.restored(one) for one in kept["warnings"]],
            skipped=[(row_numbers.restored(one), one["text"]) for one in kept["skipped"]],
            sheets=kept.get("sheets", []),
            columns=kept.get("columns", []),
            unknown=kept.get("unread", []),
            missing=kept.get("missing", []),
            asked=[(one["column"], one["text"], one["rows"]) for one in kept.get("asked", [])],
        )


def _update(kept: Mapping[str, Any]) -> Update:
    changes = tuple(Change(one["column"], one["from"], one["to"]) for one in kept["changes"])
    return Update(row_numbers.restored(kept), kept["name"], changes)
