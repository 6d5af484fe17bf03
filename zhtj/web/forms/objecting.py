"""Objecting to a refusal, once: what the member's page and the desks do alike (PD-17)."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.contacts import contact
from zhtj.transfers import queries
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import Application


def object_to(
    seat: ActiveSeat, found: Application, template: str, late: Callable[[DomainError, str], AnyResponse], *, again: str
) -> AnyResponse:
    """Show the form of an objection, or hand it in; the refuser's superior decides.

    Args:
        seat: whoever objects.
        found: the refused application.
        template: the page with the form.
        late: shows the application as it is now, with what happened meanwhile and what was typed.
        again: what can be done where there is nothing to object to.
    """
    number, text = found.id, request.form.get("text", "")
    if not objections.may_object(seat, found):
        return late(Conflict("这份申请不能再申诉。", fix=again, rule="PD-17"), text)
    if request.method == "GET":
        return _page(template, found)
    try:
        with unit_of_work():
            to = objections.object_to(found, seat, text).org.short_name
    except Conflict as error:
        session.expire_all()
        return late(error, text)
    except DomainError as error:
        session.expire_all()
        return _page(template, queries.application(seat, number), text, error)
    flash(f"申诉已交给{to}。", "success")
    return redirect(url_for(".application", application_id=number), 303)


def _page(template: str, found: Application, text: str = "", error: DomainError | None = None) -> AnyResponse:
    superior = objections.superior_of(found)
    page = render_template(
        template,
        application=found,
        event=objections.refusal(found),
        office=contact(superior) if superior else None,
        superior=superior,
        text=text,
        error=error,
    )
    return make_response(page, error.status if error else 200)
