"""去向登记 by the graduate, by his branch and college, and from a file (F-12, F-14, T-33, T-34, PD-09)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.world import World
from zhtj.graduation import destinations, queries
from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.people.models import Member

F12 = [
    "毕业去向类别",
    "升学学校或工作单位",
    "详细地址",
    "所属乡镇街道",
    "户籍所在地",
    "本人居住地",
    "父母居住地",
    "手机号码",
]


@pytest.fixture
def spring(clock_at, session: Session) -> World:
    clock_at("2026-05-10T09:00")
    return World.build()


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def row_of(member: Member) -> RegisterRow:
    session.expire_all()
    row = queries.register_row(member.id, 2026)
    assert row is not None
    return row


@pytest.mark.rule("T-34", "PD-09")
def test_a_graduate_registers_on_his_phone_and_corrects_it(spring: World, browser: Browser) -> None:
    page = browser.login(spring.graduate.account).get("/member/destination")
    missing = page.form("/member/destination").submit(reason="further_study", household="六安市金寨县")
    assert missing.status == 422
    assert "请填写录取学校名称" in missing.main
    form = missing.form("/member/destination")
    assert form.values["household"] == "六安市金寨县"
    done = form.submit(unit_name="黄山师范大学", township="屯溪区阳湖镇").follow()
    assert "毕业去向已登记" in done.text
    assert "统计时计入：升学" in done.main
    assert row_of(spring.graduate).category is GraduateCategory.FURTHER_STUDY
    done.form("/member/destination").submit(reason="unplaced")
    assert row_of(spring.graduate).category is GraduateCategory.SOCIETY


def test_who_does_not_graduate_is_told_so(spring: World, browser: Browser) -> None:
    page = browser.login(spring.sophomore.account).get("/member/destination")
    assert "您不在今年的毕业生名册中" in page.main
    assert browser.post("/member/destination", {"reason": "other"}).status == 200
    assert queries.register_row(spring.sophomore.id, 2026) is None


@pytest.mark.rule("T-33", "F-14", "PD-09")
@pytest.mark.parametrize(("key", "role"), [("class1", "branch"), ("college", "college"), ("university", "school")])
def test_branch_and_college_register_singly(spring: World, browser: Browser, key: str, role: str) -> None:
    page = browser.login(spring.accounts[key]).get(f"/{role}/destinations?state=no")
    assert "未登记2" in page.main
    done = page.click("丁一").form("/destination").submit(reason="employed_with_org", unit_name="示例科技").follow()
    assert "丁一的去向已登记" in done.text
    assert "未登记1" in done.main
    listed = browser.get(f"/{role}/destinations?state=yes")
    assert "已落实工作单位（单位有团组织）" in listed.main
    assert "示例科技" in listed.main


def test_what_lies_elsewhere_is_not_there(spring: World, browser: Browser) -> None:
    browser.login(spring.accounts["company"])
    assert browser.get(f"/school/members/{spring.graduate.id}/destination").status == 404
    assert browser.get("/school/members/999999/destination").status == 404


# ---- files


def file_of(*lines: dict[str, Any]) -> bytes:
    headings = ["姓名", "身份证号码", "学号", *F12]
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(headings)
    for line in lines:
        sheet.append([line.get(heading, "") for heading in headings])
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def upload(browser: Browser, content: bytes, role: str = "college") -> Page:
    address = f"/{role}/imports/destinations"
    browser.get(address)
    values = {"file": (BytesIO(content), "去向.xlsx"), "csrf_token": browser.token}
    answer = browser.client.post(address, data=values, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text[:500]
    return browser.get(answer.location)


def persons(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    one = {
        "姓名": "丁一",
        "身份证号码": world.graduate.account.id_number,
        "毕业去向类别": "升学",
        "升学学校或工作单位": "黄山师范大学",
        "详细地址": "西海路39号",
        "所属乡镇街道": "屯溪区阳湖镇",
        "户籍所在地": "六安市金寨县",
        "本人居住地": "合肥市蜀山区",
        "父母居住地": "六安市金寨县梅山镇",
        "手机号码": "13800009999",
    }
    two = {"姓名": "卜喆", "学号": world.classmate.student_no, "毕业去向类别": "未落实就业去向"}
    return one, two


@pytest.mark.rule("F-12", "F-14", "T-33", "T-34")
def test_many_from_a_file_with_preview_and_back_again(spring: World, browser: Browser) -> None:
    browser.login(spring.accounts["college"])
    preview = upload(browser, file_of(*persons(spring)))
    assert "新增 2" in preview.main
    assert session.scalars(select(RegisterRow.category)).all() == [None, None]
    done = preview.form("/apply").submit().follow()
    assert "已导入 2 条" in done.text
    assert row_of(spring.graduate).category is GraduateCategory.FURTHER_STUDY
    assert row_of(spring.classmate).category is GraduateCategory.SOCIETY
    # the export has the register's columns in their order, with what was imported
    page = browser.get("/college/destinations")
    answer = browser.client.post(page.form("/exports/list/destinations").action, data={"csrf_token": browser.token})
    rows = list(openpyxl.load_workbook(BytesIO(answer.data)).active.values)
    assert list(rows[0])[:3] == ["姓名", "学号", "毕业团支部"]
    assert list(rows[0])[3:11] == F12
    told = dict(zip(rows[0], rows[1], strict=True))
    assert {name: told[name] for name in F12} == {name: persons(spring)[0][name] for name in F12}
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "export.write")).all()
    assert [event.detail["rows"] for event in events] == [2]
    # imported again it changes nothing
    again = upload(browser, file_of(*persons(spring)))
    assert "无变化 2" in again.main


@pytest.mark.rule("F-12")
def test_every_wrong_row_says_why(spring: World, browser: Browser) -> None:
    one, two = persons(spring)
    lines = [
        one,
        {**one, "升学学校或工作单位": "另一所大学"},
        {**two, "毕业去向类别": "回家"},
        {**two, "姓名": "不是他", "毕业去向类别": "其他"},
        {"姓名": "卜喆", "毕业去向类别": "其他"},
        {**two, "毕业去向类别": "已落实工作单位（单位有团组织）"},
    ]
    browser.login(spring.accounts["college"])
    preview = upload(browser, file_of(*lines))
    for words in (
        "与第 2 行是同一个人",
        "没有“回家”这一类别",
        "名册中没有这个人，或姓名与号码不符",
        "没有填写身份证号码或学号",
        "请填写工作单位名称",
    ):
        assert words in preview.main, words
    done = preview.form("/apply").submit().follow()
    assert "已导入 1 条，跳过 5 条" in done.text


@pytest.mark.rule("F-12")
def test_another_school_s_graduates_are_not_found(spring: World, browser: Browser) -> None:
    browser.login(spring.accounts["company"])
    preview = upload(browser, file_of(persons(spring)[0]), "school")
    assert "名册中没有这个人" in preview.main
    assert destinations.entry_of(row_of(spring.graduate)) is None


def test_the_template_can_be_read_back(spring: World, browser: Browser) -> None:
    browser.login(spring.accounts["college"])
    answer = browser.client.get("/college/imports/destinations/template.xlsx")
    rows = [[cell for cell in row if cell] for row in openpyxl.load_workbook(BytesIO(answer.data)).active.values]
    assert ["姓名*", "身份证号码", "学号", "毕业去向类别*", *F12[1:]] in rows
