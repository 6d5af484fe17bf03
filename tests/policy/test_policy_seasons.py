"""Seasons: which policy governs when and where, the phases, and the ten days to the minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhtj.kernel.clock import SHANGHAI, local
from zhtj.policy import seasons
from zhtj.policy.layers import policy_named
from zhtj.policy.seasons import (
    NoPolicyError,
    campaign_open,
    county_open,
    milestones,
    phase,
    policy_for,
    return_due,
    season_of,
)
from zhtj.policy.vocabulary import CampaignPhase

PATIENT = settings(deadline=None)  # a busy machine is no failure
RUNNING = policy_for(2026, ())


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


# ---- which policy


def test_a_season_is_named_after_its_year():
    assert season_of(date(2026, 1, 1)) == 2026
    assert season_of(date(2026, 12, 31)) == 2026


@pytest.mark.parametrize(
    ("season", "line", "expected"),
    [
        (2019, ("0", "34"), "2019-national"),
        (2020, ("0", "34", "3401", "34010001"), "2020-anhui"),
        (2020, ("0", "32"), "2020-national"),
        (2020, ("0", "3401"), "2020-national"),
        (2020, (), "2020-national"),
        (2021, ("0", "34"), "2020-national"),
        (2022, ("0", "12"), "2022-national"),
        (2023, ("0", "34"), "2022-national"),
        (2024, ("0", "34"), "2022-national"),
        (2025, ("0", "44"), "2025-guangdong"),
        (2025, ("0", "34"), "2022-national"),
        (2026, ("0", "44"), "2026-national"),
        (2026, ("0", "34", "3401"), "2026-national"),
        (2031, ("0", "23"), "2026-national"),
    ],
)
@pytest.mark.rule("PD-62")
def test_the_policy_is_the_nearest_national_one_and_what_its_line_adds(season, line, expected):
    policy = policy_for(season, line)

    assert policy.name == expected
    assert policy.season == season
    assert policy.campaign_start == date(season, 5, 1)


def test_a_season_before_all_policies_is_refused_with_a_way_out():
    with pytest.raises(NoPolicyError) as refused:
        policy_for(2018, ())

    assert "2018" in refused.value.message
    assert "2019" in refused.value.fix


@pytest.fixture
def bound():
    """Binds layers as ``ZHTJ_POLICY_LAYERS`` does."""
    yield lambda text: seasons.bind(seasons.read_bindings(text))
    seasons.bind(())


@pytest.mark.rule("PD-62", "PD-11")
def test_a_school_or_province_can_be_bound_to_a_local_layer(bound):
    bound("3401-002=2024-letters@2026-, 34=2024-anhui@2026")

    school = policy_for(2026, ("0", "34", "3401", "3401-002"))
    assert [head.name for head in school.layers[-3:]] == ["2026-national", "2024-anhui", "2024-letters"]
    assert school.letter_requires_completion
    assert return_due(shanghai(2026, 6, 10, 9, 0), school, in_season=True) == shanghai(2026, 6, 21)
    assert school.initiate_target == date(2026, 6, 30)
    neighbour = policy_for(2026, ("0", "34", "3401", "3401-003"))
    assert (neighbour.name, neighbour.letter_requires_completion) == ("2024-anhui", False)
    assert policy_for(2026, ("0", "32")).name == "2026-national"
    # Of the next season only what was bound without end.
    assert policy_for(2027, ("0", "34", "3401-002")).name == "2024-letters"
    assert policy_for(2027, ("0", "34", "3401-002")).auto_return_from == date(2027, 10, 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("34010001", "看不懂"),
        ("34010001=2099-nowhere", "2024-letters"),
        ("34010001=2022-national", "没有名为"),
        ("34010001=2024-letters@2020", "不适用于 2020 届"),
    ],
)
def test_a_wrong_binding_is_refused_with_why(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        seasons.read_bindings(text)


def test_a_policy_is_laid_together_once():
    assert policy_for(2026, ("0", "34", "3401")) is policy_for(2026, ["0", "32"])


# ---- phases


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 4, 30), None),
        (date(2026, 5, 1), CampaignPhase.APPLICATION),
        (date(2026, 8, 31), CampaignPhase.APPLICATION),
        (date(2026, 9, 1), CampaignPhase.REVIEW),
        (date(2026, 9, 30), CampaignPhase.REVIEW),
        (date(2026, 10, 1), CampaignPhase.CLOSING),
        (date(2026, 12, 31), CampaignPhase.CLOSING),
        (date(2027, 1, 1), None),
    ],
)
def test_a_season_has_three_phases(day, expected):
    assert phase(RUNNING, day) == expected
    assert campaign_open(RUNNING, day) == (expected is not None)


def test_counties_take_over_from_september():
    assert not county_open(RUNNING, date(2026, 8, 31))
    assert county_open(RUNNING, date(2026, 9, 1))


def test_milestones_stand_in_order_with_their_rules():
    days = [(each.day.isoformat()[5:], each.rule) for each in milestones(RUNNING)]

    assert days == [
        ("05-01", "D-01"),
        ("06-01", "G-09"),
        ("08-31", "D-07"),
        ("09-01", "D-15"),
        ("09-30", "D-08"),
        ("10-01", "PD-11"),
        ("10-31", "D-11"),
        ("12-31", "D-01"),
    ]
    assert [each.day for each in milestones(RUNNING, after=date(2026, 10, 31))] == [date(2026, 12, 31)]


@pytest.mark.parametrize(
    ("name", "day", "rule"),
    [
        ("2019-national", date(2019, 5, 20), "D-03"),
        ("2020-anhui", date(2020, 8, 31), "D-12"),
        ("2020-college", date(2020, 9, 30), "D-11"),
        ("2022-harbin", date(2022, 5, 30), "D-19"),
        ("2022-harbin", date(2022, 10, 1), "D-19"),
    ],
)
def test_a_document_adds_its_own_milestones(name, day, rule):
    assert (day, rule, name) in {(each.day, each.rule, each.layer) for each in policy_named(name).milestones}


# ---- the ten days


@pytest.mark.rule("D-09", "PD-18")
@pytest.mark.parametrize(
    ("submitted", "due"),
    [
        (shanghai(2026, 9, 20, 10, 0), shanghai(2026, 10, 12)),
        (shanghai(2026, 10, 5, 23, 59), shanghai(2026, 10, 16)),
        (shanghai(2026, 5, 1, 0, 0), shanghai(2026, 10, 12)),
        (shanghai(2026, 10, 1, 0, 0), shanghai(2026, 10, 12)),
        (shanghai(2026, 10, 2, 0, 0), shanghai(2026, 10, 13)),
        (shanghai(2026, 12, 31, 23, 59), shanghai(2027, 1, 11)),
    ],
)
def test_in_a_season_the_clock_starts_in_october_and_ends_after_the_tenth_day(submitted, due):
    assert return_due(submitted, RUNNING, in_season=True) == due


@pytest.mark.rule("PD-18")
def test_outside_a_season_the_clock_starts_with_the_submission():
    assert return_due(shanghai(2026, 3, 3, 8, 0), RUNNING, in_season=False) == shanghai(2026, 3, 14)


@pytest.mark.rule("D-10")
def test_the_college_of_2020_returns_at_any_time_of_the_season():
    college = policy_named("2020-college")

    # From the first day of the campaign on, in summer and after the national date alike.
    for month in range(5, 12):
        assert return_due(shanghai(2020, month, 10, 9, 0), college, in_season=True) == shanghai(2020, month, 21)
    assert return_due(shanghai(2020, 5, 10, 9, 0), policy_named("2020-national"), in_season=True) > shanghai(
        2020, 10, 1
    )


def test_the_day_is_that_of_shanghai_whatever_zone_the_submission_is_given_in():
    late = datetime(2026, 10, 5, 16, 30, tzinfo=UTC)  # already the 6th in Shanghai

    due = return_due(late, RUNNING, in_season=True)

    assert due == shanghai(2026, 10, 17)
    assert due.tzinfo is UTC


IN_2026 = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31, 23, 59), timezones=st.just(UTC))  # noqa: DTZ001


@PATIENT
@given(submitted=IN_2026, in_season=st.booleans())
def test_nobody_has_less_than_ten_whole_days_and_the_end_is_midnight(submitted, in_season):
    due = return_due(submitted, RUNNING, in_season=in_season)

    assert timedelta(days=10) < due - submitted
    assert local(due).time().isoformat() == "00:00:00"
    assert local(due).date() - timedelta(days=11) >= local(submitted).date()


@pytest.mark.rule("D-06")
@PATIENT
@given(submitted=IN_2026)
def test_nothing_of_a_season_is_returned_before_the_closing_phase(submitted):
    due = local(return_due(submitted, RUNNING, in_season=True)).date()

    assert due >= date(2026, 10, 12)
    assert due == max(local(submitted).date(), date(2026, 10, 1)) + timedelta(days=11)


@PATIENT
@given(first=IN_2026, second=IN_2026, in_season=st.booleans())
def test_who_submits_earlier_is_never_returned_later(first, second, in_season):
    earlier, later = sorted((first, second))

    assert return_due(earlier, RUNNING, in_season=in_season) <= return_due(later, RUNNING, in_season=in_season)


@PATIENT
@given(submitted=IN_2026)
def test_a_season_never_shortens_the_time(submitted):
    assert return_due(submitted, RUNNING, in_season=True) >= return_due(submitted, RUNNING, in_season=False)
