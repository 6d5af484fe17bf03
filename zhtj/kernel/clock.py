"""The one clock (PD-36): UTC inside, Asia/Shanghai for people and deadlines.

A training installation sets ``ZHTJ_NOW``; the demonstration keeps an offset in the database. Nothing else in the
project asks the operating system for the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Behind every moment there is: where something without one is sorted to."""


def _system_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Clock:
    source: Callable[[], datetime] = _system_now
    changed: bool = False


_clock = _Clock()


def now() -> datetime:
    """The present moment as an aware UTC datetime, to the microsecond."""
    return _clock.source()


def today() -> date:
    """The present day in Asia/Shanghai."""
    # PD-36: a day is a day in Shanghai, whatever the machine's clock says.
    return local(now()).date()


def local(moment: datetime) -> datetime:
    """The same moment on a wall clock in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI)


def start_of_day(day: date) -> datetime:
    """00:00 of ``day`` in Asia/Shanghai, as UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def is_changed() -> bool:
    """Whether this process runs on another time than the real one (a banner says so on every page)."""
    return _clock.changed


def use_real_time() -> None:
    """Follow the operating system's time."""
    _clock.source, _clock.changed = _system_now, False


def use_offset(offset: timedelta) -> None:
    """Run ahead of (or behind) the real time by ``offset``."""
    _clock.source, _clock.changed = (lambda: _system_now() + offset), offset != timedelta()


def stand_still(moment: datetime) -> None:
    """Stop the clock at ``moment`` (aware)."""
    fixed = moment.astimezone(UTC)
    _clock.source, _clock.changed = (lambda: fixed), True


def parse(text: str) -> datetime:
    """An ISO date or time; without a zone it is meant in Asia/Shanghai. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"out of the calendar: {text}") from error


def use_setting(text: str) -> None:
    """Apply ``ZHTJ_NOW``: ``2026-10-14T09:00`` moves on from there, ``=2026-10-14T09:00`` stands still."""
    if not text:
        use_real_time()
    elif text.startswith("="):
        stand_still(parse(text[1:]))
    else:
        use_offset(parse(text) - _system_now())


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Stand still at ``moment`` inside the block; a rehearsal or a test."""
    before = (_clock.source, _clock.changed)
    stand_still(moment)
    try:
        yield
    finally:
        _clock.source, _clock.changed = before
