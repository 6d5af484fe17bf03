"""The demonstration's accounts; kept as a setting, so that only where the demonstration was loaded there are any."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

from sqlalchemy import update

from zhtj.kernel import audit, clock, settings
from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account
from zhtj.people.signing import passwords

SETTING = "demo_accounts"
# Nobody's name, no part of anybody's number; the same for all.
PASSWORD = "Hefei-Shushan-1014"  # noqa: S105 - shown to everybody on the login page of a demonstration


def listing() -> list[dict[str, str]]:
    """``role, username, password, organisation, organisation_code, name, note`` of each account."""
    rows: list[dict[str, str]] = json.loads(settings.get(SETTING, "[]"))
    return rows


def keep(rows: list[dict[str, str]]) -> None:
    """Remember the accounts; flushes."""
    settings.put(SETTING, json.dumps(rows, ensure_ascii=False))


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
