"""The counters: present figures by place, changed in the transaction of the events, summed along the path (PD-25).

Counting into every superior would make the province a lock. Each change touches at most three rows: where the
graduate comes from, where he goes, and where the two ways meet. That last place is often the province itself, so
places near the top have several rows each and a graduate always uses the same one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, literal, or_, select, text, union_all

from zhtj.graduation.models import GraduateCategory
from zhtj.kernel.database import session, upsert_rows
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import SEGMENT
from zhtj.rates.models import RateCounter, Standing
from zhtj.rates.rules import FIGURES, Figures, Span, meeting_place

SHARDS = 16
_SHARDED = 3 * SEGMENT  # the centre, provinces and what stands directly below them
_LINES = 1000  # of one statement
Place = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class StandingSpan:
    """How one graduate of a season counts over some days; what a row of ``Standing`` holds.

    Args:
        row_id: of the register.
        season_path: where he comes from.
        id: of the stored row, if it is stored.
    """

    row_id: int
    season: int
    season_path: str
    span: Span
    id: int = 0

    @property
    def shared_path(self) -> str | None:
        """The lowest place above both his origin and where he comes in; None where he comes in nowhere."""
        to_path = self.span.counted.to_path
        return None if to_path is None else meeting_place(self.season_path, to_path)


def change(lines: Iterable[tuple[StandingSpan, int]]) -> None:
    """Add (1) or take away (-1) what graduates contribute at present; lines that have ended contribute nothing."""
    places: dict[Place, Figures] = defaultdict(Figures)
    for line, sign in lines:
        if line.span.until is None:
            for place, figures in contributions(line):
                places[place] += figures if sign > 0 else -figures
    _write({place: figures for place, figures in places.items() if figures})


def contributions(line: StandingSpan) -> list[tuple[Place, Figures]]:
    """Where one graduate counts, and with what."""
    counted, shared_path = line.span.counted, line.shared_path
    found = [((line.season, line.season_path, 0), counted.own())] if line.season_path else []
    if counted.to_path is not None:
        found.append(((line.season, counted.to_path, 0), counted.incoming()))
        if shared_path:
            place = (line.season, shared_path, shard(shared_path, line.row_id))
            found.append((place, -counted.incoming()))
    return found


def shard(path: str, row_id: int) -> int:
    """Which row of a place near the top a graduate uses."""
    return row_id % SHARDS if len(path) <= _SHARDED else 0


def _write(places: dict[Place, Figures]) -> None:
    # In one order, so that two who change the same places wait for each other and never in a circle.
    rows = [
        {"season": season, "path": path, "shard": number, **asdict(places[season, path, number])}
        for season, path, number in sorted(places)
    ]
    upsert_rows(RateCounter, rows, ("season", "path", "shard"), add=FIGURES)


def own_sums() -> list[Any]:
    """SQL over Standing: what graduates add where they come from, in the order of ``Figures``; the rest are 0."""
    study = Standing.category.is_not_distinct_from(GraduateCategory.FURTHER_STUDY)
    conditions = {
        "further_study": study,
        "further_study_done": and_(study, Standing.done),
        "society": ~study,
        "society_done": and_(~study, Standing.done),
        "unregistered": Standing.category.is_(None),
        "to_unit": and_(~study, Standing.to_unit),
        "initiated": Standing.initiated,
    }
    return [_count(conditions[name]) if name in conditions else literal(0).label(name) for name in FIGURES]


def incoming_sums() -> list[Any]:
    """SQL over Standing: what graduates add where they come in from outside."""
    study = Standing.category.is_not_distinct_from(GraduateCategory.FURTHER_STUDY)
    conditions = {
        "incoming_study": study,
        "incoming_study_done": and_(study, Standing.done),
        "incoming_society": ~study,
        "incoming_society_done": and_(~study, Standing.done),
    }
    return [_count(conditions[name]) if name in conditions else literal(0).label(name) for name in FIGURES]


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def counted_anew(season: int, day: date | None = None, roots: Sequence[str] = ("",), depth: int = 64) -> Select[Any]:
    """What the counters of each place are, or were at the end of a day, from the standings themselves.

    Args:
        season: year.
        day: None: now.
        roots: only what lies at or below these paths.
        depth: length to which paths are cut, so that what lies below is added up.
    """
    here = (Standing.season == season, holds(day))

    def added(column: Any, sums: Sequence[Any], *conditions: Any) -> Any:
        place = func.substr(column, 1, depth)
        chosen = select(place.label("path"), *_named(sums)).where(*here, *conditions)
        return chosen.where(or_(*(subtree(column, root) for root in roots))).group_by(place)

    coming = Standing.to_path.is_not(None)
    parts = union_all(
        added(Standing.season_path, own_sums(), Standing.season_path != ""),
        added(Standing.to_path, incoming_sums(), coming),
        added(Standing.shared_path, [-each for each in incoming_sums()], coming, Standing.shared_path != ""),
    ).subquery("parts")
    return select(parts.c.path, *(func.sum(parts.c[name]).label(name) for name in FIGURES)).group_by(parts.c.path)


def holds(day: date | None) -> ColumnElement[bool]:
    """SQL over Standing: it is the present one, or was the one at the end of a day."""
    if day is None:
        return Standing.until.is_(None)
    return and_(Standing.since <= day, or_(Standing.until.is_(None), Standing.until > day))


def kept(season: int, root: str = "", depth: int = 64) -> Select[Any]:
    """What the counters of each place add up to; ``root`` a path, ``depth`` as above."""
    columns = (func.sum(getattr(RateCounter, name)).label(name) for name in FIGURES)
    place = func.substr(RateCounter.path, 1, depth).label("path")
    return select(place, *columns).where(RateCounter.season == season, subtree(RateCounter.path, root)).group_by(place)


def _named(columns: Sequence[Any]) -> list[Any]:
    return [column.label(name) for name, column in zip(FIGURES, columns, strict=True)]


def differing(season: int) -> Select[Any]:
    """Places whose counters are not what the standings say, with the kept and the expected figures."""
    one, other = kept(season).subquery("kept"), counted_anew(season).subquery("expected")
    left = (
        select(other.c.path)
        .outerjoin(one, one.c.path == other.c.path)
        .where(or_(*(func.coalesce(one.c[name], 0) != other.c[name] for name in FIGURES)))
    )
    right = (
        select(one.c.path)
        .outerjoin(other, other.c.path == one.c.path)
        .where(other.c.path.is_(None), or_(*(one.c[name] != 0 for name in FIGURES)))
    )
    both = union_all(left, right).subquery("differing")
    return select(both.c.path)


def rebuild(season: int) -> int:
    """Write the counters of a season anew where they are not what the standings say. Returns places put right.

    Nobody changes a counter meanwhile: whoever wants to waits until this is committed.
    """
    if session().get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE rate_counters IN SHARE ROW EXCLUSIVE MODE"))
    wrong = list(session.scalars(differing(season)))
    for start in range(0, len(wrong), _LINES):
        part = wrong[start : start + _LINES]
        session.execute(
            delete(RateCounter).where(RateCounter.season == season, RateCounter.path.in_(part)),
            execution_options={"synchronize_session": False},
        )
    if wrong:
        places = set(wrong)
        _write(
            {
                (season, row.path, 0): Figures(*(getattr(row, name) for name in FIGURES))
                for row in session.execute(counted_anew(season))
                if row.path in places
            }
        )
    return len(wrong)
