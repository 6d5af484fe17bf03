"""One word, one thing: names of classes and modules, where tables stand, who ends a transaction, full shelves."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from zhtj.config import ROOT
from zhtj.kernel.database import Base
from zhtj.models import __all__ as _all_tables_are_known

SOURCES = sorted((ROOT / "zhtj").rglob("*.py"))
PAGE = ROOT / "docs" / "vocabulary.md"

# A second public class of one name, with its reason. None is needed at present.
SAME_CLASS: dict[str, str] = {}
# What every room may have, under one name everywhere.
FURNITURE = frozenset(
    {"__init__", "__main__", "models", "rules", "workflow", "operations", "queries", "messages", "events", "commands"}
    | {"reminders", "timers", "work", "sweeps", "bulk"}
)
# The web floor and the exports show what a room holds, and call the module as the room does.
MIRRORS = ("zhtj/web/", "zhtj/exports/")
SAME_MODULE = {
    "places": "the rulebook's are lines of code, the search's addresses, the transfers' paths in the tree",
    "receiving": "the rates report how receivers deal, the transfers ask what they have to look at",
    "destinations": "the table of a policy, and what graduates have registered",
    "accounts": "the demonstration's list of the accounts that people/signing keeps",
    "search": "organisations by name, people by name",
}
TABLES_ELSEWHERE = {
    "kernel/audit.py": "the kernel holds mechanisms, no rooms: the log is whole in one module, with its tables",
    "kernel/limits.py": "as above: limits",
    "kernel/settings.py": "as above: settings",
    "kernel/work/periods.py": "as above: periods of the schedule",
}
# Who ends a transaction below the doors, and why an operation may not do it for them.
ENDERS = frozenset({"commit", "rollback", "unit_of_work"})
DOORS = ("zhtj/web/", "zhtj/demo/", "zhtj/serve/")
DOOR_MODULES = frozenset({"commands", "sweeps", "work", "factory"})
MAY_END = {
    "identity/checking.py": "a source outside is asked between two transactions, never inside one",
    "kernel/audit.py": "each batch is sealed by itself, so that a killed sealer loses one",
    "kernel/database.py": "it is the unit of work",
    "kernel/limits.py": "an attempt counts, whatever becomes of the request",
    "letters/many/letter_batches.py": "numbers are taken in chunks, each a transaction",
    "letters/many/print_files.py": "a printed file is kept as soon as it is there",
    "notices/digests.py": "offices are reminded in portions",
    "notices/delivery.py": "an attempt is claimed before anything is sent, and confirmed after",
    "orgs/tree_plan.py": "each step of a plan is a transaction, so that an interrupted one goes on",
    "people/signing/authentication.py": "a failed attempt to sign in is kept although the request fails",
    "rates/counting/recount.py": "a night's recount ends its transaction part by part",
    "transfers/many/runs.py": "each chunk of a run is a transaction",
}
# A class of ours called like one of a library that we use, with its reason.
LIKE_A_LIBRARY = {"Rule": "the field's own word for what the rulebook holds; werkzeug's is one of addresses"}
# Whole numbers in addresses that are no ids.
COUNTED = frozenset({"year", "position", "status"})
MOST = 15
MAY_BE_FULLER = {
    "migrations/versions": "one a change, in their order",
    "tests/browser/tour": "the tour's pictures",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def in_room(path: Path) -> str:
    return str(path.relative_to(ROOT / "zhtj"))


def test_no_public_class_has_a_namesake() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(name_of(path))
    assert len(found) > 100
    doubled = {name: places for name, places in found.items() if len(places) > 1}
    assert {name: places for name, places in doubled.items() if name not in SAME_CLASS} == {}
    assert SAME_CLASS.keys() <= doubled.keys()


def test_no_class_is_called_like_one_of_a_library() -> None:
    own, taken = set(), set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] not in {"zhtj", "jobs"}:
                taken |= {alias.name for alias in node.names}
    assert own & taken == LIKE_A_LIBRARY.keys()


def test_no_two_rooms_call_different_modules_alike() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        if path.stem not in FURNITURE and not name_of(path).startswith(MIRRORS):
            found[path.stem].append(name_of(path))
    doubled = {name: places for name, places in found.items() if len(places) > 1}
    assert {name: places for name, places in doubled.items() if name not in SAME_MODULE} == {}
    assert SAME_MODULE.keys() <= doubled.keys()


def tables() -> dict[str, str]:
    assert _all_tables_are_known
    return {mapper.class_.__name__: mapper.class_.__module__ for mapper in Base.registry.mappers}


def ours() -> dict[str, str]:
    return {name: module for name, module in tables().items() if module.startswith("zhtj.")}


def test_tables_stand_in_models() -> None:
    elsewhere = {
        module.removeprefix("zhtj.").replace(".", "/") + ".py"
        for module in ours().values()
        if not module.endswith(".models")
    }
    assert elsewhere == TABLES_ELSEWHERE.keys()


def test_only_doors_and_work_end_a_transaction() -> None:
    found = set()
    for path in SOURCES:
        if name_of(path).startswith(DOORS) or path.stem in DOOR_MODULES:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ENDERS:
                found.add(in_room(path))
    assert found == MAY_END.keys()


def test_shelves_are_not_too_full() -> None:
    full = set()
    for top in ("zhtj", "templates", "tests", "migrations"):
        for folder in (ROOT / top, *(ROOT / top).rglob("*/")):
            if not folder.is_dir() or {"__pycache__", "node_modules"} & set(folder.parts):
                continue
            held = [one for one in folder.iterdir() if one.is_file() and one.name != "__init__.py"]
            if len(held) > MOST:
                full.add(name_of(folder))
    assert full == MAY_BE_FULLER.keys()


def test_the_vocabulary_names_every_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in sorted(ours()) if f"`{name}`" not in page] == []


def _said_of(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that a node brings in, each with its type, or with what a loop takes it from."""
    if isinstance(node, ast.arg) and node.annotation is not None:
        yield node.arg, ast.unparse(node.annotation)
    elif isinstance(node, ast.AnnAssign):
        yield ast.unparse(node.target), ast.unparse(node.annotation)
    elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Call):
        first = node.target.elts[0] if isinstance(node.target, ast.Tuple) else node.target
        yield ast.unparse(first), ast.unparse(node.iter.func)


def test_a_place_is_never_a_position() -> None:
    """Where a line stands in a list is its position; a place is where somebody lives or works."""
    a_number = re.compile(r"int|Mapped\[int\]|tuple\[int, int\]|range|enumerate|(itertools\.)?count")
    several = re.compile(r"(Sequence|list|set|frozenset)\[int\]|dict\[int, str\]")
    found = [
        f"{name_of(path)}: {name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name, said in _said_of(node)
        if (name == "place" and a_number.fullmatch(said)) or (name == "places" and several.fullmatch(said))
    ]
    assert found == []


def test_a_number_in_an_address_says_whose_id_it_is() -> None:
    found = {
        word
        for path in SOURCES
        if name_of(path).startswith("zhtj/web/")
        for word in re.findall(r"<int:(\w+)>", path.read_text(encoding="utf-8"))
    }
    assert {word for word in found if not word.endswith("_id")} == COUNTED
