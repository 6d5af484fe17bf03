"""The demonstration world, built once a process and database kind; what a test writes into it is undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import Installation, isolated
from zhtj.demo import calendar, world
from zhtj.kernel import clock
from zhtj.kernel.database import db

# The sample roster's townships outside it are then missing; who lives there stays without an application.
PROVINCES = {"34"}
# Fewer of the many than in earnest: they take most of the time and are all alike.
APPLIED = 0.2


def silent(_: str) -> None:
    """Hears what is being done and says nothing."""


def build(installation: Installation, size: str = "small", seed: int = 1) -> Flask:
    """An application with a demonstration loaded, on a database of its own."""
    app, _ = installation.copy()
    with app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "APPLIED", APPLIED)
        world.load(size, seed, provinces=PROVINCES, say=silent)
        db.session.remove()
    return app


@pytest.fixture(scope="session")
def demonstrations() -> dict[str, Flask]:
    """The worlds built so far in this process."""
    return {}


def loaded(installation: Installation, demonstrations: dict[str, Flask]) -> Flask:
    """The one world of this database kind."""
    if installation.backend not in demonstrations:
        demonstrations[installation.backend] = build(installation)
        clock.stand_still(calendar.START)
    return demonstrations[installation.backend]


@pytest.fixture
def demo(installation: Installation, demonstrations: dict[str, Flask]) -> Iterator[Flask]:
    """The loaded demonstration."""
    app = loaded(installation, demonstrations)
    with isolated(app):
        yield app


@pytest.fixture
def story(demo: Flask) -> Session:
    """A session in the loaded demonstration."""
    del demo
    return db.session()
