"""Every way of a transfer, see tests/transfers/every_way.py."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.transfers import every_way


@pytest.mark.slow("goes through thousands of steps, and looks at everything after each")
@pytest.mark.rule("PD-14")
@pytest.mark.rule("A-06")
def test_whatever_anybody_does_the_invariants_hold(app: Flask, *, brief: bool) -> None:
    del app
    every_way.go(every_way.BRIEFLY if brief else every_way.EXAMPLES)
