"""F-01: read into cases, written with exactly the document's columns, one sheet a college; wrong rows are explained."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from tests.browsing import Browser
from tests.floating.steps import apply, grant, sign, where
from tests.imports.making import xlsx
from tests.world import World
from zhtj.cases import queries
from zhtj.cases.queries import CaseFilters, CaseList
from zhtj.imports.files import finding, workbooks
from zhtj.imports.files.layouts import FLOATING
from zhtj.imports.files.problems import FileError
from zhtj.imports.graduates import floating_members as f01
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category

# As the document has them, in its order.
COLUMNS = (
    "学院",
    "转出团支部",
    "学社衔接工作负责人姓名（师生均可）",
    "学社衔接工作负责人联系方式",
    "转出人姓名",
    "转出人常用联系方式",
    "转接原因",
    "转出人毕业去向",
    "备注",
)


def row(world: World, **cells: str) -> list[str]:
    """A right row about 丁一."""
    values = {
        "college": "计算机学院团总支",
        "branch": world.orgs["class1"].full_name,
        "leader": "方圆",
        "leader_phone": "0551-65500001",
        "name": "丁一",
        "phone": "13811112222",
        "why": "二战考研",
        "plan": "继续准备升学",
        "remark": "",
    }
    return list({**values, **cells}.values())


def file(*rows: list[str]) -> bytes:
    target = BytesIO()
    f01.write(target, [("计算机学院", rows)])
    return target.getvalue()


def read(world: World, data: bytes) -> f01.FloatingPlan:
    return f01.preview(finding.find(workbooks.read(data, "汇总表.xlsx"), FLOATING), world.orgs["college"])


@pytest.mark.rule("F-01")
def test_the_template_is_the_documents_form() -> None:
    sheet = load_workbook(BytesIO(f01.template())).active
    assert sheet is not None
    title, note, head = (list(line) for line in sheet.iter_rows(max_row=3, values_only=True))
    assert title[0] == "毕业生流动团员信息汇总表"
    assert str(note[0]).startswith("填写说明（请勿删除本行内容）")
    assert tuple(head) == COLUMNS
    lists = [one.formula1 for one in sheet.data_validations.dataValidation]
    assert lists == ['"继续准备升学,继续准备就业,其他（请填写备注）"']


@pytest.mark.rule("F-01", "R-06", "R-07")
def test_what_was_exported_reads_back_with_the_documents_columns_a_sheet_a_college(
    school: World, client: FlaskClient
) -> None:
    # Given applications out of two colleges, one of them granted already
    with unit_of_work():
        school.add("college2", "university", "共青团江淮示范大学外国语学院总支部委员会", "外国语学院团总支",
                   Category.GENERAL_BRANCH, "普通高等院校")  # fmt: skip
        school.add("class3", "college2", "江淮示范大学外国语学院2022级英语专业1班团支部", "英语1班团支部",
                   Category.BRANCH, "普通高等院校")  # fmt: skip
        other = school.enrol("文心", "class3")
        other.is_graduate = True
    grant(school, apply(school, school.graduate, remark="已与街道联系"), "college", "university")
    apply(school, other, plan="other", remark="准备创业")
    # When the school takes the file
    page = Browser(client).login(school.accounts["university"]).get("/school/staying")
    book = load_workbook(BytesIO(page.form("/staying/export").submit().response.data))
    # Then each college has a sheet, and his old branch stands in it although he has left it
    assert sorted(book.sheetnames) == ["外国语学院团总支", "计算机学院团总支"]
    head, line = list(book["计算机学院团总支"].iter_rows(min_row=3, values_only=True))
    assert head == COLUMNS
    assert line == (
        "计算机学院团总支",
        school.orgs["class1"].full_name,
        school.accounts["college"].name,
        school.accounts["college"].mobile,
        "丁一",
        "13811112222",
        "没有就业，正在求职：正在找工作，暂时没有单位",
        "继续准备就业",
        "已与街道联系",
    )
    (other_line,) = book["外国语学院团总支"].iter_rows(min_row=4, values_only=True)
    assert other_line[-2:] == ("其他（请填写备注）", "准备创业")


@pytest.mark.rule("F-01", "A-26")
def test_a_file_becomes_cases_that_wait_for_signatures(school: World, client: FlaskClient) -> None:
    browser = Browser(client).login(school.accounts["college"])
    page = browser.get("/college/staying").click("导入汇总表")
    sent = page.form("/imports/floating").submit(file=(BytesIO(file(row(school))), "汇总表.xlsx")).follow()
    assert "可以导入" in sent.main or "1" in sent.main
    done = sent.form("/apply").submit().follow()
    assert "已导入 1 条" in done.text
    session.expire_all()
    (case,) = queries.listing(school.seat("university"), CaseFilters(CaseList.MINE, "retention")).page().rows
    assert (case.data["ground"], case.data["leader"], case.data["plan"]) == ("retake", "方圆", "study")
    # He is asked to sign; a second import does not ask twice
    told = Browser(client).login(school.graduate.account).get("/member/messages")
    assert "请阅读并签名" in told.main
    again = read(school, file(row(school)))
    assert (again.created, again.errors) == (0, [])
    sign(school, case, school.graduate, dues="线上交纳", life="线上参加")
    grant(school, case, "university")
    assert where(school.graduate) == school.orgs["kept"].id


@pytest.mark.rule("F-01")
@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"branch": "软工1班团支部"}, "转出团支部", "系统内的全称"),
        ({"college": "外国语学院"}, "学院", "不符"),
        ({"leader": ""}, "学社衔接工作负责人姓名（师生均可）", "没有填写"),
        ({"leader_phone": ""}, "学社衔接工作负责人联系方式", "没有填写"),
        ({"name": "丁二"}, "转出人姓名", "没有这名团员"),
        ({"phone": "12345"}, "转出人常用联系方式", "11 位"),
        ({"why": ""}, "转接原因", "没有填写"),
        ({"plan": "回家"}, "转出人毕业去向", "下拉框"),
        ({"plan": "其他（请填写备注）"}, "备注", "备注"),
    ],
)
def test_each_wrong_cell_is_named_with_the_way_out(
    school: World, cells: dict[str, str], column: str, words: str
) -> None:
    plan = read(school, file(row(school, **cells), row(school, name="卜喆", phone="13811113333")))
    assert plan.accepted == 1
    (problem,) = plan.errors
    assert (problem.row, problem.column) == (4, column)
    assert words in problem.cause + problem.fix


@pytest.mark.rule("F-01")
def test_without_the_instructions_or_twice_the_same_person_it_is_not_taken(school: World) -> None:
    twice = read(school, file(row(school), row(school)))
    assert [(one.row, one.cause) for one in twice.errors] == [(5, "与第 4 行是同一个人。")]
    bare = [["毕业生流动团员信息汇总表"], list(COLUMNS), row(school)]
    with pytest.raises(FileError, match="填写说明"):
        f01.check_sheet(workbooks.read(xlsx(bare), "a.xlsx"))
    f01.check_sheet(workbooks.read(file(row(school)), "a.xlsx"))


@pytest.mark.rule("F-01", "R-08")
def test_whoever_may_not_be_retained_is_a_row_error(school: World, policy: Any) -> None:
    policy("2026-national", retention_school_types=("中等职业院校",))
    plan = read(school, file(row(school)))
    assert "不能保留在学校" in plan.errors[0].cause
