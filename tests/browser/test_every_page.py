"""Every page of every role, looked at by axe on a phone and on a desk: no violation, nothing to scroll sideways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD
from tests.browser.stage import DESK, PHONE, serve, visit
from tests.browser.test_main_job import mobile
from tests.conftest import Installation
from tests.imports.making import person, roster
from tests.transfers.steps import apply, do
from tests.world import World
from zhtj.exports import operations as exports
from zhtj.exports.models import FileFormat
from zhtj.exports.operations import ExportOrder
from zhtj.exports.registry import LISTS
from zhtj.imports import batches
from zhtj.imports.models import ImportKind
from zhtj.kernel import audit, clock
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work.tasks import TaskState
from zhtj.people.finding.members import MemberFilters
from zhtj.people.signing import passwords
from zhtj.transfers import operations
from zhtj.transfers.rules import Ground

pytestmark = pytest.mark.slow("drives a browser")

HASH = passwords.make_hash(PASSWORD)
ADVICE = (
    "/help/advice",
    "/help/advice?group=工作",
    "/help/advice?situation=employed_unsure",
    "/help/advice?situation=employed_without_org&address=安徽省合肥市蜀山区井岗镇&done=1",
    "/help/advice?situation=further_study&unit=江淮示范大学&done=1",
)
PUBLIC = (
    "/login",
    "/activate",
    "/register",
    "/password/reset",
    "/help/",
    "/v/nonsense",
    "/help/chart",
    "/help/interface",
    "/nowhere",
    "/help/offices",
    "/help/offices?q=示范大学",
    "/help/offices?q=nothing",
    "/help/offices?school=3401-001",
    *ADVICE,
)
DESK_PAGES = (
    "/",
    "/waiting",
    "/applications",
    "/applications/{application}",
    "/applications/{waiting}/refuse",
    "/members",
    "/members?q=nobody",
    "/members/{member}",
    "/members/{member}/transfer-out",
    "/members/{member}/transfer-out?q=slkj",
    "/members/{member}/transfer-out?to={team}",
    "/transfer-in",
    "/imports/members",
    "/exports",
    "/organisation",
    "/rates",
    "/rates/people?key=society.denominator",
    "/rates/people?key=closed",
    "/rates/ranking?minimum=1&target=95",
    "/rates/notice?minimum=1",
    "/rates/curve",
    "/rates/curve?step=day",
    "/rates/stuck",
    "/rates/stuck/list",
    "/rates/receiving",
    "/rates/receiving/list?figure=refused",
    "/rates/statistics",
    "/rates/statistics/branches",
)
COMMITTEE_PAGES = (
    *DESK_PAGES,
    "/quality",
    "/quality/list",
    "/waits",
    "/members/{member}/advice?situation=unplaced",
    "/organisations",
    "/organisations/{class1}",
    "/organisations/{class1}/edit",
    "/organisations/{class1}/posts?q=丁",
    "/organisations/{college}/new",
    "/organisations/tree",
    "/organisations/tree?q=rj1b",
    "/imports/organisations",
    "/rates/map",
    "/rates/map?rate=done",
)
ROLES = {
    "team": ("branch", ("/", "/waiting", "/applications/{waiting}", "/applications/{waiting}/refuse")),
    "class1": ("branch", tuple(page for page in DESK_PAGES if "{waiting}" not in page)),
    "college": ("college", tuple(page for page in COMMITTEE_PAGES if "{waiting}" not in page)),
    "university": (
        "school",
        (
            *(page for page in COMMITTEE_PAGES if "{waiting}" not in page),
            "/imports/members/{under_way}",
            "/imports/members/{imported}",
            "/imports/members/{asked}",
            "/imports/members/{wrong}",
            "/imports/members/{imported}/undo",
            "/letters",
            "/letters/many",
            "/letters/receipts",
            "/letters/stubs",
            "/letters/settings",
            "/rates/tokens",
            "/members/{member}/letter",
            "/applications/{application}/letter",
        ),
    ),
    "province": (
        "provincial",
        ("/", "/waiting", "/applications", "/members", "/organisations", "/rates", "/rates/ranking?minimum=1"),
    ),
}
MEMBER_PAGES = (
    "/member/",
    "/member/history",
    "/member/me",
    "/member/letters",
    "/account",
    "/member/applications/{application}",
    "/member/transfer/new",
    "/member/advice?situation=unplaced&done=1",
    "/member/advice?situation=further_study&unit=某大学&done=1",
    "/member/guides/external",
    "/member/guides/special-unit",
)


def files(seat: ActiveSeat) -> dict[str, int]:
    """Exports under way and ended, an import under way and one that is done; ids of the imports."""
    ways = {"丁": TaskState.RUNNING, "卜": TaskState.DONE, "万": TaskState.FAILED}
    with unit_of_work():
        for text, state in ways.items():
            order = ExportOrder(LISTS["members"], seat, MemberFilters(text=text), FileFormat.XLSX)
            exports.ask(order, 3000).state = state
        done = batches.keep(ImportKind.MEMBERS, roster(person(400), person(401)), seat, "名单.xlsx")
        batches.apply(done, expected=batches.plan_of(done).accepted)
        under_way = batches.keep(ImportKind.MEMBERS, roster(person(402)), seat, "另一份名单.xlsx")
        under_way.state, under_way.total = TaskState.RUNNING, 3000
        table = roster(person(403), person(404))
        table.columns.remove("身份证号码")
        table.unknown, table.missing, table.asked = ["证照号", "备注"], ["身份证号码"], [("政治面貌", "青年", 2)]
        asked = batches.keep(ImportKind.MEMBERS, table, seat, "要说明的名单.xlsx")
        wrong = batches.keep(
            ImportKind.MEMBERS, roster(person(405, 手机号码="1"), person(406)), seat, "有错误的名单.xlsx"
        )
        for batch in (under_way, asked, wrong):
            batch.expires_at += timedelta(days=30)  # the server's clock is later
        return {"imported": done.id, "under_way": under_way.id, "asked": asked.id, "wrong": wrong.id}


@pytest.fixture(scope="module")
def house(installations: dict[str, Installation]) -> Iterator[tuple[World, str, dict[str, str]]]:
    """A world with an application that waits and one that was refused, on the embedded database."""
    app: Flask = installations["sqlite"].copy()[0]
    with clock.at(clock.parse("2026-10-08T09:00")), app.app_context(), audit.acting(None):
        world = World.build()
        waiting = apply(world, world.classmate, "team")
        refused = apply(world, world.graduate, "team")
        do(operations.refuse, refused, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在滨湖新区就业")
        with unit_of_work():
            for account in (*world.accounts.values(), world.graduate.account, world.classmate.account):
                session.merge(account).password_hash = HASH
        names = {
            "application": str(refused.id),
            "waiting": str(waiting.id),
            "member": str(world.graduate.id),
            "team": world.orgs["team"].code,
            "class1": str(world.orgs["class1"].id),
            "college": str(world.orgs["college"].id),
        }
        names |= {name: str(number) for name, number in files(world.seat("university")).items()}
        with serve(app) as home:
            yield world, home, names
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("who", [*ROLES, "graduate", ""])
def test_every_page_passes_axe_and_fits(
    house: tuple[World, str, dict[str, str]], chromium: Browser, who: str, *, brief: bool
) -> None:
    world, home, names = house
    role, pages = ROLES.get(who, ("", MEMBER_PAGES if who else PUBLIC))
    with visit(chromium, home, DESK if role else PHONE) as visitor:
        if who:
            visitor.sign_in(mobile(world, who), PASSWORD)
        for page in pages:
            visitor.go((f"/{role}" if role else "") + page.format(**names))
            visitor.check_sizes(brief=brief)
