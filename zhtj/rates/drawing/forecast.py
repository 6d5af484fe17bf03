"""Where a rate will probably stand on the next deadline, with a band that holds four times in five. Pure.

What is forecast is the open part: the share of those who count and are not done. Each day some of it goes, and the
logarithm of what is left falls by that day's *pace*. Paces add up over days, never lead past 100 %, and take a
denominator that still grows as a slower pace.

There are up to three *ways* to guess the paces to come: those of last season on the same days of the calendar, scaled
by how this season keeps up with it; the pace of the last three weeks; the pace of the last week. Each is tried on the
days of this season that are over, and the less it was off, the more it weighs. The band holds how far the ways are
usually off and how far they are apart; it is stretched upwards, because people hurry before a deadline; and few people
in whole groups scatter by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from zhtj.rates.rules import Rate

METHOD = (
    "把尚未完成的人按每天完成的快慢向后推算：快慢取自上届同期、本届近三周和近一周，在本届已过去的日子里哪一种更准，就更多地依据哪一种。",
    "实际结果大约有八成可能落在区间之内；区间的宽窄取决于这样推算以往偏差多大、几种推算相差多少，以及还剩多少人、多少天。",
)

WITHIN = 1.2816  # standard deviations to either side that hold 80 % of a normal distribution
HURRY = 1.3  # the upper side is that much wider: who is late hurries before a deadline
# Days that say what the pace is, and how many days of the usual pace are added for want of evidence.
_WINDOWS = ((21, 7), (7, 2))
_FADES = 60  # days: a recent pace is trusted less the further it is carried
_USUAL = 0.012  # a season of half a year that ends at about 90 %
_CREEP = 0.0025  # a pace below this is as good as none; guesses are compared above it
_AS_BEFORE = 0.08  # progress assumed in both seasons before they are compared, for want of evidence
_MOST_FASTER = 3.0
_ENOUGH = 20  # people last season must have had to say anything
_DOUBT_BEFORE, _DOUBT_RECENT = 0.6, 1.0  # how far (as a logarithm) the ways are off before we know better
_LEAST_OF_IT, _MOST_DOUBT = 0.6, 1.4
_TRIES = 5.0  # how many separate tries weigh as much as that
_FIRST_TRY = 5  # days to wait before trying
_GROUP = 6.0  # people are worked through in groups of about that many: a class, a list
_HUNDRED, _CENT = 100, Decimal("0.01")

History = Sequence[tuple[date, Rate]]
_Paces = Sequence[float]


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a day, in per cent: the middle, and the band that holds four times in five (80% 区间)."""

    day: date
    middle: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class _Guess:
    """Progress until some day as one way sees it, and how far off it usually is (standard deviation of its log)."""

    progress: float
    doubt: float


def forecast(history: History, days: Iterable[date], before: History = ()) -> list[Expected]:
    """What to expect of each of some days to come.

    Args:
        history: the rate at the end of each day of this season so far, in order and without gaps.
        days: to look at; those that are not after the history are left out.
        before: the same of last season, as far as it is known.

    Returns:
        Nothing where there is nothing to go by: no day yet, or nobody counted on the last one (0/0).
    """
    if not history or history[-1][1].denominator <= 0:
        return []
    last = history[-1][0]
    so_far = [_progress(each) for _, each in history]
    to_come = [day for day in days if day > last]
    found = []
    for day in to_come:
        ahead = (day - last).days
        guess = _together(_guesses(so_far, ahead, _aligned(before, history[0][0], len(history) + ahead)), ahead)
        found.append(_expected(day, history, so_far[-1], guess, ahead))
    return found


def _progress(rate: Rate) -> float:
    """How far the open part has gone down, as a logarithm; half a person keeps it finite."""
    if rate.denominator <= 0:
        return 0.0
    return -math.log((max(0, rate.denominator - rate.numerator) + 0.5) / (rate.denominator + 1))


def _aligned(before: History, first: date, length: int) -> list[float]:
    """Last season's progress on the same days of the calendar from ``first`` on; empty if it says too little."""
    if not before or before[-1][1].denominator < _ENOUGH:
        return []
    by_day = {(day.month, day.day): _progress(rate) for day, rate in before}
    found, reached = [], 0.0
    for offset in range(length):
        day = date.fromordinal(first.toordinal() + offset)
        reached = by_day.get((day.month, day.day), reached)
        found.append(reached)
    return found


def _guesses(so_far: _Paces, ahead: int, before: _Paces) -> list[_Guess]:
    """Each way's guess of the progress in the next days."""
    ways = [(0, 0), *_WINDOWS] if before else list(_WINDOWS)
    now = len(so_far) - 1
    return [_Guess(_by(way, so_far, now, ahead, before), _doubt(way, so_far, ahead, before)) for way in ways]


def _by(way: tuple[int, int], so_far: _Paces, at: int, ahead: int, before: _Paces) -> float:
    """Progress in ``ahead`` days from day ``at`` on, going by what was known then.

    A way is a window and days added to it; the one without a window is last season's.
    """
    window, added = way
    since = max(0, at - (window or _WINDOWS[0][0]))
    mine = so_far[at] - so_far[since]
    if window:
        return (mine + _USUAL * added) / (at - since + added) * _FADES * (1 - math.exp(-ahead / _FADES))
    keeping_up = (max(mine, 0.0) + _AS_BEFORE) / (max(before[at] - before[since], 0.0) + _AS_BEFORE)
    return min(_MOST_FASTER, max(1 / _MOST_FASTER, keeping_up)) * (before[at + ahead] - before[at])


def _doubt(way: tuple[int, int], so_far: _Paces, ahead: int, before: _Paces) -> float:
    """How far this way would have been off so far, over as many days or as many as there are."""
    usual = _DOUBT_RECENT if way[0] else _DOUBT_BEFORE
    now = len(so_far) - 1
    span = min(ahead, max(1, now // 2))
    starts = range(_FIRST_TRY, now - span + 1)
    if not starts:
        return usual
    least = _CREEP * span
    off = [
        math.log(max(so_far[at + span] - so_far[at], least) / max(_by(way, so_far, at, span, before), least)) ** 2
        for at in starts
    ]
    tries = len(off) / span  # those that overlap say the same
    found = math.sqrt((usual**2 * _TRIES + sum(off) / len(off) * tries) / (_TRIES + tries))
    return min(_MOST_DOUBT, max(_LEAST_OF_IT * usual, found))


def _together(guesses: Sequence[_Guess], ahead: int) -> _Guess:
    """The guesses weighed by how sure they are; what they are apart adds to the doubt."""
    least = _CREEP * ahead
    weights = [1 / guess.doubt**2 for guess in guesses]
    logs = [math.log(max(guess.progress, least)) for guess in guesses]
    middle = sum(weight * each for weight, each in zip(weights, logs, strict=True)) / sum(weights)
    spread = [
        weight * (guess.doubt**2 + (each - middle) ** 2)
        for weight, each, guess in zip(weights, logs, guesses, strict=True)
    ]
    falling = all(guess.progress <= least for guess in guesses)
    progress = min(guess.progress for guess in guesses) if falling else math.exp(middle)
    return _Guess(progress, math.sqrt(sum(spread) / sum(weights)))


def _least(history: History, ahead: int) -> float:
    """The share below which only more newcomers than lately could bring a rate: who is done stays done."""
    rate = history[-1][1]
    recent = history[-1 - _WINDOWS[0][0] :]
    coming = max(0, rate.denominator - recent[0][1].denominator) / max(1, len(recent) - 1) * ahead
    return rate.numerator / (rate.denominator + coming + WITHIN * math.sqrt(_GROUP * (coming + 0.5)))


def _expected(day: date, history: History, reached: float, guess: _Guess, ahead: int) -> Expected:
    """The middle and the band around it, outwards to whole people."""
    rate, least = history[-1][1], _least(history, ahead)
    people = rate.denominator
    size = max(abs(guess.progress), _CREEP * ahead)
    expected = reached + guess.progress
    middle = max(least, _share(expected, people))
    low = middle - _share(expected - size * (1 - math.exp(-WITHIN * guess.doubt)), people)
    high = _share(expected + size * (math.exp(HURRY * WITHIN * guess.doubt) - 1), people) - middle
    goes = 1 - math.exp(-max(guess.progress, 0.0))
    scatter = WITHIN * math.sqrt(_GROUP * (people - rate.numerator + 0.5) * goes * (1 - goes) + 0.25) / people
    return Expected(
        day,
        _percent(middle),
        _percent(math.floor(max(least, middle - math.hypot(low, scatter)) * people) / people),
        _percent(math.ceil((middle + math.hypot(high, scatter)) * people) / people),
    )


def _share(progress: float, people: int) -> float:
    """What is done of so many people when the open part has gone down so far; the reverse of ``_progress``."""
    return min(1.0, max(0.0, 1 - (math.exp(-progress) * (people + 1) - 0.5) / people))


def _percent(share: float) -> Decimal:
    return Decimal(str(_HUNDRED * min(1.0, max(0.0, share)))).quantize(_CENT, ROUND_HALF_UP)
