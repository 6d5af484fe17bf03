"""One clock: UTC inside, Shanghai outside, set or offset for training (PD-36)."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhtj.factory import create_app
from zhtj.kernel import clock, settings
from zhtj.kernel.database import db

MOMENTS = st.integers(int(datetime(1992, 1, 1, tzinfo=UTC).timestamp()), 2**33).map(
    lambda s: datetime.fromtimestamp(s, UTC)
)


def test_a_setting_with_an_equals_sign_stands_still() -> None:
    clock.use_setting("=2026-10-14T09:00")
    first = clock.now()
    time.sleep(0.01)
    assert clock.now() == first == datetime(2026, 10, 14, 1, 0, tzinfo=UTC)
    assert clock.is_changed()


def test_a_setting_without_one_moves_on_from_there() -> None:
    clock.use_setting("2026-10-14T09:00")
    first = clock.now()
    time.sleep(0.01)
    assert datetime(2026, 10, 14, 1, 0, tzinfo=UTC) <= first < clock.now() < first + timedelta(minutes=1)
    assert clock.is_changed()


def test_no_setting_is_the_real_time() -> None:
    clock.use_setting("")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert not clock.is_changed()


def test_an_offset_of_nothing_is_no_change() -> None:
    clock.use_offset(timedelta())
    assert not clock.is_changed()
    clock.use_offset(timedelta(days=3))
    assert clock.is_changed()
    assert abs(clock.now() - datetime.now(UTC) - timedelta(days=3)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "2026-10-14T25:00", "0001-01-01", "9999-12-31T23:59-14:00"]
)
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which text, says the caller
        clock.parse(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-16", datetime(2026, 10, 15, 16, tzinfo=UTC)),
        ("2026-10-16T00:00", datetime(2026, 10, 15, 16, tzinfo=UTC)),
        ("2026-10-16T00:00+00:00", datetime(2026, 10, 16, tzinfo=UTC)),
        ("2026-10-16T00:00Z", datetime(2026, 10, 16, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_meant_in_shanghai(text: str, moment: datetime) -> None:
    assert clock.parse(text) == moment
    assert clock.parse(text).tzinfo is UTC


@pytest.mark.rule("PD-36")
def test_the_day_changes_at_midnight_in_shanghai(clock_at) -> None:
    clock_at("2026-10-14T23:59:59")
    assert clock.today() == date(2026, 10, 14)
    clock_at("2026-10-15T00:00")
    assert clock.today() == date(2026, 10, 15)
    assert clock.start_of_day(clock.today()) == clock.now()


@given(MOMENTS)
def test_shanghai_keeps_eight_hours_all_year(moment: datetime) -> None:
    assert clock.local(moment).utcoffset() == timedelta(hours=8)
    start = clock.start_of_day(clock.local(moment).date())
    assert timedelta() <= moment - start < timedelta(days=1)


@given(MOMENTS, st.integers(-14, 14))
def test_whatever_its_zone_a_moment_stands_as_utc(moment: datetime, hours: int) -> None:
    with clock.at(moment.astimezone(timezone(timedelta(hours=hours)))):
        assert clock.now() == moment
        assert clock.now().tzinfo is UTC


def test_a_rehearsal_gives_the_clock_back_even_after_an_error(clock_at) -> None:
    clock_at("2026-10-14T09:00")
    before = clock.now()

    def rehearse() -> None:
        with clock.at(clock.parse("2027-01-01")):
            assert clock.today() == date(2027, 1, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        rehearse()
    assert clock.now() == before


def variables(live, **more: str) -> dict[str, str]:
    """The environment of a process on this database."""
    conf = live.config["ZHTJ"]
    known = {
        "ZHTJ_INSTANCE": str(conf.instance),
        "ZHTJ_DATABASE_URL": conf.database_url,
        "ZHTJ_SECRET_KEY": "test",
        "ZHTJ_DATA_KEYS": conf.data_keys[0],
    }
    return known | more


@pytest.mark.slow("starts processes")
@pytest.mark.rule("PD-36")
def test_all_processes_share_the_offset_in_the_database_and_the_variable_wins(live) -> None:
    # Given the demonstration, whose clock runs a hundred days ahead
    with live.app_context():
        settings.put("clock_offset_seconds", str(100 * 86400))
        db.session.commit()
    # When another process starts on its database
    create_app(variables(live, ZHTJ_ENV="demo"))
    # Then it runs on the same time
    assert abs(clock.now() - datetime.now(UTC) - timedelta(days=100)) < timedelta(minutes=1)
    # But an operator's own setting comes first
    create_app(variables(live, ZHTJ_ENV="demo", ZHTJ_NOW="=2026-06-01"))
    assert clock.today() == date(2026, 6, 1)


def test_a_database_without_tables_yet_runs_on_the_real_time(tmp_path) -> None:
    # The very first start, before the migrations: `flask db upgrade` itself creates the application
    create_app({"ZHTJ_ENV": "development", "ZHTJ_INSTANCE": str(tmp_path)})
    assert not clock.is_changed()
