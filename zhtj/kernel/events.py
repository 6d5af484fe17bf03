"""Typed events: how a lower room tells upper rooms what happened, inside the same transaction.

An operation publishes a frozen dataclass; rooms above subscribed in ``create_app``, in one listed order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

Event = TypeVar("Event")

_handlers: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(kind: type[Event], handler: Callable[[Event], None]) -> None:
    """Call ``handler`` for every published event of ``kind``; subscribing twice is once."""
    if handler not in _handlers[kind]:
        _handlers[kind].append(handler)


def publish(event: object) -> None:
    """Tell every subscriber; an error in one undoes the whole unit of work."""
    for handler in _handlers[type(event)]:
        handler(event)
