"""Writing a list as a file by a job: safe to be killed, repeated, at once; each stretch ends its own transaction."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import OperationalError

from zhtj.exports import operations, storage
from zhtj.exports.lists import described
from zhtj.exports.models import Export
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.work import tasks
from zhtj.kernel.work.tasks import Overtaken, TaskState
from zhtj.people import queries as people

log = logging.getLogger(__name__)


def work_off(number: int, instance: Path) -> bool:
    """Write the file of an export; safe to be killed, repeated, at once. Returns whether there is one.

    Args:
        number: id of the export.
        instance: the installation's folder.
    """
    with unit_of_work():
        attempt = tasks.claim(Export, number, done=0)
    if attempt is None:
        return False
    name = f"{number}-{attempt}"
    try:
        _write(number, attempt, name, instance)
    except Overtaken:
        storage.remove(instance, name)
        return False
    except OperationalError:
        storage.remove(instance, name)
        raise  # the database is away or busy: taken up again
    except Exception as error:
        storage.remove(instance, name)
        if not isinstance(error, DomainError):
            log.exception("export %s failed", number)
        said = str(error) if isinstance(error, DomainError) else "生成文件时系统出错，请稍后重试。"
        _give_up(number, attempt, said)
        return False
    return True


def _write(number: int, attempt: int, name: str, instance: Path) -> None:
    export = session.get_one(Export, number, populate_existing=True)
    seat = people.post_seat(export.account_id, export.org_id)
    if seat is None:
        raise DomainError("您的任职已经结束，没有导出。")
    order = operations.order_of(export, seat)
    said = described(order.chosen)

    def tell(count: int) -> None:
        session.expunge_all()  # written down already; marking each as expired would cost as much as reading it
        with unit_of_work():
            tasks.advance(Export, number, attempt, done=count)

    size, rows = storage.write(instance, name, lambda target: order.write(target, said, tell))
    with unit_of_work(), audit.acting(seat, request=f"export-{number}"):
        values = {
            "stored": name,
            "size": size,
            "done": rows,
            "total": rows,
            "expires_at": clock.now() + operations.KEPT_FOR,
        }
        tasks.finish(Export, number, attempt, TaskState.DONE, **values)
        order.record(said, rows, number)


def _give_up(number: int, attempt: int, problem: str) -> None:
    try:
        with unit_of_work():
            tasks.finish(Export, number, attempt, TaskState.FAILED, problem=problem)
    except Overtaken:
        return


def resume(at: datetime, instance: Path) -> tuple[int, int]:
    """Write the exports that have lost their job. Returns (found, done)."""
    return tasks.resume(Export, lambda number: work_off(number, instance), at)
