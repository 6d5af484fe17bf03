"""Counting attempts: spans, pauses, locks, and many at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from zhtj.kernel import limits
from zhtj.kernel.errors import TooMany
from zhtj.kernel.limits import Limit

THREE = Limit("test", 3, 600)
LOCK = Limit("lock", 3, 600, closed_for=900)
SLOW = Limit("slow", 9, 600, slow_after=2)


def test_after_the_last_attempt_the_key_is_closed_until_the_span_ends(session, clock_at) -> None:
    # given three attempts, the last one nine minutes after the first
    for minute in (0, 4, 9):
        clock_at(f"2026-10-14T09:0{minute}")
        left = limits.count(THREE, "a").left
    assert left == 0

    # when a fourth follows
    with pytest.raises(TooMany) as caught:
        limits.count(THREE, "a")

    # then the refusal names the end of the span, and it opens just then
    assert caught.value.retry_after == 60
    clock_at("2026-10-14T09:10")
    assert limits.count(THREE, "a").left == 2


def test_a_refused_attempt_is_not_counted(session, clock_at) -> None:
    for _ in range(3):
        limits.count(THREE, "a")
    for _ in range(5):
        with pytest.raises(TooMany):
            limits.count(THREE, "a")
    clock_at("2026-10-14T09:10")
    assert limits.count(THREE, "a").left == 2


def test_a_lock_lasts_from_the_last_attempt(session, clock_at) -> None:
    for minute in (0, 4, 9):
        clock_at(f"2026-10-14T09:0{minute}")
        limits.count(LOCK, "a")
    clock_at("2026-10-14T09:23:59")
    with pytest.raises(TooMany, match="请等 1 秒"):
        limits.count(LOCK, "a")
    clock_at("2026-10-14T09:24")
    assert limits.count(LOCK, "a").left == 2


def test_the_stated_time_is_never_too_early(session, clock_at) -> None:
    clock_at("2026-10-14T09:00:30")
    for _ in range(3):
        limits.count(LOCK, "a")
    with pytest.raises(TooMany, match="09:16 以后"):
        limits.count(LOCK, "a")
    clock_at("2026-10-14T09:16")
    limits.count(LOCK, "a")


def test_attempts_slow_down(session, clock_at) -> None:
    # given two attempts in one second
    limits.count(SLOW, "a")
    limits.count(SLOW, "a")

    # then each further one has to wait twice as long
    with pytest.raises(TooMany, match="请等 1 秒"):
        limits.count(SLOW, "a")
    clock_at("2026-10-14T09:00:01")
    limits.count(SLOW, "a")
    with pytest.raises(TooMany, match="请等 2 秒"):
        limits.count(SLOW, "a")


def test_keys_and_names_count_by_themselves(session) -> None:
    for _ in range(3):
        limits.hit("one", "a", 3, 600)
    limits.hit("one", "b", 3, 600)
    limits.hit("two", "a", 3, 600)
    with pytest.raises(TooMany):
        limits.hit("one", "a", 3, 600)


def test_taking_back_and_clearing_open_again(session) -> None:
    for _ in range(3):
        limits.count(THREE, "a")
    limits.take_back(THREE, "a")
    assert limits.count(THREE, "a").left == 0
    limits.clear(THREE, "a")
    assert limits.count(THREE, "a").left == 2


def test_what_is_long_over_is_forgotten(session, clock_at) -> None:
    limits.count(THREE, "old")
    clock_at("2026-10-16T08:00")
    limits.count(THREE, "young")
    clock_at("2026-10-16T10:00")
    assert limits.forget_old() == 1


def test_of_many_at_the_same_moment_no_more_than_allowed_get_through(live: Flask) -> None:
    def attempt(_: int) -> bool:
        with live.app_context():
            try:
                limits.count(THREE, "a")
            except TooMany:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 3
