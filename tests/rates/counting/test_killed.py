"""Thousands of random changes by several processes that are killed in between: the counters are what a recount says."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.concurrency.processes import family, processes, variables
from tests.processes import until
from tests.rates.conftest import SEASON
from tests.rates.counting import agreement, workers
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category, Organisation
from zhtj.rates.models import RateCounter

CHANGES, BRIEFLY, GRADUATES, PATIENCE = 10_000, 1_000, 120, 300
# Days on which they work; what is due in between goes back.
DAYS = ("2026-09-20T09:00", "2026-10-14T09:00", "2026-11-20T09:00")
BRANCHES = ("team", "p2_team", "q_team", "floating")


@pytest.fixture
def town(live: Flask) -> Iterator[World]:
    """A hundred and twenty graduates of two schools, employers in three places."""
    clock.stand_still(clock.parse("2026-06-20T09:00"))
    with live.app_context():
        world = World.build()
        committee, branch, leading, firm = Category.COMMITTEE, Category.BRANCH, Category.LEADING_ORGAN, "国有企业"
        with unit_of_work():
            world.add("p2", "province", "共青团安徽省芜湖市委员会", "团芜湖市委", leading, code="3402")
            world.add("q", "centre", "共青团江苏省委员会", "团江苏省委", leading, code="32")
            for key in ("p2", "q"):
                world.add(f"{key}_company", key, f"共青团{key}公司委员会", f"{key}公司团委", committee, firm)
                world.add(f"{key}_team", f"{key}_company", f"{key}公司团支部", f"{key}团支部", branch, firm)
            graduation.mark_branch(world.orgs["class2"], month=date(2026, 6, 1))
        with unit_of_work():
            for key in ("p2_team", "q_team", "floating"):
                world.appoint(key)
            for number in range(GRADUATES):
                world.enrol(f"毕业生{number}", "class1" if number % 2 else "class2")
            graduation.open_register()
        yield world


@pytest.mark.slow("thousands of changes by processes that are killed")
@pytest.mark.rule("PD-25", "PD-36")
def test_after_thousands_of_changes_with_kills_in_between_the_counters_are_right(
    live: Flask, town: World, clock_at, *, brief: bool
) -> None:
    changes = BRIEFLY if brief else CHANGES
    # Given three processes at work at once, on three days
    chance = random.Random(10)
    seats = {town.orgs[key].id: town.seat(key) for key in BRANCHES}
    session.rollback()
    counted = [family().Value("i", 0, lock=False) for _ in range(3)]
    troubles = [family().Value("i", 0, lock=False) for _ in range(3)]
    kills = 0
    for position, day in enumerate(DAYS, 1):
        while done(counted) < changes * position // len(DAYS):
            goal = min(done(counted) + chance.randint(changes * 7 // 100, changes * 12 // 100), changes)
            environment = variables(live, day)
            jobs = [
                (workers.work, environment, chance.randrange(10**6), seats, mine, own)
                for mine, own in zip(counted, troubles, strict=True)
            ]
            with processes(*jobs) as busy:
                # When each is killed outright somewhere in its work
                until(lambda goal=goal: done(counted) >= goal, "the changes to get on", PATIENCE)  # type: ignore[misc]
                for process in busy:
                    time.sleep(chance.random() / 50)
                    assert process.pid is not None
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
    # Then nothing was lost and nothing counted twice: not at any place, for anybody, on any day
    clock_at(clock.parse(DAYS[-1]) + timedelta(days=1))
    session.rollback()
    assert done(counted) >= changes
    assert kills >= 3 * len(DAYS)
    # And nobody waited for one another in a circle
    assert sum(each.value for each in troubles) == 0
    days = [date.fromisoformat(day[:10]) for day in DAYS]
    agreement.everywhere(SEASON, [None, *days, days[0] + timedelta(days=21)])
    agreement.healthy()
    # And a counter that is wrong would have been found
    path = session.scalars(select(Organisation.path).where(Organisation.id == town.orgs["class1"].id)).one()
    with unit_of_work():
        session.get_one(RateCounter, (SEASON, path, 0)).society += 1
    with pytest.raises(AssertionError):
        agreement.healthy()


def done(counted: list[object]) -> int:
    """How many changes are committed."""
    return sum(each.value for each in counted)  # type: ignore[attr-defined]
