"""不计入: graduates of a season who are in no denominator, and those completed too late (PD-08, PD-12, PD-13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, select

from zhtj.graduation.models import CloseReason, RegisterChange, RegisterEvent, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.models import Organisation
from zhtj.rates.counting.counters import holds
from zhtj.rates.models import Standing
from zhtj.rates.queries import Place, inside
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.workflow import Action


def end_of(season: int, day: date | None) -> datetime | None:
    """The moment at which a day ends; None: now. A season that is over ends with its year."""
    if day is None and season >= clock.today().year:
        return None
    return clock.start_of_day((day or date(season, 12, 31)) + timedelta(days=1))


def closed(
    place: Place, season: int, day: date | None = None, reason: CloseReason | None = None
) -> Select[RegisterRow]:
    """Rows of the register that do not count at the end of a day, for one reason or any (PD-12 ⑦, PD-13).

    Args:
        place: whose, see ``queries.behind``.
        season: year.
        day: None: now.
        reason: None: any.
    """
    query = select(RegisterRow).where(*_closed(place, season, day))
    return query if reason is None else query.where(_reason(season, day) == reason)


def by_reason(place: Place, season: int, day: date | None = None) -> dict[CloseReason, int]:
    """How many they are, by reason; a reason without anybody is left out."""
    why = _reason(season, day).label("why")
    rows = select(why).where(*_closed(place, season, day)).subquery()
    found = {CloseReason(each): count for each, count in reports().execute(_grouped(rows))}
    return {reason: found[reason] for reason in CloseReason if reason in found}


def _grouped(rows: Any) -> Select[Any]:
    return select(rows.c.why, func.count()).group_by(rows.c.why)


def _closed(place: Place, season: int, day: date | None) -> list[Any]:
    here = [RegisterRow.season == season, inside(RegisterRow.season_path, place)]
    moment = end_of(season, day)
    if moment is None:
        return [*here, RegisterRow.closed_at.is_not(None)]
    counts = exists().where(Standing.row_id == RegisterRow.id, holds(day))
    return [*here, exists().where(RegisterEvent.row_id == RegisterRow.id, *_closing(moment)), ~counts]


def _closing(moment: datetime) -> tuple[Any, ...]:
    return (RegisterEvent.change == RegisterChange.CLOSED, RegisterEvent.at < moment)


def _reason(season: int, day: date | None) -> Any:
    """SQL: why a row does not count, as its last closing before the end of the day says."""
    moment = end_of(season, day)
    if moment is None:
        return RegisterRow.close_reason
    return (
        select(RegisterEvent.after)
        .where(RegisterEvent.row_id == RegisterRow.id, *_closing(moment))
        .order_by(RegisterEvent.id.desc())
        .limit(1)
        .correlate(RegisterRow)
        .scalar_subquery()
    )


def reasons(rows: Sequence[RegisterRow], season: int, day: date | None) -> dict[int, tuple[CloseReason, datetime]]:
    """Why and since when each of these rows does not count at the end of a day, by row."""
    moment = end_of(season, day)
    if moment is None:
        return {row.id: (row.close_reason, row.closed_at) for row in rows if row.close_reason and row.closed_at}
    query = (
        select(RegisterEvent.row_id, RegisterEvent.after, RegisterEvent.at)
        .where(RegisterEvent.row_id.in_([row.id for row in rows]), *_closing(moment))
        .order_by(RegisterEvent.id)
    )
    return {row_id: (CloseReason(after), at) for row_id, after, at in reports().execute(query) if after}


def late(place: Place, season: int) -> Select[RegisterRow]:
    """Graduates whose transfer was completed only after the season froze; they count as not completed (PD-08)."""
    frozen = clock.start_of_day(date(season + 1, 1, 1))
    return select(RegisterRow).where(
        RegisterRow.season == season, inside(RegisterRow.season_path, place), RegisterRow.completed_at >= frozen
    )


def taken_over(place: Place, season: int, day: date | None = None) -> Select[RegisterRow]:
    """Graduates on their way here whom the county took over: they count there and above (T-03, PD-58)."""
    by = and_(Application.register_row_id == RegisterRow.id, inside(Application.to_path, place))
    took = exists().where(by, *_taking(season, day), ~inside(Organisation.path, place))
    return select(RegisterRow).where(RegisterRow.season == season, took)


def _taking(season: int, day: date | None) -> tuple[Any, ...]:
    """Application, its take-over by the end of the day, and the county's branch it led to."""
    moment = end_of(season, day)
    return (
        ApplicationEvent.application_id == Application.id,
        ApplicationEvent.action == Action.TAKE_OVER,
        Organisation.id == Application.final_org_id,
        *((ApplicationEvent.at < moment,) if moment is not None else ()),
    )


def takers(rows: Sequence[RegisterRow], season: int, day: date | None) -> dict[int, tuple[str, datetime]]:
    """Into which branch and when each of these was taken over, by row."""
    query = select(Application.register_row_id, Organisation.short_name, ApplicationEvent.at).where(
        Application.register_row_id.in_([row.id for row in rows]), *_taking(season, day)
    )
    return {row_id: (name, at) for row_id, name, at in reports().execute(query) if row_id is not None}


def how_many(query: Select[Any]) -> int:
    """How many rows a list has."""
    return reports().scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
