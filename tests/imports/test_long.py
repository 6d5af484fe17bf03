"""Long files: read, checked and imported by a job; killed, raced, taken back (PD-31, PD-36)."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs import imports as jobs
from tests.browsing import Browser, Page
from tests.imports.making import csv_bytes, person
from tests.world import World
from zhtj import sweeps
from zhtj.graduation import operations as graduation
from zhtj.imports import work
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.members import rosters
from zhtj.imports.members.rosters import Entered, RosterPlan
from zhtj.imports.models import ImportBatch, ImportEntry, ImportPhase
from zhtj.kernel import audit, clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.work import tasks
from zhtj.kernel.work.tasks import TaskState
from zhtj.people import moves
from zhtj.people import operations as people
from zhtj.people.models import Account, CodeKind, Member, Membership
from zhtj.people.moves import Move
from zhtj.people.signing import codes

ADDRESS = "/school/imports/members"
CLASS1 = "江淮示范大学计算机学院2022级软件工程专业1班团支部"
COLUMNS = [column.name for column in ROSTER.columns]


@pytest.fixture(autouse=True)
def long_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six rows are many; three are written at a time."""
    monkeypatch.setattr("zhtj.imports.batches.AT_ONCE", 5)
    monkeypatch.setattr(work, "PART", 3)


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    """The university's secretary."""
    return Browser(client).login(world.accounts["university"])


def roster(count: int = 7, *, first: int = 100) -> list[dict[str, str]]:
    return [
        person(first + position, 姓名=f"导入{chr(0x4E00 + position)}", 所在团支部=CLASS1, 学号=f"N{first + position}")
        for position in range(count)
    ]


def upload(browser: Browser, rows: list[dict[str, str]]) -> Page:
    data = csv_bytes([COLUMNS, *([row.get(name, "") for name in COLUMNS] for row in rows)])
    return browser.get(ADDRESS).form(ADDRESS).submit(file=(BytesIO(data), "名单.csv"))


def number_of(page: Page) -> int:
    return int(page.location.partition("?")[0].rsplit("/", 1)[1])


def batch_of(session: Session, number: int) -> ImportBatch:
    return session.get_one(ImportBatch, number, populate_existing=True)


def imported(session: Session) -> int:
    return session.scalar(select(func.count(Member.id)).where(Member.student_no.startswith("N"))) or 0


def checked(browser: Browser, rows: list[dict[str, str]]) -> tuple[int, Page]:
    """Uploaded, and checked by the job."""
    page = upload(browser, rows)
    number = number_of(page)
    assert jobs.work_off(number) is True
    return number, browser.get(page.location)


def let_go(browser: Browser, rows: list[dict[str, str]]) -> int:
    """Uploaded, checked, confirmed; a job has still to import."""
    number, page = checked(browser, rows)
    page.form(button="导入").submit()
    return number


@pytest.mark.rule("PD-31")
def test_a_long_file_is_checked_and_imported_by_a_job(browser: Browser, session: Session) -> None:
    bad = person(150, 姓名="", 所在团支部=CLASS1)
    page = upload(browser, [*roster(), bad])
    number = number_of(page)
    waiting = browser.get(page.location)
    assert waiting.document.find(".//progress") is not None
    assert browser.get(page.location, htmx=True).document.find(".//progress") is not None

    jobs.work_off(number)

    assert browser.get(page.location, htmx=True).response.headers["HX-Redirect"] == page.location
    preview = browser.get(page.location)
    assert "没有填写姓名。" in preview.text
    assert imported(session) == 0
    shown = preview.form(button="导入 7 条，跳过 1 条").submit().follow()
    assert shown.document.find(".//progress") is not None

    jobs.work_off(number)

    result = browser.get(page.location)
    assert "导入结果" in result.text
    assert "没有填写姓名。" in result.text
    assert imported(session) == 7
    batch = batch_of(session, number)
    assert (batch.done, batch.content, batch.phase) == (7, None, ImportPhase.WRITE)
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.members")).one()
    assert (event.detail["created"], event.detail["skipped"], event.request_id) == (7, 1, f"import-{number}")
    assert event.account_id == batch.account_id
    assert "已导入" in browser.get(ADDRESS).text


def test_the_bar_moves_while_rows_are_written(
    browser: Browser, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = let_go(browser, roster())
    seen: list[int] = []
    advance = tasks.advance

    def watched(kind: type, row: int, attempt: int, **values: object) -> None:
        advance(kind, row, attempt, **values)
        if "done" in values:
            seen.append(int(str(values["done"])))

    monkeypatch.setattr(tasks, "advance", watched)
    jobs.work_off(number)

    assert seen == [3, 6, 7, 7]
    assert imported(session) == 7


@pytest.mark.rule("PD-36")
def test_a_killed_worker_is_replaced_and_nobody_is_entered_twice(
    browser: Browser, session: Session, clock_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = let_go(browser, roster())

    class Killed(BaseException):
        pass

    written = rosters.write

    def die(plan: RosterPlan) -> list[Entered]:
        if imported(session) == 3:
            raise Killed
        return written(plan)

    with monkeypatch.context() as patch:
        patch.setattr(rosters, "write", die)
        with pytest.raises(Killed):
            jobs.work_off(number)
    session.rollback()
    assert imported(session) == 3
    assert batch_of(session, number).done == 3
    assert sweeps.run("imports").found == 0

    clock_at("2026-10-14T09:03")
    assert (sweeps.run("imports").done, sweeps.run("imports").found) == (1, 0)

    assert imported(session) == 7
    assert session.query(ImportEntry).filter_by(batch_id=number).count() == 7
    assert batch_of(session, number).state is TaskState.DONE
    assert len(session.scalars(select(AuditEvent).where(AuditEvent.action == "import.members")).all()) == 1


def test_an_earlier_worker_stops_when_another_has_taken_over(
    browser: Browser, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = let_go(browser, roster())
    written = rosters.write

    def slow(plan: RosterPlan) -> list[Entered]:
        monkeypatch.setattr(rosters, "write", written)
        session.rollback()
        session.info["in_unit"] = False
        assert jobs.work_off(number) is True
        raise tasks.Overtaken

    monkeypatch.setattr(rosters, "write", slow)

    assert jobs.work_off(number) is False
    assert imported(session) == 7


def test_who_was_entered_meanwhile_is_an_error_of_his_row(browser: Browser, session: Session, world: World) -> None:
    rows = roster()
    number = let_go(browser, rows)
    with unit_of_work():
        account = people.create_account("另一人", mobile=rows[4]["手机号码"])
        assert account.id
    del world

    jobs.work_off(number)

    assert imported(session) == 6
    result = browser.get(f"{ADDRESS}/{number}")
    assert "手机号码已是系统里另一人的。" in result.text
    assert "第 6 行" in result.text


def test_pressed_twice_is_one_import(browser: Browser, session: Session) -> None:
    number, page = checked(browser, roster())
    form = page.form(button="导入")

    assert form.submit().status == 303
    assert form.submit().status == 409

    jobs.work_off(number)
    assert jobs.work_off(number) is False
    assert imported(session) == 7


def test_an_upload_under_way_can_be_given_up_but_no_import(browser: Browser, session: Session) -> None:
    page = upload(browser, roster())
    browser.get(page.location).form(button="全部放弃").submit()
    assert jobs.work_off(number_of(page)) is False

    number = let_go(browser, roster())
    assert browser.post(f"{ADDRESS}/{number}/discard").status == 409
    upload(browser, roster(first=200))
    jobs.work_off(number)
    assert imported(session) == 7


def test_what_fails_can_be_gone_on_with(browser: Browser, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    number = let_go(browser, roster())

    def broken(_plan: object) -> None:
        raise RuntimeError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(rosters, "write", broken)
        assert jobs.work_off(number) is False
    page = browser.get(f"{ADDRESS}/{number}")
    assert "没有完成" in page.text

    page.form(button="接着处理").submit()
    assert jobs.work_off(number) is True
    assert imported(session) == 7


def test_a_large_file_is_read_by_the_job_too(
    browser: Browser, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhtj.imports.batches.READ_AT_ONCE", 10)
    number, page = checked(browser, roster())
    assert "导入 7 条" in page.text
    assert batch_of(session, number).total == 7

    sent = browser.get(ADDRESS).form(ADDRESS).submit(file=(BytesIO("不是名单，也没有表头".encode()), "名单.csv"))
    jobs.work_off(number_of(sent))
    page = browser.get(sent.location)
    assert "没有找到表头行" in page.text
    assert "重新上传" in page.text


@pytest.mark.parametrize("address", ["organisations", "destinations"])
def test_long_files_of_the_other_kinds_go_the_same_way(
    browser: Browser, session: Session, world: World, address: str
) -> None:
    if address == "organisations":
        above = "共青团江淮示范大学计算机学院总支部委员会"
        rows = [["上级组织", "组织全称", "组织简称", "组织类别", "单位所属行业类别"]]
        rows += [
            [above, f"江淮示范大学计算机学院新{n}班团支部", f"新{n}班", "团支部", "普通高等院校"] for n in range(7)
        ]
        expected = "新增 7"
    else:
        with unit_of_work():
            new = [world.enrol(f"毕业{chr(0x4E00 + n)}", "class1") for n in range(6)]
            people_rows = [(one.name, one.student_no or "") for one in new]
            graduation.open_register()
        rows = [["姓名", "学号", "毕业去向类别"], *([name, number, "未落实就业去向"] for name, number in people_rows)]
        expected = "新增 6"
    root = f"/school/imports/{address}"
    page = browser.get(root).form(root).submit(file=(BytesIO(csv_bytes(rows)), "名单.csv"))
    number = number_of(page)

    jobs.work_off(number)
    browser.get(page.location).form(button="导入").submit()
    jobs.work_off(number)

    assert expected in browser.get(page.location).text
    assert batch_of(session, number).applied_at is not None


# ---- taken back


def finished(browser: Browser, rows: list[dict[str, str]]) -> int:
    number = let_go(browser, rows)
    jobs.work_off(number)
    return number


@pytest.mark.slow("imports a long file three times")
@pytest.mark.parametrize("count", [3, 7])
def test_an_import_can_be_taken_back_and_made_again(browser: Browser, session: Session, count: int) -> None:
    rows = roster(count)
    page = upload(browser, rows)
    number = number_of(page)
    if count > 5:
        jobs.work_off(number)
    browser.get(page.location).form(button="导入").submit()
    if count > 5:
        jobs.work_off(number)
    before = session.query(Membership).count()

    asking = browser.get(page.location).click("撤销这次导入")
    assert f"新增的 {count} 名团员会删除" in asking.text
    asking.form(button="撤销这次导入").submit()
    if count > 5:
        jobs.work_off(number)

    assert "这次导入已经撤销" in browser.get(page.location).text
    assert imported(session) == 0
    assert session.query(Membership).count() == before - count
    kept = session.scalars(select(Account).where(Account.name == "（导入已撤销）")).all()
    assert [(one.id_hash, one.mobile_hash) for one in kept] == [(None, None)] * count
    undone = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.undo")).one()
    assert undone.detail == {"removed": count, "restored": 0}
    assert browser.post(f"{ADDRESS}/{number}/undo?file={batch_of(session, number).digest}").status == 409
    # The same people can be imported again.
    again = upload(browser, rows)
    if count > 5:
        jobs.work_off(number_of(again))
    assert f"导入 {count} 条" in browser.get(again.location).text


def test_changed_members_get_their_values_back(browser: Browser, session: Session, world: World) -> None:
    member = world.graduate
    number, before = member.account.id_number or "", member.major
    row = person(
        1, 姓名="丁一", 身份证号码=number, 手机号码=member.account.mobile or "", 所在团支部=CLASS1, 专业="考古学"
    )
    page = upload(browser, [row])
    browser.get(page.location).form(button="导入").submit()
    assert session.get_one(Member, member.id, populate_existing=True).major == "考古学"

    browser.get(page.location).click("撤销这次导入").form(button="撤销这次导入").submit()

    assert session.get_one(Member, member.id, populate_existing=True).major == before


def test_whoever_has_signed_in_stands_in_the_way(
    browser: Browser, session: Session, clock_at: Callable[[str], None]
) -> None:
    number = finished(browser, roster())
    clock_at("2026-10-14T10:00")
    with unit_of_work():
        member = session.scalars(select(Member).where(Member.student_no == "N103")).one()
        member.account.activated_at = clock.now()
        name = member.name

    page = browser.get(f"{ADDRESS}/{number}/undo")

    assert "有 1 人在导入后有了新的情况" in page.text
    assert name in page.main
    assert "本人已启用账号" in page.text
    browser.post(f"{ADDRESS}/{number}/undo?file={batch_of(session, number).digest}")
    jobs.work_off(number)
    assert imported(session) == 7
    assert "不能撤销" in browser.get(f"{ADDRESS}/{number}").text


def moved(world: World, member: Member) -> None:
    moves.move_members([Move(member.id, member.org_id, world.orgs["class2"].id, "test")])


def changed(world: World, member: Member) -> None:
    with audit.acting(world.seat("university")):
        audit.record("member.update", "member", member.id, fields=["major"])


def code(world: World, member: Member) -> None:
    del world
    codes.issue_as_operator(CodeKind.ACTIVATION, member.account)


@pytest.mark.parametrize(
    "happening",
    [(moved, "已离开导入时的团支部"), (changed, "资料后来有更改"), (code, "已生成激活码或验证码")],
)
def test_anything_that_happened_since_stands_in_the_way(
    browser: Browser,
    session: Session,
    world: World,
    clock_at: Callable[[str], None],
    happening: tuple[Callable[[World, Member], None], str],
) -> None:
    happen, why = happening
    number = finished(browser, roster())
    clock_at("2026-10-14T10:00")
    with unit_of_work():
        happen(world, session.scalars(select(Member).where(Member.student_no == "N103")).one())

    assert why in browser.get(f"{ADDRESS}/{number}/undo").text
