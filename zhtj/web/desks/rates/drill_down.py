"""The exact people behind a figure, each with the reason why he counts (PD-25)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import request, url_for

from zhtj.graduation.season_line import counts_for
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs.models import Organisation
from zhtj.policy import rulebook
from zhtj.rates import drill_down as listed
from zhtj.rates import organisation_moves
from zhtj.rates.drill_down import ListedGraduate
from zhtj.transfers.models import Application
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, number_in
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates.asked import AskedRates
from zhtj.web.rendering import formatters


@dataclass(frozen=True, slots=True)
class ShownGraduate:
    """A person as the seat may see him: his name in full only where his record or application is the seat's to see."""

    line: ListedGraduate
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of people on a page.

    Args:
        total: as many as the figure says.
        found: of these, how many the filter leaves.
        sources: places in the documents on which the reasons rest.
    """

    key: str
    title: str
    rows: list[ShownGraduate]
    total: int
    found: int
    text: str
    sources: list[str]
    links: dict[str, str | None]
    left: Organisation | None = None


@routes.desk.get("/rates/people", endpoint="rates_people")
@requires(Permission.RATES)
def people() -> str:
    """One list, page by page."""
    asked = frame.read(request.args)
    return frame.page("rates/people.html", asked, "rates_people", people=people_of(asked, request.args.get("key", "")))


def people_of(asked: AskedRates, key: str) -> Listed:
    """The list that an address asks for.

    Raises:
        DomainError: there is no such list.
        NotFound: the organisation never stood there.
    """
    number, text = number_in(request.args.get("left", "")), request.args.get("q", "").strip()
    left, places = organisation_moves.place_left(asked.organisation, number) if number else (None, ())
    wanted = listed.ListQuery(places or asked.organisation.path, asked.season, key, asked.day, text)
    title = listed.title(key)
    listing = listed.listing(wanted)
    page, found = listing.page(**cursors()), listing.count()
    seat = current_seat()
    rules = sorted({rule for line in page.rows for reason in line.reasons for rule in reason.rules})

    def link(**cursor: str) -> str:
        return asked.link("rates_people", key=key, q=text, left=left.id if left else None, **cursor)

    return Listed(
        key,
        title,
        [_shown(seat, line) for line in page.rows],
        listed.listing(replace(wanted, text="")).count() if text else found,
        found,
        text,
        list(dict.fromkeys(rulebook.source_of(rule) for rule in rules if rulebook.rule(rule).citations)),
        {
            "previous": link(before=page.before) if page.before else None,
            "next": link(after=page.after) if page.after else None,
        },
        left,
    )


def _shown(seat: ActiveSeat, line: ListedGraduate) -> ShownGraduate:
    member, application = line.row.member, line.application
    if application is not None and _may_see(seat, application):
        return ShownGraduate(line, member.name, url_for(".application", application_id=application.id))
    if member.archived_at is None and seat.may(Permission.MEMBER_VIEW, member.org.path):
        return ShownGraduate(line, member.name, url_for(".member", member_id=member.id))
    is_own = line.row.origin_org_id is not None and counts_for(line.row.season_path, seat.path)
    return ShownGraduate(line, member.name if is_own else formatters.masked_name(member.name), "")


def _may_see(seat: ActiveSeat, application: Application) -> bool:
    """As the list of applications shows it: it leaves or reaches the seat's part of the tree (A-11)."""
    return application.from_path.startswith(seat.path) or application.to_path.startswith(seat.path)
