"""A list of applications behind a figure; both the stuck list and the receivers' side lead to one."""

from __future__ import annotations

from typing import Any

from flask import url_for

from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.sql.paging import Page
from zhtj.transfers.models import Application
from zhtj.web.access import current_seat
from zhtj.web.desks.loading import cursors
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates.asked import AskedRates


def links(asked: AskedRates, endpoint: str, page: Page[Any], kept: dict[str, Any]) -> dict[str, str | None]:
    """Addresses of the pages before and behind, with the filters; arguments of the ``pager`` macro."""
    return {
        "previous": asked.link(endpoint, **kept, before=page.before) if page.before else None,
        "next": asked.link(endpoint, **kept, after=page.after) if page.after else None,
    }


def applications(
    asked: AskedRates, listing: Listing[Application], *, tab: str, kept: dict[str, Any], **values: Any
) -> str:
    """The page.

    Args:
        asked: whose figures.
        listing: the applications.
        tab: endpoint of the page it belongs to; the list's own is ``<tab>_list``.
        kept: the filters as they stand in an address.
        values: ``title`` and ``back`` of the template.
    """
    page = listing.page(**cursors())
    return frame.page(
        "rates/applications.html",
        asked,
        tab,
        rows=page.rows,
        total=listing.count(),
        links=links(asked, f"{tab}_list", page, kept),
        address=_address,
        **values,
    )


def _address(application: Application) -> str:
    """Where it is shown, as far as the seat sees it: it leaves or reaches the seat's part of the tree (A-11)."""
    path = current_seat().path
    seen = application.from_path.startswith(path) or application.to_path.startswith(path)
    return url_for(".application", application_id=application.id) if seen else ""
