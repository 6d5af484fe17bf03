"""The season's graduates as a college follows them: one statement behind list, counts, export (A-11, PD-08, PD-25)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.remembering import remembered
from tests.statements import statements
from tests.transfers.steps import UNPLACED, apply, do, start
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import GraduateCategory
from zhtj.kernel.database import session, unit_of_work
from zhtj.people.finding import search
from zhtj.people.models import Member
from zhtj.transfers import operations
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import graduates
from zhtj.transfers.watching.graduates import (
    AGAIN,
    CATEGORIES,
    DONE,
    NOT_STARTED,
    STEPS,
    Counts,
    Due,
    Graduate,
    GraduateFilters,
)
from zhtj.transfers.workflow import State

SEASON = 2026


@pytest.fixture
def built(session: Session) -> tuple[World, dict[str, Member]]:
    del session
    return build()


@pytest.fixture
def world(built: tuple[World, dict[str, Member]]) -> World:
    return built[0]


@pytest.fixture
def crowd(built: tuple[World, dict[str, Member]]) -> dict[str, Member]:
    """Graduates of one class at every step."""
    return built[1]


@remembered
def build() -> tuple[World, dict[str, Member]]:
    world = World.build()
    names = ("等", "分", "完", "退", "撤", "未")
    with unit_of_work():
        people = {name: world.enrol(f"{name}同学", "class1") for name in names}
        graduation.open_register()
    apply(world, people["等"], "company")
    accepted = apply(world, people["分"], "company")
    do(operations.accept, accepted, world.seat("company"))
    done = apply(world, people["完"], "team")
    do(operations.accept, done, world.seat("team"))
    refused = apply(world, people["退"], "team")
    do(operations.refuse, refused, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在别处就业")
    withdrawn = apply(world, people["撤"], "floating", **UNPLACED)
    do(operations.withdraw, withdrawn, world.own_seat(people["撤"]))
    return world, people


@pytest.fixture(params=[0, 500], ids=["line by line", "found first"])
def few(request, monkeypatch) -> None:
    """How those at a step, and those of a name, are looked for."""
    monkeypatch.setattr(graduates, "FEW", request.param)
    monkeypatch.setattr(search, "FEW", request.param)


def lines(world: World, key: str = "college", **filters: Any) -> list[Graduate]:
    session.expire_all()
    return list(graduates.listing(world.seat(key), SEASON, GraduateFilters(**filters)).page().rows)


def names(found: list[Graduate]) -> set[str]:
    return {each.row.member.name for each in found}


@pytest.mark.rule("A-11")
def test_the_college_sees_every_graduate_with_step_holder_and_telephone(world: World, crowd: dict[str, Member]) -> None:
    # Given one who applied himself, and one for whom the college started
    start(
        world.seat("college"), world.graduate, world.orgs["company"], reason="employed_with_org", unit_name="示例科技"
    )
    found = {each.row.member.name: each for each in lines(world)}
    # Then both stand in the list with their step, since when, how long still, who must act and the number to ring
    for name in ("等同学", "丁一"):
        line = found[name]
        assert line.step == State.AWAITING_ACCEPTANCE.label
        assert line.office.id == world.orgs["company"].id
        assert line.office_phone == world.accounts["company"].mobile
        assert line.since is not None
        assert line.application.due_at is not None
    assert found["分同学"].step == State.AWAITING_ALLOCATION.label
    # And those for whom nothing was started, with their own number
    assert found["未同学"].step == "未发起"
    assert found["未同学"].application is None
    assert found["未同学"].mobile == crowd["未"].account.mobile


@pytest.mark.rule("PD-08")
def test_who_has_moved_still_counts_where_he_graduated(world: World, crowd: dict[str, Member]) -> None:
    assert crowd["完"].org_id == world.orgs["team"].id
    assert "完同学" in names(lines(world, "class1"))
    assert "完同学" not in names(lines(world, "team"))
    # His number is the new organisation's affair now
    assert next(each for each in lines(world) if each.row.member.name == "完同学").mobile == ""


@pytest.mark.rule("PD-20")
def test_a_later_transfer_leaves_him_completed(world: World, crowd: dict[str, Member]) -> None:
    again = start(
        world.own_seat(crowd["完"]), crowd["完"], world.orgs["floating"], reason="unplaced", place="residence"
    )
    line = next(each for each in lines(world) if each.row.member.name == "完同学")
    assert line.application.id == again.id
    assert line.step == "已完成"
    assert line.office is None
    assert "完同学" not in names(lines(world, step=State.AWAITING_ACCEPTANCE.value))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"step": NOT_STARTED}, {"未同学", "丁一", "卜喆"}),
        ({"step": AGAIN}, {"退同学", "撤同学"}),
        ({"step": "refused"}, {"退同学"}),
        ({"step": DONE}, {"完同学"}),
        ({"step": "awaiting_acceptance"}, {"等同学"}),
        ({"text": "等"}, {"等同学"}),
        ({"text": "无此人"}, set()),
        ({"category": "society", "step": "awaiting_allocation"}, {"分同学"}),
        ({"category": "unregistered"}, {"未同学", "丁一", "卜喆"}),
        ({"due": "late"}, set()),
    ],
)
def test_each_filter_shows_whom_it_says(
    world: World, crowd: dict[str, Member], filters: dict[str, str], expected: set[str]
) -> None:
    assert names(lines(world, **filters)) == expected


def test_a_whole_student_number_and_a_class_are_found(world: World, crowd: dict[str, Member]) -> None:
    assert names(lines(world, text=crowd["退"].student_no)) == {"退同学"}
    assert lines(world, path=world.orgs["class2"].path) == []
    assert len(lines(world, path=world.orgs["class1"].path)) == 8


@pytest.mark.rule("PD-18")
def test_what_is_about_to_be_returned_is_found(world: World, crowd: dict[str, Member], clock_at: Any) -> None:
    due = next(each for each in lines(world) if each.row.member.name == "等同学").application.due_at
    clock_at("2026-10-22T09:00")
    assert names(lines(world, due=Due.SOON)) == {"等同学"}
    clock_at(due)
    assert names(lines(world, due=Due.LATE)) == {"等同学"}
    assert lines(world, due=Due.SOON) == []


@pytest.mark.rule("PD-25")
@pytest.mark.parametrize("base", [{}, {"category": "society"}, {"step": AGAIN}, {"text": "等"}, {"due": "soon"}])
@pytest.mark.usefixtures("few")
def test_every_figure_is_the_length_of_its_list(
    world: World, crowd: dict[str, Member], clock_at: Any, base: dict[str, Any]
) -> None:
    clock_at("2026-10-22T09:00")
    seat = world.seat("university")
    found = graduates.counts(seat, SEASON, GraduateFilters(**base))

    def length(**changed: Any) -> int:
        return len(graduates.listing(seat, SEASON, GraduateFilters(**{**base, **changed})).page().rows)

    assert found.total == length()
    assert found.categories == {key: length(category=key) for key in ("", *CATEGORIES)}
    assert found.steps == {key: length(step=key) for key in ("", *STEPS)}
    assert found.dues == {each.value: length(due=each.value) for each in Due}


def test_a_name_that_many_have_is_not_counted_for_a_leading_organ(
    world: World, crowd: dict[str, Member], monkeypatch
) -> None:
    asked, province = GraduateFilters(text="等"), world.seat("province")
    assert graduates.counts(province, SEASON, asked).total == 1
    monkeypatch.setattr(search, "FEW", 0)
    session.rollback()
    session.info.clear()
    # Then it is found all the same, and a school's figures are whole
    assert names(lines(world, "province", text="等")) == {"等同学"}
    assert graduates.counts(province, SEASON, asked) == Counts(None, {}, {}, {})
    assert graduates.counts(world.seat("university"), SEASON, asked).total == 1


def test_closed_rows_and_other_schools_stay_out(world: World, crowd: dict[str, Member]) -> None:
    row = graduation.open_row(crowd["未"].id, session.get_one(Member, crowd["未"].id).created_at)
    with unit_of_work():
        session.refresh(row)
        row.closed_at, row.close_reason = row.opened_at, "delayed"
    assert "未同学" not in names(lines(world))
    assert lines(world, "township") == []


@pytest.mark.slow("more people than a page holds")
def test_every_page_is_turned_once_and_costs_the_same(world: World, crowd: dict[str, Member]) -> None:
    with unit_of_work():
        more = [world.enrol(f"多{number:02}", "class1") for number in range(30)]
        graduation.open_register()
    for member in more[:25]:
        apply(world, member, "company")
    seat, after = world.seat("college"), ""
    seen: list[int] = []
    while True:
        session.expire_all()
        with statements() as asked:
            page = graduates.listing(seat, SEASON, GraduateFilters()).page(after=after)
            for each in page.rows:
                assert each.row.origin.short_name
                assert each.row.member.name
                assert each.office or not each.application or not each.application.state.is_open
        # once where it stood before; rows with people, newest applications, organisations, telephone numbers
        assert 0 < len(asked) <= (4 if seen else 5), asked
        seen += [each.row.id for each in page.rows]
        after = page.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == 38
    assert len(list(graduates.listing(seat, SEASON, GraduateFilters()))) == 38


def test_only_those_who_have_not_applied_are_named(world: World, crowd: dict[str, Member]) -> None:
    seat = world.seat("college")
    found = graduates.not_started(seat, SEASON, GraduateFilters(), 10)
    assert found == [("软工1班团支部", name) for name in ("丁一", "卜喆", "未同学")]
    ids = tuple(each.row.id for each in lines(world) if each.row.member.name in {"未同学", "等同学"})
    assert graduates.not_started(seat, SEASON, GraduateFilters(ids=ids), 10) == [("软工1班团支部", "未同学")]
    assert graduates.not_started(seat, SEASON, GraduateFilters(step=AGAIN), 10) == []


def test_category_follows_the_application(world: World, crowd: dict[str, Member]) -> None:
    assert {each.row.category for each in lines(world, step=DONE)} == {GraduateCategory.SOCIETY}
