"""本组织: the page on which an organisation looks after itself."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.world import World
from zhtj.kernel.database import session, unit_of_work


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def test_contact_data_are_changed_on_the_own_page(world: World, browser: Browser):
    page = browser.login(world.accounts["university"]).get("/school/organisation")
    assert "没有联系电话" in page.text
    done = page.form("/school/organisation").submit(phone="0551-65500000", address="示范路1号", postcode="230031")
    after = done.follow()
    assert "组织资料已更新" in after.text
    assert "没有联系电话" not in after.text


def test_a_wrong_value_comes_back_with_everything_typed(world: World, browser: Browser):
    page = browser.login(world.accounts["class1"]).get("/branch/organisation")
    back = page.form("/branch/organisation").submit(short_name="软工一班团支部", phone="找班长")
    assert back.status == 422
    assert back.form("/branch/organisation").values["short_name"] == "软工一班团支部"
    assert back.form("/branch/organisation").values["phone"] == "找班长"


def test_whoever_comes_second_sees_the_present_data_and_loses_nothing_unnoticed(world: World, browser: Browser):
    page = browser.login(world.accounts["university"]).get("/school/organisation")
    with unit_of_work():
        session.merge(world.orgs["university"]).phone = "0551-65511111"
    back = page.form("/school/organisation").submit(phone="0551-65500000")
    assert back.status == 409
    assert "刚刚被其他管理员改过" in back.text
    assert back.form("/school/organisation").values["phone"] == "0551-65511111"


@pytest.mark.rule("O-05")
def test_the_flag_stands_on_the_own_page_and_in_the_superiors_list(world: World, browser: Browser):
    own = browser.login(world.accounts["township"]).get("/school/organisation")
    assert "是否乡镇街道团委\n是" in own.text
    assert "township_flag" not in own.source
    assert own.click("上报更正").status == 200
    with unit_of_work():
        session.merge(world.orgs["company"]).township_flag = False
    rows = browser.login(world.accounts["county"]).get("/provincial/organisations").text
    assert "团井岗镇委\n团委是\n" in rows
    assert "示例科技团委\n团委否\n" in rows


@pytest.mark.rule("O-21")
def test_members_of_a_floating_branch_see_its_online_community(world: World, browser: Browser):
    with unit_of_work():
        world.orgs["floating"] = session.merge(world.orgs["floating"])
        world.appoint("floating")
        member = world.enrol("毛流动", "floating")
    page = browser.login(world.accounts["floating"]).get("/branch/organisation")
    assert "没有网上团支部" in page.text
    page.form("/branch/organisation").submit(online_community="QQ 群 12345678")
    assert "网上团支部\nQQ 群 12345678" in browser.login(member.account).get("/member/me").text


def test_the_next_two_levels_are_named_with_their_telephones(world: World, client: FlaskClient) -> None:
    # Given a college with an office telephone, and a school whose secretary has a mobile
    with unit_of_work():
        session.merge(world.orgs["college"]).phone = "0551-65500001"
    page = Browser(client).login(world.accounts["class1"]).get("/branch/organisation")
    secretary = world.accounts["university"].mobile
    assert secretary
    assert f"{world.orgs['college'].short_name}\n0551-65500001" in page.main
    assert f"{world.orgs['university'].short_name}\n{secretary}" in page.main


@pytest.mark.rule("G-12")
def test_a_branch_is_told_who_marks(world: World, client: FlaskClient) -> None:
    page = Browser(client).login(world.accounts["class1"]).get("/branch/marking")
    assert page.status == 403
    assert "由学院团组织或学校团委标记" in page.main
    assert "本组织资料" in page.main
