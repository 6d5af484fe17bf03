"""数据接口令牌: with what an organisation's own data centre reads its figures (PD-37, PD-38)."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.rates import access_tokens
from zhtj.rates.models import AccessToken
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import number_in, own_organisation
from zhtj.web.forms.days import needed_day_in

_USUAL = timedelta(days=180)


@routes.desk.get("/rates/tokens")
@requires(Permission.ACCESS_TOKENS)
def rates_tokens() -> str:
    """Those there are, and a form for another."""
    return _page()


def _page(error: DomainError | None = None, plain: str = "", made: AccessToken | None = None) -> str:
    today = clock.today()
    return render_template(
        "rates/tokens.html",
        organisation=own_organisation(),
        tokens=access_tokens.of(current_seat()),
        plain=plain,
        made=made,
        error=error,
        typed=request.form if error is not None else {},
        today=today,
        usual=today + _USUAL,
        last=today + access_tokens.LONGEST,
    )


@routes.desk.post("/rates/tokens")
@requires(Permission.ACCESS_TOKENS)
def rates_token_create() -> AnyResponse:
    """Make one, and show it this once."""
    try:
        with unit_of_work():
            made, plain = access_tokens.create(
                current_seat(),
                request.form.get("name", ""),
                needed_day_in("valid_until"),
                people=request.form.get("people") == "1",
            )
    except DomainError as error:
        if error.status in {403, 404}:
            raise
        session.expire_all()
        return make_response(_page(error), error.status)
    return make_response(_page(plain=plain, made=made))


@routes.desk.post("/rates/tokens/revoke")
@requires(Permission.ACCESS_TOKENS)
def rates_token_revoke() -> AnyResponse:
    """End one at once."""
    number = number_in(request.form.get("token", ""))
    if number is None:
        raise NotFound
    with unit_of_work():
        name = access_tokens.revoke(number, current_seat()).name
    flash(f"令牌“{name}”已停用。", "success")
    return redirect(url_for(".rates_tokens"), 303)
