"""How long letters take: ``python -m tests.bench.letters``.

Bounds: a single letter, warm, under 150 ms (median of five) beside a bare page with one line in the same run; a batch
of 200 in two processes at least 25 letters a second and 1.5 times one process that prints one letter at a time; under
400 MB. Two otherwise idle cores.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from weasyprint import HTML

from tests.letters.samples import LONG, ORDINARY, RARE, SITE
from zhtj.letters.press import press
from zhtj.letters.record import TEMPLATE_VERSION, LetterRecord
from zhtj.letters.render import render_letter, render_letters

SINGLE, RATE, RATIO, MEMORY = 0.150, 25.0, 1.5, 400.0
BATCH, FILE, PROCESSES = 200, 50, 2
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


def main() -> int:
    """Measure and compare; exit status 1 if a bound is missed."""
    single, plain = median(lambda: render_letter(ORDINARY, site=SITE)), median(bare)
    print(f"single letter {single * 1000:.0f} ms (bound {SINGLE * 1000:.0f}), bare page {plain * 1000:.0f} ms")

    some = records(30)
    start = time.perf_counter()
    for record in some:
        render_letter(record, site=SITE)
    alone = len(some) / (time.perf_counter() - start)

    everything = records(BATCH)
    parts = [everything[first : first + FILE] for first in range(0, BATCH, FILE)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        start = time.perf_counter()
        memory = max(pool.map(print_file, parts, chunksize=1))
        rate = BATCH / (time.perf_counter() - start)
    ratio = rate / alone
    print(f"batch of {BATCH}: {rate:.1f} letters/s (bound {RATE:.0f}), one at a time {alone:.1f}, ratio {ratio:.2f}")
    print(f"greatest process {memory:.0f} MB (bound {MEMORY:.0f})")
    return int(single > SINGLE or rate < RATE or ratio < RATIO or memory > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
