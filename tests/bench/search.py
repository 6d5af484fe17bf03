"""How long a search over the whole tree takes: ``python -m tests.bench.search``.

500 questions of the kinds people ask, half of them with the province chosen, each in a session of its own. Bound: the
95th percentile under 20 ms in the process; beside it the time of a bare SELECT by primary key in the same run.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import select

from tests.bench import tree
from zhtj.kernel.database import session
from zhtj.orgs import divisions, naming
from zhtj.orgs.divisions import Division
from zhtj.orgs.models import Organisation, Tier
from zhtj.orgs.search import search

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


def percentile(times: Sequence[float], share: float) -> float:
    """The time that ``share`` of all do not exceed."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


def _ask(question: Question, within: Organisation | None) -> tuple[float, bool]:
    """Milliseconds of one search in a session of its own, as a request has it; whether something was found."""
    session.remove()
    start = time.perf_counter()
    result = search(session, question.text, within=within)
    return (time.perf_counter() - start) * 1000, bool(result.hits)


def _bare(key: int) -> float:
    """Milliseconds of one SELECT by primary key in a session of its own."""
    session.remove()
    start = time.perf_counter()
    session.execute(select(Organisation.code).where(Organisation.id == key)).one()
    return (time.perf_counter() - start) * 1000


def measure(backend: str, *, slowest: int) -> bool:
    """Ask everything once to warm up and once for the record; whether the bound holds."""
    tree.load()
    provinces = _provinces()
    ids = list(session.scalars(select(Organisation.id).limit(20_000)))
    dice = random.Random(1)
    times: dict[Question, float] = {}
    by_kind: dict[str, list[float]] = defaultdict(list)
    bare: list[float] = []
    empty = 0
    for record in (False, True):
        for question in questions():
            spent, found = _ask(question, provinces.get(question.province or ""))
            bare_spent = _bare(dice.choice(ids))
            if record:
                times[question] = spent
                by_kind[question.kind].append(spent)
                bare.append(bare_spent)
                empty += not found
    every = [spent for spents in by_kind.values() for spent in spents]
    print(
        f"{backend:10} p50 {percentile(every, 0.5):.1f} ms  p95 {percentile(every, 0.95):.1f} ms (bound {BOUND:.0f})"
        f"  max {max(every):.1f} ms  bare SELECT {percentile(bare, 0.5):.2f} ms"
        f"  p50/bare {percentile(every, 0.5) / percentile(bare, 0.5):.1f}  without hit {empty}"
    )
    for kind, spents in sorted(by_kind.items()):
        print(f"{'':10} {kind:20} {len(spents):4}  p50 {percentile(spents, 0.5):5.1f}  max {max(spents):5.1f} ms")
    for question, spent in sorted(times.items(), key=lambda each: -each[1])[:slowest]:
        print(f"{'':10} {spent:5.1f} ms  {question.text} ({question.province or '全国'})")
    return percentile(every, 0.95) < BOUND


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
    options = parser.parse_args()
    good = True
    for backend in options.backend or tree.BOUNDS:
        with tree.empty_database(backend):
            good &= measure(backend, slowest=options.slowest)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
