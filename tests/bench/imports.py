"""How long a large roster takes: ``python -m tests.bench.imports [rows]``.

On PostgreSQL, through the real pages, a real queue and a real worker: 50,000 rows are uploaded, checked and imported;
the page is left and opened again on the way, and the worker is killed once in the middle of the writing. Bound: 90
seconds without the time until another worker finds the killed one's job. Beside it, in the same run: bare INSERTs of
the very same accounts, members and memberships.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import delete, func, insert, select, text
from xlsxwriter import Workbook

from tests import services
from tests.bench.marking import classes
from tests.browsing import Browser, Page
from tests.conftest import KEY
from tests.world import World, id_number
from zhtj.config import ROOT
from zhtj.factory import create_app
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.models import ImportBatch, ImportPhase
from zhtj.kernel import audit, clock
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.kernel.work.tasks import TaskState
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member, Membership

ROWS, BRANCHES, BOUND = 50_000, 1000, 90.0
UPLOAD = "/school/imports/members"
SERIALS = 500


def roster(rows: int, branches: list[str]) -> bytes:
    """A roster of invented people."""
    target = io.BytesIO()
    with Workbook(target, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("名单")
        sheet.write_row(0, 0, [column.name for column in ROSTER.columns[:13]])
        for place in range(rows):
            born = date(2003, 1, 1) + timedelta(days=place // SERIALS)
            person = [
                f"团员{chr(0x4E00 + place % 5000)}",
                id_number(place % SERIALS, born=born),
                f"15{place:09d}",
                "男",
                "汉族",
                "2019-05",
                f"2019{place:08d}",
                branches[place % len(branches)],
                f"S{place:08d}",
                "软件工程",
                "本科",
                "共青团员",
                "安徽省合肥市",
            ]
            sheet.write_row(place + 1, 0, person)
    return target.getvalue()


@contextmanager
def worker(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker; killed at the end."""
    process = subprocess.Popen([sys.executable, "-m", "flask", "--app", "app", "worker"], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@dataclass
class Watch:
    """Looks at a batch from outside."""

    number: int
    seen: list[int] = field(default_factory=list)

    def row(self) -> tuple[ImportPhase, TaskState, int, int, int]:
        """Phase, state, done, total, attempt."""
        session.rollback()
        columns = (ImportBatch.phase, ImportBatch.state, ImportBatch.done, ImportBatch.total, ImportBatch.attempt)
        return session.execute(select(*columns).where(ImportBatch.id == self.number)).one()

    def until(self, phase: ImportPhase, state: TaskState, least: int = 0) -> float:
        """Seconds until the batch is there."""
        began = time.perf_counter()
        while True:
            now = self.row()
            if now[2] and (not self.seen or self.seen[-1] != now[2]):
                self.seen.append(now[2])
            if now[1] is TaskState.FAILED:
                raise SystemExit(f"failed: {session.scalar(select(ImportBatch.problem))}")
            if (now[0], now[1]) == (phase, state) and now[2] >= least:
                return time.perf_counter() - began
            time.sleep(0.05)


def bare() -> float:
    """Seconds of the same rows by plain INSERTs; what was imported is taken away for it."""
    tables: tuple[Any, ...] = (Account, Member, Membership)
    with unit_of_work():
        ours = select(Member.id).where(Member.student_no.startswith("S"))
        people = select(Member.account_id).where(Member.id.in_(ours))
        conditions = (Account.id.in_(people), Member.id.in_(ours), Membership.member_id.in_(ours))
        kept = [
            [dict(row) for row in session.execute(select(*table.__table__.columns).where(condition)).mappings()]
            for table, condition in zip(tables, conditions, strict=True)
        ]
        session.execute(text("SET session_replication_role = replica"))
        numbers = list(session.scalars(people))
        session.execute(delete(Membership).where(conditions[2]))
        session.execute(delete(Member).where(Member.account_id.in_(numbers)))
        session.execute(delete(Account).where(Account.id.in_(numbers)))
        session.execute(text("SET session_replication_role = DEFAULT"))
        began = time.perf_counter()
        for table, rows in zip(tables, kept, strict=True):
            session.execute(insert(table), rows)
        taken = time.perf_counter() - began
        session.rollback()
    return taken


def run(app: Flask, env: dict[str, str], rows: int) -> bool:
    """Import, killed once; print; whether the bound was broken."""
    world = World.build()
    ids = classes(world, BRANCHES)
    for table in ("accounts", "members"):  # those of ``classes`` were numbered by hand
        session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))
    names = list(session.scalars(select(Organisation.full_name).where(Organisation.id.in_(ids))))
    before = session.scalar(select(func.count(Member.id))) or 0
    data = roster(rows, names)
    session.execute(text("ANALYZE"))
    session.commit()
    browser = Browser(app.test_client()).login(world.accounts["university"])
    with worker(env) as first:
        began = time.perf_counter()
        page = browser.get(UPLOAD).form(UPLOAD).submit(file=(io.BytesIO(data), "名单.xlsx"))
        sent = time.perf_counter() - began
        watch = Watch(int(page.location.rsplit("/", 1)[1]))
        opened(browser, page.location)
        checked = watch.until(ImportPhase.CHECK, TaskState.DONE)
        looks, watch.seen = len(watch.seen), []
        browser.get(page.location).form(button="导入").submit()
        half = watch.until(ImportPhase.WRITE, TaskState.RUNNING, rows // 2)
        first.kill()
        first.wait()
    with worker(env):
        began = time.perf_counter()
        stuck = watch.row()[2]
        while watch.row()[4] < 3:
            time.sleep(0.05)
        waited = time.perf_counter() - began
        rest = watch.until(ImportPhase.WRITE, TaskState.DONE)
    result = browser.get(page.location)
    added = (session.scalar(select(func.count(Member.id))) or 0) - before
    if added != rows or f"已导入{rows:,}" not in result.main.replace(" ", "").replace("\n", ""):
        raise SystemExit(f"{added} members: {result.main[:300]}")
    total, plain = sent + checked + half + rest, bare()
    print(
        f"{rows:,} rows, {len(data) / 2**20:.1f} MB  upload {sent:.1f} s  read and check {checked:.1f} s "
        f"({looks} steps of the bar)  write {half + rest:.1f} s ({len(watch.seen)} steps, killed at {stuck:,}, "
        f"found again after {waited:.0f} s)  in all {total:.1f} s (bound {BOUND:.0f} s)  "
        f"bare INSERTs {plain:.1f} s  ratio {total / plain:.1f}"
    )
    return total > BOUND


def opened(browser: Browser, address: str) -> Page:
    """The page, left and opened again on the way; it shows a bar."""
    for htmx in (False, True):
        page = browser.get(address, htmx=htmx)
        if "<progress" not in page.source and page.status != 200:
            raise SystemExit(page.source[:400])
    return page


def main() -> int:
    """Exit 1 above the bound."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    clock.stand_still(clock.parse("2026-05-20T09:00"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = {
            "ZHTJ_ENV": "test",
            "ZHTJ_INSTANCE": str(folder),
            "ZHTJ_DATABASE_URL": stack.enter_context(services.postgres_url()),
            "ZHTJ_REDIS_URL": stack.enter_context(services.own_valkey(folder)),
            "ZHTJ_SECRET_KEY": "bench",
            "ZHTJ_DATA_KEYS": KEY,
            "ZHTJ_NOW": "=2026-05-20T09:00",
        }
        app = create_app(env)
        app.config["ZHTJ"] = replace(app.config["ZHTJ"], redis_url=env["ZHTJ_REDIS_URL"])
        with app.app_context(), audit.acting(None):
            Base.metadata.create_all(db.engine)
            failed = run(app, os.environ | env, rows)
            session.remove()
            db.engine.dispose()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
