"""A plugin of pytest that notes which functions of which modules each test calls, and how long it takes.

``ZHTJ_MUTATION_MAP`` names the file to write; used by ``python -m tests.mutation`` for its map.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.mutation.mutants import ROOT, modules

_FILES = {str(path): path.relative_to(ROOT).as_posix() for path in modules()}
_calls: dict[str, dict[str, Any]] = {}
_failed: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch one test, its fixtures too."""
    seen: set[tuple[str, int]] = set()

    def note(frame: Any, event: str, _: object) -> None:
        if event == "call" and (name := _FILES.get(frame.f_code.co_filename)):
            seen.add((name, frame.f_code.co_firstlineno))

    began = time.process_time()
    sys.setprofile(note)
    try:
        return (yield)
    finally:
        sys.setprofile(None)
        rules = sorted({str(rule) for mark in item.iter_markers("rule") for rule in mark.args})
        taken = round(time.process_time() - began, 3)
        _calls[item.nodeid] = {"seconds": taken, "rules": rules, "calls": sorted(seen)}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test that fails as it is would notice everything."""
    if not report.passed:
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write everything down."""
    with open(os.environ["ZHTJ_MUTATION_MAP"], "w", encoding="utf-8") as file:  # noqa: PTH123 - a plain name
        json.dump({name: test for name, test in _calls.items() if name not in _failed}, file)
