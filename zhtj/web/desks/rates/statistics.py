"""毕业生统计: the four counts of an area, what schools report, what the education department says (F-10, M-16)."""

from __future__ import annotations

from flask import flash, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import queries as graduation
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.rates.models import UrgingTopic
from zhtj.rates.reports import statistics, urging
from zhtj.rates.reports.statistics import COLUMNS, TITLE
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates import listed
from zhtj.web.desks.rates.asked import AskedRates
from zhtj.web.desks.rates.stuck import picked


@routes.desk.get("/rates/statistics", endpoint="rates_statistics")
@requires(Permission.RATES)
def table() -> str:
    """The table, the form of whoever has something to enter, and the schools that have not reported."""
    return _page(frame.read(request.args))


def _page(asked: AskedRates, error: DomainError | None = None) -> str:
    here, seat = asked.organisation, current_seat()
    found = statistics.table(here, asked.season)
    page = statistics.missing_schools(here.path, asked.season).page(**cursors())
    offices = [each.office_id or each.id for each in page.rows]
    return frame.page(
        "rates/statistics.html",
        asked,
        "rates_statistics",
        title=TITLE,
        table=found,
        columns=COLUMNS,
        due=statistics.due_on(asked.season),
        writes=statistics.source_of(here) if statistics.may_write(seat, here, asked.season) else None,
        typed=request.form if error else {},
        error=error,
        missing=page.rows,
        urged=urging.today(UrgingTopic.STATISTICS, offices),
        own=seat.org_id,
        links=listed.links(asked, "rates_statistics", page, {"day": None}),
    )


@routes.desk.get("/rates/statistics/branches", endpoint="rates_statistics_branches")
@requires(Permission.RATES)
def branches() -> str:
    """The branches behind 毕业班团支部."""
    asked = frame.read(request.args)
    listing = statistics.branches(asked.organisation.path, asked.season)
    page = listing.page(**cursors())
    return frame.page(
        "rates/statistics_branches.html",
        asked,
        "rates_statistics",
        rows=page.rows,
        total=listing.count(),
        marks=graduation.marks([each.id for each in page.rows]),
        links=listed.links(asked, "rates_statistics_branches", page, {"day": None}),
    )


@routes.desk.post("/rates/statistics/write", endpoint="rates_statistics_write")
@requires(Permission.RATES)
def write() -> AnyResponse:
    """Enter the two counts of an organisation."""
    asked, seat = frame.read(request.form), current_seat()
    try:
        with unit_of_work():
            statistics.write(seat, asked.organisation, asked.season, request.form)
    except DomainError as error:
        session.expire_all()
        return make_response(_page(frame.read(request.form), error), error.status)
    flash("统计数已保存，可以随时更正，每次更正都会留下记录。", "success")
    return redirect(asked.link("rates_statistics", day=None), 303)


@routes.desk.post("/rates/statistics/urge", endpoint="rates_statistics_urge")
@requires(Permission.RATES)
def urge() -> AnyResponse:
    """Remind schools that were picked that they have not reported."""
    asked, seat = frame.read(request.form), current_seat()
    ids = picked()
    with unit_of_work():
        found = statistics.urge(seat, asked.organisation.path, asked.season, ids)
    flash(found.text, "success" if found.sent else "info")
    return redirect(asked.link("rates_statistics", day=None) + "#missing", 303)
