"""Any list as it is filtered, as a file for whoever asked: at once, by a job, for a day (PD-37, PD-38)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import exports as jobs
from tests.browsing import Browser, Page
from tests.exports.reading import csv_file, xlsx
from tests.transfers.steps import acting
from tests.world import World
from zhtj import sweeps
from zhtj.editions import operations as editions
from zhtj.exports import operations, storage
from zhtj.exports.lists import described, plain, rebuilt
from zhtj.exports.models import Export, FileFormat
from zhtj.exports.operations import ExportOrder
from zhtj.exports.registry import LISTS
from zhtj.imports.files import finding, tables, workbooks
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.work.tasks import TaskState
from zhtj.people import operations as people
from zhtj.people.finding import members
from zhtj.people.finding.members import MemberFilters
from zhtj.people.models import Account, Post, Seat
from zhtj.transfers.watching.graduates import GraduateFilters
from zhtj.web.desks.exports import READERS

LIST = "/exports/list/members"


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    """The university's secretary."""
    return Browser(client).login(world.accounts["university"])


@pytest.fixture(autouse=True)
def empty_folder(app: Flask) -> None:
    """No file of another test."""
    for name in storage.names(instance(app)):
        storage.remove(instance(app), name)


@pytest.fixture
def as_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is long enough for a job."""
    monkeypatch.setattr("zhtj.web.desks.exporting.AT_ONCE", 0)


def events(session: Session, action: str) -> list[AuditEvent]:
    return list(session.scalars(select(AuditEvent).where(AuditEvent.action == action)))


def asked(browser: Browser, address: str = "/school/members", file_format: str = "xlsx", key: str = LIST) -> Page:
    return browser.get(address).form(key).submit(format=file_format)


def instance(app: Flask) -> Path:
    path: Path = app.config["ZHTJ"].instance
    return path


# ---- at once


@pytest.mark.rule("PD-38")
def test_a_short_list_comes_at_once_with_the_askers_name_inside(browser: Browser, session: Session) -> None:
    page = asked(browser)

    rows, about = xlsx(page.response.get_data())
    assert rows[0][:2] == ["姓名", "学号"]
    assert {row[0] for row in rows[1:]} == {"丁一", "卜喆", "万堃"}
    assert about["导出人"] == session.get_one(Account, events(session, "export.write")[0].account_id).name
    assert about["所在组织"] == "共青团江淮示范大学委员会"
    assert about["导出时间"] == "2026-10-14 09:00"
    assert about["行数"] == "3"
    assert "attachment" in page.response.headers["Content-Disposition"]
    assert events(session, "export.write")[0].detail == {
        "list": "members",
        "filters": {},
        "rows": 3,
        "format": "xlsx",
        "full_numbers": False,
    }


def test_csv_opens_in_a_spreadsheet_program_and_ends_with_who_took_it(browser: Browser) -> None:
    rows, last = csv_file(asked(browser, file_format="csv").response.get_data())

    assert {row[0] for row in rows[1:]} == {"丁一", "卜喆", "万堃"}
    assert last.startswith("说明：名单 团员名单；导出人 书记")


def test_the_filters_of_the_page_are_those_of_the_file(browser: Browser, session: Session, world: World) -> None:
    page = asked(browser, f"/school/members?q=丁&org={world.orgs['class1'].id}")

    rows, about = xlsx(page.response.get_data())
    assert [row[0] for row in rows[1:]] == ["丁一"]
    assert about["筛选条件"] == "查找：丁，组织：软工1班团支部"
    assert events(session, "export.write")[0].detail["filters"] == {"查找": "丁", "组织": "软工1班团支部"}


@pytest.mark.rule("PD-37")
def test_numbers_are_masked_in_the_file_and_in_the_log(browser: Browser, session: Session, world: World) -> None:
    number = world.graduate.account.id_number or ""

    page = asked(browser, f"/school/members?q={number}")

    rows, about = xlsx(page.response.get_data())
    assert [row[0] for row in rows[1:]] == ["丁一"]
    assert number not in str(rows)
    assert f"{number[:3]}{'*' * 11}{number[-4:]}" in rows[1]
    assert number not in str(about)
    assert number not in str(events(session, "export.write")[0].detail)


@pytest.mark.parametrize("file_format", ["xlsx", "csv"])
def test_a_formula_in_a_name_is_a_text(browser: Browser, session: Session, world: World, file_format: str) -> None:
    with unit_of_work():
        session.merge(world.graduate.account).name = '=HYPERLINK("http://x","y")'

    data = asked(browser, file_format=file_format).response.get_data()

    [sheet] = [one for one in workbooks.read(data) if one.name != "说明"][:1]
    names = {str(row[0]).lstrip("'") for _, row in sheet.rows[1:4]}
    assert '=HYPERLINK("http://x","y")' in names
    if file_format == "csv":
        assert b"\r\n\"'=HYPERLINK" in data


def test_an_exported_list_is_read_back_without_its_remarks(browser: Browser) -> None:
    for file_format in ("xlsx", "csv"):
        data = asked(browser, file_format=file_format).response.get_data()
        table = finding.find(workbooks.read(data), ROSTER_LIKE)
        assert len(table.rows) == 3


ROSTER_LIKE = tables.Layout("名单", tuple(tables.LayoutColumn(name) for name in ("姓名", "学号", "所在团支部")))


# ---- every list


def test_every_list_that_is_offered_knows_its_filters() -> None:
    assert {key for key in LISTS if not key.startswith("case-")} == set(READERS)


@pytest.mark.parametrize("key", sorted(READERS))
@pytest.mark.parametrize("seat", ["college", "university", "county", "province"])
def test_every_list_gives_a_file_of_its_own_page(world: World, browser: Browser, key: str, seat: str) -> None:
    door = f"/{world.orgs[seat].workbench}"
    allowed = world.seat(seat).may(LISTS[key].permission)
    asked_for = ""
    if key == "dry-run" and allowed:  # the list of one dry run, which its address names
        with acting(world.seat(seat)):
            asked_for = str(editions.ask(world.seat(seat), "2020-national", 2026).id)

    page = browser.login(world.accounts[seat]).post(f"{door}/exports/list/{key}?number={asked_for}", {"format": "csv"})

    assert page.status == (200 if allowed else 403)
    if allowed:
        rows, last = csv_file(page.response.get_data())
        assert len(rows) - 1 == _count(key, world, seat, asked_for)
        assert f"；行数 {len(rows) - 1}；" in last


def _count(key: str, world: World, seat: str, asked_for: str) -> int:
    here = world.orgs[seat].id
    needed = {"org_id": here, "parent_id": here, "season": 2026, "number": int(asked_for or 0)}
    kind = LISTS[key].filters
    everything = kind(**{one.name: needed[one.name] for one in fields(kind) if one.default is MISSING})
    return ExportOrder(LISTS[key], world.seat(seat), everything, FileFormat.CSV).count()


def test_nothing_outside_the_own_part_is_handed_out(browser: Browser, world: World) -> None:
    page = browser.post(f"/school{LIST}?org={world.orgs['team'].id}", {"format": "csv"})
    assert len(csv_file(page.response.get_data())[0]) == 1

    elsewhere = f"/school/exports/list/organisations?number={world.orgs['company'].id}"
    assert browser.post(elsewhere, {"format": "csv"}).status == 404
    assert browser.post("/school/exports/list/nothing", {"format": "csv"}).status == 404


def test_filters_come_back_as_they_were_written_down() -> None:
    chosen = GraduateFilters(category="society", ids=(3, 4), text="丁")
    assert rebuilt(GraduateFilters, plain(chosen)) == chosen
    assert described(chosen)["勾选"] == "2 行"


def test_a_list_is_read_chunk_by_chunk_and_counted_by_its_own_query(world: World) -> None:
    listing = members.listing(world.seat("university"), MemberFilters())

    assert [len(chunk) for chunk in listing.walk(2)] == [2, 1]
    assert listing.count() == 3


# ---- as a job


@pytest.mark.usefixtures("as_job")
def test_a_long_list_is_written_by_a_job_and_fetched_afterwards(browser: Browser, session: Session) -> None:
    page = asked(browser).follow()
    assert "正在后台生成" in page.text
    number = session.scalars(select(Export.id)).one()
    assert page.document.find(f".//progress[@id='export-{number}-bar']") is not None
    assert browser.get(f"/school/exports/{number}", htmx=True).document.find(".//progress") is not None

    jobs.work_off(number)

    done = browser.get(f"/school/exports/{number}", htmx=True)
    assert done.response.headers["HX-Redirect"] == "/school/exports"
    sent = browser.get("/school/exports").form(button="下载").submit()
    rows, about = xlsx(sent.response.get_data())
    assert len(rows) == 4
    assert about["导出人"].startswith("书记")
    assert int(sent.response.headers["Content-Length"]) == len(sent.response.get_data())
    written = events(session, "export.write")[0]
    assert (written.account_id, written.detail["rows"]) == (events(session, "export.fetch")[0].account_id, 3)
    assert written.request_id == f"export-{number}"


@pytest.mark.usefixtures("as_job")
def test_pressed_twice_is_one_job_and_another_filter_is_another(browser: Browser, session: Session) -> None:
    asked(browser)
    asked(browser)
    assert session.query(Export).count() == 1

    asked(browser, "/school/members?q=丁")
    asked(browser, file_format="csv")
    assert session.query(Export).count() == 3


@pytest.mark.rule("PD-37")
@pytest.mark.usefixtures("as_job")
def test_the_file_is_his_alone_who_asked(
    browser: Browser, client: FlaskClient, session: Session, world: World, app: Flask
) -> None:
    asked(browser)
    with unit_of_work():
        colleague = session.merge(world.accounts["college"])
        seat = people.start_seat(colleague, session.merge(world.orgs["university"]), Post.DEPUTY).id
    other = Browser(client.application.test_client()).login(colleague, seat=str(seat))
    number = session.scalars(select(Export.id)).one()
    jobs.work_off(number)

    for path, method in ((f"/school/exports/{number}", "get"), (f"/school/exports/{number}/file", "post")):
        assert getattr(other, method)(path).status == 404
    assert "还没有导出过大名单" in other.get("/school/exports").text
    # What lies in the folder says nothing to whoever can read the disk.
    stored = session.scalars(select(Export.stored)).one()
    assert not (instance(app) / storage.FOLDER / str(stored)).read_bytes().startswith(b"PK")


@pytest.mark.usefixtures("as_job")
def test_after_a_day_the_file_is_gone_and_says_so(
    browser: Browser, session: Session, app: Flask, clock_at: Callable[[str], None]
) -> None:
    asked(browser)
    number = session.scalars(select(Export.id)).one()
    jobs.work_off(number)
    assert storage.names(instance(app)) == {f"{number}-1"}

    clock_at("2026-10-15T09:01")
    gone = browser.post(f"/school/exports/{number}/file")
    assert gone.status == 410
    assert "文件已经过期删除" in gone.text

    assert sweeps.run("old-exports").done == 1
    assert storage.names(instance(app)) == set()
    page = browser.get("/school/exports")
    assert "已过期" in page.text
    again = page.form(button="重新生成").submit().follow()
    assert again.document.find(".//progress") is not None

    clock_at("2026-10-25T09:01")
    session.expire_all()
    for export in session.scalars(select(Export)):
        operations.cancel(export)
    session.commit()
    sweeps.run("old-exports")
    assert session.query(Export).count() == 0


@pytest.mark.usefixtures("as_job")
def test_a_cancelled_export_is_not_written(browser: Browser, session: Session, app: Flask) -> None:
    asked(browser)
    page = browser.get("/school/exports").form(button="取消").submit().follow()
    assert "已取消" in page.text
    number = session.scalars(select(Export.id)).one()

    assert jobs.work_off(number) is False

    assert storage.names(instance(app)) == set()
    assert browser.post(f"/school/exports/{number}/file").status == 409
    assert browser.post(f"/school/exports/{number}/cancel").status == 409
    assert "可以下载" not in browser.get("/school/exports").text


@pytest.mark.usefixtures("as_job")
def test_what_fails_says_why_and_can_be_asked_for_again(
    browser: Browser, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(browser)
    number = session.scalars(select(Export.id)).one()
    with monkeypatch.context() as patch:
        patch.setattr(ExportOrder, "write", _broken)
        assert jobs.work_off(number) is False
    page = browser.get("/school/exports")
    assert "没有完成" in page.text
    assert "请稍后重试" in page.text

    page.form(button="重新生成").submit()

    newer = session.scalars(select(Export.id)).one()
    assert jobs.work_off(newer) is True


def _broken(*_: object) -> int:
    raise RuntimeError("disk full")


@pytest.mark.usefixtures("as_job")
def test_whoever_lost_his_post_gets_nothing(browser: Browser, session: Session, world: World) -> None:
    asked(browser)
    number = session.scalars(select(Export.id)).one()
    seat = session.scalars(select(Seat).where(Seat.org_id == world.orgs["university"].id)).one()
    with unit_of_work():
        people.end_seat(session.merge(seat), "replaced")

    assert jobs.work_off(number) is False

    export = session.get_one(Export, number, populate_existing=True)
    assert (export.state, export.problem) == (TaskState.FAILED, "您的任职已经结束，没有导出。")


@pytest.mark.rule("PD-36")
@pytest.mark.usefixtures("as_job")
def test_a_killed_worker_is_replaced_and_leaves_no_file_behind(
    browser: Browser, session: Session, app: Flask, clock_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(browser)
    number = session.scalars(select(Export.id)).one()

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("zhtj.kernel.work.tasks.advance", die)
        with pytest.raises(Killed):
            jobs.work_off(number)
    assert session.get_one(Export, number, populate_existing=True).state is TaskState.RUNNING
    assert sweeps.run("exports").found == 0  # its job may still be alive

    clock_at("2026-10-14T09:03")
    assert (sweeps.run("exports").found, sweeps.run("exports").found) == (1, 0)

    export = session.get_one(Export, number, populate_existing=True)
    assert (export.state, export.attempt, export.stored) == (TaskState.DONE, 2, f"{number}-2")
    assert storage.names(instance(app)) == {f"{number}-2"}
    assert len(events(session, "export.write")) == 1


@pytest.mark.usefixtures("as_job")
def test_who_took_over_wins_and_the_earlier_one_stops(
    browser: Browser, session: Session, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(browser)
    number = session.scalars(select(Export.id)).one()
    write = ExportOrder.write

    def slow(order: ExportOrder, *arguments: object) -> int:
        monkeypatch.setattr(ExportOrder, "write", write)
        assert jobs.work_off(number) is True  # the second one overtakes while the first is writing
        return write(order, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ExportOrder, "write", slow)

    assert jobs.work_off(number) is False

    assert session.get_one(Export, number, populate_existing=True).stored == f"{number}-2"
    assert storage.names(instance(app)) == {f"{number}-2"}
    assert len(events(session, "export.write")) == 1


def test_an_empty_page_of_exports_says_where_they_come_from(browser: Browser) -> None:
    page = browser.get("/school/exports")

    assert "还没有导出过大名单" in page.text
