"""A country of several cities: everything that somebody may be sent to, or may think of."""

from __future__ import annotations

from typing import Any

from tests.remembering import remembered
from tests.world import World
from zhtj.kernel.database import unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose, Region, Tier
from zhtj.orgs.operations import NewOrganisation

SCHOOL = "普通高等院校"
AT_WORK = "安徽省合肥市蜀山区井岗镇香樟大道88号"
AT_HOME = "河南省郑州市金水区花园口镇样例村3号"
# Key, superior, own name, rank of the leading organs below the centre.
LEADING = [
    ("baohe", "city", "包河区", Tier.COUNTY),
    ("fuyang", "province", "阜阳市", Tier.CITY),
    ("yingzhou", "fuyang", "颍州区", Tier.COUNTY),
    ("henan", "centre", "河南省", Tier.PROVINCE),
    ("zhengzhou", "henan", "郑州市", Tier.CITY),
    ("jinshui", "zhengzhou", "金水区", Tier.COUNTY),
    ("shanghai", "centre", "上海市", Tier.PROVINCE),
    ("pudong", "shanghai", "浦东新区", Tier.COUNTY),
    ("gansu", "centre", "甘肃省", Tier.PROVINCE),
    ("jiayuguan", "gansu", "嘉峪关市", Tier.CITY),
    ("beijing", "centre", "北京市", Tier.PROVINCE),
]
TOWNS = [
    ("temple", "county", "小庙镇"),
    ("luogang", "baohe", "骆岗街道"),
    ("sanhe", "yingzhou", "三合镇"),
    ("garden", "jinshui", "花园口镇"),
    ("zhangjiang", "pudong", "张江镇"),
    ("xiongguan", "jiayuguan", "雄关街道"),
]


@remembered
def build() -> World:
    """The small world and everything around it."""
    world = World.build()
    with unit_of_work():
        for key, parent, name, tier in LEADING:
            _add(world, key, parent, name, Category.LEADING_ORGAN, tier=tier)
        world.orgs["beijing"].system = Region.BEIJING
        for number, (key, parent, name) in enumerate(TOWNS):
            code = f"88{number:07d}"
            _add(world, key, parent, name, Category.COMMITTEE, industry="农村", township_flag=True, code=code)
            _branch(world, f"{key}_floating", key, f"{name}流动团员团支部", Purpose.FLOATING)
        _others(world)
        for member in (world.graduate, world.classmate, world.sophomore):
            member.residence, member.household, member.origin = AT_WORK, AT_HOME, AT_HOME
    return world


def _others(world: World) -> None:
    for key, parent, name, purpose in (
        ("county_floating", "county", "蜀山区流动团员团支部", Purpose.FLOATING),
        ("jinshui_floating", "jinshui", "金水区流动团员团支部", Purpose.FLOATING),
        ("jiayuguan_floating", "jiayuguan", "嘉峪关市流动团员团支部", Purpose.FLOATING),
        ("home", "township", "井岗镇青年之家团支部", Purpose.YOUTH_HOME),
        ("society", "city", "合肥市青年志愿者协会团支部", Purpose.YOUTH_SOCIETY),
        ("village", "township", "井岗镇示例社区团支部", None),
        ("kept", "university", "江淮示范大学流动团员团支部", Purpose.FLOATING),
        ("abroad", "university", "江淮示范大学出国（境）学习研究团员团支部", Purpose.OVERSEAS),
        ("late", "university", "江淮示范大学延迟毕业团员团支部", Purpose.DELAYED),
    ):
        _branch(world, key, parent, name, purpose)
    _add(world, "park", "county", "香樟软件园", Category.WORKING_COMMITTEE, purpose=Purpose.PARK)
    _branch(world, "park_floating", "park", "香樟软件园流动团员团支部", Purpose.FLOATING)
    for key, parent, name in (("south", "city", "江南示范大学"), ("north", "zhengzhou", "中原示范大学")):
        _add(world, key, parent, name, Category.COMMITTEE, industry=SCHOOL)
    _branch(world, "freshmen", "north", "中原示范大学2026级新生团支部", Purpose.NEW_STUDENTS, SCHOOL)
    _add(world, "agency", "jinshui", "示例人力派遣公司", Category.COMMITTEE, industry="非公企业")


def _add(world: World, key: str, parent: str, name: str, category: Category, **more: Any) -> Organisation:
    new = NewOrganisation(f"共青团{name}（{key}）委员会", f"团{name}委", category, **more)
    if category is Category.WORKING_COMMITTEE:
        new = NewOrganisation(f"共青团{name}工作委员会", f"{name}团工委", category, "非公企业", **more)
    world.orgs[key] = orgs.create(world.orgs[parent], new)
    return world.orgs[key]


def _branch(  # noqa: PLR0917 - a table of organisations reads best so
    world: World, key: str, parent: str, name: str, purpose: Purpose | None, industry: str | None = None
) -> None:
    school = parent == "university"
    new = NewOrganisation(name, name, Category.BRANCH, industry or (SCHOOL if school else "农村"), purpose=purpose)
    world.orgs[key] = orgs.create(world.orgs[parent], new)
