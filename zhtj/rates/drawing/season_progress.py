"""How a rate went through the season, beside last season, the deadlines and what is to be expected (PD-25, PD-26)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from zhtj.kernel import dates
from zhtj.orgs.models import Organisation
from zhtj.policy.model import Policy
from zhtj.rates.drawing import curve as curves
from zhtj.rates.drawing import forecast
from zhtj.rates.drawing.charts import Curve, CurveDeadline, Series
from zhtj.rates.drawing.forecast import Expected
from zhtj.rates.reports import targets
from zhtj.rates.reports.targets import Target
from zhtj.rates.rules import Rate, RateKind

FEW = 62
"""So many days are all drawn; of more, one a week, the deadlines and the present one."""
# Days of the policy on which something begins; all others are days by which something is done.
_BEGINNINGS = ("campaign_start", "convert_date", "county_fallback_from", "auto_return_from")


@dataclass(frozen=True, slots=True)
class ProgressDay:
    """One day as the table shows it and the curve draws it.

    Args:
        day: of this season.
        rate: at its end; None where there was nobody yet, or it is still to come.
        before: on the same day of the calendar last season.
        expected: what is to be expected of it.
        deadline: what is done by then.
    """

    day: date
    rate: Rate | None = None
    before: Rate | None = None
    expected: Expected | None = None
    deadline: str = ""


@dataclass(frozen=True)
class Progress:
    """进度: what the page, the exports and the notice show of one rate of one organisation.

    Args:
        rows: in order of days; none where neither season has data.
        latest: the present state, or that of the day that was asked for; None without data.
        outlook: what to expect of the next deadline; None in the last days, and where there is nothing to go by.
    """

    organisation: Organisation
    season: int
    kind: RateKind
    rows: Sequence[ProgressDay]
    deadlines: Sequence[CurveDeadline]
    target: Target | None
    latest: ProgressDay | None
    outlook: ProgressDay | None

    @cached_property
    def curve(self) -> Curve:
        """The rows as a drawing; the first known day and the end of the season are its ends."""
        now = [(row.day, row.rate.value if row.rate else None) for row in self.rows]
        before = [(row.day, row.before.value if row.before else None) for row in self.rows]
        series = [Series("now", f"本届（{self.season}）", now)]
        if any(value is not None for _, value in before):
            series.append(Series("before", f"上届（{self.season - 1}）", before))
        ahead = self._ahead
        if ahead:
            series.append(Series("forecast", "预测", [(each.day, each.middle) for each in ahead]))
        return Curve(
            f"{self.organisation.short_name} {self.season} 届{self.kind.label}",
            self.in_words,
            self.rows[0].day,
            self.rows[-1].day,
            series,
            [(each.day, each.low, each.high) for each in ahead],
            [each for each in self.deadlines if each.day >= self.rows[0].day],
            self.target.percent if self.target else None,
        )

    @property
    def _ahead(self) -> list[Expected]:
        """What is expected, beginning with the present state, which is certain."""
        found = [row.expected for row in self.rows if row.expected]
        value = self.latest.rate.value if found and self.latest and self.latest.rate else None
        return [Expected(self.latest.day, value, value, value), *found] if self.latest and value is not None else []

    @property
    def in_words(self) -> str:
        """What the curve shows, in two or three sentences."""
        if self.latest is None:
            return f"{self.season} 届还没有数据。"
        said = f"截至{dates.short(self.latest.day)}，{self.kind.label} {self.latest.rate}"
        if self.latest.before and self.latest.before.value is not None:
            said += f"，上届同日 {self.latest.before}"
        said += f"，目标 {self.target}。" if self.target else "。"
        if self.outlook and self.outlook.expected:
            wanted = self.outlook.expected
            until = dates.short(self.outlook.day)
            said += f"预计{until}达到 {wanted.middle}%，八成可能在 {wanted.low}% 至 {wanted.high}% 之间。"
        return said


def of(
    organisation: Organisation, season: int, kind: RateKind, day: date | None = None, *, every_day: bool = False
) -> Progress:
    """The progress of one rate.

    Args:
        organisation: whose.
        season: year.
        kind: which rate.
        day: as if it were that day; None: today, or the end of a season that is over.
        every_day: all days, not one a week.
    """
    history = [(each, kind.of(found)) for each, found in curves.by_day(organisation, season) if not day or each <= day]
    before = [(each, kind.of(found)) for each, found in curves.by_day(organisation, season - 1)]
    wanted = targets.read(season)
    deadlines = deadlines_of(wanted.policy(organisation))
    known, earlier = dict(history), dict(_moved_to(season, before))
    texts = {each.day: each.text for each in deadlines}
    days = _days(sorted({*known, *earlier}), season, {*texts, *(each for each, _ in history[-1:])}, every_day=every_day)
    coming = _next(deadlines, history[-1][0]) if history else None
    expected = _expected(history, before, days, coming)
    rows = [
        ProgressDay(each, known.get(each), earlier.get(each), expected.get(each), texts.get(each, "")) for each in days
    ]
    by_day = {row.day: row for row in rows}
    return Progress(
        organisation,
        season,
        kind,
        rows,
        deadlines,
        wanted.of(organisation).get(kind),
        by_day[history[-1][0]] if history else None,
        by_day[coming.day] if coming and coming.day in expected else None,
    )


def deadlines_of(policy: Policy | None) -> list[CurveDeadline]:
    """The days of a policy by which something is done, each with everything that is (D-06 … D-11, D-19)."""
    if policy is None:
        return []
    begins = {getattr(policy, name) for name in _BEGINNINGS}
    texts: dict[date, list[str]] = {}
    for each in policy.milestones:
        if each.day not in begins:
            texts.setdefault(each.day, []).append(each.text)
    texts.setdefault(policy.society_end, []).append("接收团组织应全部接收流向社会的毕业生团员")
    return [CurveDeadline(day, "；".join(texts[day])) for day in sorted(texts)]


def _next(deadlines: Sequence[CurveDeadline], day: date) -> CurveDeadline | None:
    return next((each for each in deadlines if each.day > day), None)


def _moved_to(season: int, before: Sequence[tuple[date, Rate]]) -> Iterator[tuple[date, Rate]]:
    """Last season's days of this one; 29 February has none."""
    for day, rate in before:
        if (day.month, day.day) != (2, 29):
            yield day.replace(year=season), rate


def _days(known: Sequence[date], season: int, kept: set[date], *, every_day: bool) -> list[date]:
    """The days of the table: from the first one known to the end of the season."""
    if not known:
        return []
    first, last = known[0], date(season, 12, 31)
    found = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if every_day or len(found) <= FEW:
        return found
    return [day for day in found if day in {first, last, *kept} or day.weekday() == 0]


def _expected(
    history: Sequence[tuple[date, Rate]],
    before: Sequence[tuple[date, Rate]],
    days: Sequence[date],
    coming: CurveDeadline | None,
) -> Mapping[date, Expected]:
    """What to expect, by day, up to the next deadline."""
    if coming is None:
        return {}
    return {each.day: each for each in forecast.forecast(history, [day for day in days if day <= coming.day], before)}
