"""时限: every running timer of this part of the tree, the September list, a return sweep rehearsed (PD-36)."""

from __future__ import annotations

import heapq
from datetime import datetime
from itertools import islice

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.kernel.sql import paging
from zhtj.letters.timers import sources
from zhtj.orgs.policies import policy_of
from zhtj.policy import phases
from zhtj.transfers.watching import timers
from zhtj.transfers.watching.timers import SIZE, Mark, Source, Timer, TimerKind
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, own_organisation, page_links


def listing(chosen: list[Source], mark: Mark | None) -> tuple[list[Timer], str]:
    """One page of the timers of these sources, soonest first, and the cursor of the next one ("" after the last)."""
    behind = [sorted((one for one in read(mark) if mark is None or one.mark > mark), key=_place) for read in chosen]
    rows = list(islice(heapq.merge(*behind, key=_place), SIZE + 1))
    return rows[:SIZE], paging.encode(rows[SIZE - 1].mark) if len(rows) > SIZE else ""


def _place(timer: Timer) -> Mark:
    return timer.mark


def _mark(cursor: str) -> Mark | None:
    return Mark(*paging.decode(cursor, [datetime, int, int])) if cursor else None


@routes.desk.get("/timers", endpoint="timers")
@requires(Permission.TRANSFER_VIEW)
def all_timers() -> str:
    """Every timer with its next date, soonest first; kinds are filters."""
    seat, policy = current_seat(), policy_of(own_organisation())
    unreviewed = timers.count_unreviewed(seat, policy)
    found = sources(seat, policy, unreviewed)
    wanted = request.args.get("kind", "")
    kind = TimerKind(wanted) if wanted in found else None
    rows, following = listing([found[kind]] if kind else list(found.values()), _mark(request.args.get("after", "")))
    return render_template(
        "desks/watching/timers.html",
        rows=rows,
        kinds=list(found),
        kind=kind,
        phase=phases.line(policy),
        unreviewed=unreviewed,
        following=url_for(".timers", kind=kind, after=following) if following else None,
        is_first="after" not in request.args,
    )


@routes.desk.get("/timers/review", endpoint="timers_review")
@requires(Permission.TRANSFER_VIEW)
def review() -> str:
    """The September list: submitted by 31 August, not reviewed yet; for the receivers and their superiors (D-08)."""
    seat, policy = current_seat(), policy_of(own_organisation())
    page = timers.unreviewed(seat, policy, **cursors())
    return render_template(
        "desks/watching/timers_review.html",
        rows=page.rows,
        total=timers.count_unreviewed(seat, policy),
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
