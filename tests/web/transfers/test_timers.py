"""The desk of timers, September, the rehearsal, the phase in one line, what the approver sees (PD-36, A-13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.browsing import Browser
from tests.exports.reading import csv_file
from tests.transfers.steps import EMPLOYED, UNPLACED, apply
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import session as database
from zhtj.kernel.database import unit_of_work
from zhtj.transfers.models import Application
from zhtj.transfers.watching.timers import SIZE
from zhtj.transfers.workflow import State

Move = Callable[[str], None]


@pytest.fixture
def world(session: Session, clock_at: Move) -> World:
    """As everywhere, but standing since the season's second day."""
    del session
    clock_at("2026-05-02T09:00")
    return World.build()


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


@pytest.mark.rule("PD-18", "PD-36")
def test_every_timer_stands_in_one_list_soonest_first(world: World, browser: Browser, clock_at: Move) -> None:
    clock_at("2026-10-04T09:00")
    number = apply(world, world.graduate, "team", **EMPLOYED).id
    page = browser.login(world.accounts["class1"]).get("/branch/timers")
    rows = [line for line in page.main.splitlines() if line in {"超期退回", "本届日程", "催办提醒"}]
    assert "丁一" in page.main
    assert f"/branch/applications/{number}" in page.source
    assert rows.index("超期退回") < rows.index("本届日程")
    assert "升学的毕业生团员基本完成转接" in page.main
    only = page.click("本届日程")
    assert "丁一" not in only.main
    assert "本届转接结束" in only.main
    # The receiver's superior sees whom it will be reminded of
    reminded = browser.login(world.accounts["company"]).get("/school/timers?kind=reminder")
    assert "提醒研发团支部：1 件等待办理" in reminded.main
    # A committee with letters is offered them, a branch is not
    assert "介绍信有效期" in reminded.main
    assert "介绍信有效期" not in page.main


@pytest.mark.slow("more lines than a page holds")
def test_a_long_list_is_paged_without_losing_or_repeating_anything(
    world: World, browser: Browser, clock_at: Move
) -> None:
    clock_at("2026-10-04T09:00")
    with unit_of_work():
        members = [world.enrol(f"戊{number:02}", "class1") for number in range(SIZE + 5)]
        graduation.open_register()
    for member in members:
        apply(world, member, "team", **EMPLOYED)
    page = browser.login(world.accounts["class1"]).get("/branch/timers")
    first = [f"戊{number:02}" for number in range(SIZE + 5) if f"戊{number:02}：" in page.main]
    page = page.click("下一页")
    second = [f"戊{number:02}" for number in range(SIZE + 5) if f"戊{number:02}：" in page.main]
    assert first + second == [f"戊{number:02}" for number in range(SIZE + 5)]
    # And the file has them all
    rows, _ = csv_file(browser.post("/branch/exports/list/timers?kind=return", {"format": "csv"}).response.get_data())
    assert [row[2] for row in rows[1:]] == first + second
    assert "回到最前" in page.main
    assert browser.get("/branch/timers?after=xyz").status == 422


@pytest.mark.rule("D-08")
def test_in_september_receivers_and_their_superiors_see_what_is_overdue(
    world: World, browser: Browser, clock_at: Move
) -> None:
    clock_at("2026-08-20T09:00")
    apply(world, world.graduate, "team", **EMPLOYED)
    early = browser.login(world.accounts["county"]).get("/provincial/timers/review")
    assert "现在是申请期" in early.main
    clock_at("2026-09-02T09:00")
    page = browser.get("/provincial/timers").click("看看在谁那里")
    assert "共 1 件" in page.main
    assert "研发团支部" in page.main
    assert world.accounts["team"].mobile in page.main
    assert "丁一" in page.main
    assert "丁一" not in browser.login(world.accounts["university"]).get("/school/timers/review").main


@pytest.mark.rule("PD-36", "A-24")
def test_a_school_rehearses_the_next_return_and_nothing_is_written(
    world: World, browser: Browser, clock_at: Move
) -> None:
    clock_at("2026-10-03T09:00")
    soon = apply(world, world.graduate, "team", **EMPLOYED).id
    clock_at("2026-10-05T09:00")
    apply(world, world.classmate, "floating", **UNPLACED)
    page = browser.login(world.accounts["university"]).get("/school/timers").click("预演退回")
    assert "最近一次退回在 10月14日 00:00" in page.main
    assert "丁一" in page.main
    assert "卜喆" not in page.main
    later = page.form("/timers/rehearsal").submit(at="2026-10-16 00:00")
    assert "丁一" in later.main
    assert "卜喆" in later.main
    wrong = page.form("/timers/rehearsal").submit(at="下周一")
    assert wrong.status == 422
    assert "看不懂这个时间" in wrong.main
    assert wrong.form("/timers/rehearsal").values["at"] == "下周一"
    database.expire_all()
    assert database.get_one(Application, soon).state is State.AWAITING_ACCEPTANCE
    assert browser.login(world.accounts["class1"]).get("/branch/timers/rehearsal").status == 403


@pytest.mark.rule("D-06", "D-08", "D-09")
@pytest.mark.parametrize(
    ("moment", "says"),
    [
        ("2026-06-10T09:00", "撤销不影响双方的衔接率。10月1日以前系统不自动退回"),
        ("2026-09-10T09:00", "收到的申请应在本月内全部审核"),
        ("2026-10-08T09:00", "超过 10 天没有办理的，系统自动退回"),
    ],
)
def test_workbench_and_member_s_page_say_which_phase_it_is(
    world: World, browser: Browser, clock_at: Move, moment: str, says: str
) -> None:
    clock_at(moment)
    assert says in browser.login(world.graduate.account, "member").get("/member/").main
    apply(world, world.graduate, "team", **EMPLOYED)
    assert says in browser.get("/member/").main
    assert says in browser.login(world.accounts["university"]).get("/school/").main


@pytest.mark.rule("A-13", "E-06")
def test_a_joining_date_that_does_not_fit_is_put_before_the_approver(world: World, browser: Browser) -> None:
    with unit_of_work():
        world.graduate.joined_on = date(2016, 5, 1)
        world.graduate.dev_number = "201934000099"
    number = apply(world, world.graduate, "team", **EMPLOYED).id
    other = apply(world, world.classmate, "team", **EMPLOYED).id
    page = browser.login(world.accounts["team"]).get(f"/branch/applications/{number}")
    assert "入团时间对不上，同意前请先向原组织问清" in page.main
    assert "入团年月是2016年5月，发展团员编号却以 2019 开头" in page.main
    assert world.accounts["class1"].mobile in page.main
    assert "书面说明" in page.main
    assert "入团时间对不上" not in browser.get(f"/branch/applications/{other}").main


@pytest.mark.rule("E-06")
def test_joining_too_young_is_a_doubt_too(world: World, browser: Browser) -> None:
    with unit_of_work():
        world.graduate.joined_on = date(2017, 5, 1)
        world.graduate.dev_number = "201734000099"
    number = apply(world, world.graduate, "team", **EMPLOYED).id
    page = browser.login(world.accounts["team"]).get(f"/branch/applications/{number}")
    assert "入团时只有 13 周岁，低于 14 周岁" in page.main


@pytest.mark.rule("A-13", "E-07")
def test_where_the_receiver_checks_files_nobody_is_accepted_without(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """National: optional and noted; where the receiver's policy asks for it (as at Nankai): no yes without."""
    first, second = (apply(world, member, "team", **EMPLOYED).id for member in (world.graduate, world.classmate))
    page = browser.login(world.accounts["team"]).get(f"/branch/applications/{first}")
    assert "可不选" in page.main
    done = page.form(f"/applications/{first}/accept").submit(file_checked="1").follow()
    assert done.status == 200
    assert "已核对团员档案。" in browser.get(f"/branch/applications/{first}").main
    monkeypatch.setattr("zhtj.transfers.deciding.receiving.file_check_required", lambda _: True)
    asked = browser.get(f"/branch/applications/{second}")
    assert "同意转入前须先核对" in asked.main
    form = asked.click("同意转入").form(f"/applications/{second}/accept")
    failed = form.submit()
    assert failed.status == 422
    assert "先核对团员档案" in failed.main
    assert database.get_one(Application, second).state is State.AWAITING_ACCEPTANCE
    failed.form(f"/applications/{second}/accept").submit(file_checked="1")
    database.expire_all()
    assert database.get_one(Application, second).state is State.COMPLETED
