"""All applications from or to this part of the tree, and one of them with its whole life."""

from __future__ import annotations

from flask import render_template, request, url_for

from zhtj.kernel.permissions import Permission
from zhtj.transfers import queries
from zhtj.transfers.queries import ApplicationList
from zhtj.transfers.workflow import State
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, page_links
from zhtj.web.desks.many.bulk import bar, read_filters
from zhtj.web.desks.transfers.decisions import line, render_page


@routes.desk.get("/applications")
@requires(Permission.TRANSFER_VIEW)
def applications() -> str:
    """The list: who is under way, at which step, who must act, how long still (A-11)."""
    seat = current_seat()
    filters = read_filters(request.args)
    page = queries.applications(seat, filters).page(**cursors())
    return render_template(
        "desks/transfers/applications.html",
        rows=page.rows,
        list_url=url_for(".applications"),
        filters=filters,
        states=list(State),
        seat_path=seat.path,
        bulk=bar(ApplicationList.APPLICATIONS, filters, more=not page.is_whole),
        links=page_links(page, ".applications", **filters.said),
    )


@routes.desk.get("/applications/<int:application_id>")
@requires(Permission.TRANSFER_VIEW)
def application(application_id: int) -> str:
    """One application: everything the decider has to see (A-13), its history, what can be done."""
    seat = current_seat()
    found = queries.application(seat, application_id)
    return render_page(line(seat, found))
