"""A page of a list, and the cursors by which an address says where it begins."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from zhtj.kernel.errors import DomainError

Row = TypeVar("Row")
PAGE = 20
CHUNK = 2000
LARGEST = 2**31 - 1  # an integer column of PostgreSQL
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page: its rows, and cursors for the pages before and behind ("" where there is none)."""

    rows: Sequence[Row]
    before: str
    after: str

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows of the list: no page stands before or behind."""
        return not (self.before or self.after)


def encode(values: Sequence[Any]) -> str:
    """A cursor as it stands in an address."""
    written = [value.isoformat() if isinstance(value, date) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(written, ensure_ascii=False).encode()).decode().rstrip("=")


def decode(cursor: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    """The values of a cursor, one of each kind (str, int, date, datetime). Raises DomainError for a tampered one."""
    try:
        written = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = list(map(_read, written, kinds)) if isinstance(written, list) else []
    except (ValueError, TypeError, OverflowError, RecursionError):
        written, values = [], []
    if not values or len(written) != len(kinds) or not all(map(_fits, values, kinds)):
        raise DomainError("翻页地址不完整。", fix="请回到第一页。")
    return tuple(values)


def _read(value: Any, kind: type) -> Any:
    """A day or a moment as it was written; everything else is what it is."""
    if issubclass(kind, datetime):
        return datetime.fromisoformat(value).astimezone(UTC)
    return date.fromisoformat(value) if issubclass(kind, date) else value


def _fits(value: object, kind: type) -> bool:
    """Whether the database can compare ``value`` with a column of this kind."""
    if isinstance(value, str):
        return kind is str and not UNSTORABLE.search(value)
    if isinstance(value, date):
        return kind is type(value)
    return kind is int and type(value) is int and abs(value) <= LARGEST
