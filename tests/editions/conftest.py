"""A season with something to compare."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.transfers.steps import EMPLOYED, UNPLACED, accept_into, apply, do
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import unit_of_work

HERE = "安徽省合肥市蜀山区井岗镇样例路8号"
WITHOUT = {"reason": "employed_without_org", "unit_name": "某小店", "unit_address": HERE}
WITH_PARENTS = {
    **UNPLACED,
    "place": "parents_residence",
    "unit_address": HERE,
    "remark": "与父母同住",
    "confirmed": True,
}


@pytest.fixture
def world(session: Session, clock_at: Any) -> World:
    """Of the season of 2026: near the unit, with the parents, to an employer - taken in on 20 June and 8 October."""
    clock_at("2026-06-01T10:00")
    world = World.build()
    with unit_of_work():
        third = world.enrol("王一", "class1")
        graduation.open_register()
    clock_at("2026-06-02T10:00")
    near = apply(world, world.graduate, "township", place="residence", **WITHOUT)
    apply(world, world.classmate, "floating", **WITH_PARENTS)
    unit = apply(world, third, "company", **EMPLOYED)
    clock_at("2026-06-20T10:00")
    do(accept_into, near, world.seat("township"), world.orgs["floating"])
    clock_at("2026-10-08T10:00")
    do(accept_into, unit, world.seat("company"), world.orgs["team"])
    clock_at("2026-10-14T09:00")
    return world
