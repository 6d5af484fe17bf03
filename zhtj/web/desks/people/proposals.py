"""超龄、失联: whom the rules propose for leaving, suspension or removal; people pick and ask (D-21, D-22, U-24)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import operations
from zhtj.cases.kinds import kind_of
from zhtj.cases.membership import proposals
from zhtj.cases.membership.proposals import PROPOSED, Measure
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseState
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.orgs.policies import policy_of
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_member, number_in, own_organisation, page_links

AT_ONCE = 100
_COUNTED = 200
KIND = "standing"


def _measure(text: str) -> Measure:
    """The list that is asked for; an unknown one is the first."""
    return next((one for one in PROPOSED if one == text), PROPOSED[0])


@routes.desk.get("/members/proposals", endpoint="proposals")
@requires(Permission.CASES)
def listed() -> AnyResponse:
    """One list, with the ground of each and what has been asked already."""
    return _page(_measure(request.args.get("measure", "")))


def _page(measure: Measure, error: DomainError | None = None, refused: list[str] | None = None) -> AnyResponse:
    seat = current_seat()
    listing = proposals.listing(seat, measure)
    page = listing.page(**cursors())
    members = list(page.rows)
    body = render_template(
        "desks/people/member_proposals.html",
        rows=members,
        measure=measure,
        measures=PROPOSED,
        count=len(members) if page.is_whole else listing.count(_COUNTED),
        most=_COUNTED,
        grounds=proposals.grounds(members, measure),
        ground=proposals.ground_of(measure, policy_of(own_organisation())),
        asked=_asked([one.id for one in members]),
        error=error,
        refused=refused or [],
        typed=request.form,
        own=seat.member_id,
        links=page_links(page, ".proposals", measure=measure.value),
    )
    return make_response(body, error.status if error else 200)


def _asked(ids: list[int]) -> dict[int, Case]:
    """The open case of each of these members, if there is one."""
    if not ids:
        return {}
    query = select(Case).where(
        Case.kind == KIND, Case.subject_type == "member", Case.subject_id.in_(ids), Case.state == CaseState.WAITING
    )
    return {case.subject_id or 0: case for case in session.scalars(query)}


@routes.desk.post("/members/proposals/raise")
@requires(Permission.CASES)
def propose() -> AnyResponse:
    """Ask for the measure for everybody who is ticked; a result a line."""
    seat, measure = current_seat(), _measure(request.form.get("measure", ""))
    ids = [number for text in request.form.getlist("member") if (number := number_in(text)) is not None]
    if not ids or len(ids) > AT_ONCE:
        words = f"一次最多提出 {AT_ONCE} 人。" if ids else "请先勾选团员。"
        return _page(measure, DomainError(words, field="member"))
    members = [load_member(number, Permission.MEMBER_VIEW) for number in ids]
    names = {one.id: one.name for one in members}
    typed = {"measure": measure.value, "why": request.form.get("why", "")[:500]}
    refused, done = [], 0
    with unit_of_work():
        for number in ids:
            try:
                with session.begin_nested():
                    operations.raise_case(kind_of(KIND), seat, f"#{number}", typed)
                done += 1
            except DomainError as error:
                session.expire_all()
                refused.append(f"{names[number]}：{error}")
    if refused:
        return _page(measure, DomainError(f"已提出 {done} 件，{len(refused)} 件没有提出。"), refused)
    flash(f"已提出 {done} 件，由团委核实、决定；本人已收到通知。", "success")
    return redirect(url_for(".proposals", measure=measure.value), 303)
