"""The unit of work and the column types, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from sqlalchemy import literal, select, text
from sqlalchemy.exc import StatementError

from zhtj.kernel import clock, crypto, settings
from zhtj.kernel.database import Encrypted, StrEnumType, UtcDateTime, after_commit, db, insert_new, unit_of_work
from zhtj.kernel.settings import Setting
from zhtj.people.models import Account

PLAIN = "340104200403140017"


class TroubleError(Exception):
    """Something went wrong in the middle."""


def break_off(work: Callable[[], object]) -> None:
    """A unit of work that does ``work`` and then fails."""
    with unit_of_work():
        work()
        raise TroubleError


def fresh(app, name: str) -> str:
    """What another process sees."""
    with app.app_context():
        return settings.get(name, "nothing")


# ---- the unit of work ----


def test_what_is_done_in_a_unit_is_committed_together(live) -> None:
    with live.app_context():
        with unit_of_work():
            settings.put("a", "1")
            assert fresh(live, "a") == "nothing"
            settings.put("b", "2")
        assert fresh(live, "a") == "1"
        assert fresh(live, "b") == "2"


def test_an_error_undoes_all_of_it(live) -> None:
    with live.app_context():
        with pytest.raises(TroubleError):
            break_off(lambda: settings.put("a", "1"))
        assert fresh(live, "a") == "nothing"
        # And the next unit starts clean
        with unit_of_work():
            settings.put("b", "2")
        assert fresh(live, "a") == "nothing"
        assert fresh(live, "b") == "2"


def test_a_unit_inside_a_unit_joins_it(live) -> None:
    with live.app_context():
        with unit_of_work():
            settings.put("a", "1")
            with unit_of_work():
                settings.put("b", "2")
            assert fresh(live, "b") == "nothing"
        assert fresh(live, "b") == "2"


def test_an_error_in_the_outer_unit_undoes_the_inner_one(live) -> None:
    def inner() -> None:
        with unit_of_work():
            settings.put("b", "2")

    with live.app_context():
        with pytest.raises(TroubleError):
            break_off(inner)
        assert fresh(live, "b") == "nothing"


def test_a_unit_sees_what_others_committed_since_one_last_looked(live) -> None:
    with live.app_context():
        assert settings.get("a", "nothing") == "nothing"
        with live.app_context(), unit_of_work():
            settings.put("a", "1")
        with unit_of_work():
            assert settings.get("a") == "1"
            settings.put("a", "2")
        assert fresh(live, "a") == "2"


def test_what_waits_for_the_commit_runs_after_it_and_in_order(live) -> None:
    seen: list[object] = []
    with live.app_context():
        with unit_of_work():
            settings.put("a", "1")
            after_commit(lambda: seen.append(("first", fresh(live, "a"))))
            with unit_of_work():
                after_commit(lambda: seen.append(("second", fresh(live, "a"))))
            assert seen == []
        assert seen == [("first", "1"), ("second", "1")]


def test_what_waits_for_the_commit_never_runs_if_there_is_none(live) -> None:
    seen: list[object] = []
    with live.app_context():
        with pytest.raises(TroubleError):
            break_off(lambda: after_commit(lambda: seen.append("sent")))
        with unit_of_work():
            settings.put("a", "1")
    assert seen == []


def test_a_failure_after_the_commit_stops_neither_the_others_nor_the_caller(live, caplog) -> None:
    seen = []

    def fail() -> None:
        raise TroubleError

    with live.app_context():
        with unit_of_work():
            settings.put("a", "1")
            after_commit(fail)
            after_commit(lambda: seen.append("second"))
        assert fresh(live, "a") == "1"
    assert seen == ["second"]
    assert "after-commit action failed" in caplog.text


def test_what_runs_after_the_commit_may_write_in_a_unit_of_its_own(live) -> None:
    def write() -> None:
        with unit_of_work():
            settings.put("b", "2")
            after_commit(lambda: seen.append(fresh(live, "b")))

    seen: list[object] = []
    with live.app_context():
        with unit_of_work():
            after_commit(write)
        assert seen == ["2"]


def test_nobody_can_wait_for_a_commit_outside_a_unit(live) -> None:
    with live.app_context(), pytest.raises(RuntimeError, match="unit of work"):
        after_commit(lambda: None)


# ---- times ----


def stored(session, name: str) -> object:
    return session.execute(text("SELECT activated_at FROM accounts WHERE name = :name"), {"name": name}).scalar_one()


def test_a_naive_time_is_refused(session) -> None:
    session.add(Account(name="甲", created_at=datetime(2026, 10, 14)))  # noqa: DTZ001 - the mistake itself
    with pytest.raises(StatementError, match="naive datetime"):
        session.flush()
    session.rollback()


def test_a_time_of_any_zone_lies_as_utc_and_comes_back_aware(session) -> None:
    moment = datetime(2026, 10, 14, 23, 59, 59, 123456, tzinfo=clock.SHANGHAI)
    session.add(Account(name="甲", created_at=clock.now(), activated_at=moment))
    session.flush()
    session.expire_all()
    found = session.scalars(select(Account).where(Account.name == "甲")).one()
    assert found.activated_at == moment
    assert found.activated_at.tzinfo is UTC
    raw = stored(session, "甲")
    assert "15:59:59.123456" in str(raw)


def test_times_compare_as_moments_whatever_zone_they_are_written_in(session) -> None:
    east = datetime(2026, 10, 15, 0, 0, tzinfo=clock.SHANGHAI)
    west = datetime(2026, 10, 14, 17, 0, tzinfo=timezone(timedelta(hours=1)))
    session.add_all([Account(name="甲", created_at=east), Account(name="乙", created_at=west)])
    session.flush()
    names = session.scalars(select(Account.name).where(Account.created_at == literal(west, UtcDateTime)))
    assert sorted(names) == ["乙", "甲"]


# ---- encrypted text ----


@pytest.mark.rule("PD-37")
def test_numbers_lie_encrypted_in_the_table(session) -> None:
    account = Account(name="甲", created_at=clock.now())
    account.set_id_number(PLAIN)
    account.set_mobile("13800000001")
    session.add(account)
    session.flush()
    session.expire_all()
    row = session.execute(text("SELECT * FROM accounts WHERE name = '甲'")).mappings().one()
    assert not [name for name, value in row.items() if PLAIN in str(value) or "13800000001" in str(value)]
    assert crypto.decrypt(row["id_number"]) == PLAIN
    assert account.id_number == PLAIN
    # And it is found by its hash
    found = select(Account).where(Account.id_hash == crypto.keyed_hash("id_number", PLAIN))
    assert session.scalars(found).one() is account


def test_every_number_and_contact_of_a_person_is_an_encrypted_column() -> None:
    encrypted = {
        f"{table.name}.{column.name}"
        for table in db.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Encrypted)
    }
    assert encrypted >= {
        "accounts.id_number",
        "accounts.mobile",
        "members.emergency_name",
        "members.emergency_phone",
        "applications.contact_mobile",
    }


def test_what_no_key_opens_is_an_error_and_not_an_empty_field(session) -> None:
    account = Account(name="甲", created_at=clock.now())
    account.set_id_number(PLAIN)
    session.add(account)
    session.flush()
    session.expire_all()
    crypto.use_keys((crypto.generate_key(),))
    with pytest.raises(ValueError, match="no data key"):
        session.scalar(select(Account.id_number))


# ---- enumerations ----


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def test_an_enumeration_is_stored_by_value_and_read_as_a_member(session) -> None:
    kind = StrEnumType(Colour)
    assert session.scalar(select(literal(Colour.RED, kind))) is Colour.RED
    assert session.scalar(select(literal("blue", kind))) is Colour.BLUE
    assert kind.process_bind_param(Colour.RED, session.get_bind().dialect) == "red"
    assert kind.process_bind_param(None, session.get_bind().dialect) is None


def test_a_value_it_does_not_know_is_refused_on_the_way_in_and_out(session) -> None:
    kind = StrEnumType(Colour)
    with pytest.raises(StatementError, match="green"):
        session.scalar(select(literal("green", kind)))
    session.rollback()
    with pytest.raises(ValueError, match="green"):
        kind.process_result_value("green", session.get_bind().dialect)


def test_two_enumerations_do_not_share_a_prepared_statement(session) -> None:
    class Shade(StrEnum):
        RED = "red"

    assert session.scalar(select(literal("red", StrEnumType(Colour)))) is Colour.RED
    assert session.scalar(select(literal("red", StrEnumType(Shade)))) is Shade.RED


# ---- inserting what may be there ----


def test_what_is_there_already_is_skipped(session) -> None:
    settings.put("a", "1")
    rows = [{"name": "a", "value": "9"}, {"name": "b", "value": "2"}]
    session.execute(insert_new(Setting).values(rows))
    session.expire_all()
    assert {row.name: row.value for row in session.scalars(select(Setting))} == {"a": "1", "b": "2"}


def test_paths_are_compared_byte_by_byte_on_every_database(session) -> None:
    settings_ = ["0010", "000Z", "0001", "00010001", "0001~", "000a"]
    session.add_all(Account(name=name, created_at=clock.now()) for name in settings_)
    session.flush()
    found = list(session.scalars(select(Account.name).order_by(Account.name)))
    assert found == sorted(settings_, key=lambda name: name.encode())
