"""Who listens to which fact, in the order in which they are told (one list, read from top to bottom)."""

from __future__ import annotations


def subscribe_all() -> None:
    """Connect the rooms; called once by ``create_app``."""
