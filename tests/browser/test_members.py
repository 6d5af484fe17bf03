"""The pages of members with rows of every kind, looked at by axe on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD
from tests.browser.stage import DESK, serve, visit
from tests.browser.test_main_job import mobile
from tests.conftest import Installation
from tests.world import World, id_number
from zhtj.cases.membership import records
from zhtj.kernel import audit, clock
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.people import operations as people
from zhtj.people.finding import duplicates, saved_views
from zhtj.people.models import Member, Sex
from zhtj.people.operations import NewMember
from zhtj.people.signing import passwords

pytestmark = pytest.mark.slow("drives a browser")

PAGES = (
    "/members?cols=age,dev_number,political,dues,mobile&order=name",
    "/members?standing=archived",
    "/members?unit=没有这个组织&age=over",
    "/members/{gone}",
    "/members/{late}",
    "/members/{late}/edit",
    "/members/new",
    "/members/duplicates",
    "/members/compare?keep={one}&other={two}",
    "/members/proposals",
    "/members/proposals?measure=left",
    "/members/proposals?measure=remove",
    "/cases/new/profile?about={late}",
    "/cases/new/standing?about={late}&measure=left",
)


def enter(world: World, name: str, serial: int, born: date, dues: date | None = None) -> Member:
    """Somebody of the second class."""
    number = id_number(serial, born=born)
    new = NewMember(name, number, f"1370000{serial:04d}", Sex.MALE, date(2014, 5, 1), dues_until=dues)
    return people.add_member(world.orgs["class2"], new)


@pytest.fixture(scope="module")
def house(installations: dict[str, Installation]) -> Iterator[tuple[World, str, dict[str, str]]]:
    """One of each kind, with names as long as they come."""
    app: Flask = installations["sqlite"].copy()[0]
    with clock.at(clock.parse("2026-10-08T09:00")), app.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            enter(world, "伊" * 40, 301, date(1997, 1, 1))
            late = enter(world, "阿卜杜热合曼·买买提", 302, date(2003, 1, 1), date(2026, 1, 1))
            late.suspended_at = clock.parse("2024-01-01")
            enter(world, "欠费", 306, date(2003, 5, 1), date(2026, 1, 1))
            pair = [enter(world, "龑喆", serial, date(2003, 2, 2)) for serial in (303, 304)]
            gone = enter(world, "离去", 305, date(2003, 3, 3))
            session.flush()
            records.archive(gone, "death", "test")
            duplicates.find()
            saved_views.keep(world.seat("university"), "长" * 30, {"age": "over"})
            session.merge(world.accounts["university"]).password_hash = passwords.make_hash(PASSWORD)
        names = {"gone": gone.id, "late": late.id, "one": pair[0].id, "two": pair[1].id}
        with serve(app) as home:
            yield world, home, {name: str(number) for name, number in names.items()}
        db.session.remove()
        db.engine.dispose()


def test_the_pages_of_members_pass_axe_and_fit(
    house: tuple[World, str, dict[str, str]], chromium: Browser, *, brief: bool
) -> None:
    world, home, names = house
    with visit(chromium, home, DESK) as visitor:
        visitor.sign_in(mobile(world, "university"), PASSWORD)
        for page in PAGES:
            visitor.go("/school" + page.format(**names))
            visitor.check_sizes(brief=brief)
