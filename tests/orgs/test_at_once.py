"""Two administrators of the tree at the same moment: one result, and a clear word to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from flask import Flask

from tests.world import World
from zhtj import doctor
from zhtj.kernel import audit
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs.changing import children, moving
from zhtj.orgs.models import Category, Organisation
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import posts
from zhtj.people.models import Member, Seat
from zhtj.people.moves import Move, move_members
from zhtj.transfers.deciding import closing

COLLEGE = "普通高等院校"
ROUNDS = 3


@pytest.fixture
def town(live: Flask) -> Iterator[World]:
    with live.app_context():
        world = World.build()
        with unit_of_work():
            for key, org in world.orgs.items():
                world.orgs[key] = session.merge(org)
            for key, name in (("a", "文学院"), ("b", "理学院")):
                full = f"共青团江淮示范大学{name}总支部委员会"
                world.add(key, "university", full, f"{name}团总支", Category.GENERAL_BRANCH, COLLEGE)
            world.add("empty", "college", "江淮示范大学计算机学院空团支部", "空团支部", Category.BRANCH, COLLEGE)
        yield world


def together(app: Flask, *deeds: Callable[[], object]) -> list[DomainError | None]:
    """Do these at the same moment, each in its own unit of work; what went wrong with each."""
    barrier = Barrier(len(deeds), timeout=20)

    def one(deed: Callable[[], object]) -> DomainError | None:
        with app.app_context(), audit.acting(None):
            with suppress(BrokenBarrierError):
                barrier.wait()
            try:
                with unit_of_work():
                    deed()
            except DomainError as error:
                return error
            finally:
                db.session.remove()
            return None

    with ThreadPoolExecutor(len(deeds)) as pool:
        found = list(pool.map(one, deeds))
    session.rollback()
    session.expire_all()
    assert not [finding.name for finding in doctor.examine() if finding.broken]
    return found


def get(number: int) -> Organisation:
    return session.get_one(Organisation, number)


def move(what: int, below: int) -> None:
    moving.move(get(what), get(below), "test")


@pytest.mark.rule("PD-07")
def test_two_that_move_below_each_other_never_close_a_circle(live: Flask, town: World) -> None:
    one, other = town.orgs["a"].id, town.orgs["b"].id
    session.commit()
    errors = together(live, partial(move, one, other), partial(move, other, one))
    assert [error is None for error in errors].count(True) == 1
    assert "自己的下级" in next(str(error) for error in errors if error)


@pytest.mark.rule("PD-07")
def test_what_is_built_below_a_moving_organisation_moves_along(live: Flask, town: World) -> None:
    college, places = town.orgs["college"].id, [town.orgs["a"].id, town.orgs["university"].id]
    session.commit()

    def build(number: int) -> None:
        name = f"江淮示范大学计算机学院2026级{number}班团支部"
        children.build(get(college), NewOrganisation(name, f"2026级{number}班团支部", Category.BRANCH, COLLEGE))

    for number in range(ROUNDS):
        errors = together(live, partial(move, college, places[number % 2]), partial(build, number))
        assert errors == [None, None]


@pytest.mark.rule("PD-06")
def test_nobody_arrives_in_a_branch_while_it_is_being_closed(live: Flask, town: World) -> None:
    member, empty, seat = town.graduate.id, town.orgs["empty"].id, town.seat("college")
    came_from = town.graduate.org_id
    session.commit()

    def arrive() -> None:
        move_members([Move(member, came_from, empty, "test")])

    errors = together(live, arrive, lambda: closing.close(seat, get(empty), "班级已经撤销"))
    assert [error is None for error in errors].count(True) == 1
    assert isinstance(next(error for error in errors if error), Conflict)
    assert (session.get_one(Member, member).org_id == empty) is (get(empty).closed_at is None)


@pytest.mark.rule("PD-22")
def test_of_two_who_end_the_last_two_posts_the_second_hears_that_nobody_would_be_left(live: Flask, town: World) -> None:
    branch, seat = town.orgs["class1"].id, town.seat("college")
    town.appoint("class1")
    session.commit()
    held = [one.id for one in posts.open_posts(get(branch))]
    session.commit()
    errors = together(live, *(partial(lambda number: posts.end(seat, get(branch), number), one) for one in held))
    assert [error.rule if error else None for error in errors].count("PD-22") == 1
    assert len([one for one in held if session.get_one(Seat, one).ended_at is None]) == 1


@pytest.mark.rule("PD-05")
def test_the_same_organisation_is_built_once(live: Flask, town: World) -> None:
    college = town.orgs["college"].id
    session.commit()

    def build() -> None:
        new = NewOrganisation("江淮示范大学计算机学院临建团支部", "临建团支部", Category.BRANCH, COLLEGE)
        children.build(get(college), new)

    errors = together(live, build, build)
    assert [error is None for error in errors].count(True) == 1
    assert next(error for error in errors if error).rule == "PD-05"
