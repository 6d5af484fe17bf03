"""Keyset paging: the next page starts behind the last row, so page 500 costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError

Row = TypeVar("Row")
PAGE = 20


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page: its rows, and cursors for the pages before and behind ("" where there is none)."""

    rows: Sequence[Row]
    before: str
    after: str


def encode(values: Sequence[Any]) -> str:
    """A cursor as it stands in an address."""
    return base64.urlsafe_b64encode(json.dumps(list(values), ensure_ascii=False).encode()).decode().rstrip("=")


def decode(cursor: str, length: int) -> tuple[Any, ...]:
    """The values of a cursor. Raises DomainError for a tampered one."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise DomainError("翻页地址不完整。", fix="请回到第一页。") from error
    plain = isinstance(values, list) and all(isinstance(value, str | int) for value in values)
    if not plain or len(values) != length:
        raise DomainError("翻页地址不完整。", fix="请回到第一页。")
    return tuple(values)


def paginate(
    query: Select[Any],
    keys: Sequence[Any],
    *,
    after: str = "",
    before: str = "",
    size: int = PAGE,
    descending: bool = False,
) -> Page[Any]:
    """One page of ``query``.

    Args:
        query: selects one entity; without ORDER BY.
        keys: columns of that entity (str or int), together unique, that order the list.
        after, before: cursor from a Page, at most one of them.
        size: rows a page.
        descending: newest first.
    """
    position = tuple_(*keys)
    backwards = bool(before)
    cursor = before or after
    if cursor:
        mark = decode(cursor, len(keys))
        query = query.where(position < mark if backwards != descending else position > mark)
    order = [key.desc() if backwards != descending else key.asc() for key in keys]
    rows = list(session.scalars(query.order_by(*order).limit(size + 1)).unique().all())
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    first = encode([getattr(rows[0], key.key) for key in keys]) if rows else ""
    last = encode([getattr(rows[-1], key.key) for key in keys]) if rows else ""
    has_before = more if backwards else bool(cursor)
    has_after = bool(cursor) if backwards else more
    return Page(rows, first if has_before else "", last if has_after else "")
