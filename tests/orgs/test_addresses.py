"""An address is placed division by division, or not at all (PD-60)."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.remembering import remembered
from tests.world import World
from zhtj.kernel.database import unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Region, Tier
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.searching import addresses

pytestmark = pytest.mark.rule("PD-60")

# Key, superior, what it is called, kind: l leading organ, t township, z zone without flag (PD-05).
MORE = [
    ("temple", "county", "小庙镇", "t"),
    ("zone", "county", "蜀山经济开发区", "z"),
    ("street", "county", "三里庵街道", "t"),
    ("baohe", "city", "包河区", "l"),
    ("baohe_town", "baohe", "井岗镇", "t"),  # the same name in another county
    ("chaohu", "city", "巢湖市", "l"),
    ("chaohu_town", "chaohu", "中庙街道", "t"),
    ("shanghai", "centre", "上海市", "l"),
    ("pudong", "shanghai", "浦东新区", "c"),
    ("zhangjiang", "pudong", "张江镇", "t"),
    ("jilin", "centre", "吉林省", "l"),
    ("jilin_city", "jilin", "吉林市", "l"),
    ("chuanying", "jilin_city", "船营区", "l"),
    ("chuanying_town", "chuanying", "大绥河镇", "t"),
    ("gansu", "centre", "甘肃省", "l"),
    ("jiayuguan", "gansu", "嘉峪关市", "l"),  # a city without counties
    ("jiayuguan_town", "jiayuguan", "雄关街道", "t"),
    ("hubei", "centre", "湖北省", "l"),
    ("enshi", "hubei", "恩施土家族苗族自治州", "l"),
    ("xianfeng", "enshi", "咸丰县", "l"),
    ("xianfeng_town", "xianfeng", "高乐山镇", "t"),
    ("tianmen", "hubei", "天门市", "c"),  # a county directly below its province
    ("tianmen_town", "tianmen", "岳口镇", "t"),
    ("beijing", "centre", "北京市", "l"),
]


@remembered
def build() -> World:
    """The world with places of every kind."""
    world = World.build()
    with unit_of_work():
        for number, (key, parent, name, kind) in enumerate(MORE):
            category = Category.COMMITTEE if kind in "tz" else Category.LEADING_ORGAN
            new = NewOrganisation(
                f"共青团{name}{number}委员会",
                f"团{name}委",
                category,
                tier=None if kind != "c" else Tier.COUNTY,
                code=f"99{number:07d}",
                township_flag=True if kind == "t" else None,
            )
            world.orgs[key] = orgs.create(world.orgs[parent], new)
        world.orgs["beijing"].system = Region.BEIJING
    return world


@pytest.fixture
def world(session: Session) -> World:
    del session
    return build()


# Address; the smallest division it names (None: it cannot be placed), its county, whether anything is missing.
ADDRESSES = [
    ("安徽省合肥市蜀山区井岗镇香樟大道88号", "township", "county", True),
    ("合肥市蜀山区井岗镇", "township", "county", True),
    ("蜀山区井岗镇天湖路 1 号", "township", "county", True),
    ("合肥蜀山井岗镇", "township", "county", True),
    ("安徽 合肥 包河区 井岗镇", "baohe_town", "baohe", True),
    ("安徽省合肥市巢湖市中庙街道", "chaohu_town", "chaohu", True),
    ("巢湖市中庙街道办事处", "chaohu_town", "chaohu", True),
    ("上海市市辖区浦东新区张江镇", "zhangjiang", "pudong", True),
    ("上海浦东新区张江镇博云路2号", "zhangjiang", "pudong", True),
    ("吉林省吉林市船营区大绥河镇", "chuanying_town", "chuanying", True),
    ("吉林市船营区大绥河镇", "chuanying_town", "chuanying", True),
    ("甘肃省嘉峪关市雄关街道", "jiayuguan_town", "jiayuguan", True),
    ("湖北省恩施土家族苗族自治州咸丰县高乐山镇", "xianfeng_town", "xianfeng", True),
    ("湖北恩施咸丰县高乐山镇", "xianfeng_town", "xianfeng", True),
    ("湖北省天门市岳口镇", "tianmen_town", "tianmen", True),
    ("安徽省合肥市蜀山区蜀山经济开发区湖光路", "zone", "county", True),
    ("安徽省合肥市蜀山区", "county", "county", False),
    ("安徽省合肥市蜀山区井岗路1号", "county", "county", False),
    ("上海市浦东新区张江路1号", "pudong", "pudong", False),
    ("安徽省合肥市蜀山路1号", "city", None, False),
    ("安徽省合肥市", "city", None, False),
    ("上海市", "shanghai", None, False),
    ("合肥市井岗镇", None, None, False),  # two counties of the city have one
    ("井岗镇", None, None, False),
    ("张江镇", None, None, False),
    ("蜀山路1号", None, None, False),
    ("某地", None, None, False),
    ("1号", None, None, False),
    ("北京市海淀区中关村街道", "beijing", None, False),
    ("北京海淀区", "beijing", None, False),
    ("北京路1号", None, None, False),
]


@pytest.mark.parametrize(("address", "area", "county", "whole"), ADDRESSES)
def test_an_address_lies_where_it_says_or_nowhere(
    world: World, address: str, area: str, county: str, *, whole: bool
) -> None:
    site = addresses.locate(address)

    key_of = {one.path: key for key, one in world.orgs.items()}
    assert (key_of[site.area] if site else None) == area
    if site is not None:
        assert (key_of.get(site.county), site.whole) == (county, whole)
        assert site.external == (area == "beijing")


def test_the_city_is_that_of_prefecture_rank(world: World) -> None:
    def city(address: str) -> str:
        found = addresses.locate(address)
        return {one.path: key for key, one in world.orgs.items()}[found.city if found else ""]

    assert city("合肥市巢湖市中庙街道") == "city"
    assert city("上海市浦东新区张江镇") == "shanghai"
    assert city("湖北省天门市岳口镇") == "tianmen"
    assert city("甘肃省嘉峪关市雄关街道") == "jiayuguan"


def test_many_are_placed_as_each_is_by_itself(world: World) -> None:
    del world
    texts = [address for address, *_ in ADDRESSES]

    assert addresses.locate_all([*texts, None, ""]) == {text: addresses.locate(text) for text in texts}


def test_a_closed_township_is_no_place_any_more(world: World) -> None:
    with unit_of_work():
        temple = world.orgs["temple"]
        temple.closed_at = temple.created_at

    found = addresses.locate("安徽省合肥市蜀山区小庙镇")

    assert found is not None
    assert not found.whole
