"""Whom each college names for the season (F-13), and the record of destinations and transfers (F-14)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import func, select, text

from tests.browsing import Browser
from tests.imports.making import xlsx
from tests.transfers.steps import apply
from tests.world import World
from zhtj.graduation import destinations
from zhtj.graduation.destinations import Given
from zhtj.graduation.models import RegisterRow
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category
from zhtj.policy.vocabulary import Reason

NAMED: dict[str, Any] = {
    "name_leader": "王老师",
    "phone_leader": "0551-65500001",
    "name_deputy": "李同学",
    "phone_deputy": "13800001111",
    "name_cadre": "赵同学",
    "phone_cadre": "13800002222",
}


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def sheet(content: bytes) -> list[tuple[Any, ...]]:
    return list(load_workbook(BytesIO(content)).active.iter_rows(values_only=True))


@pytest.mark.rule("F-13")
def test_a_college_names_three_and_the_school_sees_who_is_missing(world: World, browser: Browser) -> None:
    with unit_of_work():
        name = "共青团江淮示范大学外国语学院总支部委员会"
        world.add("college2", "university", name, "外院团总支", Category.GENERAL_BRANCH, "普通高等院校")
    # Given a college that fills in the form, not all of it at first
    form = browser.login(world.accounts["college"]).get("/college/graduates").click("学社衔接负责人").form("/liaisons")
    page = form.submit(**(NAMED | {"phone_cadre": "没有"}))
    assert page.status == 422
    assert "请填写团总支干部的电话" in page.main
    assert 'value="李同学"' in page.source
    page = page.form("/liaisons").submit(**NAMED).follow()
    assert "学社衔接负责人已登记" in page.text
    assert "13800001111" not in session.execute(text("SELECT phone FROM liaisons WHERE role = 'deputy'")).scalar_one()
    # The school sees both, and who is missing, with the day by which they are named
    browser.login(world.accounts["university"])
    page = browser.get("/school/liaisons")
    for words in ("5月30日", "王老师", "0551-65500001", "外院团总支", "未登记"):
        assert words in page.main
    assert "计算机学院" not in browser.get("/school/liaisons?state=no").main
    assert "外院团总支" not in browser.get("/school/liaisons?state=yes").main
    # And takes the sheet, which is noted
    rows = sheet(page.form("/liaisons/export").submit().response.data)
    assert rows[0] == (
        "学院",
        "学院团总支负责人姓名",
        "学院团总支负责人联系电话",
        "学生副书记姓名",
        "学生副书记联系电话",
        "团总支干部姓名",
        "团总支干部联系电话",
        "登记时间",
    )
    college = world.orgs["college"].full_name
    assert rows[1] == (
        college,
        "王老师",
        "0551-65500001",
        "李同学",
        "13800001111",
        "赵同学",
        "13800002222",
        "2026-10-14",
    )
    assert rows[2][:2] == ("共青团江淮示范大学外国语学院总支部委员会", None)
    noted = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "liaisons.export")
    assert session.scalar(noted) == 1
    # A change takes the place of what was said before
    browser.login(world.accounts["college"])
    browser.get("/college/liaisons").form("/liaisons").submit(name_deputy="孙同学").follow()
    assert session.execute(text("SELECT count(*) FROM liaisons")).scalar_one() == 3
    assert "孙同学" in browser.login(world.accounts["university"]).get("/school/liaisons").main


@pytest.mark.rule("F-13")
def test_the_sheet_comes_back_filled_in(world: World, browser: Browser) -> None:
    with unit_of_work():
        name = "共青团江淮示范大学外国语学院总支部委员会"
        world.add("college2", "university", name, "外院团总支", Category.GENERAL_BRANCH, "普通高等院校")
    address = "/school/imports/liaisons"
    page = browser.login(world.accounts["university"]).get("/school/liaisons")
    heads, first, second = sheet(page.form("/liaisons/export").submit().response.data)
    named = ["王老师", "0551-65500001", "李同学", 13800001111, "赵同学", "13800002222"]
    rows = [heads, [first[0], *named], ["外院团总支", "钱老师", "", "", "", "", ""], ["理学院", *named]]
    page = browser.get(address).form(address).submit(file=(BytesIO(xlsx([[*map(str, rows[0])], *rows[1:]])), "表.xlsx"))
    page = page.follow()
    assert "导入 1 条，跳过 2 条" in page.text
    assert "没有叫“理学院”的学院" in page.text
    assert "请填写学院团总支负责人的电话" in page.text
    action = next(form.get("action") for form in page.document.iter("form") if "/apply" in (form.get("action") or ""))
    done = page.form(action.partition("?")[0]).submit().follow()
    assert "已导入 1 条" in done.text
    assert "王老师" in browser.get("/school/liaisons").main

    again = xlsx([list(map(str, heads)), [first[0], "周老师", *named[1:]], [second[0], "", "", "", "", "", ""]])
    page = browser.get(address).form(address).submit(file=(BytesIO(again), "表.xlsx")).follow()
    assert "学院团总支负责人姓名：王老师 → 周老师" in page.text
    assert "无变化 1" in page.text


def test_no_branch_is_asked(world: World, browser: Browser) -> None:
    assert browser.login(world.accounts["class1"]).get("/branch/liaisons").status == 403


@pytest.mark.rule("F-14")
def test_destination_and_transfer_of_each_graduate_stand_on_one_sheet(world: World, browser: Browser) -> None:
    with unit_of_work():
        row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == world.graduate.id)).one()
        given = Given(reason=Reason.EMPLOYED_WITH_ORG, unit_name="示例科技有限公司", mobile="13800009999")
        destinations.enter(row, given)
    apply(world, world.graduate, "team")
    page = browser.login(world.accounts["college"]).get("/college/graduates").form("/exports/list/record")
    answer = page.submit(format="xlsx")
    assert answer.status == 200
    rows = sheet(answer.response.data)
    cells = [str(cell) for row in rows for cell in row if cell]
    groups = "毕业去向登记", "转出情况实时记录"
    assert all(group in cells for group in groups)
    (mine,) = [row for row in rows if "丁一" in row]
    for words in ("计算机学院团总支", "示例科技有限公司", "待转入方审批", "研发团支部", "2026-10-14"):
        assert words in mine
    (other,) = [row for row in rows if "卜喆" in row]
    assert "未发起" in other
