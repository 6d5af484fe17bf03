"""Which time may be marked, and how far away it may lie (G-03, G-17)."""

from __future__ import annotations

from datetime import date

import pytest

from zhtj.graduation.models import NoTime
from zhtj.graduation.rules import choice_problem

TODAY = date(2026, 10, 14)


@pytest.mark.rule("G-03")
@pytest.mark.parametrize(
    ("month", "right"),
    [
        (date(2036, 12, 1), True),
        (date(2037, 1, 1), False),
        (date(2016, 1, 1), True),
        (date(2015, 12, 1), False),
    ],
)
def test_a_time_lies_at_most_ten_years_away(month: date, *, right: bool) -> None:
    assert (choice_problem(month, None, None, TODAY) is None) is right


@pytest.mark.rule("G-03")
def test_a_time_or_a_reason_and_never_both() -> None:
    assert choice_problem(None, NoTime.STAFF, None, TODAY) is None
    for month, reason in ((None, None), (date(2027, 6, 1), NoTime.STAFF)):
        problem = choice_problem(month, reason, None, TODAY)
        assert problem is not None
