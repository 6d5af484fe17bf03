"""The product does what a second reading of the documents says, in random worlds."""

from __future__ import annotations

import os

import pytest
from flask import Flask

from tests.model import driver

SECONDS = float(os.environ.get("ZHTJ_MODEL_SECONDS", "12"))
BRIEFLY = 4.0
SEED = int(os.environ.get("ZHTJ_MODEL_SEED", "0"))
# Every kind of step is tried both where it is allowed and where it is not.
WANTED = {
    f"{name} {answer}" for name in ("start", "accept", "release", "allocate", "refuse") for answer in ("yes", "no")
}


@pytest.mark.slow("random worlds are driven for a stated time")
@pytest.mark.rule("PD-14", "PD-16", "PD-18", "PD-24", "PD-57", "PD-58")
def test_the_product_agrees_with_the_model(app: Flask, *, brief: bool) -> None:
    del app
    taken = driver.drive(min(SECONDS, BRIEFLY) if brief else SECONDS, SEED, wanted=WANTED)
    assert set(taken) >= WANTED, taken
