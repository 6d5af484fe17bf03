"""The national tree as it is meant to be, over the whole country. Pure: no database."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from zhtj.orgs.models import Category, Purpose, Region, Tier, industries
from zhtj.orgs.tree_load import CENTRE_CODE, Planned, plan


@pytest.fixture(scope="module")
def tree() -> list[Planned]:
    return list(plan())


@pytest.fixture(scope="module")
def by_code(tree: list[Planned]) -> dict[str, Planned]:
    return {planned.code: planned for planned in tree if planned.code}


def test_the_counts_of_the_whole_tree(tree: list[Planned]):
    kinds = Counter(str(planned.kind) for planned in tree)
    assert kinds == {
        "centre": 1,
        "system": 6,
        "external": 3,
        "province": 28,
        "city": 303,
        "county": 2_755,
        "street": 8_284,
        "town": 19_495,
        "rural": 7_924,
        "unit": 2_362,
        "floating": 35_703,
    }
    assert len(tree) == 76_864


@pytest.mark.rule("PD-05")
def test_full_names_are_unique_and_fit(tree: list[Planned]):
    names = [planned.full_name for planned in tree]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 120
    assert max(len(planned.short_name) for planned in tree) <= 80


def test_codes_are_those_of_the_divisions(by_code: dict[str, Planned]):
    jinggang = by_code["340104100"]
    assert jinggang.full_name == "共青团安徽省合肥市蜀山区井岗镇委员会"
    assert jinggang.short_name == "团井岗镇委"
    assert jinggang.superior == "340104"
    assert by_code["340104001"].full_name == "共青团安徽省合肥市蜀山区三里庵街道委员会"
    # A district of a directly governed city stands directly below the province
    assert by_code["310115"].full_name == "共青团上海市浦东新区委员会"
    assert by_code["310115"].superior == "31"
    # A city without counties has its towns directly below it
    assert by_code["460400100"].full_name == "共青团海南省儋州市那大镇委员会"
    assert by_code["460400100"].superior == "4604"


@pytest.mark.rule("O-04", "PD-05")
def test_townships_below_leading_organs_are_flagged_and_nothing_else_is(
    tree: list[Planned], by_code: dict[str, Planned]
):
    for planned in tree:
        township = planned.kind in {"street", "town", "rural"}
        assert planned.township_flag is (True if township else None)
        if township:
            assert planned.tier is Tier.BASIC
            assert by_code[planned.superior or ""].category is Category.LEADING_ORGAN


@pytest.mark.rule("O-03", "O-07")
def test_every_township_has_one_floating_branch_with_the_new_name(tree: list[Planned], by_code: dict[str, Planned]):
    branches = defaultdict(list)
    for planned in tree:
        if planned.purpose is Purpose.FLOATING:
            branches[planned.superior].append(planned)
    townships = {planned.code for planned in tree if planned.township_flag}
    assert set(branches) == townships
    for code, (branch,) in branches.items():
        host = by_code[code or ""]
        assert host.category is Category.COMMITTEE
        assert branch.category is Category.BRANCH
        assert branch.tier is Tier.BRANCH
        assert branch.short_name == f"{host.short_name[1:-1]}流动团员团支部"
        assert branch.industry == host.industry


@pytest.mark.rule("O-18", "PD-05")
def test_systems_and_the_corps_are_nodes_of_province_rank(by_code: dict[str, Planned]):
    systems = [by_code[f"0-{number:03d}"].short_name for number in range(1, 7)]
    assert systems == [
        "新疆生产建设兵团团委",
        "全国铁道团委",
        "全国民航团委",
        "中央和国家机关团工委",
        "中央金融团工委",
        "中央企业团工委",
    ]
    province_rank = [each for each in by_code.values() if each.superior == CENTRE_CODE]
    assert {each.tier for each in province_rank} == {Tier.PROVINCE}
    assert len(province_rank) == 28 + 6 + 3


@pytest.mark.rule("PD-05")
def test_three_regions_are_leaves_of_another_system(tree: list[Planned], by_code: dict[str, Planned]):
    external = {planned.code: planned.system for planned in tree if planned.system is not Region.NATIONAL}
    assert external == {"11": Region.BEIJING, "35": Region.FUJIAN, "44": Region.GUANGDONG}
    assert not [planned for planned in tree if planned.superior in external]


def test_industries_come_from_the_dictionary(tree: list[Planned]):
    for planned in tree:
        assert planned.industry is None or planned.industry in industries(planned.category)
        if planned.tier in {Tier.CENTRE, Tier.PROVINCE, Tier.CITY, Tier.COUNTY}:
            assert planned.industry == "党政机关"


def test_units_that_are_no_townships_have_no_floating_branch(tree: list[Planned]):
    units = {planned.code for planned in tree if planned.kind == "unit"}
    assert not [planned for planned in tree if planned.superior in units]
