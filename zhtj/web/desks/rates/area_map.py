"""The map of the area: its parts as rectangles, sized by people and shaded by a rate, each a link down (PD-25)."""

from __future__ import annotations

from flask import request

from zhtj.kernel.permissions import Permission
from zhtj.rates import queries
from zhtj.rates.drawing import treemap
from zhtj.rates.drawing.treemap import Area, TreeMap
from zhtj.rates.queries import Child
from zhtj.rates.rules import RateKind
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates.asked import AskedRates
from zhtj.web.desks.rates.curve import with_rate

TABLE = "#parts"


@routes.desk.get("/rates/map", endpoint="rates_map")
@requires(Permission.RATES)
def area_map() -> str:
    """The map of one rate with its table."""
    asked, kind = with_rate(frame.read(request.args), request.args.get("rate", ""))
    here = asked.organisation
    children = [] if here.is_branch else queries.by_child(here, asked.season, asked.day)
    known = [child for child in children if kind.of(child.figures).denominator]
    known.sort(key=lambda child: -kind.of(child.figures).denominator)
    area = area_of(asked, kind, known)
    return frame.page(
        "rates/map.html",
        asked,
        "rates_map",
        kind=kind,
        kinds=[(each.value, each.label) for each in RateKind],
        area=area,
        children=known,
        uncounted=len(children) - len(known),
        drawings=[treemap.svg(area, size) for size in (treemap.WIDE, treemap.NARROW)] if known else [],
        rest=max(0, len(known) - treemap.MOST + 1) if len(known) > treemap.MOST else 0,
    )


def area_of(asked: AskedRates, kind: RateKind, children: list[Child]) -> TreeMap:
    """The map of these children; whoever has left leads nowhere, whoever has parts of his own to their map."""
    total = kind.of(queries.figures(asked.organisation.path, asked.season, asked.day))
    return TreeMap(
        f"{asked.organisation.short_name} {asked.season} 届{kind.label}地区图",
        f"{len(children)} 个下级组织，面积按应计入人数，颜色按{kind.label}分档；本级 {total}。",
        [
            Area(child.organisation.short_name, kind.of(child.figures), link_down(asked, kind, child))
            for child in children
        ],
        TABLE,
    )


def link_down(asked: AskedRates, kind: RateKind, child: Child) -> str:
    """To the map of a child, or to the figures of a branch; "" for one that stands elsewhere today."""
    if child.moved_out:
        return ""
    if child.organisation.is_branch:
        return asked.link("rates", org=child.organisation.id)
    return asked.link("rates_map", org=child.organisation.id, rate=kind.value)
