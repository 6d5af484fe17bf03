"""Organisations that moved while a season ran, as the figures' pages tell it (PD-07, PD-08)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from zhtj.kernel import clock
from zhtj.kernel.errors import NotFound
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.changing.moving import former_paths
from zhtj.orgs.models import SEGMENT, Organisation, OrganisationMove
from zhtj.rates import queries


@dataclass(frozen=True, slots=True)
class RecordedMove:
    """One move: which day, from below whom, to below whom; the names are today's."""

    day: date
    organisation: str
    before: str
    after: str


def of(organisation: Organisation) -> list[RecordedMove]:
    """How it came to stand where it stands, itself or with a superior, the latest first."""
    if len(queries.area(organisation.path)) == 1:
        return []
    moves = (
        reports()
        .execute(
            select(OrganisationMove, Organisation.short_name)
            .join(Organisation, Organisation.id == OrganisationMove.org_id)
            .where(OrganisationMove.to_path.in_(organisation.line))
            .order_by(OrganisationMove.id.desc())
        )
        .all()
    )
    above = {path[:-SEGMENT] for move, _ in moves for path in (move.from_path, move.to_path)}
    named = select(Organisation.path, Organisation.short_name).where(Organisation.path.in_(above))
    names = {path: name for path, name in reports().execute(named)}  # noqa: C416 - rows are no pairs to mypy
    return [
        RecordedMove(
            clock.local(move.moved_at).date(),
            name,
            names.get(move.from_path[:-SEGMENT], "原上级"),
            names.get(move.to_path[:-SEGMENT], "现上级"),
        )
        for move, name in moves
    ]


def place_left(superior: Organisation, number: int) -> tuple[Organisation, tuple[str, ...]]:
    """An organisation that moved away from directly below ``superior``, and the places it left there.

    Raises:
        NotFound: it never stood there.
    """
    one, here = reports().get(Organisation, number), queries.area(superior.path)
    places = tuple(path for path in former_paths(one.path) if path[:-SEGMENT] in here) if one is not None else ()
    if one is None or not places:
        raise NotFound
    return one, places
