"""Targets: policy values of an organisation's line (M-13, PD-26)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.rates.conftest import SEASON, Area
from zhtj.orgs import policies
from zhtj.policy.layers import compose, lineage
from zhtj.policy.seasons import policy_for
from zhtj.rates.reports import targets
from zhtj.rates.reports.targets import Target
from zhtj.rates.rules import Rate, RateKind


@pytest.fixture
def assessed(area: Area, monkeypatch: pytest.MonkeyPatch) -> Area:
    """The university's colleges are assessed as the 2022 notice of one school says."""
    code = area.world.orgs["university"].code
    strict = compose(lineage("2022-harbin"), SEASON)
    monkeypatch.setattr(policies, "governed", lambda _: frozenset({code}))
    monkeypatch.setattr(
        policies, "policy_for", lambda season, line: strict if code in line else policy_for(season, line)
    )
    return area


@pytest.mark.rule("M-13", "PD-26")
def test_a_target_holds_for_the_organisation_of_the_layer_and_all_below(assessed: Area) -> None:
    orgs = assessed.world.orgs
    for key in ("university", "college", "class1"):
        target = targets.target_of(orgs[key], SEASON, RateKind.SOCIETY)
        assert target is not None
        assert (target.percent, target.source.rule) == (100, "M-13")
    assert targets.target_of(orgs["city"], SEASON, RateKind.SOCIETY) is None
    assert targets.target_of(orgs["university"], SEASON, RateKind.FURTHER_STUDY) is None


@pytest.mark.rule("PD-26")
@pytest.mark.parametrize(
    ("rate", "percent", "missing"),
    [
        (Rate(1, 4), "100", 3),
        (Rate(1, 4), "50", 1),
        (Rate(1, 3), "33.34", 1),
        (Rate(4, 4), "100", 0),
        (Rate(0, 0), "90", 0),
    ],
)
def test_how_many_people_close_the_target(rate: Rate, percent: str, missing: int) -> None:
    # When so many more are completed, the target is reached, and with one fewer it is not.
    target = Decimal(percent)
    assert rate.missing(target) == missing
    if missing:
        reached = Decimal(100 * (rate.numerator + missing)) / rate.denominator
        before = Decimal(100 * (rate.numerator + missing - 1)) / rate.denominator
        assert before < target <= reached


def test_distance_is_in_percentage_points_and_absent_for_nobody() -> None:
    target = Target(Decimal(95))
    assert target.distance(Rate(1, 4)) == Decimal("-70.00")
    assert target.distance(Rate(0, 0)) is None
    assert str(target) == "95%"
    assert str(Target(Decimal("97.50"))) == "97.5%"


def test_a_season_before_all_policies_has_no_targets(area: Area) -> None:
    assert targets.read(1990).of(area.world.orgs["university"]) == {}
