"""A slow test must say why, what many share is made once and put down to none, and the run says what it took."""

from __future__ import annotations

import pytest

from tests import timing
from zhtj.config import ROOT

pytest_plugins = "pytester"

FILE = """
import time
import pytest

def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

@pytest.fixture(scope="module")
def shared():
    work(0.06)
    yield
    work(0.06)

def test_that_came_first(shared): pass
def test_that_is_slow(): work(0.06)
@pytest.mark.slow("it works long")
def test_that_says_why(): work(0.06)
def test_that_came_last(): pass
"""

SHARING = """
import os
import time
from pathlib import Path
import pytest

@pytest.fixture(scope="module")
def shared():
    with Path("made").open("a") as made:
        made.write(f"{os.getpid()}\\n")

@pytest.mark.parametrize("number", range(6))
def test_that_shares(shared, number): time.sleep(0.05)
"""


@pytest.mark.slow("runs pytest inside pytest")
def test_a_slow_test_without_a_reason_fails_the_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given tests one of which is slow, and a page for the slowest
    monkeypatch.setattr(timing, "SLOW", 0.004)
    pytester.makeini("[pytest]\nmarkers = slow(reason): why\n")
    pytester.makepyfile(test_file=FILE)
    (pytester.path / "page.md").write_text(f"above\n{timing.BEGIN}old\n{timing.END}\nbelow\n")
    # When they run
    outcome = pytester.runpytest_inprocess("-p", "tests.timing", "-p", "no:cacheprovider", "--slowest", "page.md")
    # Then it fails, and what many share, or says why, does not
    outcome.assert_outcomes(passed=4, errors=1)
    outcome.stdout.fnmatch_lines(["*ERROR at teardown of test_that_is_slow*", "*must be made faster, or say why not*"])
    # and the run ends with what it took, what it needed first apart from that
    outcome.stdout.fnmatch_lines(["4 tests in * s (processor time * s)", "set-up before them: * s"], consecutive=True)
    # and the page lists the slowest with their reasons
    page = (pytester.path / "page.md").read_text()
    assert page.startswith("above\n")
    assert page.endswith("below\n")
    assert "old" not in page
    assert "`test_file.py::test_that_says_why` | it works long |" in page


@pytest.mark.slow("runs pytest inside pytest")
@pytest.mark.parametrize("mark", ["@pytest.mark.slow", "@pytest.mark.slow('')"])
def test_a_mark_without_a_reason_is_refused(pytester: pytest.Pytester, mark: str) -> None:
    pytester.makepyfile(f"import pytest\n\n{mark}\ndef test_it(): pass")
    done = pytester.runpytest_inprocess("-p", "tests.timing", "-p", "no:cacheprovider")
    assert done.ret != 0
    assert "say why it is slow" in str(done.stdout) + str(done.stderr)


@pytest.mark.slow("runs pytest inside pytest, with two processes")
def test_what_a_file_shares_is_made_once(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile(test_file=SHARING)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = pytester.runpytest_subprocess("-p", "tests.choosing", "-n2", "--dist", "loadgroup")
    result.assert_outcomes(passed=6)
    assert len((pytester.path / "made").read_text().splitlines()) == 1
