"""Pages of those who stay - forms, signatures, ledger, rounds, files - looked at by axe at 320, 360 and 1280 pixels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD
from tests.browser.stage import DESK, PHONE, serve, visit
from tests.browser.test_main_job import mobile
from tests.cases.steps import ask
from tests.conftest import Installation
from tests.floating.steps import RETAINED, apply, build, grant
from tests.transfers.steps import acting
from tests.world import World
from zhtj.cases import rounds
from zhtj.floating import operations as floating
from zhtj.floating.models import Occupation
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.orgs.models import Purpose
from zhtj.people.models import Member
from zhtj.people.signing import passwords

pytestmark = pytest.mark.slow("drives a browser")

HASH = passwords.make_hash(PASSWORD)
STAYING = ("/floating", "/floating?status=allocate", "/members/{kept}/onward", "/staying", "/imports/floating")
PAGES = {
    "college": ("college", (*STAYING, "/cases/{unsigned}", "/cases/{unsigned}/paper", "/cases/{signed}")),
    "university": ("school", (*STAYING, "/cases/{unsigned}", "/cases?kind=retention")),
    "graduate": ("member", ("/stay/retention", "/stay/overseas-study", "/guides/retention", "/guides/delay")),
    "kept": ("member", ("/", "/floating", "/cases/{granted}", "/stay/retention")),
    "unsigned": ("member", ("/", "/cases/{unsigned}", "/cases/{unsigned}/sign")),
}


@pytest.fixture(scope="module")
def house(installations: dict[str, Installation]) -> Iterator[tuple[World, str, dict[str, str], dict[str, Member]]]:
    """Somebody retained, somebody abroad, one whose form is not signed, one who has applied, one who may."""
    app: Flask = installations["sqlite"].copy()[0]
    with clock.at(clock.parse("2026-10-08T09:00")), app.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            graduation.convert_branches()
            names = ("阿卜杜热合曼·买买提", "欧阳若琳", "司马相如", "龑喆")
            people = [world.enrol(name, "class1") for name in names]
            for person in people:
                person.is_graduate = True
        for key, parent, purpose in (
            ("floats", "university", Purpose.FLOATING),
            ("own", "college", Purpose.FLOATING),
            ("abroad", "university", Purpose.OVERSEAS),
        ):
            build(world, key, parent, purpose)
        kept, abroad, unsigned, waiting = people
        granted = grant(world, apply(world, kept), "college", "university")
        grant(world, apply(world, abroad, "overseas_study"), "college", "university")
        left = ask(world.seat("college"), "retention", unsigned, **RETAINED)
        signed = apply(world, waiting)
        with acting(world.seat("university")):
            rounds.announce(world.seat("university"), date(2026, 10, 20), date(2026, 10, 25), "请提醒本人签名。")
        with acting(world.seat("college")):
            person = session.get_one(Member, kept.id)
            floating.contacted(world.seat("college"), person, date(2026, 10, 8), "正在找工作", Occupation.SEEKING)
        with unit_of_work():
            for account in (*world.accounts.values(), world.graduate.account, kept.account, unsigned.account):
                session.merge(account).password_hash = HASH
        numbers = {
            "kept": str(kept.id),
            "granted": str(granted.id),
            "unsigned": str(left.id),
            "signed": str(signed.id),
        }
        phones = {"kept": session.merge(kept), "unsigned": session.merge(unsigned)}
        with serve(app) as home:
            yield world, home, numbers, phones
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("who", PAGES)
def test_every_page_passes_axe_and_fits(
    house: tuple[World, str, dict[str, str], dict[str, Member]], chromium: Browser, who: str, *, brief: bool
) -> None:
    world, home, numbers, phones = house
    role, pages = PAGES[who]
    name = phones[who].account.mobile or "" if who in phones else mobile(world, who)
    with visit(chromium, home, PHONE if role == "member" else DESK) as visitor:
        visitor.sign_in(name, PASSWORD)
        for page in pages:
            visitor.go(f"/{role}{page}".format(**numbers))
            visitor.check_sizes(brief=brief)
