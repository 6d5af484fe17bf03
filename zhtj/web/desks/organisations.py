"""Lower organisations: the children of one, its data, the graduation time of a branch."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import conversion
from zhtj.graduation import operations as graduation
from zhtj.graduation import queries as marks
from zhtj.graduation.models import NoTime
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import Permission
from zhtj.orgs import administration, queries
from zhtj.orgs.models import Organisation
from zhtj.people import members as people
from zhtj.people.queries import posts
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_organisation, own_organisation, page_links

YEARS = 10  # a graduation lies at most so far away


@requires(Permission.ORGANISATION_VIEW)
def organisations() -> str:
    """Children of the seat's organisation."""
    return _page(own_organisation())


@requires(Permission.ORGANISATION_VIEW)
def organisation(number: int) -> str:
    """One organisation below, with its children."""
    return _page(load_organisation(number, Permission.ORGANISATION_VIEW))


def _page(shown: Organisation, error: DomainError | None = None) -> str:
    seat = current_seat()
    text = request.args.get("q", "").strip()
    page = queries.children(shown, text, **cursors())
    branches = [child.id for child in page.rows if child.is_branch] + ([shown.id] if shown.is_branch else [])
    problem = graduation.mark_problem(seat, shown) if shown.is_branch else None
    return render_template(
        "desks/organisation.html",
        organisation=shown,
        line=queries.line_within(shown, seat.path),
        children=page.rows,
        counts=people.count_by_branch(branches),
        marks=marks.marks(branches),
        posts=posts(shown),
        flag_of=administration.flag_words,
        may_mark=shown.is_branch and problem is None and seat.may(Permission.GRADUATION_MARK, shown.path),
        no_mark_why=problem.message + problem.fix if problem else "",
        no_times=list(NoTime),
        no_branch=not shown.is_branch and not queries.has_branch(shown),
        text=text,
        error=error,
        typed=request.form,
        links=page_links(page, ".organisation", number=shown.id, q=text),
    )


@requires(Permission.GRADUATION_MARK)
def mark(number: int) -> AnyResponse:
    """Mark one branch's graduation month, or why it has none (G-03, G-12)."""
    branch = load_organisation(number, Permission.GRADUATION_MARK)
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
        return make_response(_page(branch, error), error.status)
    flash(f"{branch.short_name}的毕业时间已标记。", "success")
    return redirect(url_for(".organisation", number=number), 303)


def _month(text: str) -> date | None:
    if not text:
        return None
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise DomainError("毕业时间请填写年份和月份，如 2026-06。", field="month", rule="G-03") from error
    if abs(month.year - clock.today().year) > YEARS:
        raise DomainError("毕业时间的年份不对。", fix="请核对后再填。", field="month", rule="G-03")
    return month


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    blueprint.add_url_rule("/organisations", "organisations", organisations)
    blueprint.add_url_rule("/organisations/<int:number>", "organisation", organisation)
    blueprint.add_url_rule("/organisations/<int:number>/mark", "mark", mark, methods=["POST"])
