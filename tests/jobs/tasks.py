"""Tiny jobs and a worker in a hurry, for the tests beside this file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from app import app
from jobs import worker
from zhtj.kernel import settings
from zhtj.kernel.database import db, unit_of_work


def hold(folder: str) -> None:
    """Say that it began, wait for leave, write to the database and say that it ended."""
    place = Path(folder)
    with (place / "begun").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not (place / "go").exists():
        time.sleep(0.02)
    with unit_of_work():
        settings.put("held", settings.get("held", "") + "x")
    with (place / "ended").open("a") as file:
        file.write(f"{os.getpid()}\n")


def shared_connections() -> int:
    """Database connections this process has taken over from the worker."""
    return sum(getattr(engine.pool, "checkedin", int)() for engine in db.engines.values())


def hurry() -> None:
    """A worker that notices an abandoned job after two seconds, and has an idle database connection itself."""
    with app.app_context():
        settings.get("held")
        db.session.remove()
        assert shared_connections() == 1
    worker.MONITORING, worker.ABANDONED, worker.MAINTENANCE, worker.WORKER_TTL = 1, 2, 1, 16
    worker.run(app)


if __name__ == "__main__":
    hurry()
