"""Organisations are built, named, renamed (O-03, O-04, O-07, O-12, K-04)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transfers.steps import acting
from tests.world import World
from zhtj.floating.models import StayKind
from zhtj.floating.operations import kind_of_branch
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs import queries as orgs
from zhtj.orgs.changing import changes, children
from zhtj.orgs.models import Category, Organisation, Purpose, Tier
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.rules import destination_problem
from zhtj.orgs.searching.search import search

BRANCH, COLLEGE = Category.BRANCH, "普通高等院校"


def build(world: World, parent: str, *words: Any, **more: Any) -> Organisation:
    with acting(world.seat("university")):
        return children.build(session.merge(world.orgs[parent]), NewOrganisation(*words, **more))


def change(world: World, key: str, **typed: str) -> Organisation:
    with acting(world.seat("university")):
        org = session.get_one(Organisation, world.orgs[key].id)
        now = {name: getattr(org, name) or "" for name in changes.FIELDS}
        changes.change(org, now | typed, changes.seen(org))
    return session.get_one(Organisation, world.orgs[key].id)


@pytest.mark.rule("O-12")
@pytest.mark.parametrize(
    ("parent", "purpose", "name"),
    [
        ("university", Purpose.NEW_STUDENTS, "江淮示范大学2026级新生团支部"),
        ("college", Purpose.NEW_STUDENTS, "江淮示范大学计算机学院2026级新生团支部"),
        ("university", Purpose.OVERSEAS, "江淮示范大学出国（境）学习研究团员团支部"),
        ("college", Purpose.DELAYED, "江淮示范大学计算机学院延迟毕业团员团支部"),
        ("college", Purpose.FLOATING, "江淮示范大学计算机学院流动团员团支部"),
    ],
)
def test_a_school_has_each_purpose_built_branch_for_the_asking(
    world: World, parent: str, purpose: Purpose, name: str
) -> None:
    offer = next(one for one in children.offers(world.orgs[parent]) if one.purpose is purpose)
    assert not offer.is_there
    with acting(world.seat("university")):
        built = children.build(session.merge(world.orgs[parent]), offer.proposed)
    assert (built.full_name, built.purpose, built.tier) == (name, purpose, Tier.BRANCH)
    assert built.industry == COLLEGE
    again = next(one for one in children.offers(session.merge(world.orgs[parent])) if one.purpose is purpose)
    assert again.is_there


@pytest.mark.rule("O-08", "O-13")
@pytest.mark.parametrize(
    ("parent", "purposes"),
    [
        ("township", [Purpose.FLOATING, Purpose.TEMPORARY]),
        ("county", [Purpose.FLOATING]),
        ("company", [Purpose.TEMPORARY]),
        ("class1", []),
        ("province", []),
    ],
)
def test_who_may_have_which(world: World, parent: str, purposes: list[Purpose]) -> None:
    assert children.purposes_below(world.orgs[parent]) == purposes


@pytest.mark.rule("O-08", "T-03")
def test_a_city_without_counties_has_what_a_county_has(world: World) -> None:
    """嘉峪关: the towns stand right below the city. A city with counties leaves that to them."""
    assert children.purposes_below(world.orgs["city"]) == []
    with unit_of_work():
        small = world.add("small", "province", "共青团安徽省示范市委员会", "团示范市委", Category.LEADING_ORGAN)
    build(world, "small", "共青团安徽省示范市文殊镇委员会", "团文殊镇委", Category.COMMITTEE, "农村")
    assert children.purposes_below(small) == [Purpose.FLOATING]
    built = build(world, "small", "安徽省示范市流动团员团支部", "示范市流动团员团支部", BRANCH, "农村")
    assert kind_of_branch(built) is StayKind.COUNTY


@pytest.mark.rule("O-13")
@pytest.mark.parametrize(
    ("parent", "category", "name", "short"),
    [
        ("county", Category.WORKING_COMMITTEE, "共青团示范开发区工作委员会", "示范开发区团工委"),
        ("county", Category.GENERAL_BRANCH, "共青团示范制造有限公司总支部委员会", "示范制造团总支"),
        ("company", Category.GENERAL_BRANCH, "共青团示例科技有限公司二分厂总支部委员会", "二分厂团总支"),
    ],
)
def test_a_working_committee_and_a_general_branch_may_build_one_too(
    world: World, parent: str, category: Category, name: str, short: str
) -> None:
    """O-13: a unit with probationers, whatever it is called."""
    world.orgs["unit"] = build(world, parent, name, short, category, "非公企业")
    assert Purpose.TEMPORARY in children.purposes_below(world.orgs["unit"])
    proposed = children.proposal(world.orgs["unit"], Purpose.TEMPORARY)
    with acting(world.seat("company")):
        built = children.build(session.merge(world.orgs["unit"]), proposed)
    assert (built.purpose, built.parent_id) == (Purpose.TEMPORARY, world.orgs["unit"].id)
    assert not destination_problem(built), "probationers are taken in there"


@pytest.mark.rule("O-13")
def test_a_unit_builds_a_temporary_branch_for_probationers(world: World) -> None:
    proposed = children.proposal(world.orgs["company"], Purpose.TEMPORARY)
    with acting(world.seat("company")):
        built = children.build(session.merge(world.orgs["company"]), proposed)
    assert (built.full_name, built.purpose) == ("示例科技有限公司临时团支部", Purpose.TEMPORARY)
    assert not destination_problem(built)


@pytest.mark.rule("O-07")
def test_the_name_of_a_branch_says_what_it_is_for(world: World) -> None:
    built = build(
        world, "college", "江淮示范大学2026届毕业生流动团员团支部", "2026届毕业生流动团员团支部", BRANCH, COLLEGE
    )
    assert built.purpose is Purpose.FLOATING
    with pytest.raises(DomainError, match="流动团员团支部”结尾"):
        build(world, "college", "学社衔接临时团支部", "学社衔接临时团支部", BRANCH, COLLEGE, purpose=Purpose.FLOATING)
    with pytest.raises(DomainError, match="由学校或学院建立"):
        build(world, "company", "示例科技新生团支部", "示例科技新生团支部", BRANCH)


@pytest.mark.rule("O-03", "O-04")
def test_a_new_township_has_its_flag_and_its_floating_branch_at_once(world: World) -> None:
    town = build(world, "county", "共青团安徽省合肥市蜀山区小庙镇委员会", "团小庙镇委", Category.COMMITTEE, "农村")
    assert (town.township_flag, town.tier) == (True, Tier.BASIC)
    floating = orgs.children(town).page().rows
    assert [(one.full_name, one.purpose) for one in floating] == [
        ("安徽省合肥市蜀山区小庙镇流动团员团支部", Purpose.FLOATING)
    ]
    works = build(world, "county", "共青团蜀山城建有限公司委员会", "蜀山城建团委", Category.COMMITTEE, "国有企业")
    assert works.township_flag is None


@pytest.mark.rule("PD-05", "O-16")
@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("", "外院团总支", Category.GENERAL_BRANCH), "full_name"),
        (("共青团江淮示范大学外语学院", "外院团总支", Category.GENERAL_BRANCH), "full_name"),
        (("共青团江淮示范大学外语学院总支部委员会", "", Category.GENERAL_BRANCH), "short_name"),
        (("共青团江淮示范大学外语学院总支部委员会", "外" * 81, Category.GENERAL_BRANCH), "short_name"),
        (("=江淮示范大学外语学院总支部委员会", "外院团总支", Category.GENERAL_BRANCH), "full_name"),
        (("共青团江淮示范大学计算机学院总支部委员会", "又一个团总支", Category.GENERAL_BRANCH), "full_name"),
        (("江淮示范大学理学院1班团支部", "理1班", BRANCH, "完全中学"), "industry"),
        (("共青团江淮示范省委员会", "团江淮省委", Category.LEADING_ORGAN), "category"),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_its_field(world: World, words: tuple[Any, ...], field: str) -> None:
    with pytest.raises(DomainError) as caught:
        build(world, "university", *words)
    assert caught.value.field == field


@pytest.mark.rule("O-02", "PD-06")
def test_nothing_is_built_below_a_branch_or_a_closed_organisation(world: World) -> None:
    with pytest.raises(DomainError, match="最末一级"):
        build(world, "class1", "示例第二团支部", "第二团支部", BRANCH)
    with unit_of_work():
        session.merge(world.orgs["company"]).closed_at = world.orgs["company"].created_at
    with pytest.raises(DomainError, match="停用"):
        build(world, "company", "示例科技第二团支部", "第二团支部", BRANCH)


def test_brackets_and_blanks_are_put_right(world: World) -> None:
    built = build(
        world, "college", " 江淮示范大学 软件工程(卓越)2026级1班团支部 ", "软工(卓越) 1班团支部", BRANCH, COLLEGE
    )
    assert built.full_name == "江淮示范大学软件工程（卓越）2026级1班团支部"


@pytest.mark.rule("K-04")
@pytest.mark.parametrize("words", ["共青团江淮示范大学委员会", "江淮示范大学", "jhsfdx", "江淮示范大学团委"])
def test_an_old_name_goes_on_finding_a_renamed_organisation(world: World, words: str) -> None:
    renamed = change(world, "university", full_name="共青团皖江大学委员会", short_name="皖江大学团委")
    assert search(session, words).hits[0].organisation.id == renamed.id
    assert search(session, "皖江大学").hits[0].organisation.id == renamed.id
    assert changes.earlier_names(renamed) == ["共青团江淮示范大学委员会"]


@pytest.mark.rule("K-04", "O-07")
def test_the_floating_branch_is_found_by_what_it_was_called_until_2020(world: World) -> None:
    for words in ("井岗镇学社衔接临时团支部", "井岗镇流动团员团支部", "井岗镇流动团支部"):
        assert search(session, words).hits[0].organisation.id == world.orgs["floating"].id


def test_a_category_changes_within_its_level_only(world: World) -> None:
    assert change(world, "company", category="general_branch", full_name="共青团示例科技有限公司总支部委员会").category
    with pytest.raises(DomainError, match="层级"):
        change(world, "company", category="branch")
    with pytest.raises(DomainError, match="层级"):
        change(world, "class1", category="graduates")


def test_a_name_that_is_taken_stays_with_its_owner(world: World) -> None:
    with pytest.raises(DomainError, match="已被使用"):
        change(world, "class2", full_name=world.orgs["class1"].full_name)


def test_of_two_who_edit_the_same_organisation_the_later_one_is_told(world: World) -> None:
    org = world.orgs["class1"]
    shown = changes.seen(org)
    typed = {name: getattr(org, name) or "" for name in changes.FIELDS}
    change(world, "class1", phone="0551-65500000")
    with pytest.raises(Conflict), acting(world.seat("college")):
        changes.change(session.get_one(Organisation, org.id), typed | {"phone": "0551-65511111"}, shown)
    assert session.get_one(Organisation, org.id).phone == "0551-65500000"
