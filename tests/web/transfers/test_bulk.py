"""Bulk pages: pick, look, confirm, result - without JavaScript (PD-22, PD-23)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import insert, select

from tests.browsing import Browser, Page
from tests.statements import statements
from tests.transfers.steps import EMPLOYED, UNPLACED, apply, do
from tests.world import World, id_number
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.bulk import Enrolment, add_members
from zhtj.people.models import Member, Sex
from zhtj.people.operations import NewMember
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import special_unit
from zhtj.transfers.many.models import BulkRun
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

SCREENFUL = 14 * 1024


@pytest.fixture
def applicants(world: World) -> list[Member]:
    """Four more graduates."""
    with unit_of_work():
        found = [world.enrol(f"毕业生{number}", "class1") for number in "甲乙丙丁"]
        graduation.open_register()
    return found


def browser(client: FlaskClient, world: World, key: str) -> Browser:
    return Browser(client).login(world.accounts[key])


def rows(page: Page) -> list[str]:
    """Values of the checkboxes of a list."""
    return re.findall(r'name="row" value="(\d+)"', page.source)


def test_picked_lines_are_looked_at_confirmed_and_answered_one_by_one(
    client: FlaskClient, world: World, applicants: list[Member]
) -> None:
    # Given three who wait for the company
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:3]]
    numbers = [each.id for each in waiting]
    page = browser(client, world, "company").get("/school/waiting")
    assert sorted(map(int, rows(page))) == numbers
    # When two are picked
    page = page.form("/bulk").page.browser.post(
        "/school/bulk", {"listing": "waiting", "action": "accept", "row": [str(number) for number in numbers[:2]]}
    )
    # Then the preview names them, and nothing has happened
    assert page.status == 200
    assert "毕业生甲" in page.main
    assert "毕业生丙" not in page.main
    session.expire_all()
    assert {each.state for each in waiting} == {State.AWAITING_ACCEPTANCE}
    # And confirmed with a branch, both have arrived; the result says so a line
    result = page.form("/bulk/confirm").submit(branch=str(world.orgs["team"].id)).follow()
    assert result.main.count("已转入研发团支部。") == 2
    session.expire_all()
    assert [each.state for each in waiting] == [State.COMPLETED, State.COMPLETED, State.AWAITING_ACCEPTANCE]


def test_pressed_twice_is_one_run(client: FlaskClient, world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:2]]
    mine = browser(client, world, "company")
    picked = {"listing": "waiting", "action": "accept", "row": [str(each.id) for each in waiting]}
    form = mine.post("/school/bulk", picked).form("/bulk/confirm")
    first, second = form.submit(), form.submit()
    assert first.location == second.location
    assert len(session.scalars(select(BulkRun)).all()) == 1
    assert "已同意，请分配团支部。" in second.follow().main


def test_whoever_comes_late_reads_in_the_line_what_happened(
    client: FlaskClient, world: World, applicants: list[Member]
) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:2]]
    picked = {"listing": "waiting", "action": "accept", "row": [str(each.id) for each in waiting]}
    form = browser(client, world, "company").post("/school/bulk", picked).form("/bulk/confirm")
    do(operations.accept, waiting[0], world.seat("company"))
    result = form.submit().follow()
    assert f"{world.accounts['company'].name}已在" in result.main
    assert "您这次的操作没有生效。" in result.main
    assert "已同意，请分配团支部。" in result.main


@pytest.mark.rule("A-15")
def test_a_refusal_without_ground_comes_back_with_what_was_typed(
    client: FlaskClient, world: World, applicants: list[Member]
) -> None:
    waiting = apply(world, applicants[0], "company", **EMPLOYED)
    picked = {"listing": "waiting", "action": "refuse", "row": str(waiting.id)}
    page = browser(client, world, "company").post("/school/bulk", picked)
    # The preview does not complain of what nobody was asked for yet
    assert page.status == 200
    assert "不办理" not in page.main
    failed = page.form("/bulk/confirm").submit(remark="本单位没有录用")
    assert failed.status == 422
    assert "请选择不同意的理由" in failed.main
    assert "本单位没有录用" in failed.source
    done = failed.form("/bulk/confirm").submit(ground="not_ours").follow()
    assert "已退回申请人，理由已告知。" in done.main


@pytest.mark.rule("S-07")
def test_the_province_stops_and_reads_before_it_approves(
    client: FlaskClient, world: World, applicants: list[Member]
) -> None:
    with unit_of_work():
        wanted = special_unit(applicants[0], remark="参军入伍，体检已通过", confirmed=True)
        application = operations.submit(wanted, world.own_seat(applicants[0]))
        number = application.id
    picked = {"listing": "waiting", "action": "approve", "row": str(number)}
    page = browser(client, world, "province").post("/provincial/bulk", picked)
    assert "批准后不能撤回" in page.main
    unread = page.form("/bulk/confirm").submit()
    assert unread.status == 422
    assert session.get_one(Application, number).state is State.AWAITING_PROVINCE
    done = unread.form("/bulk/confirm").submit(confirmed="1").follow()
    assert "成功" in done.main
    session.expire_all()
    assert session.get_one(Application, number).state is State.COMPLETED


@pytest.mark.rule("PD-22")
def test_a_county_takes_over_from_its_list_of_townships(
    client: FlaskClient, world: World, applicants: list[Member]
) -> None:
    floating = NewOrganisation(
        "安徽省合肥市蜀山区流动团员团支部", "蜀山区流动团员团支部", Category.BRANCH, purpose=Purpose.FLOATING
    )
    waiting = [apply(world, member, "township", **UNPLACED) for member in applicants[:2]]
    elsewhere = apply(world, applicants[2], "company", **EMPLOYED)
    page = browser(client, world, "county").get("/provincial/townships")
    wanted = {"listing": "townships", "action": "take_over", "row": rows(page)}
    # Without a floating branch of its own the preview says so, and where to build it
    nowhere = page.browser.post("/provincial/bulk", wanted)
    assert "还没有流动团员团支部，请先建立" in nowhere.main
    assert nowhere.click("中建立").url == "/provincial/organisations"
    with unit_of_work():
        orgs.create(session.merge(world.orgs["county"]), floating)
    assert sorted(map(int, rows(page))) == [each.id for each in waiting]
    assert str(elsewhere.id) not in rows(page)
    chosen = page.browser.post("/provincial/bulk", wanted)
    done = chosen.form("/bulk/confirm").submit().follow()
    assert done.main.count("已转入蜀山区流动团员团支部。") == 2


@pytest.mark.rule("PD-22", "T-03")
def test_a_city_without_counties_takes_over_as_a_county_does(
    client: FlaskClient, world: World, applicants: list[Member]
) -> None:
    """嘉峪关: its towns stand right below it."""
    with unit_of_work():
        world.add("small", "province", "共青团安徽省示范市委员会", "团示范市委", Category.LEADING_ORGAN)
        world.appoint("small")
        town = NewOrganisation(
            "共青团安徽省示范市文殊镇委员会", "团文殊镇委", Category.COMMITTEE, "农村", township_flag=True
        )
        world.orgs["town"] = orgs.create(world.orgs["small"], town)
        floating = NewOrganisation(
            "安徽省示范市流动团员团支部", "示范市流动团员团支部", Category.BRANCH, purpose=Purpose.FLOATING
        )
        orgs.create(world.orgs["small"], floating)
        world.appoint("city")
    waiting = apply(world, applicants[0], "town", **UNPLACED, unit_address="安徽省示范市文殊镇")
    apply(world, applicants[1], "township", **UNPLACED)
    page = browser(client, world, "small").get("/provincial/waiting").click("乡镇街道待接收")
    assert rows(page) == [str(waiting.id)]
    chosen = page.browser.post("/provincial/bulk", {"listing": "townships", "action": "take_over", "row": rows(page)})
    done = chosen.form("/bulk/confirm").submit().follow()
    assert "已转入示范市流动团员团支部。" in done.main
    # A city that has counties leaves it to them
    page = browser(client, world, "city").get("/provincial/waiting")
    assert "乡镇街道待接收" not in page.main
    assert page.browser.get("/provincial/townships").status == 404


@pytest.mark.parametrize(
    ("fallback", "words"), [("must", "不能接收的，由县级接收"), ("may", "不能接收的，可以由县级接收")]
)
@pytest.mark.rule("T-03", "K-07")
def test_a_county_reads_whether_it_has_to_take_over(
    client: FlaskClient, world: World, policy: Callable[..., None], fallback: str, words: str
) -> None:
    policy(county_fallback=fallback)
    assert words in browser(client, world, "county").get("/provincial/townships").main


def test_only_a_county_has_the_list_of_townships(client: FlaskClient, world: World) -> None:
    assert browser(client, world, "province").get("/provincial/townships").status == 404
    assert browser(client, world, "company").get("/school/townships").status == 404


def test_nothing_picked_leads_back_to_the_list(client: FlaskClient, world: World, applicants: list[Member]) -> None:
    apply(world, applicants[0], "company", **EMPLOYED)
    page = browser(client, world, "company").post("/school/bulk", {"listing": "waiting", "action": "accept"})
    assert page.status == 303
    assert "请先勾选要办理的申请。" in page.follow().main


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"listing": "nothing"},
        {"listing": "waiting", "row": "1", "action": "vanish"},
        {"listing": "waiting", "row": "99999999999999999999"},
        {"listing": "waiting", "lines": "x.y 1.² -3.4", "action": "accept"},
    ],
)
def test_broken_forms_are_no_crash(client: FlaskClient, world: World, said: dict[str, str]) -> None:
    page = browser(client, world, "company").post("/school/bulk", said)
    assert page.status in {303, 422}
    assert browser(client, world, "company").post("/school/bulk/confirm", said).status in {303, 422}


def test_somebody_elses_run_is_not_there(client: FlaskClient, world: World, applicants: list[Member]) -> None:
    waiting = apply(world, applicants[0], "company", **EMPLOYED)
    picked = {"listing": "waiting", "action": "accept", "row": str(waiting.id)}
    done = browser(client, world, "company").post("/school/bulk", picked).form("/bulk/confirm").submit()
    assert done.follow().status == 200
    assert browser(client, world, "township").get(done.location).status == 404


def test_the_result_is_a_file_too(client: FlaskClient, world: World, applicants: list[Member]) -> None:
    waiting = [apply(world, member, "company", **EMPLOYED) for member in applicants[:2]]
    picked = {"listing": "waiting", "action": "accept", "row": [str(each.id) for each in waiting]}
    done = browser(client, world, "company").post("/school/bulk", picked).form("/bulk/confirm").submit()
    answer = client.get(f"{done.location}/result.xlsx")
    table = CalamineWorkbook.from_filelike(BytesIO(answer.get_data())).get_sheet_by_index(0).to_python()
    assert table[0][:2] == ["行", "姓名"]
    assert table[1][1:6] == ["毕业生甲", "软工1班团支部", "示例科技团委", "成功", "已同意，请分配团支部。"]


@pytest.mark.slow("three thousand applications")
def test_three_thousand_waiting_lines_are_a_screenful_and_a_handful_of_statements(
    client: FlaskClient, world: World
) -> None:
    # Given a receiver for whom 3,000 wait
    people = _graduates(world, 3000)
    template = apply(world, session.get_one(Member, people[0]), "company", **EMPLOYED)
    _multiply(template, people[1:])
    mine = browser(client, world, "company")
    mine.get("/school/waiting")
    with statements() as seen:
        page = mine.get("/school/waiting")
    # Then a page is light, shows how many there are, and the last page costs what the first does
    assert len(gzip.compress(page.response.get_data(), 6)) < SCREENFUL
    assert 0 < len(seen) <= 14
    assert "全部 3,000 条" in page.main
    # And all of them can be decided together
    preview = page.form("/bulk").submit(action="accept", all="1")
    assert re.search(r"选中\s*3,000", preview.main)


def _graduates(world: World, count: int) -> list[int]:
    """Graduates of the first class, entered as an import does."""
    branch = world.orgs["class1"]
    enrolments = [
        Enrolment(
            branch.id,
            branch.code,
            NewMember(
                name=f"毕业生{number:04d}",
                id_number=id_number(number % 500, born=date(2003, 1, 1) + timedelta(days=number // 500)),
                mobile=f"137{number:08d}",
                sex=Sex.MALE,
                joined_on=date(2019, 5, 1),
                dev_number=f"20193401{number:04d}",
            ),
        )
        for number in range(count)
    ]
    with unit_of_work():
        found = add_members(enrolments)
        graduation.open_register()
    return found


def _multiply(template: Application, people: list[int]) -> None:
    """More applications like this one, straight into the table."""
    names = [column.key for column in Application.__table__.columns if column.key not in {"id", "member_id"}]
    values = {name: getattr(template, name) for name in names}
    with unit_of_work():
        session.execute(insert(Application), [{**values, "member_id": member} for member in people])
