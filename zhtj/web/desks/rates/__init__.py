"""The rates (衔接率): several pages, all about one organisation, one season and one day (PD-25)."""

from zhtj.web.desks.rates import (
    area_map,
    curve,
    drill_down,
    notice,
    overview,
    ranking,
    receiving,
    statistics,
    stuck,
    tokens,
)

__all__ = [
    "area_map",
    "curve",
    "drill_down",
    "notice",
    "overview",
    "ranking",
    "receiving",
    "statistics",
    "stuck",
    "tokens",
]
