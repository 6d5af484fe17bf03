"""Lower organisations: the children of one, its data, the graduation time of a branch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import conversion
from zhtj.graduation import operations as graduation
from zhtj.graduation import queries as marks
from zhtj.graduation.models import NoTime
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs import queries
from zhtj.orgs.changing import administration, changes
from zhtj.orgs.changing.children import offers
from zhtj.orgs.models import Organisation
from zhtj.people.finding import members as people
from zhtj.people.queries import posts
from zhtj.transfers.deciding import closing
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_organisation, own_organisation, page_links
from zhtj.web.forms.days import month_of

YEARS = 10  # a graduation lies at most so far away


@routes.desk.get("/organisations")
@requires(Permission.ORGANISATION_VIEW)
def organisations() -> str:
    """Children of the seat's organisation."""
    return organisation_page(own_organisation())


@routes.desk.get("/organisations/<int:organisation_id>")
@requires(Permission.ORGANISATION_VIEW)
def organisation(organisation_id: int) -> str:
    """One organisation below, with its children."""
    return organisation_page(load_organisation(organisation_id, Permission.ORGANISATION_VIEW))


def organisation_page(
    shown: Organisation, error: DomainError | None = None, *, turning: DomainError | None = None
) -> str:
    """The page of an organisation.

    Args:
        shown: which one.
        error: what was wrong with a mark.
        turning: why it was not closed or not opened again.
    """
    seat = current_seat()
    text, closed = request.args.get("q", "").strip(), request.args.get("closed") == "1"
    page = queries.children(shown, text, closed=closed).page(**cursors())
    branches = [child.id for child in page.rows if child.is_branch] + ([shown.id] if shown.is_branch else [])
    problem = graduation.mark_problem(seat, shown) if shown.is_branch else None
    return render_template(
        "desks/orgs/organisation.html",
        organisation=shown,
        line=queries.line_within(shown, seat.path),
        children=page.rows,
        counts=people.count_by_branch(branches),
        marks=marks.marks(branches),
        # One's own data stand on the page "本组织".
        plain=shown.id == seat.org_id and not shown.is_branch,
        posts=posts(shown) if shown.id != seat.org_id or shown.is_branch else [],
        flag_of=administration.flag_words,
        may_mark=shown.is_branch and problem is None and seat.may(Permission.GRADUATION_MARK, shown.path),
        no_mark_why=problem.message + problem.fix if problem else "",
        no_times=list(NoTime),
        text=text,
        closed=closed,
        error=error,
        turning=turning,
        typed=request.form,
        links=page_links(page, ".organisation", organisation_id=shown.id, q=text, closed="1" if closed else ""),
        **_administration(seat, shown, page.rows),
    )


def _administration(seat: ActiveSeat, shown: Organisation, rows: Sequence[Organisation]) -> dict[str, Any]:
    """What can be done about the organisation and its children from here."""
    own = shown.id == seat.org_id
    may_edit = seat.may(Permission.ORGANISATION_EDIT, shown.path) and not own
    may_build = seat.may(Permission.ORGANISATION_BUILD, shown.path) and shown.closed_at is None
    above = None if own else shown.parent
    # Registration codes come from the direct superior, or from whoever acts for it (U-07, PD-22).
    hands_out = shown.office_id == seat.org_id and not shown.is_branch and seat.may(Permission.CODE_ISSUE, shown.path)
    # Where a branch is listed there is one; nobody need ask again.
    has_branch = any(child.is_branch and child.closed_at is None for child in rows)
    branchless = queries.branchless(rows if has_branch else [shown, *rows])
    return {
        "may_edit": may_edit,
        "may_build": may_build and not shown.is_branch,
        "may_code": above is not None and above.office_id == seat.org_id and shown.closed_at is None,
        "hands_out": hands_out,
        "has_townships": hands_out and any(child.township_flag for child in rows),
        "offers": offers(shown) if may_build else [],
        "obstacles": closing.obstacles(shown) if may_edit and shown.closed_at is None else [],
        "branchless": branchless,
        "no_branch": shown.id in branchless,
        "earlier": [] if own else changes.earlier_names(shown),
    }


@routes.desk.post("/organisations/<int:organisation_id>/mark")
@requires(Permission.GRADUATION_MARK)
def mark(organisation_id: int) -> AnyResponse:
    """Mark one branch's graduation month, or why it has none (G-03, G-12)."""
    branch = load_organisation(organisation_id, Permission.GRADUATION_MARK)
    seat = current_seat()
    problem = graduation.mark_problem(seat, branch) if graduation.may_be_marked(branch) else None
    if problem is not None and problem.rule in {"G-11", "G-12"}:
        raise Forbidden(problem.message + problem.fix, rule=problem.rule)
    month, reason = request.form.get("month", "").strip(), request.form.get("no_time", "")
    try:
        with unit_of_work():
            session.refresh(branch)
            no_time = NoTime(reason) if reason in set(NoTime) else None
            graduation.mark_branch(branch, month=_month(month), no_time=no_time, seat_id=seat.seat_id)
            conversion.convert(branches=[branch.id])
    except DomainError as error:
        session.expire_all()
        return make_response(organisation_page(branch, error), error.status)
    flash(f"{branch.short_name}的毕业时间已标记。", "success")
    return redirect(url_for(".organisation", organisation_id=organisation_id), 303)


def _month(text: str) -> date | None:
    month = month_of(text)
    if month is not None and abs(month.year - clock.today().year) > YEARS:
        raise DomainError("毕业时间的年份不对。", fix="请核对后再填。", field="month", rule="G-03")
    return month
