"""Who listens to which fact, in the order in which they are told (one list, read from top to bottom)."""

from __future__ import annotations

from zhtj.kernel import facts
from zhtj.letters import operations as letters
from zhtj.transfers.facts import ApplicationsChanged


def subscribe_all() -> None:
    """Connect the rooms; called once by ``create_app``."""
    facts.subscribe(ApplicationsChanged, letters.void_after_failure)
