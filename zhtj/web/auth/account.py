"""One's own account, from any seat: contact data, which change at once (U-03), and the password."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, TooMany
from zhtj.kernel.permissions import Permission
from zhtj.people.models import Account, Member
from zhtj.people.queries import member_of
from zhtj.people.signing import authentication
from zhtj.people.signing.accounts import ContactDetails, change_contact
from zhtj.web import routes
from zhtj.web.access import requires, seat_choices
from zhtj.web.auth import visitor
from zhtj.web.forms.auth import AccountForm, ContactForm, MemberContactForm, PasswordForm


def _own() -> tuple[Account, Member | None]:
    number = current_user.account_id
    return session.get_one(Account, number), member_of(number)


def _contact_form(member: Member | None, **arguments: object) -> ContactForm:
    return MemberContactForm(**arguments) if member else ContactForm(**arguments)


def _page(
    status: int = 200, *, contact: ContactForm | None = None, password: PasswordForm | None = None
) -> AnyResponse:
    """The page with both forms; one of them as it was sent."""
    own, member = _own()
    if contact is None:
        kept = {"mobile": own.mobile}
        if member:
            kept |= {name: getattr(member, name) for name in ("residence", "emergency_name", "emergency_phone")}
        contact = _contact_form(member, formdata=None, **kept)
    page = render_template(
        "auth/account.html",
        account=own,
        member=member,
        contact=contact,
        password=password or PasswordForm(formdata=None),
        posts=[choice for choice in seat_choices() if choice.seat.seat_id],
    )
    return make_response(page, status)


def _refused(error: DomainError, form: AccountForm) -> AnyResponse:
    form.take(error)
    changed = {"password": form} if isinstance(form, PasswordForm) else {"contact": form}
    response = _page(error.status, **changed)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


@routes.auth.get("/account")
@requires(Permission.OWN_ACCOUNT)
def account() -> AnyResponse:
    """One's own contact data and password."""
    return _page()


@routes.auth.post("/account")
@requires(Permission.OWN_ACCOUNT)
def change_own_contact() -> AnyResponse:
    """Change the contact data."""
    own, member = _own()
    form = _contact_form(member)
    if not form.validate():
        return _page(422, contact=form)
    values = {name: value for name, value in form.data.items() if name in ContactDetails.__dataclass_fields__}
    try:
        with unit_of_work():
            changed = change_contact(own, member, ContactDetails(**values))
    except DomainError as error:
        return _refused(error, form)
    flash("联系方式已更新。" if changed else "没有改动。", "success" if changed else "info")
    return redirect(url_for("auth.account"), 303)


@routes.auth.post("/account/password")
@requires(Permission.OWN_ACCOUNT)
def change_own_password() -> AnyResponse:
    """Change the password; this session goes on, all others end."""
    form = PasswordForm()
    if not form.validate():
        return _page(422, password=form)
    number = current_user.account_id
    try:
        own = authentication.change_password(number, form.current.data or "", form.password.data or "")
    except DomainError as error:
        return _refused(error, form)
    visitor.stay(own)
    flash("密码已修改，其他设备上的登录都已退出。", "success")
    return redirect(url_for("auth.account"), 303)
