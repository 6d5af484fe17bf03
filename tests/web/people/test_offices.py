"""Whoever has forgotten everything finds the telephone of his college and school (PD-04)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        session.merge(world.orgs["university"]).phone = "0551-65500000"
        session.merge(world.orgs["college"]).phone = "0551-65500001"
        world.orgs["university"] = session.merge(world.orgs["university"])
        world.add("arts", "university", "共青团江淮示范大学文学院总支部委员会", "文学院团总支", Category.GENERAL_BRANCH)
    return world


@pytest.mark.rule("PD-04")
def test_the_login_page_leads_to_the_telephone_of_college_and_school(world: World, browser: Browser) -> None:
    page = browser.get("/login").click("查办公室电话")
    found = page.form("/help/offices").submit(q="示范大学")
    assert "江淮示范大学团委" in found.main
    office = found.click("江淮示范大学团委")
    assert "0551-65500000" in office.main
    assert "计算机学院团总支\n0551-65500001" in office.main
    # A college without a number is reached through the school
    assert "文学院团总支\n江淮示范大学团委 0551-65500000" in office.main
    assert office.click("输入验证码").status == 200


@pytest.mark.rule("PD-37")
def test_nobodys_own_number_is_shown(world: World, browser: Browser) -> None:
    office = browser.get(f"/help/offices?school={world.orgs['university'].code}")
    for key in ("university", "college"):
        assert world.accounts[key].mobile not in office.source
        assert world.accounts[key].name not in office.text


def test_a_class_or_college_leads_to_its_school(world: World, browser: Browser) -> None:
    assert "江淮示范大学团委" in browser.get("/help/offices?q=计算机学院").main
    assert "没有找到" in browser.get("/help/offices?q=没有这样的学校").main
    assert browser.get("/help/offices?school=3401").status == 404
    assert browser.get("/help/offices?school=nonsense").status == 404


def test_looking_up_is_limited(world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhtj.web.public.offices.ANSWERS", 2)
    statuses = [browser.get("/help/offices?q=示范大学").status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
