"""The pages of cases: raise, pass up, decide, export, and what a member asks himself (PD-34)."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from tests.browsing import Browser
from tests.cases.steps import PROOF, ask, do
from tests.statements import statements
from tests.transfers.steps import acting
from tests.uploads import JPG, PDF, PNG
from tests.world import World
from zhtj.cases.models import Case, CaseFile
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.policy import layers, seasons
from zhtj.transfers import operations as transfers
from zhtj.transfers.applying.situations import special_unit

WORDS: dict[str, Any] = {"purpose": "other", "text": "本人情况属实，特此说明。"}


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        world.appoint("city")
        world.appoint("centre")
    return world


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def newest() -> Any:
    session.expire_all()
    return session.scalars(select(Case).order_by(Case.id.desc())).first()


@pytest.mark.rule("PD-34", "F-18", "U-14")
def test_a_case_goes_all_the_way_on_the_pages(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["class1"]).get("/branch/cases").click("提出事项").click("更正姓名")
    form = page.form("/branch/cases/new/correction")
    page = form.submit(subject="丁一", name="丁乙", why="录入时写错一个字", files=(BytesIO(PNG), "身份证.png")).follow()
    case = newest()
    assert case.number in page.text
    assert "已提交，由计算机学院团总支办理" in page.text
    assert world.graduate.account.id_number not in page.source
    # Each level finds it on its list and passes it up
    for key, role in (("college", "college"), ("university", "school")):
        page = browser.login(world.accounts[key]).get(f"/{role}/cases").click("丁一")
        assert "正确的姓名" in page.main
        page = page.form(f"/{role}/cases/{case.id}/step", button="上报").submit(remark="情况属实").follow()
        assert "办理中" in page.main
    # The city looks at the picture and decides
    page = browser.login(world.accounts["city"]).get(f"/provincial/cases/{case.id}")
    number = session.scalars(select(CaseFile.id)).one()
    shown = browser.post(f"/provincial/cases/{case.id}/files/{number}")
    assert shown.response.data == PNG
    assert shown.response.mimetype == "image/png"
    page = page.form(f"/provincial/cases/{case.id}/step", button="同意").submit().follow()
    assert "已更正姓名" in page.main
    session.expire_all()
    assert world.graduate.name == "丁乙"
    # Whoever asked is told, and the message leads there
    page = browser.login(world.accounts["class1"]).get("/branch/messages").click("事项已同意")
    assert "更正姓名" in page.click("查看事项").main


def test_a_form_that_comes_back_has_lost_nothing(world: World, browser: Browser) -> None:
    form = browser.login(world.accounts["college"]).get("/college/cases/new/removal").form("/cases/new/removal")
    page = form.submit(subject="没有这人", detail="误把外校同学录入", keep="123")
    assert page.status == 422
    for words in ("有 3 处需要改正", "本组织和下级没有这名团员", "请选择", "身份证号码应为 18 位", "误把外校同学录入"):
        assert words in page.main
    assert 'value="没有这人"' in page.source
    assert newest() is None


@pytest.mark.rule("O-19", "O-20", "O-22")
def test_an_organisation_is_picked_from_those_whose_names_come_near(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["class1"]).get("/branch/cases/new/missing_organisation")
    wanted: dict[str, Any] = {
        "full_name": "共青团安徽省合肥市蜀山区示范医院委员会",
        "short_name": "示范医院团委",
        "category": "committee",
        "industry": "事业单位（不含公立学校）",
        "why": "转到该院",
    }
    page = page.form("/cases/new/missing_organisation").submit(**wanted, parent="蜀山")
    assert page.status == 422
    assert "您要找的是不是" in page.main
    # Picked while something else is wrong: the pick is not lost
    page = page.form("/cases/new/missing_organisation").submit(parent_picked="340104")
    assert page.status == 422
    assert "至少 5 个字" in page.main
    page = page.form("/cases/new/missing_organisation").submit(why="本校毕业生要转到该院").follow()
    assert newest().line[-1] == world.orgs["county"].id
    # The subject of a case likewise
    page = browser.login(world.accounts["county"]).get("/provincial/cases/new/township")
    page = page.form("/cases/new/township").submit(subject="团井岗镇委", is_township="no")
    assert world.orgs["township"].full_name in page.main
    page.form("/cases/new/township").submit(subject_picked=world.orgs["township"].code).follow()
    assert newest().subject_id == world.orgs["township"].id


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("名单.pdf", b"MZ\x90\x00" + b"0" * 100),
        ("证明.png", b"PK\x03\x04" + b"0" * 100),
        ("证明.xlsx", b"PK\x03\x04" + b"0" * 100),
        ("证明.pdf", PDF[:20]),
        ("脚本.pdf", PDF.replace(b"0000", b"/JavaScript", 1)),
        ("大.png", PNG[:-8] + b"0" * (5 * 2**20) + PNG[-8:]),
    ],
)
def test_programs_archives_and_halves_are_refused(world: World, browser: Browser, name: str, content: bytes) -> None:
    form = browser.login(world.accounts["class1"]).get("/branch/cases/new/statement").form("/cases/new/statement")
    page = form.submit(subject="丁一", **WORDS, files=(BytesIO(content), name))
    assert page.status == 422
    assert f"“{name}”" in page.main
    assert "特此说明" in page.main
    assert "请重新选择文件" in page.main
    assert newest() is None


def test_pictures_and_pdfs_are_kept_encrypted(world: World, browser: Browser) -> None:
    form = browser.login(world.accounts["class1"]).get("/branch/cases/new/statement").form("/cases/new/statement")
    files = [(BytesIO(content), name) for content, name in ((PNG, "a.txt"), (JPG, "b.jpg"), (PDF, "c.exe"))]
    form.submit(subject="丁一", **WORDS, files=files)
    kept = session.scalars(select(CaseFile).order_by(CaseFile.id)).all()
    assert [one.media_type for one in kept] == ["image/png", "image/jpeg", "application/pdf"]
    raw = session.connection().exec_driver_sql("SELECT content FROM case_files").scalars().all()
    assert not any("iVBORw0KGgo" in text for text in raw)
    form = browser.get("/branch/cases/new/statement").form("/cases/new/statement")
    page = form.submit(subject="卜喆", **WORDS, files=[(BytesIO(PNG), f"{n}.png") for n in range(4)])
    assert "附件最多 3 个" in page.main


@pytest.mark.rule("F-18", "PD-34")
def test_many_are_passed_up_together_with_a_result_a_line(world: World, browser: Browser) -> None:
    cases = [
        ask(world.seat("class1"), "statement", world.graduate, **WORDS),
        ask(world.seat("class2"), "statement", world.sophomore, **WORDS),
    ]
    ids = [str(case.id) for case in cases]
    page = browser.login(world.accounts["college"]).get("/college/cases")
    page = page.form("/college/cases/many").submit(row=ids, action="forward")
    assert "可以上报 2 件" in page.main
    # Meanwhile somebody else refuses one of them
    do(cases[0], world.seat("college"), CaseAction.REFUSE, "内容不清楚，请重写")
    page = page.form("/cases/many/confirm").submit(remark="均已核实")
    assert "成功 1 件，1 件没有办理" in page.main
    assert "办理了“不同意”" in page.main
    session.expire_all()
    assert [case.state for case in cases] == [CaseState.REFUSED, CaseState.WAITING]
    assert cases[1].holder_id == world.orgs["university"].id


def test_refusing_many_asks_for_the_reason(world: World, browser: Browser) -> None:
    case = ask(world.seat("class1"), "statement", world.graduate, **WORDS)
    browser.login(world.accounts["college"])
    page = browser.get("/college/cases").form("/college/cases/many").submit(row=[str(case.id)], action="refuse")
    page = page.form("/cases/many/confirm").submit(remark="不行")
    assert page.status == 422
    assert "至少 5 个字" in page.main
    assert "不行" in page.main
    page = page.form("/cases/many/confirm").submit(remark="说明没有写时间和经办人")
    assert "成功 1 件" in page.main


def test_a_step_too_late_says_what_happened(world: World, browser: Browser) -> None:
    case = ask(world.seat("class1"), "statement", world.graduate, **WORDS)
    form = browser.login(world.accounts["college"]).get(f"/college/cases/{case.id}").form("/step", button="不同意")
    do(case, world.seat("college"), CaseAction.FORWARD)
    page = form.submit(remark="与事实不符，请核对")
    assert page.status == 409
    assert "您这次的操作没有生效" in page.main


@pytest.mark.rule("PD-37")
def test_numbers_open_on_demand_and_the_look_is_noted(world: World, browser: Browser) -> None:
    case = ask(world.seat("class1"), "statement", world.graduate, **WORDS)
    number = world.graduate.account.id_number
    page = browser.login(world.accounts["college"]).get(f"/college/cases/{case.id}")
    assert number not in page.source
    assert number in page.form("/numbers").submit().source
    looked = session.scalars(select(AuditEvent).where(AuditEvent.action == "case.numbers_seen")).one()
    assert looked.subject_id == case.id


@pytest.mark.rule("F-06", "F-18")
def test_the_list_exports_with_the_columns_of_the_form(world: World, browser: Browser) -> None:
    with unit_of_work():
        world.graduate.account.name = "=1+1"
    ask(world.seat("college"), "removal", world.graduate, ground="death", detail="今年八月因病去世")
    page = browser.login(world.accounts["university"]).get("/school/cases?side=all")
    sent = page.form("/cases/export").submit(kind="removal")
    sheet = load_workbook(BytesIO(sent.response.data)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("序号", "姓名", "所在团支部名称全称", "身份证号", "删除原因")
    assert rows[1] == (
        "1",
        "=1+1",
        world.orgs["class1"].full_name,
        world.graduate.account.id_number,
        "去世：今年八月因病去世",
    )
    assert sheet["B2"].data_type == "s"
    assert session.scalars(select(AuditEvent).where(AuditEvent.action == "export.write")).one().detail["rows"] == 1


def test_a_member_asks_for_a_correction_and_takes_it_back(world: World, browser: Browser) -> None:
    page = browser.login(world.graduate.account).get("/member/cases").click("提出事项")
    assert "记录归档" not in page.main
    form = page.click("更正姓名").form("/member/cases/new/correction")
    page = form.submit(name="丁乙", why="身份证上是这个字", files=(BytesIO(PNG), "身份证.png")).follow()
    case = newest()
    assert (case.raised_member_id, case.subject_id) == (world.graduate.id, world.graduate.id)
    page = page.form("/step", button="撤回").submit().follow()
    assert "已撤回" in page.main
    assert browser.login(world.classmate.account).get(f"/member/cases/{case.id}").status == 404
    assert browser.get("/member/cases/new/removal").status == 403


@pytest.mark.slow("more cases than a page holds")
def test_the_list_is_filtered_and_paged(world: World, browser: Browser) -> None:
    for position in range(25):
        case = ask(world.seat("class1"), "statement", world.graduate, **WORDS)
        if position:
            do(case, world.seat("class1"), CaseAction.WITHDRAW)
            continue
        do(case, world.seat("college"), CaseAction.FORWARD)
        do(case, world.seat("university"), CaseAction.APPROVE)
    browser.login(world.accounts["university"])
    page = browser.get("/school/cases?side=all")
    assert page.main.count("2026-") >= 20
    assert page.click("下一页").main.count("软工1班") >= 5
    assert "已同意" in browser.get("/school/cases?side=all&state=approved").main
    assert "没有这样的事项" in browser.get("/school/cases?side=all&state=refused").main
    assert "没有这样的事项" in browser.get("/school/cases?side=all&kind=township").main
    assert "没有等待办理的事项" in browser.get("/school/cases?side=bogus&state=bogus").main


def test_the_form_starts_from_a_members_page(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["class1"]).get(f"/branch/cases/new?about={world.graduate.id}")
    page = page.click("情况说明")
    assert "丁一" in page.main
    page.form("/new/statement").submit(**WORDS)
    assert newest().subject_id == world.graduate.id
    hidden = browser.get(f"/branch/cases/new/statement?about={world.employee.id}")
    assert "于敏" not in hidden.text


def test_nobody_sees_what_is_asked_elsewhere(world: World, browser: Browser) -> None:
    case = ask(world.seat("class1"), "correction", world.graduate, PROOF, name="丁乙", why="录入时写错一个字")
    assert browser.login(world.accounts["class2"]).get(f"/branch/cases/{case.id}").status == 404
    number = session.scalars(select(CaseFile.id)).one()
    assert browser.post(f"/branch/cases/{case.id}/files/{number}").status == 404


@pytest.mark.rule("F-17")
def test_the_workbench_counts_and_the_persons_page_leads_to_his_file(world: World, browser: Browser) -> None:
    case = ask(world.seat("class1"), "statement", world.graduate, **WORDS)
    page = browser.login(world.accounts["college"]).get("/college/")
    assert "1 件事项等待办理" in page.main
    do(case, world.seat("college"), CaseAction.FORWARD)
    do(case, world.seat("university"), CaseAction.APPROVE)
    assert "等待办理" not in browser.get("/college/").main.replace("等待您办理", "")
    page = browser.login(world.accounts["class1"]).get(f"/branch/members/{world.graduate.id}").click("事项")
    page = browser.get(f"/branch/cases?side=all&about={world.graduate.id}")
    assert "特此说明" in page.click("丁一").main
    assert "丁一" in page.click("提出事项").click("情况说明").main
    assert "没有这样的事项" in browser.get(f"/branch/cases?side=all&about={world.classmate.id}").main


@pytest.mark.rule("K-01", "PD-59")
def test_a_change_of_the_mark_is_offered_only_where_it_is_decided(
    world: World, browser: Browser, clock_at: Callable[[str], None]
) -> None:
    clock_at("2026-05-20T09:00")
    page = browser.login(world.accounts["college"]).get("/college/cases/new")
    assert "修改团支部毕业时间" not in page.main
    form = browser.get("/college/cases/new/mark_change").form("/new/mark_change")
    full_name = world.orgs["class1"].full_name
    assert f'<option value="{full_name}">' in form.page.source
    page = form.submit(subject=full_name, month="2027-06", ground="entry_error", detail="录入时选错了年份")
    assert "可以直接修改" in page.main
    # After the conversion it moves people out of the season: the superior decides
    clock_at("2026-06-02T09:00")
    assert "修改团支部毕业时间" in browser.get("/college/cases/new").main
    assert page.form("/new/mark_change").submit().status == 303
    assert newest().line == [world.orgs["university"].id]


@pytest.mark.rule("F-03", "S-09")
def test_the_register_of_special_units_is_shown_and_exported(world: World, browser: Browser) -> None:
    seat = world.own_seat(world.graduate)
    with acting(seat):
        session.refresh(world.graduate)
        wanted = special_unit(world.graduate, remark="涉密单位，政审已完成", confirmed=True, secret_unit="某部某团")
        transfers.submit(wanted, seat)
    page = browser.login(world.accounts["university"]).get("/school/cases").click("转往特殊单位登记")
    assert "涉密单位" in page.main
    assert "某部某团" not in page.source
    sent = page.form("/exports/list/special-units").submit()
    rows = list(load_workbook(BytesIO(sent.response.data)).active.iter_rows(values_only=True))
    assert [row[1] for row in rows] == ["姓名", "丁一"]
    assert rows[1][4] == "涉密单位"
    assert "没有转往特殊单位的申请" in browser.login(world.accounts["company"]).get("/school/cases/special-units").main


def test_a_list_and_an_export_cost_the_same_however_long_they_are(world: World, browser: Browser) -> None:
    with unit_of_work():
        crowd = [world.enrol(f"丁{position}", "class1") for position in range(12)]

    def cost() -> tuple[int, int]:
        with statements() as listed:
            page = browser.get("/college/cases?side=all")
        form = page.form("/cases/export")
        with statements() as exported:
            form.submit(kind="removal")
        return len(listed), len(exported)

    def ask_for(members: list[Any]) -> None:
        for member in members:
            ask(world.seat("college"), "removal", member, ground="death", detail="今年八月因病去世")

    browser.login(world.accounts["college"])
    ask_for(crowd[:2])
    few = cost()
    ask_for(crowd[2:])
    assert cost() == few
    assert few[0] <= 10


@pytest.mark.rule("G-14", "F-04", "K-01")
def test_the_branchs_page_leads_to_the_request_where_the_policy_wants_one(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed = layers.compose
    seasons._policy_for.cache_clear()
    asked = {"mark_edit": "approval", "mark_edit_level": "city"}
    monkeypatch.setattr(seasons, "compose", lambda *args: composed(*args).model_copy(update=asked))
    try:
        number = world.orgs["class1"].id
        page = browser.login(world.accounts["college"]).get(f"/college/organisations/{number}/mark/change")
        page = page.click("申请更改")
        assert world.orgs["class1"].full_name in page.main
        page = page.form("/new/mark_change").submit(month="2027-06", ground="entry_error", detail="录入时选错了年份")
        assert "江淮示范大学团委" in page.follow().main
        assert "修改团支部毕业时间" in browser.get("/college/cases/new").main
    finally:
        seasons._policy_for.cache_clear()
