"""Keyset paging: the next page starts behind the last row, so page 500 costs what page 1 costs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from zhtj.kernel.database import session
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


@dataclass(slots=True)
class _Whole:
    """A list is read as a whole (its pages have ``size`` rows), or only counted (``count`` is what comes out)."""

    size: int = 0
    count: int = 0


def count_rows(query: Select[Any], most: int | None = None) -> int:
    """How many rows a query has; where they are more than ``most``, one more than that."""
    rows = query if most is None else query.limit(most + 1)
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


_whole: ContextVar[_Whole | None] = ContextVar("whole", default=None)


def walk(listing: Callable[..., Page[Row]], *, size: int = CHUNK) -> Iterator[Sequence[Row]]:
    """Everything a list shows on all its pages, chunk by chunk, so that memory does not grow with it.

    Args:
        listing: the list's own function; takes ``after`` and calls ``paginate``.
        size: rows a chunk. What was loaded for one is forgotten before the next.
    """
    after = ""
    while True:
        token = _whole.set(_Whole(size=size))
        try:
            page = listing(after=after)
        finally:
            _whole.reset(token)
        if page.rows:
            yield page.rows
        after = page.after
        if not after:
            return
        session.expunge_all()


def count(listing: Callable[..., Page[Any]]) -> int:
    """How many rows a list has on all its pages, by its own query.

    Args:
        listing: as for ``walk``; what it does with the rows of its page must bear that there are none.
    """
    whole = _Whole()
    token = _whole.set(whole)
    try:
        listing()
    finally:
        _whole.reset(token)
    return whole.count


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


def paginate(
    query: Select[Any],
    keys: Sequence[Any],
    *,
    after: str = "",
    before: str = "",
    size: int = PAGE,
    descending: bool = False,
    reader: Session | None = None,
) -> Page[Any]:
    """One page of ``query``.

    Args:
        query: selects one entity; without ORDER BY.
        keys: columns of that entity (str, int, date or datetime), together unique, that order the list.
        after: cursor from a Page: the rows behind it.
        before: the rows in front of it; at most one of the two.
        size: rows a page.
        descending: newest first.
        reader: the session it is read with; None: the usual one.
    """
    reader = reader or session()
    whole = _whole.get()
    if whole is not None and not whole.size:
        whole.count = reader.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        return Page([], "", "")
    size = whole.size if whole is not None else size
    position = tuple_(*keys)
    backwards = bool(before)
    cursor = before or after
    if cursor:
        mark = decode(cursor, [key.type.python_type for key in keys])
        values = [literal(value, key.type) for value, key in zip(mark, keys, strict=True)]
        downwards = backwards != descending
        query = query.where(position < tuple_(*values) if downwards else position > tuple_(*values))
        # Where the keys come from two tables, this half of the comparison lets the index on the first find the place.
        query = query.where(keys[0] <= values[0] if downwards else keys[0] >= values[0])
    order = [key.desc() if backwards != descending else key.asc() for key in keys]
    rows = list(reader.scalars(query.order_by(*order).limit(size + 1)).all())
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    first = encode([getattr(rows[0], key.key) for key in keys]) if rows else ""
    last = encode([getattr(rows[-1], key.key) for key in keys]) if rows else ""
    has_before = more if backwards else bool(cursor)
    has_after = bool(cursor) if backwards else more
    return Page(rows, first if has_before else "", last if has_after else "")
