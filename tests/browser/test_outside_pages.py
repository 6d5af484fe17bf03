"""Pages of special units and external systems, looked at by axe on a narrow phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD
from tests.browser.stage import DESK, PHONE, serve, visit
from tests.browser.test_every_page import HASH
from tests.conftest import Installation
from tests.transfers.applying.test_external import ABROAD, NAME, NOTE
from tests.transfers.applying.test_special_units import ARMY, enlist
from tests.transfers.steps import do, start
from tests.uploads import PNG, SHOT
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Account
from zhtj.transfers import operations
from zhtj.transfers.applying import drafts
from zhtj.transfers.deciding import external
from zhtj.transfers.models import Application

pytestmark = pytest.mark.slow("drives a browser")

NEW = "/member/transfer/new"
PAGES = {
    "writes": (f"{NEW}/special", f"{NEW}/check"),
    "enlists": ("/member/", "/member/applications/{enlists}"),
    "enlisted": ("/member/", "/member/history"),
    "types": (f"{NEW}/organisation?in=44", f"{NEW}/external", f"{NEW}/check"),
    "goes": ("/member/", "/member/applications/{goes}"),
    "gone": ("/member/",),
    "failed": ("/member/", "/member/applications/{failed}"),
    "class1": (
        "/branch/waiting",
        "/branch/members/{member}/transfer-out?under=44",
        "/branch/members/{member}/transfer-out?to=44",
        "/branch/members/{member}/transfer-out?to=special",
        "/branch/applications/{goes}/confirm",
        "/branch/applications/{goes}/fail",
        "/branch/applications/{gone}",
        "/branch/applications/{failed}",
    ),
    "province": (
        "/provincial/waiting",
        "/provincial/applications/{enlists}",
        "/provincial/applications/{enlists}/approve",
        "/provincial/applications/{enlists}/refuse",
    ),
    "team": ("/branch/transfer-in", "/branch/transfer-in/external"),
}


@pytest.fixture(scope="module")
def house(installations: dict[str, Installation]) -> Iterator[tuple[dict[str, str], str, dict[str, int]]]:
    """Mobile numbers of those who look, the address, and ids; one member at every stage of either way."""
    app: Flask = installations["sqlite"].copy()[0]
    with clock.at(clock.parse("2026-10-08T09:00")), app.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            node = NewOrganisation(
                "共青团广东省委员会", "团广东省委", Category.LEADING_ORGAN, code="44", system=Region.GUANGDONG
            )
            world.orgs["guangdong"] = orgs.create(world.orgs["centre"], node)
            people = {key: world.enrol(f"员{key}", "class1") for key in PAGES if key not in world.accounts}
            graduation.open_register()
        numbers = {"member": world.classmate.id}
        for key in ("enlists", "enlisted"):
            numbers[key] = enlist(world.own_seat(people[key]), people[key], secret_unit="示例研究所").id
        for key in ("goes", "gone", "failed"):
            there = world.orgs["guangdong"]
            numbers[key] = start(world.own_seat(people[key]), people[key], there, **ABROAD).id
        enlisted, gone, failed = (session.get_one(Application, numbers[key]) for key in ("enlisted", "gone", "failed"))
        do(operations.approve, enlisted, world.seat("province"))
        do(external.confirm, gone, world.seat("class1"), NOTE, Upload("截图.png", PNG))
        do(external.fail, failed, world.seat("class1"), "对方说全称多一个区字", SHOT)
        with unit_of_work():
            started = {
                "writes": {"reason": "special_unit", "remark": ARMY},
                "types": {
                    "reason": "employed_with_org",
                    "unit_name": "某公司",
                    "destination": "44",
                    "external_name": NAME,
                },
            }
            for key, answers in started.items():
                drafts.save(session.merge(people[key]), answers)
            accounts = {key: world.accounts.get(key) or people[key].account for key in PAGES}
            for account in accounts.values():
                session.merge(account).password_hash = HASH
            mobiles = {key: session.get_one(Account, account.id).mobile or "" for key, account in accounts.items()}
        with serve(app) as home:
            yield mobiles, home, numbers
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("who", PAGES)
def test_pages_pass_axe_and_fit(
    house: tuple[dict[str, str], str, dict[str, int]], chromium: Browser, who: str, *, brief: bool
) -> None:
    mobiles, home, numbers = house
    with visit(chromium, home, PHONE if PAGES[who][0].startswith("/member") else DESK) as visitor:
        visitor.sign_in(mobiles[who], PASSWORD)
        for page in PAGES[who]:
            visitor.go(page.format(**numbers))
            visitor.check_sizes(brief=brief)
