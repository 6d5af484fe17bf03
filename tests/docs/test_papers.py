"""README and docs name only what is there (paths, commands, options, variables, addresses) and leave none of it out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from tests.docs.drawings import ROOT, drawings
from zhtj import sweeps

PAPERS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
OPERATIONS = ROOT / "docs" / "operations.md"
# What flask and its migration package bring.
FOREIGN = {"routes", "run", "shell", "db"}
A_PATH = re.compile(r"(?:zhtj|tests|jobs|templates|static|migrations|docs)/[\w./-]*|[\w-]+\.(?:py|toml|txt)|Makefile")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def quoted(path: Path) -> Iterator[str]:
    """What stands between single backticks, and every line of a code block."""
    prose, *blocks = re.split(r"^ *```.*$", text_of(path), flags=re.MULTILINE)
    for number, part in enumerate([prose, *blocks]):
        if number % 2:
            yield from part.splitlines()
        else:
            yield from re.findall(r"`([^`\n]+)`", part)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_links_and_pictures_lead_somewhere(paper: Path):
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text_of(paper)) if "://" not in target]

    assert [target for target in targets if not (paper.parent / target).exists()] == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_path_that_is_named_is_there(paper: Path):
    named = [words for words in quoted(paper) if A_PATH.fullmatch(words)]
    # A bare name, such as `models.py`, is one of the files every room has.
    missing = [
        one for one in named if not (ROOT / one).exists() and ("/" in one or not any((ROOT / "zhtj").rglob(one)))
    ]

    assert missing == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_a_name_stands_in_the_file_it_is_said_to_be_in(paper: Path):
    said = re.findall(r"`(\w+)`(?: table)? in `([\w/.-]+\.\w+)`", text_of(paper))

    assert [(name, path) for name, path in said if name not in text_of(ROOT / path)] == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_make_target_and_module_is_there(paper: Path):
    words = "\n".join(quoted(paper))
    targets = set(re.findall(r"^([\w-]+)(?=.*?:)", text_of(ROOT / "Makefile"), flags=re.MULTILINE))
    modules = re.findall(r"python -m ((?:zhtj|tests)[\w.]+)", words)
    paths = [ROOT / module.replace(".", "/") for module in modules]

    assert set(re.findall(r"\bmake ([a-z][\w-]*)", words)) - targets == set()
    assert [path for path in paths if not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file())] == []


def resolve(cli: click.Group, words: list[str]) -> click.Command:
    """The command these words call; what follows its name is arguments and options."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words:
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in parameter.opts}
    assert [word for word in words if word.startswith("--") and word not in known] == []
    return command


def commands_of(group: click.Group, *above: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, *above, name)
        else:
            yield " ".join([*above, name])


def documented() -> list[str]:
    """The commands of the table: what its first column quotes."""
    section = text_of(OPERATIONS).partition("## Command line")[2].partition("\n## ")[0]
    return [
        words
        for row in re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
        for words in re.findall(r"`([^`]+)`", row)
    ]


def test_every_command_is_documented_with_options_that_it_has(app: Flask):
    own = {words for words in commands_of(app.cli) if words.split()[0] not in FOREIGN}

    assert {
        " ".join(w for w in words.split() if w.islower() and not w.startswith("--")) for words in documented()
    } == own | {"db upgrade"}
    for words in documented():
        if not words.startswith("db "):
            resolve(app.cli, words.split())


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_what_is_typed_after_flask_is_a_command(paper: Path, app: Flask):
    for words in re.findall(r"flask --app app ([a-z][^`\n…]*)", text_of(paper)):
        if words.split()[0] != "db":
            resolve(app.cli, re.split(r"[;,.]?\s+#|\s{2,}", words)[0].split())


def test_every_variable_is_documented_and_every_documented_one_is_read():
    read = set(re.findall(r'"(ZHTJ_\w+)"', text_of(ROOT / "zhtj" / "config.py")))

    assert set(re.findall(r"^\| `(ZHTJ_\w+)`", text_of(OPERATIONS), flags=re.MULTILINE)) == read
    for paper in PAPERS:
        assert set(re.findall(r"ZHTJ_\w+", text_of(paper))) - read == set(), paper.name


def test_every_sweep_is_documented():
    section = text_of(OPERATIONS).partition("## What runs by itself")[2].partition("\n## ")[0]

    assert {
        name
        for row in re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    } == set(sweeps.REGISTRY)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_address_that_is_named_is_one(paper: Path, app: Flask):
    named = {words.removeprefix("GET ") for words in quoted(paper) if re.fullmatch(r"(?:GET )?/[a-z][\w/]*/?", words)}

    assert named - {rule.rule for rule in app.url_map.iter_rules()} == set()


def test_the_version_is_in_the_changelog():
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]

    assert re.search(rf"^## {re.escape(version)}\b", text_of(ROOT / "docs" / "CHANGELOG.md"), flags=re.MULTILINE)


@pytest.mark.slow("reads the imports of every module")
def test_the_drawings_show_what_is():
    assert [path.name for path, drawn in drawings().items() if text_of(path) != drawn] == [], "run: make drawings"
