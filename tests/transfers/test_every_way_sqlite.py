"""Every way of a transfer on SQLite, see tests/transfers/every_way.py."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.transfers import every_way

pytestmark = pytest.mark.long


@pytest.mark.rule("PD-14")
@pytest.mark.rule("A-06")
@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_whatever_anybody_does_the_invariants_hold(app: Flask) -> None:
    del app
    every_way.go()
