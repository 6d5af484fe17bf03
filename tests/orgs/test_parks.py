"""A park's 园区团工委 is built by county or city and then has its floating branch; names are checked as they are given.

(PD-61, O-08, O-12, 000-Q8)
"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.world import World
from zhtj.floating.models import StayKind
from zhtj.floating.operations import kind_of_branch
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs.changing import administration, children
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation

PARK: dict[str, Any] = {
    "category": "working_committee",
    "full_name": "共青团安徽省合肥市蜀山经济开发区工作委员会",
    "short_name": "蜀山经开区团工委",
    "industry": "城市社区",
}
WORKING = Category.WORKING_COMMITTEE


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def named(full_name: str) -> Organisation:
    session.expire_all()
    return session.scalars(select(Organisation).where(Organisation.full_name == full_name)).one()


@pytest.mark.rule("PD-61", "O-08")
def test_a_county_builds_a_park_with_its_purpose_and_it_has_a_floating_branch(world: World, browser: Browser) -> None:
    # Given the county's page for a new organisation
    address = f"/provincial/organisations/{world.orgs['county'].id}/new"
    page = browser.login(world.accounts["county"]).get(address)
    assert "园区团工委" in page.main
    # When it builds the committee of a park
    done = page.form(address).submit(**PARK, park="1").follow()
    # Then the committee is a park's, and the graduates who work there have a branch
    park = named(PARK["full_name"])
    assert park.purpose is Purpose.PARK
    assert f"已建立{PARK['full_name']}" in done.text
    floating = named("安徽省合肥市蜀山经济开发区流动团员团支部")
    assert (floating.parent_id, floating.short_name) == (park.id, "蜀山经开区流动团员团支部")
    assert kind_of_branch(floating) is StayKind.TOWNSHIP


@pytest.mark.rule("PD-61", "O-08")
def test_a_working_committee_of_another_kind_is_no_park(world: World, browser: Browser) -> None:
    address = f"/provincial/organisations/{world.orgs['county'].id}/new"
    page = browser.login(world.accounts["county"]).get(address)
    page.form(address).submit(**PARK).follow()
    park = named(PARK["full_name"])
    assert park.purpose is None
    # It can be said later, by the same county
    edit = f"/provincial/organisations/{park.id}/edit"
    page = browser.get(edit)
    page.form(edit).submit(park="1").follow()
    assert named(PARK["full_name"]).purpose is Purpose.PARK
    assert "建流动团员团支部" in browser.get(f"/provincial/organisations/{park.id}").main
    # And taken back, as long as nobody can have come there
    browser.get(edit).form(edit).submit(park=None).follow()
    assert named(PARK["full_name"]).purpose is None


@pytest.mark.rule("PD-61", "O-08")
def test_a_park_with_a_floating_branch_stays_one(world: World, browser: Browser) -> None:
    address = f"/provincial/organisations/{world.orgs['county'].id}/new"
    browser.login(world.accounts["county"]).get(address).form(address).submit(**PARK, park="1").follow()
    edit = f"/provincial/organisations/{named(PARK['full_name']).id}/edit"
    back = browser.get(edit).form(edit).submit(park=None)
    assert back.status == 422
    assert "还有流动团员团支部" in back.text
    assert named(PARK["full_name"]).purpose is Purpose.PARK


@pytest.mark.rule("PD-61", "O-08")
@pytest.mark.parametrize(
    ("parent", "category"),
    [
        ("province", WORKING),
        ("company", WORKING),
        ("university", WORKING),
        ("county", Category.COMMITTEE),
        ("county", Category.GENERAL_BRANCH),
    ],
)
def test_who_is_no_county_or_city_builds_no_park_and_nothing_else_is_one(
    world: World, parent: str, category: Category
) -> None:
    endings = {
        WORKING: ("工作委员会", "团工委"),
        Category.COMMITTEE: ("委员会", "团委"),
        Category.GENERAL_BRANCH: ("总支部委员会", "团总支"),
    }
    full, short = (f"{head}示范园区{end}" for head, end in zip(("共青团", ""), endings[category], strict=True))
    with unit_of_work(), pytest.raises(DomainError, match="园区团工委由县级或市级团委建立") as caught:
        children.build(world.orgs[parent], NewOrganisation(full, short, category, purpose=Purpose.PARK))
    assert caught.value.rule == "O-08"


@pytest.mark.rule("PD-61", "O-08")
def test_a_city_builds_one_too(world: World) -> None:
    new = NewOrganisation("共青团合肥高新区工作委员会", "合肥高新区团工委", WORKING, purpose=Purpose.PARK)
    with unit_of_work():
        built = children.build(world.orgs["city"], new)
    assert children.offers(built)[0].is_there


# -- names are checked as they are given

BRANCH, COLLEGE = Category.BRANCH, "普通高等院校"
NAMES = [
    ("college", Purpose.FLOATING, "计算机学院流动支部"),
    ("college", Purpose.DELAYED, "计算机学院延毕支部"),
    ("university", Purpose.OVERSEAS, "出国团支部"),
    ("college", Purpose.NEW_STUDENTS, "2026新生支部"),
    ("company", Purpose.TEMPORARY, "示例临时支部"),
]


@pytest.mark.rule("O-07", "O-12", "PD-34")
@pytest.mark.parametrize(("parent", "purpose", "short"), NAMES)
def test_a_missing_branch_with_a_wrong_short_name_is_refused_as_it_is_asked_for(
    world: World, browser: Browser, parent: str, purpose: Purpose, short: str
) -> None:
    """Not by the level that decides, once the case has climbed."""
    proposed = children.proposal(world.orgs[parent], purpose)
    typed: dict[str, Any] = {
        "full_name": proposed.full_name,
        "short_name": short,
        "category": "branch",
        "industry": "普通高等院校" if parent != "company" else "非公企业",
        "parent": world.orgs[parent].code,
        "why": "本校有人要编入这个团支部",
    }
    page = browser.login(world.accounts["class1"]).get("/branch/cases/new/missing_organisation")
    back = page.form("/cases/new/missing_organisation").submit(**typed)
    assert back.status == 422
    assert "全称和简称都应以“" in back.main
    right = back.form("/cases/new/missing_organisation").submit(short_name=proposed.short_name)
    assert right.status == 303


@pytest.mark.rule("O-08", "O-12", "PD-34")
def test_a_missing_branch_that_its_superior_may_not_have_is_refused_as_it_is_asked_for(
    world: World, browser: Browser
) -> None:
    page = browser.login(world.accounts["class1"]).get("/branch/cases/new/missing_organisation")
    back = page.form("/cases/new/missing_organisation").submit(
        full_name="示例科技有限公司流动团员团支部",
        short_name="示例科技流动团员团支部",
        category="branch",
        industry="非公企业",
        parent="示例科技团委",
        why="本校有人要编入这个团支部",
    )
    assert back.status == 422
    assert "流动团员团支部由乡镇街道、县级团委、园区团工委、学校或学院建立" in back.main


@pytest.mark.rule("O-07", "O-12", "O-13")
@pytest.mark.parametrize(("parent", "purpose", "short"), NAMES)
def test_a_purpose_built_branch_keeps_the_end_of_its_names(
    world: World, parent: str, purpose: Purpose, short: str
) -> None:
    with unit_of_work():
        built = children.build(world.orgs[parent], children.proposal(world.orgs[parent], purpose))
    values = {name: getattr(built, name) or "" for name in administration.OWN_DATA}
    with pytest.raises(DomainError, match="全称和简称都应以“") as caught:
        administration.check_own_data(built, values | {"short_name": short})
    assert caught.value.field == "short_name"
    # Whatever else is changed where the name is of an older fashion is no matter of its name
    with unit_of_work():
        built.short_name = short
    administration.check_own_data(built, values | {"short_name": short, "phone": "0551-65000000"})
