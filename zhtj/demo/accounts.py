"""The demonstration's accounts: opened with one password, and what the login page says of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import update

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account
from zhtj.people.operations import take_up_posts
from zhtj.people.signing import passwords

# Nobody's name, no part of anybody's number; the same for all.
PASSWORD = "Hefei-Shushan-1014"  # noqa: S105 - shown to everybody on the login page of a demonstration


@cache
def _hash() -> str:
    """One for all: a hash of its own for each of thousands would take longer than everything else."""
    return passwords.make_hash(PASSWORD)


def activate(account_ids: Sequence[int]) -> None:
    """Open accounts with the demonstration's password, as their owners do with their codes."""
    values = {"password_hash": _hash(), "activated_at": clock.now()}
    for start in range(0, len(account_ids), 500):
        some = account_ids[start : start + 500]
        session.execute(update(Account).where(Account.id.in_(some)).values(**values))
        take_up_posts(some)
    audit.record_many("account.activate", "account", [(account_id, {}) for account_id in account_ids])


def row(account: Account, role: str, organisation: Organisation, note: str) -> dict[str, str]:
    """The account's row of the listing. Raises ValueError if nobody could sign in with it."""
    username = account.mobile or account.id_number or ""
    if account.activated_at is None or passwords.problem(
        PASSWORD, name=account.name, numbers=(account.id_number, account.mobile)
    ):
        raise ValueError(f"no demonstration account: {account.name}")
    return {
        "role": role,
        "username": username,
        "password": PASSWORD,
        "organisation": organisation.short_name,
        "organisation_code": organisation.code,
        "name": account.name,
        "note": note,
    }
