"""How long a large list takes as a file: ``python -m tests.bench.exports [rows]``.

On SQLite and on PostgreSQL: the members of a university, 100,000 of them, as xlsx and as csv by the job's own function.
Beside it, in the same run: the bare rows read by one statement. Bound: 30 seconds a file. With ``--memory`` also the
peak of Python's memory, which does not grow with the rows.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import sys
import time
import tracemalloc
from contextlib import ExitStack

from flask import Flask
from sqlalchemy import select, text

from jobs import exports as jobs
from tests.bench.bulk import applications
from tests.bench.marking import EACH, classes
from tests.world import World
from zhtj.exports import operations
from zhtj.exports.models import Export, FileFormat
from zhtj.exports.operations import ExportOrder
from zhtj.exports.registry import LISTS
from zhtj.kernel import audit, clock
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work.tasks import TaskState
from zhtj.people.finding.members import MemberFilters
from zhtj.people.models import Account, Member

ROWS, BOUND = 100_000, 30.0


def written(seat: ActiveSeat, file_format: FileFormat, *, traced: bool) -> tuple[float, int, float]:
    """Seconds of a file, its rows, and the peak of the memory in MB (0 unless traced)."""
    order = ExportOrder(LISTS["members"], seat, MemberFilters(), file_format)
    with unit_of_work():
        number = operations.ask(order, 0).id
    if traced:
        tracemalloc.start()
    began = time.perf_counter()
    jobs.work_off(number)
    taken = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1] / 2**20 if traced else 0.0
    tracemalloc.stop()
    export = session.get_one(Export, number, populate_existing=True)
    if export.state is not TaskState.DONE:
        raise SystemExit(f"{export.state}: {export.problem}")
    return taken, export.done, peak


def measure(backend: str, app: Flask, rows: int) -> bool:
    """Write both formats; print; whether a bound was broken."""
    failed = False
    with app.app_context(), audit.acting(None):
        Base.metadata.create_all(db.engine)
        world = World.build()
        classes(world, rows // EACH)
        seat = world.seat("university")
        session.execute(text("ANALYZE"))
        session.commit()
        began = time.perf_counter()
        bare = len(session.execute(select(Member.id, Member.student_no, Account.name).join(Account)).all())
        plain = time.perf_counter() - began
        session.remove()
        for file_format in FileFormat:
            taken, count, _ = written(seat, file_format, traced=False)
            failed |= taken > BOUND
            print(
                f"{backend:11} {file_format.value:4}  {count:,} rows of {bare:,}  {taken:.1f} s (bound {BOUND:.0f} s)  "
                f"bare SELECT {plain:.2f} s  ratio {taken / plain:.0f}"
            )
        if "--memory" in sys.argv:
            _, count, peak = written(seat, FileFormat.XLSX, traced=True)
            print(f"{backend:11} peak {peak:.1f} MB for {count:,} rows")
        session.remove()
        db.engine.dispose()
    return failed


def main() -> int:
    """Exit 1 above a bound."""
    given = [one for one in sys.argv[1:] if one.isdecimal()]
    rows = int(given[0]) if given else ROWS
    clock.stand_still(clock.parse("2026-10-14T09:00"))
    failed = False
    with ExitStack() as stack:
        for backend, app in applications(stack):
            failed |= measure(backend, app, rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
