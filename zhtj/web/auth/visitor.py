"""Who has just come in: where from, where to, and how a session begins."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import flash, request, session
from flask_login import current_user, login_user, logout_user

from zhtj.people.models import Account
from zhtj.people.queries import choose, seat_choices
from zhtj.people.signing.authentication import address_key
from zhtj.web.access import SEAT_KEY, User, current_choice
from zhtj.web.auth.resume import KEPT
from zhtj.web.rendering.navigation import home_of

ACCOUNT_PAGE = "/account"
LOGIN_PAGE = "/login"


def address() -> str:
    """The visitor's network address, as limits count it."""
    return address_key(request.remote_addr)


def own_address(target: str | None) -> str:
    """``target`` if it is an address of this site that one may be sent to, else ""."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return ""
    if "\\" in target or any(ord(sign) <= ord(" ") for sign in target):
        return ""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path in {"/login", "/logout"}:
        return ""
    return target


def begin_session(account: Account) -> None:
    """Sign in, in a new session: of the old one only the form somebody was about to send is kept."""
    kept = session.get(KEPT)
    session.clear()
    if kept is not None:
        session[KEPT] = kept
    login_user(User(account))


def stay(account: Account) -> None:
    """Go on in this session although the account's others have just ended."""
    login_user(User(account))


def sit_down(seat: str) -> None:
    """Choose the seat to act in, by its key."""
    session[SEAT_KEY] = seat


def leave_seat(where: str) -> str:
    """Go on after one's own post has ended: in the seat that is left, else signed out; says so on the next page.

    Args:
        where: the organisation in which it was held.

    Returns:
        Address of that page.
    """
    session.pop(SEAT_KEY, None)
    left = choose(seat_choices(current_user.account_id), None)
    if left is None:
        logout_user()
        flash(f"您在{where}的任职已结束，没有其他任职，已退出登录。", "info")
        return LOGIN_PAGE
    flash(f"您在{where}的任职已结束，现在的身份是：{left.organisation} {left.label}。", "info")
    return home_of(left.seat.kind)


def home(account_id: int | None = None) -> str:
    """Address of the active seat's workbench; of one's own account for somebody without any seat.

    Args:
        account_id: whoever signed in during this very request; by default whoever was signed in before.
    """
    if account_id is not None:
        choice = choose(seat_choices(account_id), session.get(SEAT_KEY))
    else:
        choice = current_choice() if current_user.is_authenticated else None
    return home_of(choice.seat.kind) if choice else ACCOUNT_PAGE
