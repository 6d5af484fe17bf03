"""Reading the search index: which organisations have a word, or begin with it, inside which places.

The database answers in a tenth of a millisecond; what costs time is making the statement. So there is one statement
for each way of asking, made once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, String, and_, bindparam, func, select
from sqlalchemy.orm import aliased

from zhtj.orgs.bulk import AnySession
from zhtj.orgs.models import SEGMENT, Organisation, OrganisationTerm
from zhtj.orgs.naming import Fit, as_floating_branch, normalise, own_name

# Sorts behind every sign a name can have: the end of the range of terms with a common beginning.
LAST_SIGN = "\U0010ffff"
# The lowest that a place may stand: township rank.
AREA_DEPTH = 5 * SEGMENT


class Match(IntEnum):
    """How well an organisation answers the question, best first."""

    FULL_NAME = 0
    NAME = 1
    BEGINNING = 2
    PART = 3


class IndexReading(NamedTuple):
    """One reading of the index: of a whole term, or of all longer ones that begin with it."""

    match: Match
    term: str
    exact: bool


def steps(word: str) -> Iterator[IndexReading]:
    """How to look a word up, best answers first."""
    own = normalise(own_name(as_floating_branch(word)))
    spellings = list(dict.fromkeys((own, normalise(word))))
    for exactly, beginning in ((Match.NAME, Match.BEGINNING), (Match.PART, Match.PART)):
        yield from (IndexReading(exactly, spelling, exact=True) for spelling in spellings)
        yield from (IndexReading(beginning, spelling, exact=False) for spelling in spellings)


def look_up(
    session: AnySession, step: IndexReading, places: Sequence[str], limit: int, *, areas: bool = False
) -> Sequence[Row[str, int]]:
    """Path and id of what a step finds: of whole names the higher first, else in the order of the index.

    Args:
        session: open session.
        step: what to read.
        places: paths to stay inside of; "" is the whole tree.
        limit: at most so many rows; an organisation may have several terms with a common beginning.
        areas: nothing below township rank.
    """
    values: dict[str, object] = {"term": step.term, "limit": limit}
    if not step.exact:
        values["last"] = step.term + LAST_SIGN
    if len(places) == 1:
        values |= inside(places[0])
    else:
        values["places"] = list(places)
    return session.execute(_statement(step.match, step.exact, len(places) > 1, areas), values).all()


def in_place(path: Any) -> ColumnElement[bool]:
    """SQL predicate on a path; the statement is executed with the values of ``inside``."""
    return and_(path >= bindparam("place"), path < bindparam("behind"))


def inside(place: str) -> dict[str, object]:
    """Values for ``in_place``; every path lies inside of ""."""
    return {"place": place, "behind": place + "~"}


@cache
def _statement(match: Match, exact: bool, several: bool, areas: bool) -> Select[str, int]:  # noqa: FBT001 - cache keys
    path, org_id, term = OrganisationTerm.path, OrganisationTerm.org_id, OrganisationTerm.term
    fit = Fit.PART if match is Match.PART else Fit.WHOLE
    asked, last = bindparam("term", type_=String()), bindparam("last", type_=String())
    query = select(path, org_id).where(OrganisationTerm.fit == int(fit))
    query = query.where(term == asked) if exact else query.where(term > asked, term < last)
    if areas:
        query = query.where(func.length(path) <= AREA_DEPTH)
    if not several:
        query = query.where(in_place(path))
    else:
        # Terms like 街道 stand for thousands: go from each place to what is there, not through all of them.
        place = aliased(Organisation)
        query = query.join(place, and_(path >= place.path, path < place.path + "~"))
        query = query.where(place.path.in_(bindparam("places", expanding=True)))
    order = (func.length(path), path) if match is Match.NAME else (term, path)
    return query.order_by(*order).limit(bindparam("limit"))
