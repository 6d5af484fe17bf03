"""How long marking and converting take: ``python -m tests.bench.marking [--conversion]``.

On SQLite and on PostgreSQL: 1,000 branches with 40,000 members are marked in one action through the real pages.
Beside it, in the same run: bare INSERTs of the very same marks, register rows and log. Bounds: the preview 1 s, done
3 s, one audit event a branch. With ``--conversion`` also 500,000 members of 12,500 branches on PostgreSQL: the
rehearsal, then the conversion under 3 minutes with exactly the rehearsal's numbers; beside it bare UPDATEs.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update

from tests import services
from tests.bench.bulk import applications
from tests.browsing import Browser
from tests.world import World
from zhtj.factory import create_app
from zhtj.graduation import conversion
from zhtj.graduation.models import BranchMark, RegisterRow
from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.orgs.bulk import insert_mappings
from zhtj.orgs.models import Category, Organisation, Tier, segment
from zhtj.people.models import Account, Member, Membership, Sex
from zhtj.rates.models import RateCounter, Standing

BRANCHES, EACH, ROUNDS = 1000, 40, 3
PREVIEW, DONE = 1.0, 3.0
CONVERTED, CONVERSION = 12_500, 180.0
DAY, JUNE = "2026-05-20T09:00", "2026-06-01T00:05"
WRITTEN: tuple[Any, ...] = (BranchMark, RegisterRow, AuditEvent)


def classes(world: World, number: int) -> list[int]:
    """So many unmarked classes of forty below the college."""
    above = world.orgs["college"]
    rows: list[dict[str, Any]] = [
        {
            "code": f"{above.code}-M{n:05d}",
            "parent_id": above.id,
            "path": above.path + segment(1000 + n),
            "full_name": f"{above.full_name}2022级第{n}团支部",
            "short_name": f"2022级第{n}团支部",
            "category": Category.BRANCH,
            "tier": Tier.BRANCH,
            "industry": "普通高等院校",
            "created_at": clock.now(),
            "next_child": 0,
            "office_id": above.id,
        }
        for n in range(number)
    ]
    with unit_of_work():
        ids = list(session.scalars(insert(Organisation).returning(Organisation.id), rows).all())
        members(ids)
    return ids


def members(branches: list[int]) -> None:
    """Forty members in each of these branches."""
    first = (session.scalar(select(func.max(Account.id))) or 0) + 1
    offset = (session.scalar(select(func.max(Member.id))) or 0) + 1
    moment = clock.now()
    people = [(position, branch) for position, branch in enumerate(one for one in branches for _ in range(EACH))]
    insert_mappings(
        session,
        Account.__table__,  # type: ignore[arg-type]  # a table, which the mapper calls a FromClause
        [
            {"id": first + position, "name": f"团员{position:06d}", "session_version": 1, "created_at": moment}
            for position, _ in people
        ],
    )
    insert_mappings(
        session,
        Member.__table__,  # type: ignore[arg-type]  # as above
        [
            {
                "id": offset + position,
                "account_id": first + position,
                "org_id": branch,
                "sex": Sex.MALE,
                "joined_on": moment.date(),
                "is_graduate": False,
                "created_at": moment,
            }
            for position, branch in people
        ],
    )
    insert_mappings(
        session,
        Membership.__table__,  # type: ignore[arg-type]  # as above
        [
            {"member_id": offset + position, "org_id": branch, "started_at": moment, "began_by": "import"}
            for position, branch in people
        ],
    )


def marked(browser: Browser, ids: list[int]) -> tuple[float, float]:
    """Seconds of the preview and of the request that marks."""
    values = {"rows": " ".join(map(str, ids)), "month": "2026-06"}
    began = time.perf_counter()
    preview = browser.post("/college/marking/preview", values)
    seen = time.perf_counter() - began
    form = preview.form("/marking/confirm")
    began = time.perf_counter()
    done = form.submit(month="2026-06", read="1")
    taken = time.perf_counter() - began
    if not re.search(rf"已标记 {len(ids):,} 个团支部，共 {len(ids) * EACH:,} 名团员", done.main):
        raise SystemExit(done.main[:400])
    return seen, taken


def bare(ids: list[int], before: int) -> float:
    """Seconds of the same rows written by plain statements; they are taken back, and so is what we wrote."""
    with unit_of_work():
        events = session.scalar(select(func.count()).where(AuditEvent.id > before))
        if events != len(ids):
            raise SystemExit(f"{events} events for {len(ids)} branches")
        rows = {table: _copies(table, ids, before) for table in WRITTEN}
        _take_back(ids, before)
        began = time.perf_counter()
        for table, values in rows.items():
            session.execute(insert(table), values)
        taken = time.perf_counter() - began
        _take_back(ids, before)
    return taken


def _which(table: Any, ids: list[int], before: int) -> Any:
    if table is AuditEvent:
        return AuditEvent.id > before
    return (BranchMark.org_id if table is BranchMark else RegisterRow.origin_org_id).in_(ids)


def _copies(table: Any, ids: list[int], before: int) -> list[dict[str, Any]]:
    columns = [column for column in table.__table__.columns if column.key != "id"]
    return [dict(row) for row in session.execute(select(*columns).where(_which(table, ids, before))).mappings()]


def _take_back(ids: list[int], before: int) -> None:
    for counted in (Standing, RateCounter):
        session.execute(delete(counted))
    for table in WRITTEN:
        session.execute(delete(table).where(_which(table, ids, before)))


def measure(backend: str, app: Flask) -> bool:
    """Mark the thousand; print; whether a bound was broken."""
    clock.stand_still(clock.parse(DAY))
    with app.app_context(), audit.acting(None):
        Base.metadata.create_all(db.engine)
        world = World.build()
        ids = classes(world, BRANCHES)
        session.execute(text("ANALYZE"))
        session.commit()
        browser = Browser(app.test_client()).login(world.accounts["college"])
        triples = []
        for _ in range(ROUNDS):
            before = session.scalar(select(func.max(AuditEvent.id))) or 0
            session.remove()
            seen, ours = marked(browser, ids)
            triples.append((seen, ours, bare(ids, before)))
        session.remove()
        db.engine.dispose()
    seen, ours, plain = (statistics.median(column) for column in zip(*triples, strict=True))
    print(
        f"{backend:11} {BRANCHES:,} branches, {BRANCHES * EACH:,} members  preview {seen:.2f} s (bound {PREVIEW:.0f} s)"
        f"  done {ours:.2f} s (bound {DONE:.0f} s)  bare {plain:.2f} s  ratio {ours / plain:.1f}"
    )
    return bool(seen > PREVIEW or ours > DONE)


@contextmanager
def postgres(stack: ExitStack) -> Iterator[Flask]:
    """The real application on an empty PostgreSQL of its own."""
    url = stack.enter_context(services.postgres_url())
    settings = {"ZHTJ_ENV": "test", "ZHTJ_DATABASE_URL": url, "ZHTJ_SECRET_KEY": "bench"}
    app = create_app({**settings, "ZHTJ_DATA_KEYS": crypto.generate_key()})
    with app.app_context(), audit.acting(None):
        Base.metadata.create_all(db.engine)
        yield app
        session.remove()
        db.engine.dispose()


def convert() -> bool:
    """Rehearse and convert half a million; print; whether a bound was broken."""
    clock.stand_still(clock.parse(DAY))
    with ExitStack() as stack, postgres(stack):
        world = World.build()
        ids = classes(world, CONVERTED)
        month = clock.parse(JUNE).date().replace(day=1)
        with unit_of_work():
            values = [{"org_id": number, "month": month, "marked_at": clock.now()} for number in ids]
            session.execute(insert(BranchMark), values)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        began = time.perf_counter()
        told = conversion.forecast("")
        rehearsed = time.perf_counter() - began
        clock.stand_still(clock.parse(JUNE))
        began = time.perf_counter()
        with unit_of_work():
            done = conversion.convert()
        ours = time.perf_counter() - began
        if done != (told.branches, told.members):
            raise SystemExit(f"rehearsed {told}, converted {done}")
        with unit_of_work():
            began = time.perf_counter()
            everyone = Member.org_id.in_(ids[: len(ids) // 2]) | Member.org_id.in_(ids[len(ids) // 2 :])
            session.execute(
                update(Member).where(everyone).values(is_graduate=True).execution_options(synchronize_session=False)
            )
            plain = time.perf_counter() - began
            session.rollback()
    print(
        f"conversion  {done[0]:,} branches, {done[1]:,} members  rehearsal {rehearsed:.2f} s  "
        f"ours {ours:.1f} s (bound {CONVERSION:.0f} s)  bare {plain:.1f} s  ratio {ours / plain:.1f}"
    )
    return ours > CONVERSION


def main() -> int:
    """Exit 1 above a bound."""
    failed = False
    with ExitStack() as stack:
        for backend, app in applications(stack):
            failed |= measure(backend, app)
    if "--conversion" in sys.argv:
        failed |= convert()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
