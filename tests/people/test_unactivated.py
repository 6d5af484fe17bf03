"""Who has never activated his account is no administrator: what waits appears at the superior too (PD-61, PD-22)."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import downgrade, upgrade

from tests.browsing import Browser
from tests.transfers.steps import UNPLACED, acting, apply
from tests.world import World
from zhtj import doctor
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs.changing.administration import Gap, gaps
from zhtj.orgs.models import Organisation
from zhtj.people import operations, posts
from zhtj.people.models import Account, CodeKind, Post
from zhtj.people.signing import codes

GOOD = "山高月小水落石出真好看"


def office(world: World, where: str) -> str:
    session.expire_all()
    found = session.get_one(Organisation, world.orgs[where].id).office
    return found.short_name if found else ""


def is_whole() -> bool:
    return not [one for one in doctor.examine() if one.broken]


def replace_township(world: World) -> Account:
    """The township's secretary has left; his successor is named and has not activated his account."""
    with unit_of_work():
        new = operations.create_account("接任者", mobile="13955550001")
        operations.start_seat(new, world.orgs["township"], Post.SECRETARY)
        (old,) = [seat for seat in posts.open_posts(world.orgs["township"]) if seat.account_id != new.id]
        operations.end_seat(old, "ended")
    return new


@pytest.mark.rule("PD-61", "PD-22")
def test_what_waits_for_a_secretary_who_never_activated_appears_at_the_superior(
    world: World, client: FlaskClient
) -> None:
    # Given a township whose only secretary has never signed in
    replace_township(world)
    # When somebody applies there
    apply(world, world.graduate, "township", **UNPLACED)
    # Then the county has it to decide
    assert office(world, "township") == "团蜀山区委"
    page = Browser(client).login(world.accounts["county"]).get("/provincial/waiting")
    assert "丁一" in page.main
    assert Gap.ADMINISTRATOR in gaps(session.get_one(Organisation, world.orgs["township"].id))
    assert is_whole()


@pytest.mark.rule("PD-61", "PD-22")
def test_whoever_activates_takes_over_from_the_superior(world: World, client: FlaskClient) -> None:
    new = replace_township(world)
    apply(world, world.graduate, "township", **UNPLACED)
    with acting(world.seat("county")):
        issued = codes.issue(CodeKind.ACTIVATION, world.seat("county"), account=session.merge(new))
    with unit_of_work():
        codes.activate(issued.plain, GOOD)
    assert office(world, "township") == "团井岗镇委"
    assert office(world, "floating") == "团井岗镇委"
    page = Browser(client).login(session.get_one(Account, new.id)).get("/school/waiting")
    assert "丁一" in page.main
    assert is_whole()


@pytest.mark.rule("PD-61", "PD-22")
def test_the_last_activated_administrator_leaves_only_with_a_word_on_who_acts(world: World) -> None:
    # Given a class with one secretary and one who was named and never signed in
    with unit_of_work():
        idle = operations.create_account("挂名", mobile="13955550002")
        second = operations.start_seat(idle, world.orgs["class1"], Post.DEPUTY)
        (only,) = [seat for seat in posts.open_posts(world.orgs["class1"]) if seat.account_id != idle.id]
    assert office(world, "class1") == "软工1班团支部"
    # When the secretary's post is ended
    seat, branch = world.seat("college"), session.get_one(Organisation, world.orgs["class1"].id)
    with acting(seat), pytest.raises(DomainError, match="之后由计算机学院团总支代办"):
        posts.end(seat, branch, only.id)
    with acting(seat):
        posts.end(seat, branch, only.id, acts=world.orgs["college"].code)
    # Then the college acts, although a name still stands there; taking that away changes nothing
    assert office(world, "class1") == "计算机学院团总支"
    assert is_whole()
    with acting(seat):
        posts.end(seat, session.get_one(Organisation, branch.id), second.id)
    assert office(world, "class1") == "计算机学院团总支"
    assert is_whole()


@pytest.mark.rule("PD-61", "PD-22")
def test_the_page_says_who_acts_until_the_account_is_activated(world: World, client: FlaskClient) -> None:
    replace_township(world)
    root = f"/provincial/organisations/{world.orgs['township'].id}/posts"
    page = Browser(client).login(world.accounts["county"]).get(root)
    assert "还没有人激活账号" in page.main
    assert "由团蜀山区委代办" in page.main


@pytest.mark.slow("takes a migration back and forth")
@pytest.mark.rule("PD-61", "PD-22")
def test_an_upgrade_settles_who_acts(live: Flask) -> None:
    with live.app_context(), audit.acting(None):
        world = World.build()
        replace_township(world)
        places = {name: world.orgs[name].id for name in ("county", "township", "floating", "company")}

        def acts() -> dict[str, int | None]:
            session.expire_all()
            found = {name: session.get_one(Organisation, number).office_id for name, number in places.items()}
            session.commit()
            return found

        assert acts() == {**places, "township": places["county"], "floating": places["county"]}
        downgrade(revision="0035")
        assert acts() == {**places, "floating": places["township"]}
        upgrade()
        assert acts() == {**places, "township": places["county"], "floating": places["county"]}
        # Whatever else other migrations make anew from what is there, is theirs
        assert not [one for one in doctor.examine() if one.broken and one.name == "offices"]
