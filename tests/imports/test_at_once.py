"""Two people press the button at the same moment."""

from __future__ import annotations

import threading

from flask import Flask
from sqlalchemy import func, select

from tests.imports.making import person, roster
from tests.world import World
from zhtj.imports import batches
from zhtj.imports.models import ImportBatch, ImportKind
from zhtj.kernel import audit
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.errors import Conflict
from zhtj.people.models import Account, Member


def test_an_upload_is_imported_once(live: Flask) -> None:
    with live.app_context():
        world = World.build()
        seat = world.seat("university")
        with unit_of_work():
            number = batches.keep(
                ImportKind.MEMBERS, roster(*(person(100 + one) for one in range(20))), seat, "名单.xlsx"
            ).id
        session.remove()
    ready = threading.Barrier(2)
    outcomes: list[str] = []

    def press() -> None:
        with live.app_context(), audit.acting(seat):
            ready.wait()
            try:
                with unit_of_work():
                    done = batches.apply(session.get_one(ImportBatch, number), expected=20)
                outcomes.append(f"done {done}")
            except Conflict:
                outcomes.append("conflict")
            finally:
                session.remove()
                db.engine.dispose()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["conflict", "done 20"]
    with live.app_context():
        entered = select(func.count()).select_from(Member).join(Account).where(Account.name == "王敏")
        assert session.scalar(entered) == 20
