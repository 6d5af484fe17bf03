"""Nothing is granted for a term that has passed (PD-61, D-18, R-14, G-18)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.cases.steps import ask
from tests.floating.steps import apply, grant, stay_of, where
from tests.floating.test_retention import WAY, keep
from tests.world import World
from zhtj.cases.kinds import kind_of
from zhtj.cases.kinds.overseas import KIND as OVERSEAS
from zhtj.cases.subjects import matter
from zhtj.graduation import personal
from zhtj.graduation.models import MarkKind
from zhtj.graduation.personal import OwnMark
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError


@pytest.mark.rule("PD-61", "D-18")
def test_after_its_six_months_a_first_retention_is_decided_as_an_extension(school: World) -> None:
    with clock.at(clock.parse("2027-01-05T09:00")):
        case = apply(school, school.graduate)
        said = kind_of("retention").warn(matter(case))
        grant(school, case, *WAY)
        stay = stay_of(school.graduate)
        assert (stay.retained_until, stay.extended_on) == (date(2027, 6, 30), date(2027, 1, 5))
        assert "按延长保留办理" in said
        assert "2027-06-30" in said
        assert "按延长保留办理" in (case.outcome or "")
        # And there is no second extension
        with pytest.raises(DomainError, match="不能再延长"):
            ask(school.own_seat(session.merge(school.graduate)), "retention_extension", why="还要再延长一次")


@pytest.mark.rule("PD-61", "D-18")
@pytest.mark.parametrize(
    ("day", "values"),
    [("2027-07-01T09:00", {}), ("2027-01-01T00:00", {"retention_max_months": 6})],
)
def test_where_no_term_is_left_retention_is_refused_with_the_ways_that_remain(
    school: World, policy: Any, day: str, values: dict[str, int]
) -> None:
    policy(**values)
    with clock.at(clock.parse(day)):
        with pytest.raises(DomainError, match=r"保留期.*已经过") as caught:
            apply(school, school.graduate)
        assert "乡镇街道" in str(caught.value)
        assert where(school.graduate) == school.orgs["class1"].id


@pytest.mark.rule("PD-61", "D-18")
def test_the_term_is_asked_again_when_it_is_decided(school: World) -> None:
    """Applied for in December, decided in July of the year after."""
    case = apply(school, school.graduate)
    with clock.at(clock.parse("2027-07-01T09:00")), pytest.raises(DomainError, match=r"保留期.*已经过"):
        grant(school, case, *WAY)
    # On the last day of the term there still is one
    with clock.at(clock.parse("2026-12-31T23:00")):
        grant(school, case, "university")
    assert stay_of(school.graduate).retained_until == date(2026, 12, 31)


@pytest.mark.rule("PD-61", "D-18")
def test_an_extension_is_not_granted_for_months_that_are_over(school: World) -> None:
    member = keep(school, school.graduate)
    with clock.at(clock.parse("2027-07-01T09:00")), pytest.raises(DomainError, match="已经过"):
        ask(school.own_seat(session.merge(member)), "retention_extension", why="还没有找到合适的单位")


@pytest.mark.rule("PD-61", "T-23")
def test_a_year_of_teaching_that_is_over_is_no_retention(school: World) -> None:
    with clock.at(clock.parse("2027-07-01T09:00")), pytest.raises(DomainError, match="已经过"):
        apply(school, school.graduate, ground="teaching")


@pytest.mark.rule("PD-61", "R-14")
def test_studies_abroad_that_are_over_are_not_applied_for(school: World) -> None:
    with pytest.raises(DomainError, match=r"学习期.*已经过") as caught:
        apply(school, school.graduate, "overseas_study", begins="2025-09", ends="2026-09")
    assert caught.value.field == "ends"
    case = apply(school, school.graduate, "overseas_study", begins="2025-09", ends="2026-11")
    with clock.at(clock.parse("2026-12-01T09:00")), pytest.raises(DomainError, match=r"学习期.*已经过"):
        grant(school, case, *WAY)
    assert OVERSEAS.key == case.kind


@pytest.mark.rule("PD-61", "G-18")
def test_nobody_is_delayed_to_a_month_that_is_over(school: World) -> None:
    """He graduated then: he belongs to the season of that month."""
    wanted = OwnMark(MarkKind.DELAYED, date(2026, 9, 1), "学分未修满")
    with pytest.raises(DomainError, match="已经过") as caught:
        personal.mark_members(school.seat("college"), school.orgs["class1"], [school.graduate.id], wanted)
    assert caught.value.field == "month"
    with pytest.raises(DomainError, match="已经过"):
        ask(
            school.seat("college"),
            "delay",
            school.graduate,
            month="2026-09",
            why="学分未修满",
            place="delayed_branch",
        )
