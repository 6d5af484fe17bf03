"""How long a bulk decision of 500 takes: ``python -m tests.bench.bulk``.

On SQLite and on PostgreSQL, through the real pages: 500 of 3,000 waiting lines are accepted into a branch at once,
which is two recorded steps each, a membership closed and another opened. Beside it, in the same run: bare set-based
UPDATEs of the same rows and INSERTs of the very same history, log, messages, memberships and arrivals. Bound: 2 s.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import delete, func, insert, select, update

from tests import services
from tests.browsing import Browser
from tests.transfers.steps import EMPLOYED, apply
from tests.world import World, id_number
from zhtj.factory import create_app
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.notices.models import Message
from zhtj.people.bulk import Enrolment, add_members
from zhtj.people.models import Member, Membership, Sex
from zhtj.people.operations import NewMember
from zhtj.transfers.models import Application, ApplicationEvent, Arrival
from zhtj.transfers.workflow import State

MANY, LINES, ROUNDS, BOUND = 3000, 500, 5, 2.0
WRITTEN: tuple[Any, ...] = (ApplicationEvent, AuditEvent, Message, Membership, Arrival)


def waiting(world: World) -> None:
    """3,000 graduates who wait for the company."""
    branch = world.orgs["class1"]
    enrolments = [
        Enrolment(
            branch.id,
            branch.code,
            NewMember(
                name=f"毕业生{number:04d}",
                id_number=id_number(number % 500, born=date(2003, 1, 1) + timedelta(days=number // 500)),
                mobile=f"137{number:08d}",
                sex=Sex.MALE,
                joined_on=date(2019, 5, 1),
                dev_number=f"20193401{number:04d}",
            ),
        )
        for number in range(MANY)
    ]
    with unit_of_work():
        people = add_members(enrolments)
        graduation.open_register()
    first = apply(world, session.get_one(Member, people[0]), "company", **EMPLOYED)
    names = [column.key for column in Application.__table__.columns if column.key not in {"id", "member_id"}]
    values = {name: getattr(first, name) for name in names}
    with unit_of_work():
        session.execute(insert(Application), [{**values, "member_id": member} for member in people[1:]])


def numbers() -> list[int]:
    """The next 500 that wait."""
    query = select(Application.id).where(Application.state == State.AWAITING_ACCEPTANCE).order_by(Application.id)
    return list(session.scalars(query.limit(LINES)))


def high_water() -> dict[Any, int]:
    """The newest row of every table that is written."""
    return {table: session.scalar(select(func.max(_key(table)))) or 0 for table in WRITTEN}


def _key(table: Any) -> Any:
    return table.application_id if table is Arrival else table.id


def decided(browser: Browser, picked: list[int], branch: int) -> float:
    """Seconds of the one request that decides, between the preview and the result."""
    values = {"listing": "waiting", "action": "accept", "row": [str(number) for number in picked]}
    form = browser.post("/school/bulk", values).form("/bulk/confirm")
    began = time.perf_counter()
    done = form.submit(branch=str(branch))
    taken = time.perf_counter() - began
    result = browser.get(done.location)
    if not re.search(rf"成功\s*{LINES}", result.main):
        raise SystemExit(result.main[:400])
    return taken


def bare(picked: list[int], before: dict[Any, int]) -> float:
    """Seconds of the same rows written by plain statements, and taken back."""
    rows = {table: _copies(table, before[table]) for table in WRITTEN}
    members = select(Application.member_id).where(Application.id.in_(picked))
    with unit_of_work():
        for table in WRITTEN:
            session.execute(delete(table).where(_key(table) > before[table]))
        began = time.perf_counter()
        for _ in range(2):
            session.execute(
                update(Application).where(Application.id.in_(picked)).values(version=Application.version + 1),
                execution_options={"synchronize_session": False},
            )
        session.execute(
            update(Member).where(Member.id.in_(members)).values(org_id=Member.org_id),
            execution_options={"synchronize_session": False},
        )
        session.execute(
            update(Membership).where(Membership.member_id.in_(members)).values(began_by=Membership.began_by),
            execution_options={"synchronize_session": False},
        )
        for table, values in rows.items():
            if values:
                session.execute(insert(table), values)
        taken = time.perf_counter() - began
        session.rollback()
    return taken


def _copies(table: Any, after: int) -> list[dict[str, Any]]:
    columns = [column for column in table.__table__.columns if column.key != "id"]
    found = session.execute(select(*columns).where(_key(table) > after)).mappings()
    return [dict(row) for row in found]


def applications(stack: ExitStack) -> Iterator[tuple[str, Flask]]:
    """The real application on both databases."""
    for backend in ("sqlite", "postgresql"):
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = f"sqlite:///{folder}/bench.db" if backend == "sqlite" else stack.enter_context(services.postgres_url())
        yield (
            backend,
            create_app(
                {
                    "ZHTJ_ENV": "test",
                    "ZHTJ_INSTANCE": folder,
                    "ZHTJ_DATABASE_URL": url,
                    "ZHTJ_SECRET_KEY": "bench",
                    "ZHTJ_DATA_KEYS": crypto.generate_key(),
                }
            ),
        )


def main() -> int:
    """Print seconds and ratio for each database; exit 1 above the bound."""
    failed = False
    with ExitStack() as stack:
        for backend, app in applications(stack):
            clock.stand_still(clock.parse("2026-10-08T09:00"))
            with app.app_context(), audit.acting(None):
                Base.metadata.create_all(db.engine)
                world = World.build()
                waiting(world)
                branch, account = world.orgs["team"].id, world.accounts["company"]
                browser = Browser(app.test_client()).login(account)
                pairs = []
                for _ in range(ROUNDS):
                    picked, before = numbers(), high_water()
                    session.remove()
                    ours = decided(browser, picked, branch)
                    pairs.append((ours, bare(picked, before)))
                session.remove()
                db.engine.dispose()
            ours, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"{backend:11} {LINES} of {MANY}  ours {ours:.2f} s (bound {BOUND:.0f} s)  "
                f"bare {plain:.2f} s  ratio {ours / plain:.1f}"
            )
            failed |= ours > BOUND
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
