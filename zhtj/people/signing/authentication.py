"""Signing in by ID or mobile number and password (PD-04).

Unlike other operations these commit by themselves: a failed attempt must be remembered although the request fails. An
attempt is counted before the password is looked at, so that many at the same moment cannot slip through.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from zhtj.kernel import audit, limits
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.limits import AllowedAttempt, Limit
from zhtj.people.models import Account
from zhtj.people.signing import passwords
from zhtj.people.signing.accounts import check_password, find_by_username, rules_now, set_password, tidy

WARN_LEFT = 3
"""From so many attempts left on, the refusal says how many."""


class WrongCredentialsError(DomainError):
    """Name or password is wrong, or the account is not open yet; which of them is not said."""


def address_key(address: str | None) -> str:
    """A network address as one visitor: an IPv6 visitor owns a whole /64."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ip_network(f"{parsed}/64", strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)


def _account_limit() -> Limit:
    rules = rules_now()
    span = rules.login_lock_minutes * limits.MINUTE
    return Limit(
        "login",
        rules.login_lock_after,
        span,
        closed_for=span,
        slow_after=rules.login_slow_after,
        what="登录失败次数过多",
    )


def _address_limit() -> Limit:
    rules = rules_now()
    span = rules.login_lock_minutes * limits.MINUTE
    return Limit("login-address", rules.login_address_limit, span, closed_for=span, what="这个网络登录失败次数过多")


def _key(account: Account | None, username: str) -> str:
    """One key an account, by whichever of its two names; an unknown name is locked just the same."""
    return f"account:{account.id}" if account else f"name:{tidy(username)}"


def unlock(account: Account) -> None:
    """Forget the account's failed attempts, because it has a new password."""
    limits.clear(_account_limit(), _key(account, ""))


def sign_in(username: str, password: str, address: str) -> Account:
    """Check name and password.

    Args:
        username: ID or mobile number, however typed.
        password: as typed.
        address: network address of the visitor, see ``address_key``.

    Raises:
        WrongCredentialsError: not right.
        TooMany: the account or the address is locked, or must wait; says until when.
    """
    account = find_by_username(username)
    key = _key(account, username)
    with unit_of_work():
        of_address = limits.count(_address_limit(), address)
        of_account = limits.count(_account_limit(), key)
    kept = account.password_hash if account and account.activated_at else None
    right = passwords.verify(kept, password)
    if account is None or not right:
        raise _failure(account, address, of_account, of_address)
    with unit_of_work():
        unlock(account)
        limits.take_back(_address_limit(), address)
        if passwords.is_outdated(kept or ""):
            account.password_hash = passwords.make_hash(password)
        audit.record("account.login", "account", account.id, address=address)
    return account


def _failure(
    account: Account | None, address: str, of_account: AllowedAttempt, of_address: AllowedAttempt
) -> DomainError:
    """Record a failed attempt; the refusal to raise is the same whether the name exists or not."""
    subject = account.id if account else 0
    with unit_of_work():
        audit.record("account.login_failed", "account", subject, address=address)
        if not of_account.left:
            audit.record("account.locked", "account", subject, until=of_account.next_at.isoformat())
        if not of_address.left:
            audit.record("address.locked", "account", subject, address=address, until=of_address.next_at.isoformat())
    if not of_account.left:
        return limits.too_many(_account_limit(), of_account.next_at)
    if not of_address.left:
        return limits.too_many(_address_limit(), of_address.next_at)
    left = f"再错 {of_account.left} 次将暂停登录。" if of_account.left <= WARN_LEFT else ""
    return WrongCredentialsError(
        "账号或密码不正确。", fix="第一次使用的，请先激活账号。" + left, field="password", rule="PD-04"
    )


def change_password(account_id: int, current: str, new: str) -> Account:
    """Change one's own password; signs out everywhere else.

    Raises:
        WrongCredentialsError: the present password is wrong.
        DomainError: the new one is too weak (``field`` is ``password``).
        TooMany: too many wrong ones, counted together with failed logins.
    """
    account = session.get_one(Account, account_id)
    limits.count(_account_limit(), _key(account, ""))
    if not passwords.verify(account.password_hash, current):
        raise WrongCredentialsError("现在的密码不正确。", field="current", rule="PD-04")
    unlock(account)
    with unit_of_work():
        check_password(account, new)
        set_password(account, new)
        audit.record("account.password", "account", account_id)
    return account


def confirm_password(account_id: int, password: str) -> Account:
    """Whoever is signed in shows once more that it is he, such as under a form (PD-35); commits by itself.

    Raises:
        WrongCredentialsError: the password is wrong (``field`` is ``password``).
        TooMany: too many wrong ones, counted together with failed logins.
    """
    account = session.get_one(Account, account_id)
    limits.count(_account_limit(), _key(account, ""))
    if not passwords.verify(account.password_hash, password):
        raise WrongCredentialsError("密码不正确。", fix="请填写登录密码。", field="password", rule="PD-35")
    unlock(account)
    return account
