"""Load or 404: everything a desk works on, inside what the active seat may see."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for
from sqlalchemy.orm import joinedload

from zhtj.kernel.database import session
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import Permission, check
from zhtj.kernel.sql.paging import LARGEST, Page
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.web.access import current_seat


def load_member(number: int, permission: Permission) -> Member:
    """A member of an organisation in which the seat has ``permission``. Raises NotFound, Forbidden."""
    member = session.get(Member, number, options=[joinedload(Member.account), joinedload(Member.org)])
    if member is None or member.archived_at is not None:
        raise NotFound
    check(current_seat(), permission, member.org.path)
    return member


def load_organisation(number: int, permission: Permission) -> Organisation:
    """An organisation in which the seat has ``permission``. Raises NotFound, Forbidden."""
    organisation = session.get(Organisation, number)
    if organisation is None:
        raise NotFound
    check(current_seat(), permission, organisation.path)
    return organisation


def own_organisation() -> Organisation:
    """The active seat's organisation."""
    organisation = session.get(Organisation, current_seat().org_id)
    if organisation is None:
        raise NotFound
    g.own_organisation = organisation  # The session forgets what nobody holds.
    return organisation


def number_in(text: str) -> int | None:
    """An id as a form sends it; None for anything that cannot be one."""
    fits = text.isdecimal() and len(text) <= len(str(LARGEST))
    return int(text) if fits and int(text) <= LARGEST else None


def page_links(page: Page[Any], endpoint: str, **arguments: Any) -> dict[str, str | None]:
    """Addresses of the pages before and behind, keeping the filters; arguments of the ``pager`` macro."""
    kept = {key: value for key, value in arguments.items() if value}
    return {
        "previous": url_for(endpoint, **kept, before=page.before) if page.before else None,
        "next": url_for(endpoint, **kept, after=page.after) if page.after else None,
    }


def cursors() -> dict[str, str]:
    """``after`` and ``before`` of the address."""
    return {"after": request.args.get("after", ""), "before": request.args.get("before", "")}
