"""Break the decisions one at a time: ``python -m tests.mutation [--count 400] [--seed 1] [--workers 2]``.

First the quick tests run once on SQLite and it is noted which functions each calls. Then a sample of mutants is taken
with a seed; for each a process is forked that has the libraries already, loads the one module broken, and runs the
tests that call the broken function or prove a rule cited in its module, the quickest first, up to the first failure.
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
from collections.abc import Sequence
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

PYTEST = ("-q", "-x", "--no-header", "-p", "no:cacheprovider", "-m", "not slow", "-k", "not postgresql")
# No browser, no servers, no walk over every page: slow, and they decide nothing.
LEFT_OUT = ("browser", "bench", "serve", "guards", "concurrency", "docs", "demo", "mutation", "exports", "jobs")
MOST_TESTS, MOST_SECONDS, PATIENCE = 60, 12.0, 90
RULE = re.compile(r"\b(?:PD|[A-Z])-\d\d\b")


@dataclass
class Run:
    """One run: its folder, the map of the tests, and what was found so far."""

    folder: Path
    map: dict[str, Any] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)

    def fork(self, arguments: Sequence[str], name: str, mutant: Mutant | None = None) -> int:
        """Start pytest in a process of its own that loads ``mutant`` in place of its module. Returns its id."""
        number = os.fork()
        if number:
            return number
        os.setsid()
        with (self.folder / f"{name}.log").open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        # As a process of a parallel run it shares the migrated database beside its own folder.
        os.environ |= {"PYTEST_XDIST_WORKER": "gw0", "PYTEST_XDIST_WORKER_COUNT": "1"}
        status = 3
        try:
            if mutant is not None:
                _load(mutant)
            status = int(pytest.main([*PYTEST, f"--basetemp={self.folder / 'tmp' / name}", *arguments]))
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

    def watch(self, paths: Sequence[str]) -> None:
        """Run the tests once whole and note what each calls, unless that is known."""
        known = self.folder / "map.json"
        if not known.exists():
            os.environ["ZHTJ_MUTATION_MAP"] = str(known)
            left_out = [f"--ignore={ROOT / 'tests' / name}" for name in LEFT_OUT]
            number = self.fork(["-p", "tests.mutation.watching", "--maxfail=1000", *left_out, *paths], "map")
            os.waitpid(number, 0)
        self.map = json.loads(known.read_text(encoding="utf-8"))

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that could notice, the quickest first; those that prove a rule of the module before others."""
        source = (ROOT / mutant.path).read_text(encoding="utf-8")
        rules, function = set(RULE.findall(source)), _function(source, mutant.line)
        found = []
        for name, test in self.map.items():
            lines = {line for path, line in test["calls"] if path == mutant.path}
            if (function in lines) if function else (lines or rules & set(test["rules"])):
                found.append((not rules & set(test["rules"]), test["seconds"], name))
        chosen: list[str] = []
        spent = 0.0
        for _, seconds, name in sorted(sorted(found, key=lambda each: each[1])[: 2 * MOST_TESTS]):
            if len(chosen) < MOST_TESTS and spent < MOST_SECONDS:
                chosen.append(name)
                spent += seconds
        return sorted(chosen, key=lambda name: self.map[name]["seconds"])


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


def sample(count: int, seed: int) -> list[Mutant]:
    """So many mutants, spread evenly over all that there are."""
    everything = [mutant for path in modules() for mutant in mutants(path)]
    chosen = random.Random(seed).sample(everything, min(count, len(everything)))
    print(f"{len(everything):,} mutants in {len(modules())} modules, {len(chosen)} of them with seed {seed}")
    return chosen


def work(run: Run, wanted: Sequence[Mutant], workers: int) -> None:
    """Try each that was not tried yet, ``workers`` at a time."""
    waiting = [mutant for mutant in wanted if mutant.key not in run.results]
    running: dict[int, tuple[Mutant, float, str]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop(0)
            tests = run.tests_of(mutant)
            if not tests:
                run.note(mutant, "no test calls it")
                continue
            name = f"m{len(run.results)}-{len(waiting)}"
            running[run.fork(tests, name, mutant)] = mutant, time.monotonic(), name
        for number, (mutant, began, name) in list(running.items()):
            done, status = os.waitpid(number, os.WNOHANG)
            if not done and time.monotonic() - began > PATIENCE:
                os.killpg(number, signal.SIGKILL)
                os.waitpid(number, 0)
                done, status = number, -1
            if done:
                del running[number]
                result = "survived" if status == 0 else "too slow" if status == -1 else "killed"
                run.note(mutant, result)
                shutil.rmtree(run.folder / "tmp" / name, ignore_errors=True)
                print(f"{len(run.results):4} {result:9} {mutant.key}", flush=True)
        time.sleep(0.05)


def report(run: Run, wanted: Sequence[Mutant]) -> str:
    """Figures and survivors."""
    found = {mutant.key: run.results[mutant.key] for mutant in wanted if mutant.key in run.results}
    killed = sum(result in {"killed", "too slow"} for result in found.values())
    lines = [f"{killed} of {len(found)} noticed ({100 * killed / max(1, len(found)):.1f} %)"]
    lines += [f"{result}: {key}" for key, result in sorted(found.items()) if result in {"survived", "no test calls it"}]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the report and keep it beside the notes."""
    reader = argparse.ArgumentParser(prog="python -m tests.mutation")
    reader.add_argument("--count", type=int, default=400)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--workers", type=int, default=2)
    reader.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "zhtj-mutation")
    reader.add_argument("--tests", nargs="*", default=["tests"], help="files and folders that may notice")
    asked = reader.parse_args()
    (asked.folder / "tmp").mkdir(parents=True, exist_ok=True)
    run = Run(asked.folder)
    run.read()
    run.watch(asked.tests)
    wanted = sample(asked.count, asked.seed)
    work(run, wanted, asked.workers)
    said = report(run, wanted)
    (asked.folder / "report.txt").write_text(said, encoding="utf-8")
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
