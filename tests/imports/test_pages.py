"""The import pages in a browser without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.imports.conftest import DATA
from tests.world import World
from zhtj import sweeps
from zhtj.imports.files import finding, workbooks
from zhtj.imports.files.layouts import ORGANISATIONS
from zhtj.imports.files.layouts import ROSTER as ROSTER_LAYOUT
from zhtj.imports.files.tables import Layout
from zhtj.imports.models import ImportBatch
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member, Seat

ROSTER = "/school/imports/members"


@pytest.fixture
def secretary(session: Session, university: Organisation) -> Account:
    """周静怡, secretary of the sample university, with her account opened."""
    account = session.scalars(select(Account).join(Seat).where(Seat.org_id == university.id)).one()
    account.activated_at = clock.now()
    session.commit()
    return account


@pytest.fixture
def browser(client: FlaskClient, secretary: Account) -> Browser:
    """Her browser."""
    return Browser(client).login(secretary)


def upload(browser: Browser, address: str, file: Path | bytes, name: str = "名单.xlsx") -> Page:
    data = file.read_bytes() if isinstance(file, Path) else file
    return browser.get(address).form(address).submit(file=(BytesIO(data), name))


def members(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Member)) or 0


@pytest.mark.rule("PD-31")
def test_preview_lists_each_bad_row_and_writes_nothing(browser: Browser, session: Session) -> None:
    page = upload(browser, ROSTER, DATA / "roster-sample.xlsx").follow()

    assert page.status == 200
    assert "导入 399 条，跳过 26 条" in page.text
    assert "没有填写姓名。" in page.text
    assert "最接近的是：江淮示范大学外国语学院2022级日语专业2班团支部" in page.text
    assert len(page.document.findall(".//section[@id='errors']//tbody/tr")) == 26
    assert members(session) == 0


@pytest.mark.rule("PD-31")
def test_the_good_rows_are_imported_and_the_bad_ones_stay_listed(browser: Browser, session: Session) -> None:
    preview = upload(browser, ROSTER, DATA / "roster-sample.xlsx").follow()

    result = preview.form(button="导入 399 条").submit().follow()

    assert "已导入 399 条，跳过 26 条。" in result.text
    assert len(result.document.findall(".//section[@id='errors']//tbody/tr")) == 26
    assert members(session) == 399
    imported = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.members")).one()
    assert imported.account_id is not None
    # Nothing of the file is kept but the outcome.
    assert session.scalars(select(ImportBatch)).one().content is None


def test_importing_twice_is_refused(browser: Browser, session: Session) -> None:
    preview = upload(browser, ROSTER, DATA / "roster-sample.xlsx").follow()
    form = preview.form(button="导入 399 条")
    form.submit()

    again = form.submit()

    assert again.status == 409
    assert members(session) == 399


def test_what_changed_since_the_preview_stops_the_import(browser: Browser, session: Session) -> None:
    preview = upload(browser, ROSTER, DATA / "roster-sample.xlsx").follow()
    session.add(Account(name="另一人", mobile_hash=_hash("13912169593"), created_at=clock.now()))

    answer = preview.form(button="导入 399 条").submit()

    assert answer.status == 409
    assert members(session) == 0


def _hash(mobile: str) -> str:
    account = Account(name="", created_at=clock.now())
    account.set_mobile(mobile)
    assert account.mobile_hash is not None
    return account.mobile_hash


def test_giving_up_leaves_nothing_behind(browser: Browser, session: Session) -> None:
    preview = upload(browser, ROSTER, DATA / "roster-sample.xlsx").follow()

    page = preview.form(button="全部放弃").submit().follow()

    assert "没有导入任何内容" in page.text
    assert members(session) == 0
    assert session.scalars(select(ImportBatch)).all() == []


def test_the_list_of_problems_can_be_downloaded(browser: Browser) -> None:
    preview = upload(browser, ROSTER, DATA / "roster-sample.xlsx").follow()

    answer = preview.click("下载问题清单")

    sheet = load_workbook(BytesIO(answer.response.get_data())).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("行", "列", "类别", "原因", "怎样改")
    assert sum(row[2] == "错误" for row in rows) == 26


def test_a_file_that_is_no_table_is_answered_at_the_field(browser: Browser) -> None:
    page = upload(browser, ROSTER, "你好".encode(), "名单.csv")

    assert page.status == 422
    assert "没有找到表头行" in page.text


def test_no_file_at_all_is_answered_at_the_field(browser: Browser) -> None:
    page = browser.get(ROSTER).form(ROSTER).submit()

    assert page.status == 422
    assert "请选择要导入的文件" in page.text


def test_an_upload_belongs_to_its_owner_and_expires(
    browser: Browser, client: FlaskClient, session: Session, clock_at: Callable[[str], None]
) -> None:
    address = upload(browser, ROSTER, DATA / "roster-sample.xlsx").location
    other = session.scalars(select(Account).where(Account.name == "钱敏")).one()
    other.activated_at = clock.now()
    session.commit()

    colleague = Browser(client.application.test_client()).login(other)
    assert colleague.get(address.replace("/school/", "/college/")).status == 404

    assert browser.get(address).status == 200
    clock_at("2026-10-14T11:00")
    assert browser.get(address).status == 404
    assert sweeps.run("uploads").done == 1
    assert session.scalars(select(ImportBatch)).all() == []


@pytest.mark.rule("PD-31")
def test_a_college_imports_into_its_own_classes_only(
    client: FlaskClient, session: Session, university: Organisation
) -> None:
    del university
    account = session.scalars(select(Account).where(Account.name == "钱敏")).one()
    account.activated_at = clock.now()
    session.commit()

    page = upload(Browser(client).login(account), "/college/imports/members", DATA / "roster-sample.xlsx").follow()

    # 钱敏 is the secretary of 经济管理学院: 153 of the roster's rows are hers, the others name branches elsewhere.
    errors = page.document.findall(".//section[@id='errors']//tbody/tr")
    assert len(errors) == 200
    assert "江淮示范大学经济管理学院总支部委员会”及其下级中没有全称为" in page.text


def test_organisations_are_imported_from_the_page(client: FlaskClient, session: Session, world: World) -> None:
    rows = (
        "上级组织,组织全称,组织简称,组织类别,单位所属行业类别\n"
        "共青团江淮示范大学委员会,江淮示范大学新团支部,新团支部,团支部,普通高等院校\n"
    )
    browser = Browser(client).login(world.accounts["university"])

    preview = upload(browser, "/school/imports/organisations", rows.encode("gb18030"), "组织.csv").follow()
    result = preview.form(button="导入 1 条").submit().follow()

    assert "已导入 1 条" in result.text
    created = session.scalars(select(Organisation).where(Organisation.full_name == "江淮示范大学新团支部")).one()
    assert created.parent_id == world.orgs["university"].id


def test_a_school_builds_nothing_elsewhere(client: FlaskClient, world: World) -> None:
    rows = (
        "上级组织,组织全称,组织简称,组织类别\n"
        "340104,共青团外校委员会,外校团委,团委\n"
        "共青团江淮示范大学委员会,安徽省合肥市蜀山区井岗镇流动团员团支部,支部,团支部\n"
    )
    browser = Browser(client).login(world.accounts["university"])

    page = upload(browser, "/school/imports/organisations", rows.encode(), "组织.csv").follow()

    assert "没有找到上级组织“340104”" in page.text
    assert "组织全称已被使用，不在您的管理范围内" in page.text


def test_a_branch_imports_no_organisations(client: FlaskClient, world: World) -> None:
    browser = Browser(client).login(world.accounts["class1"])

    assert browser.get("/branch/imports/organisations").status == 403
    assert browser.get("/branch/imports/members").status == 200


@pytest.mark.parametrize(("kind", "layout"), [("members", ROSTER_LAYOUT), ("organisations", ORGANISATIONS)])
def test_the_template_can_be_filled_in_and_read(client: FlaskClient, world: World, kind: str, layout: Layout) -> None:
    browser = Browser(client).login(world.accounts["university"])

    answer = browser.get(f"/school/imports/{kind}").click("下载模板")

    book = load_workbook(BytesIO(answer.response.get_data()))
    book.active.append([column.name + "的值" for column in layout.columns])
    filled = BytesIO()
    book.save(filled)
    table = finding.find(workbooks.read(filled.getvalue()), layout)
    assert table.columns == [column.name for column in layout.columns]
    assert [row.cells for row in table.rows] == [{column.name: column.name + "的值" for column in layout.columns}]
