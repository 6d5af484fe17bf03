"""How the address of a page's file is read: by the same words as the page's own (see ``asked.FILES``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from zhtj.exports.rates import (
    EVERYBODY,
    CurveFilters,
    PeopleFilters,
    RankingFilters,
    ReceivedViewFilters,
    StuckViewFilters,
    ViewFilters,
)
from zhtj.web.desks.loading import number_in
from zhtj.web.desks.rates import asked, curve, ranking, receiving, stuck


def _view() -> ViewFilters:
    found = asked.read(request.args)
    return ViewFilters(found.organisation.id, found.season, found.day)


def _people() -> PeopleFilters:
    found, values = asked.read(request.args), request.args
    return PeopleFilters(
        found.organisation.id,
        found.season,
        found.day,
        values.get("figure", EVERYBODY),
        values.get("q", "").strip(),
        number_in(values.get("left", "")),
    )


def _curve() -> CurveFilters:
    found, kind = curve.with_rate(asked.read(request.args), request.args.get("rate", ""))
    every_day = request.args.get("step") == curve.EVERY_DAY
    return CurveFilters(found.organisation.id, found.season, found.day, kind, every_day)


def _ranking() -> RankingFilters:
    found, wanted = asked.read(request.args), ranking.read(request.args)
    target = f"{wanted.target.percent:f}" if wanted.target else ""
    return RankingFilters(
        found.organisation.id,
        found.season,
        found.day,
        wanted.kind,
        whom=wanted.level,
        minimum=wanted.minimum,
        target=target,
    )


def _stuck() -> StuckViewFilters:
    found = asked.read(request.args)
    wanted, office = stuck.read_filters(found, request.args), number_in(request.args.get("office", ""))
    return StuckViewFilters(found.organisation.id, found.season, None, wanted.side, wanted.tier, wanted.sort, office)


def _received() -> ReceivedViewFilters:
    found = asked.read(request.args)
    wanted = receiving.read_filters(found, request.args)
    return ReceivedViewFilters(found.organisation.id, found.season, None, wanted.figure, wanted.ground, wanted.own)


def _now() -> ViewFilters:
    """Of a page that knows the present only."""
    found = asked.read(request.args)
    return ViewFilters(found.organisation.id, found.season)


READERS: dict[str, Callable[[], Any]] = {
    "rates": _view,
    "rates-people": _people,
    "rates-ranking": _ranking,
    "rates-curve": _curve,
    "rates-map": _curve,
    "rates-stuck": _stuck,
    "rates-stuck-list": _stuck,
    "rates-receiving": _now,
    "rates-receiving-list": _received,
}
