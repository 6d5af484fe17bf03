"""What stands still and who holds it, and 催办 of the lagging: once a day, said by whom, in the log (PD-22, PD-25)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.browsing import Browser
from tests.rates.conftest import SEASON, Area
from tests.statements import statements
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, do
from zhtj.graduation import season_register
from zhtj.graduation.models import CloseReason
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.notices.models import Message, MessageKind
from zhtj.orgs.models import Tier
from zhtj.rates.models import Urging, UrgingTopic
from zhtj.rates.reports import stuck, urging
from zhtj.rates.reports.stuck import Direction, OfficeBacklog, Sort, StuckFilters
from zhtj.transfers import operations


@pytest.fixture
def busy(area: Area, clock_at: Callable[[str], None]) -> Area:
    """a waits at the company's team for ten days, b at Q's company for two, Q's q at the township for one."""
    clock_at("2026-10-15T09:00")
    area.goes(area.world.graduate, "team", **EMPLOYED)
    clock_at("2026-10-23T09:00")
    area.goes(area.world.classmate, "q_team", **EMPLOYED)
    clock_at("2026-10-24T09:00")
    area.goes(area.stranger, "floating", **UNPLACED)
    clock_at("2026-10-25T10:00")
    return area


def wanted(area: Area, key: str, **changes: object) -> StuckFilters:
    return StuckFilters(area.world.orgs[key].path, SEASON, **changes)  # type: ignore[arg-type]  # as the call says


def held(area: Area, key: str, **changes: object) -> list[tuple[str, int, int]]:
    """(office, applications, full days of the oldest) in the order of the page."""
    rows = stuck.heaps(wanted(area, key, **changes)).page().rows
    return [(heap.office.short_name, heap.number, stuck.waited(heap.oldest)) for heap in rows]


def reminders(office: int) -> list[Message]:
    query = select(Message).where(Message.org_id == office, Message.kind == MessageKind.REMINDER)
    return list(session.scalars(query.order_by(Message.id)))


@pytest.mark.rule("PD-22", "PD-25")
def test_who_holds_what_since_when_for_both_sides(busy: Area) -> None:
    # The city: its own university's two, and q who wants to come to its township
    found = held(busy, "city")
    assert found[0] == ("研发团支部", 1, 10)
    assert [days for *_, days in found] == [10, 2, 1]
    # By side: going out, and coming in from elsewhere
    assert sum(number for _, number, _ in held(busy, "university", side=Direction.OUT)) == 2
    assert held(busy, "university", side=Direction.IN) == []
    assert sum(number for _, number, _ in held(busy, "township", side=Direction.IN)) == 1
    # And each heap is the length of its list
    filters = wanted(busy, "city")
    for heap in stuck.heaps(filters).page().rows:
        listing = stuck.listing(filters, heap.office.id)
        assert listing.count() == heap.number == len(listing.page().rows)
    assert stuck.together(stuck.by_tier(stuck.lying(filters))) == stuck.Totals(3, 3, 0)


def test_done_and_closed_graduates_hold_nobody_up(busy: Area) -> None:
    world = busy.world
    application = stuck.listing(wanted(busy, "university")).page().rows[0]
    do(operations.accept, application, world.seat("team"))
    with unit_of_work():
        session.refresh(world.classmate)
        season_register.close([world.classmate.id], CloseReason.LEFT)
    assert held(busy, "university") == []


def test_narrowed_by_rank_sorted_and_paged(busy: Area) -> None:
    tiers = stuck.by_tier(stuck.lying(wanted(busy, "city", tier=Tier.BRANCH)))
    assert sum(each.applications for each in tiers.values()) == 3
    assert all(
        heap.office.tier is Tier.BRANCH for heap in stuck.heaps(wanted(busy, "city", tier=Tier.BRANCH)).page().rows
    )
    assert len(held(busy, "city", tier=Tier.BRANCH)) == tiers[Tier.BRANCH].offices
    assert stuck.together(tiers, Tier.BRANCH) == tiers[Tier.BRANCH]
    for sort in Sort:
        everyone = [heap.office.id for heap in stuck.heaps(wanted(busy, "city", sort=sort)).page().rows]
        assert len(everyone) == 3
        listing = replace(stuck.heaps(wanted(busy, "city", sort=sort)), size=1)
        walked: list[int] = []
        page = listing.page()
        while True:
            walked += [heap.office.id for heap in page.rows]
            if not page.after:
                break
            page = listing.page(after=page.after)
        assert walked == everyone
        assert [heap.office.id for heap in listing.page(before=page.before).rows] == everyone[1:2]
        assert [heap.office.id for heap in listing] == everyone


def test_an_office_hears_once_a_day_from_whom_and_what(busy: Area) -> None:
    world = busy.world
    with acting(world.seat("university")):
        first = stuck.urge(world.seat("university"), wanted(busy, "university"), [world.orgs["team"].id])
    assert (first.sent, first.known) == (1, 0)
    (letter,) = reminders(world.orgs["team"].id)
    assert letter.title == "催办：1 件转接申请等待办理"
    name = world.accounts["university"].name
    assert letter.body.startswith(
        f"江淮示范大学团委（{name}）催办：贵组织现有 1 件 2026 届毕业生的转接申请等待办理，等得最久的已有 10 天"
    )
    assert "丁一" not in letter.body
    # The same day nobody can send it again, and the page says who did
    for key in ("university", "province"):
        with acting(world.seat(key)):
            again = stuck.urge(world.seat(key), wanted(busy, key), [world.orgs["team"].id])
        assert (again.sent, again.known) == (0, 1)
        assert "没有重复发送" in again.text
    assert len(reminders(world.orgs["team"].id)) == 1
    heap: OfficeBacklog = stuck.heaps(wanted(busy, "province")).page().rows[0]
    assert heap.urged is not None
    assert heap.urged.by_org_id == world.orgs["university"].id
    # It is in the log once, and the next day he can be urged again
    assert session.scalar(select(func.count()).where(AuditEvent.action == "rates.urge")) == 1
    with unit_of_work():
        session.execute(update(Urging).values(day=clock.today() - timedelta(days=1)))
    with acting(world.seat("university")):
        assert stuck.urge(world.seat("university"), wanted(busy, "university"), None).sent == 2


def test_nobody_is_told_of_what_the_sender_does_not_see_nor_writes_to_himself(busy: Area) -> None:
    world = busy.world
    with acting(world.seat("university")):
        # q's application is not the university's business
        assert stuck.urge(world.seat("university"), wanted(busy, "university"), [world.orgs["township"].id]).sent == 0
    with acting(world.seat("team")):
        assert stuck.urge(world.seat("team"), wanted(busy, "team"), None).sent == 0
    assert session.scalar(select(func.count()).select_from(Urging)) == 0


@pytest.mark.rule("M-06", "PD-25")
def test_whose_graduates_have_not_applied(busy: Area) -> None:
    world = busy.world
    (line,) = stuck.not_started(world.orgs["college"], SEASON)
    assert (line.child.organisation.id, line.number) == (world.orgs["class1"].id, 1)
    with acting(world.seat("college")):
        assert stuck.urge_not_started(world.seat("college"), world.orgs["college"], SEASON, None).sent == 1
        assert stuck.urge_not_started(world.seat("college"), world.orgs["college"], SEASON, None).known == 1
    (letter,) = reminders(world.orgs["class1"].id)
    assert "还有 1 名 2026 届毕业生团员没有发起" in letter.body
    assert urging.today(UrgingTopic.NOT_STARTED, [world.orgs["class1"].id])


# ---- the page


def test_the_page_urges_in_one_action_and_shows_the_result_by_line(app: Flask, busy: Area) -> None:
    world = busy.world
    school = Browser(app.test_client()).login(world.accounts["university"])
    page = school.get("/school/rates/stuck")
    assert "在 2 个组织那里" in page.main
    assert "研发团支部" in page.main
    assert "10 天" in page.main
    done = page.form("/rates/stuck/urge").submit(row=[str(world.orgs["team"].id)]).follow()
    assert "已向 1 个组织发出催办" in done.text
    assert "江淮示范大学团委，" in done.main
    again = done.form("/rates/stuck/urge").submit(all="1").follow()
    assert "1 个今天已经催办过，没有重复发送" in again.text
    listed = school.get(f"/school/rates/stuck/list?office={world.orgs['team'].id}")
    assert "丁一" in listed.main
    assert "共 1 件" in listed.main
    nobody = again.form("/rates/stuck/urge").submit()
    assert nobody.status == 422
    assert "请先勾选要催办的组织" in nobody.text
    late = done.form("/rates/stuck/urge-start").submit(all="1").follow()
    assert "已向 1 个组织发出催办" in late.text


def test_the_page_asks_ten_things_at_most_beside_the_frame(app: Flask, busy: Area) -> None:
    browser = Browser(app.test_client()).login(busy.world.accounts["province"])
    browser.get("/provincial/rates/stuck")  # what is read once a process
    with statements() as frame:
        browser.get("/provincial/rates/stuck/list?season=2020")
    with statements() as seen:
        browser.get("/provincial/rates/stuck")
    assert len(seen) - len(frame) <= 10, "\n".join(seen)
