"""去向登记: the season's graduates with their destinations - the list, one of them, the file (F-12, F-14, T-33)."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.exports.graduates import category_label
from zhtj.graduation import destinations
from zhtj.graduation.destinations import DestinationFilters
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.graduation.graduates import chosen_organisation, parts_below
from zhtj.web.desks.loading import cursors, page_links
from zhtj.web.forms import destination as form


def read_filters(said: Any) -> DestinationFilters:
    """Filters of the address or of a form; unknown values count as none."""
    chosen, state = chosen_organisation(said.get("org", "")), said.get("state", "")
    return DestinationFilters(
        path=chosen.path if chosen else "",
        state=state if state in {"yes", "no"} else "",
        text=said.get("q", "").strip(),
    )


@routes.desk.get("/destinations", endpoint="destinations")
@requires(Permission.DESTINATIONS)
def list_destinations() -> str:
    """Graduates of the season, class by class, with what is registered (T-33)."""
    seat, season, filters = current_seat(), clock.today().year, read_filters(request.args)
    page = destinations.listing(seat, season, filters).page(**cursors())
    org = request.args.get("org", "")
    kept = {"org": org, "state": filters.state, "q": filters.text}
    base: dict[str, Any] = {name: value for name, value in kept.items() if value and name != "state"}
    return render_template(
        "desks/graduation/destinations.html",
        season=season,
        lines=page.rows,
        filters=filters,
        kept=kept,
        counts=destinations.counts(seat, season, filters),
        links_to={state: url_for(".destinations", **base, state=state or None) for state in ("", "yes", "no")},
        parts=parts_below(chosen_organisation(org)),
        label=lambda line: destinations.label_of(destinations.row_policy(line.row), line.entry.reason),
        category=category_label,
        links=page_links(page, ".destinations", **kept),
    )


@routes.desk.route("/members/<int:member_id>/destination", methods=["GET", "POST"], endpoint="destination")
@requires(Permission.DESTINATIONS)
def one(member_id: int) -> AnyResponse:
    """Register where one graduate goes, or correct it."""
    row = _row(member_id)
    error = _enter(row) if request.method == "POST" else None
    if request.method == "POST" and error is None:
        flash(f"{row.member.name}的去向已登记。", "success")
        return redirect(url_for(".destinations", state="no"), 303)
    return destination_page("desks/graduation/destination.html", row, error)


def _row(number: int) -> RegisterRow:
    row = destinations.of_member(current_seat(), number)
    if row is None:
        raise NotFound
    return row


def _enter(row: RegisterRow) -> DomainError | None:
    try:
        with unit_of_work():
            session.refresh(row)
            destinations.enter(row, form.given(request.form))
    except DomainError as error:
        session.expire_all()
        return error
    return None


def destination_page(template: str, row: RegisterRow, error: DomainError | None) -> Response:
    """The form with what is known or was typed; the member's page and the desks' are the same."""
    typed = form.given(request.form) if request.method == "POST" else destinations.suggested(row)
    page = render_template(
        template,
        row=row,
        entry=destinations.entry_of(row),
        typed=typed,
        frozen=destinations.frozen_why(row),
        options=form.options(destinations.row_policy(row)),
        fields=form.text_fields(),
        category=category_label(row.category),
        error=error,
    )
    return make_response(page, error.status if error else 200)
