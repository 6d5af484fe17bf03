"""The example of PD-24, number by number."""

from __future__ import annotations

import pytest

from tests.rates.conftest import Area
from tests.transfers.steps import EMPLOYED, do
from zhtj.rates.rules import RateKind
from zhtj.transfers import operations


@pytest.mark.rule("PD-24", "M-02", "M-04")
def test_example_of_pd_24(area: Area) -> None:
    # Given: society graduates a, b, c of U in P1; a -> P2 completed, b -> Q open, c nothing; Q's q -> P1 open.
    world = area.world
    a = area.goes(world.graduate, "p2_team", **EMPLOYED)
    do(operations.accept, a, world.seat("p2_team"))
    area.goes(world.classmate, "q_team", **EMPLOYED)
    area.goes(area.stranger, "team", **EMPLOYED)

    # Then
    xs = {key: area.rate(key) for key in ("city", "p2", "province", "q", "centre")}
    assert {key: (rate.numerator, rate.denominator) for key, rate in xs.items()} == {
        "city": (1, 4),
        "p2": (1, 1),
        "province": (1, 4),
        "q": (0, 2),
        "centre": (1, 4),
    }
    assert str(xs["city"]) == "25.00%"
    assert str(area.rate("city", RateKind.FURTHER_STUDY)) == "—"
