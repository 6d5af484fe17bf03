"""去向登记: the season's graduates with their destinations - the list, one of them, the file (F-12, F-14, T-33)."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import destinations
from zhtj.graduation.destinations import LABELS, DestinationFilters, Line
from zhtj.graduation.models import RegisterRow
from zhtj.imports import exports
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.graduates import category_label, chosen_organisation, parts_below
from zhtj.web.desks.loading import cursors, page_links
from zhtj.web.forms import destination as form

HEADINGS = ("姓名", "学号", "毕业团支部", *LABELS.values(), "计入")


def _filters(said: Any) -> DestinationFilters:
    chosen, state = chosen_organisation(said.get("org", "")), said.get("state", "")
    return DestinationFilters(
        path=chosen.path if chosen else "",
        state=state if state in {"yes", "no"} else "",
        text=said.get("q", "").strip(),
    )


@requires(Permission.DESTINATIONS)
def list_destinations() -> str:
    """Graduates of the season, class by class, with what is registered (T-33)."""
    seat, season, filters = current_seat(), clock.today().year, _filters(request.args)
    page, lines = destinations.listing(seat, season, filters, **cursors())
    total, registered = destinations.counts(seat, season, filters)
    org = request.args.get("org", "")
    kept = {"org": org, "state": filters.state, "q": filters.text}
    base: dict[str, Any] = {name: value for name, value in kept.items() if value and name != "state"}
    return render_template(
        "desks/destinations.html",
        season=season,
        lines=lines,
        filters=filters,
        kept=kept,
        total=total,
        registered=registered,
        links_to={state: url_for(".destinations", **base, state=state or None) for state in ("", "yes", "no")},
        parts=parts_below(chosen_organisation(org)),
        label=lambda line: destinations.label_of(destinations.policy_of(line.row), line.entry.reason),
        category=category_label,
        links=page_links(page, ".destinations", **kept),
    )


@requires(Permission.DESTINATIONS)
def one(number: int) -> AnyResponse:
    """Register where one graduate goes, or correct it."""
    row = _row(number)
    error = _enter(row) if request.method == "POST" else None
    if request.method == "POST" and error is None:
        flash(f"{row.member.name}的去向已登记。", "success")
        return redirect(url_for(".destinations", state="no"), 303)
    return destination_page("desks/destination.html", row, error)


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
        options=form.options(destinations.policy_of(row)),
        fields=form.text_fields(),
        category=category_label(row.category),
        error=error,
    )
    return make_response(page, error.status if error else 200)


@requires(Permission.DESTINATIONS)
def export() -> Response:
    """The register as the filters show it, xlsx or csv; audited, for it holds addresses and telephones (PD-37)."""
    seat, season, filters = current_seat(), clock.today().year, _filters(request.form)
    rows = (list(_cells(line)) for line in destinations.everyone(seat, season, filters))
    title = f"{season}届毕业去向登记"
    target = BytesIO()
    count = exports.write_xlsx(target, title, HEADINGS, rows)
    with unit_of_work():
        audit.record("destinations.export", "organisation", seat.org_id, rows=count, season=season)
    target.seek(0)
    return send_file(target, exports.XLSX, as_attachment=True, download_name=f"{title}.xlsx")


def _cells(line: Line) -> Iterator[str]:
    """One line of the file, in the order of HEADINGS (F-12)."""
    member = line.row.member
    yield member.name
    yield member.student_no or ""
    yield destinations.origin_line(line.row.origin)
    for name in LABELS:
        if name == "reason" and line.entry is not None:
            yield destinations.label_of(destinations.policy_of(line.row), line.entry.reason)
        else:
            yield destinations.value_of(line.entry, name)
    yield category_label(line.row.category)


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    blueprint.add_url_rule("/destinations", "destinations", list_destinations)
    blueprint.add_url_rule("/destinations/export", "destinations_export", export, methods=["POST"])
    blueprint.add_url_rule("/members/<int:number>/destination", "destination", one, methods=["GET", "POST"])
