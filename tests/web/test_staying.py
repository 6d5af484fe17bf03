"""Staying put as users see it: read, sign with the password, follow it, report; decide in a batch (PD-10, PD-35)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.cases.steps import ask, do
from tests.floating.conftest import school  # noqa: F401 - a fixture
from tests.floating.steps import ABROAD, RETAINED, apply, grant, stay_of, where
from tests.people.test_authentication import GOOD
from tests.uploads import PDF
from tests.world import World
from zhtj.cases import queries
from zhtj.cases.queries import CaseFilters, CaseList
from zhtj.cases.workflow import CaseAction
from zhtj.kernel.database import session, unit_of_work
from zhtj.people.models import Member
from zhtj.people.signing import accounts


@pytest.fixture
def browser(client: FlaskClient, school: World) -> Browser:  # noqa: F811
    """丁一, who has a password."""
    with unit_of_work():
        accounts.set_password(session.merge(school.graduate.account), GOOD)
    return Browser(client).login(session.merge(school.graduate.account))


def signed(page: Page, form: str, **typed: Any) -> Page:
    values = {"read": "1", "signed_name": "丁一", "password": GOOD} | typed
    return page.form(form).submit(**values)


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("PD-35", "F-08", "R-10", "R-12", "PD-10")
def test_he_reads_the_six_points_signs_with_his_password_and_follows_it(browser: Browser, school: World) -> None:  # noqa: F811
    page = browser.get("/member/guides/retention").click("填写申请")
    for words in ("团员义务", "网上流动团员社群", "及时转出", "每 6 个月", "自行脱团", "珍惜团员身份"):
        assert words in page.main
    assert school.accounts["college"].name in page.main
    # What is missing or wrong is said, and nothing typed is lost
    failed = signed(page, "/stay/retention", **{**RETAINED, "dues": "", "password": "不对的密码不对"})
    assert failed.status == 422
    assert failed.form("/stay/retention").values["detail"] == RETAINED["detail"]
    failed = signed(failed, "/stay/retention", dues="", read=None)
    assert "请先阅读全文" in failed.main
    failed = signed(failed, "/stay/retention", dues="")
    assert "请填写团费怎样交纳" in failed.main
    failed = signed(failed, "/stay/retention", dues="每半年一交", signed_name="丁二")
    assert "签名与您的姓名不一致" in failed.main
    # Signed, it lies with his college; the first page says so
    done = signed(failed, "/stay/retention", dues="每半年一交").follow()
    assert "已签名提交，由计算机学院团总支办理" in done.text
    assert "流动团员管理服务告知书" in done.main
    assert "丁一" in done.main
    home = browser.get("/member/")
    assert "正在办理" in home.main
    assert browser.get("/member/stay/retention").follow().url == done.url


@pytest.mark.rule("PD-35", "F-07", "R-14")
def test_who_goes_abroad_fills_in_his_application_on_the_phone(browser: Browser, school: World) -> None:  # noqa: F811
    page = browser.get("/member/stay/overseas-study")
    # The record is filled in already
    known = page.form("/stay/overseas-study").values
    assert (known["ethnicity"], known["graduated"], known["contact"]) == ("汉族", "2026-06", "丁大")
    done = signed(page, "/stay/overseas-study", **ABROAD).follow()
    assert "关于保留团组织关系的申请" in done.main
    assert "示例大学" in done.main
    assert school.graduate.account.id_number not in done.source


@pytest.mark.rule("A-22", "R-08", "R-01")
def test_who_may_not_apply_learns_it_before_he_fills_anything_in(client: FlaskClient, school: World) -> None:  # noqa: F811
    page = Browser(client).login(session.merge(school.sophomore.account)).get("/member/stay/retention")
    assert "您现在不能申请" in page.main
    assert not page.has_form("/stay/retention")
    assert "问去向顾问" in page.main


@pytest.mark.rule("A-22")
def test_he_asks_for_a_refusal_or_takes_back_what_others_raised(browser: Browser, school: World) -> None:  # noqa: F811
    case = ask(school.seat("college"), "retention", school.graduate, **RETAINED)
    page = browser.get(f"/member/cases/{case.id}")
    assert "还没有签名" in page.main
    asked = page.form("/ask-refusal").submit(why="已经找到单位").follow()
    assert "已请办理的团组织不同意" in asked.text
    told = Browser(browser.client).login(school.accounts["university"]).get("/school/messages")
    assert "本人请求不同意" in told.main
    browser.login(session.merge(school.graduate.account))
    done = browser.get(f"/member/cases/{case.id}").form("/step", button="撤回").submit().follow()
    assert "已撤回" in done.main


@pytest.mark.rule("PD-35", "A-26")
def test_he_signs_what_his_college_has_raised(browser: Browser, school: World) -> None:  # noqa: F811
    case = ask(school.seat("college"), "retention", school.graduate, **{**RETAINED, "dues": "", "life": ""})
    page = browser.get(f"/member/cases/{case.id}").click("阅读并签名")
    assert "每 6 个月" in page.main
    failed = signed(page, "/sign")
    assert failed.status == 422
    assert "请填写团费怎样交纳" in failed.main
    done = signed(failed, "/sign", dues="线上交", life="线上参加").follow()
    assert "已签名" in done.text


@pytest.mark.rule("R-13", "R-06")
def test_the_college_files_what_was_signed_by_hand(client: FlaskClient, school: World) -> None:  # noqa: F811
    case = ask(school.seat("college"), "retention", school.graduate, **{**RETAINED, "dues": "", "life": ""})
    browser = Browser(client).login(school.accounts["college"])
    page = browser.get(f"/college/cases/{case.id}").click("存入纸质签名")
    assert page.form("/paper").submit(dues="线上交", life="线上参加").status == 422
    done = page.form("/paper").submit(dues="线上交", life="线上参加", scan=(BytesIO(PDF), "告知书.pdf")).follow()
    assert "纸质签名已存入" in done.text
    assert "告知书.pdf" in done.main


@pytest.mark.rule("A-26", "R-05")
def test_the_school_announces_a_round_and_decides_it_with_a_preview(client: FlaskClient, school: World) -> None:  # noqa: F811
    cases = [apply(school, school.graduate), ask(school.seat("college"), "retention", school.classmate, **RETAINED)]
    grant_up(school, cases[0])
    browser = Browser(client).login(school.accounts["university"])
    page = browser.get("/school/floating").click("保留和出国申请")
    wrong = page.form("/staying/rounds").submit(closes_on="2026-10-20", decides_on="2026-10-19")
    assert "不能早于截止日期" in wrong.main
    page = wrong.form("/staying/rounds").submit(decides_on="2026-10-25").follow()
    assert "集中审核" in page.main
    # Everybody who applies sees it
    seen = Browser(client).login(session.merge(school.classmate.account)).get("/member/stay/overseas-study")
    assert "本批时间" not in seen.main
    browser.login(school.accounts["university"])
    listed = browser.get("/school/staying").click("集中审核 2 件")
    preview = listed.form("/cases/many").submit(row=[str(one.id) for one in cases], action="approve")
    assert "可以同意 1 件" in preview.main
    assert "还没有填写、签名" in preview.main
    result = preview.form("/confirm").submit()
    assert "成功 1 件" in result.main
    assert "保留到 2026-12-31" in result.main
    assert where(school.graduate) == school.orgs["kept"].id


def grant_up(world: World, case: Any) -> None:
    """The college passes it up."""
    do(case, world.seat("college"), CaseAction.FORWARD)


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("R-10", "R-11", "R-12", "R-03")
def test_retained_he_sees_his_duties_and_reports(browser: Browser, school: World) -> None:  # noqa: F811
    grant(school, apply(school, school.graduate), "college", "university")
    page = browser.login(session.merge(school.graduate.account)).get("/member/").click("报告近况")
    assert "12月31日" in page.main
    assert "网上流动团员社群" in page.main
    assert page.form("/member/floating").submit(note="").status == 422
    done = page.form("/member/floating").submit(situation="seeking", note="仍在找工作").follow()
    assert "仍在找工作" in done.main
    found = done.form("/member/floating").submit(found_what="示例科技有限公司").follow()
    assert "请在 11月14日 前申请转接" in found.text
    # He asks for more time by a case of its own
    more = found.click("申请延长保留")
    assert more.form("/cases/new/retention_extension").submit(why="单位明年三月才办手续").follow().status == 200


@pytest.mark.rule("T-24", "R-05", "R-12")
def test_the_college_keeps_the_ledger_of_its_own_wherever_they_are(client: FlaskClient, school: World) -> None:  # noqa: F811
    grant(school, apply(school, school.graduate, ground="retake", detail="居住地不接收"), "college", "university")
    browser = Browser(client).login(school.accounts["college"])
    page = browser.get("/college/floating")
    assert "丁一" in page.main
    assert "二战考研" in page.main
    one = page.click("丁一")
    logged = one.form("/onward/contact").submit(on="2026-10-14", note="已电话联系").follow()
    assert "已电话联系" in logged.main
    picked = browser.get("/college/floating?status=allocate").form("/floating/allocate")
    done = picked.submit(row=str(stay_of(school.graduate).id), branch=str(school.orgs["college_kept"].id)).follow()
    assert "已将 1 名团员编入" in done.text
    assert where(school.graduate) == school.orgs["college_kept"].id
    exported = browser.get("/college/floating").form("/exports/list/floating").submit()
    assert exported.response.mimetype.endswith("spreadsheetml.sheet")
    # Another college sees nothing of it
    assert browser.login(school.accounts["team"]).get(f"/branch/members/{school.graduate.id}/onward").status == 404


@pytest.mark.rule("PD-09", "R-16")
def test_a_stay_abroad_is_undone_from_the_ledger(client: FlaskClient, school: World) -> None:  # noqa: F811
    grant(school, apply(school, school.graduate, "overseas_study"), "college", "university")
    browser = Browser(client).login(school.accounts["university"])
    page = browser.get("/school/floating?kind=overseas").click("丁一")
    assert page.form("/onward/undo").submit(why="").status == 422
    done = page.form("/onward/undo").submit(why="签证没有办成，不出国了").follow()
    assert "回到软工1班团支部" in done.text
    assert session.get_one(Member, school.graduate.id).org_id == where(school.graduate)


@pytest.mark.rule("PD-10", "T-24")
def test_the_adviser_leads_into_the_form(browser: Browser, school: World) -> None:  # noqa: F811
    page = browser.get("/member/advice?situation=retake_exam&done=1").click("填写申请")
    assert page.form("/stay/retention").values["ground"] == "retake"
    assert queries.listing(school.own_seat(session.merge(school.graduate)), CaseFilters(CaseList.ALL)).count() == 0
    desk = Browser(browser.client).login(school.accounts["college"])
    asked = desk.get(f"/college/members/{school.graduate.id}/advice?situation=overseas_study&done=1").click("代为提出")
    assert asked.has_form("/cases/new/overseas_study")
