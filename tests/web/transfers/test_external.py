"""北京, 广东, 福建 on the screen: typed twice, instructed, recorded with evidence; and who comes from there."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser, Page
from tests.transfers.applying.test_external import ABROAD, NAME, NOTE
from tests.transfers.steps import EMPLOYED, apply, do, start
from tests.uploads import JPG, PDF, PNG, SHOT
from tests.world import World, id_number
from zhtj import doctor, sweeps
from zhtj.graduation import operations as graduation
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Account, Member
from zhtj.transfers.deciding import external
from zhtj.transfers.models import Application, Evidence
from zhtj.transfers.workflow import State

START = "/member/transfer/new"
PHONE = "0551-65550101"
CAME = {
    "region": "11",
    "origin_name": "北京示范大学经济学院2022级3班团支部",
    "name": "京来",
    "id_number": id_number(480),
    "mobile": "138 0000 4480",
    "joined_on": "2019年5月",
    "dev_number": "201911000480",
    "reason": "employed_with_org",
    "note": "10月9日收到北京系统的转接通知。",
}


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        for key, name, code, region in (
            ("beijing", "北京市", "11", Region.BEIJING),
            ("guangdong", "广东省", "44", Region.GUANGDONG),
        ):
            new = NewOrganisation(
                f"共青团{name}委员会", f"团{name}委", Category.LEADING_ORGAN, code=code, system=region
            )
            world.orgs[key] = orgs.create(world.orgs["centre"], new)
        session.merge(world.orgs["university"]).phone = PHONE
    return world


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.graduate.account)


@pytest.fixture
def desk(app: Flask, world: World) -> Browser:
    """The secretary of his class."""
    return Browser(app.test_client()).login(world.accounts["class1"])


@pytest.fixture
def team(app: Flask, world: World) -> Browser:
    """The secretary of a branch that takes somebody in."""
    return Browser(app.test_client()).login(world.accounts["team"])


def region_of(browser: Browser, code: str) -> Page:
    """The page of the organisation, with this region chosen first."""
    page = browser.get(START).form("/new").submit(reason="employed_with_org").follow()
    page = page.form("/unit").submit(unit_name="北京某某科技有限公司").follow()
    values: dict[str, Any] = {"in": code}
    return page.form(button="搜索").submit(**values)


def named(browser: Browser, code: str = "11", **names: str) -> Page:
    """Up to the last page, the name typed twice."""
    page = region_of(browser, code).form(button="转到").submit(destination=code).follow()
    values: dict[str, Any] = {"external_name": NAME, "external_name_again": NAME, **names}
    return page.form("/external").submit(**values).follow()


def the_application() -> Application:
    session.expire_all()
    return session.scalars(select(Application).order_by(Application.id.desc())).first() or pytest.fail("none")


def abroad(world: World, to: str = "beijing") -> int:
    return apply(world, world.graduate, to, **ABROAD).id


def too_young(member: Member, joined: str = "2018-09-01") -> None:
    """He joined at twelve."""
    with unit_of_work():
        known = session.merge(member)
        known.joined_on = known.joined_on.fromisoformat(joined)
        twelve = known.joined_on.replace(year=known.joined_on.year - 12)
        session.get_one(Account, known.account_id).set_id_number(id_number(450, born=twelve))


# ---- the member


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("X-01", "X-02", "X-03", "X-04")
def test_a_member_chooses_the_region_types_the_name_twice_and_is_told_what_to_do(browser: Browser) -> None:
    # Given the region chosen: nothing there can be searched
    page = region_of(browser, "11")
    assert "北京使用自己的系统" in page.main
    assert "不要自己在那边重新注册" in page.main
    # When he types the name there, twice
    page = page.form(button="转到").submit(destination="11").follow()
    assert "北京系统里的组织全称是什么？" in page.main
    assert "三个系统的操作手册在“智慧团建”首页下载" in page.main
    page = page.form("/external").submit(external_name=NAME, external_name_again=NAME).follow()
    assert "北京（另有系统）" in page.main
    assert NAME in page.main
    assert "由北京的系统审批" in page.main
    assert "10月24日（周六）24:00 前，还剩 10 天" in page.main
    home = page.form("/check").submit(contact_mobile="13811112222").follow()
    # Then his first page says what to do there, who records the outcome here and by when
    assert "等待北京的系统接收" in home.main
    assert "由谁登记结果" in home.main
    assert PHONE in home.main
    assert "截图发给" in home.main
    assert "不要自己在北京的系统里重新注册" in home.main
    assert "10月24日（周六）24:00 前，还剩 10 天" in home.main
    application = the_application()
    assert (application.state, application.external_name) == (State.AWAITING_EXTERNAL, NAME)
    assert "现在请您做" in home.click("查看办理经过").main


@pytest.mark.parametrize("code", ["44", "11"])
def test_who_goes_to_guangdong_is_told_to_report_himself_there(browser: Browser, code: str) -> None:
    reports = code == "44"
    page = named(browser, code)
    for step in ("organisation?in=" + code, "external"):
        assert ("报到" in browser.get(f"{START}/{step}").main) is reports
    home = page.form("/check").submit(contact_mobile="13811112222").follow()
    assert ("团员报到" in home.main) is reports


@pytest.mark.rule("X-02")
@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("", "", "请填写对方系统中的组织全称。"),
        (NAME, "", "请再填一遍全称。"),
        (NAME, NAME.replace("第一", "第二"), "两次填写的组织全称不一致。"),
        ("团委", "团委", "请填写对方系统中的组织全称。"),
    ],
)
def test_two_different_names_come_back_as_they_were_typed(
    browser: Browser, first: str, second: str, sentence: str
) -> None:
    page = named(browser, external_name=first, external_name_again=second)
    assert page.status == 422
    assert sentence in page.main
    form = page.form("/external")
    assert (form.values["external_name"], form.values["external_name_again"]) == (first, second)
    assert browser.get(f"{START}/check").location == f"{START}/external"


@pytest.mark.rule("X-09", "PD-33")
@pytest.mark.parametrize(("joined", "way"), [("2018-09-01", "不予认定团员身份"), ("2016-09-01", "由学校团委开介绍信")])
def test_who_joined_too_young_learns_it_before_he_types_anything(
    browser: Browser, world: World, joined: str, way: str
) -> None:
    too_young(world.graduate, joined)
    page = region_of(browser, "11")
    assert "不能在线转到北京" in page.main
    assert way in page.main
    assert PHONE in page.main
    assert "转到北京的团组织" not in page.main
    forced = browser.post(f"{START}/organisation", {"destination": "11"})
    assert forced.status == 422
    assert "不满 13 周岁" in forced.main
    assert browser.get(f"{START}/external").location == f"{START}/organisation"


def test_a_draft_is_continued_with_the_name_and_another_region_asks_anew(browser: Browser) -> None:
    named(browser)
    home = browser.get("/member/")
    assert NAME in home.main
    assert home.click("继续填写").url == f"{START}/check"
    moved = browser.post(f"{START}/organisation", {"destination": "44"}).follow()
    assert moved.url == f"{START}/external"
    assert moved.form("/external").values["external_name"] == ""


@pytest.mark.rule("A-23")
def test_after_a_failure_he_reads_why_and_everything_is_filled_in_again(browser: Browser, world: World) -> None:
    number = abroad(world)
    do(external.fail, session.get_one(Application, number), world.seat("class1"), "对方说全称多一个区字", SHOT)
    home = browser.get("/member/")
    assert "对方系统没有接收" in home.main
    assert "对方说全称多一个区字" in home.main
    page = home.form("/again").submit().follow()
    assert page.url == f"{START}/check"
    assert NAME in page.main
    page.form("/check").submit()
    assert (the_application().follows_id, the_application().state) == (number, State.AWAITING_EXTERNAL)


@pytest.mark.rule("X-04")
def test_after_ten_days_his_page_says_that_nothing_was_recorded(
    browser: Browser, world: World, clock_at: Callable[[str], None]
) -> None:
    abroad(world)
    clock_at("2026-10-25T00:01")
    assert "已超过办理期限，即将退回" in browser.get("/member/").main
    sweeps.run("return")
    home = browser.get("/member/")
    assert "申请超期，已退回" in home.main
    assert "期限内没有登记到" in home.main
    assert home.has_form("/again")


@pytest.mark.rule("X-03", "X-10")
def test_once_taken_in_his_page_says_where_he_is_and_that_he_must_not_be_entered_anew(
    browser: Browser, world: World
) -> None:
    do(external.confirm, session.get_one(Application, abroad(world)), world.seat("class1"), NOTE, SHOT)
    home = browser.get("/member/")
    assert "组织关系在北京的系统" in home.main
    assert NAME in home.main
    assert "不要在这里重新注册" in home.main
    assert "申请转接" not in home.links()
    assert browser.get(START).location == "/member/"
    assert browser.get("/member/history").status == browser.get("/member/me").status == 200
    assert not [finding.name for finding in doctor.examine() if finding.broken]


# ---- the old side


@pytest.mark.rule("X-01", "X-02")
def test_the_old_side_types_the_name_twice_as_well(desk: Browser, world: World) -> None:
    here = f"/branch/members/{world.graduate.id}/transfer-out"
    page = desk.get(here).form(button="查找").submit(under="44", q="某某")
    assert "广东使用自己的系统" in page.main
    page = page.click("转往广东的团组织")
    assert "团员报到" in page.main
    wrong = page.form("/transfer-out").submit(
        reason="employed_with_org", unit_name="某公司", external_name=NAME, external_name_again="别的名字"
    )
    assert wrong.status == 422
    assert "两次填写的组织全称不一致" in wrong.main
    form = wrong.form("/transfer-out")
    assert (form.values["external_name"], form.values["external_name_again"]) == (NAME, "别的名字")
    done = form.submit(external_name_again=NAME).follow()
    assert "待外部系统处理" in done.main
    assert f"{NAME}（广东）" in done.main


@pytest.mark.rule("X-09", "PD-33")
def test_the_old_side_is_told_at_once_who_is_too_young(desk: Browser, world: World) -> None:
    too_young(world.graduate)
    page = desk.get(f"/branch/members/{world.graduate.id}/transfer-out?to=11")
    assert "不能在线转到北京" in page.main
    assert "不予认定团员身份" in page.main
    assert not page.has_form("/transfer-out")


@pytest.mark.rule("X-07", "PD-32")
def test_the_old_side_records_the_answer_with_a_file_from_its_list(desk: Browser, world: World) -> None:
    number = abroad(world)
    page = desk.get("/branch/waiting")
    assert f"软工1班团支部 → {NAME}（北京）" in page.main
    asked = page.click("登记对方已接收")
    form = asked.form(f"/applications/{number}/confirm")
    assert "从本组织的名册中移出，不能撤回" in asked.main
    # Without saying what shows it: back with what was typed, the file to be chosen again
    missing = form.submit(remark="已收", file=(BytesIO(PNG), "截图.png"))
    assert missing.status == 422
    assert "请写明依据，至少 5 个字" in missing.main
    assert "上次选的文件没有保留，请重新选择" in missing.main
    assert missing.form(f"/applications/{number}/confirm").values["remark"] == "已收"
    wrong = missing.form(f"/applications/{number}/confirm").submit(remark=NOTE, file=(BytesIO(b"MZ"), "a.png"))
    assert wrong.status == 422
    assert "凭据应为 PNG、JPG 图片或 PDF" in wrong.main
    done = wrong.form(f"/applications/{number}/confirm").submit(remark=NOTE, file=(BytesIO(PNG), "截图.png")).follow()
    assert f"丁一：已登记，{NAME}（北京）已接收" in done.text
    assert the_application().state is State.COMPLETED
    assert "没有等您办理的事" in done.main


@pytest.mark.rule("PD-32")
def test_the_old_side_records_a_failure_and_starts_again_with_everything_filled_in(desk: Browser, world: World) -> None:
    number = start(world.seat("class1"), world.graduate, world.orgs["beijing"], **ABROAD).id
    asked = desk.get(f"/branch/applications/{number}/fail")
    desk_said = (
        asked.form(f"/applications/{number}/fail")
        .submit(remark="对方说全称多一个区字", file=(BytesIO(PNG), "截图.png"))
        .follow()
    )
    assert "已登记对方未接收，可以重新发起" in desk_said.text
    page = desk.get(f"/branch/applications/{number}")
    assert "外部系统未接收" in page.main
    assert "先问清对方为什么没有接收" in page.main
    form = page.click("重新办理转出").form("/transfer-out")
    assert (form.values["external_name"], form.values["unit_name"]) == (NAME, EMPLOYED["unit_name"])
    assert form.values["external_name_again"] == ""
    done = form.submit(external_name_again=NAME).follow()
    assert "待外部系统处理" in done.main
    assert the_application().follows_id == number


@pytest.mark.rule("PD-16")
def test_the_old_side_sends_it_to_a_region_instead_or_to_another_name_there(desk: Browser, world: World) -> None:
    number = start(world.seat("class1"), world.graduate, world.orgs["team"], **EMPLOYED).id
    page = desk.get(f"/branch/applications/{number}/redirect").form(button="查找").submit(under="11", q="某某")
    form = page.click("转往北京的团组织").form("/redirect")
    assert form.submit(external_name=NAME, external_name_again=NAME).follow().status == 200
    abroad = the_application()
    assert (abroad.follows_id, abroad.external_name) == (number, NAME)
    # The same name is no change, another one is
    again = desk.get(f"/branch/applications/{abroad.id}/redirect?to=11").form("/redirect")
    assert again.submit(external_name=NAME, external_name_again=NAME).status == 422
    other = NAME.replace("第一", "第二")
    assert again.submit(external_name=other, external_name_again=other).follow().status == 200
    assert (the_application().external_name, the_application().follows_id) == (other, abroad.id)


@pytest.mark.rule("PD-32", "PD-37")
@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [(PNG, "截图.png", "image/png"), (JPG, "a.jpg", "image/jpeg"), (PDF, "信.pdf", "application/pdf")],
)
def test_evidence_is_opened_safely_and_the_look_is_noted(
    desk: Browser, world: World, content: bytes, name: str, kind: str
) -> None:
    number = abroad(world)
    asked = desk.get(f"/branch/applications/{number}/confirm")
    asked.form("/confirm").submit(remark=NOTE, file=(BytesIO(content), name))
    page = desk.get(f"/branch/applications/{number}")
    assert name in page.main
    kept = session.scalars(select(Evidence)).one()
    shown = page.form(f"/evidence/{kept.id}").submit()
    headers = shown.response.headers
    assert (shown.status, shown.response.mimetype, shown.response.get_data()) == (200, kind, content)
    assert headers["Content-Disposition"].startswith("inline" if kind.startswith("image/") else "attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    looks = session.scalars(select(AuditEvent).where(AuditEvent.action == "evidence.view")).all()
    assert [(look.subject_id, look.account_id) for look in looks] == [(number, world.accounts["class1"].id)]


def test_evidence_of_others_does_not_exist(desk: Browser, team: Browser, world: World) -> None:
    number = abroad(world)
    asked = desk.get(f"/branch/applications/{number}/confirm")
    asked.form("/confirm").submit(remark=NOTE, file=(BytesIO(PNG), "截图.png"))
    kept = session.scalars(select(Evidence)).one().id
    other = apply(world, world.classmate, "team").id
    assert team.post(f"/branch/applications/{number}/evidence/{kept}", {}).status == 404
    assert team.post(f"/branch/applications/{other}/evidence/{kept}", {}).status == 404
    assert desk.post(f"/branch/applications/{number}/evidence/{kept + 1}", {}).status == 404


def test_a_class_mate_s_secretary_and_the_province_record_nothing(app: Flask, world: World) -> None:
    number = abroad(world)
    stranger = Browser(app.test_client()).login(world.accounts["class2"])
    assert stranger.get(f"/branch/applications/{number}").status == 404
    assert stranger.post(f"/branch/applications/{number}/confirm", {"remark": NOTE}).status == 404
    above = Browser(app.test_client()).login(world.accounts["province"])
    assert not above.get(f"/provincial/applications/{number}").has_form("/confirm")
    assert above.post(f"/provincial/applications/{number}/confirm", {"remark": NOTE}).status == 403
    assert the_application().state is State.AWAITING_EXTERNAL


# ---- the receiver of somebody who comes from there


def record(team: Browser, world: World, **changes: Any) -> Page:
    """Fill in and send the form."""
    form = team.get("/branch/transfer-in").click("登记外部系统转入").form("/transfer-in/external")
    if "file" in changes:
        changes["file"] = (BytesIO(changes["file"][0]), changes["file"][1])
    return form.submit(**{**CAME, "destination": world.orgs["team"].code, **changes})


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("PD-32")
def test_who_comes_is_recorded_waits_like_any_other_and_is_accepted(team: Browser, world: World) -> None:
    done = record(team, world, file=(PDF, "通知.pdf")).follow()
    assert "京来的转入已登记，等待审批" in done.text
    assert "北京示范大学经济学院2022级3班团支部（北京）" in done.main
    assert "通知.pdf" in done.main
    page = team.get("/branch/waiting")
    assert "北京示范大学经济学院2022级3班团支部（北京） → 研发团支部" in page.main
    accepted = page.form("/accept").submit().follow()
    assert "京来：已转入研发团支部" in accepted.text
    member = the_application().member
    assert (member.org_id, member.joined_on.isoformat(), member.account.mobile) == (
        world.orgs["team"].id,
        "2019-05-01",
        "13800004480",
    )
    # His account can be opened
    code = team.get(f"/branch/members/{member.id}").form("/code").submit()
    assert "激活码" in code.main
    assert not [finding.name for finding in doctor.examine() if finding.broken]


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"region": None}, "region", "请选择转出地区。"),
        ({"region": "34"}, "region", "请选择转出地区。"),
        ({"origin_name": ""}, "origin_name", "请填写对方系统中的组织全称。"),
        ({"name": ""}, "name", "请填写姓名。"),
        ({"id_number": "340104200403140018"}, "id_number", "校验码不对"),
        ({"mobile": "1380000"}, "mobile", "手机号码应为 11 位数字"),
        ({"joined_on": "去年"}, "joined_on", "请写年和月"),
        ({"joined_on": "2030-01"}, "joined_on", "入团年月还没有到"),
        ({"dev_number": ""}, "dev_number", "须填写 12 位发展团员编号"),
        ({"dev_number": "12345"}, "dev_number", "发展团员编号应为 12 位数字"),
        ({"reason": ""}, "reason", "请选择转接原因。"),
        ({"reason": "retire"}, "reason", "请选择转接原因。"),
        ({"destination": ""}, "destination", "请选择转入哪个组织。"),
        ({"note": "有信"}, "note", "至少 5 个字"),
        ({"file": (b"MZ", "a.exe")}, "file", "凭据应为 PNG、JPG 图片或 PDF"),
        ({"joined_on": "2016-05", "id_number": id_number(481)}, "joined_on", "不满 13 周岁"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    team: Browser, world: World, changes: dict[str, Any], field: str, sentence: str
) -> None:
    page = record(team, world, **changes)
    assert page.status == 422
    assert sentence in page.main
    assert f'href="#{field}"' in page.source
    form = page.form("/transfer-in/external")
    typed = {**CAME, "mobile": "13800004480", "joined_on": "2019-05", **changes}
    kept = {name: form.values.get(name) for name in ("origin_name", "name", "id_number", "note")}
    assert kept == {name: typed[name] for name in kept}
    assert session.scalar(select(Application.id)) is None
    assert session.scalar(select(Member.id).join(Account).where(Account.name == "京来")) is None


@pytest.mark.rule("PD-24")
def test_whether_he_graduates_is_asked_where_the_reason_does_not_tell(team: Browser, world: World) -> None:
    page = record(team, world, reason="other")
    assert page.status == 422
    assert "请选择是不是应届毕业生" in page.main
    page = record(team, world, reason="work", graduate="yes")
    assert "不是应届毕业生的转接原因" in page.main
    assert record(team, world, reason="other", graduate="yes").status == 303
    row = the_application().register_row
    assert row is not None
    assert (row.origin_org_id, row.season_path) == (None, "")


def test_a_chosen_file_has_to_be_chosen_again_and_that_is_said(team: Browser, world: World) -> None:
    page = record(team, world, note="有信", file=(PDF, "通知.pdf"))
    assert page.status == 422
    assert "上次选的文件没有保留，请重新选择" in page.main


@pytest.mark.rule("X-03")
def test_somebody_of_ours_is_not_entered_again(team: Browser, world: World) -> None:
    known = world.classmate.account
    page = record(team, world, name="卜喆", id_number=known.id_number, mobile=known.mobile)
    assert page.status == 409
    assert "不在外部系统" in page.main
    assert "请用“办理转入”" in page.main


@pytest.mark.slow("goes to the limit of its kind")
@pytest.mark.rule("PD-37")
def test_recording_is_limited_and_noted_like_a_look_up(team: Browser, world: World) -> None:
    known = world.classmate.account
    answers = [
        record(team, world, name="卜喆", id_number=known.id_number, mobile=known.mobile).status for _ in range(61)
    ]
    assert answers[0] == 409
    assert answers[-1] == 429
    looks = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.look_up")).all()
    assert {look.subject_id for look in looks} == {world.classmate.id}


@pytest.mark.rule("X-03")
def test_looking_somebody_up_who_is_there_leads_to_the_record(team: Browser, world: World) -> None:
    do(external.confirm, session.get_one(Application, abroad(world)), world.seat("class1"), NOTE, SHOT)
    page = team.get("/branch/transfer-in").form("/transfer-in")
    found = page.submit(name="丁一", id_number=world.graduate.account.id_number)
    assert "组织关系在北京的系统" in found.main
    assert found.click("登记外部系统转入").status == 200
    assert not found.has_form("/transfer-in") or "转接原因" not in found.main


def test_who_was_recorded_and_not_accepted_reads_where_he_is(
    team: Browser, app: Flask, world: World, clock_at: Callable[[str], None]
) -> None:
    record(team, world, file=(PDF, "通知.pdf"))
    with unit_of_work():
        graduation.open_register()
        account = the_application().member.account
        account.activated_at = the_application().submitted_at
    own = Browser(app.test_client()).login(account)
    assert "等待研发团支部审批" in own.get("/member/").main
    clock_at("2026-10-25T00:01")
    sweeps.run("return")
    home = own.get("/member/")
    assert "组织关系在北京的系统" in home.main
    assert not home.has_form("/again")
    page = own.get(f"/member/applications/{the_application().id}")
    assert page.status == 200
    assert not page.has_form("/again")
