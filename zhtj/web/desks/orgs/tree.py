"""组织树: browse and search the whole part of the tree below; levels are loaded when they are opened."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from zhtj.kernel.database import session
from zhtj.kernel.permissions import Permission
from zhtj.orgs import queries
from zhtj.orgs.models import Organisation
from zhtj.orgs.searching.search import SearchResult, search
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_organisation, number_in, own_organisation


@routes.desk.get("/organisations/tree")
@requires(Permission.ORGANISATION_VIEW)
def tree() -> str:
    """The line down to one organisation and its children; or what a search finds."""
    own = own_organisation()
    at = _named() or own
    text = request.args.get("q", "").strip()[:80]
    found: SearchResult | None = search(session, text, within=own, anywhere=False) if text else None
    return render_template(
        "desks/orgs/tree.html",
        at=at,
        line=[(one.short_name, url_for(".tree", at=one.id)) for one in queries.line_within(at, current_seat().path)],
        q=text,
        found=found,
        missing=queries.branchless([hit.organisation for hit in found.hits]) if found else set(),
        **({} if found else _level(at)),
    )


def _named() -> Organisation | None:
    """The organisation that the address names; one out of sight is not there."""
    number = number_in(request.args.get("at", ""))
    return load_organisation(number, Permission.ORGANISATION_VIEW) if number is not None else None


@routes.desk.get("/organisations/<int:organisation_id>/children")
@requires(Permission.ORGANISATION_VIEW)
def tree_level(organisation_id: int) -> str:
    """The next level below one organisation, as a fragment."""
    shown = load_organisation(organisation_id, Permission.ORGANISATION_VIEW)
    return render_template("desks/orgs/_tree_level.html", at=shown, **_level(shown))


def _level(shown: Organisation) -> dict[str, Any]:
    page = queries.children(shown, closed=False).page(**cursors())
    return {
        "children": page.rows,
        "branchless": queries.branchless(page.rows),
        "after": page.after,
        "before": page.before,
        "first": not (request.args.get("after") or request.args.get("before")),
    }
