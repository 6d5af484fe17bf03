"""What is opened on demand and noted: evidence of an external system, the name of a special unit (PD-32, PD-37)."""

from __future__ import annotations

from flask import Response

from zhtj.kernel.database import unit_of_work
from zhtj.kernel.permissions import Permission
from zhtj.transfers import queries
from zhtj.transfers.applying import special_units
from zhtj.transfers.deciding import external
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.transfers.decisions import line, render_page
from zhtj.web.downloads import hand_over


@routes.desk.post("/applications/<int:application_id>/evidence/<int:evidence_id>")
@requires(Permission.TRANSFER_VIEW)
def evidence(application_id: int, evidence_id: int) -> Response:
    """One piece of evidence: a picture is shown, a PDF handed over; the look is audited."""
    found = queries.application(current_seat(), application_id)
    with unit_of_work():
        kept, content = external.evidence_content(found, evidence_id)
        media_type, filename = kept.media_type, kept.filename
    return hand_over(content, media_type, filename)


@routes.desk.post("/applications/<int:application_id>/secret-unit")
@requires(Permission.TRANSFER_DECIDE)
def secret_unit(application_id: int) -> str:
    """The application with the special unit's name opened, for the deciding province; the look is audited."""
    seat = current_seat()
    with unit_of_work():
        name = special_units.open_name(queries.application(seat, application_id), seat)
    return render_page(line(seat, queries.application(seat, application_id)), secret_unit=name)
