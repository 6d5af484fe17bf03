"""Changes of divisions since the data were published, a line each (PD-56). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from zhtj.orgs.divisions import CODE_LEVELS, WIDTHS, Division

DATA_DAY = "2023-06-30"
"""The day of the published data."""
CHANGES_FILE = Path(__file__).with_name("changes.tsv")
_FIELDS = 6


class ChangeKind(StrEnum):
    """What was decided of a division."""

    FOUND = "found"
    RENAME = "rename"
    MOVE = "move"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class DivisionChange:
    """One line of the file.

    Args:
        day: when it was announced, year and month at least.
        kind: what happened.
        code: of the division; its code stays what it was.
        name: its name from then on; of one that is merged, the last it had.
        to: code of the superior, or of the division it was merged into; "" where the superior stays.
        source: who announced it, and what was said.
    """

    day: str
    kind: ChangeKind
    code: str
    name: str
    to: str
    source: str


@cache
def all_changes(path: Path = CHANGES_FILE) -> tuple[DivisionChange, ...]:
    """The lines of the file, oldest first.

    Raises:
        ValueError: a line that is none, or out of the order of days.
    """
    found: list[DivisionChange] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != _FIELDS or (found and fields[0] < found[-1].day):
                raise ValueError(line)
            day, kind, code, name, to, source = fields
            found.append(DivisionChange(day, ChangeKind(kind), code, name, "" if to == "-" else to, source))
    return tuple(found)


def last_day(changes: Sequence[DivisionChange] | None = None) -> str:
    """Up to which day changes are known."""
    return max((one.day for one in (all_changes() if changes is None else changes)), default=DATA_DAY)


def after(divisions: Iterable[Division], changes: Iterable[DivisionChange]) -> list[Division]:
    """The divisions as they are after the changes; superiors first, siblings in the order of their codes.

    Args:
        divisions: superiors first.
        changes: oldest first; of provinces that are not among the divisions none counts.

    Raises:
        KeyError: a change of a division that is not there.
    """
    known = {one.code: one for one in divisions}
    provinces = {code[: WIDTHS[0]] for code in known}
    for change in changes:
        if change.code[: WIDTHS[0]] in provinces:
            _change(known, change)
    below: dict[str | None, list[Division]] = {}
    for one in sorted(known.values(), key=lambda one: one.code):
        below.setdefault(one.parent, []).append(one)
    found: list[Division] = []
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += reversed(below.get(one.code, []))
    return found


def _change(known: dict[str, Division], change: DivisionChange) -> None:
    if change.to and change.to not in known:
        raise KeyError(change.to)
    if change.kind is ChangeKind.FOUND:
        level = WIDTHS.index(len(change.code))
        known[change.code] = Division(change.code, change.name, CODE_LEVELS[level], change.to)
    elif change.kind is ChangeKind.MERGE:
        del known[change.code]
        for one in [one for one in known.values() if one.parent == change.code]:
            known[one.code] = replace(one, parent=change.to)
    else:
        old = known[change.code]
        known[change.code] = replace(old, name=change.name, parent=change.to or old.parent)
