"""People found by name or number, whether few have the name or many."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.people.finding import search
from zhtj.people.models import Account, Member


@pytest.fixture(params=[0, 1, 5000], ids=["many", "some", "few"])
def bound(request, monkeypatch) -> int:
    """Of how many one is told first who they are."""
    monkeypatch.setattr(search, "FEW", request.param)
    return int(request.param)


def called(text: str) -> set[str]:
    session.info.clear()
    query = select(Account.name).join(Member, Member.account_id == Account.id)
    return set(session.scalars(query.where(search.is_called(Member.id, text))))


def test_a_name_finds_the_same_people_however_many_have_it(world: World, bound: int) -> None:
    with unit_of_work():
        for name in ("龑喆", "龑涛", "王龑"):
            world.enrol(name, "class1")
    assert called("龑") == {"龑喆", "龑涛"}
    assert called("龑喆") == {"龑喆"}
    assert called("没有这个人") == set()
    assert called("%") == set()


def test_a_number_is_meant_whole(world: World, bound: int) -> None:
    number = world.graduate.student_no
    assert number
    assert called(number) == {world.graduate.name}
    assert called(number[:-1]) == set()


def test_who_was_found_is_counted_but_not_a_common_name_for_a_leading_organ(world: World, bound: int) -> None:
    session.info.clear()
    name = world.graduate.name
    assert search.is_counted(world.seat("university"), name)
    assert search.is_counted(world.seat("province"), "")
    assert search.is_counted(world.seat("province"), "没有这个人")
    assert search.is_counted(world.seat("province"), name) == (bound > 0)


@pytest.mark.parametrize("page", ["graduates", "arrivals", "destinations", "files"])
@pytest.mark.parametrize("bound", [0, 5000], indirect=True, ids=["many", "few"])
def test_a_leading_organ_is_told_why_there_are_no_figures(
    world: World, client: FlaskClient, bound: int, page: str
) -> None:
    shown = Browser(client).login(world.accounts["province"]).get(f"/provincial/{page}?q={world.graduate.name}")
    assert shown.status == 200
    assert ("没有统计人数" in shown.main) == (bound == 0)
