"""How long a search over the whole tree takes: ``python -m tests.bench.search``.

500 questions of the kinds people ask, half of them with the province chosen, each in a session of its own. Bound: the
95th percentile under 20 ms in the process; beside it the time of a bare SELECT by primary key in the same run.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import select

from tests.bench import tree
from zhtj.kernel.database import session
from zhtj.orgs import divisions, naming
from zhtj.orgs.divisions import Division
from zhtj.orgs.models import Organisation, Tier
from zhtj.orgs.searching.search import search

BOUND = 20.0
COMMON = (
    "街道",
    "城关",
    "新华",
    "开发区",
    "流动",
    "流动团员团支部",
    "人民",
    "中心",
    "jd",
    "xh",
    "cgz",
    "x",
    "城",
    "34",
)


class Question(NamedTuple):
    """What is typed, after choosing a province or without."""

    kind: str
    text: str
    province: str | None


def questions(seed: int = 20261014) -> list[Question]:
    """The same 500 in every run."""
    dice = random.Random(seed)
    by_code = {division.code: division for division in divisions.read()}
    townships = [division for division in by_code.values() if division.is_township]

    def line(division: Division) -> list[str]:
        above = by_code[division.parent] if division.parent else None
        return [*(line(above) if above else []), division.name]

    def place(name: str) -> str:
        return naming.place_name(name) or name

    def above(division: Division) -> str:
        return by_code[division.parent or ""].name

    signs = "".join(sorted({sign for division in townships for sign in division.name}))
    kinds: dict[str, tuple[int, Callable[[Division], str]]] = {
        "name": (90, lambda d: d.name),
        "beginning": (80, lambda d: d.name[:2]),
        "inside": (40, lambda d: d.name[1:]),
        "initials": (80, lambda d: naming.initials(d.name)),
        "two initials": (30, lambda d: naming.initials(d.name)[:2]),
        "code": (30, lambda d: d.code),
        "two words": (50, lambda d: f"{place(above(d))} {place(d.name)}"),
        "two initials words": (20, lambda d: f"{naming.initials(place(above(d)))} {naming.initials(d.name)}"),
        "full name": (20, lambda d: naming.full_name(line(d))),
        "joined": (10, lambda d: "".join(map(place, line(d)[1:]))),
        "miss": (30, lambda _: "".join(dice.sample(signs, 4))),
        "common": (20, lambda _: dice.choice(COMMON)),
    }
    asked = []
    for kind, (count, ask) in kinds.items():
        for _ in range(count):
            division = dice.choice(townships)
            asked.append(Question(kind, ask(division), dice.choice((division.code[:2], None))))
    dice.shuffle(asked)
    return asked


class Times(NamedTuple):
    """Milliseconds of one search and of the bare statement after it."""

    search: float
    bare: float


def _percentile(share: float) -> Callable[[Sequence[float]], float]:
    """The figure that ``share`` of all do not exceed."""
    return lambda times: sorted(times)[min(int(len(times) * share), len(times) - 1)]


def _seconds(action: Callable[[], object]) -> float:
    """Time of one action in a session of its own, as a request has it."""
    session.remove()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _round(asked: Sequence[Question], provinces: dict[str, Organisation], keys: Sequence[int]) -> list[Times]:
    """Ask every question once, with a bare SELECT by primary key between any two."""
    times = []
    for question, key in zip(asked, keys, strict=True):
        within = provinces.get(question.province or "")
        bare = select(Organisation.code).where(Organisation.id == key)
        times.append(
            Times(
                _seconds(partial(search, session, question.text, within=within)) * 1000,
                _seconds(partial(session.execute, bare)) * 1000,
            )
        )
    return times


def measure(backend: str, *, rounds: int, slowest: int) -> bool:
    """Ask everything once to warm up, then ``rounds`` times for the record; whether the bound holds."""
    tree.load()
    asked, provinces = questions(), _provinces()
    ids = list(session.scalars(select(Organisation.id).limit(20_000)))
    keys = random.Random(1).choices(ids, k=len(asked))
    _round(asked, provinces, keys)
    recorded = [_round(asked, provinces, keys) for _ in range(rounds)]
    p50, p95, worst, bare = (
        statistics.median(figure([each[part] for each in times]) for times in recorded)
        for part, figure in ((0, _percentile(0.5)), (0, _percentile(0.95)), (0, max), (1, _percentile(0.5)))
    )
    print(
        f"{backend:10} p50 {p50:.1f} ms  p95 {p95:.1f} ms (bound {BOUND:.0f})  max {worst:.1f} ms"
        f"  bare SELECT {bare:.2f} ms  p50/bare {p50 / bare:.1f}  ({len(asked)} questions, median of {rounds})"
    )
    typical = {question: statistics.median(times[n].search for times in recorded) for n, question in enumerate(asked)}
    kinds: dict[str, list[float]] = defaultdict(list)
    for question, spent in typical.items():
        kinds[question.kind].append(spent)
    for kind, spents in sorted(kinds.items()):
        print(f"{'':10} {kind:20} p50 {statistics.median(spents):5.1f} ms  max {max(spents):5.1f} ms")
    for question in sorted(typical, key=lambda each: -typical[each])[:slowest]:
        print(f"{'':10} {typical[question]:5.1f} ms  {question.text} ({question.province or '全国'})")
    return p95 < BOUND


def _provinces() -> dict[str, Organisation]:
    """Province-rank organisations by code, detached, so that every session may use them."""
    rows = session.scalars(select(Organisation).where(Organisation.tier == Tier.PROVINCE)).all()
    session.expunge_all()
    return {row.code: row for row in rows}


def main() -> int:
    """Measure both databases; 1 if the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=tree.BOUNDS, action="append")
    parser.add_argument("--slowest", type=int, default=0, help="list so many of the slowest questions")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    good = True
    for backend in options.backend or tree.BOUNDS:
        with tree.empty_database(backend):
            good &= measure(backend, rounds=options.rounds, slowest=options.slowest)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
