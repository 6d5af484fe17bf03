"""A list is one thing: its rows and their order; it is shown by pages, walked as a whole, counted, picked from.

Keyset paging: the next page starts behind the last row, so page 500 costs what page 1 costs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ExecutableOption

from zhtj.kernel.database import session
from zhtj.kernel.sql.paging import CHUNK, PAGE, Page, decode, encode

Row = TypeVar("Row")
Other = TypeVar("Other")
Dress = Callable[[Sequence[Any]], Sequence[Any]]


def count_rows(query: Select[Any], most: int | None = None) -> int:
    """How many rows a query has; where they are more than ``most``, one more than that."""
    rows = query if most is None else query.limit(most + 1)
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A list that is read from the database; nothing is asked before it is shown, walked, counted or picked from.

    Args:
        query: selects one entity, or columns; without ORDER BY and without what only rows that are shown need.
        keys: columns of what is selected (str, int, date or datetime), together unique, that order the list.
        descending: newest first.
        loads: how rows that are shown are loaded.
        dress: makes the rows that are shown of those that were read, with few statements for all of a page.
        counting: counts them, given the limit of ``count``, where that is quicker another way.
        size: rows a page.
        reader: the session it is read with.
    """

    query: Select[Any]
    keys: Sequence[Any]
    descending: bool = False
    loads: Sequence[ExecutableOption] = ()
    dress: Dress | None = None
    counting: Callable[[int | None], int] | None = None
    size: int = PAGE
    reader: Callable[[], Session] = session

    def where(self, *conditions: ColumnElement[bool]) -> Listing[Row]:
        """The same list narrowed further."""
        return replace(self, query=self.query.where(*conditions), counting=None)

    def ordered(self, *keys: Any, descending: bool = False) -> Listing[Row]:
        """The same rows in another order."""
        return replace(self, keys=keys, descending=descending)

    def dressed(self, dress: Callable[[Sequence[Row]], Sequence[Other]]) -> Listing[Other]:
        """The same list with something made of the rows that are shown."""
        first = self.dress
        again: Dress = dress if first is None else lambda rows: dress(first(rows))
        return replace(self, dress=again)  # type: ignore[return-value]  # its rows are what ``dress`` makes

    def page(self, *, after: str = "", before: str = "") -> Page[Row]:
        """One page.

        Args:
            after: cursor from a Page: the rows behind it.
            before: the rows in front of it; at most one of the two.

        Raises:
            DomainError: a tampered cursor.
        """
        return self._page(self.size, after, before)

    def walk(self, size: int = CHUNK, *, forget: bool = True) -> Iterator[Sequence[Row]]:
        """Everything, ``size`` rows at a time, so that memory does not grow with it.

        Args:
            size: rows a chunk.
            forget: what was loaded for a chunk is forgotten before the next.
        """
        page = self._page(size)
        while page.rows:
            yield page.rows
            if not page.after:
                return
            if forget:
                for each in {session(), self.reader()}:
                    each.expunge_all()
            page = self._page(size, page.after)

    def __iter__(self) -> Iterator[Row]:
        """Everything, row by row."""
        return chain.from_iterable(self.walk())

    def count(self, most: int | None = None) -> int:
        """How many rows it has on all its pages; where they are more than ``most``, one more than that."""
        if self.counting is not None:
            return self.counting(most)
        rows = self._only(*self.keys)
        if most is not None:
            # In the order of the list, so that it ends as soon as it has met so many.
            rows = rows.order_by(*self._order()).limit(most + 1)
        return self.reader().scalar(select(func.count()).select_from(rows.subquery())) or 0

    def take(self, most: int, *columns: Any) -> list[Any]:
        """These columns of its first rows, for whoever picks from it; of one column the values."""
        rows = self.reader().execute(self._only(*columns).order_by(*self._order()).limit(most))
        return list(rows.scalars() if len(columns) == 1 else rows)

    def _only(self, *columns: Any) -> Select[Any]:
        return self.query.with_only_columns(*columns, maintain_column_froms=True)

    def _order(self, *, backwards: bool = False) -> list[Any]:
        return [key.desc() if backwards != self.descending else key.asc() for key in self.keys]

    def _page(self, size: int, after: str = "", before: str = "") -> Page[Row]:
        backwards, cursor = bool(before), before or after
        query = self._beyond(cursor, backwards=backwards).options(*self.loads)
        rows = self._read(query.order_by(*self._order(backwards=backwards)).limit(size + 1))
        more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows.reverse()
        if not rows:
            return Page([], "", "")
        first, last = ([getattr(row, key.key) for key in self.keys] for row in (rows[0], rows[-1]))
        has_before, has_after = (more, True) if backwards else (bool(cursor), more)
        shown = rows if self.dress is None else self.dress(rows)
        return Page(shown, encode(first) if has_before else "", encode(last) if has_after else "")

    def _beyond(self, cursor: str, *, backwards: bool) -> Select[Any]:
        """Its rows on the far side of a cursor; "" is its near end."""
        if not cursor:
            return self.query
        mark = decode(cursor, [key.type.python_type for key in self.keys])
        values = [literal(value, key.type) for value, key in zip(mark, self.keys, strict=True)]
        position, first = tuple_(*self.keys), self.keys[0]
        # Where the keys come from two tables, the second half of this lets the index on the first find the place.
        if backwards != self.descending:
            return self.query.where(position < tuple_(*values), first <= values[0])
        return self.query.where(position > tuple_(*values), first >= values[0])

    def _read(self, query: Select[Any]) -> list[Any]:
        described = query.column_descriptions
        is_entity = len(described) == 1 and described[0]["entity"] is described[0]["expr"]
        rows = self.reader().execute(query)
        return list(rows.scalars() if is_entity else rows)


@dataclass(frozen=True, slots=True)
class ReadyListing(Generic[Row]):
    """A list whose rows are known already: figures of a page, what had to be sorted as a whole.

    Args:
        rows: all of them, in order.
        key: where a row stands, rising from row to row; only a list that is shown by pages needs it.
        kinds: of the values of ``key``, see ``paging.decode``.
        dress: as for ``Listing``.
        size: rows a page.
    """

    rows: Sequence[Any]
    key: Callable[[Any], tuple[Any, ...]] = lambda _: ()
    kinds: Sequence[type] = ()
    dress: Dress | None = None
    size: int = PAGE

    def page(self, *, after: str = "", before: str = "") -> Page[Row]:
        """One page; see ``Listing.page``."""
        start, end = 0, self.size
        if cursor := before or after:
            mark = decode(cursor, self.kinds)
            if after:
                start = bisect_right(self.rows, mark, key=self.key)
                end = start + self.size
            else:
                end = bisect_left(self.rows, mark, key=self.key)
                start = max(0, end - self.size)
        rows = self.rows[start:end]
        if not rows:
            return Page([], "", "")
        first, last = (encode(self.key(row)) for row in (rows[0], rows[-1]))
        return Page(self._dressed(rows), first if start else "", last if end < len(self.rows) else "")

    def walk(self, size: int = CHUNK) -> Iterator[Sequence[Row]]:
        """Everything, ``size`` rows at a time."""
        for start in range(0, len(self.rows), size):
            yield self._dressed(self.rows[start : start + size])

    def __iter__(self) -> Iterator[Row]:
        """Everything, row by row."""
        return chain.from_iterable(self.walk())

    def count(self) -> int:
        """How many rows it has."""
        return len(self.rows)

    def _dressed(self, rows: Sequence[Any]) -> Sequence[Row]:
        return rows if self.dress is None else self.dress(rows)
