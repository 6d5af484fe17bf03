"""``flask rates`` as an operator's scripts see it: statuses, one document, one Chinese line on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.rates.conftest import Area
from tests.test_commands import one_line
from tests.transfers.steps import EMPLOYED, do
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Organisation
from zhtj.transfers import operations

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    def invoke(*words: str) -> Result:
        session.commit()
        result: Result = app.test_cli_runner().invoke(args=["rates", *words])
        session.expire_all()
        return result

    return invoke


def gone(area: Area) -> None:
    """One of three graduates of the university has arrived in another city."""
    application = area.goes(area.world.graduate, "p2_team", **EMPLOYED)
    do(operations.accept, application, area.world.seat("p2_team"))


def numbers(rates: dict[str, Any]) -> dict[str, tuple[int, int, float | None]]:
    return {key: (rate["numerator"], rate["denominator"], rate["percent"]) for key, rate in rates.items()}


def test_json_is_one_document_with_numerator_and_denominator(area: Area, run: Run) -> None:
    gone(area)

    done = run("--season", "2026", "--org", area.world.orgs["university"].code, "--json")

    assert (done.exit_code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["organisation"] == {
        "code": area.world.orgs["university"].code,
        "name": "共青团江淮示范大学委员会",
    }
    assert (found["season"], found["day"], found["as_of"]) == (2026, None, "2026-10-14T09:00:00+08:00")
    assert numbers(found["rates"]) == {
        "further_study": (0, 0, None),
        "society": (1, 3, 33.33),
        "unit": (1, 3, 33.33),
        "initiated": (1, 3, 33.33),
        "done": (1, 3, 33.33),
    }
    assert "children" not in found


def test_children_follow_on_demand(area: Area, run: Run) -> None:
    gone(area)

    done = run("--season", "2026", "--org", "共青团安徽省委员会", "--by-child", "--json")

    found = {
        one["organisation"]["code"]: numbers(one["rates"])["society"] for one in json.loads(done.stdout)["children"]
    }
    assert found == {"3401": (1, 3, 33.33), "3402": (1, 1, 100.0)}


def test_text_says_whose_when_and_each_rate(area: Area, run: Run) -> None:
    gone(area)

    done = run("--season", "2026", "--org", "34", "--by-child")

    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "共青团安徽省委员会\t2026 届\t截至 2026-10-14 09:00"
    assert "学社衔接率\t33.33%\t1/3" in lines
    assert "升学衔接率\t—\t0/0" in lines
    assert any(line.startswith("3402\t共青团安徽省芜湖市委员会\t") and "100.00% (1/1)" in line for line in lines)


def test_a_past_day_shows_what_it_was(area: Area, run: Run, clock_at: Any) -> None:
    clock_at("2026-10-15T09:00")
    gone(area)

    before = json.loads(run("--season", "2026", "--org", "34", "--at", "2026-10-14", "--json").stdout)
    now = json.loads(run("--season", "2026", "--org", "34", "--at", "2026-10-15", "--json").stdout)

    assert (before["day"], before["as_of"]) == ("2026-10-14", "2026-10-15T00:00:00+08:00")
    assert numbers(before["rates"])["society"] == (0, 3, 0.0)
    assert (now["day"], numbers(now["rates"])["society"]) == (None, (1, 3, 33.33))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--season", "2026", "--org", "9999"), 2, "没有编码或全称为“9999”的组织"),
        (("--season", "2026", "--org", "34", "--at", "十月"), 2, "看不懂日期“十月”"),
        (("--season", "二〇二六", "--org", "34"), 2, "--season 的值不对"),
        (("--season", "2026"), 2, "缺少 --org"),
        (("--season", "2026", "--org", "34", "--at", "2026-10-15"), 1, "不能查询未来的日期"),
        (("--season", "2026", "--org", "34", "--at", "2025-12-31"), 1, "2026 届从 2026 年开始统计"),
        (("--season", "2019", "--org", "34"), 1, "2019 届没有统计数据"),
        (("--season", "2027", "--org", "34"), 1, "2027 届还没有开始"),
    ],
)
def test_what_cannot_be_answered_is_said_plainly(
    area: Area, run: Run, words: tuple[str, ...], status: int, said: str
) -> None:
    del area
    done = run(*words, "--json")

    assert done.exit_code == status
    assert said in one_line(done)


def test_a_closed_organisation_is_answered_and_said_to_be_closed(area: Area, run: Run) -> None:
    with unit_of_work():
        session.get_one(Organisation, area.world.orgs["p2"].id).closed_at = clock.now()

    done = run("--season", "2026", "--org", "3402", "--json")

    assert done.exit_code == 0
    assert "停用" in done.stderr
    assert numbers(json.loads(done.stdout)["rates"])["society"] == (0, 0, None)
