"""How long the dry run of an edition takes: ``python -m tests.bench.compare``.

On PostgreSQL with the country of ``tests.bench.country``: 500,000 applications of a season, of many reasons, kinds and
places, are compared under a national layer, which judges every place anew, and under a local one, which moves every
clock. Bounds: ten minutes each, and memory that does not grow with the season; beside them the same rows and their
steps read without comparing. Afterwards every table holds what it held before.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import resource
import sys
import time
from contextlib import ExitStack
from typing import Any

from sqlalchemy import select, text

from tests.bench import country
from zhtj.editions.comparing import CHUNK, DryRun, _letters, _steps
from zhtj.editions.summary import DryRunCounts
from zhtj.factory import create_app
from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.database import Base, db, reading_only, session, unit_of_work
from zhtj.transfers.models import Application

WANTED, BOUND, GROWTH = 500_000, 600.0, 200
SEASON, MOMENT = 2026, "2026-10-14T09:00"
LAYERS = ("2020-national", "2024-anhui")
# Reason, kind and place by the last two digits of the application's number.
KINDS = (
    (40, "employed_with_org", "unit", "NULL"),
    (55, "employed_without_org", "township", "'unit_location'"),
    (63, "employed_without_org", "township", "'residence'"),
    (80, "unplaced", "township_floating", "'residence'"),
    (86, "unplaced", "township_floating", "'origin'"),
    (88, "overseas_private", "township", "'household'"),
    (100, "further_study", "new_students", "NULL"),
)


def vary() -> None:
    """Give the country's applications many reasons and places, and make them half a million."""
    columns = [column.name for column in Application.__table__.columns if column.name != "id"]
    copied = ", ".join(
        "'withdrawn'" if name == "state" else "NULL" if name == "final_org_id" else name for name in columns
    )
    with unit_of_work():
        session.execute(text("SET LOCAL session_replication_role = replica"))
        there = session.scalar(text("SELECT count(*) FROM applications")) or 0
        ended = f"FROM applications WHERE ended_at IS NOT NULL ORDER BY id LIMIT {max(0, WANTED - there)}"
        session.execute(text(f"INSERT INTO applications ({', '.join(columns)}) SELECT {copied} {ended}"))
        for column, place in (("reason", 1), ("kind", 2), ("place", 3)):
            words = [(limit, row[place - 1]) for limit, *row in KINDS]
            said = " ".join(
                f"WHEN id % 100 < {limit} THEN {word if place == 3 else repr(word)}" for limit, word in words
            )
            session.execute(text(f"UPDATE applications SET {column} = CASE {said} END"))
        # Half were submitted in June, when a local layer lets the days run already.
        session.execute(
            text("UPDATE applications SET submitted_at = submitted_at - interval '100 days' WHERE id % 2 = 0")
        )
        session.execute(
            text(
                "INSERT INTO application_events (application_id, action, from_state, to_state, at, recorded_at) "
                "SELECT id, 'accept', 'awaiting_acceptance', state, ended_at, ended_at FROM applications "
                "WHERE ended_at IS NOT NULL"
            )
        )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def content() -> dict[str, Any]:
    """Of each table how many rows it has, and a sum over all that they hold."""
    said = "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {} AS t"
    return {
        table.name: tuple(session.execute(text(said.format(table.name))).one()) for table in Base.metadata.sorted_tables
    }


def bare() -> float:
    """Seconds of reading the same rows and their steps, chunk by chunk."""
    began, after = time.perf_counter(), 0
    while True:
        query = select(Application.id, Application.season_path, Application.state, Application.submitted_at)
        rows = session.execute(
            query.where(Application.season == SEASON, Application.id > after).order_by(Application.id).limit(CHUNK)
        ).all()
        if not rows:
            return time.perf_counter() - began
        after = rows[-1].id
        ids = [row.id for row in rows]
        _steps(ids)
        _letters(ids)


def megabytes() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(layer: str) -> bool:
    """Compare under one layer; print; whether a bound was broken."""
    plain, held = bare(), megabytes()
    counts, began = DryRunCounts(), time.perf_counter()
    with reading_only():
        for found in DryRun(layer, SEASON, "").chunks():
            counts.add(found)
    taken, grown = time.perf_counter() - began, megabytes() - held
    said = " ".join(f"{each.value} {counts.of(each):,}" for each in counts.found)
    print(
        f"{layer:14} {counts.total:,} applications, {counts.differing:,} otherwise  {taken:.1f} s "
        f"(bound {BOUND:.0f} s)  "
        f"read only {plain:.1f} s  ratio {taken / plain:.1f}  memory +{grown:.0f} MB (bound {GROWTH})\n    {said}"
    )
    if counts.total < WANTED:
        raise SystemExit(f"only {counts.total:,} applications")
    return taken > BOUND or grown > GROWTH


def main() -> int:
    """Exit 1 above a bound."""
    clock.stand_still(clock.parse(MOMENT))
    with ExitStack() as stack:
        settings = {"ZHTJ_ENV": "test", "ZHTJ_DATABASE_URL": country.database(stack), "ZHTJ_SECRET_KEY": "bench"}
        app = create_app({**settings, "ZHTJ_DATA_KEYS": crypto.generate_key()})
        with app.app_context(), audit.acting(None):
            Base.metadata.create_all(db.engine)
            country.build()
            vary()
            before = content()
            failed = [measure(layer) for layer in LAYERS]
            if content() != before:
                raise SystemExit("something was written")
            session.remove()
            db.engine.dispose()
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main())
