"""The curve of the season: one rate day by day beside last season, the deadlines and what is to be expected (PD-25)."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.rates.drawing import charts, forecast, season_progress
from zhtj.rates.rules import RateKind
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates.asked import AskedRates

EVERY_DAY = "day"


@routes.desk.get("/rates/curve", endpoint="rates_curve")
@requires(Permission.RATES)
def curve() -> str:
    """The curve of one rate with its table."""
    asked, kind = with_rate(frame.read(request.args), request.args.get("rate", ""))
    every_day = request.args.get("step") == EVERY_DAY
    found = season_progress.of(asked.organisation, asked.season, kind, asked.day, every_day=every_day)
    return frame.page(
        "rates/curve.html",
        asked,
        "rates_curve",
        kind=kind,
        kinds=[(each.value, each.label) for each in RateKind],
        progress=found,
        drawings=[charts.svg(found.curve, size) for size in (charts.WIDE, charts.NARROW)] if found.rows else [],
        method=forecast.METHOD,
        every_day=every_day,
        other_step=asked.link("rates_curve", rate=kind.value, step=None if every_day else EVERY_DAY),
    )


def with_rate(asked: AskedRates, key: str) -> tuple[AskedRates, RateKind]:
    """The rate that an address names; 学社衔接率 if it names none, and a word about it if there is no such rate."""
    if key in set(RateKind):
        return asked, RateKind(key)
    if key and asked.problem is None:
        asked = replace(asked, problem=DomainError(f"没有“{key}”这项指标。", fix="下面是学社衔接率。", field="rate"))
    return asked, RateKind.SOCIETY
