"""The rates (衔接率): one desk of several pages, all about one organisation, one season and one day (PD-25)."""

from __future__ import annotations

from types import ModuleType

from flask import Blueprint

from zhtj.web.desks.rates import (
    area_map,
    curve,
    notice,
    overview,
    people,
    ranking,
    receiving,
    statistics,
    stuck,
    tokens,
)

PAGES: tuple[ModuleType, ...] = (
    overview,
    people,
    ranking,
    notice,
    curve,
    area_map,
    stuck,
    receiving,
    statistics,
    tokens,
)


def register(blueprint: Blueprint) -> None:
    """Add the pages to a role."""
    for page in PAGES:
        page.register(blueprint)
