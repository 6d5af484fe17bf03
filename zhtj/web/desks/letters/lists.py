"""Lists of letters: receipts that are out, and the register of stubs as xlsx and PDF (D-23, L-05)."""

from __future__ import annotations

from io import BytesIO

from flask import Response, make_response, render_template, request, send_file

from zhtj.imports import spreadsheets
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import Permission
from zhtj.letters import outstanding
from zhtj.letters import stub_register as stubs
from zhtj.letters.printing import forms
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, own_organisation, page_links

SIDES = {"": outstanding.ours, "in": outstanding.to_fill, "late": outstanding.late}


@routes.desk.get("/letters/receipts")
@requires(Permission.LETTER_RECEIPTS)
def letter_receipts() -> str:
    """Slips three that are still out: ours to come back, those we have to fill, and what is late of both."""
    seat = current_seat()
    issues = seat.may(Permission.LETTER_VIEW)
    side = request.args.get("side", "")
    if side not in SIDES or not (side or issues):
        side = "" if issues else "in"
    page = SIDES[side](seat).page(**cursors())
    return render_template(
        "desks/letters/letter_receipts.html",
        rows=page.rows,
        side=side,
        issues=issues,
        own_id=seat.org_id,
        overdue=outstanding.count_overdue(seat) if side == "" else 0,
        links=page_links(page, ".letter_receipts", side=side),
    )


@routes.desk.get("/letters/stubs")
@requires(Permission.LETTER_VIEW)
def letter_stubs() -> str:
    """Years for which there is a register, each as xlsx and in printable files."""
    organisation = own_organisation()
    years = [(year, stubs.parts(organisation.id, year)) for year in stubs.years(organisation.id)]
    return render_template("desks/letters/letter_stubs.html", organisation=organisation, years=years)


@routes.desk.get("/letters/stubs/<int:year>.xlsx")
@requires(Permission.LETTER_VIEW)
def letter_stubs_xlsx(year: int) -> Response:
    """The register of a year as xlsx."""
    organisation = own_organisation()
    if year not in stubs.years(organisation.id):
        raise NotFound
    target = BytesIO()
    spreadsheets.write_xlsx(target, f"{year}年介绍信存根", stubs.HEADINGS, stubs.rows(organisation.id, year))
    target.seek(0)
    return send_file(target, spreadsheets.XLSX, as_attachment=True, download_name=f"{year}年介绍信存根.xlsx")


@routes.desk.get("/letters/stubs/<int:year>-<int:position>.pdf")
@requires(Permission.LETTER_VIEW)
def letter_stubs_pdf(year: int, position: int) -> Response:
    """One file of the printable register of a year."""
    organisation = own_organisation()
    part = next((one for one in stubs.parts(organisation.id, year) if one.position == position), None)
    if part is None:
        raise NotFound
    response = make_response(
        forms.stub_register(organisation.full_name, year, list(stubs.rows(organisation.id, year, part)))
    )
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="stubs-{year}-{position}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response
