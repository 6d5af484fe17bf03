"""Graduation on the desks, as administrators use it without JavaScript (G-02 … G-24, O-11, O-15, O-17)."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.browsing import Browser
from tests.transfers.steps import EMPLOYED, apply, do
from tests.world import World
from zhtj import sweeps
from zhtj.graduation import operations as graduation
from zhtj.graduation import queries
from zhtj.graduation.models import BranchMark, MarkKind, MemberMark, NoTime
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import policies
from zhtj.orgs.models import Category
from zhtj.policy.layers import compose, lineage
from zhtj.rates import queries as rates
from zhtj.transfers import operations as transfers

COLLEGE = "普通高等院校"


@pytest.fixture
def spring(clock_at, session: Session) -> World:
    clock_at("2026-05-10T09:00")
    return World.build()


@pytest.fixture
def summer(spring: World, clock_at) -> World:
    clock_at("2026-06-02T09:00")
    sweeps.run("convert")
    return spring


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def mark_of(world: World, key: str) -> BranchMark | None:
    session.expire_all()
    return session.get(BranchMark, world.orgs[key].id)


@pytest.mark.rule("G-02", "G-03", "G-07", "G-08", "G-12")
@pytest.mark.parametrize(("key", "role"), [("college", "college"), ("university", "school")])
def test_pick_choose_preview_read_confirm_and_a_result_a_line(
    spring: World, browser: Browser, key: str, role: str
) -> None:
    number = spring.orgs["class2"].id
    page = browser.login(spring.accounts[key]).get(f"/{role}/marking?state=unmarked")
    assert "软工2班团支部" in page.main
    assert "软工1班团支部" not in page.main
    preview = page.form("/marking/preview").submit(row=str(number))
    assert "请读完再确认" in preview.main
    # nothing chosen, then nothing read: told so, nothing written
    bare = preview.form("/marking/confirm").submit(read="1")
    assert bare.status == 422
    assert "两者只填一项" in bare.main
    unread = bare.form("/marking/confirm").submit(month="2026-06")
    assert unread.status == 422
    assert "请先读完确认事项" in unread.main
    assert mark_of(spring, "class2") is None
    done = unread.form("/marking/confirm").submit(month="2026-06", read="1")
    assert "已标记 1 个团支部，共 1 名团员" in done.main
    assert mark_of(spring, "class2").month == date(2026, 6, 1)
    listed = browser.get(f"/{role}/marking")
    assert "2026年6月" in listed.main
    # sent again, it says what is so
    again = unread.form("/marking/confirm").submit(month="2026-06", read="1")
    assert "没有标记" in again.main
    assert "已标记为2026-06" in again.main


@pytest.mark.rule("G-04")
def test_all_of_the_filter_at_once_and_the_odd_year_is_refused(spring: World, browser: Browser) -> None:
    with unit_of_work():
        for number in range(1, 61):
            name = f"光学院2022级{number}班团支部"
            spring.add(f"more{number}", "college", name, name, Category.BRANCH, COLLEGE)
        spring.add("odd", "college", "光学院2023级1班团支部", "光学院2023级1班团支部", Category.BRANCH, COLLEGE)
    page = browser.login(spring.accounts["college"]).get("/college/marking?q=光学院")
    preview = page.form("/marking/preview").submit(all="1").form("/marking/confirm")
    done = preview.submit(month="2026-06", read="1")
    assert "已标记 60 个团支部" in done.main
    assert "有 1 个没有标记" in done.main
    assert "是 2023 级，与本批多数的 2022 级不同" in done.main


@pytest.mark.rule("G-13", "O-17")
def test_why_there_is_no_button_is_said_in_a_sentence(spring: World, browser: Browser) -> None:
    with unit_of_work():
        blank = spring.add("blank", "college", "光学院团支部", "光学院团支部", Category.BRANCH).id
        small = spring.add("small", "college", "附小团支部", "附小团支部", Category.BRANCH, "小学").id
    two = spring.orgs["class2"].id
    browser.login(spring.accounts["college"])
    assert "没有填写单位所属行业类别" in browser.get(f"/college/organisations/{blank}").main
    assert "小学的团支部不标记" in browser.get(f"/college/organisations/{small}").main
    assert browser.get(f"/college/organisations/{two}").has_form(f"/organisations/{two}/mark")
    page = Browser(browser.client).login(spring.accounts["class2"]).get(f"/branch/organisations/{two}")
    assert "团支部不能标记" in page.main
    assert not page.has_form(f"/organisations/{two}/mark")
    page = Browser(browser.client).login(spring.accounts["province"]).get(f"/provincial/organisations/{two}")
    assert "由它的直接上级标记" in page.main
    assert not page.has_form(f"/organisations/{two}/mark")


@pytest.mark.rule("G-14", "G-15", "K-01")
def test_a_mark_is_changed_where_the_policy_lets_it(spring: World, browser: Browser) -> None:
    number = spring.orgs["class1"].id
    page = browser.login(spring.accounts["college"]).get(f"/college/organisations/{number}").click("更改毕业时间")
    failed = page.form("/mark/change").submit(month="2027-06")
    assert failed.status == 422
    assert "更改理由" in failed.main
    failed = failed.form("/mark/change").submit(month="2027-06", ground="study_length")
    assert failed.status == 422
    assert "具体情况" in failed.main
    done = failed.form("/mark/change").submit(ground="study_length", month="2027-06", reason="学制改为五年").follow()
    assert "毕业时间已更改" in done.text
    assert mark_of(spring, "class1").month == date(2027, 6, 1)
    assert queries.register_row(spring.graduate.id, 2026).closed_at is not None


@pytest.mark.rule("G-14", "K-01")
@pytest.mark.parametrize(
    ("layer", "words"), [("2019-national", "不能更改，也不能自行取消"), ("2022-nankai", "要由上级批准")]
)
def test_never_or_with_approval_there_is_no_form(
    spring: World, browser: Browser, monkeypatch: pytest.MonkeyPatch, layer: str, words: str
) -> None:
    policy = compose(lineage(layer), 2026)
    monkeypatch.setattr(policies, "policy_for", lambda *_: policy)
    address = f"/college/organisations/{spring.orgs['class1'].id}/mark/change"
    page = browser.login(spring.accounts["college"]).get(address)
    assert words in page.main
    assert not page.has_form("/mark/change")
    assert browser.post(address, {"month": "2027-06", "ground": "entry_error", "reason": "录错"}).status == 403
    assert mark_of(spring, "class1").month == date(2026, 6, 1)


@pytest.mark.rule("G-05", "G-06", "O-15")
def test_a_mixed_branch_and_its_members_one_by_one(spring: World, browser: Browser) -> None:
    number = spring.orgs["class2"].id
    page = browser.login(spring.accounts["college"]).get("/college/marking?state=unmarked")
    form = page.form("/marking/preview").submit(row=str(number)).form("/marking/confirm")
    done = form.submit(no_time="mixed", read="1")
    assert "已标记 1 个团支部" in done.main
    members = done.click("逐人标记混合型支部的团员").click("逐人标记")
    done = (
        members.form("/member-marks", button="标记")
        .submit(member=str(spring.sophomore.id), kind="individual", month="2026-06")
        .follow()
    )
    assert "已标记 1 名团员：单独标记" in done.text
    assert "2026年6月" in done.main
    assert queries.register_row(spring.sophomore.id, 2026) is not None


@pytest.mark.rule("G-16", "G-17", "G-18", "G-21")
def test_delayed_students_and_teachers_are_marked_and_taken_back(summer: World, browser: Browser) -> None:
    number = summer.orgs["class1"].id
    page = browser.login(summer.accounts["college"]).get(f"/college/organisations/{number}/member-marks")
    form = page.form("/member-marks", button="标记")
    early = form.submit(member=str(summer.graduate.id), kind="delayed", month="2026-06", reason="学分未修满")
    assert early.status == 422
    assert "必须晚于团支部的毕业时间 2026-06" in early.main
    kept = early.form("/member-marks", button="标记")
    assert kept.values["reason"] == "学分未修满"
    # After the conversion first what it would do (PD-59)
    asked = kept.submit(month="2027-06", kind="delayed", member=str(summer.graduate.id))
    done = asked.form(button="确认标记").submit().follow()
    assert "已标记 1 名团员：延迟毕业" in done.text
    browser.get(f"/college/organisations/{number}/member-marks").form("/member-marks", button="标记").submit(
        member=str(summer.classmate.id), kind="teacher"
    ).form(button="确认标记").submit()
    assert {mark.kind for mark in session.scalars(select(MemberMark))} == {MarkKind.DELAYED, MarkKind.TEACHER}
    listed = browser.get("/college/delayed")
    assert "丁一" in listed.main
    assert "学分未修满" in listed.main
    back = listed.form("/delayed/undo").submit(member=[str(summer.graduate.id), str(summer.classmate.id)])
    back = back.form(button="确认撤销").submit().follow()
    assert "已撤销 2 名团员的标记" in back.text
    assert rates.figures(summer.orgs["university"].path, 2026).graduates == 2


@pytest.mark.rule("G-20")
def test_a_branch_sees_why_it_cannot(summer: World, browser: Browser) -> None:
    number = summer.orgs["class1"].id
    page = browser.login(summer.accounts["class1"]).get(f"/branch/organisations/{number}/member-marks")
    assert "由学院、学校的管理员标记" in page.main
    refused = browser.post(
        f"/branch/organisations/{number}/member-marks", {"member": str(summer.graduate.id), "kind": "teacher"}
    )
    assert refused.status == 422
    assert session.scalars(select(MemberMark)).all() == []


@pytest.mark.rule("G-09")
def test_the_rehearsal_page_says_what_will_be(spring: World, browser: Browser) -> None:
    page = browser.login(spring.accounts["university"]).get("/school/marking").click("转换预演")
    assert "1 个团支部将转为毕业生团组织，2 名团员将成为毕业生；还有 1 个团支部没有标记" in page.main


@pytest.mark.rule("O-11")
def test_what_is_emptied_is_offered_for_closing(summer: World, browser: Browser) -> None:
    for member in (summer.graduate, summer.classmate):
        do(transfers.accept, apply(summer, member, "team", **EMPLOYED), summer.seat("team"))
    page = browser.login(summer.accounts["college"]).get("/college/marking").click("人已转完的毕业生团组织")
    done = page.form("/emptied/close").submit(row=str(summer.orgs["class1"].id)).follow()
    assert "已停用 1 个毕业生团组织" in done.text
    session.expire_all()
    assert summer.orgs["class1"].closed_at is not None


@pytest.mark.rule("G-23")
def test_leftovers_are_a_page_of_their_own(summer: World, browser: Browser, clock_at) -> None:
    clock_at("2027-06-02T09:00")
    page = browser.login(summer.accounts["college"]).get("/college/leftovers")
    assert "丁一" in page.main
    assert "2026年6月" in page.main
    assert "不计入本届衔接率" in page.main
    assert "丁一" not in browser.get("/college/graduates").main


@pytest.mark.rule("G-24")
def test_the_steps_of_the_campaign_stand_in_order_on_the_workbench(spring: World, browser: Browser) -> None:
    page = browser.login(spring.accounts["college"]).get("/college/")
    order = [page.main.index(words) for words in ("标记毕业时间", "确认身份", "发起转接", "审批和分配")]
    assert order == sorted(order)
    assert "未标记 1" in page.main
    assert "未发起 2" in page.main
    with unit_of_work():
        graduation.mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=None, no_time=NoTime.STAFF)
    apply(spring, spring.graduate, "company", **EMPLOYED)
    page = browser.get("/college/")
    assert "未发起 1" in page.main
    assert "正在办理 1" in page.main


def test_what_lies_elsewhere_is_not_there(spring: World, browser: Browser) -> None:
    number = spring.orgs["class1"].id
    browser.login(spring.accounts["company"])
    for path in (f"/school/organisations/{number}/mark/change", f"/school/organisations/{number}/member-marks"):
        assert browser.get(path).status == 404
    assert "没有符合条件的团支部" in browser.get("/school/marking").main
    sent = browser.post("/school/marking/confirm", {"rows": str(number), "month": "2027-06", "read": "1"})
    assert "已标记 0 个团支部" in sent.main
    assert mark_of(spring, "class1").month == date(2026, 6, 1)
