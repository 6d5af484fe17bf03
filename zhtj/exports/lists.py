"""What a list is that can be exported: its filters, where its rows come from, its columns.

A page and its export stand on the same ``Listing``: shown by pages there, walked as a whole here. To offer another
list, add one to ``LISTS`` of its module here and its filters to ``zhtj/web/desks/exports.py``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_type_hints

from sqlalchemy import select

from zhtj.imports.spreadsheets import Heading
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.kernel.sql.listing import Listing, ReadyListing
from zhtj.orgs.models import Organisation
from zhtj.transfers.watching.timers import TimerListing

# What fields of filters are called where the file says how it was filtered.
LABELS = {
    "text": "查找",
    "path": "组织",
    "org_id": "组织",
    "parent_id": "上级",
    "state": "状态",
    "status": "状态",
    "side": "范围",
    "kind": "类别",
    "category": "去向",
    "step": "进度",
    "due": "期限",
    "ids": "勾选",
    "active": "账号",
    "level": "评定",
    "reason": "原因",
    "place": "地方",
    "member_id": "团员",
    "done": "已办",
    "season": "届别",
    "office": "由谁办理",
    "ground": "理由",
    "own": "下级",
    "day": "截至",
    "figure": "名单",
    "rate": "指标",
    "whom": "排哪一级",
    "minimum": "起排人数",
    "target": "试算目标",
    "left": "已划出的组织",
    "every_day": "逐日",
    "tier": "办理层级",
    "sort": "排序",
    "number": "试行",
    "difference": "不同之处",
}
# What the page of a list stands on too.
Walked = Listing[Any] | ReadyListing[Any] | TimerListing
_NUMBER = re.compile(r"[0-9]{6,}[0-9Xx]*")


@dataclass(frozen=True, slots=True)
class Nothing:
    """The filters of a list that has none."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the text of a row, and the heading above it that it shares with its neighbours."""

    heading: str
    cell: Callable[[Any], str]
    group: str = ""


@dataclass(frozen=True, slots=True)
class ExportList:
    """A list that can be exported.

    Args:
        key: stands in the address.
        title: names the file and the sheet.
        permission: without it there is no export.
        filters: a frozen dataclass of plain values; what the list is narrowed by.
        listing: the list itself, inside what the seat may see.
        columns: in order.
        number: gives each row its place, counted from 1, where a column wants it.
        banner: as on a printed form, the title stands over the whole width.
        full_numbers: the form wants ID numbers in full; the log says so.
    """

    key: str
    title: str
    permission: Permission
    filters: type
    listing: Callable[[ActiveSeat, Any], Walked]
    columns: tuple[Column, ...]
    number: Callable[[Any, int], Any] | None = None
    banner: bool = False
    full_numbers: bool = False

    @property
    def headings(self) -> list[Heading]:
        """The headings, neighbours of one group together."""
        found: list[Heading] = []
        for column in self.columns:
            last = found[-1] if found else ""
            if not column.group:
                found.append(column.heading)
            elif isinstance(last, tuple) and last[0] == column.group:
                found[-1] = (column.group, (*last[1], column.heading))
            else:
                found.append((column.group, (column.heading,)))
        return found

    def count(self, seat: ActiveSeat, chosen: Any) -> int:
        """How many rows it comes to."""
        return self.listing(seat, chosen).count()

    def chunks(self, seat: ActiveSeat, chosen: Any) -> Iterator[list[tuple[str, ...]]]:
        """The texts of its rows, many at a time."""
        position = itertools.count(1)
        for rows in self.listing(seat, chosen).walk():
            numbered = rows if self.number is None else map(self.number, rows, position)
            yield [tuple(column.cell(row) or "" for column in self.columns) for row in numbered]


def plain(chosen: Any) -> dict[str, Any]:
    """Filters as JSON, without what was left open."""
    kept = {name: _written(value) for name, value in asdict(chosen).items()}
    defaults = {one.name: one.default for one in fields(chosen)}
    return {name: value for name, value in kept.items() if value not in (None, "") and value != defaults[name]}


def _written(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def rebuilt(kind: type, kept: Mapping[str, Any]) -> Any:
    """The filters that ``plain`` wrote down."""
    hints = get_type_hints(kind)
    return kind(**{name: _read(hints[name], value) for name, value in kept.items() if name in hints})


def _read(hint: Any, value: Any) -> Any:
    kinds = [one for one in get_args(hint) if one is not type(None)] if isinstance(hint, UnionType) else [hint]
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, StrEnum | datetime | date):
            return kind(value) if issubclass(kind, StrEnum) else kind.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value


def described(chosen: Any) -> dict[str, str]:
    """The filters in words, for the file and for the log; numbers that could be a person's are not repeated.

    Filters may say themselves how values are said that are no words: ``SAID``, a function by field.
    """
    own: Mapping[str, Callable[[Any], str]] = getattr(chosen, "SAID", {})
    return {
        LABELS.get(name, name): own[name](value) if name in own else _words(name, value)
        for name, value in plain(chosen).items()
    }


def _words(name: str, value: Any) -> str:
    if name in {"path", "org_id", "parent_id", "left", "office"}:
        column = Organisation.path if name == "path" else Organisation.id
        return session.scalar(select(Organisation.short_name).where(column == value)) or ""
    if isinstance(value, list):
        return f"{len(value)} 行"
    return _NUMBER.sub("***", str(value))
