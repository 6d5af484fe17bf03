"""Graduates, exceptions, arrivals, floating members: their pages looked at by axe, narrow and wide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD
from tests.browser.stage import DESK, PHONE, serve, visit
from tests.browser.test_main_job import mobile
from tests.conftest import Installation
from tests.transfers.steps import UNPLACED, acting, apply, do
from tests.world import World
from zhtj.floating import operations as onward
from zhtj.floating.models import Occupation
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.people.models import Member
from zhtj.people.signing import passwords
from zhtj.transfers import operations
from zhtj.transfers.rules import Ground

pytestmark = pytest.mark.slow("drives a browser")

HASH = passwords.make_hash(PASSWORD)
PAGES = {
    "class1": ("branch", ("/graduates", "/graduates?step=done&q=nobody")),
    "college": (
        "college",
        ("/exceptions", "/applications/{refused}/exception", "/members/{new}/exception"),
    ),
    "team": ("branch", ("/", "/arrivals", "/members/{arrived}/arrival", "/arrivals?status=done")),
    "township": ("school", ("/", "/floating", "/members/{floating}/onward", "/floating?status=late")),
    "province": ("provincial", ("/", "/graduates", "/exceptions", "/arrivals", "/floating")),
    "graduate": ("member", ("/", "/history")),
}


@pytest.fixture(scope="module")
def house(installations: dict[str, Installation]) -> Iterator[tuple[World, str, dict[str, str]]]:
    """A graduate who arrived, one who was refused, one in a floating branch, one who never applied."""
    app: Flask = installations["sqlite"].copy()[0]
    with clock.at(clock.parse("2026-10-08T09:00")), app.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            floating, new = (world.enrol(name, "class1") for name in ("阿卜杜热合曼·买买提", "欧阳若琳"))
            graduation.open_register()
        arrived = apply(world, world.graduate, "team")
        do(operations.accept, arrived, world.seat("team"))
        refused = apply(world, world.classmate, "team")
        do(operations.refuse, refused, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在滨湖新区就业")
        placed = apply(world, floating, "floating", **UNPLACED)
        do(operations.accept, placed, world.seat("township"))
        with acting(world.seat("township")):
            person = session.get_one(Member, floating.id)
            onward.contacted(world.seat("township"), person, date(2026, 10, 8), "正在找工作", Occupation.SEEKING)
            onward.found(world.seat("township"), person, date(2026, 10, 8), "示例科技有限公司")
        with unit_of_work():
            for account in (*world.accounts.values(), world.graduate.account):
                session.merge(account).password_hash = HASH
        names = {
            "refused": str(refused.id),
            "new": str(new.id),
            "arrived": str(world.graduate.id),
            "floating": str(floating.id),
        }
        with serve(app) as home:
            yield world, home, names
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("who", PAGES)
def test_every_page_passes_axe_and_fits(
    house: tuple[World, str, dict[str, str]], chromium: Browser, who: str, *, brief: bool
) -> None:
    world, home, names = house
    role, pages = PAGES[who]
    with visit(chromium, home, PHONE if role == "member" else DESK) as visitor:
        visitor.sign_in(mobile(world, who), PASSWORD)
        for page in pages:
            visitor.go(f"/{role}{page}".format(**names))
            visitor.check_sizes(brief=brief)
