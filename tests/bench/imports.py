"""How long a large roster takes: ``python -m tests.bench.imports [rows]``.

First on SQLite and on PostgreSQL, five times each with new people: a roster is read, checked and imported by the job
that does it (``work_off``, twice), from the bytes of the upload to the commit of the last part. Beside it, in the same
run: bare INSERTs, a statement a table, of the very rows the import wrote - accounts and what they are found by,
members, memberships, certifications, audit log, what the import notes in order to be undone. Encryption is part of
both, for no row can be written without; what the bare ones are spared is reading, checking, looking up, hashing.
Bound: twice the bare ones, the median of the five ratios.

Then on PostgreSQL through the real pages, a real queue and a real worker: the page is left and opened again on the way,
and the worker is killed once in the middle of the writing. Bound: 90 seconds without the time until another worker
finds the killed one's job.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import io
import os
import statistics
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
from zhtj.identity.models import Certification
from zhtj.imports import batches
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.models import ImportBatch, ImportEntry, ImportKind, ImportPhase
from zhtj.imports.work import work_off
from zhtj.kernel import audit, clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work.tasks import TaskState
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member, Membership, NameTerm

ROWS, BRANCHES, BOUND = 50_000, 1000, 90.0
ROUNDS, RATIO = 5, 2.0
UPLOAD = "/school/imports/members"
SERIALS = 500
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗单解仇"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华梓涵雨轩子怡晨浩然嘉思琪若诗语瑞泽欣悦"
WRITTEN: dict[Any, Any] = {
    Account: Account.id,
    NameTerm: NameTerm.account_id,
    Member: Member.id,
    Membership: Membership.member_id,
    Certification: Certification.member_id,
    AuditEvent: AuditEvent.id,
    ImportEntry: ImportEntry.member_id,
}
"""What an import writes, in the order of INSERTs, and what tells its rows from those before."""
PEOPLE = (Account, Member, Membership)


def roster(rows: int, branches: list[str], first: int = 0) -> bytes:
    """A roster of invented people, numbered from ``first``."""
    target = io.BytesIO()
    with Workbook(target, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("名单")
        sheet.write_row(0, 0, [column.name for column in ROSTER.columns[:13]])
        for line, place in enumerate(range(first, first + rows), start=1):
            born = date(2003, 1, 1) + timedelta(days=place // SERIALS)
            person = [
                SURNAMES[place % len(SURNAMES)] + GIVEN[place // 7 % len(GIVEN)] + GIVEN[place // 3 % len(GIVEN)],
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
            sheet.write_row(line, 0, person)
    return target.getvalue()


def newest() -> dict[Any, int]:
    """The highest id of every table that is written."""
    return {column: session.scalar(select(func.max(column))) or 0 for column in WRITTEN.values()}


def imported(data: bytes, seat: ActiveSeat, rows: int) -> tuple[float, float]:
    """Seconds of reading and checking, and of writing; by the very calls that pages and jobs make."""
    began = time.perf_counter()
    with unit_of_work():
        number = batches.upload(ImportKind.MEMBERS, data, seat, "名单.xlsx").id
    work_off(number)
    checked = time.perf_counter() - began
    with unit_of_work():
        batches.start(session.get_one(ImportBatch, number), expected=rows)
    began = time.perf_counter()
    work_off(number)
    return checked, time.perf_counter() - began


def bare(before: dict[Any, int]) -> tuple[float, float]:
    """Seconds of the same rows by plain INSERTs, and of ``PEOPLE`` among them; what was imported is deleted first."""
    rows = {
        table: [
            dict(row)
            for row in session.execute(select(*table.__table__.columns).where(column > before[column])).mappings()
        ]
        for table, column in WRITTEN.items()
    }
    with unit_of_work():
        for table, column in reversed(WRITTEN.items()):
            session.execute(delete(table).where(column > before[column]))
    taken, began = {}, time.perf_counter()
    with unit_of_work():
        for table, values in rows.items():
            start = time.perf_counter()
            if values:
                session.execute(insert(table.__table__), values)
            taken[table] = time.perf_counter() - start
    return time.perf_counter() - began, sum(taken[table] for table in PEOPLE)


def school() -> tuple[World, list[str]]:
    """A university with many classes, and their names."""
    world = World.build()
    ids = classes(world, BRANCHES)
    if db.engine.dialect.name == "postgresql":
        for table in ("accounts", "members"):  # those of ``classes`` were numbered by hand
            last = f"(SELECT max(id) FROM {table})"
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})"))
    names = list(session.scalars(select(Organisation.full_name).where(Organisation.id.in_(ids))))
    session.execute(text("ANALYZE"))
    session.commit()
    return world, names


def ratios(rows: int) -> bool:
    """Import again and again beside bare INSERTs; print; whether the bound was broken."""
    world, names = school()
    seat, found = world.seat("university"), []
    for turn in range(ROUNDS):
        data = roster(rows, names, turn * rows)
        before = newest()
        session.remove()
        check, write = imported(data, seat, rows)
        if (session.scalar(select(func.count(Member.id)).where(Member.id > before[Member.id])) or 0) != rows:
            raise SystemExit("not everybody was imported")
        found.append((check, write, *bare(before)))
    ratio, alone = (statistics.median((one[0] + one[1]) / one[place] for one in found) for place in (2, 3))
    check, write, plain, _ = (statistics.median(column) for column in zip(*found, strict=True))
    print(
        f"{db.engine.dialect.name:11} {rows:,} rows  read and check {check:.1f} s  write {write:.1f} s  "
        f"bare INSERTs {plain:.1f} s  ratio {ratio:.2f} (bound {RATIO}; against accounts, members and memberships "
        f"alone {alone:.2f})",
        flush=True,
    )
    return ratio > RATIO


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


def run(app: Flask, env: dict[str, str], rows: int) -> bool:
    """Import, killed once; print; whether the bound was broken."""
    world, names = school()
    before = session.scalar(select(func.count(Member.id))) or 0
    data = roster(rows, names)
    browser = Browser(app.test_client()).login(world.accounts["university"])
    with worker(env) as first:
        began = time.perf_counter()
        page = browser.get(UPLOAD).form(UPLOAD).submit(file=(io.BytesIO(data), "名单.xlsx"))
        sent = time.perf_counter() - began
        watch = Watch(int(page.location.partition("?")[0].rsplit("/", 1)[1]))
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
    total = sent + checked + half + rest
    print(
        f"{'pages':11} {rows:,} rows, {len(data) / 2**20:.1f} MB  upload {sent:.1f} s  read and check {checked:.1f} s "
        f"({looks} steps of the bar)  write {half + rest:.1f} s ({len(watch.seen)} steps, killed at {stuck:,}, "
        f"found again after {waited:.0f} s)  in all {total:.1f} s (bound {BOUND:.0f} s)"
    )
    return total > BOUND


def opened(browser: Browser, address: str) -> Page:
    """The page, left and opened again on the way; it shows a bar."""
    for htmx in (False, True):
        page = browser.get(address, htmx=htmx)
        if "<progress" not in page.source and page.status != 200:
            raise SystemExit(page.source[:400])
    return page


def made(stack: ExitStack, url: str, folder: Path) -> tuple[Flask, dict[str, str]]:
    """The application on an empty database, and the environment of its worker."""
    env = {
        "ZHTJ_ENV": "test",
        "ZHTJ_INSTANCE": str(folder),
        "ZHTJ_DATABASE_URL": url,
        "ZHTJ_REDIS_URL": stack.enter_context(services.own_valkey(folder)),
        "ZHTJ_SECRET_KEY": "bench",
        "ZHTJ_DATA_KEYS": KEY,
        "ZHTJ_NOW": "=2026-05-20T09:00",
    }
    app = create_app(env)
    app.config["ZHTJ"] = replace(app.config["ZHTJ"], redis_url=env["ZHTJ_REDIS_URL"])
    return app, os.environ | env


def main() -> int:
    """Exit 1 above a bound."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    clock.stand_still(clock.parse("2026-05-20T09:00"))
    failed = False
    for backend, pages in (("sqlite", False), ("postgresql", False), ("postgresql", True)):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            own = f"sqlite:///{folder}/bench.db"
            url = own if backend == "sqlite" else stack.enter_context(services.postgres_url())
            app, env = made(stack, url, folder)
            with app.app_context(), audit.acting(None):
                Base.metadata.create_all(db.engine)
                failed |= run(app, env, rows) if pages else ratios(rows)
                session.remove()
                db.engine.dispose()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
