"""疑似重复: records that may be one person's, side by side; merged by the level above both (U-15, K-19)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import operations
from zhtj.cases.kinds import kind_of
from zhtj.cases.kinds.removal import DUPLICATE
from zhtj.cases.membership import merging
from zhtj.cases.workflow import CaseAction
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import Permission
from zhtj.people.finding import duplicates as people
from zhtj.people.models import Member
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_member, number_in, page_links

_COUNTED = 1000


@routes.desk.get("/members/duplicates")
@requires(Permission.MEMBER_VIEW)
def duplicates() -> str:
    """The pairs of which both are here or below."""
    listing = people.listing(current_seat())
    page = listing.page(**cursors())
    return render_template(
        "desks/people/member_duplicates.html",
        rows=page.rows,
        counted=listing.count(_COUNTED),
        most=_COUNTED,
        links=page_links(page, ".duplicates"),
    )


def _both(kept: str | None, doubled: str | None) -> tuple[Member, Member] | None:
    """The record that would stay and the other one; None where the address names no two."""
    ids = [number_in(text or "") for text in (kept, doubled)]
    if None in ids or ids[0] == ids[1]:
        return None
    first, second = (load_member(number or 0, Permission.MEMBER_VIEW) for number in ids)
    return first, second


def _back() -> AnyResponse:
    flash("请先在名单中选择两条记录。", "warning")
    return redirect(url_for(".duplicates"), 303)


@routes.desk.get("/members/compare")
@requires(Permission.MEMBER_VIEW)
def compare() -> AnyResponse:
    """Two records side by side, and what merging them would bring."""
    both = _both(request.args.get("keep"), request.args.get("other"))
    return _back() if both is None else _page(*both)


def _page(kept: Member, doubled: Member, error: DomainError | None = None) -> AnyResponse:
    page = render_template(
        "desks/people/member_compare.html",
        kept=kept,
        doubled=doubled,
        preview=merging.preview(doubled, kept),
        noted=people.between([kept.id, doubled.id]),
        may_ask=current_seat().kind in kind_of("removal").raised_by,
        error=error,
        typed=request.form,
    )
    return make_response(page, error.status if error else 200)


@routes.desk.post("/members/compare/merge")
@requires(Permission.CASES)
def merge() -> AnyResponse:
    """Ask for the merge; where this level stands above both, it is decided at once (K-19)."""
    both = _both(request.form.get("keep"), request.form.get("other"))
    if both is None:
        return _back()
    kept, doubled = both
    typed = {"ground": DUPLICATE, "detail": request.form.get("why", "")[:500], "keep": kept.account.id_number or ""}
    seat = current_seat()
    try:
        with unit_of_work():
            case = operations.raise_case(kind_of("removal"), seat, f"#{doubled.id}", typed)
            if case.line == [seat.org_id]:
                operations.act(case, seat, CaseAction.APPROVE)
            number, words = case.id, case.outcome or "已提交，由上级决定。"
    except Forbidden:
        raise
    except DomainError as error:
        session.expire_all()
        return _page(kept, doubled, error)
    flash(words, "success")
    return redirect(url_for(".case", case_id=number), 303)


@routes.desk.post("/members/compare/apart")
@requires(Permission.CASES)
def apart() -> AnyResponse:
    """They are two people: not proposed again."""
    both = _both(request.form.get("keep"), request.form.get("other"))
    if both is None:
        return _back()
    try:
        with unit_of_work():
            people.set_apart(*both, current_seat().account_id, request.form.get("why", ""))
    except DomainError as error:
        session.expire_all()
        return _page(*both, error)
    flash("已记下，不再列为疑似重复。", "success")
    return redirect(url_for(".duplicates"), 303)
