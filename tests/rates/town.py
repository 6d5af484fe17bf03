"""The world of PD-24's example with what it lacks for every way: other schools, branches of all purposes, a region."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.rates.conftest import Area
from tests.rates.conftest import build as example
from tests.remembering import remembered
from tests.world import World
from zhtj.floating.rules import end_of_month
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.outside import special_pool

COLLEGE = "普通高等院校"
UNIT: dict[str, Any] = {"reason": "employed_with_org", "unit_name": "示例科技有限公司"}
HOME: dict[str, Any] = {"reason": "unplaced", "place": "residence"}
STUDY: dict[str, Any] = {"reason": "further_study", "unit_name": "淮上示范大学"}
ABROAD: dict[str, Any] = {
    **UNIT,
    "external_name": "北京示例科技有限公司团支部",
    "external_name_again": "北京示例科技有限公司团支部",
}
SPECIAL: dict[str, Any] = {"reason": "special_unit", "remark": "参军入伍，政审体检已通过", "confirmed": True}
# Where graduates go, and how they say so.
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("team", UNIT),
    ("company", UNIT),
    ("p2_team", UNIT),
    ("q_team", UNIT),
    ("township", HOME),
    ("floating", HOME),
    ("freshmen", STUDY),
    ("q_freshmen", STUDY),
    ("class3", {"reason": "internal_upgrade"}),
    ("beijing", ABROAD),
    ("pool", SPECIAL),
)
# What may move, and between which two superiors.
MOVES: tuple[tuple[str, tuple[str, str]], ...] = (
    ("class1", ("college", "college2")),
    ("college", ("university", "school2")),
    ("university", ("city", "p2")),
    ("company", ("county", "p2")),
    ("p2_company", ("p2", "county")),
    ("county", ("city", "p2")),
)
RETAINED_UNTIL = end_of_month(date(2026, 12, 1))


@remembered
def whole() -> Area:
    """The example with all that."""
    area = example()
    build(area)
    return area


def build(area: Area) -> World:
    """Add to the world of the example."""
    world = area.world
    branch, committee, leading = Category.BRANCH, Category.COMMITTEE, Category.LEADING_ORGAN
    with unit_of_work():
        world.add("school2", "p2", "共青团淮上示范大学委员会", "淮上示范大学团委", committee, COLLEGE)
        general = Category.GENERAL_BRANCH
        world.add("college2", "school2", "共青团淮上示范大学理学院总支部委员会", "理学院团总支", general, COLLEGE)
        world.add("class3", "college", "江淮示范大学计算机学院2024级1班团支部", "2024级1班团支部", branch, COLLEGE)
        _purpose(world, "freshmen", "school2", Purpose.NEW_STUDENTS)
        _purpose(world, "q_freshmen", "q_college", Purpose.NEW_STUDENTS)
        _purpose(world, "kept", "university", Purpose.FLOATING)
        _purpose(world, "abroad", "university", Purpose.OVERSEAS)
        _purpose(world, "county_floating", "county", Purpose.FLOATING)
        new = NewOrganisation("共青团北京市委员会", "团北京市委", leading, code="11", system=Region.BEIJING)
        world.orgs["beijing"] = orgs.create(world.orgs["centre"], new)
        for key in ("school2", "college2", "class3", "freshmen", "q_freshmen", "p2", "q"):
            world.appoint(key)
        for name, key in (("符一", "class1"), ("蒯二", "class1"), ("逯三", "q_class"), ("乜四", "class2")):
            world.enrol(name, key)
        graduation.open_register()
        world.orgs["pool"] = special_pool()
    return world


def _purpose(world: World, key: str, parent: str, purpose: Purpose) -> Organisation:
    above = world.orgs[parent]
    industry = COLLEGE if above.industry == COLLEGE else "农村"
    name = f"{above.short_name}{purpose.label}"
    new = NewOrganisation(f"{name}（示例）", name, Category.BRANCH, industry, purpose=purpose)
    world.orgs[key] = orgs.create(above, new)
    return world.orgs[key]
