"""试行政策层: a layer tried on a season's real applications by a job; only what was found is written (PD-62)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.editions import operations
from zhtj.editions.comparing import known_layers
from zhtj.editions.operations import DryRunFilters
from zhtj.editions.rules import Difference, Touched
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.policy.layers import layer
from zhtj.policy.vocabulary import Reason
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, number_in, own_organisation, page_links
from zhtj.web.htmx import hx_redirect, is_htmx


@routes.desk.get("/editions")
@requires(Permission.POLICY)
def editions() -> str:
    """The layers there are, a form, and what was tried lately."""
    return _page()


def _page(error: DomainError | None = None) -> str:
    heads = [layer(name).layer for name in known_layers()]
    first = min(head.first_season for head in heads if head.first_season)
    return render_template(
        "editions/list.html",
        organisation=own_organisation(),
        heads=heads,
        seasons=[(str(year), f"{year} 届") for year in range(clock.today().year, first - 1, -1)],
        rows=operations.mine(current_seat()),
        titles=known_layers(),
        error=error,
        typed=request.form,
    )


@routes.desk.post("/editions")
@requires(Permission.POLICY)
def edition_try() -> AnyResponse:
    """Have a layer tried."""
    season = number_in(request.form.get("season", "")) or 0
    try:
        with unit_of_work():
            number = operations.ask(current_seat(), request.form.get("layer", ""), season).id
    except DomainError as error:
        if error.status != DomainError.status:
            raise
        session.expire_all()
        return make_response(_page(error), error.status)
    return redirect(url_for(".edition", edition_id=number), 303)


@routes.desk.get("/editions/<int:edition_id>")
@requires(Permission.POLICY)
def edition(edition_id: int) -> AnyResponse | str:
    """How far it is; once it is done, what it found."""
    task = operations.owned(edition_id, current_seat())
    if task.state.is_open and is_htmx():
        return render_template("editions/_progress.html", task=task)
    if is_htmx():
        return hx_redirect(url_for(".edition", edition_id=edition_id))
    run = operations.run_of(task)
    before, after = run.policies()
    return render_template(
        "editions/result.html",
        task=task,
        titles=known_layers(),
        counts=operations.counts_of(task),
        touched=list(Touched),
        before=before,
        after=after,
        texts=[] if task.state.is_open else run.texts(),
    )


@routes.desk.get("/editions/<int:edition_id>/list")
@requires(Permission.POLICY)
def edition_list(edition_id: int) -> str:
    """The applications behind one figure."""
    chosen = DryRunFilters(edition_id, *_chosen())
    listing = operations.listing(current_seat(), chosen)
    page = listing.page(**cursors())
    arguments = {"edition_id": edition_id, "difference": chosen.difference, "reason": chosen.reason}
    return render_template(
        "editions/lines.html",
        task=operations.owned(edition_id, current_seat()),
        chosen=chosen,
        rows=page.rows,
        titles=known_layers(),
        links=page_links(page, ".edition_list", **arguments),
    )


def _chosen() -> tuple[Difference | None, Reason | None]:
    difference, reason = request.args.get("difference", ""), request.args.get("reason", "")
    return (
        Difference(difference) if difference in set(Difference) else None,
        Reason(reason) if reason in set(Reason) else None,
    )


def read_filters() -> DryRunFilters:
    """What an address of the list asks for, for its export."""
    number = number_in(request.args.get("number", ""))
    return DryRunFilters(number or 0, *_chosen())


@routes.desk.post("/editions/<int:edition_id>/cancel")
@requires(Permission.POLICY)
def edition_cancel(edition_id: int) -> AnyResponse:
    """Stop one that is not done yet."""
    with unit_of_work():
        operations.cancel(operations.owned(edition_id, current_seat()))
    flash("已取消试行。", "info")
    return redirect(url_for(".editions"), 303)
