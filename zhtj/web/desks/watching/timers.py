"""时限: every running timer of this part of the tree, the September list, a return sweep rehearsed (PD-36)."""

from __future__ import annotations

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.letters.timers import sources
from zhtj.orgs.policies import policy_of
from zhtj.policy import phases
from zhtj.transfers.watching import timers
from zhtj.transfers.watching.timers import TimerKind, TimerListing
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, own_organisation, page_links


@routes.desk.get("/timers", endpoint="timers")
@requires(Permission.TRANSFER_VIEW)
def all_timers() -> str:
    """Every timer with its next date, soonest first; kinds are filters."""
    seat, policy = current_seat(), policy_of(own_organisation())
    unreviewed = timers.unreviewed(seat, policy).count()
    found = sources(seat, policy, unreviewed)
    wanted = request.args.get("kind", "")
    kind = TimerKind(wanted) if wanted in found else None
    listing = TimerListing([found[kind]] if kind else list(found.values()))
    page = listing.page(after=request.args.get("after", ""))
    return render_template(
        "desks/watching/timers.html",
        rows=page.rows,
        kinds=list(found),
        kind=kind,
        phase=phases.line(policy),
        unreviewed=unreviewed,
        following=url_for(".timers", kind=kind, after=page.after) if page.after else None,
        is_first="after" not in request.args,
    )


@routes.desk.get("/timers/review", endpoint="timers_review")
@requires(Permission.TRANSFER_VIEW)
def review() -> str:
    """The September list: submitted by 31 August, not reviewed yet; for the receivers and their superiors (D-08)."""
    seat, policy = current_seat(), policy_of(own_organisation())
    listing = timers.unreviewed(seat, policy)
    page = listing.page(**cursors())
    return render_template(
        "desks/watching/timers_review.html",
        rows=page.rows,
        total=listing.count(),
        heaps=timers.unreviewed_by_organisation(seat, policy),
        policy=policy,
        phase=phases.line(policy),
        has_begun=clock.today() > policy.application_end,
        links=page_links(page, ".timers_review"),
    )


@routes.desk.get("/timers/rehearsal", endpoint="timers_rehearsal")
@requires(Permission.SWEEP_REHEARSE)
def rehearsal() -> AnyResponse:
    """What the next return sweep, or one at a chosen moment, would do; nothing is written."""
    seat, typed = current_seat(), request.args.get("at", "").strip()
    coming = timers.next_return(seat.path)
    wrong, at = "", coming or clock.now()
    if typed:
        try:
            at = clock.parse(typed)
        except ValueError:
            wrong = "看不懂这个时间，请写成 2026-10-16 00:00。"
    found = timers.rehearse(at, seat.path) if not wrong else None
    page = render_template("desks/watching/timers_rehearsal.html", found=found, coming=coming, typed=typed, wrong=wrong)
    return make_response(page, 422 if wrong else 200)
