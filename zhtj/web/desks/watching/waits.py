"""等待名单 on the desks: who waits for this school, and whom of ours another school keeps waiting (T-11)."""

from __future__ import annotations

from flask import render_template, request

from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.transfers.applying import waits as waiting
from zhtj.transfers.applying.waits import Side
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, page_links


@routes.desk.get("/waits")
@requires(Permission.TRANSFER_VIEW)
def waits() -> str:
    """Both sides of the list; of strangers only name and school are shown."""
    seat = current_seat()
    side = Side.OWN if request.args.get("side") == Side.OWN else Side.COMING
    listings = {each: waiting.listing(seat, each) for each in Side}
    page = listings[side].page(**cursors())
    return render_template(
        "desks/watching/waits.html",
        side=side,
        counts={each: listing.count() for each, listing in listings.items()},
        rows=page.rows,
        schools=waiting.schools_of(page.rows),
        links=page_links(page, ".waits", side=side.value),
        as_of=clock.now(),
    )
