"""What a member can do about an application but take it back: correct, redirect, object (PD-16, PD-17)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.transfers import operations, queries
from zhtj.transfers.applying import drafts
from zhtj.transfers.deciding import decisions
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import Action
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.forms import objecting
from zhtj.web.forms.amending import amend_form, amended, typed_in
from zhtj.web.forms.transfer import TransferForm
from zhtj.web.member.applications import page
from zhtj.web.member.applying.answers import DraftAnswers, Filling
from zhtj.web.member.loading import own
from zhtj.web.rendering import application_progress


def _running(seat: ActiveSeat, number: int) -> Application:
    """My application, as long as it may be changed. Raises Conflict that says what happened, NotFound."""
    found = queries.application(seat, number)
    if Action.AMEND not in queries.possible_actions(seat, found) or application_progress.is_overdue(found):
        raise decisions.stale(found)
    return found


@routes.member.route("/applications/<int:application_id>/amend", methods=["GET", "POST"])
@requires(Permission.OWN_MEMBERSHIP)
def amend(application_id: int) -> AnyResponse:
    """Correct contact, unit, address or remark in place; the other side sees what changed (A-20, PD-16)."""
    seat, _ = own()
    try:
        found = _running(seat, application_id)
    except Conflict as error:
        return _late(seat, application_id, error)
    form = amend_form(found)
    if request.method == "GET" or not form.validate():
        return _amend_page(found, form, 200 if request.method == "GET" else 422)
    try:
        with unit_of_work():
            session.refresh(found)
            operations.amend(found, seat, amended(form))
    except Conflict as error:
        return _late(seat, application_id, error)
    except DomainError as error:
        session.expire_all()
        form.take(error)
        return _amend_page(queries.application(seat, application_id), form, error.status)
    flash("已修改，对方会看到改了什么。", "success")
    return redirect(url_for(".application", application_id=application_id), 303)


def _late(seat: ActiveSeat, number: int, error: Conflict) -> AnyResponse:
    """The application as it is now, with what happened meanwhile, and what was typed."""
    session.expire_all()
    found = queries.application(seat, number)
    return make_response(page(seat, found, error, "没有修改", typed_in(request.form)), error.status)


def _amend_page(found: Application, form: TransferForm, status: int) -> AnyResponse:
    return make_response(render_template("member/amend.html", application=found, form=form), status)


@routes.member.post("/applications/<int:application_id>/redirect", endpoint="redirect")
@requires(Permission.OWN_MEMBERSHIP)
def redirect_elsewhere(application_id: int) -> AnyResponse:
    """Fill in another destination while this one runs on; it is withdrawn when that one is sent (PD-16)."""
    seat, member = own()
    found = queries.application(seat, application_id)
    if Action.WITHDRAW not in queries.possible_actions(seat, found) or application_progress.is_overdue(found):
        error = decisions.stale(found)
        return make_response(page(seat, found, error, "不能改转"), error.status)
    if Filling(member).redirected is not found:
        with unit_of_work():
            drafts.save(member, DraftAnswers.elsewhere(found).kept())
    return redirect(url_for(".transfer_new", step=Filling(member).next_step.value), 303)


@routes.member.route("/applications/<int:application_id>/object", methods=["GET", "POST"], endpoint="object")
@requires(Permission.OWN_MEMBERSHIP)
def object_to(application_id: int) -> AnyResponse:
    """Object to a refusal, once; the refuser's superior decides (PD-17)."""
    seat, _ = own()

    def late(error: DomainError, text: str) -> AnyResponse:
        return make_response(
            page(seat, queries.application(seat, application_id), error, "没有申诉", text), error.status
        )

    found = queries.application(seat, application_id)
    return objecting.object_to(seat, found, "member/object.html", late, again="可以改正后重新申请。")
