"""The dry run of an edition: what would be otherwise for real applications, and that nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from tests.world import World
from zhtj.editions.comparing import DryRun
from zhtj.editions.rules import Difference, Touched
from zhtj.editions.summary import DryRunCounts
from zhtj.kernel.database import Base, reading_only, session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.transfers.models import Application

Run = Callable[..., Result]


def changes(world: World, layer: str, path: str = "") -> dict[str, dict[Difference, tuple[str, str]]]:
    """What each member's application would be otherwise under a layer."""
    names = {one.id: one.member.name for one in session.scalars(select(Application))}
    found = [one for chunk in DryRun(layer, 2026, path).chunks() for one in chunk]
    return {
        names[one.application_id]: {each.difference: (each.before, each.after) for each in one.changes} for one in found
    }


@pytest.mark.rule("PD-62")
def test_an_earlier_edition_decides_advises_and_counts_otherwise(world: World) -> None:
    found = changes(world, "2020-national")

    # Near the unit: 2022 allows it, 2020 looked at the unit's place alone; so nothing would have been completed.
    near = found["丁一"]
    assert near[Difference.FORBIDDEN][1] == "单位没有团组织的，看工作单位在哪里，不看别的。"
    assert near[Difference.NOT_DONE] == ("已完成", "不能再转到这里")
    assert "经常居住地" in near[Difference.PLACES][0]
    # With the parents: 2022 warns, 2020 named it.
    assert Difference.NOT_WARNED in found["卜喆"]
    # To the employer's: nothing changed between the two.
    assert found["王一"] == {}


@pytest.mark.rule("PD-62", "PD-18")
def test_a_school_that_counts_the_days_in_june_would_have_sent_back_what_waited(world: World) -> None:
    found = changes(world, "2024-anhui")

    assert found["丁一"] == {
        Difference.RETURNED: ("10月11日前办理", "6月12日前办理"),
        Difference.NOT_DONE: ("已完成", "会超期退回"),
    }
    # Still open on 14 October, when by the season's own clock it has gone back: it would only have gone back earlier.
    assert Difference.RETURNED in found["卜喆"]
    assert {Difference.RETURNED, Difference.NOT_DONE} <= found["王一"].keys()


@pytest.mark.rule("PD-62")
def test_another_calendar_counts_otherwise_what_is_in_time(world: World) -> None:
    found = changes(world, "2025-guangdong")

    assert found["王一"] == {Difference.DONE_IN_TIME: ("9月30日以前", "11月30日以前")}
    assert found["丁一"] == {}


@pytest.mark.rule("PD-62")
def test_what_is_found_is_counted_and_can_be_kept(world: World) -> None:
    counts = DryRunCounts()
    for chunk in DryRun("2020-national", 2026, world.orgs["college"].path).chunks():
        counts.add(chunk)

    assert (counts.total, counts.differing) == (3, 2)
    assert counts.touched == {Touched.DECIDED: 2, Touched.ADVISED: 2, Touched.COUNTED: 1}
    assert counts.of(Difference.FORBIDDEN) == 1
    assert [reason.value for reason, _ in counts.reasons(Difference.FORBIDDEN)] == ["employed_without_org"]
    assert DryRunCounts.read(json.loads(json.dumps(counts.as_dict()))) == counts
    assert DryRun("2020-national", 2026, world.orgs["company"].path).count() == 0


@pytest.mark.rule("PD-62")
def test_the_texts_that_change_are_named_with_their_source(world: World) -> None:
    texts = {(each.part, each.name): each for each in DryRun("2024-letters", 2026, "").texts()}

    rule = texts["规定", "完成后才开介绍信"]
    assert (rule.before, rule.after) == ("否", "是")
    assert "2024" in rule.source
    assert {part for part, _ in texts} == {"规定"}

    older = {(each.part, each.name): each for each in DryRun("2020-national", 2026, "").texts()}
    assert older["规定", "保留最长期限"].before == "一年"
    assert older["规定", "保留最长期限"].after == "半年"
    assert older["情况说明", "升学"].before.startswith("升学：录取学校在新生入学一个月内建好团组织")
    assert older["去向表", "未落实就业去向 → 经常居住地的乡镇街道流动团员团支部"].after == "—"


@pytest.mark.rule("PD-62")
@pytest.mark.parametrize(
    ("layer", "season", "complaint"),
    [
        ("2099-nowhere", 2026, "没有名为"),
        ("base", 2026, "没有名为"),
        ("2020-national", 2027, "只能比较本届或往届"),
        ("2024-letters", 2020, "不适用于 2020 届"),
        ("2020-national", 2018, "没有适用于 2018 届的政策"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_why(world: World, layer: str, season: int, complaint: str) -> None:
    with pytest.raises(DomainError, match=complaint):
        DryRun(layer, season, "").check()


# ---- nothing is written


def content() -> dict[str, list[Any]]:
    """Every row of every table."""
    return {table.name: list(session.execute(select(table))) for table in Base.metadata.sorted_tables}


@pytest.fixture
def run(app: Flask) -> Run:
    """``flask --app app …`` in this process."""

    def invoke(*words: str) -> Result:
        session.commit()
        result: Result = app.test_cli_runner().invoke(args=list(words))
        session.expire_all()
        return result

    return invoke


@pytest.mark.rule("PD-62")
def test_the_command_says_what_would_be_otherwise_and_changes_no_row(run: Run, world: World) -> None:
    before = content()
    plain = run("policy", "compare", "2020-national", "--season", "2026", "--lines")
    whole = run("policy", "compare", "2020-national", "--season", "2026", "--json")

    assert (plain.exit_code, plain.stderr) == (0, "")
    assert "申请\t3\t有不同\t2" in plain.stdout
    assert "不能再转到这里\t1\t已落实工作单位（单位无团组织） 1" in plain.stdout
    number = session.scalar(select(Application.id).where(Application.reason == "employed_without_org"))
    assert f"\n{number}\temployed_without_org\t" in f"\n{plain.stdout}"
    told = json.loads(whole.stdout)
    assert (told["total"], told["differences"]["forbidden"]) == (3, {"employed_without_org": 1})
    assert any(each["name"] == "保留最长期限" for each in told["texts"])
    assert content() == before


@pytest.mark.rule("PD-62")
def test_the_database_itself_refuses_to_write_during_a_dry_run(world: World) -> None:
    with pytest.raises(DatabaseError), reading_only():
        session.execute(update(Application).values(remark="不该写入"))
    # Afterwards everything can be written again.
    with unit_of_work():
        session.execute(update(Application).values(remark="可以写入"))
    assert set(session.scalars(select(Application.remark))) == {"可以写入"}


@pytest.mark.rule("PD-62")
def test_an_unknown_layer_or_organisation_is_refused_in_one_line(run: Run, world: World) -> None:
    unknown = run("policy", "compare", "2099-nowhere", "--season", "2026")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "2022-national" in unknown.stderr

    nobody = run("policy", "compare", "2020-national", "--season", "2026", "--org", "不存在的团委")
    assert (nobody.exit_code, nobody.stdout) == (2, "")
    assert run("policy", "layers").stdout.splitlines()[0].startswith("2026-national\t")
