"""A world in May, before the conversion; and policies of other years and places."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.world import World

MAY = "2026-05-10T09:00"


@pytest.fixture
def spring(clock_at: Any, session: Session) -> World:
    """The small tree on 10 May: class 1 graduates in June, class 2 is not marked."""
    clock_at(MAY)
    return World.build()
