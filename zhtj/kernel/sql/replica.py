"""Where reports read: the replica, if the installation has one, else the database itself (``ZHTJ_REPLICA_URL``).

A replica that does not answer is left alone for a while and reports read the database itself; pages say so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, func, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import db, session

log = logging.getLogger(__name__)

BIND = "replica"
PATIENCE = 3
"""Seconds a connection may take."""
REST = 30.0
"""Seconds for which one that did not answer is not asked again."""
_SESSION, _LAG = "reports", "reports_lag"


@dataclass(slots=True)
class _Away:
    """Until when the replica of this process is left alone."""

    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_away = _Away()


def options(url: str) -> dict[str, Any]:
    """What the replica's engine is made with; one that is down must not hold up whoever asks."""
    is_postgresql = make_url(url).get_backend_name() == "postgresql"
    patience = {"connect_args": {"connect_timeout": PATIENCE}} if is_postgresql else {}
    return {"url": url, "pool_pre_ping": True, **patience}


def reports() -> Session:
    """The session of reports: reads only, and sees nothing that is not committed where there is a replica."""
    main = session()
    if BIND not in db.engines:
        return main
    found: Session | None = main.info.get(_SESSION)
    if found is None:
        found = main.info[_SESSION] = _connected() or main
    return found


@contextmanager
def read_here() -> Iterator[None]:
    """Inside, reports read the database itself: what this transaction has written, and nobody else sees."""
    main = session()
    known = main.info.pop(_SESSION, None)
    main.info[_SESSION] = main
    try:
        yield
    finally:
        main.info.pop(_SESSION, None)
        if known is not None:
            main.info[_SESSION] = known


def _connected() -> Session | None:
    """A session of the replica that has its connection; None while it is away."""
    if time.monotonic() < _away.until:
        return None
    found = Session(db.engines[BIND])
    try:
        found.connection()
    except DBAPIError as error:
        found.close()
        with _away.lock:
            _away.until = time.monotonic() + REST
        log.warning("the replica does not answer, reports read the database itself: %s", error.orig)
        return None
    return found


def is_away() -> bool:
    """Whether there is a replica that does not answer, so that reports read the database itself."""
    return BIND in db.engines and reports() is session()


def lag() -> timedelta | None:
    """How old what reports read may be; None where they read the database itself.

    Every change is in the audit log (PD-38): what the replica's log lacks tells since when it is behind.
    """
    reader, main = reports(), session()
    if reader is main:
        return None
    if _LAG not in main.info:
        newest = reader.scalar(select(func.max(AuditEvent.id))) or 0
        missed = select(AuditEvent.at).where(AuditEvent.id > newest).order_by(AuditEvent.id).limit(1)
        since = main.scalar(missed)
        main.info[_LAG] = timedelta(0) if since is None else max(timedelta(0), clock.now() - since)
    found: timedelta = main.info[_LAG]
    return found


def init_app(app: Flask) -> None:
    """Let the replica's connections read only; close the session of reports with the request."""
    app.teardown_appcontext(_close)
    with app.app_context():
        if BIND in db.engines:
            event.listen(db.engines[BIND], "connect", _read_only)


def _read_only(connection: Any, _record: object) -> None:
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA query_only=ON")
    else:
        connection.read_only = True


def _close(_error: BaseException | None) -> None:
    if session.registry.has():
        main = session()
        main.info.pop(_LAG, None)
        found: Session | None = main.info.pop(_SESSION, None)
        if found is not None and found is not main:
            found.close()
