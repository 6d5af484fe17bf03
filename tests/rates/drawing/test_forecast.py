"""The forecast: what it makes of simple seasons, of hardly anything, and how often its band held on simulated ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.rates.counting.seasons import DAYS, FIRST, LAST, SHAPES, History, Season, next_deadline, year_before
from zhtj.rates.drawing.forecast import METHOD, Expected, forecast
from zhtj.rates.rules import Rate

EVERY = 5  # days between two tries of the backtest
SEEDS = 6


@dataclass(frozen=True)
class Try:
    """One forecast and what came of it."""

    ahead: int
    width: float
    held: bool
    season: int


def tries(shape: str, before: str | None, people: int, group: int) -> list[Try]:
    """Forecasts of the next deadline, every few days of some seasons."""
    found = []
    for seed in range(SEEDS):
        chance = random.Random(seed)
        history = Season(SHAPES[shape], people, group, chance).history()
        last = year_before(Season(SHAPES[before], people, group, chance).history()) if before else []
        for at in range(1, len(DAYS) - 1, EVERY):
            (guess,) = forecast(history[: at + 1], [next_deadline(DAYS[at])], last)
            came = history[DAYS.index(guess.day)][1].value or Decimal(0)
            held = guess.low <= came <= guess.high
            found.append(Try((guess.day - DAYS[at]).days, float(guess.high - guess.low), held, seed))
    return found


def share(found: Sequence[Try]) -> float:
    return sum(each.held for each in found) / len(found)


def width(found: Sequence[Try]) -> float:
    return sum(each.width for each in found) / len(found)


@pytest.mark.parametrize("people", [60, 400, 4000])
@pytest.mark.parametrize("known", ["with last season", "alone"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_band_holds_on_at_least_seven_days_of_ten_and_says_something(shape: str, known: str, people: int) -> None:
    found = tries(shape, shape if known == "with last season" else None, people, 5)
    assert share(found) >= 0.7
    # The band is no excuse: it is narrow on the whole, and sharp when the deadline is near
    near = [each for each in found if each.ahead <= 7]
    far = [each for each in found if each.ahead >= 28]
    assert width(found) <= 40
    assert width(near) <= 0.6 * width(far)


@pytest.mark.parametrize(("shape", "before"), [("deadline_rush", "early_rush"), ("early_rush", "deadline_rush")])
def test_the_band_holds_where_last_season_was_quite_another(shape: str, before: str) -> None:
    assert share(tries(shape, before, 400, 5)) >= 0.7


def steady(days: int, *, people: int = 1000, share_a_day: float = 0.01, first: date = FIRST) -> History:
    """Every day the same share of the open part is done."""
    found, left = [], float(people)
    for number in range(days):
        left *= 1 - share_a_day
        found.append((first + timedelta(number), Rate(people - round(left), people)))
    return found


def one(history: History, ahead: int = 30, before: History | None = None) -> Expected:
    (found,) = forecast(history, [history[-1][0] + timedelta(ahead)], before or [])
    return found


def test_a_steady_season_goes_on_steadily() -> None:
    found = one(steady(60))
    whole = steady(90)[-1][1].value
    assert abs(found.middle - whole) < 4
    assert found.low < whole < found.high


def test_last_season_tells_of_a_rush_that_has_not_come_yet() -> None:
    # Given: slow until the end of July, then quick, last season and so far this one
    last = steady(60, share_a_day=0.003)
    quick = [
        (day, Rate(300 + 7 * number, 1000)) for number, (day, _) in enumerate(steady(60, first=FIRST + timedelta(60)))
    ]
    alone, told = (
        one(steady(60, share_a_day=0.003)),
        one(steady(60, share_a_day=0.003), before=year_before(last + quick)),
    )
    assert told.middle > alone.middle + 5


def test_further_ahead_is_less_sure() -> None:
    days = [FIRST + timedelta(60 + ahead) for ahead in (1, 7, 21, 60)]
    widths = [each.high - each.low for each in forecast(steady(60), days)]
    assert widths == sorted(widths)


def test_many_people_are_surer_than_few() -> None:
    few, many = one(steady(60, people=40)), one(steady(60, people=40000))
    assert few.high - few.low > many.high - many.low


def test_who_is_done_stays_done() -> None:
    # When nobody new comes, the band does not reach noticeably below what is
    history = steady(60)
    assert one(history).low > (history[-1][1].value or 0) - 1


def test_newcomers_may_pull_a_rate_down() -> None:
    growing = [(FIRST + timedelta(number), Rate(100, 200 + 10 * number)) for number in range(60)]
    found = one(growing)
    assert found.low < growing[-1][1].value
    assert found.low <= found.middle <= found.high


@pytest.mark.parametrize(
    "history",
    [[], [(FIRST, Rate(0, 0))], [(FIRST, Rate(1, 2)), (FIRST + timedelta(1), Rate(0, 0))]],
    ids=["no day", "nobody", "nobody any more"],
)
def test_nothing_to_go_by_is_no_forecast(history: History) -> None:
    assert forecast(history, [LAST]) == []


def test_days_that_are_over_are_not_forecast() -> None:
    history = steady(10)
    assert [each.day for each in forecast(history, [FIRST, history[-1][0], LAST])] == [LAST]


@pytest.mark.parametrize(
    "rate", [Rate(0, 1), Rate(1, 1), Rate(0, 5), Rate(5, 5), Rate(0, 100000), Rate(100000, 100000)]
)
@pytest.mark.parametrize("days", [1, 2, 200])
def test_the_rarest_seasons_stay_between_nothing_and_all(rate: Rate, days: int) -> None:
    history = [(FIRST + timedelta(number), rate) for number in range(days)]
    last = year_before([(day, Rate(0, 0)) for day, _ in history])
    for before in ([], last, year_before(steady(200))):
        found = one(history, 12, before)
        assert 0 <= found.low <= found.middle <= found.high <= 100
        if rate.value == 100:
            assert found.high == 100


def test_days_before_anybody_counted_do_no_harm() -> None:
    history = [(FIRST + timedelta(number), Rate(0, 0)) for number in range(20)]
    history += [(day + timedelta(20), rate) for day, rate in steady(40)]
    assert 0 < one(history).low <= one(history).high < 100


def test_a_leap_day_last_season_is_skipped() -> None:
    first = date(2028, 2, 1)
    last = steady(60, first=first)
    history = steady(35, first=first.replace(year=2029))
    assert one(history, 10, last).middle > history[-1][1].value


def test_the_method_is_two_plain_sentences() -> None:
    assert [sentence.count("。") for sentence in METHOD] == [1, 1]
