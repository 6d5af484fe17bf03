"""The demonstration's accounts; kept as a setting, so that only an installation that loaded the demonstration has any."""

from __future__ import annotations

import json

from zhtj.kernel import clock, settings
from zhtj.orgs.models import Organisation
from zhtj.people import passwords
from zhtj.people.models import Account

SETTING = "demo_accounts"
PASSWORD = "Hefei-Shushan-1014"  # noqa: S105 - shown to everybody on the login page of a demonstration


def listing() -> list[dict[str, str]]:
    """``role, username, password, organisation, organisation_code, name, note`` of each account."""
    rows: list[dict[str, str]] = json.loads(settings.get(SETTING, "[]"))
    return rows


def keep(rows: list[dict[str, str]]) -> None:
    """Remember the accounts; flushes."""
    settings.put(SETTING, json.dumps(rows, ensure_ascii=False))


def open_account(account: Account, role: str, organisation: Organisation, note: str) -> dict[str, str]:
    """Activate an account with the demonstration's password; returns its row of the listing."""
    account.password_hash = passwords.make_hash(PASSWORD)
    account.activated_at = account.activated_at or clock.now()
    return {
        "role": role,
        "username": account.mobile or account.id_number or "",
        "password": PASSWORD,
        "organisation": organisation.short_name,
        "organisation_code": organisation.code,
        "name": account.name,
        "note": note,
    }
