"""Accounts that the login page offers to try; kept as a setting, so that only a demonstration has any."""

from __future__ import annotations

import json

from zhtj.kernel import settings

SETTING = "demo_accounts"


def listing() -> list[dict[str, str]]:
    """``role, username, password, organisation, organisation_code, name, note`` of each account."""
    rows: list[dict[str, str]] = json.loads(settings.get(SETTING, "[]"))
    return rows


def keep(rows: list[dict[str, str]]) -> None:
    """Remember the accounts; flushes."""
    settings.put(SETTING, json.dumps(rows, ensure_ascii=False))
