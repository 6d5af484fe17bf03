"""Members: the list with search, one member, the full ID number on demand."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template, request

from zhtj.graduation import queries as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import Permission
from zhtj.people import members as people
from zhtj.people.members import MemberFilters
from zhtj.transfers import queries as transfers
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_member, page_links


def member_filters(said: Mapping[str, str]) -> MemberFilters:
    """Filters of the address, or of a form that acts on all they show."""
    org, active = said.get("org", ""), said.get("active", "")
    return MemberFilters(
        text=said.get("q", "").strip(),
        org_id=int(org) if org.isdecimal() else None,
        active=active if active in {"yes", "no"} else "",
    )


@requires(Permission.MEMBER_VIEW)
def members() -> str:
    """The list of members; with the newest application of each."""
    seat = current_seat()
    filters = member_filters(request.args)
    page = people.listing(seat, filters, **cursors())
    return render_template(
        "desks/members.html",
        rows=page.rows,
        newest=transfers.newest_by_member([member.id for member in page.rows]),
        filters=filters,
        total=people.count_listed(seat, filters) if page.after or page.before else 0,
        links=page_links(page, ".members", q=filters.text, org=filters.org_id, active=filters.active),
    )


@requires(Permission.MEMBER_VIEW)
def member(number: int) -> str:
    """One member: League data, where he has been, his applications."""
    return _page(number, full_number="")


@requires(Permission.MEMBER_NUMBER)
def member_number(number: int) -> str:
    """The same page with the full ID number; the look is audited (PD-37)."""
    found = load_member(number, Permission.MEMBER_NUMBER)
    with unit_of_work():
        audit.record("member.number_seen", "member", number)
    session.refresh(found)
    return _page(number, full_number=found.account.id_number or "")


def _page(number: int, full_number: str) -> str:
    found = load_member(number, Permission.MEMBER_VIEW)
    seat = current_seat()
    return render_template(
        "desks/member.html",
        member=found,
        himself=seat.member_id == found.id,
        full_number=full_number,
        may_see_number=seat.may(Permission.MEMBER_NUMBER, found.org.path),
        row=graduation.register_row(found.id, clock.today().year),
        applications=transfers.of_member(found.id),
        memberships=people.stays(found.id),
    )


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    blueprint.add_url_rule("/members", "members", members)
    blueprint.add_url_rule("/members/<int:number>", "member", member)
    blueprint.add_url_rule("/members/<int:number>/number", "member_number", member_number, methods=["POST"])
