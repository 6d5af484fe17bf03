"""Files as schools bring them, each one of a kind, on the page and on the command line: every one comes out right."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.imports.conftest import DATA
from tests.world import World
from zhtj.cases.models import Case
from zhtj.graduation.models import DestinationEntry
from zhtj.kernel.database import unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Account, Member

BROUGHT = {path.name: path for path in (DATA / "brought").rglob("*.*")}
HISTORY = "皖中示范大学2023级历史学专业1班团支部"

# Roster, the names that enter, what the page says besides.
ROSTERS: dict[str, tuple[list[str], list[str]]] = {
    "second-sheet-联系电话-heading.xlsx": (
        ["甘晓禾", "鲍子墨", "卫一宁", "欧阳思远"],
        ["读取的工作表：第 1 张表“1班”、第 2 张表“2班”"],
    ),
    "second-sheet-no-header-continued.xlsx": (
        ["甘晓禾", "鲍子墨", "卫一宁", "欧阳思远"],
        ["工作表“2班”没有表头，按上一张表的列读取了"],
    ),
    "second-sheet-sample.xlsx": (["甘晓禾", "鲍子墨"], ["工作表“填写样例”没有读取"]),
    "biff5-gbk-codepage-936.xls": (["甘晓禾", "鲍子墨"], []),
    "html-table-BOM.xls": (["甘晓禾", "鲍子墨"], []),
    "html-div-first.xls": (["甘晓禾", "鲍子墨"], []),
    "csv-apostrophe-behind.csv": (["甘晓禾", "鲍子墨"], []),
    "header-with-hint-row-below.xlsx": (["甘晓禾", "鲍子墨"], ["第 2 行（必填）"]),
    "graduates-with-dots.xlsx": (
        ["阿依古丽·买买提", "吾买尔江·托合提", "Ali Hassan", "甘晓禾", "李Anna"],
        [],
    ),
}


@pytest.fixture
def town(session: Session, world: World) -> World:
    """The world, with a class of history below its university."""
    del session
    with unit_of_work():
        new = NewOrganisation(HISTORY, "历史1班团支部", Category.BRANCH, "普通高等院校")
        orgs.create(world.orgs["college"], new)
    return world


def upload(browser: Browser, file: str, address: str = "/school/imports/members") -> Page:
    data = BROUGHT[file].read_bytes()
    return browser.get(address).form(address).submit(file=(BytesIO(data), file))


def action(page: Page, what: str) -> str:
    """Where the form of the page goes that does this."""
    actions = [form.get("action") or "" for form in page.document.iter("form")]
    return next(one for one in actions if f"/{what}" in one).partition("?")[0]


def confirm(page: Page) -> Page:
    return page.form(action(page, "apply")).submit().follow()


def entered(session: Session) -> list[str]:
    """Who was imported: their student numbers are those of the files."""
    session.expire_all()
    theirs = Member.student_no.startswith("2301") | Member.student_no.startswith("20229000")
    return list(session.scalars(select(Account.name).join(Member).where(theirs).order_by(Member.id)))


@pytest.mark.rule("PD-31", "PD-55")
@pytest.mark.parametrize("file", ROSTERS)
def test_a_roster_enters_whole_and_the_page_says_what_was_passed_over(
    client: FlaskClient, town: World, session: Session, file: str
) -> None:
    names, words = ROSTERS[file]
    page = upload(Browser(client).login(town.accounts["university"]), file).follow()
    for said in words:
        assert said in page.text
    assert f"导入 {len(names)} 条" in page.text
    confirm(page)
    assert entered(session) == names


@pytest.mark.rule("PD-31", "PD-55")
@pytest.mark.parametrize("file", ROSTERS)
def test_the_command_reads_them_as_the_page_does(app: Flask, town: World, session: Session, file: str) -> None:
    names, words = ROSTERS[file]
    code, path = town.orgs["university"].code, str(BROUGHT[file])
    done = app.test_cli_runner().invoke(args=["members", "import", path, "--org", code, "--json"])
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["accepted"], answer["errors"]) == (0, len(names), [])
    assert entered(session) == names
    for said in words:
        if said.startswith("工作表"):
            assert any(said in one["cause"] for one in answer["warnings"])


def test_a_hidden_sheet_is_not_taken_and_the_visible_one_is_named(
    client: FlaskClient, app: Flask, town: World, session: Session
) -> None:
    file = "visible-sheet-unusable-hidden-sheet-taken.xlsx"
    page = upload(Browser(client).login(town.accounts["university"]), file)
    assert page.status == 422
    assert "隐藏的工作表“旧名单”没有读取" in page.text
    code = town.orgs["university"].code
    done = app.test_cli_runner().invoke(args=["members", "import", str(BROUGHT[file]), "--org", code])
    assert done.exit_code == 1
    assert "隐藏的工作表“旧名单”没有读取" in done.stderr
    assert entered(session) == []


@pytest.mark.rule("PD-55")
def test_names_that_are_none_say_what_to_write(client: FlaskClient, app: Flask, town: World, session: Session) -> None:
    file = "names-with-remarks-and-lost-signs.xlsx"
    page = upload(Browser(client).login(town.accounts["college"]), file, "/college/imports/members").follow()
    assert "“团员”（1 处）按“共青团员”登记" in page.text
    assert "“03”（1 处）按“共青团员”登记" in page.text
    assert "政治面貌“群众”（1 行）是" in page.text
    code = town.orgs["college"].code
    done = app.test_cli_runner().invoke(args=["members", "import", str(BROUGHT[file]), "--org", code, "--json"])
    errors = [one for one in json.loads(done.stdout)["errors"] if one["column"] == "姓名"]
    assert [one["row"] for one in errors] == [2, 3, 4]
    assert all(one["fix"] for one in errors)
    assert all(one["cause"] in page.text and one["fix"] in page.text for one in errors)
    assert entered(session) == []


def graduates(client: FlaskClient, town: World) -> Browser:
    """The university's secretary, when the five graduates of the file have entered."""
    browser = Browser(client).login(town.accounts["university"])
    confirm(upload(browser, "graduates-with-dots.xlsx").follow())
    return browser


def registered(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(DestinationEntry)) or 0


@pytest.mark.rule("F-14", "PD-55")
@pytest.mark.parametrize(
    ("file", "people"), [("destinations-dot.xlsx", 1), ("destinations-second-sheet-毕业去向名称.xlsx", 2)]
)
def test_a_destination_finds_its_graduate_whichever_dot_or_heading(
    client: FlaskClient, town: World, session: Session, file: str, people: int
) -> None:
    page = upload(graduates(client, town), file, "/school/imports/destinations").follow()
    assert f"导入 {people} 条" in page.text
    confirm(page)
    assert registered(session) == people


@pytest.mark.rule("F-14")
def test_the_employment_systems_export_is_understood_and_asks_once_for_the_file(
    client: FlaskClient, town: World, session: Session
) -> None:
    browser = graduates(client, town)
    file = "employment-system-export-heading-毕业去向.xlsx"
    page = upload(browser, file, "/school/imports/destinations").follow()
    assert "没有读取的列：学历名称、专业名称、单位性质名称" in page.text
    assert "毕业去向类别“签就业协议形式就业”（1 行）是" in page.text
    answer: dict[str, Any] = {"value:毕业去向类别:签就业协议形式就业": "已落实工作单位（单位无团组织）"}
    page = page.form(action(page, "meanings")).submit(**answer).follow()
    assert "导入 2 条" in page.text
    confirm(page)
    assert registered(session) == 2
    again = upload(browser, file, "/school/imports/destinations").follow()
    assert "“签就业协议形式就业”（1 行）是" not in again.text


@pytest.mark.rule("F-01")
def test_f01_of_two_colleges_on_two_sheets_is_read(client: FlaskClient, town: World, session: Session) -> None:
    browser = graduates(client, town)
    page = upload(browser, "f01-two-colleges-two-sheets.xlsx", "/school/imports/floating").follow()
    assert "导入 2 条" in page.text
    confirm(page)
    assert (session.scalar(select(func.count()).select_from(Case)) or 0) == 2


def test_two_tabs_confirm_each_its_own(client: FlaskClient, town: World, session: Session) -> None:
    browser = Browser(client).login(town.accounts["university"])
    first = upload(browser, "tab-a.xlsx").follow()
    second = upload(browser, "tab-b.xlsx").follow()
    confirm(first)
    assert entered(session) == ["岑甲一", "岑甲二"]
    confirm(second)
    assert entered(session) == ["岑甲一", "岑甲二", "岑乙一", "岑乙二"]
