"""A world in May, before the conversion; and policies of other years and places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.world import World
from zhtj.orgs import policies
from zhtj.policy.layers import compose, lineage

MAY = "2026-05-10T09:00"


@pytest.fixture
def spring(clock_at: Any, session: Session) -> World:
    """The small tree on 10 May: class 1 graduates in June, class 2 is not marked."""
    clock_at(MAY)
    return World.build()


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a layer of another year or place govern marks."""

    def use(name: str) -> None:
        found = compose(lineage(name), 2026)
        monkeypatch.setattr(policies, "policy_for", lambda *_: found)

    return use
