"""An organisation gets another superior: asked for by itself, granted by the old and then the new one (PD-07)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cases.steps import ask, do, grant
from tests.transfers.steps import acting
from tests.world import World
from zhtj import doctor
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.orgs.changing import moving
from zhtj.orgs.models import Category, Organisation
from zhtj.orgs.searching.search import search
from zhtj.rates.queries import figures
from zhtj.transfers.watching import graduates

LEADING = Category.LEADING_ORGAN


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        for key, org in world.orgs.items():
            world.orgs[key] = session.merge(org)
        world.appoint("city")
        world.add("county2", "city", "共青团安徽省合肥市包河区委员会", "团包河区委", LEADING, code="340111")
        world.appoint("county2")
        world.add("province2", "centre", "共青团江苏省委员会", "团江苏省委", LEADING, code="32")
        world.add("city2", "province2", "共青团江苏省南京市委员会", "团南京市委", LEADING, code="3201")
    return world


def wish(world: World, who: str, to: str) -> Case:
    return ask(world.seat(who), "relocation", world.orgs[who], parent=world.orgs[to].code, why="单位划归另一个区管理")


def healthy() -> bool:
    session.expire_all()
    return not any(finding.broken for finding in doctor.examine())


@pytest.mark.rule("PD-07")
def test_old_and_new_superior_grant_it_in_turn_and_it_takes_effect_by_itself(world: World) -> None:
    company, team, county2 = world.orgs["company"], world.orgs["team"], world.orgs["county2"]
    code, old_path = company.code, company.path
    # When the company asks, it lies with the old superior first
    case = wish(world, "company", "county2")
    assert case.holder_id == world.orgs["county"].id
    with pytest.raises(Forbidden):
        do(case, world.seat("county2"), CaseAction.APPROVE)
    do(case, world.seat("county"), CaseAction.FORWARD)
    session.refresh(company)
    assert company.path == old_path
    # Then with the new one, whose yes moves it with all below it
    do(case, world.seat("county2"), CaseAction.APPROVE)
    for org in (company, team, county2):
        session.refresh(org)
    assert case.state is CaseState.APPROVED
    assert (company.parent_id, company.code) == (county2.id, code)
    assert company.path.startswith(county2.path)
    assert team.path.startswith(company.path)
    assert healthy()


@pytest.mark.rule("PD-07")
def test_it_is_found_where_it_stands_now(world: World) -> None:
    grant(world, wish(world, "company", "county2"), "county", "county2")
    county, county2 = (session.merge(world.orgs[key]) for key in ("county", "county2"))
    found = search(session, "示例科技", within=county2).hits
    assert found[0].organisation.id == world.orgs["company"].id
    assert not search(session, "示例科技", within=county).hits


@pytest.mark.rule("PD-07", "PD-22")
def test_who_acts_for_what_has_nobody_is_the_new_line(world: World) -> None:
    # Given a branch of the company without an administrator, and a company without one
    with unit_of_work():
        world.add("store", "company", "示例科技有限公司仓储团支部", "仓储团支部", Category.BRANCH, "非公企业")
        world.add("small", "county", "共青团小微示例有限公司委员会", "小微示例团委", Category.COMMITTEE, "非公企业")
        world.add("desk", "small", "小微示例有限公司团支部", "小微示例团支部", Category.BRANCH, "非公企业")
    grant(world, wish(world, "company", "county2"), "county", "county2")
    with acting(world.seat("county2")):
        moving.move(session.merge(world.orgs["small"]), session.merge(world.orgs["county2"]), "test")
    offices = dict(session.execute(select(Organisation.full_name, Organisation.office_id)).all())
    assert offices["示例科技有限公司仓储团支部"] == world.orgs["company"].id
    assert offices["共青团小微示例有限公司委员会"] == world.orgs["county2"].id
    assert offices["小微示例有限公司团支部"] == world.orgs["county2"].id
    assert healthy()


@pytest.mark.rule("PD-07", "PD-08")
def test_the_season_keeps_the_line_of_that_season(world: World) -> None:
    before = session.scalars(select(RegisterRow.season_path)).all()
    counted = figures(world.orgs["class1"].path, 2026).graduates
    assert counted == 2
    with acting(world.seat("university")):
        world.add(
            "college2",
            "university",
            "共青团江淮示范大学软件学院总支部委员会",
            "软件学院团总支",
            Category.GENERAL_BRANCH,
            "普通高等院校",
        )
    world.appoint("college2")
    session.commit()
    grant(world, wish(world, "class1", "college2"), "college", "college2")
    assert session.scalars(select(RegisterRow.season_path)).all() == before
    moved = session.get_one(Organisation, world.orgs["class1"].id)
    assert moving.former_paths(moved.path) == [before[0]]
    # The class still finds its own graduates, the old college keeps them, the new one does not get them
    assert figures(moved.path, 2026).graduates == counted
    assert figures(world.orgs["college"].path, 2026).graduates == counted
    assert figures(world.orgs["college2"].path, 2026).graduates == 0
    rows = graduates.listing(world.seat("class1"), 2026, graduates.GraduateFilters()).page().rows
    assert len(rows) == counted
    assert healthy()


@pytest.mark.parametrize(
    ("who", "to", "says"),
    [
        ("university", "class1", "自己的下级"),
        ("university", "university", "自己"),
        ("university", "college", "自己的下级"),
        ("company", "county", "现在就在"),
        ("company", "city2", "同一个省级组织"),
        ("company", "university", "层级"),
        ("class1", "city", "^$"),
        ("college", "county", "层级"),
        ("province", "city", "不能迁移"),
    ],
)
@pytest.mark.rule("PD-07")
def test_where_it_cannot_stand_is_refused_at_once(world: World, who: str, to: str, says: str) -> None:
    if says == "^$":  # a branch may stand below anything that is no branch
        assert moving.fits(world.orgs[who], world.orgs[to])
        return
    with pytest.raises(DomainError, match=says):
        wish(world, who, to)


@pytest.mark.rule("PD-06", "PD-07")
@pytest.mark.parametrize("closed", ["company", "county2"])
def test_nothing_closed_moves_and_nothing_moves_into_it(world: World, closed: str) -> None:
    with unit_of_work():
        session.merge(world.orgs[closed]).closed_at = clock.now()
    with pytest.raises(DomainError, match="已停用"):
        moving.check_move(session.merge(world.orgs["company"]), session.merge(world.orgs["county2"]))


def test_nobody_asks_for_another(world: World) -> None:
    with pytest.raises(DomainError, match="自己申请"):
        ask(world.seat("county"), "relocation", world.orgs["company"], parent="340111", why="划归另一个区管理")


@pytest.mark.rule("PD-07", "PD-22")
def test_one_office_for_both_superiors_is_asked_once(world: World) -> None:
    with unit_of_work():
        world.add("county3", "city", "共青团安徽省合肥市庐阳区委员会", "团庐阳区委", LEADING, code="340103")
        world.add("county4", "city", "共青团安徽省合肥市瑶海区委员会", "团瑶海区委", LEADING, code="340102")
        world.add("mill", "county3", "共青团示例纺织有限公司委员会", "示例纺织团委", Category.COMMITTEE, "非公企业")
        world.appoint("mill")
    case = wish(world, "mill", "county4")
    assert case.line == [world.orgs["county4"].id]
    do(case, world.seat("city"), CaseAction.APPROVE)
    assert healthy()


@pytest.mark.rule("PD-07")
def test_two_that_would_close_a_circle_cannot_both_be_granted(world: World) -> None:
    # Given two second-level committees, each asking to stand below the other
    industry, general = "普通高等院校", Category.GENERAL_BRANCH
    with unit_of_work():
        for key, name in (("a", "文学院"), ("b", "理学院")):
            full = f"共青团江淮示范大学{name}总支部委员会"
            world.add(key, "university", full, f"{name}团总支", general, industry)
            world.appoint(key)
    first, second = wish(world, "a", "b"), wish(world, "b", "a")
    for case in (first, second):
        do(case, world.seat("university"), CaseAction.FORWARD)
    do(first, world.seat("b"), CaseAction.APPROVE)
    with pytest.raises(DomainError, match="下级"):
        do(second, world.seat("a"), CaseAction.APPROVE)
    assert second.state is CaseState.WAITING
    assert healthy()


@pytest.mark.rule("PD-07")
def test_a_wish_from_before_another_move_is_void(world: World) -> None:
    with unit_of_work():
        world.add("county3", "city", "共青团安徽省合肥市庐阳区委员会", "团庐阳区委", LEADING, code="340103")
        world.appoint("county3")
    case = wish(world, "company", "county2")
    do(case, world.seat("county"), CaseAction.FORWARD)
    with unit_of_work():
        moving.move(session.merge(world.orgs["company"]), session.merge(world.orgs["county3"]), "operator")
    with pytest.raises(Conflict, match="已经换了上级"):
        do(case, world.seat("county2"), CaseAction.APPROVE)


def test_former_paths_follow_an_organisation_through_several_moves(world: World) -> None:
    company, team = world.orgs["company"], world.orgs["team"]
    paths = [team.path]
    for to in ("county2", "county"):
        with unit_of_work():
            moving.move(session.merge(company), session.merge(world.orgs[to]), "test")
        paths.append(session.get_one(Organisation, team.id).path)
    assert moving.former_paths(paths[-1]) == [paths[1], paths[0]]
    assert moving.former_paths(world.orgs["class1"].path) == []


# ---- the operator's command


@pytest.mark.rule("PD-07")
def test_across_provinces_the_operator_moves_it(world: World, app: Flask) -> None:
    code = world.orgs["company"].code
    session.commit()
    run = app.test_cli_runner().invoke
    done = run(args=["orgs", "move", code, "--to", "3201", "--why", "国资委批复"])
    assert done.exit_code == 0, done.output
    assert "已迁到共青团江苏省南京市委员会下面" in done.output
    session.expire_all()
    moved = session.get_one(Organisation, world.orgs["company"].id)
    assert moved.path.startswith(session.get_one(Organisation, world.orgs["city2"].id).path)
    assert moved.code == code
    assert healthy()


@pytest.mark.parametrize(("code", "to", "status"), [("nothing", "3201", 2), ("3401", "340104", 1)])
def test_the_operator_too_is_told_what_cannot_be(world: World, app: Flask, code: str, to: str, status: int) -> None:
    session.commit()
    done = app.test_cli_runner().invoke(args=["orgs", "move", code, "--to", to, "--why", "没有依据"])
    assert done.exit_code == status
    assert done.output
