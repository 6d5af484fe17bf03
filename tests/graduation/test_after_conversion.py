"""After the conversion a mark that moves people out of the season, or in, needs the superior; all is told (PD-59)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.cases.steps import ask, do
from tests.floating.conftest import school  # noqa: F401 - a fixture
from tests.floating.steps import RETAINED, grant, stay_of, where
from tests.floating.steps import apply as stay
from tests.transfers.steps import UNPLACED, acting, apply
from tests.world import World
from zhtj import doctor
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction
from zhtj.graduation import mark_changes, operations, personal
from zhtj.graduation.models import BranchMark, MarkChange, MarkKind, NoTime
from zhtj.graduation.personal import OwnMark
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.notices.models import Message
from zhtj.orgs.models import Category, Organisation
from zhtj.people.models import Member
from zhtj.rates import queries
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

JUNE, JULY, NEXT, LATER = date(2026, 6, 1), date(2026, 7, 1), date(2027, 6, 1), date(2028, 6, 1)
ASKED = {"month": "2027-06", "ground": "entry_error", "detail": "录入时选错了年份"}
CHANGE: dict[str, Any] = {"month": "2027-06", "ground": "study_length", "reason": "学制由四年改为五年"}


@pytest.fixture
def autumn(world: World) -> World:
    """October: class 1 is a 毕业生团组织."""
    with unit_of_work():
        operations.convert_branches()
    return world


def branch(world: World, key: str = "class1") -> Organisation:
    session.expire_all()
    return session.get_one(Organisation, world.orgs[key].id)


def month_of(world: World, key: str = "class1") -> date | None:
    session.expire_all()
    return session.get_one(BranchMark, world.orgs[key].id).month


def told(world: World, key: str) -> list[str]:
    query = select(Message.body).where(
        Message.org_id == world.orgs[key].id, Message.title.contains("毕业时间标记有更改")
    )
    return list(session.scalars(query))


def graduates(world: World) -> int:
    session.expire_all()
    return queries.figures(world.orgs["university"].path, 2026).graduates


def is_whole() -> bool:
    return not [one for one in doctor.examine() if one.broken]


@pytest.mark.rule("PD-59", "K-01")
@pytest.mark.parametrize("who", ["college", "university"])
def test_no_one_office_takes_a_class_out_of_the_season_by_itself(autumn: World, who: str) -> None:
    for month, no_time in ((NEXT, None), (None, NoTime.MIXED)):
        with acting(autumn.seat(who)), pytest.raises(DomainError, match="要由直接上级同意") as caught:
            operations.change_mark(branch(autumn), month=month, no_time=no_time, reason="学制变动")
        assert caught.value.rule == "PD-59"
    assert month_of(autumn) == JUNE
    assert graduates(autumn) == 2


@pytest.mark.rule("PD-59", "K-01")
def test_nor_brings_one_in(autumn: World) -> None:
    with unit_of_work():
        operations.mark_branch(branch(autumn, "class2"), month=NEXT)
    with acting(autumn.seat("college")), pytest.raises(DomainError, match="要由直接上级同意"):
        operations.change_mark(branch(autumn, "class2"), month=JUNE, reason="录入错误")
    # What leaves everybody in their season is changed as before
    with acting(autumn.seat("college")):
        operations.change_mark(branch(autumn, "class2"), month=LATER, reason="录入错误")
        operations.change_mark(branch(autumn), month=JULY, reason="录入错误")
    assert not session.scalars(select(MarkChange)).all()


@pytest.mark.rule("PD-59")
@pytest.mark.parametrize(
    ("who", "role", "superior"), [("college", "college", "university"), ("university", "school", "city")]
)
def test_first_a_preview_then_the_superior_then_everybody_is_told(
    autumn: World, client: FlaskClient, who: str, role: str, superior: str
) -> None:
    # Given a graduate with an application under way, and one who has none
    with unit_of_work():
        if superior == "city":
            autumn.appoint("city")
    application = apply(autumn, autumn.graduate, "township", **UNPLACED)
    # When the college or school wants the class out of the season
    address = f"/{role}/organisations/{autumn.orgs['class1'].id}/mark/change"
    browser = Browser(client).login(autumn.accounts[who])
    page = browser.get(address).form(address).submit(**CHANGE)
    # Then it first sees who leaves, which applications run, and the rates before and after; nothing has happened
    for words in (
        "丁一、卜喆（2 人）",
        "丁一 → 团井岗镇委",
        "学社衔接率",
        "0 ÷ 2",
        "0 ÷ 0",
        f"要由{autumn.orgs[superior].short_name}同意",
    ):
        assert words in page.main
    assert month_of(autumn) == JUNE
    assert not session.scalars(select(Case)).all()
    # When it goes on, its superior is asked, who sees the same
    done = page.form(button="提请").submit().follow()
    assert f"已提请{autumn.orgs[superior].short_name}决定" in done.text
    case = session.scalars(select(Case)).one()
    assert case.line == [autumn.orgs[superior].id]
    assert month_of(autumn) == JUNE
    seat = {"university": "school", "city": "provincial"}[superior]
    page = browser.login(autumn.accounts[superior]).get(f"/{seat}/cases/{case.id}")
    for words in ("同意后会怎样", "丁一、卜喆（2 人）", "0 ÷ 0"):
        assert words in page.main
    # When the superior agrees
    do(case, autumn.seat(superior), CaseAction.APPROVE)
    # Then the class is out, the application goes on, branch, school and city know
    assert month_of(autumn) == NEXT
    assert branch(autumn).category is Category.BRANCH
    assert graduates(autumn) == 0
    assert session.get_one(Application, application.id).state is State.AWAITING_ACCEPTANCE
    for key in ("class1", "university", "city"):
        (body,) = told(autumn, key)
        assert "毕业时间由2026-06改为2027-06，丁一、卜喆不再计入本届，其中 1 人有正在办理的申请" in body
    # And a line stands under the rates
    page = browser.login(autumn.accounts["university"]).get("/school/rates")
    assert "转换以后的毕业时间标记更改" in page.main
    assert "软工1班团支部：毕业时间由2026-06改为2027-06，2 人不再计入" in page.main
    assert is_whole()


@pytest.mark.rule("PD-59")
def test_refused_nothing_changes(autumn: World) -> None:
    case = ask(autumn.seat("college"), "mark_change", autumn.orgs["class1"], **ASKED)
    do(case, autumn.seat("university"), CaseAction.REFUSE, "查过学籍，没有错误")
    assert month_of(autumn) == JUNE
    assert not session.scalars(select(MarkChange)).all()


@pytest.mark.rule("PD-59", "K-01")
def test_a_stricter_policy_stays_stricter(autumn: World, policy) -> None:
    policy(mark_edit="approval", mark_edit_level="city")
    case = ask(autumn.seat("college"), "mark_change", autumn.orgs["class1"], **ASKED)
    assert case.line[-1] == autumn.orgs["city"].id
    policy(mark_edit="forbidden")
    with acting(autumn.seat("college")), pytest.raises(DomainError, match="不能更改"):
        operations.change_mark(branch(autumn), month=NEXT, reason="学制变动")


@pytest.mark.rule("PD-59")
def test_before_the_conversion_it_is_as_the_policy_says(world: World, clock_at) -> None:
    clock_at("2026-05-31T23:59")
    with acting(world.seat("college")):
        operations.change_mark(branch(world), month=NEXT, reason="学制变动")
    assert month_of(world) == NEXT
    assert not session.scalars(select(MarkChange)).all()
    assert told(world, "university") == []


@pytest.mark.rule("PD-59", "G-05")
def test_an_own_month_in_a_mixed_branch_likewise(autumn: World) -> None:
    # Given a mixed branch, in which a first own month was set
    sophomore, seat = autumn.sophomore, autumn.seat("college")
    with acting(seat):
        operations.mark_branch(branch(autumn, "class2"), month=None, no_time=NoTime.MIXED)
        personal.mark_members(seat, branch(autumn, "class2"), [sophomore.id], OwnMark(MarkKind.INDIVIDUAL, JUNE))
    assert graduates(autumn) == 3
    (line,) = session.scalars(select(MarkChange))
    assert (line.what, line.come) == ("标记为单独标记（2026-06）", [sophomore.id])
    # When the college wants to change it, or take it back
    wanted = OwnMark(MarkKind.INDIVIDUAL, NEXT)
    with acting(seat), pytest.raises(DomainError, match="要由直接上级同意"):
        personal.mark_members(seat, branch(autumn, "class2"), [sophomore.id], wanted)
    with acting(seat), pytest.raises(DomainError, match="要由直接上级同意"):
        personal.undo(seat, [sophomore.id])
    assert graduates(autumn) == 3
    # Then its school decides
    case = ask(seat, "own_month", session.get_one(Member, sophomore.id), month="2027-06", detail="录入时选错了年份")
    assert case.line == [autumn.orgs["university"].id]
    do(case, autumn.seat("university"), CaseAction.APPROVE)
    assert graduates(autumn) == 2
    assert "不再计入本届" in told(autumn, "city")[-1]
    assert is_whole()


@pytest.mark.rule("PD-59")
def test_an_own_month_is_asked_for_only_after_the_conversion_and_where_it_needs_the_level_above(
    world: World, clock_at: Any, policy: Any
) -> None:
    offered = kind_of("own_month").offered
    assert offered(branch(world))
    clock_at("2026-05-20T09:00")
    assert not offered(branch(world)), "before the conversion whoever marks also changes"
    clock_at("2026-10-14T09:00")
    policy(mark_change_after_conversion="free")
    assert not offered(branch(world)), "nor where the policy leaves it to whoever marks"


@pytest.mark.rule("PD-59", "G-16", "G-21", "O-23")
def test_first_marks_delays_teachers_and_their_undoing_are_free_previewed_and_told(
    autumn: World, client: FlaskClient
) -> None:
    number = autumn.orgs["class1"].id
    browser = Browser(client).login(autumn.accounts["college"])
    address = f"/college/organisations/{number}/member-marks"
    delayed: dict[str, Any] = {"kind": "delayed", "month": "2027-06", "reason": "学分未修满"}
    for typed in (delayed, {"kind": "teacher"}):
        # First a preview
        page = browser.get(address).form(address, button="标记").submit(member=str(autumn.graduate.id), **typed)
        for words in ("会怎样", "丁一（1 人）", "0 ÷ 2", "0 ÷ 1"):
            assert words in page.main
        assert graduates(autumn) == 2
        # Then it is done, without anybody above
        assert page.form(button="确认").submit().status == 303
        assert graduates(autumn) == 1
        assert "丁一不再计入本届" in told(autumn, "city")[-1]
        # Taken back likewise
        page = browser.post("/college/delayed/undo", {"member": str(autumn.graduate.id)})
        assert "计入本届\n丁一（1 人）" in page.main
        assert graduates(autumn) == 1
        assert page.form(button="确认").submit().status == 303
        assert graduates(autumn) == 2
    # A class that was never marked
    page = browser.post("/college/marking/preview", {"row": str(autumn.orgs["class2"].id), "month": "2026-06"})
    assert "对本届的影响" in page.main
    assert "万堃（1 人）" in page.main
    assert graduates(autumn) == 2
    page.form("/marking/confirm").submit(read="1")
    assert graduates(autumn) == 3
    assert "首次标记毕业时间 2026-06，万堃计入本届" in told(autumn, "university")[-1]
    lines = session.scalars(select(MarkChange).order_by(MarkChange.id))
    assert [len(one.gone) - len(one.come) for one in lines] == [1, -1, 1, -1, -1]
    assert "转换以后的毕业时间标记更改" in browser.login(autumn.accounts["province"]).get("/provincial/rates").main
    assert is_whole()


@pytest.mark.rule("PD-59", "R-04")
def test_whoever_is_retained_leaves_the_season_and_stays_where_he_is(school: World) -> None:  # noqa: F811
    case = stay(school, school.graduate, **RETAINED)
    grant(school, case, *[key for key in ("college", "university") if school.orgs[key].id in case.line])
    kept = where(school.graduate)
    case = ask(school.seat("college"), "mark_change", school.orgs["class1"], **ASKED)
    do(case, school.seat("university"), CaseAction.APPROVE)
    session.expire_all()
    # He graduated with the class: where he went afterwards his row goes with him, and his stay is open as before
    assert where(school.graduate) == kept
    assert stay_of(school.graduate).ended_at is None
    assert mark_changes.counting(members=[school.graduate.id]) == {school.graduate.id: school.orgs["class1"].id}
    assert is_whole()
