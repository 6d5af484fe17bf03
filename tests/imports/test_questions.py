"""The preview asks what nobody can know, once for an organisation; an upload is itself, whatever another tab does."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.imports.making import person, workbook
from tests.world import World
from zhtj.imports.files import finding, workbooks
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.models import ImportBatch, ImportMeaning
from zhtj.people.models import Member

ADDRESS = "/school/imports/members"
CLASS1 = "江淮示范大学计算机学院2022级软件工程专业1班团支部"


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    """The university's secretary."""
    return Browser(client).login(world.accounts["university"])


def sheet(*serials: int, **headings: str) -> bytes:
    """A roster of these people; ``headings`` calls columns otherwise."""
    people = [person(serial, 姓名=f"导入{chr(0x4E00 + serial)}", 所在团支部=CLASS1) for serial in serials]
    names = list(people[0])
    rows = [[headings.get(name, name) for name in names], *([one[name] for name in names] for one in people)]
    return workbook({"名单": rows})


def upload(browser: Browser, data: bytes, name: str = "名单.xlsx", address: str = ADDRESS) -> Page:
    return browser.get(address).form(address).submit(file=(BytesIO(data), name)).follow()


def address_of(page: Page, what: str) -> str:
    """Where a button of the page sends its form."""
    actions = (form.get("action") or "" for form in page.document.iter("form"))
    return next(action for action in actions if what in action).partition("?")[0]


def said(field: str, value: str) -> dict[str, Any]:
    """An answer."""
    return {field: value}


def entered(session: Session) -> int:
    query = select(func.count()).select_from(Member).where(Member.dev_number.like("20193401%"))
    return session.scalar(query) or 0


def test_a_heading_nobody_knows_is_named_once_and_known_from_then_on(browser: Browser, session: Session) -> None:
    page = upload(browser, sheet(200, 201, 身份证号码="证照号"))
    assert "缺少必需的列：身份证号码" in page.text
    assert "“证照号”这一列是" in page.text
    assert not page.has_form(f"{ADDRESS}/1/apply")

    answers: dict[str, Any] = {"heading:证照号": "身份证号码"}
    page = page.form(address_of(page, "/meanings")).submit(**answers).follow()
    assert "导入 2 条" in page.text

    again = upload(browser, sheet(202, 身份证号码="证照号"), "第二份.xlsx")
    assert "导入 1 条" in again.text
    assert "先说明一下" not in again.text


def test_what_one_organisation_says_holds_for_no_other(browser: Browser, world: World, client: FlaskClient) -> None:
    page = upload(browser, sheet(206, 身份证号码="证照号"))
    answers: dict[str, Any] = {"heading:证照号": "身份证号码"}
    page.form(address_of(page, "/meanings")).submit(**answers)

    college = Browser(client).login(world.accounts["college"])
    page = upload(college, sheet(207, 身份证号码="证照号"), address="/college/imports/members")
    assert "“证照号”这一列是" in page.text


def test_nobody_is_asked_about_the_column_that_counts_the_rows(browser: Browser) -> None:
    page = upload(browser, sheet(214, 发展团员编号="序号"))
    assert "“序号”这一列是" not in page.text
    assert "没有这样的列" not in page.text
    assert "没有读取的列：序号" in page.text


def test_the_list_of_a_branch_need_not_name_it(browser: Browser, client: FlaskClient, world: World) -> None:
    people = [person(serial) for serial in (215, 216)]
    rows = [[name for name in people[0] if name != "所在团支部"]]
    rows += [[one[name] for name in rows[0]] for one in people]
    page = upload(browser, workbook({"名单": rows}))
    assert "缺少必需的列：所在团支部" in page.text

    branch = Browser(client).login(world.accounts["class1"])
    page = upload(branch, workbook({"名单": rows}), address="/branch/imports/members")
    assert "导入 2 条" in page.text
    wrong = [[*rows[0], "所在团支部"], [*rows[1], "江淮示范大学计算机学院2022级软件工程专业2班团支部"]]
    page = upload(branch, workbook({"名单": wrong}), address="/branch/imports/members")
    assert "没有全称为" in page.text


def test_a_short_name_is_answered_with_the_full_one(browser: Browser) -> None:
    people = person(217, 所在团支部="软工1班团支部")
    page = upload(browser, workbook({"名单": [list(people), list(people.values())]}))
    assert f"最接近的是：{CLASS1}。请改成系统内的全称" in page.text


def test_a_column_that_is_not_wanted_is_not_asked_about_again(browser: Browser) -> None:
    page = upload(browser, sheet(203, 发展团员编号="编号甲"))
    page = page.form(address_of(page, "/meanings")).submit(**said("heading:编号甲", "-")).follow()
    assert "“编号甲”这一列是" not in page.text
    again = upload(browser, sheet(204, 发展团员编号="编号甲"))
    assert "“编号甲”这一列是" not in again.text


def test_a_word_with_several_meanings_is_answered_for_all_its_rows(browser: Browser, session: Session) -> None:
    people = [person(serial, 所在团支部=CLASS1) for serial in (210, 211)]
    names = list(people[0])
    rows = [[*names, "政治面貌"], *([*one.values(), "青年"] for one in people)]
    page = upload(browser, workbook({"名单": rows}))
    assert "政治面貌“青年”（2 行）是" in page.text
    assert "没有“青年”这一项" in page.text

    page = page.form(address_of(page, "/meanings")).submit(**said("value:政治面貌:青年", "共青团员")).follow()
    assert "导入 2 条" in page.text
    kept = session.scalars(select(ImportMeaning)).one()
    assert (kept.column, kept.words, kept.meaning) == ("政治面貌", "青年", "共青团员")


def test_two_headings_cannot_mean_one_column(browser: Browser) -> None:
    page = upload(browser, sheet(212, 身份证号码="甲号", 发展团员编号="乙号"))
    answers: dict[str, Any] = {"heading:甲号": "身份证号码", "heading:乙号": "身份证号码"}
    answer = page.form(address_of(page, "/meanings")).submit(**answers)
    assert answer.status == 422
    assert "两列选成了同一列" in answer.text


def test_what_was_not_read_is_listed_on_the_page(browser: Browser) -> None:
    people = [*person(213, 所在团支部=CLASS1).items()]
    heads, row = [name for name, _ in people], [value for _, value in people]
    data = workbook(
        {"一班": [[*heads, "备注"], [*row, "班长"], ["合计", "1"]], "值班": [["周一", "王老师"], ["周二", "丁"]]}
    )
    page = upload(browser, data)
    assert "读取的工作表：“一班”" in page.text
    assert "没有读取的列：备注" in page.text
    assert "第 3 行（合计）" in page.text
    assert "工作表“值班”没有读取" in page.text


def test_two_uploads_wait_side_by_side_and_each_page_confirms_its_own(browser: Browser, session: Session) -> None:
    first = upload(browser, sheet(220, 221), "甲.xlsx")
    second = upload(browser, sheet(230), "乙.xlsx")
    page = browser.get(ADDRESS)
    assert "甲.xlsx" in page.text
    assert "乙.xlsx" in page.text

    mine = address_of(first, "/apply")
    assert first.form(mine).submit().status == 303
    assert entered(session) == 2
    assert second.form(address_of(second, "/apply")).submit().status == 303
    assert entered(session) == 3


@pytest.mark.parametrize("what", ["apply", "discard", "meanings"])
def test_a_page_of_another_file_can_do_nothing_to_this_one(browser: Browser, session: Session, what: str) -> None:
    page = upload(browser, sheet(240))
    batch = session.scalars(select(ImportBatch)).one()
    wrong = browser.post(f"{ADDRESS}/{batch.id}/{what}?file={'0' * 16}", {"accepted": "1"})
    missing = browser.post(f"{ADDRESS}/{batch.id}/{what}", {"accepted": "1"})
    assert (wrong.status, missing.status) == (409, 409)
    assert "不是同一份" in wrong.text
    assert browser.get(f"{ADDRESS}/{batch.id}?file={'0' * 16}").status == 409
    assert "导入 1 条" in page.text
    assert entered(session) == 0


def test_the_rows_come_back_with_what_is_wrong_and_go_in_once_it_is_put_right(
    browser: Browser, session: Session
) -> None:
    page = upload(browser, sheet(250, 251))
    assert "下载标出问题的名单" not in page.links()
    people = [person(252, 所在团支部=CLASS1), person(253, 所在团支部=CLASS1, 手机号码="123")]
    names = list(people[0])
    page = upload(browser, workbook({"名单": [[*names, "备注"], *([*one.values(), "班长"] for one in people)]}))
    marked = browser.client.get(page.links()["下载标出问题的名单"]).data
    (read,) = workbooks.read(marked)
    assert read.rows[0][1][-2:] == ["备注", "需要改正"]
    assert read.rows[1][1][-1] != read.rows[2][1][-1]
    assert "手机号码应为 11 位" in str(read.rows[2][1][-1])

    table = finding.find([read], ROSTER)
    assert table.unknown == ["备注"]
    assert [row.cells["姓名"] for row in table.rows] == ["王敏", "王敏"]


def test_files_that_wait_are_counted(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhtj.imports.batches.MOST_WAITING", 1)
    upload(browser, sheet(260))
    answer = browser.get(ADDRESS).form(ADDRESS).submit(file=(BytesIO(sheet(261)), "第二份.xlsx"))
    assert answer.status == 422
    assert "已有 1 份文件等待确认" in answer.text
