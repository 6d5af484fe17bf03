"""The pages of identity, file and liaisons, looked at by axe on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD
from tests.browser.stage import DESK, PHONE, serve, visit
from tests.browser.test_main_job import mobile
from tests.conftest import Installation
from tests.identity.test_certification import FORM, LATE, certify, upload
from tests.transfers.steps import acting
from tests.world import World
from zhtj.identity import registration_sheets
from zhtj.kernel import audit, clock
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.people.models import Member
from zhtj.people.signing import passwords

pytestmark = pytest.mark.slow("drives a browser")

HASH = passwords.make_hash(PASSWORD)
DESK_PAGES = (
    "/files",
    "/files?state=all",
    "/files/many",
    "/members/{blocked}",
    "/members/{blocked}/file",
    "/members/{blocked}/transfer-out",
    "/members/{blocked}/sheet",
    "/members/{certified}/file",
    "/cases/new/e_file?about={blocked}",
)
PAGES = {
    "graduate": ("member", ("/", "/file", "/transfer/new", "/cases/new/e_file", "/sheet", "/sheet/print", "/me")),
    "class1": ("branch", DESK_PAGES),
    "college": ("college", (*DESK_PAGES, "/liaisons")),
    "university": ("school", (*DESK_PAGES, "/liaisons")),
    "city": ("provincial", ("/files", "/members/{certified}/file")),
}


@pytest.fixture(scope="module")
def house(installations: dict[str, Installation]) -> Iterator[tuple[World, str, dict[str, str]]]:
    """A graduate with everything in his way, and a classmate whose form is approved, on the embedded database."""
    app: Flask = installations["sqlite"].copy()[0]
    with clock.at(clock.parse("2026-10-08T09:00")), app.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            world.appoint("city")
            for member in (world.graduate, world.classmate):
                session.merge(member).joined_on = LATE
            session.merge(world.employee).dev_number = world.graduate.dev_number
            for account in (*world.accounts.values(), world.graduate.account):
                session.merge(account).password_hash = HASH
        certify(world, world.classmate)
        upload(world.seat("university"), world.classmate, FORM, why="原扫描件缺页")
        with acting(world.own_seat(world.graduate)):
            said = {field.name: "示范中学高一1班团支部" for field in registration_sheets.FIELDS}
            registration_sheets.write(
                session.get_one(Member, world.graduate.id), world.own_seat(world.graduate), said, 0
            )
        with serve(app) as home:
            yield world, home, {"blocked": str(world.graduate.id), "certified": str(world.classmate.id)}
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
            visitor.go(f"/{role}{page.format(**names)}")
            visitor.check_sizes(brief=brief)
