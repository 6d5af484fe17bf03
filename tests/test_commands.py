"""The command line: exit statuses, one document on standard output, one Chinese line on standard error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from flask import Flask

from tests import services
from tests.concurrency.processes import variables
from tests.transfers.steps import apply
from tests.world import World
from zhtj import sweeps
from zhtj.config import ROOT
from zhtj.kernel.database import db, session
from zhtj.kernel.work import queue as work_queue
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

Run = Callable[..., Result]
CHINESE = re.compile("[\u4e00-\u9fff]")
NOTHING = {"found": 0, "done": 0, "skipped": 0, "failed": 0}


@pytest.fixture
def run(app: Flask) -> Run:
    """``flask --app app …`` in this process; what the test wrote before is committed first."""

    def invoke(*words: str) -> Result:
        session.commit()
        result: Result = app.test_cli_runner().invoke(args=list(words))
        session.expire_all()
        return result

    return invoke


def one_line(result: Result) -> str:
    """The message of a command that did not do its work: one line, in Chinese, on standard error alone."""
    assert result.stdout == ""
    line: str = result.stderr
    assert line.count("\n") == 1
    assert CHINESE.search(line)
    assert "Traceback" not in line
    return line.strip()


# ---- sweep ----


@pytest.mark.rule("A-24")
def test_a_sweep_returns_what_is_due_at_the_time_it_is_told(run: Run, world: World, clock_at: Any) -> None:
    # Given an application due on 16 October at 00:00
    clock_at("2026-10-05T12:00")
    application = apply(world, world.graduate, "team")
    number = application.id
    # When the sweep is rehearsed for the moment before, nothing happens
    before = run("sweep", "--at", "2026-10-15T23:59", "--only", "return", "--json")
    assert (before.exit_code, json.loads(before.stdout)) == (0, {"return": NOTHING})
    # And at the moment itself it goes back
    after = run("sweep", "--at", "2026-10-16T00:00", "--only", "return", "--json")
    assert (after.exit_code, after.stderr) == (0, "")
    assert json.loads(after.stdout) == {"return": {**NOTHING, "found": 1, "done": 1}}
    assert session.get_one(Application, number).state is State.RETURNED


def test_a_sweep_without_a_name_does_everything_in_order(run: Run, world: World) -> None:
    del world
    result = run("sweep", "--json")
    assert result.exit_code == 0
    counts = json.loads(result.stdout)
    assert list(counts) == list(sweeps.REGISTRY)
    assert all(set(count) == set(NOTHING) for count in counts.values())


def test_a_sweep_tells_its_counts_line_by_line(run: Run, world: World) -> None:
    del world
    result = run("sweep", "--only", "return")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "return\t应办 0\t已办 0\t跳过 0\t失败 0\n", "")


def test_one_sweep_that_fails_stops_no_other_and_shows_in_the_status(run: Run, world: World, monkeypatch: Any) -> None:
    del world

    def stumble(_: object) -> sweeps.SweepCounts:
        raise RuntimeError("磁盘坏了")

    monkeypatch.setitem(sweeps.REGISTRY, "convert", stumble)
    result = run("sweep", "--json")
    assert result.exit_code == 1
    counts = json.loads(result.stdout)
    assert counts.pop("convert") == {**NOTHING, "failed": 1}
    assert list(counts) == [name for name in sweeps.REGISTRY if name != "convert"]
    assert all(not count["failed"] for count in counts.values())
    assert "convert 没有完成：磁盘坏了" in result.stderr


def test_a_year_without_a_policy_is_said_in_words(run: Run, world: World) -> None:
    del world
    result = run("sweep", "--at", "2010-06-01", "--only", "register")
    assert result.exit_code == 1
    assert result.stderr.startswith("register 没有完成：没有适用于 2010 届的政策")
    assert result.stderr.count("\n") == 1


# ---- wrong use ----

WRONG = {
    ("sweep", "--only", "nothing"): "没有“nothing”这一项",
    ("sweep", "--at", "tomorrow"): "看不懂时间“tomorrow”",
    ("sweep", "--at", "0001-01-01"): "看不懂时间“0001-01-01”",
    ("sweep", "--at"): "选项 --at 的写法不对",
    ("sweep", "now"): "没有这样的命令或参数",
    ("sweep", "--fast"): "没有选项 --fast",
    ("doctor", "--quick"): "没有选项 --quick",
    ("audit", "seal"): "没有这样的命令或参数",
    ("audit", "verify", "all"): "没有这样的命令或参数",
    ("worker", "--twice"): "没有选项 --twice",
    ("scheduler", "--twice"): "没有选项 --twice",
    ("admin", "create"): "缺少 --org",
    ("orgs", "import", "a", "b"): "没有这样的命令或参数",
    ("members", "export"): "没有这样的命令或参数",
    ("demo", "load", "--size", "huge"): "--size 的值不对，可选：small",
    ("demo", "load", "--seed", "x"): "--seed 的值不对",
}


@pytest.mark.parametrize(("words", "message"), WRONG.items(), ids=[" ".join(words) for words in WRONG])
def test_wrong_use_is_status_two_and_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert one_line(result).startswith(message)


def commands(app: Flask) -> dict[str, click.Command]:
    """Every command of ours by its words."""
    foreign = {"run", "shell", "routes", "db"}
    found: dict[str, click.Command] = {}
    for name, command in app.cli.commands.items():
        if name in foreign:
            continue
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": child for inner, child in command.commands.items()}
        else:
            found[name] = command
    return found


def test_every_command_of_the_contract_is_there_and_explains_itself_in_chinese(installations: Any) -> None:
    app = installations["sqlite"].app
    found = commands(app)
    contract = "demo load, demo accounts, orgs load, orgs import, orgs export, members import, admin create, sweep"
    assert {*contract.split(", "), "doctor", "audit verify", "worker", "scheduler"} <= set(found)
    for name, command in found.items():
        shown = app.test_cli_runner().invoke(args=[*name.split(), "--help"])
        assert shown.exit_code == 0, name
        assert CHINESE.search(command.get_short_help_str()), name
        described = [option for option in command.params if isinstance(option, click.Option) and option.help]
        assert all(CHINESE.search(option.help or "") for option in described if option.name != "help"), name


def test_a_command_on_a_database_without_tables_says_what_to_do(tmp_path: Path, installations: Any) -> None:
    app = installations["sqlite"].build(f"sqlite:///{tmp_path / 'empty.db'}")
    with app.app_context():
        result = app.test_cli_runner().invoke(args=["doctor"])
        db.engine.dispose()
    assert result.exit_code == 2
    assert "flask --app app db upgrade" in one_line(result)


# ---- as real programs ----


def program(app: Flask, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | variables(app, "2026-10-14T09:00") | more
    command = [sys.executable, "-m", "flask", "--app", "app", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow("runs the command line as a process of its own")
@pytest.mark.parametrize("words", [("sweep", "--json"), ("doctor", "--json"), ("audit", "verify", "--json")])
def test_json_is_one_document_and_nothing_else(live: Flask, words: tuple[str, ...]) -> None:
    done = program(live, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) is not None


def test_a_worker_in_a_burst_does_what_waits_and_ends(live: Flask) -> None:
    with services.redis_url() as url, live.app_context():
        live.config["ZHTJ"] = replace(live.config["ZHTJ"], redis_url=url)
        job = work_queue.enqueue("jobs.sweeps.run_sweep", "return")
        done = program(live, "worker", "--burst")
        assert done.returncode == 0
        assert job.is_finished
        assert job.return_value() == NOTHING
