"""What an administrator can do about an application he started: correct, redirect, object (PD-16, PD-17)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs import queries as orgs
from zhtj.transfers import operations, queries
from zhtj.transfers.applying import checks
from zhtj.transfers.deciding import decisions
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import Action, Initiator
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import own_organisation
from zhtj.web.desks.transfers import starting
from zhtj.web.desks.transfers.decisions import line, render_page
from zhtj.web.desks.transfers.starting import FIELDS, StartPage
from zhtj.web.forms import objecting
from zhtj.web.forms.amending import amend_form, amended, typed_in
from zhtj.web.forms.transfer import TransferForm
from zhtj.web.rendering import application_progress


def _running(seat: ActiveSeat, number: int) -> Application:
    """An application this seat has started, as long as it may be changed.

    Raises:
        NotFound: outside the seat's part of the tree.
        Forbidden: somebody else started it.
        Conflict: it has been decided; the sentence says by whom.
    """
    found = queries.application(seat, number)
    if not _started_here(seat, found):
        raise Forbidden("只有发起方可以修改或改转这份申请。", fix="请联系发起方。", rule="PD-16")
    if Action.AMEND not in queries.possible_actions(seat, found) or application_progress.is_overdue(found):
        raise decisions.stale(found)
    return found


def _started_here(seat: ActiveSeat, found: Application) -> bool:
    return (
        found.initiator is not Initiator.MEMBER
        and found.initiator_org_id == seat.org_id
        and found.member_id != seat.member_id
    )


def _late(seat: ActiveSeat, number: int, error: DomainError, typed: str = "") -> AnyResponse:
    """The application as it is now, with the sentence that says what happened meanwhile, and what was typed."""
    session.expire_all()
    shown = replace(line(seat, queries.application(seat, number)), error=error, typed={"remark": typed})
    return make_response(render_page(shown), error.status)


@routes.desk.route("/applications/<int:application_id>/amend", methods=["GET", "POST"])
@requires(Permission.TRANSFER_DECIDE)
def amend(application_id: int) -> AnyResponse:
    """Correct contact, unit, address or remark in place; the other side sees what changed (A-20, PD-16)."""
    seat = current_seat()
    try:
        found = _running(seat, application_id)
    except Conflict as error:
        return _late(seat, application_id, error, typed_in(request.form))
    form = amend_form(found)
    if request.method == "GET" or not form.validate():
        return _amend_page(found, form, 200 if request.method == "GET" else 422)
    try:
        with unit_of_work():
            session.refresh(found)
            operations.amend(found, seat, amended(form))
    except Conflict as error:
        return _late(seat, application_id, error, typed_in(request.form))
    except DomainError as error:
        session.expire_all()
        form.take(error)
        return _amend_page(queries.application(seat, application_id), form, error.status)
    flash("已修改，对方会看到改了什么。", "success")
    return redirect(url_for(".application", application_id=application_id), 303)


def _amend_page(found: Application, form: TransferForm, status: int) -> AnyResponse:
    return make_response(render_template("desks/transfers/amend.html", application=found, form=form), status)


@routes.desk.route("/applications/<int:application_id>/redirect", methods=["GET", "POST"], endpoint="redirect")
@requires(Permission.TRANSFER_DECIDE)
def redirect_elsewhere(application_id: int) -> AnyResponse:
    """Another destination, everything else filled in; the old application is withdrawn as the new one is sent."""
    seat = current_seat()
    try:
        found = _running(seat, application_id)
    except Conflict as error:
        return _late(seat, application_id, error, typed_in(request.form))
    code = request.values.get("to", "")
    destination = orgs.by_code_or_name(code) if code else None
    shown = StartPage(found.member, destination, _typed(found), follows=found)
    if request.method == "GET":
        return make_response(_redirect_page(found, shown))
    try:
        _check_elsewhere(found, shown)
        with unit_of_work():
            session.refresh(found)
            new = operations.redirect(found, starting.submission(shown), seat).id
    except Conflict as error:
        return _late(seat, application_id, error, typed_in(request.form))
    except DomainError as error:
        session.expire_all()
        fresh = queries.application(seat, application_id)
        failed = replace(shown, member=fresh.member, follows=fresh, error=error)
        return make_response(_redirect_page(fresh, failed), error.status)
    flash("原申请已撤销，新的申请已提交。", "success")
    return redirect(url_for(".application", application_id=new), 303)


def _check_elsewhere(found: Application, shown: StartPage) -> None:
    """Raise DomainError where nothing changes but what can be amended."""
    destination = shown.destination
    if destination is not None and _whither(shown) == (found.to_org_id, found.reason, found.external_name or ""):
        raise DomainError("转入组织没有改变，原申请继续办理。", fix="请换一个组织。", field="destination", rule="PD-16")


def _typed(found: Application) -> dict[str, str]:
    """What is typed, or before anything is: what the old application said."""
    if request.method == "POST":
        return {name: request.form.get(name, "").strip() for name in FIELDS}
    said = {name: getattr(found, name, None) or "" for name in FIELDS}
    return said | {"confirmed": ""}


def _whither(shown: StartPage) -> tuple[int, str, str]:
    """Destination, reason, and the name in an external system: one of them has to change (PD-16)."""
    typed, to = shown.typed, shown.destination
    return to.id if to else 0, typed["reason"], checks.squeeze(typed["external_name"]) if shown.region else ""


def _redirect_page(found: Application, shown: StartPage) -> str:
    query, under = request.args.get("q", ""), request.args.get("under", "")
    more: dict[str, Any] = {}
    if found.initiator is Initiator.NEW_SIDE:
        more["targets"] = orgs.transfer_targets(own_organisation())
    return render_template(
        "desks/watching/redirect.html",
        application=found,
        start=shown,
        query=query,
        under=under,
        provinces=orgs.province_rank(),
        region=starting.region(under),
        found=starting.find(query, under) if query else None,
        **more,
    )


@routes.desk.route("/applications/<int:application_id>/object", methods=["GET", "POST"], endpoint="object")
@requires(Permission.TRANSFER_DECIDE)
def object_to(application_id: int) -> AnyResponse:
    """Object to a refusal, once; the refuser's superior decides (PD-17)."""
    seat = current_seat()
    found = queries.application(seat, application_id)
    if not _started_here(seat, found):
        raise Forbidden("只有申请人可以申诉。", rule="PD-17")
    return objecting.object_to(
        seat,
        found,
        "desks/watching/object.html",
        lambda error, text: _late(seat, application_id, error, text),
        again="可以改正后重新发起。",
    )
