"""Which workbench serves whom, and what it says of itself (PD-01)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category, Purpose, Tier
from zhtj.orgs.operations import NewOrganisation, create

pytestmark = pytest.mark.both

WORKBENCHES = {
    "province": "provincial",
    "county": "provincial",
    "township": "school",
    "university": "school",
    "company": "school",
    "college": "college",
    "class1": "branch",
    "team": "branch",
}


@pytest.mark.rule("PD-01")
@pytest.mark.parametrize(("key", "role"), WORKBENCHES.items())
def test_the_organisation_s_level_decides_the_workbench(world: World, client: FlaskClient, key: str, role: str) -> None:
    page = Browser(client).login(world.accounts[key]).get("/").follow()
    assert page.url == f"/{role}/"
    assert world.orgs[key].short_name in page.main


@pytest.mark.rule("PD-01")
def test_a_township_never_reads_school(world: World, client: FlaskClient) -> None:
    browser = Browser(client).login(world.accounts["township"])
    for path in ("/school/", "/school/waiting", "/school/members", "/school/organisations"):
        page = browser.get(path)
        assert page.status == 200
        assert "学校" not in page.text


@pytest.mark.rule("PD-01")
def test_levels_follow_from_the_superior_unless_a_field_says_otherwise(world: World) -> None:
    with unit_of_work():
        city = session.merge(world.orgs["city"])
        school = create(city, NewOrganisation("共青团庐阳中学委员会", "庐阳中学团委", Category.COMMITTEE, "普通高中"))
        grade = create(school, NewOrganisation("庐阳中学高三总支", "高三总支", Category.GENERAL_BRANCH, "普通高中"))
        branch = create(grade, NewOrganisation("庐阳中学高三1班团支部", "高三1班", Category.BRANCH, "普通高中"))
        park = NewOrganisation(
            "共青团高新园区工作委员会",
            "高新园区团工委",
            Category.WORKING_COMMITTEE,
            purpose=Purpose.PARK,
            tier=Tier.BASIC,
        )
        inside = create(school, park)
    assert (school.tier, grade.tier, branch.tier) == (Tier.BASIC, Tier.SECOND, Tier.BRANCH)
    assert inside.tier is Tier.BASIC


@pytest.mark.rule("PD-01")
def test_a_basic_committee_serves_the_branches_directly_below_it_as_a_college_does(
    world: World, client: FlaskClient
) -> None:
    browser = Browser(client).login(world.accounts["company"])
    page = browser.get(f"/school/members/{world.employee.id}")
    assert page.status == 200
    assert page.has_form("/code")
    assert "办理转出" in page.links()
