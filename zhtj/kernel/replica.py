"""Where reports read: the replica, if the installation has one, else the database itself (``ZHTJ_REPLICA_URL``)."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from zhtj.kernel.database import db, session

BIND = "replica"
_SESSION = "reports"
# A replica that has replayed all it received is up to date, however long ago the last change was.
_AGE = """SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END"""


def reports() -> Session:
    """The session of reports: reads only, and sees nothing that is not committed where there is a replica."""
    main = session()
    if BIND not in db.engines:
        return main
    found: Session | None = main.info.get(_SESSION)
    if found is None:
        found = main.info[_SESSION] = Session(db.engines[BIND])
    return found


def lag() -> timedelta | None:
    """How old what reports read may be; None where they read the database itself, or the replica does not say."""
    if BIND not in db.engines or db.engines[BIND].dialect.name != "postgresql":
        return None
    seconds = reports().scalar(text(_AGE))
    return None if seconds is None else timedelta(seconds=max(0.0, float(seconds)))


def init_app(app: Flask) -> None:
    """Close the session of reports with the request."""
    app.teardown_appcontext(_close)


def _close(_error: BaseException | None) -> None:
    if session.registry.has():
        found: Session | None = session().info.pop(_SESSION, None)
        if found is not None:
            found.close()
