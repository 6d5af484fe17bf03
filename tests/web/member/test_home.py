"""The member's first page: where am I, who must act by when, what can I do next."""

from __future__ import annotations

from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser, Page
from tests.transfers.steps import UNPLACED, apply, do, start
from tests.world import World
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category
from zhtj.transfers import operations
from zhtj.transfers.applying import drafts
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching.sweeps import return_overdue

BUDGET = 14 * 1024
PHONE = "0551-65550101"


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    return Browser(client).login(world.graduate.account)


@pytest.fixture
def with_phones(world: World) -> None:
    with unit_of_work():
        for key, phone in (
            ("township", PHONE),
            ("county", "0551-100"),
            ("college", "0551-222"),
            ("company", "0551-333"),
        ):
            world.orgs[key].phone = phone


def applied(world: World, to: str = "floating", **details: Any) -> Application:
    """The graduate's own application, without the pages."""
    return apply(world, world.graduate, to, **(details or UNPLACED))


def home(browser: Browser) -> Page:
    page = browser.get("/member/")
    assert page.status == 200
    return page


def test_graduate_without_application_is_called_to_apply_with_the_seasons_deadline(browser: Browser) -> None:
    page = home(browser)

    assert "还没有申请转接" in page.main
    assert "软工1班团支部" in page.main
    assert "12月31日（周四）24:00 前，还剩 78 天" in page.main
    assert page.links()["申请转接"] == "/member/transfer/new"


@pytest.mark.parametrize(
    ("today", "deadline"),
    [
        ("2026-07-01T09:00", "8月31日（周一）24:00 前，还剩 61 天\n请提交转接申请"),
        ("2026-09-10T09:00", "9月30日（周三）24:00 前，还剩 20 天\n流向社会的团员应完成转接"),
        ("2026-10-14T09:00", "12月31日（周四）24:00 前，还剩 78 天\n本届转接结束，请尽快办理"),
    ],
)
@pytest.mark.rule("D-07")
def test_the_deadline_shown_is_the_next_of_the_season(
    browser: Browser, clock_at: Any, today: str, deadline: str
) -> None:
    clock_at(today)

    assert deadline in home(browser).main


@pytest.mark.rule("D-11", "D-07")
@pytest.mark.parametrize(
    ("reason", "deadline"),
    [
        ("further_study", "10月31日（周六）24:00 前，还剩 51 天\n升学的团员应完成转接"),
        ("unplaced", "9月30日（周三）24:00 前，还剩 20 天\n流向社会的团员应完成转接"),
    ],
)
def test_a_draft_has_the_deadline_of_what_it_is_about(
    browser: Browser, world: World, clock_at: Any, reason: str, deadline: str
) -> None:
    clock_at("2026-09-10T09:00")
    with unit_of_work():
        drafts.save(world.graduate, {"reason": reason})

    assert deadline in home(browser).main


def test_member_who_does_not_graduate_is_told_when_a_transfer_is_needed(client: FlaskClient, world: World) -> None:
    page = home(Browser(client).login(world.sophomore.account))

    assert "组织关系在软工2班团支部" in page.main
    assert "24:00 前" not in page.main


def test_draft_can_be_continued_where_it_was_left(browser: Browser, world: World) -> None:
    with unit_of_work():
        drafts.save(world.graduate, {"reason": "unplaced", "place": "residence"})

    page = home(browser)

    assert "申请还没有提交" in page.main
    assert "选择转入组织" in page.main
    assert page.links()["继续填写"] == "/member/transfer/new/organisation"


@pytest.mark.usefixtures("with_phones")
def test_waiting_application_says_who_must_act_by_when_and_how_to_reach_them(browser: Browser, world: World) -> None:
    applied(world, "township")

    page = home(browser)

    assert "等待团井岗镇委审批" in page.main
    assert PHONE in page.main
    assert f'href="tel:{PHONE.replace("-", "")}"' in page.source
    assert "10月14日 09:00（刚刚）" in page.main
    assert "10月24日（周六）24:00 前，还剩 10 天" in page.main
    assert page.has_form("/withdraw")


@pytest.mark.usefixtures("with_phones")
def test_office_that_stands_in_is_named(browser: Browser, world: World) -> None:
    # Given: the floating branch has no administrator, its township acts for it (PD-22).
    applied(world, "floating")

    page = home(browser)

    assert "等待团井岗镇委审批" in page.main
    assert "团井岗镇委（代办）" in page.main


@pytest.mark.usefixtures("with_phones")
def test_office_without_a_number_gives_that_of_the_next_above(browser: Browser, world: World) -> None:
    with unit_of_work():
        world.orgs["township"].phone = None
    applied(world, "township")

    assert "0551-100" in home(browser).main


@pytest.mark.rule("A-10")
def test_inside_the_school_the_old_side_is_named_first(browser: Browser, world: World) -> None:
    with unit_of_work():
        name = "共青团江淮示范大学外国语学院总支部委员会"
        world.add("arts", "university", name, "外国语学院团总支", Category.GENERAL_BRANCH, "普通高等院校")
    applied(world, "arts", reason="internal_upgrade")

    page = home(browser)

    assert "等待软工1班团支部同意转出" in page.main
    assert _steps(page) == ["提交（已完成）", "转出", "转入", "分配", "完成"]


def _steps(page: Page) -> list[str]:
    listed = next(one for one in page.document.iter("ol") if one.get("class") == "steps")
    return ["".join(item.itertext()).strip().lstrip("12345") for item in listed.iter("li")]


@pytest.mark.rule("A-12")
def test_accepted_application_waits_for_its_branch_without_a_clock(browser: Browser, world: World) -> None:
    application = applied(world, "township")
    do(operations.accept, application, world.seat("township"))

    page = home(browser)

    assert "对方已同意，等待分配团支部" in page.main
    assert "24:00 前" not in page.main
    assert not page.has_form("/withdraw")


@pytest.mark.usefixtures("with_phones")
def test_completed_transfer_says_where_one_is_now_and_what_to_do_there(browser: Browser, world: World) -> None:
    application = applied(world)
    do(operations.accept, application, world.seat("township"))

    page = home(browser)

    assert "组织关系已转到\n井岗镇流动团员团支部" in page.main
    assert "报到" in page.main
    assert PHONE in page.main


def test_completion_is_news_for_two_months(browser: Browser, world: World, clock_at: Any) -> None:
    application = applied(world)
    do(operations.accept, application, world.seat("township"))
    clock_at("2026-12-20T09:00")

    page = home(browser)

    assert "组织关系在井岗镇流动团员团支部" in page.main
    assert "本届转接已完成" in page.main


@pytest.mark.rule("A-15", "A-23")
@pytest.mark.usefixtures("with_phones")
def test_refusal_shows_ground_remark_who_and_the_two_ways_on(browser: Browser, world: World) -> None:
    application = applied(world, "company", reason="employed_with_org", unit_name="示例科技")
    do(operations.refuse, application, world.seat("company"), Ground.NOT_OURS, "不在我单位工作，请核对。")

    page = home(browser)

    assert "示例科技团委没有同意" in page.main
    assert Ground.NOT_OURS.label in page.main
    assert "不在我单位工作，请核对。" in page.main
    assert f"示例科技团委 · {world.accounts['company'].name}" in page.main
    assert page.has_form(f"/applications/{application.id}/again")
    assert "请本校的老师出面协调" in page.main
    assert "0551-222" in page.main


@pytest.mark.rule("A-24")
def test_returned_application_offers_to_start_again(browser: Browser, world: World, clock_at: Any) -> None:
    application = applied(world)
    clock_at("2026-10-26T09:00")
    return_overdue(clock.now())

    page = home(browser)

    assert "申请超期，已退回" in page.main
    assert "10月25日 00:00 系统退回了申请" in page.main
    assert page.has_form(f"/applications/{application.id}/again")


def test_overdue_application_is_not_offered_for_withdrawal_before_the_sweep(
    browser: Browser, world: World, clock_at: Any
) -> None:
    applied(world)
    clock_at("2026-10-25T00:00")

    page = home(browser)

    assert "已超过办理期限，即将退回" in page.main
    assert not page.has_form("/withdraw")


@pytest.mark.rule("A-01", "A-07")
def test_application_started_by_the_school_is_shown_with_its_initiator(browser: Browser, world: World) -> None:
    start(world.seat("university"), world.graduate, world.orgs["township"], **UNPLACED)

    page = home(browser)

    assert f"由{world.accounts['university'].name}（转出方）为您发起" in page.main
    assert page.has_form("/withdraw")


@pytest.mark.usefixtures("with_phones")
def test_first_visit_is_light(client: FlaskClient, world: World) -> None:
    # Given: a phone that has never been here; its browser accepts brotli as all do.
    applied(world, "township")
    browser = Browser(client).login(world.graduate.account)
    plain = home(browser)
    page = browser.get("/member/", headers={"Accept-Encoding": "gzip, deflate, br"})
    hrefs = [link.get("href", "") for link in plain.document.iter("link") if link.get("rel") == "stylesheet"]
    scripts = [script.get("src") for script in plain.document.iter("script")]
    images = [image for tag in ("img", "iframe", "object") for image in plain.document.iter(tag)]

    style = browser.get(hrefs[0], headers={"Accept-Encoding": "br"})

    # Then: page, one stylesheet, htmx - three requests - and the first two weigh at most 14 KB together.
    assert (len(hrefs), len(scripts), images) == (1, 1, [])
    assert page.response.headers["Content-Encoding"] == style.response.headers["Content-Encoding"] == "br"
    html, css = page.response.get_data(), style.response.get_data()
    assert b"</html>" in brotli.decompress(html)
    assert len(html) + len(css) <= BUDGET


def test_archived_record_is_gone(browser: Browser, world: World) -> None:
    with unit_of_work():
        session.refresh(world.graduate)
        world.graduate.archived_at = clock.now()

    assert browser.get("/member/").status in {302, 303, 403, 404}
