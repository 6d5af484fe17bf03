"""What tests cost: a slow one says why, the run says how long it took, and names the slowest.

Judged is the processor time of the test's process and of the children it has waited for: the clock on the wall goes on
while a busy machine does something else. What is made once for many tests - fixtures of a file or a run, a world to be
read back - belongs to none of them.

PYTEST_DONT_REWRITE: it asserts nothing, and others import it before pytest does.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SLOW = 0.5
"""Seconds of processor time from which a test must say why, with ``@pytest.mark.slow("reason")``."""
CLEARLY = 10
"""How many times as long an unmarked test must take to fail the run: a busy machine makes everything slower."""
SLOWEST = 20
BEGIN, END = "<!-- slowest: begin -->\n", "<!-- slowest: end -->"
COST, WHY = "processor", "slow"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slowest", metavar="FILE", help="write the slowest tests into this page, between its marks")


def processor() -> float:
    """Seconds of processor time that this process and its children that have ended took so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@dataclass
class _Apart:
    """What was spent on what many tests share."""

    spent: float = 0.0
    begun: float | None = None

    def begin(self) -> None:
        self.begun = processor()

    def end(self) -> None:
        if self.begun is not None:
            self.spent += processor() - self.begun
            self.begun = None


_apart = _Apart()


@contextmanager
def apart() -> Iterator[None]:
    """What happens in the block is for many tests; it is not put down to the one that came first."""
    if _apart.begun is not None:
        yield
        return
    _apart.begin()
    try:
        yield
    finally:
        _apart.end()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Any:
    if fixturedef.scope == "function":
        return (yield)
    # The last one added runs first: the clock stands still between the two, while the fixture's own end runs
    fixturedef.addfinalizer(_apart.end)
    try:
        with apart():
            return (yield)
    finally:
        fixturedef.addfinalizer(_apart.begin)


# A test


def reason_of(item: pytest.Item) -> str:
    """Why the test may be slow; empty if it must not be."""
    mark = item.get_closest_marker("slow")
    if mark is None:
        return ""
    if len(mark.args) != 1 or not str(mark.args[0]).strip():
        raise pytest.UsageError(f"{item.nodeid}: say why it is slow: @pytest.mark.slow('…')")
    return str(mark.args[0])


def complaint(cost: float, reason: str) -> str:
    """What is wrong with a test of so many seconds of processor time; empty if nothing is."""
    if reason or cost <= SLOW * CLEARLY:
        return ""
    return (
        f"This test took {cost:.1f} s of processor time. One that takes more than {SLOW} s must be made faster, or say "
        "why not: @pytest.mark.slow('…'), see docs/testing.md."
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    item.stash[_begun] = processor() - _apart.spent
    return (yield)


_begun = pytest.StashKey[float]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report: pytest.TestReport = yield
    if call.when == "teardown":
        cost, reason = processor() - _apart.spent - item.stash[_begun], reason_of(item)
        report.user_properties += [(COST, cost), (WHY, reason)]
        if report.passed and (wrong := complaint(cost, reason)):
            report.outcome, report.longrepr = "failed", wrong
    return report


# The run


@dataclass
class Run:
    """What is known of the run's tests, in the process that started them."""

    begun: float = field(default_factory=time.monotonic)
    wall: dict[str, float] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    def add(self, report: pytest.TestReport) -> None:
        """A part of a test has ended."""
        name, sign, _ = report.nodeid.rpartition("@")  # xdist names a test's group behind it
        name = name if sign and "]" not in report.nodeid[len(name) :] else report.nodeid
        self.wall[name] = self.wall.get(name, 0.0) + report.duration
        found = dict(report.user_properties)
        if COST in found:
            self.cost[name], self.why[name] = float(str(found[COST])), str(found[WHY])

    def table(self) -> str:
        """The slowest tests as a table in Markdown."""
        slowest = sorted(self.wall, key=lambda name: -self.wall[name])[:SLOWEST]
        lines = ["| Seconds | of these processor | Test | Why |", "|---:|---:|---|---|"]
        for name in slowest:
            cost, why = self.cost.get(name, 0.0), self.why.get(name, "")
            lines.append(f"| {self.wall[name]:.1f} | {cost:.1f} | `{name.replace('|', ' ')}` | {why} |")
        return "\n".join(lines) + "\n"


_run = pytest.StashKey[Run]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_run] = run = Run()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Collector(run))


class _Collector:
    def __init__(self, run: Run) -> None:
        self.run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.run.add(report)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last words of a run."""
    run, reporter = config.stash.get(_run, None), config.pluginmanager.get_plugin("terminalreporter")
    if run is None or not run.cost or reporter is None:
        return
    took, of_these = clock(time.monotonic() - run.begun), clock(sum(run.cost.values()))
    reporter.write_line(f"{len(run.cost)} tests in {took} (processor time {of_these})")
    reporter.write_line(f"set-up before them: {clock(float(os.environ.get('SETUP_SECONDS', '0')))}")
    if path := config.getoption("slowest"):
        write(Path(path), run.table())


def write(path: Path, table: str) -> None:
    """Put the table between the page's marks."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(before + BEGIN + table + END + after, encoding="utf-8")


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60} min {int(seconds) % 60} s" if seconds >= 60 else f"{seconds:.0f} s"
