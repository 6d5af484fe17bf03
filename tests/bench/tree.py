"""How long the whole national tree takes to load: ``python -m tests.bench.tree``.

Bounds: 15 s on SQLite, 30 s on PostgreSQL, a second run under 2 s; two otherwise idle cores.
"""

# ruff: noqa: T201 - it prints what it measured

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from tests import services
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.orgs.models import OrganisationTerm
from zhtj.orgs.tree_load import LoadCounts, load_tree

BOUNDS = {"sqlite": 15.0, "postgresql": 30.0}
AGAIN = 2.0
TABLES = ("organisations", OrganisationTerm.__tablename__)


@contextmanager
def empty_database(backend: str) -> Iterator[str]:
    """Inside an application on an empty database of its own; yields its address."""
    with ExitStack() as stack:
        if backend == "sqlite":
            url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/bench.db"
        else:
            url = stack.enter_context(services.postgres_url())
        app = Flask("bench")
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        db.init_app(app)
        with app.app_context():
            Base.metadata.create_all(db.engine)
            yield url
            session.remove()
            db.engine.dispose()


def load() -> tuple[LoadCounts, float]:
    """Load the whole tree; what came of it and the seconds it took, commit included."""
    start = time.perf_counter()
    with unit_of_work():
        counts = load_tree(session)
    return counts, time.perf_counter() - start


def size(url: str) -> str:
    """What the tree and its index take on disk."""
    if url.startswith("sqlite"):
        return f"{Path(url.removeprefix('sqlite:///')).stat().st_size / 1e6:.0f} MB"
    sizes = ", ".join(f"pg_total_relation_size('{table}')" for table in TABLES)
    rows = session.execute(text(f"SELECT {sizes}")).one()
    return " + ".join(f"{each / 1e6:.0f} MB" for each in rows)


def main() -> int:
    """Measure both databases; 1 if a bound is broken."""
    broken = False
    for backend, bound in BOUNDS.items():
        with empty_database(backend) as url:
            counts, first = load()
            again, second = load()
            broken |= first > bound or second > AGAIN or bool(again.added)
            bounds = f"(bound {bound:.0f} s)", f"(bound {AGAIN:.0f} s)"
            print(f"{backend:10} {first:5.1f} s {bounds[0]}  again {second:.2f} s {bounds[1]}  {size(url)}")
            print(f"{'':10} {counts}: {dict(counts.added)}")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
