"""How long letters take: ``python -m tests.bench.letters [how many]``, 1000 by default.

Bounds: a single letter, warm, under 150 ms (median of five) beside a bare page with one line in the same run; a batch
printed by two processes at least 25 letters a second and 1.5 times one process that prints one letter at a time; under
400 MB. Then the whole of a batch - numbers and files, on a database - by two workers, and once more with workers that
are killed three times: all letters, no number twice, no gap. Two otherwise idle cores.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert, select
from weasyprint import HTML

from tests.concurrency.processes import family, processes, variables
from tests.letters.processes import work
from tests.letters.samples import LONG, ORDINARY, RARE, SITE
from tests.transfers.steps import EMPLOYED, apply
from tests.world import World, id_number
from zhtj.factory import create_app
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.letters.many import letter_batches
from zhtj.letters.many.models import LetterFile
from zhtj.letters.models import Letter
from zhtj.letters.printing.press import press
from zhtj.letters.printing.render import render_letter, render_letters
from zhtj.letters.record import TEMPLATE_VERSION, LetterRecord
from zhtj.people.bulk import Enrolment, add_members
from zhtj.people.models import Member, Sex
from zhtj.people.operations import NewMember
from zhtj.transfers.models import Application

SINGLE, RATE, RATIO, MEMORY = 0.150, 25.0, 1.5, 400.0
BATCH, FILE, PROCESSES, KILLS = 1000, 50, 2, 3
NOW = "2026-10-14T09:00"
NAMES = ["李明", "王芳", "张伟", "刘洋", "陈静", "杨磊", "赵敏", "黄强", "周婷", "吴鹏"]


def records(count: int) -> list[LetterRecord]:
    """Letters of which every tenth is long and every twentieth has rare characters."""
    kinds = [LONG if number % 20 == 10 else RARE if number % 20 == 0 else ORDINARY for number in range(count)]
    return [
        replace(kind, number=number, name=kind.name if kind is RARE else NAMES[number % len(NAMES)])
        for number, kind in enumerate(kinds, start=1)
    ]


def median(work: Callable[[], object]) -> float:
    """Seconds; median of five after one run to warm up."""
    work()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def bare() -> bytes:
    """One line in the same face by the same library: what any PDF costs."""
    machine = press(TEMPLATE_VERSION)
    page = HTML(string=f'<html lang="zh-CN"><title>x</title><p>{ORDINARY.issuer}</p>')
    pdf: bytes = page.write_pdf(stylesheets=[machine.style], font_config=machine.fonts, pdf_variant="pdf/ua-1")
    return pdf


def print_file(part: list[LetterRecord]) -> float:
    """Print one file of the batch; returns the process's greatest size in MB."""
    render_letters(part, site=SITE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def printed(count: int) -> tuple[float, float, float]:
    """Letters a second one at a time, letters a second by two processes, and the greatest process in MB."""
    some = records(30)
    start = time.perf_counter()
    for record in some:
        render_letter(record, site=SITE)
    alone = len(some) / (time.perf_counter() - start)
    everything = records(count)
    parts = [everything[first : first + FILE] for first in range(0, count, FILE)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        start = time.perf_counter()
        memory = max(pool.map(print_file, parts, chunksize=1))
        return alone, count / (time.perf_counter() - start), memory


def installation(folder: str) -> Flask:
    """An application with an empty database of its own."""
    variables = {"ZHTJ_ENV": "test", "ZHTJ_INSTANCE": folder, "ZHTJ_DATABASE_URL": f"sqlite:///{folder}/bench.db"}
    variables |= {"ZHTJ_SECRET_KEY": "bench", "ZHTJ_DATA_KEYS": crypto.generate_key()}
    return create_app(variables)


def confirmed(world: World, count: int) -> int:
    """A confirmed batch of so many applications; its id."""
    day, branch = date(2004, 3, 14), session.merge(world.orgs["class1"])
    enrolments = [
        Enrolment(
            branch.id,
            branch.code,
            NewMember(
                name=f"员{position}",
                id_number=id_number(position % 500, born=day + timedelta(days=position // 500 + 10 * world.serial)),
                mobile=f"17{world.serial:02d}{position:07d}",
                sex=Sex.MALE,
                joined_on=date(2019, 5, 1),
                ethnicity="汉族",
                dev_number=f"20{world.serial:02d}{position:08d}",
            ),
        )
        for position in range(count)
    ]
    world.serial += 1
    with unit_of_work():
        people = add_members(enrolments)
        graduation.open_register()
    first = apply(world, session.get_one(Member, people[0]), "company", **EMPLOYED)
    names = [column.key for column in Application.__table__.columns if column.key not in {"id", "member_id"}]
    values = {name: getattr(first, name) for name in names}
    with unit_of_work():
        session.execute(insert(Application), [{**values, "member_id": member} for member in people[1:]])
    numbers = list(session.scalars(select(Application.id).where(Application.member_id.in_(people))))
    seat = world.seat("university")
    typed = {"dues_until": "2026-09", "file_disposition": "kept"}
    with unit_of_work(), audit.acting(seat):
        number = letter_batches.keep(seat, numbers, key=str(people[0]), title="bench", details=typed, site=SITE)
    with unit_of_work(), audit.acting(seat):
        letter_batches.confirm(letter_batches.owned(number, seat), seat, {})
    return number


def whole(app: Flask, number: int, kills: int) -> float:
    """Seconds in which two workers number and print a batch, the first of them killed so often on the way."""
    context = family()
    shares = [(0, 2)] * (kills + 1) + [(1, 2)]
    starts = [context.Event() for _ in shares]
    jobs = [
        (work, variables(app, NOW), number, letter_batches.CHUNK, start, share)
        for share, start in zip(shares, starts, strict=True)
    ]
    with processes(*jobs) as workers:
        time.sleep(5)  # all of them are ready
        began = time.perf_counter()
        starts[-1].set()
        for worker, start in zip(workers[:kills], starts, strict=False):
            start.set()
            time.sleep(1.5)
            worker.kill()
        starts[kills].set()
        for worker in workers:
            worker.join()
        return time.perf_counter() - began


def whole_batches(count: int) -> bool:
    """Number and print a batch, then another one with kills; whether nothing is lost, repeated or missing."""
    with tempfile.TemporaryDirectory() as folder:
        app = installation(folder)
        with app.app_context(), audit.acting(None), clock.at(clock.parse(NOW)):
            upgrade()
            world = World.build()
            with unit_of_work():
                session.merge(world.orgs["university"]).phone = "0551-65500000"
            for kills in (0, KILLS):
                number = confirmed(world, count)
                seconds = whole(app, number, kills)
                letter_batches.resume(clock.now() + timedelta(hours=1))
                print(f"whole batch of {count}, workers killed {kills} times: {count / seconds:.1f} letters/s")
            session.rollback()
            numbers = list(session.scalars(select(Letter.number).order_by(Letter.number)))
            files = session.scalars(select(LetterFile.letters)).all()
            print(f"numbers 1 to {numbers[-1]}: {len(numbers)}, in files: {sum(files)}")
            db.session.remove()
            db.engine.dispose()
        return numbers == list(range(1, 2 * count + 1)) and sum(files) == 2 * count


def main(count: int) -> int:
    """Measure and compare; exit status 1 if a bound is missed."""
    single, plain = median(lambda: render_letter(ORDINARY, site=SITE)), median(bare)
    print(f"single letter {single * 1000:.0f} ms (bound {SINGLE * 1000:.0f}), bare page {plain * 1000:.0f} ms")
    alone, rate, memory = printed(count)
    ratio = rate / alone
    print(f"batch of {count}: {rate:.1f} letters/s (bound {RATE:.0f}), one at a time {alone:.1f}, ratio {ratio:.2f}")
    print(f"greatest process {memory:.0f} MB (bound {MEMORY:.0f})")
    sound = whole_batches(count)
    return int(single > SINGLE or rate < RATE or ratio < RATIO or memory > MEMORY or not sound)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else BATCH))
