"""A wrong application taken back leaves no trace in the rates of either side (M-09, A-19)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.rates.conftest import Area
from tests.transfers.steps import EMPLOYED, do
from zhtj.rates.rules import Rate, RateKind
from zhtj.transfers import operations

BOTH_SIDES = ("class1", "university", "city", "province", "q_team", "q", "centre")


def rates(area: Area) -> dict[tuple[str, RateKind], Rate]:
    return {(key, kind): area.rate(key, kind) for key in BOTH_SIDES for kind in RateKind}


@pytest.mark.rule("M-09", "A-19")
@pytest.mark.parametrize("starter", ["member", "class1"])
def test_withdrawn_before_the_end_of_august_counts_for_neither_side(
    area: Area, clock_at: Callable[[str], None], starter: str
) -> None:
    # Given the figures of both sides and of everybody above them in July
    clock_at("2026-07-15T10:00")
    before = rates(area)
    # When an application to another province is submitted
    application = area.goes(area.world.graduate, "q_team", "class1" if starter == "class1" else "", **EMPLOYED)
    assert rates(area) != before
    # And taken back by who started it, as the receiver asked
    clock_at("2026-08-30T10:00")
    seat = area.world.seat("class1") if starter == "class1" else area.world.own_seat(area.world.graduate)
    do(operations.withdraw, application, seat)
    # Then nothing of it is left in any rate: no incoming, no initiated, he counts as before
    assert rates(area) == before
