"""组织树 in a real browser: a level is fetched when it is opened, once, and stays closed and open as one likes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PASSWORD
from tests.browser.stage import PHONE, serve, visit
from tests.browser.test_main_job import mobile
from tests.conftest import Installation
from tests.world import World
from zhtj.kernel import audit, clock
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.orgs.models import Category
from zhtj.people.signing import passwords

pytestmark = pytest.mark.slow("drives a browser")


@pytest.fixture(scope="module")
def house(installations: dict[str, Installation]) -> Iterator[tuple[World, str]]:
    """A college with more classes than one level shows at once."""
    app = installations["sqlite"].copy()[0]
    with clock.at(clock.parse("2026-10-08T09:00")), app.app_context(), audit.acting(None):
        world = World.build()
        with unit_of_work():
            session.merge(world.accounts["university"]).password_hash = passwords.make_hash(PASSWORD)
            world.orgs["college"] = session.merge(world.orgs["college"])
            for number in range(3, 60):
                name = f"江淮示范大学计算机学院2022级软件工程专业{number}班团支部"
                world.add(f"c{number}", "college", name, f"软工{number}班团支部", Category.BRANCH, "普通高等院校")
        with serve(app) as home:
            yield world, home
        db.session.remove()
        db.engine.dispose()


def test_levels_and_further_rows_are_fetched_when_asked_for(house: tuple[World, str], chromium: Browser) -> None:
    world, home = house
    with visit(chromium, home, PHONE) as visitor:
        visitor.sign_in(mobile(world, "university"), PASSWORD)
        visitor.go("/school/organisations/tree")
        page = visitor.page
        expect(page.get_by_text("软工1班团支部")).to_have_count(0)
        # When the college is opened, its first classes come; when more are asked for, the rest, in place
        page.get_by_text("计算机学院团总支", exact=True).first.click()
        expect(page.get_by_role("link", name="软工1班团支部")).to_be_visible()
        expect(page.get_by_role("link", name="软工59班团支部")).to_have_count(0)
        page.get_by_role("main").get_by_role("link", name="更多").click()
        expect(page.get_by_role("link", name="软工59班团支部")).to_be_visible()
        assert page.url.endswith("/school/organisations/tree")
        # Then closing and opening again fetches nothing
        before = len(visitor.requests)
        for _ in range(2):
            page.get_by_text("计算机学院团总支", exact=True).first.click()
        expect(page.get_by_role("link", name="软工1班团支部")).to_be_visible()
        assert len(visitor.requests) == before
        visitor.check()
