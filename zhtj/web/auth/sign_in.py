"""Sign in, sign out, switch seats (PD-02, PD-04)."""

from __future__ import annotations

from flask import Response, current_app, flash, make_response, redirect, render_template, request
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.errors import DomainError, NotFound, TooMany
from zhtj.kernel.permissions import Permission
from zhtj.people.signing import authentication, samples
from zhtj.web import routes
from zhtj.web.access import public, requires, seat_choices
from zhtj.web.auth import visitor
from zhtj.web.forms.auth import LoginForm
from zhtj.web.htmx import hx_redirect
from zhtj.web.rendering.navigation import home_of

ROLES = {"member": "团员", "branch": "团支部", "college": "二级团组织", "school": "基层团委", "provincial": "领导机关"}


@routes.auth.get("/login")
@public
def login() -> AnyResponse:
    """The login page; whoever is signed in already is sent on."""
    target = visitor.own_address(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target or visitor.home())
    return _page(LoginForm(next=target))


@routes.auth.post("/login")
@public
def sign_in() -> AnyResponse:
    """Check name and password, then go where one wanted to."""
    form = LoginForm()
    if not form.validate():
        return _page(form, 422)
    try:
        account = authentication.sign_in(form.username.data or "", form.password.data or "", visitor.address())
    except DomainError as error:
        form.take(error)
        response = _page(form, error.status)
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(error.retry_after)
        return response
    visitor.begin_session(account)
    return redirect(visitor.own_address(form.next.data) or visitor.home(account.id), 303)


def _page(form: LoginForm, status: int = 200) -> Response:
    page = render_template("auth/login.html", form=form, demo=_demo_accounts(), sign_in=False)
    return make_response(page, status)


def _demo_accounts() -> dict[str, list[dict[str, str]]]:
    """Accounts to try, by role; in demonstration mode only."""
    if not current_app.config["ZHTJ"].is_demo:
        return {}
    rows = samples.listing()
    return {label: found for role, label in ROLES.items() if (found := [row for row in rows if row["role"] == role])}


@routes.auth.post("/logout")
@public
def logout() -> AnyResponse:
    """Sign out on this device; open to everybody, so that an account without any seat can leave too."""
    if current_user.is_authenticated:
        logout_user()
        flash("您已退出登录。", "success")
    return hx_redirect("/login")


@routes.auth.post("/seats")
@requires(Permission.OWN_ACCOUNT)
def switch_seat() -> AnyResponse:
    """Take another of one's own seats and go to its workbench (C-03). Raises NotFound for one that is not."""
    key = request.form.get("seat", "")
    choice = next((choice for choice in seat_choices() if choice.key == key), None)
    if choice is None:
        raise NotFound("您没有这个任职，或任职已经结束。")
    visitor.sit_down(choice.key)
    return hx_redirect(home_of(choice.seat.kind))
