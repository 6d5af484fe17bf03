"""What was stored before names had one form is mended by the upgrade (PD-55)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from zhtj import doctor
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import db

STORED = {
    1: "吾买尔江.托合提",
    2: "张 三",
    3: "甘■禾",
    4: "单小红",
    5: "（导入已撤销）",
    6: "王五",
}
MOMENT = datetime(2026, 10, 14, tzinfo=UTC)


def fill() -> None:
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO organisations (id, code, path, full_name, short_name, category, tier, system, created_at,"
                " next_child) VALUES (1, '0', '0001', '中央', '中央', 'leading_organ', 'centre', 'national', :at, 0)"
            ),
            {"at": MOMENT},
        )
        for number, name in STORED.items():
            connection.execute(
                text("INSERT INTO accounts (id, name, created_at, session_version) VALUES (:n, :name, :at, 1)"),
                {"n": number, "name": name, "at": MOMENT},
            )
            connection.execute(
                text(
                    "INSERT INTO members (id, account_id, org_id, sex, joined_on, is_graduate, created_at)"
                    " VALUES (:id, :n, 1, 'male', :joined, :no, :at)"
                ),
                {"id": 100 + number, "n": number, "joined": MOMENT.date(), "no": False, "at": MOMENT},
            )
            connection.execute(
                text(
                    "INSERT INTO identity_checks (member_id, state, name_hash, due_at)"
                    " VALUES (:id, 'verified', :h, :at)"
                ),
                {"id": 100 + number, "h": keyed_hash("name", name), "at": MOMENT},
            )


def searched(initials: str) -> set[object]:
    with db.engine.connect() as connection:
        return set(
            connection.scalars(text("SELECT org_id FROM organisation_terms WHERE term = :term"), {"term": initials})
        )


def told(query: str) -> dict[object, object]:
    with db.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(query))}


@pytest.mark.rule("PD-55")
def test_stored_names_get_their_form_and_what_cannot_be_is_listed(live: Flask) -> None:
    with live.app_context():
        downgrade(revision="0036")
        fill()
        for attempt in range(2):  # once more after an interruption
            upgrade(revision="0037")
            names = told("SELECT id, name FROM accounts")
            assert names == STORED | {1: "吾买尔江·托合提", 2: "张三"}
            # Whoever was verified stays so, and nobody becomes so.
            hashes = told("SELECT member_id - 100, name_hash FROM identity_checks")
            assert hashes == {number: keyed_hash("name", str(name)) for number, name in names.items()}
            assert told("SELECT term, account_id FROM name_terms") == {
                "托合提": 1,
                "tht": 1,
                "吾买尔江托合提": 1,
                "cxh": 4,
                "dxh": 4,
            }
            assert told("SELECT id, initials FROM accounts")[4] == "sxh"
            assert told("SELECT account_id, name FROM unclear_names") == {3: "甘■禾"}
            if attempt == 0:
                downgrade(revision="0036")
        upgrade()
        [found] = doctor.examine([one for one in doctor.INVARIANTS if one.name == "names"])
        assert (found.broken, found.rows) == (1, [3])


@pytest.mark.rule("O-19")
def test_places_that_were_read_wrong_are_found_as_they_are_read(live: Flask) -> None:
    with live.app_context():
        downgrade(revision="0040")
        with db.engine.begin() as connection:
            for number, name in enumerate(("闵行区", "合肥市"), 1):
                connection.execute(
                    text(
                        "INSERT INTO organisations (id, code, parent_id, path, full_name, short_name, category, tier,"
                        " system, created_at, next_child)"
                        " VALUES (:n, :n, :up, :path, :full, :short, 'leading_organ', :tier, 'national', :at, 0)"
                    ),
                    {
                        "n": number,
                        "up": None if number == 1 else 1,
                        "path": f"000{number}",
                        "full": f"共青团{name}委员会",
                        "short": f"团{name}委",
                        "tier": "centre" if number == 1 else "county",
                        "at": MOMENT,
                    },
                )
        upgrade(revision="0041")
        assert searched("mhq") == {1}
        assert searched("hfs") == set()  # nothing of it was wrong
        upgrade()
