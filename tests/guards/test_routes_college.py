"""Every route lets a college through exactly where the table names it."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.guards.routes import walk
from zhtj.kernel.permissions import SeatKind

pytestmark = pytest.mark.long


@pytest.mark.rule("PD-02")
def test_every_route_lets_through_exactly_what_the_table_names(app: Flask) -> None:
    walk(app, SeatKind.COLLEGE)
