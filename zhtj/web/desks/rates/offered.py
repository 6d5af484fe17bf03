"""How the address of a page's file is read: by the same words as the page's own (see ``asked.FILES``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from zhtj.exports.rates import PeopleFilters, ViewFilters
from zhtj.web.desks.loading import number_in
from zhtj.web.desks.rates import asked


def _view() -> ViewFilters:
    found = asked.read(request.args)
    return ViewFilters(found.organisation.id, found.season, found.day)


def _people() -> PeopleFilters:
    found, values = asked.read(request.args), request.args
    return PeopleFilters(
        found.organisation.id,
        found.season,
        found.day,
        values.get("figure", ""),
        values.get("q", "").strip(),
        number_in(values.get("left", "")),
    )


READERS: dict[str, Callable[[], Any]] = {
    "rates": _view,
    "rates-people": _people,
}
