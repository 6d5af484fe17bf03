"""The three doors that a code opens: activation, registration of an administrator, a new password (PD-03, U-08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Response, flash, make_response, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound, TooMany
from zhtj.orgs import queries as orgs
from zhtj.orgs.models import Organisation
from zhtj.orgs.searching.search import search
from zhtj.people.models import Account, CodeKind, Seat
from zhtj.people.signing import codes
from zhtj.people.signing.accounts import read_mobile, tidy
from zhtj.web import routes
from zhtj.web.access import public
from zhtj.web.auth import visitor
from zhtj.web.forms.auth import AccountForm, ActivationForm, CodeForm, RegistrationForm, ResetForm, SeatForm

SUGGESTIONS = 5


def _page(template: str, form: AccountForm, kind: CodeKind, **more: object) -> str:
    return render_template(f"auth/{template}.html", form=form, days=codes.days(kind), **more)


def _refused(error: DomainError, page: str) -> Response:
    """The form again with its error."""
    response = make_response(page, error.status)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _come_in(account: Account, message: str) -> AnyResponse:
    """Sign in whoever has just opened his account, and say so."""
    visitor.begin_session(account)
    flash(message, "success")
    return redirect(visitor.home(account.id), 303)


# ---- activation


@routes.auth.get("/activate")
@routes.auth.get("/activate/<code>", endpoint="activate_link")
@public
def activate(code: str = "") -> str:
    """Where a member or cadre enters his activation code; a QR code brings it along. Looks nothing up yet."""
    form = CodeForm(formdata=None, code=code or request.args.get("code", ""))
    return _page("activate", form, CodeKind.ACTIVATION)


@routes.auth.post("/activate")
@public
def activate_submit() -> AnyResponse | str:
    """First the code alone, which shows whose it is; then the code with a password, which opens the account."""
    return _open_account() if "password" in request.form else _show_whose()


def _show_whose() -> AnyResponse | str:
    form = CodeForm()
    if not form.validate():
        return make_response(_page("activate", form, CodeKind.ACTIVATION), 422)
    try:
        with codes.attempt(visitor.address()):
            account = codes.peek(form.code.data or "")
    except DomainError as error:
        form.take(error)
        return _refused(error, _page("activate", form, CodeKind.ACTIVATION))
    next_form = ActivationForm(formdata=None, code=form.code.data)
    return render_template("auth/activate_password.html", form=next_form, account=account)


def _open_account() -> AnyResponse:
    form = ActivationForm()
    typed = form.code.data or ""
    try:
        with codes.attempt(visitor.address()):
            account = codes.peek(typed)
        if not form.validate():
            return make_response(render_template("auth/activate_password.html", form=form, account=account), 422)
        with codes.attempt(visitor.address()), unit_of_work():
            account = codes.activate(typed, form.password.data or "")
    except DomainError as error:
        if error.field == "password":
            form.take(error)
            return _refused(error, render_template("auth/activate_password.html", form=form, account=codes.peek(typed)))
        again = CodeForm(formdata=None, code=typed)
        again.code.errors = []
        again.take(error)
        return _refused(error, _page("activate", again, CodeKind.ACTIVATION))
    return _come_in(account, "账号已激活。以后用身份证号码或手机号码登录。")


# ---- a new password


@routes.auth.get("/password/reset")
@public
def reset_password() -> str:
    """Where a reset code becomes a new password; says who issues one (U-04)."""
    return _page("reset", ResetForm(formdata=None, code=request.args.get("code", "")), CodeKind.RESET)


@routes.auth.post("/password/reset")
@public
def reset_submit() -> AnyResponse:
    """Set the new password and sign in."""
    form = ResetForm()
    if not form.validate():
        return make_response(_page("reset", form, CodeKind.RESET), 422)
    username = form.username.data or ""
    try:
        with codes.attempt(visitor.address(), tidy(username)), unit_of_work():
            account = codes.reset(username, form.code.data or "", form.password.data or "")
    except DomainError as error:
        form.take(error)
        return _refused(error, _page("reset", form, CodeKind.RESET))
    return _come_in(account, "新密码已设置，其他设备上的登录都已退出。")


# ---- registration of an administrator


@routes.auth.get("/register")
@public
def register_page() -> str:
    """Where an administrator registers; somebody signed in adds a seat to his own account (PD-02)."""
    given = {name: request.args.get(name, "") for name in ("organisation", "code")}
    return _registration(_registration_form(formdata=None, **given))


@routes.auth.post("/register")
@public
def register_submit() -> AnyResponse:
    """Use the registration code."""
    form = _registration_form()
    if not form.validate():
        return make_response(_registration(form), 422)
    organisation = orgs.by_code_or_name(request.form.get("picked") or form.organisation.data or "")
    if organisation is None:
        return _no_such_organisation(form)
    form.organisation.data = organisation.full_name
    try:
        with codes.attempt(visitor.address()), unit_of_work():
            seat = _use(form, organisation)
    except DomainError as error:
        form.take(error)
        return _refused(error, _registration(form))
    message = f"您已成为{seat.org.full_name}的管理员。"
    if current_user.is_authenticated:
        flash(message, "success")
        visitor.sit_down(str(seat.id))
        return redirect(visitor.home(seat.account_id), 303)
    return _come_in(seat.account, message)


def _use(form: SeatForm, organisation: Organisation) -> Seat:
    code = form.code.data or ""
    if isinstance(form, RegistrationForm):
        return codes.use_registration(
            code,
            organisation,
            name=(form.name.data or "").strip(),
            mobile=read_mobile(form.mobile.data or ""),
            password=form.password.data or "",
        )
    account = session.get(Account, current_user.account_id)
    if account is None:
        raise NotFound
    return codes.take_seat(code, organisation, account)


def _registration_form(**arguments: object) -> SeatForm:
    return SeatForm(**arguments) if current_user.is_authenticated else RegistrationForm(**arguments)


def _registration(form: AccountForm, found: Sequence[Mapping[str, str]] = ()) -> str:
    return _page("register", form, CodeKind.REGISTRATION, found=found)


def _no_such_organisation(form: SeatForm) -> AnyResponse:
    """The form again, with the names that come near."""
    hits = search(session, form.organisation.data or "", limit=SUGGESTIONS).hits
    fix = "请在下面选择，或改填组织编码。" if hits else "请填写组织编码或组织全称，与注册码的完整文字一致。"
    form.take(DomainError("没有找到这个组织。", fix=fix, field="organisation", rule="U-07"))
    found = [
        {"value": hit.organisation.code, "label": hit.organisation.full_name, "note": hit.organisation.code}
        for hit in hits
    ]
    return make_response(_registration(form, found), 422)
