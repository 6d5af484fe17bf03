"""Facts: told to every subscriber in the listed order, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from zhtj import subscriptions
from zhtj.kernel import events, settings
from zhtj.kernel.database import unit_of_work


@dataclass(frozen=True)
class Rained:
    """It did."""

    where: str


@pytest.fixture
def alone(monkeypatch):
    """No subscriber but the test's own."""
    for kind in list(events._handlers):
        monkeypatch.setitem(events._handlers, kind, [])
    monkeypatch.setitem(events._handlers, Rained, [])


def test_subscribers_are_told_in_order_and_only_of_their_kind(alone) -> None:
    heard = []

    def first(fact: Rained) -> None:
        heard.append(("first", fact.where))

    def second(fact: Rained) -> None:
        heard.append(("second", fact.where))

    events.subscribe(Rained, first)
    events.subscribe(Rained, second)
    events.subscribe(Rained, first)  # twice is once
    events.publish(Rained("合肥"))
    events.publish("nobody listens to this")
    assert heard == [("first", "合肥"), ("second", "合肥")]


def test_a_subscriber_that_fails_undoes_what_it_was_told(alone, live) -> None:
    def fail(_: Rained) -> None:
        raise RuntimeError

    def tell() -> None:
        with unit_of_work():
            settings.put("weather", "rain")
            events.publish(Rained("合肥"))

    events.subscribe(Rained, fail)
    with live.app_context():
        with pytest.raises(RuntimeError):
            tell()
        assert settings.get("weather") == ""


def test_several_applications_in_one_process_subscribe_once() -> None:
    subscriptions.subscribe_all()
    subscriptions.subscribe_all()
    for kind, handler in subscriptions.SUBSCRIPTIONS:
        assert events._handlers[kind].count(handler) == 1
