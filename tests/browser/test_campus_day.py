"""A campus from May to June by hand: marks, codes, a duplicate, 1 June, where graduates go, who stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import func, select

from tests.browser.conftest import HASH, PASSWORD
from tests.browser.stage import DESK, PHONE, Visitor, serve, visit
from tests.browser.test_main_job import mobile
from tests.world import World
from zhtj import sweeps
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseState
from zhtj.graduation.models import CloseReason, DestinationEntry, RegisterRow
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation, create
from zhtj.people.models import Member
from zhtj.policy.vocabulary import Reason

pytestmark = pytest.mark.slow("drives a browser")

MIXED = 8
CLASSES = (3, 4, 5, 6, 7, MIXED)
INDUSTRY = "普通高等院校"


@dataclass
class Campus:
    """The world on 20 May with six more classes, none of them marked.

    Args:
        ids: organisations and members by name.
        mobiles: what students sign in with.
    """

    world: World
    home: str
    ids: dict[str, int]
    mobiles: dict[str, str]


@pytest.fixture
def campus(live: Flask, clock_at: Callable[[str], None]) -> Iterator[Campus]:
    """A student in each class; in the first also a teacher, somebody who will not finish, and one entered twice."""
    clock_at("2026-05-20T09:00")
    with live.app_context(), audit.acting(None):
        world = World.build()
        people: dict[str, Member] = {}
        with unit_of_work():
            for number in CLASSES:
                full_name = f"江淮示范大学计算机学院2022级软件工程专业{number}班团支部"
                world.add(f"class{number}", "college", full_name, f"软工{number}班团支部", Category.BRANCH, INDUSTRY)
                people[f"学生{number}号"] = world.enrol(f"学生{number}号", f"class{number}")
            for name in ("教师甲", "延毕乙", "龑喆"):
                people[name] = world.enrol(name, "class3")
            twin = world.enrol("龑喆", "class4")
            twin.born = people["龑喆"].born
            people["龑喆二"] = twin
            floating = NewOrganisation(
                "江淮示范大学流动团员团支部",
                "江淮示范大学流动团员团支部",
                Category.BRANCH,
                INDUSTRY,
                purpose=Purpose.FLOATING,
            )
            create(world.orgs["university"], floating)
            for account in (*world.accounts.values(), *(one.account for one in people.values())):
                session.merge(account).password_hash = HASH
            session.flush()
            ids = {name: one.id for name, one in people.items()} | {key: org.id for key, org in world.orgs.items()}
            mobiles = {name: str(one.account.mobile) for name, one in people.items()}
        with serve(live) as home:
            yield Campus(world, home, ids, mobiles)


def mark_the_classes(college: Visitor) -> None:
    """Five classes for June and the mixed one with its reason: two actions."""
    page = college.page
    for numbers, field, value in ((CLASSES[:-1], "month", "2026-06"), (CLASSES[-1:], "no_time", "mixed")):
        college.go("/college/marking?state=unmarked")
        for number in numbers:
            page.get_by_label(f"选择软工{number}班团支部").check()
        college.check()
        college.follow(page.get_by_role("button", name="标记毕业时间"))
        if field == "month":
            page.locator("[name=month]").fill(value)
        else:
            page.locator("[name=no_time]").select_option(value)
        page.get_by_label("我已读完").check()
        college.check()
        college.follow(page.get_by_role("button", name=re.compile("^确定标记")))
        page.get_by_text(re.compile(f"已标记 {len(numbers)} 个团支部")).first.wait_for()
        college.check()


def mark_the_member(college: Visitor, branch: int, name: str, kind: str, **fields: str) -> None:
    """One member's own mark."""
    page = college.page
    college.go(f"/college/organisations/{branch}/member-marks")
    page.get_by_label(f"选择{name}").check()
    if page.get_by_label(kind, exact=True).count():
        page.get_by_label(kind, exact=True).check()
    for field, value in fields.items():
        page.locator(f"[name={field}]").fill(value)
    college.check()
    college.follow(page.get_by_role("button", name="标记", exact=True))
    college.check()
    if page.get_by_role("button", name="确认标记").count():  # of what moves people out of a season that runs
        college.follow(page.get_by_role("button", name="确认标记"))
    page.get_by_text("已标记 1 名团员").first.wait_for()


def print_the_codes(college: Visitor, branch: int, name: str) -> None:
    """A sheet with a code for each of a class, to print and cut."""
    page = college.page
    college.go(f"/college/members?org={branch}")
    page.get_by_label(f"选择{name}").check()
    college.check()
    college.follow(page.get_by_role("button", name=re.compile("验证码|激活码|代码")).first)
    page.get_by_role("heading", name="打印后裁开分发").wait_for()
    assert page.locator(".slip").count() == 1
    college.check()


def merge_the_doubled(province: Visitor) -> None:
    """The same person twice: looked at side by side, merged by the level above both classes."""
    page = province.page
    province.go("/provincial/members/duplicates")
    province.check()
    province.follow(page.get_by_role("link", name="核对龑喆的两条记录").first)
    province.check()
    page.get_by_text("是同一人，合并").first.click()
    page.locator("#why-merge").fill("已电话核实，是同一人")
    province.check()
    province.follow(page.get_by_role("button", name="确认合并"))
    province.check()


def register_destination(student: Visitor) -> None:
    """A graduate says where he goes, on his phone."""
    page = student.page
    student.follow(page.get_by_role("link", name="登记毕业去向").first)
    student.check()
    page.locator("[name=reason]").select_option(Reason.EMPLOYED_WITH_ORG.value)
    page.locator("[name=unit_name]").fill("示例科技有限公司")
    student.follow(page.get_by_role("button", name="登记", exact=True))
    page.get_by_text("登记不等于转接").wait_for()
    student.check()


def apply_to_stay(student: Visitor, name: str) -> None:
    """Another has no job yet: reads the notice, signs with his name and password."""
    page = student.page
    student.go("/member/stay/retention")
    student.check()
    page.locator("[name=ground]").select_option("no_job")
    page.locator("[name=detail]").fill("没有落实工作，继续求职")
    page.locator("[name=plan][value=job]").check()
    for field, value in (("mobile", "13800009999"), ("dues", "每半年交给学院团委"), ("life", "参加线上主题团日")):
        page.locator(f"[name={field}]").fill(value)
    page.get_by_label("我已阅读全文").check()
    page.locator("[name=signed_name]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    student.check()
    student.follow(page.get_by_role("button", name="签名并提交"))
    student.check()


def test_a_campus_from_the_marks_to_those_who_stay(
    live: Flask, campus: Campus, chromium: Browser, clock_at: Callable[[str], None]
) -> None:
    world, home, ids = campus.world, campus.home, campus.ids
    # The college marks its six classes, gives out codes and marks the one who graduates in the mixed class
    with visit(chromium, home, DESK) as college:
        college.sign_in(mobile(world, "college"), PASSWORD)
        mark_the_classes(college)
        mark_the_member(college, ids["class8"], "学生8号", "单独标记", month="2026-06")
        print_the_codes(college, ids["class5"], "学生5号")
        assert college.problems == []
    # At night the doubled record is found; the province merges it
    with live.app_context():
        assert sweeps.run("duplicates").done == 1
    with visit(chromium, home, DESK) as province:
        province.sign_in(mobile(world, "province"), PASSWORD)
        merge_the_doubled(province)
        assert province.problems == []
    # 1 June passes: the five classes become graduates' branches, the mixed one stays a class with one graduate
    clock_at("2026-06-01T00:05")
    with live.app_context():
        sweeps.run("convert")
        sweeps.run("register")
        named = select(Organisation.category).where(Organisation.id == ids["class8"])
        assert session.scalar(named) is Category.BRANCH
        five = [ids[f"class{number}"] for number in CLASSES[:-1]]
        graduates = select(func.count()).select_from(Organisation)
        turned = graduates.where(Organisation.id.in_(five), Organisation.category == Category.GRADUATES)
        assert session.scalar(turned) == len(five)
    # The teacher and the one who does not finish are marked
    clock_at("2026-06-02T09:00")
    with visit(chromium, home, DESK) as college:
        college.sign_in(mobile(world, "college"), PASSWORD)
        mark_the_member(college, ids["class3"], "教师甲", "教师")
        mark_the_member(college, ids["class3"], "延毕乙", "延迟毕业", month="2027-06", reason="学分未修满")
        assert college.problems == []
    # A student says where he goes, another applies to stay
    with visit(chromium, home, PHONE) as student:
        student.sign_in(campus.mobiles["学生4号"], PASSWORD)
        register_destination(student)
        assert student.problems == []
    with visit(chromium, home, PHONE) as student:
        student.sign_in(campus.mobiles["学生5号"], PASSWORD)
        apply_to_stay(student, "学生5号")
        assert student.problems == []

    with live.app_context():
        rows = {
            member.account.name: row
            for member, row in session.execute(
                select(Member, RegisterRow).join(RegisterRow, RegisterRow.member_id == Member.id)
            )
            if member.archived_at is None
        }
        assert {f"学生{number}号" for number in CLASSES} <= rows.keys()
        assert rows["教师甲"].close_reason is CloseReason.TEACHER
        assert rows["延毕乙"].close_reason is CloseReason.DELAYED
        assert rows["龑喆"].closed_at is None
        assert session.scalars(select(Member).where(Member.archived_at.is_not(None))).one().name == "龑喆"
        entry = session.scalars(select(DestinationEntry)).one()
        assert entry.row_id == rows["学生4号"].id
        assert entry.reason is Reason.EMPLOYED_WITH_ORG
        stays = session.scalars(select(Case).where(Case.kind == "retention")).one()
        assert stays.state is CaseState.WAITING
        assert stays.subject_id == ids["学生5号"]
