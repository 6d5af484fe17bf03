"""The loop of pytest that tries mutants: everything is loaded once, each mutant gets a fork of it.

What a function does is broken by giving the function the broken code, in the fork alone. What a module does when it is
loaded - its tables, defaults, classes - cannot be broken this way: that needs a process that loads it anew.
"""

# ruff: noqa: T201 - a fork prints into its log

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from sqlalchemy import Engine

from tests.mutation.mutants import ROOT, Mutant, broken

NOTICED, UNNOTICED, ELSEWHERE = 1, 0, 9
Work = Callable[["Loop"], None]


class Loop:
    """A plugin of pytest that collects all tests, warms up what they share, and leaves the rest to ``work``.

    Args:
        wanted: names of the tests that may be asked for; the others are forgotten.
        work: what to do then; it calls ``fork`` for each mutant.
        logs: folder for what a fork says.
    """

    def __init__(self, wanted: set[str], work: Work, logs: Path) -> None:
        self.wanted, self.work, self.logs = wanted, work, logs
        self.items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of running all tests."""
        self.items = {item.nodeid: item for item in session.items if item.nodeid in self.wanted}
        self._warm()
        self.work(self)
        return True

    def fork(self, mutant: Mutant, tests: list[str]) -> int:
        """Start a process that runs the tests with the mutant, up to the first failure. Returns its id."""
        number = os.fork()
        if number:
            return number
        os.setpgrp()
        status = ELSEWHERE
        try:
            with (self.logs / "tries.log").open("a") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            print(mutant.key)
            if in_place(mutant):
                status = self._run([self.items[test] for test in tests if test in self.items])
        except BaseException:  # noqa: BLE001 - the process ends here, and the log says why
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)

    def _run(self, items: list[pytest.Item]) -> int:
        # The last one is followed by itself, so that nothing shared is taken down.
        for item, following in zip(items, [*items[1:], *items[-1:]], strict=True):
            if self._failed(item, following):
                print(item.nodeid)
                return NOTICED
        return UNNOTICED

    @staticmethod
    def _failed(item: pytest.Item, following: pytest.Item) -> bool:
        before = item.session.testsfailed
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        return item.session.testsfailed > before

    def _warm(self) -> None:
        """Build what tests share, by one test of each file, and let go of its connections before anybody forks."""
        firsts = list({item.path: item for item in reversed(self.items.values())}.values())
        for item, following in zip(firsts, [*firsts[1:], *firsts[:1]], strict=True):
            self._failed(item, following)
        for engine in [each for each in gc.get_objects() if isinstance(each, Engine)]:
            engine.dispose()


def in_place(mutant: Mutant) -> bool:
    """Break the function around the mutant in this process. Returns whether there was one."""
    path, broken_function = str(ROOT / mutant.path), changed(mutant)
    if broken_function is None:
        return False
    found = [
        each
        for each in gc.get_objects()
        if isinstance(each, FunctionType)
        and each.__code__.co_filename == path
        and _name(each.__code__) == _name(broken_function)
    ]
    for each in found:
        if each.__code__.co_freevars != broken_function.co_freevars:
            return False
        each.__code__ = broken_function
    return bool(found)


def changed(mutant: Mutant) -> CodeType | None:
    """The one function whose code the mutant changes; None where it changes what is done when the module is loaded."""
    path = ROOT / mutant.path
    plain = {_name(code): code for code in _functions(compile(path.read_text(encoding="utf-8"), str(path), "exec"))}
    found = [code for code in _functions(compile(broken(mutant), str(path), "exec")) if plain[_name(code)] != code]
    return found[0] if len(found) == 1 else None


def _name(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _functions(code: CodeType) -> Iterator[CodeType]:
    """Functions of a module and methods of its classes, not what stands inside them."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_flags & 0x02:  # CO_NEWLOCALS: a function; else the body of a class
                yield each
            else:
                yield from _functions(each)
