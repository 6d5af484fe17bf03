"""One Chromium a process; a world with passwords on a live database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from tests.browser.stage import launch, serve
from tests.world import World
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.people.signing import passwords

PASSWORD = "Shuxia-Kandeng-88"
HASH = passwords.make_hash(PASSWORD)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def stage(live: Flask) -> Iterator[World]:
    """The world in a live database, everybody with the same password; read only inside ``live.app_context()``."""
    with live.app_context(), audit.acting(None):
        with clock.at(clock.parse("2026-10-08T09:00")):
            world = World.build()
            with unit_of_work():
                for member in (world.graduate, world.classmate, world.sophomore, world.employee):
                    session.merge(member).account.password_hash = HASH
                for account in world.accounts.values():
                    session.merge(account).password_hash = HASH
                for key, phone in (
                    ("university", "0551-6000001"),
                    ("company", "0551-6000002"),
                    ("township", "0551-6000003"),
                ):
                    organisation = session.merge(world.orgs[key])
                    organisation.phone, organisation.postcode = phone, "230031"
                    organisation.address = "安徽省合肥市蜀山区示范路 1 号"
        yield world


@pytest.fixture
def home(live: Flask, stage: World) -> Iterator[str]:
    """Address of the running application."""
    del stage
    with serve(live) as address:
        yield address
