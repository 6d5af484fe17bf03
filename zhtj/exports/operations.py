"""Asking for a list as a file: small ones at once, large ones by a job (PD-36, PD-37, PD-38).

The file is kept for a day, encrypted, for the one who asked, in the seat in which he asked. Every file names him, and
every file is in the audit log: who, which list, how it was filtered, how many rows, which format.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import delete, or_, select

from zhtj.exports import storage
from zhtj.exports.lists import ExportList, described, plain, rebuilt
from zhtj.exports.models import Export, FileFormat, filename
from zhtj.exports.registry import LISTS
from zhtj.imports.spreadsheets import About, write_csv, write_xlsx
from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_new, session, touched
from zhtj.kernel.errors import Conflict, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work import tasks
from zhtj.kernel.work.tasks import OPEN, TaskState
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account

JOB = "jobs.exports.work_off"
AT_ONCE = 2000
"""Rows that are written while the browser waits; more are a job's."""
KEPT_FOR = timedelta(days=1)
# How long one can see that there was a file.
REMEMBERED_FOR = timedelta(days=7)
CARE = "内含个人信息，请妥善保管，用完删除，不得外传。"
# Makes a spreadsheet program read csv as UTF-8.
BOM = "utf-8-sig"


def list_of(key: str, seat: ActiveSeat) -> ExportList:
    """The list of this key. Raises NotFound for an unknown one, Forbidden where the seat may not look at it."""
    found = LISTS.get(key)
    if found is None:
        raise NotFound("没有这份名单。")
    if not seat.may(found.permission):
        raise Forbidden
    return found


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What is asked for: a list, by whom, how filtered, in which format."""

    wanted: ExportList
    seat: ActiveSeat
    chosen: Any
    file_format: FileFormat

    def count(self) -> int:
        """How many rows it comes to."""
        return self.wanted.count(self.seat, self.chosen)

    def write(self, target: BinaryIO, said: dict[str, str], tell: Callable[[int], None]) -> int:
        """Write the file.

        Args:
            target: where to.
            said: the filters in words.
            tell: called with the number of rows after each chunk.

        Returns:
            The number of rows.
        """
        lines, headings, about = self._lines(tell), self.wanted.headings, self._about(said)
        if self.file_format is FileFormat.XLSX:
            return write_xlsx(target, self.wanted.title, headings, lines, banner=self.wanted.banner, about=about)
        text = io.TextIOWrapper(target, BOM, newline="", write_through=True)
        try:
            return write_csv(text, headings, lines, about=about)
        finally:
            text.detach()

    def _lines(self, tell: Callable[[int], None]) -> Iterator[Sequence[str]]:
        count = 0
        for rows in self.wanted.chunks(self.seat, self.chosen):
            yield from rows
            count += len(rows)
            tell(count)

    def _about(self, said: dict[str, str]) -> Callable[[int], About]:
        """Who took the file, when, and what it holds."""
        asker = session.get_one(Account, self.seat.account_id).name
        organisation = session.get_one(Organisation, self.seat.org_id).full_name
        moment = clock.local(clock.now())
        filters = "，".join(f"{label}：{words}" for label, words in said.items())
        return lambda count: (
            ("名单", self.wanted.title),
            ("导出人", asker),
            ("所在组织", organisation),
            ("导出时间", f"{moment:%Y-%m-%d %H:%M}"),
            ("筛选条件", filters or "无"),
            ("行数", str(count)),
            ("提示", CARE),
        )

    def record(self, said: dict[str, str], rows: int, number: int = 0) -> None:
        """Note the file in the audit log; ``number`` of the export, if a job wrote it."""
        audit.record(
            "export.write",
            "export" if number else "organisation",
            number or self.seat.org_id,
            list=self.wanted.key,
            filters=said,
            rows=rows,
            format=self.file_format.value,
            full_numbers=self.wanted.full_numbers,
        )


def write_now(order: ExportOrder, target: BinaryIO) -> str:
    """Write a short list while somebody waits, and record it. Returns the file's name."""
    said = described(order.chosen)
    order.record(said, order.write(target, said, lambda _: None))
    return filename(order.wanted.title, clock.now(), order.file_format)


# ---- asking a job for it


def ask(order: ExportOrder, total: int) -> Export:
    """Have a job write the list; asked again while that is under way, it is the same one.

    Args:
        order: what is asked for.
        total: rows expected, for the progress bar.
    """
    moment, seat, wanted = clock.now(), order.seat, order.wanted
    filters = json.dumps(plain(order.chosen), ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(f"{wanted.key}\n{order.file_format}\n{filters}".encode()).hexdigest()
    made = session.execute(
        insert_new(Export).values(
            list_key=wanted.key,
            file_format=order.file_format,
            account_id=seat.account_id,
            org_id=seat.org_id,
            title=wanted.title,
            filters=filters,
            digest=digest,
            state=TaskState.WAITING,
            done=0,
            total=total,
            attempt=0,
            created_at=moment,
            touched_at=moment,
            expires_at=moment + KEPT_FOR,
        ),
        execution_options={"preserve_rowcount": True},
    )
    mine = (Export.account_id == seat.account_id, Export.org_id == seat.org_id, Export.digest == digest)
    export = session.scalars(select(Export).where(*mine, Export.state.in_(OPEN))).first()
    if export is None:
        raise Conflict("刚才的导出已经结束。", fix="请在“我的导出”里查看。")
    if touched(made) == 1:
        tasks.enqueue(JOB, export.id)
    return export


def order_of(export: Export, seat: ActiveSeat) -> ExportOrder:
    """What an export was asked for. Raises NotFound, Forbidden."""
    wanted = list_of(export.list_key, seat)
    return ExportOrder(wanted, seat, rebuilt(wanted.filters, json.loads(export.filters)), export.file_format)


# ---- what one has


def owned(number: int, seat: ActiveSeat) -> Export:
    """The export, if this seat asked for it. Raises NotFound."""
    export = session.get(Export, number, populate_existing=True)
    if export is None or (export.account_id, export.org_id) != (seat.account_id, seat.org_id):
        raise NotFound("没有找到这份导出。", fix="导出的文件只有本人在原来的任职中能取。")
    return export


def mine(seat: ActiveSeat, limit: int = 50) -> Sequence[Export]:
    """This seat's exports, newest first."""
    query = select(Export).where(Export.account_id == seat.account_id, Export.org_id == seat.org_id)
    return session.scalars(query.order_by(Export.id.desc()).limit(limit)).all()


def cancel(export: Export) -> None:
    """Stop an export that is still to come. Raises Conflict for one that has ended."""
    if not tasks.stop(Export, export.id):
        raise Conflict("这份导出已经结束，不用取消。", fix="请刷新页面。")
    session.refresh(export)
    audit.record("export.cancel", "export", export.id, list=export.list_key)


def again(export: Export, seat: ActiveSeat) -> Export:
    """Ask for it once more, in place of one that failed, was cancelled or has expired. Raises Conflict for others."""
    if export.state.is_open or export.is_ready:
        raise Conflict("这份导出不需要重新生成。", fix="请刷新页面。")
    order = order_of(export, seat)
    session.delete(export)
    session.flush()
    return ask(order, order.count())


def fetched(export: Export) -> None:
    """Note that the file was fetched."""
    audit.record("export.fetch", "export", export.id, list=export.list_key, rows=export.done)


def purge(instance: Path) -> int:
    """Throw away files whose day is over, what killed workers left, and in the end the rows. Returns how many files."""
    moment = clock.now()
    over = select(Export).where(Export.stored.is_not(None), Export.expires_at <= moment)
    for export in session.scalars(over):
        export.stored = None
    session.flush()
    forgotten = (Export.expires_at <= moment - REMEMBERED_FOR, Export.state.not_in(OPEN))
    session.execute(delete(Export).where(*forgotten), execution_options={"synchronize_session": False})
    wanted = select(Export).where(or_(Export.stored.is_not(None), Export.state.in_(OPEN)))
    kept = {export.stored or f"{export.id}-{export.attempt}" for export in session.scalars(wanted)}
    strays = storage.names(instance) - kept
    for name in strays:
        storage.remove(instance, name)
    return len(strays)
