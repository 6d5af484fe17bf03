"""滞留: what stands still longest and who holds it, with 催办 of the lagging in one action (PD-22, PD-25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Tier
from zhtj.rates.reports import stuck, urging
from zhtj.rates.reports.stuck import TIERS, Direction, Sort, StuckFilters
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, number_in
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates import listed
from zhtj.web.desks.rates.asked import AskedRates

SHOWN = 20
"""Children whose graduates have not applied, on one page."""


def read_filters(asked: AskedRates, values: Mapping[str, str]) -> StuckFilters:
    """Filters of an address or a form; unknown values count as none."""
    side, tier, sort = (values.get(name, "") for name in ("side", "tier", "sort"))
    return StuckFilters(
        asked.organisation.path,
        asked.season,
        Direction(side) if side in set(Direction) else None,
        Tier(tier) if tier in set(Tier) else None,
        Sort(sort) if sort in set(Sort) else Sort.OLDEST,
    )


def arguments(filters: StuckFilters) -> dict[str, Any]:
    """The filters as they stand in an address."""
    sort = filters.sort if filters.sort is not Sort.OLDEST else None
    return {"day": None, "side": filters.side, "tier": filters.tier, "sort": sort}


@routes.desk.get("/rates/stuck", endpoint="rates_stuck")
@requires(Permission.RATES)
def holders() -> str:
    """Offices with what lies there, and children whose graduates have not applied."""
    asked = frame.read(request.args)
    filters = read_filters(asked, request.args)
    found, late = stuck.lying(filters), stuck.not_started(asked.organisation, asked.season)
    page, ranks = stuck.heaps(filters, found).page(**cursors()), stuck.by_tier(found)
    return frame.page(
        "rates/stuck.html",
        asked,
        "rates_stuck",
        filters=filters,
        kept=arguments(filters),
        rows=page.rows,
        totals=stuck.together(ranks, filters.tier),
        waited=stuck.waited,
        sides=list(Direction),
        tiers=[(tier.value, f"{TIERS[tier]}（{each.applications:,}）") for tier, each in ranks.items()],
        sorts=list(Sort),
        behind=late[:SHOWN],
        behind_total=len(late),
        own=current_seat().org_id,
        links=listed.links(asked, "rates_stuck", page, arguments(filters)),
    )


@routes.desk.get("/rates/stuck/list", endpoint="rates_stuck_list")
@requires(Permission.RATES)
def applications() -> str:
    """The applications behind one office's heap, or all of them."""
    asked = frame.read(request.args)
    filters, office = read_filters(asked, request.args), number_in(request.args.get("office", ""))
    return listed.applications(
        asked,
        stuck.listing(filters, office),
        tab="rates_stuck",
        kept={**arguments(filters), "office": office},
        title="等待办理的申请",
        back=asked.link("rates_stuck", **arguments(filters)),
    )


@routes.desk.post("/rates/stuck/urge", endpoint="rates_stuck_urge")
@requires(Permission.RATES)
def urge() -> AnyResponse:
    """Remind the offices that were picked, or all that the filters show; each hears once a day."""
    asked, seat = frame.read(request.form), current_seat()
    filters, ids = read_filters(asked, request.form), picked()
    with unit_of_work():
        found = stuck.urge(seat, filters, ids)
    flash(found.text, "success" if found.sent else "info")
    return redirect(asked.link("rates_stuck", **arguments(filters)), 303)


@routes.desk.post("/rates/stuck/urge-start", endpoint="rates_stuck_urge_start")
@requires(Permission.RATES)
def urge_not_started() -> AnyResponse:
    """Remind the children that were picked that graduates of theirs have not applied."""
    asked, seat = frame.read(request.form), current_seat()
    ids = picked()
    with unit_of_work():
        found = stuck.urge_not_started(seat, asked.organisation, asked.season, ids)
    flash(found.text, "success" if found.sent else "info")
    return redirect(asked.link("rates_stuck", day=None) + "#not-started", 303)


def picked() -> list[int] | None:
    """Ids of the lines that were ticked; None for all. Raises DomainError if there are none."""
    if request.form.get("all"):
        return None
    found = [number for text in request.form.getlist("row") if (number := number_in(text)) is not None]
    if not found:
        raise DomainError("请先勾选要催办的组织。", fix="返回上一页勾选，或勾选“全部”。", field="row")
    return found[: urging.MOST]
