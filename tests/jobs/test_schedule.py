"""The schedule: every period once, whoever and however many run it (PD-36)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs import schedule
from jobs.schedule import DAY, HOUR, MINUTE, ScheduledJob
from tests import services
from zhtj import sweeps
from zhtj.kernel import clock
from zhtj.kernel.database import session as current
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.work import periods
from zhtj.kernel.work import queue as work_queue

EVERY_MINUTE = ScheduledJob("minute", MINUTE, "jobs.sweeps.run_sweep", ("return",))
AT_THREE = ScheduledJob("nightly", DAY, "jobs.sweeps.run_sweep", ("seal",), offset=3 * HOUR)
BOTH = (EVERY_MINUTE, AT_THREE)


@pytest.fixture
def queued(live: Flask) -> Iterator[Flask]:
    """An application with a fresh database and an empty queue."""
    with services.redis_url() as url:
        live.config["ZHTJ"] = replace(live.config["ZHTJ"], redis_url=url)
        with live.app_context():
            yield live
            current.remove()


def waiting() -> list[str]:
    return work_queue.queue().get_job_ids()


def test_a_period_is_enqueued_once(queued: Flask, clock_at: Callable[[str], None]) -> None:
    del queued
    assert schedule.tick(BOTH) == ["minute", "nightly"]
    assert schedule.tick(BOTH) == []

    clock_at("2026-10-14T09:01")
    work_queue.queue().empty()

    assert schedule.tick(BOTH) == ["minute"]
    assert waiting() == ["minute"]


def test_a_daily_entry_keeps_to_shanghais_hours(clock_at: Callable[[str], None]) -> None:
    del clock_at
    before = AT_THREE.period(clock.parse("2026-10-14T02:59:59"))

    assert AT_THREE.period(clock.parse("2026-10-14T03:00")) == before + 1
    assert AT_THREE.period(clock.parse("2026-10-15T02:59:59")) == before + 1


def test_after_an_outage_what_is_due_runs_once_and_at_once(queued: Flask, clock_at: Callable[[str], None]) -> None:
    del queued
    schedule.tick(BOTH)
    work_queue.queue().empty()

    clock_at("2026-10-21T02:00")

    assert schedule.tick(BOTH) == ["minute", "nightly"]
    assert sorted(waiting()) == ["minute", "nightly"]
    assert schedule.tick(BOTH) == []


def test_a_clock_set_back_starts_again_from_there(queued: Flask, clock_at: Callable[[str], None]) -> None:
    del queued
    clock_at("2027-01-01T00:00")
    schedule.tick([EVERY_MINUTE])

    clock_at("2026-10-14T09:00")

    assert schedule.tick([EVERY_MINUTE]) == ["minute"]
    assert schedule.tick([EVERY_MINUTE]) == []


def test_a_job_that_still_waits_is_not_enqueued_again(queued: Flask, clock_at: Callable[[str], None]) -> None:
    del queued
    for minute in range(5):
        clock_at(f"2026-10-14T09:0{minute}")
        schedule.tick([EVERY_MINUTE])

    assert waiting() == ["minute"]


def test_a_lost_queue_is_filled_again_in_the_next_period(queued: Flask, clock_at: Callable[[str], None]) -> None:
    del queued
    schedule.tick([EVERY_MINUTE])
    work_queue.connection().flushdb()

    clock_at("2026-10-14T09:01")
    schedule.tick([EVERY_MINUTE])

    assert waiting() == ["minute"]


def test_a_period_is_not_lost_while_the_queue_is_away(live: Flask, tmp_path: Path) -> None:
    # Given a queue that is down
    live.config["ZHTJ"] = replace(live.config["ZHTJ"], redis_url=f"unix://{tmp_path / 'queue.sock'}")
    with live.app_context(), pytest.raises(RedisError):
        schedule.tick([AT_THREE])

    # When it comes back, in the same period
    with services.own_valkey(tmp_path), live.app_context():
        # Then the entry is still to be done
        assert schedule.tick([AT_THREE]) == ["nightly"]
        assert waiting() == ["nightly"]


def test_of_schedulers_at_the_same_moment_one_acts(queued: Flask) -> None:
    together = Barrier(4)

    def race(_: int) -> list[str]:
        with queued.app_context():
            together.wait()
            done = schedule.tick(BOTH)
            current.remove()
            return done

    with ThreadPoolExecutor(4) as pool:
        done = [name for names in pool.map(race, range(4)) for name in names]

    assert sorted(done) == ["minute", "nightly"]


def test_only_the_present_period_is_kept(live: Flask) -> None:
    with live.app_context():
        for period in range(3):
            with unit_of_work():
                assert periods.claim("minute", period)
        with unit_of_work():
            assert not periods.claim("minute", 2)

        assert current.scalar(select(func.count()).select_from(periods.SchedulePeriod)) == 1


def test_a_claim_that_is_rolled_back_is_free_again(session: Session) -> None:
    nested = session.begin_nested()
    assert periods.claim("minute", 1)
    nested.rollback()

    assert periods.claim("minute", 1)


def test_every_sweep_is_scheduled_and_every_entry_exists() -> None:
    scheduled = [entry.args[0] for entry in schedule.SCHEDULE if entry.job == schedule.SWEEP]

    assert sorted(scheduled) == sorted(sweeps.REGISTRY)
    assert len({entry.name for entry in schedule.SCHEDULE}) == len(schedule.SCHEDULE)


def test_no_day_is_skipped_or_doubled_over_a_year() -> None:
    start = clock.parse("2026-01-01T03:00")

    seen = [AT_THREE.period(start + timedelta(days=day)) for day in range(366)]

    assert seen == list(range(seen[0], seen[0] + 366))
