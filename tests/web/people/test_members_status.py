"""The pages of likely duplicates, of proposals, and of corrections with old → new (K-19, U-14, U-15, D-21, D-22)."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.cases.steps import ask, do
from tests.statements import statements
from tests.transfers.steps import UNPLACED, apply
from tests.uploads import PNG
from tests.world import World, id_number
from zhtj import doctor, sweeps
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.people import operations as people
from zhtj.people.finding import duplicates
from zhtj.people.models import LikelyDuplicate, Likeness, Member, Post, Sex
from zhtj.people.operations import NewMember


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        world.appoint("city")
        world.appoint("centre")
    return world


def twin(world: World, of: Member, key: str = "class2", serial: int = 320, **more: Any) -> Member:
    """The same person once more, with another last digits of the number."""
    new = NewMember(
        name=more.pop("name", of.name),
        id_number=id_number(serial, born=more.pop("born", of.born)),
        mobile=f"1370000{serial:04d}",
        sex=Sex.MALE,
        joined_on=date(2019, 5, 1),
        **more,
    )
    return people.add_member(world.orgs[key], new)


# -- duplicates


@pytest.mark.rule("U-15", "K-19")
def test_likely_duplicates_are_found_once_each_by_their_strongest_ground(world: World) -> None:
    with unit_of_work():
        graduate = session.merge(world.graduate)
        same = twin(world, graduate, dev_number=graduate.dev_number)
        number = twin(world, graduate, serial=321, name="别人", born=date(2003, 1, 1), dev_number=graduate.dev_number)
        student = twin(world, graduate, serial=322, born=date(2003, 2, 2), student_no=graduate.student_no)
        twin(world, graduate, serial=323, born=date(2003, 3, 3))
        assert duplicates.find() == 4
        assert duplicates.find() == 0
    found = {(one.one_id, one.other_id): one.ground for one in session.scalars(select(LikelyDuplicate))}
    assert found == {
        (graduate.id, same.id): Likeness.NAME_BORN,
        (graduate.id, number.id): Likeness.DEV_NUMBER,
        (same.id, number.id): Likeness.DEV_NUMBER,
        (graduate.id, student.id): Likeness.STUDENT_NO,
    }
    assert sweeps.run("duplicates").done == 0


@pytest.mark.rule("K-19")
def test_an_id_number_with_a_small_x_is_the_same_number(world: World) -> None:
    number = next(one for one in (id_number(serial) for serial in range(200, 499)) if one.endswith("X"))
    with unit_of_work():
        new = NewMember("甲", number.lower(), None, Sex.MALE, date(2019, 5, 1))
        assert people.add_member(world.orgs["class2"], new).account.id_number == number
    with pytest.raises(DomainError, match="已有账号"), unit_of_work():
        people.create_account("甲", id_number=number)


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("U-15", "K-19", "PD-06")
def test_a_pair_is_compared_and_its_merge_climbs_to_the_level_above_both(world: World, browser: Browser) -> None:
    with unit_of_work():
        graduate = session.merge(world.graduate)
        doubled = twin(world, graduate, major="软件工程")
        people.start_seat(doubled.account, world.orgs["class2"], Post.DEPUTY)
        duplicates.find()
    row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == graduate.id)).one()
    page = browser.login(world.accounts["college"]).get("/college/members").click("疑似重复").click("核对")
    assert {graduate.account.id_number, doubled.account.id_number}.isdisjoint(page.source.split('"'))
    assert "补上" in page.main
    assert "软工2班团支部副书记的任职转到保留的账号" in page.main
    form = page.form("/compare/merge")
    assert "请写清楚" in form.submit(why="是").text
    page = form.submit(why="已核对身份证，号码录错一位").follow()
    case = session.scalars(select(Case)).one()
    assert case.state is CaseState.WAITING
    assert str(doubled.account.id_number) not in page.text
    do(case, world.seat("university"), CaseAction.FORWARD)
    page = browser.login(world.accounts["city"]).get(f"/provincial/cases/{case.id}")
    assert "补上专业" in page.main, "whoever decides sees what moves"
    page.form("/step", button="同意").submit()
    session.expire_all()
    assert (doubled.merged_into_id, doubled.archived_why) == (graduate.id, "merged")
    assert (graduate.major, row.member_id) == ("软件工程", graduate.id)
    assert [one.name for one in doctor.examine() if one.broken] == []
    page = browser.login(world.accounts["university"]).get(f"/school/members/{graduate.id}")
    assert "软工2班团支部" in page.main, "where the merged record has been can be read on"
    page = browser.get(f"/school/members/{doubled.id}").click("保留的记录")
    assert page.url.endswith(str(graduate.id))
    assert "没有疑似重复" in browser.get("/school/members/duplicates").text


@pytest.mark.rule("K-19")
def test_a_level_of_city_rank_above_both_merges_at_once(world: World, browser: Browser) -> None:
    with unit_of_work():
        doubled = twin(world, session.merge(world.graduate), key="team")
        duplicates.find()
    assert "没有疑似重复" in browser.login(world.accounts["university"]).get("/school/members/duplicates").text
    page = browser.login(world.accounts["city"]).get("/provincial/members/duplicates").click("核对")
    page = page.click("改为保留另一条").click("改为保留另一条")
    page = page.form("/compare/merge").submit(why="已核对身份证，是同一人").follow()
    assert "已合并" in page.text
    session.expire_all()
    assert session.scalars(select(Case)).one().state is CaseState.APPROVED
    assert {doubled.archived_why, world.graduate.archived_why} == {"merged", None}


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("K-19", "U-18")
def test_a_record_with_an_open_application_is_not_merged_away(world: World, browser: Browser) -> None:
    with unit_of_work():
        doubled = twin(world, session.merge(world.graduate))
    application = apply(world, world.graduate, "floating", **UNPLACED)
    page = browser.login(world.accounts["college"]).get(
        f"/college/members/compare?keep={doubled.id}&other={world.graduate.id}"
    )
    page = page.form("/compare/merge").submit(why="已核对身份证，是同一人")
    assert page.status == 422
    assert "正在办理的转接申请" in page.text
    assert application.state.value.startswith("awaiting")


def test_two_people_are_set_apart_for_good(world: World, browser: Browser) -> None:
    with unit_of_work():
        twin(world, session.merge(world.graduate))
        duplicates.find()
    page = browser.login(world.accounts["college"]).get("/college/members/duplicates").click("核对")
    assert "怎样核实" in page.form("/compare/apart").submit(why=" ").text
    page = page.form("/compare/apart").submit(why="已核对身份证，是两个人").follow()
    assert "没有疑似重复" in page.text
    with unit_of_work():
        assert duplicates.find() == 0


@pytest.mark.parametrize("query", ["", "?keep=1", "?keep=1&other=1", "?keep=a&other=b", "?keep=99999999999&other=1"])
def test_an_address_that_names_no_two_leads_back(world: World, browser: Browser, query: str) -> None:
    page = browser.login(world.accounts["college"]).get(f"/college/members/compare{query}")
    assert page.status == 303


@pytest.mark.rule("PD-37")
def test_a_record_of_another_school_cannot_be_compared(world: World, browser: Browser) -> None:
    browser.login(world.accounts["college"])
    page = browser.get(f"/college/members/compare?keep={world.graduate.id}&other={world.employee.id}")
    assert page.status == 404


# -- proposals


@pytest.mark.rule("D-22", "U-24")
def test_the_ticked_are_proposed_with_a_reason_and_a_result_a_line(world: World, browser: Browser) -> None:
    with unit_of_work():
        late = [
            twin(world, world.sophomore, serial=330 + i, name=name, dues_until=date(2026, 1, 1))
            for i, name in enumerate(("龑喆", "欠二", "欠三"))
        ]
    page = browser.login(world.accounts["class2"]).get("/branch/members").click("超龄、失联").click("自行脱团")
    assert "团费交至 2026-01" in page.main
    form = page.form("/proposals/raise")
    assert "请先勾选" in form.submit(why="多次提醒仍不交纳").text
    assert "至少 5 个字" in form.submit(member=[str(late[0].id)], why="催过").text
    page = form.submit(member=[str(one.id) for one in late[:2]], why="多次提醒仍不交纳").follow()
    assert "已提出 2 件" in page.text
    assert page.text.count("已提出，办理中") == 2
    cases = session.scalars(select(Case).order_by(Case.id)).all()
    assert [one.title for one in cases] == [f"{name}（软工2班团支部） · 自行脱团，除名" for name in ("龑喆", "欠二")]
    assert session.get_one(Member, late[0].id).archived_at is None


def test_proposals_are_few_statements_and_empty_lists_say_so(world: World, browser: Browser) -> None:
    browser.login(world.accounts["university"]).get("/school/members/proposals")
    for measure in ("over_age", "suspend", "remove", "left", "nonsense"):
        with statements() as seen:
            page = browser.get(f"/school/members/proposals?measure={measure}")
        assert "没有符合条件的团员" in page.text
        assert len([one for one in seen if "SAVEPOINT" not in one]) <= 10, seen


@pytest.mark.rule("D-21")
def test_the_suspended_state_is_shown(world: World, browser: Browser) -> None:
    with unit_of_work():
        session.merge(world.sophomore).suspended_at = clock.now()
    page = browser.login(world.accounts["class2"]).get("/branch/members")
    assert "停止团籍" in page.main
    page = page.click("万堃")
    assert "已停止团籍" in page.main
    page = page.click("申请恢复团籍")
    page = page.form("/cases/new/standing").submit(why="本人已来电，恢复联系").follow()
    assert "恢复团籍" in page.main


@pytest.mark.rule("D-21", "F-17")
def test_the_member_reads_on_his_own_page_that_he_is_suspended_and_objects(world: World, browser: Browser) -> None:
    with unit_of_work():
        session.merge(world.sophomore).suspended_at = clock.now()
    page = browser.login(world.sophomore.account).get("/member/me")
    assert "团籍已停止" in page.main
    page = page.click("提交情况说明").form("/cases/new/statement").submit(text="本人一直与支部保持联系。").follow()
    assert session.scalars(select(Case)).one().data["purpose"] == "objection"


# -- corrections


@pytest.mark.rule("U-14")
def test_a_member_asks_for_corrections_on_his_own_page(world: World, browser: Browser) -> None:
    page = browser.login(world.sophomore.account).get("/member/me").click("民族、政治面貌")
    page = page.form("/cases/new/profile").submit(ethnicity="满族", why="户口簿").follow()
    assert "汉族 → 满族" in page.main
    case = session.scalars(select(Case)).one()
    assert case.line == [world.orgs[key].id for key in ("class2", "college", "university")]


@pytest.mark.rule("U-14")
def test_personal_data_are_corrected_by_request_with_old_and_new_shown(world: World, browser: Browser) -> None:
    page = (
        browser.login(world.accounts["class2"]).get(f"/branch/members/{world.sophomore.id}").click("申请更正个人资料")
    )
    page = page.form("/cases/new/profile").submit(
        ethnicity="回族", household="安徽省合肥市", political_status="中共党员", why="户口簿"
    )
    case = session.scalars(select(Case)).one()
    for key in ("class2", "college"):
        do(case, world.seat(key), CaseAction.FORWARD)
    page = browser.login(world.accounts["university"]).get(f"/school/cases/{case.id}")
    assert "汉族 → 回族" in page.main
    assert "（空） → 安徽省合肥市" in page.main
    page.form("/step", button="同意").submit()
    session.expire_all()
    assert (world.sophomore.ethnicity, world.sophomore.household) == ("回族", "安徽省合肥市")
    page = browser.get(f"/school/cases/{case.id}")
    assert "汉族 → 回族" in page.main, "what stood there before is kept with the case"


@pytest.mark.rule("U-14", "U-12")
def test_name_and_number_are_corrected_by_the_city_alone_old_and_new_masked(world: World, browser: Browser) -> None:
    old, new = world.graduate.account.id_number, id_number(340)
    page = browser.login(world.accounts["class1"]).get(f"/branch/members/{world.graduate.id}").click("更正姓名")
    page = page.form("/cases/new/correction").submit(
        name="丁乙", id_number=new, why="录入时看错一位", files=(BytesIO(PNG), "身份证.png")
    )
    case = session.scalars(select(Case)).one()
    page = browser.get(f"/branch/cases/{case.id}")
    assert "丁一 → 丁乙" in page.main
    assert f"{str(old)[:3]}***********{str(old)[-4:]} → {new[:3]}***********{new[-4:]}" in page.main
    assert new not in page.source
    assert case.line[-1] == world.orgs["city"].id


@pytest.mark.rule("U-11", "E-06")
def test_a_correction_makes_nobody_too_young_at_joining(world: World) -> None:
    proof = Upload("志愿书.png", PNG)
    with pytest.raises(DomainError, match="应满 12 周岁") as too_young:
        ask(world.seat("class1"), "correction", world.graduate, proof, joined="2015-01", why="以志愿书为准")
    assert too_young.value.rule == "U-11"
    with pytest.raises(DomainError, match="应满 13 周岁"):
        ask(world.seat("class1"), "correction", world.graduate, proof, joined="2017-01", why="以志愿书为准")


@pytest.mark.rule("U-14", "U-21")
def test_a_number_of_somebody_else_and_no_change_are_refused(world: World) -> None:
    with pytest.raises(DomainError, match="编号被占用"):
        ask(world.seat("class2"), "profile", world.sophomore, dev_number=world.graduate.dev_number, why="团员证")
    with pytest.raises(DomainError, match="没有要更正"):
        ask(world.seat("class2"), "profile", world.sophomore, ethnicity="汉族", why="团员证")


def test_a_committee_decides_what_it_asks_for_its_own_members(world: World) -> None:
    case = ask(world.seat("university"), "profile", world.sophomore, origin="安徽省芜湖市", why="学籍")
    assert case.line == [world.orgs["university"].id]
    do(case, world.seat("university"), CaseAction.APPROVE)
    session.expire_all()
    assert world.sophomore.origin == "安徽省芜湖市"


@pytest.mark.rule("U-14", "U-21")
def test_a_number_that_is_nobodys_is_corrected(world: World) -> None:
    case = ask(world.seat("class2"), "profile", world.sophomore, dev_number="202434019999", why="团员证")
    keys = {org.id: key for key, org in world.orgs.items()}
    while case.state.is_open:
        do(case, world.seat(keys[case.line[case.level]]), CaseAction.APPROVE if case.is_last else CaseAction.FORWARD)
    session.expire_all()
    assert world.sophomore.dev_number == "202434019999"
