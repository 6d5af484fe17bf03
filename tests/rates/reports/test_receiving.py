"""The receivers' side, child by child: each figure is the length of its list (M-17, PD-17, PD-25)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.browsing import Browser
from tests.rates.conftest import SEASON, Area
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, do
from zhtj import sweeps
from zhtj.kernel.database import session
from zhtj.rates.reports import receiving
from zhtj.rates.reports.receiving import Figure, ReceivedFilters
from zhtj.transfers import operations
from zhtj.transfers.deciding import objections
from zhtj.transfers.rules import Ground

WORDS = "经核实，本单位没有这名团员"


@pytest.fixture
def busy(area: Area, clock_at: Callable[[str], None]) -> Area:
    """At the team: a refused and objected to, b lapsed, q waits long; one more of b's waits at the township."""
    world = area.world
    clock_at("2026-10-15T09:00")
    refused = area.goes(world.graduate, "team", **EMPLOYED)
    area.goes(world.classmate, "team", **EMPLOYED)
    do(operations.refuse, refused, world.seat("team"), Ground.NOT_OURS, WORDS)
    with acting(world.own_seat(world.graduate)):
        session.refresh(refused)
        objections.object_to(refused, world.own_seat(world.graduate), "我确实在这家单位上班")
    clock_at("2026-10-26T00:00")
    sweeps.run("return")
    area.goes(world.classmate, "floating", **UNPLACED)
    area.goes(area.stranger, "company", **EMPLOYED)
    clock_at("2026-11-05T10:00")
    return area


def figures(area: Area, key: str) -> dict[str, dict[Figure, int]]:
    lines, _ = receiving.by_child(area.world.orgs[key], SEASON)
    return {line.organisation.short_name: dict(line.figures) for line in lines}


@pytest.mark.rule("PD-25", "M-17")
def test_each_child_and_all_together(busy: Area) -> None:
    assert figures(busy, "county") == {
        "团井岗镇委": {Figure.WAITING: 1, Figure.OVERDUE: 1},
        "示例科技团委": {
            Figure.WAITING: 1,
            Figure.OVERDUE: 1,
            Figure.RETURNED: 1,
            Figure.REFUSED: 1,
            Figure.OBJECTED: 1,
            Figure.SUSTAINED: 0,
        },
    }
    lines, whole = receiving.by_child(busy.world.orgs["county"], SEASON)
    assert whole.figures[Figure.WAITING] == sum(line.figures[Figure.WAITING] for line in lines) == 2
    assert whole.median == 10
    assert dict(whole.grounds) == {Ground.NOT_OURS: 1}
    # The committee itself is told apart from its branches
    assert figures(busy, "company")["示例科技团委"] == {Figure.WAITING: 1, Figure.OVERDUE: 1}


@pytest.mark.rule("PD-25")
def test_every_figure_is_the_length_of_its_list(busy: Area) -> None:
    for key in ("province", "city", "county", "township", "company"):
        here = busy.world.orgs[key]
        lines, whole = receiving.by_child(here, SEASON)
        for one in (*lines, whole):
            own = one is not whole and one.organisation.id == here.id
            for figure in Figure:
                filters = ReceivedFilters(one.organisation.path, SEASON, figure, own=own)
                number = one.figures[figure]
                listing = receiving.listing(filters)
                assert listing.count() == len(listing.page().rows) == number, (key, figure)
            for ground, number in one.grounds.items():
                filters = ReceivedFilters(one.organisation.path, SEASON, Figure.REFUSED, ground, own=own)
                assert receiving.listing(filters).count() == number
    assert receiving.by_child(busy.world.orgs["county"], SEASON - 1)[0] == []


@pytest.mark.rule("PD-17")
def test_a_sustained_objection_shows(busy: Area) -> None:
    world = busy.world
    found = objections.objections(world.seat("company")).page().rows[0]
    with acting(world.seat("company")):
        session.refresh(found)
        objections.answer(found, world.seat("company"), sustained=True, remark="情况属实，应当接收")
    line = figures(busy, "county")["示例科技团委"]
    assert (line[Figure.OBJECTED], line[Figure.SUSTAINED]) == (1, 1)
    # It started again with the receiver, and waits as a new application
    assert line[Figure.WAITING] == 2


@pytest.mark.parametrize(
    ("days", "middle"), [({}, None), ({3: 1}, 3), ({1: 1, 4: 1}, 2.5), ({0: 5, 10: 1}, 0), ({2: 2, 3: 1, 9: 1}, 2.5)]
)
def test_the_median_of_days_that_occur_so_often(days: dict[int, int], middle: float | None) -> None:
    assert receiving.median(days) == middle


def test_the_page_and_its_lists(app: Flask, busy: Area) -> None:
    county = Browser(app.test_client()).login(busy.world.accounts["county"])
    page = county.get("/provincial/rates/receiving")
    assert "等待天数中位数" in page.main
    assert "本人去向与本组织无关，申请转错了组织 1" in page.main
    listed = county.get(
        f"/provincial/rates/receiving/list?org={busy.world.orgs['company'].id}&figure=refused&ground=not_ours"
    )
    assert "共 1 件" in listed.main
    assert "丁一" in listed.main
    assert "没有人申请转入" in county.get("/provincial/rates/receiving?season=2025").main
