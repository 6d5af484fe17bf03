"""The page on which leading organs try a layer: asked for, worked off by a job, looked at, exported."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.browsing import Browser
from tests.editions.test_dry_run import content
from tests.exports.reading import csv_file
from tests.world import World
from zhtj import sweeps
from zhtj.editions import comparing, operations, work
from zhtj.editions.models import DryRunLine, DryRunTask
from zhtj.kernel.database import session
from zhtj.kernel.work.tasks import TaskState

# Where asking, working off and signing in write.
OWN = {"dry_runs", "dry_run_lines", "audit_events", "audit_seals", "sessions", "attempts", "accounts"}


@pytest.fixture
def province(app: Flask, world: World) -> Browser:
    return Browser(app.test_client()).login(world.accounts["province"])


def tried(browser: Browser, layer: str = "2020-national") -> str:
    """Have it tried; the address of the result."""
    page = browser.get("/provincial/editions").form("/editions").submit(layer=layer, season="2026")
    task = session.scalars(select(DryRunTask).order_by(DryRunTask.id.desc())).first()
    assert task is not None
    assert page.location.endswith(f"/editions/{task.id}")
    return f"/provincial/editions/{task.id}"


@pytest.mark.rule("PD-62")
def test_a_province_tries_an_edition_and_sees_what_would_be_otherwise(province: Browser, world: World) -> None:
    before = content()
    address = tried(province)
    waiting = province.get(address)
    assert "等待处理" in waiting.main
    assert "0 / 3" in waiting.main

    assert work.work_off(int(address.rsplit("/", 1)[1]))

    done = province.get(address)
    assert "不能再转到这里" in done.main
    assert "“全国 2026”" in done.main
    assert "保留最长期限" in done.main
    listed = province.get(f"{address}/list?difference=forbidden")
    assert "丁一" in listed.main
    assert "单位没有团组织的，看工作单位在哪里，不看别的。" in listed.main
    assert "王一" not in province.get(f"{address}/list").main
    # Of everything that was there nothing has changed.
    after = content()
    assert {name for name in before if before[name] != after[name]} <= OWN
    assert {"applications", "members", "season_register", "letters", "standings"} <= before.keys()


@pytest.mark.rule("PD-62", "PD-37")
def test_what_was_found_can_be_exported(province: Browser, world: World) -> None:
    address = tried(province)
    work.work_off(int(address.rsplit("/", 1)[1]))

    form = province.get(f"{address}/list").form("/exports/list/dry-run")
    (headings, *found), _ = csv_file(form.submit(format="csv").response.get_data())
    rows = [dict(zip(headings, row, strict=True)) for row in found]

    assert [row["姓名"] for row in rows] == ["丁一", "卜喆"]
    assert "不能再转到这里" in rows[0]["办理不同"]
    assert "已计完成，不会完成" in rows[0]["统计不同"]


@pytest.mark.rule("PD-62")
def test_only_leading_organs_try_and_each_sees_its_own(app: Flask, province: Browser, world: World) -> None:
    address = tried(province)

    school = Browser(app.test_client()).login(world.accounts["university"])
    assert school.get("/school/editions").status == 403
    county = Browser(app.test_client()).login(world.accounts["county"])
    assert county.get(address).status == 404
    assert county.get(f"{address}/list").status == 404


@pytest.mark.rule("PD-62")
def test_an_unknown_layer_or_a_season_to_come_is_refused_at_the_field(province: Browser) -> None:
    form = province.get("/provincial/editions").form("/editions")
    assert form.submit(layer="2020-national", season="2031").status == 422
    page = form.submit(layer="2024-letters", season="2020")
    assert page.status == 422
    assert "不适用于 2020 届" in page.main
    assert session.scalar(select(DryRunTask.id)) is None


@pytest.mark.rule("PD-62")
def test_a_killed_job_goes_on_where_it_stood(province: Browser, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(comparing, "CHUNK", 1)
    number = int(tried(province).rsplit("/", 1)[1])
    reads = iter((True, False))
    whole = work._chunk

    def killed(*arguments: Any) -> Any:
        if not next(reads):
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(work, "_chunk", killed)
    with pytest.raises(KeyboardInterrupt):
        work.work_off(number)
    session.rollback()
    assert session.get_one(DryRunTask, number, populate_existing=True).done == 1

    monkeypatch.setattr(work, "_chunk", whole)
    assert work.work_off(number)
    task = session.get_one(DryRunTask, number, populate_existing=True)
    assert (task.state, task.done, operations.counts_of(task).differing) == (TaskState.DONE, 3, 2)
    assert len(session.scalars(select(DryRunLine.application_id)).all()) == 2


@pytest.mark.rule("PD-62")
def test_a_cancelled_one_stops_and_what_is_over_is_thrown_away(province: Browser, world: World, clock_at: Any) -> None:
    address = tried(province)
    number = int(address.rsplit("/", 1)[1])
    province.get(address).form("/cancel").submit()
    assert not work.work_off(number)
    done = tried(province)
    assert work.work_off(int(done.rsplit("/", 1)[1]))

    clock_at("2026-10-22T09:00")
    assert province.get(done).status == 404
    assert sweeps.run("old-dry-runs").done == 2
    assert session.scalars(select(DryRunLine)).all() == []
    assert session.scalars(select(DryRunTask)).all() == []
