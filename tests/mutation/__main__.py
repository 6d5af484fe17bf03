"""Break the decisions one at a time: ``python -m tests.mutation [--count 400] [--seed 1] [--workers 2]``.

First the quick tests run once on SQLite and it is noted which functions each calls. Then a sample of mutants is taken
with a seed. Each is tried by the tests that call the broken function or prove a rule cited in its module, the quickest
first, up to the first failure: at first in a fork of one process that has everything loaded, the function broken in
place; what is not noticed there, or needs its module loaded anew, in a process of its own with more tests.
What is done is noted line by line in the folder, so that an interrupted run goes on; the report names the survivors.
"""

# ruff: noqa: T201 - it prints what it found

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import flask_migrate  # noqa: F401 - loaded once for all forks, as the others
import openpyxl  # noqa: F401
import pydantic  # noqa: F401
import pytest
import weasyprint  # noqa: F401

from tests.mutation.mutants import ROOT, Mutant, broken, modules, mutants
from tests.mutation.trying import ELSEWHERE, NOTICED, Loop, changed

PYTEST = ("-q", "-x", "--no-header", "-p", "no:cacheprovider", "-m", "not slow", "-k", "not postgresql")
# No browser, no servers, no walk over every page: slow, and they decide nothing.
LEFT_OUT = ("browser", "bench", "serve", "guards", "concurrency", "docs", "demo", "mutation", "exports", "jobs")
# A first try, and one with more: so many tests, so many seconds of them, so many seconds of patience.
QUICK, LONG = (60, 12.0, 90), (300, 40.0, 200)
KILLED, SURVIVED, AGAIN, ANEW = {"killed", "too slow"}, "survived", "once more", "needs loading"
Limits = tuple[int, float, int]
RULE = re.compile(r"\b(?:PD|[A-Z])-\d\d\b")


@dataclass
class Run:
    """One run: its folder, the map of the tests, and what was found so far."""

    folder: Path
    map: dict[str, Any] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)

    def fork(
        self, arguments: Sequence[str], name: str, mutant: Mutant | None = None, plugins: Sequence[object] = ()
    ) -> int:
        """Start pytest in a process of its own that loads ``mutant`` in place of its module. Returns its id."""
        number = os.fork()
        if number:
            return number
        os.setpgrp()
        with (self.folder / f"{name}.log").open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        # As a process of a parallel run it shares the migrated database beside its own folder.
        os.environ |= {"PYTEST_XDIST_WORKER": "gw0", "PYTEST_XDIST_WORKER_COUNT": "1"}
        status = 3
        try:
            if mutant is not None:
                _load(mutant)
            options = [*PYTEST, f"--basetemp={self.folder / 'tmp' / name}", *arguments]
            status = int(pytest.main(options, plugins=plugins))
        except BaseException:  # noqa: BLE001 - the process ends here, and the log says why
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def read(self) -> None:
        """What an earlier run has found."""
        notes = self.folder / "results.jsonl"
        for line in notes.read_text(encoding="utf-8").splitlines() if notes.exists() else ():
            self.results |= json.loads(line)

    def note(self, mutant: Mutant, result: str) -> None:
        """Keep one result."""
        self.results[mutant.key] = result
        with (self.folder / "results.jsonl").open("a", encoding="utf-8") as notes:
            notes.write(json.dumps({mutant.key: result}, ensure_ascii=False) + "\n")
        print(f"{len(self.results):4} {result:9} {mutant.key}", flush=True)

    def watch(self, paths: Sequence[str]) -> None:
        """Run the tests once whole and note what each calls, unless that is known."""
        known = self.folder / "map.json"
        if not known.exists():
            os.environ["ZHTJ_MUTATION_MAP"] = str(known)
            left_out = [f"--ignore={ROOT / 'tests' / name}" for name in LEFT_OUT]
            number = self.fork(["-p", "tests.mutation.watching", "--maxfail=1000", *left_out, *paths], "map")
            os.waitpid(number, 0)
        self.map = json.loads(known.read_text(encoding="utf-8"))

    def tests_of(self, mutant: Mutant, most: int, seconds: float) -> list[str]:
        """The tests that could notice, the quickest first; those that prove a rule of the function before others."""
        source = (ROOT / mutant.path).read_text(encoding="utf-8")
        function = _function(source, mutant.line)
        rules = set(RULE.findall(source))
        called = {
            name: {line for path, line in test["calls"] if path == mutant.path} for name, test in self.map.items()
        }
        # What is called only while the module is loaded, or by nothing, is left to whoever uses the module at all.
        near_it = [name for name, lines in called.items() if function in lines] or [
            name for name, lines in called.items() if lines or rules & set(self.map[name]["rules"])
        ]
        found = []
        for name in near_it:
            test = self.map[name]
            found.append((test["seconds"], len(test["calls"]), bool(rules & set(test["rules"])), name))
        # Half of the time for tests that call little else, or prove the module's rules; half for the quickest.
        near = sorted(found, key=lambda each: (not each[2], each[1]))
        chosen = _within(near, most // 2, seconds / 2)
        chosen |= _within(sorted(each for each in found if each[3] not in chosen), most // 2, seconds / 2)
        return sorted(chosen, key=lambda name: self.map[name]["seconds"])


def _within(tests: Sequence[tuple[float, int, bool, str]], most: int, seconds: float) -> set[str]:
    """The first so many that take so many seconds together; one in any case."""
    chosen, spent = set[str](), 0.0
    for taken, _, _, name in tests[:most]:
        if chosen and spent + taken > seconds:
            continue
        chosen.add(name)
        spent += taken
    return chosen


def _load(mutant: Mutant) -> None:
    """Let the import of its module give the broken one."""
    target, tree, plain = str(ROOT / mutant.path), broken(mutant), SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> Any:
        path = self.get_filename(name)
        return compile(tree, path, "exec") if path == target else plain(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


def _function(source: str, line: int) -> int | None:
    """First line of the innermost function around a line, with its decorators; None outside all."""
    found = None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found = max(found or 0, first)
    return found


def sample(count: int, seed: int, places: Sequence[str]) -> list[Mutant]:
    """So many mutants, spread evenly over all that there are; of some places all of them."""
    everything = [mutant for path in modules() for mutant in mutants(path)]
    if places:
        return [mutant for mutant in everything if {mutant.path, f"{mutant.path}:{mutant.line}"} & set(places)]
    chosen = random.Random(seed).sample(everything, min(count, len(everything)))
    print(f"{len(everything):,} mutants in {len(modules())} modules, {len(chosen)} of them with seed {seed}")
    return chosen


def attend(
    waiting: Sequence[Mutant],
    workers: int,
    patience: float,
    start: Callable[[Mutant], int],
    ended: Callable[[Mutant, int], None],
) -> None:
    """Start a process for each, ``workers`` at a time, and say how it ended: its status, -1 after ``patience``."""
    left, running = list(waiting), dict[int, tuple[Mutant, float]]()
    while left or running:
        while left and len(running) < workers:
            mutant = left.pop(0)
            running[start(mutant)] = mutant, time.monotonic()
        for number, (mutant, began) in list(running.items()):
            done, status = os.waitpid(number, os.WNOHANG)
            if not done and time.monotonic() - began > patience:
                os.killpg(number, signal.SIGKILL)
                os.waitpid(number, 0)
                done, status = number, -1
            if done:
                del running[number]
                ended(mutant, status if status == -1 else os.waitstatus_to_exitcode(status))
        time.sleep(0.02)


def in_forks(run: Run, waiting: Sequence[Mutant], workers: int, limits: Limits, otherwise: str) -> None:
    """Try in forks of one process; what is not noticed is noted as ``otherwise``."""
    most, seconds, patience = limits
    tests = {mutant: run.tests_of(mutant, most, seconds) for mutant in waiting}

    def work(loop: Loop) -> None:
        def ended(mutant: Mutant, status: int) -> None:
            left = ANEW if status == ELSEWHERE else otherwise
            run.note(mutant, "too slow" if status == -1 else "killed" if status == NOTICED else left)

        attend(waiting, workers, patience, lambda mutant: loop.fork(mutant, tests[mutant]), ended)

    if waiting:
        wanted = {name for names in tests.values() for name in names}
        files = sorted({name.partition("::")[0] for name in wanted})
        loop = Loop(wanted, work, run.folder)
        os.waitpid(run.fork(["--capture=no", *files], "forks", plugins=[loop]), 0)
        run.read()


def anew(run: Run, waiting: Sequence[Mutant], workers: int, limits: Limits) -> None:
    """Try each in a process of its own that loads the broken module."""
    most, seconds, patience = limits

    def start(mutant: Mutant) -> int:
        return run.fork(run.tests_of(mutant, most, seconds), _name(mutant), mutant)

    def ended(mutant: Mutant, status: int) -> None:
        run.note(mutant, SURVIVED if status == 0 else "too slow" if status == -1 else "killed")
        shutil.rmtree(run.folder / "tmp" / _name(mutant), ignore_errors=True)

    attend(waiting, workers, patience, start, ended)


def _name(mutant: Mutant) -> str:
    return f"{mutant.path.replace('/', '.')}-{mutant.node}-{mutant.change}"


def report(run: Run, wanted: Sequence[Mutant]) -> str:
    """Figures and survivors."""
    found = {mutant.key: run.results[mutant.key] for mutant in wanted if mutant.key in run.results}
    killed = sum(result in KILLED for result in found.values())
    lines = [f"{killed} of {len(found)} noticed ({100 * killed / max(1, len(found)):.1f} %)"]
    lines += [f"{result}: {key}" for key, result in sorted(found.items()) if result not in KILLED]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the report and keep it beside the notes."""
    reader = argparse.ArgumentParser(prog="python -m tests.mutation")
    reader.add_argument("--count", type=int, default=400)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--workers", type=int, default=2)
    reader.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "zhtj-mutation")
    reader.add_argument("--tests", nargs="*", default=["tests"], help="files and folders that may notice")
    reader.add_argument("--at", nargs="*", default=[], help="PATH or PATH:LINE: no sample, but all of these")
    asked = reader.parse_args()
    (asked.folder / "tmp").mkdir(parents=True, exist_ok=True)
    run = Run(asked.folder)
    run.read()
    run.watch(asked.tests)
    wanted = sample(asked.count, asked.seed, asked.at)
    loading = {mutant for mutant in wanted if changed(mutant) is None}
    known = run.results.get
    untried = [mutant for mutant in wanted if known(mutant.key) is None and mutant not in loading]
    in_forks(run, untried, asked.workers, QUICK, AGAIN)
    again = [mutant for mutant in wanted if known(mutant.key) == AGAIN and mutant not in loading]
    in_forks(run, again, asked.workers, LONG, SURVIVED)
    left = [mutant for mutant in wanted if known(mutant.key, ANEW) in {ANEW, AGAIN}]
    anew(run, left, asked.workers, LONG)
    said = report(run, wanted)
    (asked.folder / "report.txt").write_text(said, encoding="utf-8")
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
