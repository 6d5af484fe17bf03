"""The page behind a letter's QR code: whether it is genuine, for everybody; slip three, for its receiver (PD-29)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock, limits
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.letters import queries, receipts
from zhtj.letters.models import CardSide, Letter
from zhtj.people.models import Account
from zhtj.web import routes
from zhtj.web.access import current_seat, public, requires
from zhtj.web.desks.letters.issuing import slip_of_form
from zhtj.web.desks.letters.letter_page import for_receiver
from zhtj.web.forms.days import needed_day_in

CHECKS = 60
"""Of one address in ten minutes."""


def _count() -> None:
    limits.hit("letter_check", request.remote_addr or "", CHECKS, 600)


@routes.public.get("/v/<code>")
@public
def letter_check(code: str) -> AnyResponse | str:
    """Whether a letter is genuine: number, masked name, from, to, dates and state, and nothing else (PD-29)."""
    _count()
    found = queries.by_code(code)
    page = render_template("public/letter.html", letter=found, code=code)
    return make_response(page, 200 if found else 404)


@routes.public.route("/v/<code>/receipt", methods=["GET", "POST"])
@requires(Permission.LETTER_RECEIVE)
def letter_receipt(code: str) -> AnyResponse | str:
    """Slip three, filled in by the committee to which the letter is addressed (L-29, L-31)."""
    _count()
    found = _addressed(code)
    if request.method == "GET":
        return _page(found)
    try:
        slip = slip_of_form()
        with unit_of_work():
            session.refresh(found)
            receipts.fill(found, current_seat(), slip)
    except DomainError as error:
        session.expire_all()
        return make_response(_page(_addressed(code), error), error.status)
    flash("回执已送达转出团委。", "success")
    return redirect(url_for(".letter_receipt", code=code), 303)


@routes.public.post("/v/<code>/card")
@requires(Permission.LETTER_RECEIVE)
def letter_card_in(code: str) -> AnyResponse:
    """Tick that the member's card has its entry under 转入 (L-30)."""
    _count()
    found = _addressed(code)
    try:
        day = needed_day_in("entered_on", rule="L-30")
        with unit_of_work():
            session.refresh(found)
            receipts.enter_card(found, current_seat(), CardSide.IN, day)
    except DomainError as error:
        session.expire_all()
        return make_response(_page(_addressed(code), error), error.status)
    flash("团员证转入栏已登记。", "success")
    return redirect(url_for(".letter_receipt", code=code), 303)


def _addressed(code: str) -> Letter:
    """The letter, if this seat's committee receives it; of any other code nothing is revealed."""
    found = queries.of_code(code)
    if found is None or not receipts.may_fill(found, current_seat()):
        raise NotFound(
            "没有找到转到本团委的这份介绍信。",
            fix="请核对核验码，并切换到转入团委的任职；没有账号的，请把纸质回执寄回转出团委。",
        )
    return found


def _page(found: Letter, error: DomainError | None = None) -> str:
    account = session.get_one(Account, current_seat().account_id)
    receipt, card = receipts.receipt_of(found.id), receipts.card_of(found.id)
    return render_template(
        "public/letter_receipt.html",
        letter=found,
        record=found.record,
        validity=queries.validity_of(found),
        receipt=receipt,
        card=card,
        CardSide=CardSide,
        page=for_receiver(found, card, received=receipt is not None),
        first={"handler": account.name, "phone": account.mobile or ""},
        today=clock.today(),
        typed=request.form,
        error=error,
    )
