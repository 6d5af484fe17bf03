"""The administrators' desks as a secretary uses them, without JavaScript and as fragments."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.transfers.steps import UNPLACED, apply, start
from tests.world import World, id_number
from zhtj.graduation.models import BranchMark
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.letters.models import Letter
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

pytestmark = pytest.mark.both


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def state_of(number: int) -> State:
    session.expire_all()
    return session.get_one(Application, number).state


@pytest.mark.rule("A-08", "A-12")
def test_a_committee_accepts_and_allocates_in_one_step(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "company").id
    page = browser.login(world.accounts["company"]).get("/school/waiting")
    assert "丁一" in page.main
    asked = page.click("同意转入")
    done = asked.form(f"/applications/{number}/accept").submit(branch=str(world.orgs["team"].id)).follow()
    assert "丁一：已转入研发团支部" in done.text
    assert "没有等您办理的事" in done.main
    assert state_of(number) is State.COMPLETED


def test_the_line_becomes_its_own_result_with_htmx(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "team").id
    page = browser.login(world.accounts["team"]).get("/branch/waiting")
    line = page.form(f"/applications/{number}/accept").submit(htmx=True)
    assert line.status == 200
    assert "<html" not in line.source
    assert f'id="app-{number}"' in line.source
    assert "已转入研发团支部" in line.text
    # What waits now is his arrival
    assert 'id="waiting-count" class="count" data-hx-swap-oob="true">1<' in line.source
    assert not line.has_form(f"/applications/{number}/accept")


@pytest.mark.rule("A-15")
def test_a_refusal_without_reason_comes_back_with_what_was_typed(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "team").id
    page = browser.login(world.accounts["team"]).get("/branch/waiting")
    failed = page.click("不同意").form("/refuse").submit(ground="works_elsewhere", remark="不行")
    assert failed.status == 422
    assert "至少 5 个字" in failed.main
    form = failed.form(f"/applications/{number}/refuse")
    assert form.values["remark"] == "不行"
    assert form.values["ground"] == "works_elsewhere"
    done = form.submit(remark="本人已在滨湖新区就业").follow()
    assert "理由已告知" in done.text
    assert state_of(number) is State.REFUSED


@pytest.mark.rule("A-16")
def test_forbidden_grounds_are_shown_but_cannot_be_chosen(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "team").id
    page = browser.login(world.accounts["team"]).get(f"/branch/applications/{number}").click("不同意")
    assert "不是本单位正式职工" in page.main
    assert "按规定不得以此为由拒绝接收" in page.main
    sent = browser.post(
        f"/branch/applications/{number}/refuse", {"ground": "not_regular", "remark": "不是正式职工，不接收"}
    )
    assert sent.status == 422
    assert state_of(number) is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-13", "O-24")
def test_the_approver_sees_whom_to_ring_up(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "team").id
    page = browser.login(world.accounts["team"]).get(f"/branch/applications/{number}")
    for fact in ("丁一", "江淮示范大学计算机学院2022级软件工程专业1班团支部", "紧急联系人", "13700000001"):
        assert fact in page.main
    assert world.graduate.account.mobile in page.main
    assert world.accounts["class1"].mobile in page.main
    assert world.graduate.account.id_number not in page.source


@pytest.mark.rule("A-14")
@pytest.mark.parametrize(("key", "to"), [("team", "team"), ("company", "company")])
def test_nobody_accepts_without_having_been_asked_to_verify(world: World, browser: Browser, key: str, to: str) -> None:
    number = apply(world, world.graduate, to).id
    role = "branch" if key == "team" else "school"
    page = browser.login(world.accounts[key]).get(f"/{role}/applications/{number}")
    if key == "company":
        assert not page.has_form(f"/applications/{number}/accept")
        page = page.click("同意转入")
    assert "请先核实本人信息和去向" in page.main
    assert "审批前请与本人或原组织联系，核实身份和去向" in page.main
    assert page.has_form(f"/applications/{number}/accept")


def test_who_comes_second_is_told_what_happened(world: World, browser: Browser, client: FlaskClient) -> None:
    number = apply(world, world.graduate, "team").id
    page = browser.login(world.accounts["team"]).get("/branch/waiting")
    stale_form = page.form(f"/applications/{number}/accept")
    other = page.click("不同意").form("/refuse")
    other.submit(ground="works_elsewhere", remark="本人已在别处就业")
    late = stale_form.submit()
    assert late.status == 409
    assert "办理了“不同意”" in late.text
    assert state_of(number) is State.REFUSED


@pytest.mark.parametrize("path", ["/township/", "/branch/applications/{n}", "/branch/members/{m}"])
def test_other_people_s_things_do_not_exist(world: World, browser: Browser, path: str) -> None:
    number = apply(world, world.graduate, "company").id
    browser.login(world.accounts["team"])
    assert browser.get(path.format(n=number, m=world.sophomore.id)).status == 404


def test_a_tampered_form_is_refused_not_a_crash(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "company").id
    browser.login(world.accounts["company"]).get("/school/waiting")
    for path, values in (
        (f"/school/applications/{number}/explode", {}),
        (f"/school/applications/{number}/accept", {"branch": "0 OR 1"}),
        (f"/school/applications/{number}/accept", {"branch": str(world.orgs["class2"].id)}),
        (f"/school/applications/{number}/refuse", {"ground": "nonsense", "remark": "一二三四五六"}),
        (f"/school/applications/{number}/submit", {}),
    ):
        assert browser.post(path, values).status in {400, 404, 422}, path
    assert browser.post(f"/school/applications/{number}/accept", {}, token=False).status == 400
    assert state_of(number) is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("A-03")
def test_the_class_secretary_starts_a_transfer_out(world: World, browser: Browser) -> None:
    path = f"/branch/members/{world.graduate.id}/transfer-out"
    page = browser.login(world.accounts["class1"]).get(f"{path}?q=研发团支部")
    form = page.click("研发团支部").form("/transfer-out")
    missing = form.submit(reason="employed_with_org")
    assert missing.status == 422
    assert "请填写工作单位名称" in missing.main
    done = missing.form("/transfer-out").submit(unit_name="示例科技有限公司").follow()
    assert "转接申请已提交" in done.text
    assert "待转入方审批" in done.main


@pytest.mark.rule("A-04", "A-05")
def test_transfer_in_needs_name_and_full_number_and_shows_organisation_and_contact_only(
    world: World, browser: Browser
) -> None:
    page = browser.login(world.accounts["company"]).get("/school/transfer-in")
    wrong = page.form("/transfer-in").submit(name="丁二", id_number=world.graduate.account.id_number)
    assert wrong.status == 422
    assert "没有找到这位团员" in wrong.main
    found = wrong.form("/transfer-in").submit(name="丁一")
    assert found.status == 200
    assert "江淮示范大学计算机学院2022级软件工程专业1班团支部" in found.main
    assert world.accounts["class1"].mobile in found.main
    for secret in (world.graduate.account.mobile, world.graduate.account.id_number, "13700000001"):
        assert secret not in found.source
    done = (
        found.form("/transfer-in")
        .submit(to=world.orgs["team"].code, reason="employed_with_org", unit_name="示例科技有限公司")
        .follow()
    )
    assert "待转出方同意" in done.main
    looks = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.look_up")).all()
    assert [look.detail["found"] for look in looks] == [False, True]


@pytest.mark.rule("A-06")
def test_both_starts_say_at_the_name_that_business_is_open_and_lead_to_it(world: World, browser: Browser) -> None:
    # given a graduate who has applied to the company
    number = apply(world, world.graduate, "company").id
    # when his class, or the company, starts another one for him: there is no form to fill in, but the application
    page = browser.login(world.accounts["class1"]).get(f"/branch/members/{world.graduate.id}/transfer-out")
    assert "已有业务正在办理，不能重复发起" in page.main
    assert not page.has_form("/transfer-out")
    assert "选择转入组织" not in page.main
    assert page.click("查看申请").url == f"/branch/applications/{number}"
    name, id_number = "丁一", world.graduate.account.id_number
    form = browser.login(world.accounts["company"]).get("/school/transfer-in").form("/transfer-in")
    page = form.submit(name=name, id_number=id_number)
    assert "已有业务正在办理，不能重复发起" in page.main
    assert not page.has_form("/transfer-in")
    assert page.click("查看申请").url == f"/school/applications/{number}"
    # and whoever has no part in it is told whom to ring up, not where he goes
    form = browser.login(world.accounts["township"]).get("/school/transfer-in").form("/transfer-in")
    page = form.submit(name=name, id_number=id_number)
    assert "已有业务正在办理，不能重复发起" in page.main
    assert world.accounts["class1"].mobile in page.main
    assert "查看申请" not in page.main
    assert world.orgs["company"].short_name not in page.main


@pytest.mark.slow("goes to the limit of its kind")
def test_looking_people_up_is_limited(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["company"]).get("/school/transfer-in")
    form = page.form("/transfer-in")
    answers = [form.submit(name="查无此人", id_number=id_number(400 + n)) for n in range(61)]
    assert answers[0].status == 422
    assert answers[-1].status == 429
    assert int(answers[-1].response.headers["Retry-After"]) > 0


def test_the_full_number_is_shown_on_demand_and_the_look_is_recorded(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["college"]).get(f"/college/members/{world.graduate.id}")
    number = world.graduate.account.id_number
    assert number is not None
    assert number not in page.source
    shown = page.form("/number").submit()
    assert number in shown.main
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.number_seen")).all()
    assert [(e.subject_id, e.account_id) for e in events] == [(world.graduate.id, world.accounts["college"].id)]


@pytest.mark.rule("G-03", "G-12")
def test_the_college_marks_a_branch_with_a_month_or_a_reason(world: World, browser: Browser) -> None:
    path = f"/college/organisations/{world.orgs['class2'].id}"
    page = browser.login(world.accounts["college"]).get(path)
    for both in ({"month": "2026-06", "no_time": "mixed"}, {"month": "", "no_time": ""}):
        failed = page.form("/mark").submit(month=both["month"], no_time=both["no_time"])
        assert failed.status == 422
        assert "两者只填一项" in failed.main
    done = page.form("/mark").submit(month="2027-06").follow()
    assert "毕业时间已标记" in done.text
    assert session.get_one(BranchMark, world.orgs["class2"].id).month.isoformat() == "2027-06-01"


@pytest.mark.rule("G-12")
def test_a_branch_marks_nothing(world: World, browser: Browser) -> None:
    browser.login(world.accounts["class2"]).get("/branch/")
    assert browser.post(f"/branch/organisations/{world.orgs['class2'].id}/mark", {"month": "2027-06"}).status == 403


@pytest.mark.slow("prints a letter")
@pytest.mark.rule("L-02", "L-03")
def test_the_school_issues_the_letter_and_nobody_else(world: World, browser: Browser) -> None:
    number = apply(world, world.graduate, "company").id
    world.orgs["university"].phone = "0551-6000001"
    world.orgs["university"].address, world.orgs["university"].postcode = "合肥市蜀山区示范路 1 号", "230031"
    session.commit()
    for key, home in (("class1", "branch"), ("college", "college"), ("company", "school")):
        browser.login(world.accounts[key])
        assert browser.get(f"/{home}/applications/{number}/letter").status in {403, 404} or key == "company"
        assert browser.post(f"/{home}/applications/{number}/letter", {"dues_until": "2026-06"}).status in {
            403,
            404,
            422,
        }
    assert session.scalars(select(Letter)).first() is None
    page = browser.login(world.accounts["university"]).get(f"/school/applications/{number}")
    form = page.click("开具介绍信").form("/letter")
    done = form.submit(dues_until="2026-06", file_disposition="with_personal_file").follow()
    assert "已开具2026年001号介绍信" in done.text.replace(" ", "")
    letter = session.scalars(select(Letter)).one()
    printed = browser.get(f"/school/letters/{letter.id}.pdf")
    assert printed.status == 200
    assert printed.response.get_data().startswith(b"%PDF")


@pytest.mark.slow("more lines than a page holds")
def test_lists_are_paged_and_searched(world: World, browser: Browser) -> None:
    for number in range(25):
        world.enrol(f"学生{number:02d}", "class2")
    session.commit()
    browser.login(world.accounts["college"])
    first = browser.get("/college/members")
    second = first.click("下一页")
    assert "学生20" in second.main
    assert "学生00" in second.click("上一页").main
    found = first.form("/members", button="筛选").submit(q="学生07")
    assert "学生07" in found.main
    assert "学生08" not in found.main
    assert browser.get("/college/members?q=无此人").status == 200
    assert "没有找到团员" in browser.get("/college/members?q=无此人").main
    assert browser.get("/college/members?after=garbage").status == 422


@pytest.mark.rule("A-11")
def test_the_college_follows_its_graduates_applications(world: World, browser: Browser) -> None:
    apply(world, world.graduate, "company")
    start(world.seat("class1"), world.classmate, world.orgs["floating"], **UNPLACED)
    page = browser.login(world.accounts["college"]).get("/college/applications?side=out")
    assert "丁一" in page.main
    assert "卜喆" in page.main
    assert "示例科技团委" in page.main
    assert "团井岗镇委" in page.main


@pytest.mark.rule("U-04")
def test_a_code_is_issued_for_a_member_and_a_sheet_for_a_selection(world: World, browser: Browser) -> None:
    browser.login(world.accounts["class1"])
    shown = browser.get(f"/branch/members/{world.graduate.id}").form("/code").submit()
    assert "重置密码验证码" in shown.main
    world.graduate.account.activated_at = None
    session.commit()
    page = browser.get("/branch/members")
    sheet = page.form("/members/codes").submit(member=[str(world.graduate.id), str(world.classmate.id)])
    assert sheet.status == 200
    assert "丁一" in sheet.text
    assert "卜喆" in sheet.text
    empty = page.form("/members/codes").submit(member=None)
    assert empty.status == 422


def test_nobody_is_put_into_a_branch_kept_for_those_who_stay(world: World, browser: Browser) -> None:
    with unit_of_work():
        university = session.merge(world.orgs["university"])
        for purpose, name in ((Purpose.FLOATING, "流动"), (Purpose.OVERSEAS, "出国"), (Purpose.DELAYED, "延迟")):
            kept = NewOrganisation(f"江淮示范大学{name}团支部", f"{name}团支部", Category.BRANCH, purpose=purpose)
            orgs.create(university, kept)
    number = apply(world, world.employee, "university", reason="other", remark="考上本校研究生", confirmed=True).id
    page = browser.login(world.accounts["university"]).get(f"/school/applications/{number}").click("同意转入")
    assert "软工2班团支部" in page.main
    for name in ("流动团支部", "出国团支部", "延迟团支部"):
        assert name not in page.main
