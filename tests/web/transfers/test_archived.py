"""A new school asks for somebody whose record was archived, at every door (PD-61)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser, Page
from tests.cases.steps import do, grant
from tests.imports.making import person, roster
from tests.transfers.steps import acting
from tests.world import World
from zhtj.cases.membership import records
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction
from zhtj.imports.members import rosters
from zhtj.kernel.database import session, unit_of_work
from zhtj.people.finding import archived
from zhtj.people.models import Member
from zhtj.transfers.many import mass_starts


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        world.appoint("city")
        session.merge(world.orgs["university"]).phone = "0551-65500000"
    with acting(world.seat("city")):
        records.archive(session.merge(world.graduate), "entry_error", "test")
    session.expire_all()
    return world


def look_up(world: World, client: FlaskClient, name: str = "丁一") -> Page:
    browser = Browser(client).login(world.accounts["company"])
    form = browser.get("/school/transfer-in").form("/school/transfer-in")
    return form.submit(name=name, id_number=world.graduate.account.id_number)


@pytest.mark.rule("PD-61", "A-05")
def test_who_archived_when_and_whom_to_call(world: World, client: FlaskClient) -> None:
    page = look_up(world, client)
    assert "没有录入系统" not in page.text
    for words in ("共青团安徽省合肥市委员会", "10月14日", "软件工程专业1班团支部", "0551-65500000"):
        assert words in page.text


@pytest.mark.rule("PD-61", "A-04")
def test_only_name_and_full_number_together_find_him(world: World, client: FlaskClient) -> None:
    page = look_up(world, client, name="丁二")
    assert page.status == 422
    assert "没有找到这位团员" in page.text
    assert "归档" not in page.main


@pytest.mark.rule("PD-61", "U-19")
def test_the_request_goes_there_and_brings_him_back(world: World, client: FlaskClient) -> None:
    page = look_up(world, client)
    short = page.form("/transfer-in/restoration").submit(text="要")
    assert short.status == 422
    done = short.form("/transfer-in/restoration").submit(text="今年录取到我单位，持有团员证")
    assert done.status == 303
    (case,) = session.scalars(select(Case)).all()
    assert case.holder is not None
    assert case.holder.short_name == "软工1班团支部"
    assert done.follow().status == 200
    for key in ("class1", "college", "university"):
        do(case, world.seat(key), CaseAction.FORWARD)
    grant(world, case, "city")
    assert session.get_one(Member, world.graduate.id).archived_at is None
    again = look_up(world, client)
    assert "丁一现在在软工1班团支部" in again.text


@pytest.mark.rule("PD-61", "PD-37")
def test_nobody_is_asked_for_by_a_guessed_id(world: World, client: FlaskClient) -> None:
    browser = Browser(client).login(world.accounts["company"])
    page = browser.get("/school/cases/new/restoration")
    assert page.status == 303
    typed = {"subject": f"#{world.graduate.id}", "text": "今年录取到我单位"}
    assert browser.post("/school/cases/new/restoration", typed).status == 303
    assert browser.post("/school/transfer-in/restoration", {"person": "guessed", **typed}).status == 422
    assert session.scalars(select(Case)).all() == []


@pytest.mark.rule("PD-61", "U-15")
def test_a_merged_record_is_not_asked_back(world: World, client: FlaskClient) -> None:
    with unit_of_work():
        session.merge(world.graduate).merged_into_id = world.classmate.id
    session.expire_all()
    page = look_up(world, client)
    assert "同一人另有一条记录" in page.text
    assert not page.has_form("/transfer-in/restoration")


@pytest.mark.rule("PD-61", "PD-31", "U-09")
def test_a_roster_says_the_same(world: World) -> None:
    known = world.graduate.account
    row = person(
        1, 姓名=known.name, 身份证号码=known.id_number, 手机号码=known.mobile, 所在团支部=world.orgs["team"].full_name
    )
    (problem,) = rosters.preview(roster(row), world.orgs["company"]).errors
    assert "已由团合肥市委于2026年10月14日归档" in problem.cause
    assert "请求" in problem.fix


@pytest.mark.rule("PD-61", "A-04")
def test_a_list_of_freshmen_says_the_same(world: World) -> None:
    line = {"name": "丁一", "id_number": world.graduate.account.id_number, "to": world.orgs["team"].full_name}
    (seen,) = mass_starts.examine_in(world.seat("company"), [line], {"reason": "further_study"})
    assert seen.error is not None
    assert "已由团合肥市委于2026年10月14日归档" in str(seen.error)


@pytest.mark.rule("PD-61")
def test_whom_to_call_is_known_of_every_archived_record(world: World) -> None:
    found = archived.record(session.get_one(Member, world.graduate.id))
    assert (found.by.short_name, found.may_return) == ("团合肥市委", True)
    with pytest.raises(LookupError):
        archived.record(session.get_one(Member, world.classmate.id))


@pytest.mark.rule("PD-61", "PD-06")
def test_the_page_of_an_archived_member_offers_no_letter(world: World, client: FlaskClient) -> None:
    page = Browser(client).login(world.accounts["university"]).get(f"/school/members/{world.graduate.id}")
    assert "线下介绍信" not in page.text
