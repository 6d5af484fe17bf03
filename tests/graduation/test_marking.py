"""Marks of branches: who, which, together or not, changed or not (G-03 … G-15, O-15, O-17, K-02)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from tests.world import World
from zhtj.graduation import operations, queries
from zhtj.graduation.models import BranchMark, CloseReason, NoTime, RegisterChange, RegisterEvent, RegisterRow
from zhtj.graduation.operations import change_mark, foresee, mark_many, mark_problem
from zhtj.graduation.queries import MarkFilters
from zhtj.graduation.rules import ChangeWay, cohort, odd_cohorts
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation
from zhtj.orgs.operations import NewOrganisation

JUNE, NEXT = date(2026, 6, 1), date(2027, 6, 1)
COLLEGE = "普通高等院校"


def classes(world: World, *names: str, industry: str | None = COLLEGE) -> list[int]:
    with unit_of_work():
        return [world.add(name, "college", name, name, Category.BRANCH, industry).id for name in names]


def rows(world: World) -> dict[int, RegisterRow]:
    session.expire_all()
    return {row.member_id: row for row in session.scalars(select(RegisterRow).where(RegisterRow.season == 2026))}


def branch_ids(seat: ActiveSeat, filters: MarkFilters) -> list[int]:
    return queries.branch_list(seat, filters).take(100, Organisation.id)


@pytest.mark.rule("G-04")
def test_branches_of_one_year_are_marked_together_and_another_year_is_refused(spring: World) -> None:
    # given two classes of 2021 and one of 2022, unmarked
    ids = classes(spring, "光学院2021级1班团支部", "光学院2021级2班团支部", "光学院2022级1班团支部", "光学院混编团支部")
    # when one time is given to all of them
    with unit_of_work():
        lines = mark_many(spring.seat("college"), ids, month=JUNE)
    # then the odd one is refused with the sentence that says why, the rest has the one time
    refused = {line.branch.id: line for line in lines if line.problem}
    assert set(refused) == {ids[2]}
    assert "2022 级" in refused[ids[2]].problem
    assert refused[ids[2]].rule == "G-04"
    assert {mark.month for mark in queries.marks(ids).values()} == {JUNE}
    assert set(queries.marks(ids)) == {ids[0], ids[1], ids[3]}


@pytest.mark.rule("G-04")
def test_the_year_of_entry_is_read_off_the_name() -> None:
    assert cohort("软件学院2022级软件工程专业1班团支部") == 2022
    assert cohort("2018 级1班团支部") == 2018
    assert cohort("机关团支部") is None
    assert odd_cohorts({1: 2018, 2: 2018, 3: 2019, 4: None}) == (2018, {3})
    assert odd_cohorts({1: None}) == (None, set())


@pytest.mark.rule("G-03")
@pytest.mark.parametrize(("month", "reason"), [(None, None), (JUNE, NoTime.MIXED)])
def test_time_or_reason_exactly_one(spring: World, month: date | None, reason: NoTime | None) -> None:
    with pytest.raises(DomainError, match="只填一项") as caught:
        mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=month, no_time=reason)
    assert caught.value.rule == "G-03"


def test_one_event_a_branch_and_the_rows_of_its_members(spring: World) -> None:
    spring_class = spring.orgs["class2"].id
    more = classes(spring, "光学院2022级1班团支部", "光学院2022级2班团支部")
    with unit_of_work():
        mark_many(spring.seat("college"), [spring_class, *more], month=JUNE)
    told = session.scalar(
        select(func.count()).where(AuditEvent.action == "branch.mark", AuditEvent.subject_id.in_([spring_class, *more]))
    )
    assert told == 3
    assert rows(spring)[spring.sophomore.id].origin_org_id == spring_class


@pytest.mark.rule("G-12", "G-13")
def test_every_level_of_a_school_but_the_branch_marks(spring: World) -> None:
    branch = spring.orgs["class2"]
    assert mark_problem(spring.seat("college"), branch) is None
    assert mark_problem(spring.seat("university"), branch) is None
    for key, words in (("class2", "团支部不能标记"), ("province", "直接上级标记"), ("county", "直接上级标记")):
        problem = mark_problem(spring.seat(key), branch)
        assert problem is not None, key
        assert words in problem.message, key
    lines = foresee(spring.seat("province"), [branch.id], month=JUNE, no_time=None)
    assert [bool(line.problem) for line in lines] == [True]
    assert not spring.seat("class2").may(Permission.GRADUATION_MARK)


@pytest.mark.rule("G-12")
def test_a_school_of_one_branch_is_marked_by_its_direct_superior_alone(spring: World) -> None:
    with unit_of_work():
        new = NewOrganisation("井岗镇职业学校团支部", "职业学校团支部", Category.BRANCH, "中等职业院校")
        branch = orgs.create(spring.orgs["township"], new)
    assert mark_problem(spring.seat("township"), branch) is None
    assert mark_problem(spring.seat("county"), branch) is not None
    assert [one.id for one in queries.branch_list(spring.seat("township"), MarkFilters()).page().rows] == [branch.id]
    assert queries.branch_list(spring.seat("county"), MarkFilters()).page().rows == []


@pytest.mark.rule("G-11")
def test_in_2019_no_leading_organ_marks(spring: World, policy) -> None:
    policy("2019-national")
    with unit_of_work():
        new = NewOrganisation("井岗镇职业学校团支部", "职业学校团支部", Category.BRANCH, "中等职业院校")
        branch = orgs.create(spring.orgs["county"], new)
    problem = mark_problem(spring.seat("county"), branch)
    assert problem is not None
    assert problem.rule == "G-11"
    # Not even one that looks after schools
    spring.orgs["county"].industry = "中等职业院校"
    assert mark_problem(spring.seat("county"), branch) == problem
    assert mark_problem(spring.seat("college"), spring.orgs["class2"]) is None


@pytest.mark.rule("G-12")
def test_where_the_policy_says_so_any_level_but_the_branch_marks(spring: World, policy) -> None:
    policy("2022-nankai")
    assert mark_problem(spring.seat("province"), spring.orgs["class2"]) is None
    assert mark_problem(spring.seat("class2"), spring.orgs["class2"]) is not None


@pytest.mark.rule("O-17", "G-13")
@pytest.mark.parametrize(
    ("industry", "words"),
    [(None, "没有填写单位所属行业类别"), ("小学", "小学的团支部不标记"), ("农村", "不是学校的团支部")],
)
def test_the_industry_gates_the_feature_and_the_sentence_says_why(
    spring: World, industry: str | None, words: str
) -> None:
    (number,) = classes(spring, "某团支部", industry=industry)
    (line,) = foresee(spring.seat("college"), [number], month=JUNE, no_time=None)
    assert words in line.problem
    assert line.rule == "O-17"
    assert number not in branch_ids(spring.seat("college"), MarkFilters())


@pytest.mark.rule("G-13")
def test_what_is_no_branch_has_no_button(spring: World) -> None:
    lines = foresee(spring.seat("university"), [spring.orgs["college"].id], month=JUNE, no_time=None)
    assert "组织类别是“团总支”" in lines[0].problem
    spring.orgs["class1"].category = Category.GRADUATES
    session.flush()
    lines = foresee(spring.seat("university"), [spring.orgs["class1"].id], month=JUNE, no_time=None)
    assert "已经是毕业生团组织" in lines[0].problem


def test_a_marked_branch_is_refused_in_a_batch_with_the_way_to_change_it(spring: World) -> None:
    (line,) = foresee(spring.seat("college"), [spring.orgs["class1"].id], month=JUNE, no_time=None)
    assert line.problem == "已标记为2026-06。要更改的，请打开该支部单独办理。"


def test_what_lies_elsewhere_is_left_out(spring: World) -> None:
    assert foresee(spring.seat("company"), [spring.orgs["class2"].id], month=JUNE, no_time=None) == []


@pytest.mark.rule("G-06", "O-15")
def test_vertical_branches_are_mixed_and_have_no_time(spring: World, policy) -> None:
    with unit_of_work():
        mark_many(spring.seat("college"), [spring.orgs["class2"].id], month=None, no_time=NoTime.MIXED)
    assert session.get_one(BranchMark, spring.orgs["class2"].id).no_time is NoTime.MIXED
    assert spring.sophomore.id not in rows(spring)
    policy("2019-national")
    with pytest.raises(DomainError, match="混合型支部"):
        foresee(spring.seat("college"), [spring.orgs["class2"].id], month=None, no_time=NoTime.MIXED)


@pytest.mark.rule("O-23", "G-01")
def test_unmarked_and_newly_built_branches_are_listed(spring: World, clock_at) -> None:
    seat = spring.seat("university")
    assert branch_ids(seat, MarkFilters("new")) == [spring.orgs["class2"].id]
    clock_at("2027-03-01T09:00")
    (fresh,) = classes(spring, "光学院2027级1班团支部")
    assert set(branch_ids(seat, MarkFilters("unmarked"))) == {spring.orgs["class2"].id, fresh}
    assert branch_ids(seat, MarkFilters("new")) == [fresh]


@pytest.mark.rule("G-08")
def test_the_list_is_narrowed_by_the_marked_state(spring: World) -> None:
    seat, one, two = spring.seat("university"), spring.orgs["class1"].id, spring.orgs["class2"].id
    with unit_of_work():
        mark_many(seat, [two], month=None, no_time=NoTime.STAFF)
    for state, found in {"": {one, two}, "season": {one}, "2026": {one}, "2027": set(), "staff": {two}}.items():
        assert set(branch_ids(seat, MarkFilters(state))) == found, state
        assert queries.branch_list(seat, MarkFilters(state)).count() == len(found)
    assert queries.years(seat) == [2026]


# ---- changes


@pytest.mark.rule("G-14", "G-15", "PD-08")
def test_a_change_to_a_later_year_closes_the_rows_and_back_again_opens_them(spring: World) -> None:
    branch = spring.orgs["class1"]
    with unit_of_work():
        change_mark(branch, month=NEXT, reason="学制由四年改为五年")
    row = rows(spring)[spring.graduate.id]
    assert row.close_reason is CloseReason.MARK
    assert row.closed_at == clock.now()
    with unit_of_work():
        change_mark(branch, month=JUNE, reason="改错了")
    row = rows(spring)[spring.graduate.id]
    assert row.closed_at is None
    changes = session.scalars(
        select(RegisterEvent.change).where(RegisterEvent.row_id == row.id).order_by(RegisterEvent.id)
    )
    assert list(changes) == [RegisterChange.CLOSED, RegisterChange.REOPENED]


@pytest.mark.rule("G-14")
def test_a_change_after_the_conversion_makes_it_a_branch_again(spring: World, clock_at) -> None:
    clock_at("2026-06-02T09:00")
    branch = spring.orgs["class1"]
    with unit_of_work():
        operations.convert_branches()
    assert branch.category is Category.GRADUATES
    with unit_of_work():
        change_mark(branch, month=NEXT, reason="学制变动", decided=True)
    session.expire_all()
    assert branch.category is Category.BRANCH
    assert spring.graduate.is_graduate is False
    with unit_of_work():
        change_mark(branch, month=JUNE, reason="改回", decided=True)
    session.expire_all()
    assert branch.category is Category.GRADUATES
    assert spring.graduate.is_graduate is True


@pytest.mark.rule("G-14")
def test_never_free_or_with_approval_as_the_policy_says(spring: World, policy) -> None:
    branch = spring.orgs["class1"]
    assert operations.change_way(branch) is ChangeWay.FREE
    policy("2022-nankai")
    assert operations.change_way(branch) is ChangeWay.APPROVAL
    policy("2019-national")
    assert operations.change_way(branch) is ChangeWay.FORBIDDEN
    with pytest.raises(DomainError, match="不能更改"):
        change_mark(branch, month=NEXT, reason="学制变动")


@pytest.mark.rule("G-15")
def test_a_change_needs_a_reason_and_must_change_something(spring: World) -> None:
    branch = spring.orgs["class1"]
    with pytest.raises(DomainError, match="具体情况"):
        change_mark(branch, month=NEXT, reason=" ")
    with pytest.raises(Conflict):
        change_mark(branch, month=JUNE, reason="没有改")
    with pytest.raises(Conflict):
        change_mark(spring.orgs["class2"], month=JUNE, reason="还没有标记")
