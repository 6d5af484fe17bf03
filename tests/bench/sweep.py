"""How long a return sweep of a whole province takes: ``python -m tests.bench.sweep``.

100,000 overdue applications on PostgreSQL, from 400 branches to 400 others, are returned with history, log and a
message to every party. Beside it, in the same run: one bare UPDATE of the same rows and INSERTs of the very same
history, log and messages. Bounds: at most six times that; memory flat. Then once more, killed three times on the way:
the end is the same.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, text

from tests import services
from tests.concurrency import flood
from tests.concurrency.processes import family, processes, sweep, variables
from tests.world import World
from zhtj import doctor, sweeps
from zhtj.factory import create_app
from zhtj.kernel import audit, clock, crypto, events
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.notices.models import Message
from zhtj.orgs.models import Category, Organisation, Tier, segment
from zhtj.people.models import Post, Seat
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.watching import sweeps as returns
from zhtj.transfers.workflow import State

MANY, BRANCHES = 100_000, 400
RATIO, GROWTH, KILLS = 6.0, 60.0, 3
DUE, AFTER = "2026-10-16T00:00", "2026-10-16T00:01"
WRITTEN = (ApplicationEvent, AuditEvent, Message)


@contextmanager
def application(stack: ExitStack) -> Iterator[Flask]:
    """The real application on an empty PostgreSQL of its own."""
    url = stack.enter_context(services.postgres_url())
    app = create_app(
        {
            "ZHTJ_ENV": "test",
            "ZHTJ_DATABASE_URL": url,
            "ZHTJ_SECRET_KEY": "bench",
            "ZHTJ_DATA_KEYS": crypto.generate_key(),
            "ZHTJ_NOW": "=2026-10-05T09:00",
        }
    )
    with app.app_context(), audit.acting(None):
        Base.metadata.create_all(db.engine)
        yield app
        session.remove()
        db.engine.dispose()


def branches(world: World, parent: str, number: int) -> list[int]:
    """So many branches below an organisation, each with a secretary and so an office of its own."""
    above = world.orgs[parent]
    rows: list[dict[str, Any]] = [
        {
            "code": f"{above.code}-B{n:03d}",
            "parent_id": above.id,
            "path": above.path + segment(1000 + n),
            "full_name": f"{above.full_name}第{n}团支部",
            "short_name": f"第{n}团支部",
            "category": Category.BRANCH,
            "tier": Tier.BRANCH,
            "created_at": clock.now(),
            "next_child": 0,
            "office_id": above.id,
        }
        for n in range(number)
    ]
    found = session.scalars(insert(Organisation).returning(Organisation.id), rows).all()
    session.execute(
        Organisation.__table__.update().where(Organisation.id.in_(found)).values(office_id=Organisation.id)  # type: ignore[attr-defined]
    )
    secretary = {"account_id": world.accounts[parent].id, "post": Post.SECRETARY, "started_at": clock.now()}
    session.execute(insert(Seat), [{**secretary, "org_id": number} for number in found])
    return list(found)


def prepare() -> None:
    """Fill the database."""
    clock.stand_still(clock.parse("2026-10-05T09:00"))
    world = World.build()
    with unit_of_work():
        old, new = branches(world, "college", BRANCHES), branches(world, "company", BRANCHES)
    flood.applications(world, MANY, due=clock.parse(DUE), old=old, new=new)
    tidy()


def ours() -> tuple[float, float]:
    """Seconds of the real sweep; and by how many MB the process grew over its last nine tenths."""
    clock.stand_still(clock.parse(AFTER))
    sizes: list[float] = []
    started = time.perf_counter()
    events.subscribe(ApplicationsChanged, lambda _: sizes.append(resident()))
    counts = sweeps.run("return")
    seconds = time.perf_counter() - started
    if counts.done != MANY or counts.failed:
        raise SystemExit(f"not all returned: {counts}")
    return seconds, max(sizes) - sizes[len(sizes) // 10]


def resident() -> float:
    """Memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def bare() -> float:
    """Seconds of one bare UPDATE and the INSERTs of the very same rows, after taking them back."""
    names = [table.__tablename__ for table in WRITTEN]
    with db.engine.begin() as connection:
        for name, where in zip(names, ("action = 'return'", "action = 'transfer.return'", "true"), strict=True):
            connection.execute(text(f"CREATE TABLE kept_{name} AS SELECT * FROM {name} WHERE {where}"))
            connection.execute(text(f"DELETE FROM {name} WHERE {where}"))
        connection.execute(
            text(
                "UPDATE applications SET state = 'awaiting_acceptance', due_at = ended_at, ended_at = NULL, "
                "holder_id = to_org_id WHERE state = 'returned'"
            )
        )
    tidy()
    started = time.perf_counter()
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE applications SET state = 'returned', version = version + 1, ended_at = due_at, "
                "waiting_since = due_at, due_at = NULL, holder_id = NULL WHERE state = 'awaiting_acceptance'"
            )
        )
        for name in names:
            connection.execute(text(f"INSERT INTO {name} SELECT * FROM kept_{name}"))
    return time.perf_counter() - started


def returned() -> int:
    """How many were returned."""
    session.rollback()
    return session.scalar(select(func.count()).where(Application.state == State.RETURNED)) or 0


def written() -> tuple[int, ...]:
    """How many were returned, and how many lines of history, log and messages that left."""
    gone = returned()
    counts = (session.scalar(select(func.count()).select_from(table)) or 0 for table in WRITTEN)
    return (gone, *counts)


def tidy() -> None:
    """Forget what was taken back: neither dead rows nor old figures in the planner's way."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def killed(app: Flask) -> tuple[int, ...]:
    """The same once more, by processes that are killed on the way; what is there at the end."""
    environment = variables(app, AFTER)
    for turn in range(KILLS):
        goal, start = (turn + 1) * MANY // (KILLS + 1), family().Event()
        with processes((sweep, environment, returns.CHUNK, start)):
            start.set()
            while returned() < goal:
                time.sleep(0.1)
    clock.stand_still(clock.parse(AFTER))
    sweeps.run("return")
    return written()


def main() -> int:
    """Measure; 1 if a bound is broken."""
    with ExitStack() as stack, application(stack) as app:
        prepare()
        untouched = written()
        seconds, growth = ours()
        expected = written()
        floor = bare()
        ratio = seconds / floor
        lines = " + ".join(f"{after - before:,}" for before, after in zip(untouched[1:], expected[1:], strict=True))
        print(f"sweep {seconds:6.1f} s  bare {floor:5.1f} s  ratio {ratio:.1f} (bound {RATIO:.0f})  rows {lines}")
        print(f"memory grew by {growth:.0f} MB over the last nine tenths (bound {GROWTH:.0f})")
        session.rollback()
        tidy()
        for table in WRITTEN:
            name = table.__tablename__
            session.execute(text(f"DELETE FROM {name} WHERE id IN (SELECT id FROM kept_{name})"))
        session.execute(
            text(
                "UPDATE applications SET state = 'awaiting_acceptance', due_at = ended_at, ended_at = NULL, "
                "holder_id = to_org_id, version = 1 WHERE state = 'returned'"
            )
        )
        session.commit()
        tidy()
        found = killed(app)
        broken = [finding.name for finding in doctor.examine() if finding.broken]
        print(f"killed {KILLS} times: {found} rows, uninterrupted {expected}, doctor {broken or 'finds nothing'}")
    return int(ratio > RATIO or growth > GROWTH or found != expected or bool(broken))


if __name__ == "__main__":
    os.environ.setdefault("TZ", "Asia/Shanghai")
    sys.exit(main())
