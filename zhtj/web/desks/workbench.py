"""The workbench: what waits, how the season stands, where to go next."""

from __future__ import annotations

from flask import render_template

from zhtj.floating import queries as floating
from zhtj.floating.queries import LedgerFilters
from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.orgs.policies import policy_of
from zhtj.people.finding import members as people
from zhtj.policy import phases
from zhtj.rates import queries as rates
from zhtj.rates.rules import RateKind
from zhtj.transfers import queries as transfers
from zhtj.transfers.applying import waits
from zhtj.transfers.queries import Filters
from zhtj.transfers.watching import arrivals
from zhtj.transfers.watching.arrivals import ArrivalFilters
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks import campaign
from zhtj.web.desks.loading import own_organisation
from zhtj.web.rendering.navigation import waiting_kinds


@routes.desk.get("/more")
@requires(Permission.WORKBENCH)
def more() -> str:
    """Everything the menu leads to, entry by entry."""
    return render_template("more.html")


@routes.desk.get("/")
@requires(Permission.WORKBENCH)
def home() -> str:
    """The first page of every administrator."""
    seat, organisation = current_seat(), own_organisation()
    figures = rates.figures(seat.path, clock.today().year)
    return render_template(
        "desks/workbench.html",
        organisation=organisation,
        phase=phases.line(policy_of(organisation)),
        waiting=waiting_kinds(),
        first=transfers.waiting(seat, Filters()).page().rows[:5],
        on_the_way=transfers.count_open(seat),
        members=people.count(seat),
        season=clock.today().year,
        figures=figures,
        society=RateKind.SOCIETY.of(figures),
        coming=waits.listing(seat, waits.Side.COMING).count(),
        arrivals=arrivals.count(seat, ArrivalFilters("todo")),
        arrivals_most=arrivals.counted_to(seat),
        late=floating.listing(seat, LedgerFilters("late")).count(),
        campaign=campaign.steps(seat, organisation),
        as_of=clock.now(),
    )
