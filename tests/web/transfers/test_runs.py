"""Pages that start many: upload or pick, look, confirm, progress, result (PD-23)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import func, select

from tests.browsing import Browser, Page
from tests.imports.making import csv_bytes, xlsx
from tests.transfers.steps import EMPLOYED, apply
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member
from zhtj.transfers.many import runs
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

OUT, IN = "/college/transfer-out/many", "/school/transfer-in/many"
COMPANY = "共青团示例科技有限公司委员会"
REASON = "已落实工作单位（单位有团组织）"
HEADINGS = ["姓名", "身份证号码", "转接原因", "转入组织", "单位或学校"]


@pytest.fixture
def graduates(world: World) -> list[Member]:
    """Three more graduates."""
    with unit_of_work():
        found = [world.enrol(name, "class1") for name in ("龑喆", "毕业生甲", "毕业生乙")]
        graduation.open_register()
    return found


@pytest.fixture
def college(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.accounts["college"])


def upload(browser: Browser, address: str, data: bytes, name: str = "名单.xlsx") -> Page:
    return browser.get(address).form(address).submit(file=(BytesIO(data), name))


def started() -> int:
    return session.scalar(select(func.count(Application.id))) or 0


@pytest.mark.rule("PD-23")
def test_a_file_with_a_title_over_merged_cells_is_looked_at_and_started(
    college: Browser, graduates: list[Member]
) -> None:
    rows: list[Any] = [["2026届毕业生转出名单"], HEADINGS]
    rows += [[each.name, each.account.id_number, REASON, COMPANY, "示例科技"] for each in graduates]
    rows.append(["无此人", graduates[0].account.id_number, REASON, COMPANY, "示例科技"])
    page = upload(college, OUT, xlsx(rows, merges=["A1:E1"])).follow()
    # The preview names every row as the spreadsheet numbers it, and nothing is started yet
    assert "第 3 行" in page.main
    assert "第 6 行" in page.main
    assert "是同一人" in page.main
    assert started() == 0
    done = page.form("/confirm").submit().follow()
    assert done.main.count("已向示例科技团委发起，待转入方审批。") == 3
    assert started() == 3


def test_what_is_the_same_for_all_is_chosen_once(college: Browser, graduates: list[Member]) -> None:
    rows = [["姓名", "身份证号码"], *([each.name, each.account.id_number or ""] for each in graduates)]
    page = upload(college, OUT, csv_bytes(rows), "名单.csv").follow()
    assert "没有填写转接原因" in page.main
    nothing = page.form("/confirm").submit()
    assert nothing.status == 422
    assert "没有可以发起的" in nothing.main
    common: dict[str, Any] = {"reason": "employed_with_org", "to": COMPANY, "unit_name": "示例科技"}
    seen = nothing.form("/options", button="更新预览") if nothing.has_form("/options") else nothing.form("/confirm")
    done = seen.submit(**common).follow()
    assert done.main.count("已向示例科技团委发起") == 3


def test_picked_in_the_list_of_members(college: Browser, world: World, graduates: list[Member]) -> None:
    apply(world, graduates[2], "company", **EMPLOYED)
    before = started()
    picked = {"member": [str(each.id) for each in graduates]}
    page = college.post("/college/transfer-out/picked", picked).follow()
    assert "龑喆" in page.main
    assert "已有业务正在办理，不能重复发起。" in page.main
    common: dict[str, Any] = {"reason": "employed_with_org", "to": COMPANY, "unit_name": "示例科技"}
    done = page.form("/confirm").submit(**common).follow()
    assert started() == before + 2
    assert "已有业务正在办理，不能重复发起。" in done.main


def test_all_of_the_filter_are_picked_across_pages(college: Browser, world: World) -> None:
    with unit_of_work():
        for number in range(25):
            world.enrol(f"周{number}", "class1")
        graduation.open_register()
    page = college.get("/college/members?q=周")
    assert "全部 25 条" in page.main
    page = college.post("/college/transfer-out/picked", {"all": "1", "q": "周"}).follow()
    assert "选中的 25 名团员" in page.main


def test_a_member_of_somebody_else_is_not_picked(college: Browser, world: World) -> None:
    answer = college.post("/college/transfer-out/picked", {"member": str(world.employee.id)})
    assert "请先勾选" in answer.follow().main


@pytest.mark.rule("PD-37")
def test_a_freshman_list_tells_organisation_and_contact_and_is_logged(client: FlaskClient, world: World) -> None:
    name = "江淮示范大学2026级新生团支部"
    new = NewOrganisation(name, "2026级新生", Category.BRANCH, "普通高等院校", purpose=Purpose.NEW_STUDENTS)
    with unit_of_work():
        orgs.create(world.orgs["university"], new)
        freshman = world.enrol("龑喆", "team")
    number = freshman.account.id_number or ""
    school = Browser(client).login(world.accounts["university"])
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    rows = [["姓名", "身份证号码", "编入支部"], ["龑喆", number, "2026级新生"], ["龑喆喆", wrong, ""]]
    page = upload(school, IN, xlsx(rows)).follow()
    assert "研发团支部" in page.main
    assert number not in page.source
    assert freshman.account.mobile not in page.source
    assert session.scalar(select(func.count()).where(AuditEvent.action == "member.look_up")) == 1
    done = page.form("/confirm").submit().follow()
    assert "已向2026级新生发起，待转出方同意。" in done.main
    session.expire_all()
    assert session.scalars(select(Application.state)).one() is State.AWAITING_RELEASE


@pytest.mark.rule("PD-37")
def test_no_freshman_list_outside_schools(client: FlaskClient, world: World) -> None:
    assert Browser(client).login(world.accounts["company"]).get(IN).status == 403
    page = Browser(client).login(world.accounts["company"]).get("/school/transfer-in")
    assert "批量办理转入" not in page.main


@pytest.mark.slow("more lines than are done at once")
def test_more_than_a_few_are_left_to_a_job_with_a_page_that_says_how_far_it_is(college: Browser, world: World) -> None:
    with unit_of_work():
        people = [world.enrol(f"周{number}", "class1") for number in range(30)]
        graduation.open_register()
    page = college.post("/college/transfer-out/picked", {"member": [str(each.id) for each in people]}).follow()
    common: dict[str, Any] = {"reason": "employed_with_org", "to": COMPANY, "unit_name": "示例科技"}
    answer = page.form("/confirm").submit(**common)
    waiting = answer.follow()
    assert "0 / 30" in waiting.main
    assert "可以关闭本页" in waiting.main
    assert "刷新进度" in waiting.links()
    # The fragment that replaces itself; at the end it opens the result
    assert "0 / 30" in college.get(answer.location, htmx=True).source
    runs.work_off(int(answer.location.rsplit("/", 1)[1]))
    last = college.get(answer.location, htmx=True)
    assert last.response.headers["HX-Redirect"] == answer.location
    assert college.get(answer.location).main.count("已向示例科技团委发起") == 30


def test_thrown_away_is_gone(college: Browser, graduates: list[Member]) -> None:
    page = college.post("/college/transfer-out/picked", {"member": str(graduates[0].id)})
    number = page.location.rsplit("/", 1)[1]
    assert college.post(f"/college/runs/{number}/discard").status == 303
    assert college.get(page.location).status == 404


@pytest.mark.parametrize(("address", "columns"), [(OUT, 9), ("/college/transfer-in/many", 3)])
def test_the_template_can_be_filled_in(college: Browser, address: str, columns: int) -> None:
    answer = college.get(f"{address}/template.xlsx")
    sheet = load_workbook(BytesIO(answer.response.get_data())).active
    headings = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "姓名*")
    assert len(headings) == columns


@pytest.mark.slow("a file of fifty thousand lines")
def test_a_file_of_fifty_thousand_is_refused_at_the_field(college: Browser) -> None:
    page = upload(college, OUT, csv_bytes([["姓名", "身份证号码"], *([["某人", "1"]] * 50_000)]), "名单.csv")
    assert page.status == 422
    assert "一次最多 5,000 行" in page.main


def test_the_preview_keeps_what_was_not_read_of_the_file(college: Browser, graduates: list[Member]) -> None:
    row = [graduates[0].name, graduates[0].account.id_number, "", COMPANY, "示例科技", "班长"]
    page = upload(college, OUT, xlsx([[*HEADINGS, "职务"], row, ["合计", "1"]], sheet="转出")).follow()
    for words in ("读取的工作表：“转出”", "没有读取的列：职务", "第 3 行（合计）", "职务：没有这样的列"):
        assert words in page.main
    address = next(
        form.get("action") for form in page.document.iter("form") if "/confirm" in (form.get("action") or "")
    )
    chosen = college.post(address.replace("/confirm", "/options"), {"reason": "unplaced"}).follow()
    assert "没有读取的列：职务" in chosen.main


def test_the_result_of_a_file_keeps_its_row_numbers(college: Browser, graduates: list[Member]) -> None:
    rows = [HEADINGS, ["", "", "", "", ""], ["龑喆", graduates[0].account.id_number, REASON, COMPANY, "示例科技"]]
    rows.append(["毕业生甲", graduates[1].account.id_number, REASON, "没有这个组织", ""])
    page = upload(college, OUT, xlsx(rows)).follow()
    done = page.form("/confirm").submit()
    answer = college.get(f"{done.location}/result.xlsx")
    found = list(load_workbook(BytesIO(answer.response.get_data())).active.iter_rows(values_only=True))
    assert [row[:2] + row[4:6] for row in found[1:]] == [
        ("3", "龑喆", "成功", "已向示例科技团委发起，待转入方审批。"),
        ("4", "毕业生甲", "未办理", "没有找到组织“没有这个组织”。"),
    ]
