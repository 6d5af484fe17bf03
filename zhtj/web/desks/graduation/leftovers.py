"""What earlier years left behind: members still to be transferred, emptied 毕业生团组织 to be closed (G-23, O-11)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import closing_emptied, queries
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.transfers import queries as transfers
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.graduation.marking import numbers_in
from zhtj.web.desks.loading import cursors, page_links


@routes.desk.get("/leftovers")
@requires(Permission.MEMBER_VIEW)
def leftovers() -> str:
    """Members of 毕业生团组织 of earlier years; in no rate, and still to be followed up (G-23)."""
    text = request.args.get("q", "").strip()
    listing = queries.leftovers(current_seat(), text)
    page = listing.page(**cursors())
    return render_template(
        "desks/graduation/leftovers.html",
        rows=page.rows,
        marks=queries.marks([member.org_id for member in page.rows]),
        newest=transfers.newest_by_member([member.id for member in page.rows]),
        total=listing.count(),
        text=text,
        links=page_links(page, ".leftovers", q=text),
    )


@routes.desk.get("/emptied")
@requires(Permission.GRADUATION_MARK)
def emptied() -> str:
    """毕业生团组织 whose members are all out (O-11)."""
    listing = queries.emptied(current_seat())
    page = listing.page(**cursors())
    return render_template(
        "desks/orgs/emptied.html",
        rows=page.rows,
        marks=queries.marks([one.id for one in page.rows]),
        total=listing.count(),
        links=page_links(page, ".emptied"),
    )


@routes.desk.post("/emptied/close", endpoint="emptied_close")
@requires(Permission.GRADUATION_MARK)
def close() -> AnyResponse:
    """Close those that are picked, all or none (O-11, PD-06)."""
    try:
        with unit_of_work():
            count = len(closing_emptied.close_emptied(current_seat(), numbers_in("row")))
    except DomainError as error:
        flash(f"{error}", "warning")
    else:
        flash(f"已停用 {count} 个毕业生团组织。", "success")
    return redirect(url_for(".emptied"), 303)
