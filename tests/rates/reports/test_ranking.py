"""The ranking: ties, minimum size, movement of a week, schools at any depth (M-14)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.rates.conftest import SEASON, Area
from tests.statements import statements
from tests.transfers.steps import EMPLOYED, do
from zhtj.orgs.models import Organisation
from zhtj.rates.reports import ranking
from zhtj.rates.reports.ranking import OrganisationRate, RankingLevel
from zhtj.rates.rules import Rate, RateKind
from zhtj.transfers import operations


def entry(number: int, rate: Rate, before: Rate | None = None) -> OrganisationRate:
    """An organisation that is nothing but its number."""
    return OrganisationRate(Organisation(id=number), rate, before)


@pytest.mark.rule("M-14")
def test_whoever_has_the_same_rate_shares_a_rank_and_the_next_place_is_empty() -> None:
    rates = [Rate(10, 20), Rate(20, 20), Rate(15, 20), Rate(30, 40)]
    ranked, small = ranking.ranked([entry(number, rate) for number, rate in enumerate(rates)])
    assert [(place.entry.organisation.id, place.rank) for place in ranked] == [(1, 1), (2, 2), (3, 2), (0, 4)]
    assert small == []


def test_what_prints_the_same_is_the_same() -> None:
    # 2/3 of 30,000 and of 30,001 differ in the sixth digit: both print 66.67%.
    ranked, _ = ranking.ranked([entry(1, Rate(20000, 30000)), entry(2, Rate(20001, 30001))])
    assert [str(place.entry.rate) for place in ranked] == ["66.67%", "66.67%"]
    assert [place.rank for place in ranked] == [1, 1]


@pytest.mark.parametrize(("minimum", "places"), [(10, [2, 3]), (9, [1, 2, 3]), (0, [1, 2, 3])])
def test_small_ones_are_listed_without_a_rank(minimum: int, places: list[int]) -> None:
    rates = [entry(1, Rate(9, 9)), entry(2, Rate(9, 10)), entry(3, Rate(1, 10)), entry(4, Rate(0, 0))]
    ranked, small = ranking.ranked(rates, minimum)
    assert [place.entry.organisation.id for place in ranked] == places
    assert {place.entry.organisation.id for place in small} == {1, 2, 3, 4} - set(places)
    assert all(place.rank is None for place in small)


def test_movement_is_in_points_and_in_ranks() -> None:
    rates = [entry(1, Rate(8, 10), Rate(4, 10)), entry(2, Rate(6, 10), Rate(5, 10)), entry(3, Rate(5, 10))]
    ranked, _ = ranking.ranked(rates)
    assert [(place.change, place.climbed) for place in ranked] == [
        (Decimal("40.00"), 1),
        (Decimal("10.00"), -1),
        (None, None),
    ]


@pytest.mark.rule("M-14")
def test_schools_are_ranked_at_whatever_depth_and_compared_with_a_week_ago(area: Area, clock_at) -> None:
    # Given: one of U's three is completed on the 15th, Q's graduate on the 24th
    world = area.world
    clock_at("2026-10-15T09:00")
    a = area.goes(world.graduate, "p2_team", **EMPLOYED)
    do(operations.accept, a, world.seat("p2_team"))
    clock_at("2026-10-24T09:00")
    q = area.goes(area.stranger, "q_team", **EMPLOYED)
    do(operations.accept, q, world.seat("q_team"))

    # When
    found = {
        one.organisation.id: (one.rate, one.before)
        for one in ranking.entries(world.orgs["centre"], SEASON, RateKind.SOCIETY, RankingLevel.SCHOOLS)
    }

    # Then: receivers without graduates are no schools; the 17th is the day to compare with
    assert found == {
        world.orgs["university"].id: (Rate(1, 3), Rate(1, 3)),
        world.orgs["q_college"].id: (Rate(1, 1), Rate(0, 1)),
    }
    for key in ("university", "q_college"):
        assert found[world.orgs[key].id][0] == area.rate(key)


def test_there_is_nothing_to_compare_with_before_the_season_and_after_it(clock_at) -> None:
    clock_at("2026-10-14T09:00")
    assert ranking.week_before(2026, None) == date(2026, 10, 7)
    assert ranking.week_before(2026, date(2026, 1, 3)) is None
    assert ranking.week_before(2025, None) is None


def test_the_number_of_statements_does_not_grow_with_the_schools(area: Area) -> None:
    orgs = area.world.orgs
    with statements() as few:
        ranking.entries(orgs["province"], SEASON, RateKind.SOCIETY, RankingLevel.SCHOOLS)
    with statements() as many:
        ranking.entries(orgs["centre"], SEASON, RateKind.SOCIETY, RankingLevel.SCHOOLS)
    assert len(many) <= len(few)
