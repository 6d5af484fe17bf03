"""Who is asking: the signed-in account, its active seat, and the permission each route names.

Every route carries either ``@requires(permission)`` or ``@public``; a guard test fails the build otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request, session
from flask_login import LoginManager, UserMixin, current_user

from zhtj.kernel.errors import Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.people import queries as people
from zhtj.people.models import Account

View = TypeVar("View", bound=Callable[..., Any])
SEAT_KEY = "seat"
PUBLIC = "public"
# Opened by an organisation's access token instead of a seat.
TOKEN = "token"  # noqa: S105 - the name of a kind of key, not one

login_manager = LoginManager()
login_manager.login_view = "auth.login"
login_manager.login_message = "请先登录。"
login_manager.session_protection = "basic"


class User(UserMixin):
    """The signed-in account as Flask-Login sees it.

    Its id carries the session version, so that a new password signs out everywhere.
    """

    def __init__(self, account: Account | people.SignedIn) -> None:
        self.account_id = account.id
        self.name = account.name
        self.session_version = account.session_version

    def get_id(self) -> str:
        """Text kept in the session."""
        return f"{self.account_id}.{self.session_version}"


@login_manager.user_loader
def load_user(text: str) -> User | None:
    """The account of a session, unless its password changed since or it was never activated."""
    number, _, version = text.partition(".")
    if not (number.isdigit() and version.isdigit()):
        return None
    account = people.signed_in(int(number), int(version))
    if account is None:
        return None
    g.seat_choices = account.choices
    return User(account)


def seat_choices() -> list[people.SeatChoice]:
    """The seats of whoever is signed in; read with his account, or once a request."""
    if "seat_choices" not in g:
        g.seat_choices = people.seat_choices(current_user.account_id) if current_user.is_authenticated else []
    choices: list[people.SeatChoice] = g.seat_choices
    return choices


def current_choice() -> people.SeatChoice | None:
    """The active seat with its label; a seat that ended meanwhile falls back to the first one left."""
    return people.choose(seat_choices(), session.get(SEAT_KEY))


def current_seat() -> ActiveSeat:
    """The seat this request is judged by (PD-02). Raises Forbidden for an account that has none."""
    choice = current_choice()
    if choice is None:
        raise Forbidden("您的账号目前没有任职，也不在任何团支部。")
    return choice.seat


def requires(permission: Permission) -> Callable[[View], View]:
    """The route needs a signed-in account whose active seat's kind has ``permission`` at all.

    Whether it has it for the organisation concerned is checked where the object is loaded.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return login_manager.unauthorized()
            # His account is his own whatever seat he takes, and even if he has none.
            if permission is not Permission.OWN_ACCOUNT:
                _check_seat(current_seat(), permission)
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def _check_seat(seat: ActiveSeat, permission: Permission) -> None:
    """A workbench serves its own kind of seat only (PD-01): desks stand in several, and a college is no branch."""
    foreign = request.blueprint in set(SeatKind) and request.blueprint != seat.kind
    if not foreign and permission is Permission.GRADUATION_MARK and seat.kind is SeatKind.BRANCH:
        raise Forbidden(
            "团支部不标记毕业时间，由学院团组织或学校团委标记。",
            fix="没有标记或标错了的，请告诉上级；电话在右上角“本组织资料”里。",
            rule="G-12",
        )
    if foreign or not seat.may(permission):
        raise Forbidden


def public(view: View) -> View:
    """The route is open to everybody."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view
