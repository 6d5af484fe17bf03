"""The figures of an organisation as a document, for the command line and the interface (PD-24, PD-25)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.errors import NotFound
from zhtj.kernel.sql import replica
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import Organisation
from zhtj.rates import queries
from zhtj.rates.counting import keeping
from zhtj.rates.models import Standing
from zhtj.rates.rules import Figures, RateKind
from zhtj.transfers.models import Application


def as_of(season: int, day: date | None) -> datetime:
    """The moment for which figures hold: the end of ``day`` or of a season that is over, else now (PD-25).

    Args:
        season: year.
        day: as ``queries.check_day`` gives it; None: now.
    """
    if day is not None or season < clock.today().year:
        return clock.start_of_day((day or date(season, 12, 31)) + timedelta(days=1))
    return clock.now() - (replica.lag() or timedelta(0))


def check_season(season: int) -> None:
    """Raise NotFound for a season of which nothing was counted."""
    if season > clock.today().year:
        raise NotFound(f"{season} 届还没有开始。", fix=f"现在是 {clock.today().year} 届。", field="season")
    if replica.reports().scalar(select(Standing.id).where(Standing.season == season).limit(1)) is None:
        raise NotFound(f"{season} 届没有统计数据。", fix="请核对届别。", field="season")


def named(organisation: Organisation) -> dict[str, str]:
    """An organisation by its code and full name."""
    return {"code": organisation.code, "name": organisation.full_name}


def rates(figures: Figures) -> dict[str, dict[str, Any]]:
    """The five rates by key; ``percent`` is null where there is nobody to count (0/0)."""
    found = {}
    for kind in RateKind:
        rate = kind.of(figures)
        found[kind.value] = {
            "label": kind.label,
            "numerator": rate.numerator,
            "denominator": rate.denominator,
            "percent": None if rate.value is None else float(rate.value),
        }
    return found


def heading(organisation: Organisation, season: int, day: date | None) -> dict[str, Any]:
    """Whose figures, of which season, at what time."""
    return {
        "organisation": named(organisation),
        "season": season,
        "day": day.isoformat() if day else None,
        "as_of": clock.local(as_of(season, day)).isoformat(timespec="seconds"),
        **source(),
    }


def source() -> dict[str, Any]:
    """Where the figures were read, and how many seconds that may be behind the database itself."""
    lag = replica.lag()
    if lag is None:
        return {"source": "primary", "lag_seconds": 0}
    return {"source": "replica", "lag_seconds": math.ceil(lag.total_seconds())}


def overview(organisation: Organisation, season: int, day: date | None) -> dict[str, Any]:
    """The five rates and the counts behind them.

    Args:
        organisation: whose.
        season: year.
        day: as ``queries.check_day`` gives it; None: now.
    """
    figures = queries.figures(organisation.path, season, day)
    return {**heading(organisation, season, day), "rates": rates(figures), "figures": asdict(figures)}


def children(organisation: Organisation, season: int, day: date | None) -> list[dict[str, Any]]:
    """The same of each direct child; one that moved away in the season is marked, as is one that came."""
    return [
        {
            "organisation": named(child.organisation),
            "rates": rates(child.figures),
            "figures": asdict(child.figures),
            "moved_in": child.moved_in,
            "moved_out": child.moved_out,
        }
        for child in queries.by_child(organisation, season, day)
    ]


def person(standing: Standing, paths: Sequence[str], *, now: bool) -> dict[str, Any]:
    """One graduate behind a figure: no ID number, no telephone; of who comes from outside no student number either.

    Args:
        standing: how he counts, with row, member, origin and application.
        paths: of the area that is looked at.
        now: whether the present is asked about; only then the application's state is told.
    """
    row, application = standing.row, standing.application
    own = any(standing.season_path.startswith(path) for path in paths)
    return {
        "id": row.id,
        "name": row.member.name,
        "student_no": row.member.student_no if own else None,
        "origin": named(row.origin) if row.origin is not None else None,
        "incoming": not own,
        "category": standing.category.value if standing.category else None,
        "done": standing.done,
        "to_unit": standing.to_unit,
        "initiated": standing.initiated,
        "destination": application.to_name if application is not None else None,
        "state": application.state.value if application is not None and now else None,
    }


def people(organisation: Organisation, season: int, key: str, day: date | None, size: int) -> Listing[dict[str, Any]]:
    """Those whom a figure counts, in the order of the register.

    Args:
        organisation: whose figure.
        season: year.
        key: as ``queries.behind`` takes it.
        day: at the end of which; None: now.
        size: how many a page.

    Raises:
        DomainError: there is no such list.
    """
    keeping.settle()
    paths = queries.area(organisation.path)
    return Listing(
        queries.behind(organisation.path, season, key, day),
        [Standing.row_id],
        loads=(
            joinedload(Standing.row).joinedload(RegisterRow.member),
            joinedload(Standing.row).joinedload(RegisterRow.origin),
            joinedload(Standing.application).joinedload(Application.to_org),
            joinedload(Standing.application).joinedload(Application.final_org),
        ),
        dress=lambda standings: [person(each, paths, now=day is None) for each in standings],
        size=size,
        reader=replica.reports,
    )
