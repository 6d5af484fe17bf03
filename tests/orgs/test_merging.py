"""Divisions change in the middle of a season: a plan, and doing exactly that plan (PD-56)."""

from __future__ import annotations

from itertools import islice

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.cases.steps import ask
from tests.transfers.steps import UNPLACED, apply
from tests.world import World
from zhtj import doctor
from zhtj.cases.models import Case
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs import operations, tree_plan
from zhtj.orgs.changing import amalgamation
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.searching.search import search
from zhtj.orgs.tree_load import load_tree
from zhtj.people.models import Member, Membership, Seat
from zhtj.transfers.models import Application

pytestmark = pytest.mark.rule("PD-56")

CHONGQING = ("50",)


def org(code: str) -> Organisation:
    return session.scalars(select(Organisation).where(Organisation.code == code)).one()


def healthy() -> None:
    broken = [(one.name, one.rows) for one in doctor.examine() if one.broken]
    assert broken == []


@pytest.fixture
def season(world: World) -> World:
    """Chongqing as published, with people at work in 江北区 and a graduate on the way to one of its streets."""
    with unit_of_work():
        load_tree(session(), provinces=CHONGQING, changes=())
        for key, found in world.orgs.items():
            world.orgs[key] = session.merge(found)
        world.orgs |= {"jiangbei": org("500105"), "street": org("500105003"), "town": org("500112133")}
        for key in ("jiangbei", "street"):
            world.appoint(key)
        firm = NewOrganisation("共青团示例江北工厂委员会", "示例江北工厂团委", Category.COMMITTEE, "非公企业")
        world.orgs["factory"] = operations.create(world.orgs["jiangbei"], firm)
        shop = NewOrganisation("示例江北工厂一车间团支部", "一车间团支部", Category.BRANCH, "非公企业")
        world.orgs["workshop"] = operations.create(world.orgs["factory"], shop)
        world.enrol("岑一", "workshop")
        session.get_one(Member, world.graduate.id).residence = "重庆市江北区石马河街道示范路1号"
    return world


def carry_out(plan: tree_plan.TreePlan) -> list[tree_plan.TreeStep]:
    return list(tree_plan.apply(plan.key, provinces=CHONGQING))


@pytest.mark.slow("loads a whole province's tree")
def test_a_plan_changes_nothing_and_is_done_in_full_season(season: World) -> None:
    on_the_way = apply(season, season.graduate, "street", **UNPLACED)
    kept = (on_the_way.due_at, on_the_way.season_path, on_the_way.from_path, on_the_way.state)
    plan = tree_plan.find(provinces=CHONGQING)
    assert org("500105").closed_at is None
    assert [str(step) for step in tree_plan.find(provinces=CHONGQING).steps] == [str(step) for step in plan.steps]
    said = "\n".join(str(step) for step in plan.steps)
    assert "新建 共青团重庆市两江新区委员会（500157）" in said
    assert "并入 共青团重庆市江北区委员会（500105）→ 共青团重庆市两江新区委员会" in said
    assert "迁移 共青团重庆市渝北区统景镇委员会（500112133）→ 共青团重庆市北碚区委员会" in said
    assert "更名 共青团重庆市江北区石马河街道委员会（500105003）→ 共青团重庆市两江新区石马河街道委员会" in said

    assert carry_out(plan) == list(plan.steps)
    session.expire_all()

    new, street = org("500157"), org("500105003")
    assert street.parent == new
    assert street.full_name == "共青团重庆市两江新区石马河街道委员会"
    assert org("500112133").full_name == "共青团重庆市北碚区统景镇委员会"
    floating = session.scalars(select(Organisation).where(Organisation.parent_id == street.id)).one()
    assert floating.full_name == "重庆市两江新区石马河街道流动团员团支部"
    # What was built by hand goes along, under its own name, with everybody in it.
    factory = session.get_one(Organisation, season.orgs["factory"].id)
    assert (factory.parent, factory.full_name) == (new, "共青团示例江北工厂委员会")
    # Open applications are where they were, with the same days; the season's path is that of the season.
    session.refresh(on_the_way)
    assert (on_the_way.due_at, on_the_way.season_path, on_the_way.from_path, on_the_way.state) == kept
    assert on_the_way.to_path == street.path
    assert org("500105").closed_at is not None
    assert {seat.account_id for seat in session.scalars(select(Seat).where(Seat.org_id == new.id))} == {
        season.accounts["jiangbei"].id
    }
    for text in ("江北区", "共青团重庆市渝北区委员会"):
        assert new in {hit.organisation for hit in search(session(), text, within=org("50")).hits}, text
    assert search(session(), "统景").hits[0].organisation == org("500112133")
    healthy()
    assert tree_plan.find(provinces=CHONGQING).steps == ()


@pytest.mark.slow("loads a whole province's tree")
def test_an_interrupted_plan_goes_on_where_it_was(season: World) -> None:
    plan = tree_plan.find(provinces=CHONGQING)
    begun = tree_plan.apply(plan.key, provinces=CHONGQING)
    first = list(islice(begun, 7))
    begun.close()
    session.expire_all()

    left = tree_plan.find(provinces=CHONGQING)
    assert (left.key, left.done) == (plan.key, 7)
    with pytest.raises(Conflict):
        list(tree_plan.apply("another", provinces=CHONGQING))
    assert first + carry_out(left) == list(plan.steps)
    healthy()
    assert tree_plan.find(provinces=CHONGQING).steps == ()


@pytest.mark.slow("loads a whole province's tree")
def test_a_tree_that_moved_needs_another_plan_and_what_people_decided_stays(season: World) -> None:
    plan = tree_plan.find(provinces=CHONGQING)
    with unit_of_work():
        org("500105004").full_name = "共青团大石坝街道委员会"
    with pytest.raises(Conflict) as error:
        carry_out(plan)
    assert error.value.status == 409
    carry_out(tree_plan.find(provinces=CHONGQING))
    assert org("500105004").full_name == "共青团大石坝街道委员会"
    assert org("500105004").parent == org("500157")


@pytest.mark.slow("loads a whole province's tree")
def test_an_empty_database_gets_the_tree_of_today(session, app: Flask) -> None:
    with unit_of_work():
        load_tree(session, provinces=CHONGQING)
    codes = set(session.scalars(select(Organisation.code).where(func.length(Organisation.code) == 6)))
    assert "500157" in codes
    assert not {"500105", "500112"} & codes
    assert tree_plan.find(provinces=CHONGQING).steps == ()


@pytest.fixture
def two_towns(world: World) -> World:
    """A second township with a floating branch of its own; people in both."""
    with unit_of_work():
        for key, found in world.orgs.items():
            world.orgs[key] = session.merge(found)
        world.add("town2", "county", "共青团安徽省合肥市蜀山区南岗镇委员会", "团南岗镇委", Category.COMMITTEE, "农村")
        world.orgs["floating2"] = operations.create(
            world.orgs["town2"],
            NewOrganisation(
                "安徽省合肥市蜀山区南岗镇流动团员团支部",
                "南岗镇流动团员团支部",
                Category.BRANCH,
                "农村",
                purpose=Purpose.FLOATING,
            ),
        )
        world.add("village", "township", "井岗镇示例村团支部", "示例村团支部", Category.BRANCH, "农村")
        for key in ("town2", "village"):
            world.appoint(key)
    return world


def test_a_township_becomes_part_of_another(two_towns: World) -> None:
    world = two_towns
    with unit_of_work():
        away = world.enrol("在外一", "floating")
        archived = world.enrol("在外二", "floating")
        villager = world.enrol("村一", "village")
    leaving = apply(world, away, "company", reason="work", unit_name="示例科技有限公司")
    coming = apply(world, world.graduate, "township", **UNPLACED)
    days = (leaving.due_at, coming.due_at, coming.season_path)
    case = ask(world.seat("village"), "statement", villager, purpose="other", text="本人情况属实，特此说明。")
    assert world.orgs["township"].id in session.get_one(Case, case.id).line

    with unit_of_work():
        amalgamation.merge(world.orgs["township"], world.orgs["town2"], "divisions:test")
    session.expire_all()

    town, floating = org(world.orgs["town2"].code), org(world.orgs["floating2"].code)
    # Members by a membership entry 合并, by no transfer
    for member in (away, archived):
        assert session.get_one(Member, member.id).org == floating
        newest = session.scalars(
            select(Membership).where(Membership.member_id == member.id, Membership.ended_at.is_(None))
        ).one()
        assert (newest.org_id, newest.began_by) == (floating.id, "merger")
    assert session.get_one(Member, villager.id).org.parent == town
    # Applications follow on both sides, with their days
    leaving, coming = session.get_one(Application, leaving.id), session.get_one(Application, coming.id)
    assert (leaving.from_org_id, leaving.from_path) == (floating.id, floating.path)
    assert (coming.to_org_id, coming.to_path) == (town.id, town.path)
    assert (leaving.due_at, coming.due_at, coming.season_path) == days
    assert world.orgs["township"].id not in {leaving.holder_id, coming.holder_id}
    kept = session.get_one(Case, case.id)
    assert world.orgs["township"].id not in kept.line
    assert kept.holder_id == kept.line[kept.level]
    # Who was secretary there looks after it here, and nobody is lost.
    assert world.accounts["township"].id in set(session.scalars(select(Seat.account_id).where(Seat.org_id == town.id)))
    assert org(world.orgs["township"].code).closed_at is not None
    assert town in {hit.organisation for hit in search(session(), "井岗镇").hits}
    healthy()


def test_only_what_is_of_one_level_and_open_becomes_one(two_towns: World) -> None:
    world = two_towns
    for one, other in (("township", "county"), ("township", "township"), ("county", "township")):
        with pytest.raises(DomainError), unit_of_work():
            amalgamation.merge(world.orgs[one], world.orgs[other], "test")
