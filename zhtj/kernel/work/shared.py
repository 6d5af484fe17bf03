"""Long work on many lines that several workers may share: looked at, confirmed, then done line by line.

``tasks`` is for work that one worker has in hand as a whole. Here each line carries its own result, written in the
transaction that does it: lines that another worker holds are passed over, a killed job leaves nothing half done, and
one that runs again repeats nothing. Work whose job was lost is found by ``resume``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from zhtj.kernel import clock
from zhtj.kernel.database import insert_new, session, touched
from zhtj.kernel.work.tasks import LOST_AFTER

LOOKED_AT_FOR = timedelta(hours=2)
"""How long work is kept that nobody has confirmed."""


Work = TypeVar("Work", bound=Any)
Line = TypeVar("Line", bound=Any)


@dataclass(frozen=True, slots=True)
class Shared(Generic[Work, Line]):
    """One kind of such work.

    Args:
        work: its table, with ``id``, ``state``, ``total``, ``failed``, ``created_at`` and ``touched_at``.
        line: the table of its lines, with ``position``, counted from 1.
        owner: the line's column that names its work.
        is_open: holds for a line without a result.
        previewed: the state of work that is only looked at.
        running: the states in which lines are worked off.
    """

    work: type[Work]
    line: type[Line]
    owner: InstrumentedAttribute[int]
    is_open: ColumnElement[bool]
    previewed: StrEnum
    running: tuple[StrEnum, ...]

    def keep(self, values: dict[str, Any], lines: Sequence[dict[str, Any]], same: ColumnElement[bool]) -> Work:
        """Keep lines to look at; asked again, it is the same work.

        Args:
            values: of the row.
            lines: values of each line, in order.
            same: finds the row that the same page or upload has made already.
        """
        moment = clock.now()
        kept = {"state": self.previewed, "total": len(lines), "failed": 0, "created_at": moment, "touched_at": moment}
        made = session.execute(
            insert_new(self.work).values(**values, **kept), execution_options={"preserve_rowcount": True}
        )
        row: Work = session.scalars(select(self.work).where(same)).one()
        if touched(made) == 1 and lines:
            numbered = [
                {self.owner.key: row.id, "position": position, **one} for position, one in enumerate(lines, start=1)
            ]
            session.execute(insert(self.line), numbered)
        return row

    def confirm(self, row: Work, **values: Any) -> bool:
        """Let the work go, in the first of its running states. Returns whether it was this call that did."""
        started = session.execute(
            update(self.work)
            .where(self.work.id == row.id, self.work.state == self.previewed)
            .values(state=self.running[0], touched_at=clock.now(), **values),
            execution_options={"synchronize_session": False},
        )
        session.refresh(row)
        return touched(started) == 1

    def open_positions(self, number: int, limit: int, after: int = 0) -> list[int]:
        """Positions of lines that are still to be done, in order."""
        query = select(self.line.position).where(self.owner == number, self.is_open, self.line.position > after)
        return list(session.scalars(query.order_by(self.line.position).limit(limit)))

    def count_open(self, number: int) -> int:
        """Lines that are still to be done."""
        return session.scalar(select(func.count()).where(self.owner == number, self.is_open)) or 0

    def hold(self, number: int, positions: Sequence[int]) -> Sequence[Line]:
        """Those of the lines that nobody has done or is doing, held until the transaction ends."""
        query = select(self.line).where(self.owner == number, self.line.position.in_(positions), self.is_open)
        return session.scalars(query.order_by(self.line.position).with_for_update(skip_locked=True)).all()

    def resume(self, at: datetime, work_off: Callable[[int], bool]) -> tuple[int, int]:
        """Work off what has lost its job. Returns (found, finished)."""
        lost = select(self.work.id).where(self.work.state.in_(self.running), self.work.touched_at <= at - LOST_AFTER)
        numbers = list(session.scalars(lost.order_by(self.work.id)))
        return len(numbers), sum(self._to_the_end(number, work_off) for number in numbers)

    def _to_the_end(self, number: int, work_off: Callable[[int], bool]) -> bool:
        """Call after call, as jobs would; stops where another one has the rest in hand."""
        before = -1
        while not work_off(number):
            left = self.count_open(number)
            if left == before:
                return False
            before = left
        return True

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete work with its lines."""
        session.execute(delete(self.line).where(self.owner.in_(numbers)))
        session.execute(delete(self.work).where(self.work.id.in_(numbers)))
