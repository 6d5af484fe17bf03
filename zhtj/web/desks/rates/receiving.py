"""接收情况: how the receivers deal with a season's graduates, child by child (M-17, PD-25)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import request

from zhtj.kernel.permissions import Permission
from zhtj.rates.reports import receiving
from zhtj.rates.reports.receiving import Figure, Received, ReceivedFilters
from zhtj.rates.rules import NOTHING
from zhtj.transfers.rules import Ground
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates import listed
from zhtj.web.desks.rates.asked import AskedRates


@routes.desk.get("/rates/receiving", endpoint="rates_receiving")
@requires(Permission.RATES)
def by_child() -> str:
    """The table of children, with everything together below it."""
    asked = frame.read(request.args)
    lines, whole = receiving.by_child(asked.organisation, asked.season)
    return frame.page(
        "rates/receiving.html",
        asked,
        "rates_receiving",
        lines=lines,
        whole=whole,
        figures=list(Figure),
        long=receiving.LONG,
        median=median_words,
        to=partial(address, asked),
    )


def median_words(received: Received) -> str:
    """The median of the days that wait now: 3, 3.5 or —."""
    return NOTHING if received.median is None else f"{received.median:g}"


def address(
    asked: AskedRates, received: Received, figure: Figure, ground: Ground | None = None, *, own: bool = False
) -> str:
    """Where the applications behind a figure are listed; ``own``: only what goes to the organisation itself."""
    organisation = received.organisation
    values = {"figure": figure.value, "ground": ground.value if ground else None, "own": 1 if own else None}
    if organisation.id != asked.organisation.id:
        values["org"] = organisation.id
    return asked.link("rates_receiving_list", day=None, **values)


def read_filters(asked: AskedRates, values: Mapping[str, str]) -> ReceivedFilters:
    """What an address asks for; unknown words count as none."""
    figure, ground = values.get("figure", ""), values.get("ground", "")
    return ReceivedFilters(
        asked.organisation.path,
        asked.season,
        Figure(figure) if figure in set(Figure) else Figure.WAITING,
        Ground(ground) if figure == Figure.REFUSED and ground in set(Ground) else None,
        own=values.get("own") == "1",
    )


@routes.desk.get("/rates/receiving/list", endpoint="rates_receiving_list")
@requires(Permission.RATES)
def applications() -> str:
    """The applications behind one figure."""
    asked = frame.read(request.args)
    filters = read_filters(asked, request.args)
    kept: dict[str, Any] = {
        "day": None,
        "figure": filters.figure.value,
        "ground": filters.ground.value if filters.ground else None,
        "own": 1 if filters.own else None,
    }
    return listed.applications(
        asked,
        receiving.listing(filters),
        tab="rates_receiving",
        kept=kept,
        title=filters.figure.label + (f"：{filters.ground.label}" if filters.ground else ""),
        back=asked.link("rates_receiving", day=None),
    )
