"""Letters for hundreds: looked at, confirmed, numbered in chunks, printed in files of fifty.

Every line's letter is written in the transaction that writes its result, each file in the one that keeps it; so a
killed job, a second one at the same moment or one that runs again loses nothing, uses no number twice and leaves no
gap. A batch whose job was lost is found by the sweep. Files can be printed again at any time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, touched, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.work import queue as work_queue
from zhtj.kernel.work.shared import LOOKED_AT_FOR, Shared
from zhtj.letters import messages, operations
from zhtj.letters.many import print_files as batch_files
from zhtj.letters.many.models import BatchState, LetterBatch, LetterBatchLine, LetterFile
from zhtj.letters.models import Letter
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition, LetterRecord
from zhtj.people import queries as people
from zhtj.people.models import Member
from zhtj.transfers.models import Application

log = logging.getLogger(__name__)

ISSUE_JOB = "jobs.letters.issue"
AT_MOST = 5000
CHUNK = 50
LINES_A_JOB = 1000
FILES_KEPT = timedelta(days=30)
BATCHES = Shared(
    LetterBatch,
    LetterBatchLine,
    owner=LetterBatchLine.batch_id,
    is_open=and_(LetterBatchLine.letter_id.is_(None), LetterBatchLine.trouble.is_(None)),
    previewed=BatchState.PREVIEWED,
    running=(BatchState.ISSUING, BatchState.PRINTING),
)


@dataclass(frozen=True, slots=True)
class LetterPreview:
    """One line as it would become.

    Args:
        application: whose letter.
        record: what it would say; None where it cannot be issued.
        error: why not.
    """

    application: Application
    record: LetterRecord | None
    error: DomainError | None


def keep(seat: ActiveSeat, numbers: Sequence[int], *, key: str, title: str, details: dict[str, Any], site: str) -> int:
    """Keep applications to look at; asked again with the same key, it is the same batch. Returns its id.

    Args:
        seat: whose batch; its organisation issues.
        numbers: ids of applications, in the order in which they shall be numbered.
        key: of the page it comes from.
        title: of the list, as the pages name it.
        details: what holds for all lines, as typed (see ``line_details``).
        site: address of this installation (PD-29).
    """
    values = {
        "org_id": seat.org_id,
        "account_id": seat.account_id,
        "key": key,
        "title": title,
        "details": json.dumps(details, ensure_ascii=False),
        "site": site,
        "issued": 0,
        "files": 0,
    }
    same = and_(LetterBatch.org_id == seat.org_id, LetterBatch.key == key)
    batch = BATCHES.keep(values, [{"application_id": number} for number in numbers], same)
    return batch.id


def owned(number: int, seat: ActiveSeat) -> LetterBatch:
    """The batch, if it is this committee's. Raises NotFound."""
    query = select(LetterBatch).where(LetterBatch.id == number, LetterBatch.org_id == seat.org_id)
    found = session.scalars(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound("没有找到这次批量开具。", fix="核对的内容保留两小时；请重新选择。")
    return found


def recent(seat: ActiveSeat, limit: int = 20) -> Sequence[LetterBatch]:
    """The committee's batches, newest first."""
    query = select(LetterBatch).where(LetterBatch.org_id == seat.org_id).options(joinedload(LetterBatch.account))
    return session.scalars(query.order_by(LetterBatch.id.desc()).limit(limit)).all()


def choose(batch: LetterBatch, details: dict[str, Any]) -> None:
    """Keep what was filled in for all lines, as long as the batch is only looked at."""
    if batch.state is BatchState.PREVIEWED:
        batch.details = json.dumps(details, ensure_ascii=False)
        session.flush()


def line_details(typed: dict[str, Any], member: Member) -> Details:
    """What is filled in on one line: the month of the member's own file first, if that is wished (L-22).

    Args:
        typed: ``dues_until`` (2026-06), ``from_file``, ``file_disposition``, ``file_note``, ``handler``,
            ``handler_mobile``.
        member: whose letter.

    Raises:
        DomainError: no month is known, or the file's whereabouts are not chosen.
    """
    dues = member.dues_until if typed.get("from_file") else None
    if dues is None:
        dues = month_of(str(typed.get("dues_until", "")))
    if str(typed.get("file_disposition", "")) not in set(FileDisposition):
        raise DomainError("请选择团员档案的去向。", field="file_disposition", rule="L-13")
    return Details(
        dues_until=dues,
        file_disposition=FileDisposition(typed["file_disposition"]),
        file_note=str(typed.get("file_note", "")),
        handler=str(typed.get("handler", "")),
        handler_mobile=str(typed.get("handler_mobile", "")),
    )


def month_of(text: str) -> date:
    """A month as it is typed. Raises DomainError."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise DomainError("请填写团费交至的年份和月份，如 2026-06。", field="dues_until", rule="L-22") from error


def examine(batch: LetterBatch, seat: ActiveSeat, details: dict[str, Any]) -> list[tuple[int, LetterPreview]]:
    """Every line as it would become, by its position."""
    rows = session.execute(
        select(LetterBatchLine.position, LetterBatchLine.application_id)
        .where(LetterBatchLine.batch_id == batch.id)
        .order_by(LetterBatchLine.position)
    ).all()
    applications = _applications([number for _, number in rows])
    return [(position, _look(applications[number], seat, details)) for position, number in rows]


def _look(application: Application, seat: ActiveSeat, typed: dict[str, Any]) -> LetterPreview:
    try:
        details = line_details(typed, application.member)
        record = operations.rehearse(application, seat, details)
    except DomainError as error:
        return LetterPreview(application, None, error)
    return LetterPreview(application, record, None)


def _applications(numbers: Sequence[int]) -> dict[int, Application]:
    query = (
        select(Application)
        .where(Application.id.in_(numbers))
        .options(
            joinedload(Application.member).joinedload(Member.account),
            joinedload(Application.from_org),
            joinedload(Application.to_org),
        )
    )
    return {application.id: application for application in session.scalars(query)}


def confirm(batch: LetterBatch, seat: ActiveSeat, refused: dict[int, DomainError]) -> bool:
    """Let the batch go; whoever confirms second finds it under way.

    Args:
        batch: looked at so far.
        seat: whoever confirms; the letters are his.
        refused: why not, by position, for lines that were told they would get none.

    Returns:
        Whether this call started it.
    """
    if not BATCHES.confirm(batch, account_id=seat.account_id):
        return False
    for position, error in refused.items():
        _fail(batch.id, position, error)
    audit.record("letter.batch", "letter_batch", batch.id, lines=batch.total)
    work_queue.after_the_commit(ISSUE_JOB, batch.id)
    return True


def discard(batch: LetterBatch) -> None:
    """Throw away what was only looked at. Raises Conflict for a batch that has begun."""
    if batch.state is not BatchState.PREVIEWED:
        raise Conflict("这次批量开具已经开始，不能放弃。", fix="开错的介绍信请逐份作废。")
    _delete([batch.id])


def _delete(numbers: Sequence[int]) -> None:
    session.execute(delete(LetterFile).where(LetterFile.batch_id.in_(numbers)))
    BATCHES.delete(numbers)


def issue(number: int, *, at_most: int = LINES_A_JOB) -> bool:
    """Give the lines of a confirmed batch their letters, each chunk in a transaction of its own.

    Args:
        number: id of the batch.
        at_most: lines after which to stop, so that a job stays short.

    Returns:
        Whether all lines are done; then its files wait to be printed.
    """
    for _ in range(0, at_most, CHUNK):
        positions = BATCHES.open_positions(number, CHUNK)
        if not positions:
            return _plan_files(number)
        if not _issue_chunk(number, positions):
            return False  # another one has them in hand
    return not is_open(number) and _plan_files(number)


def is_open(number: int) -> bool:
    """Whether lines of a batch are still without result."""
    return BATCHES.count_open(number) > 0


def _issue_chunk(number: int, positions: Sequence[int]) -> int:
    """Letters for those of these lines that nobody has done or is doing. Returns lines."""
    with unit_of_work():
        batch = session.get_one(LetterBatch, number, populate_existing=True)
        if batch.state is not BatchState.ISSUING:
            return 0
        mine = BATCHES.hold(number, positions)
        seat = people.post_seat(batch.account_id, batch.org_id)
        if seat is None:
            gone = DomainError("办理人的任职已经结束，没有开具。", fix="请由现任管理员开具。")
            for line in mine:
                _fail(number, line.position, gone)
            return len(mine)
        applications = _applications([line.application_id for line in mine])
        with audit.acting(seat, request=f"letters-{number}"):
            issued = [_issue_line(line, applications[line.application_id], seat, batch.choices) for line in mine]
            messages.tell_issued([letter for letter in issued if letter is not None])
        batch.touched_at = clock.now()
        return len(mine)


def _issue_line(
    line: LetterBatchLine, application: Application, seat: ActiveSeat, typed: dict[str, Any]
) -> Letter | None:
    """One letter, or why there is none; what fails gives its number back with its savepoint."""
    try:
        with session.begin_nested():
            letter = operations.issue_quietly(application, seat, line_details(typed, application.member))
    except OperationalError:
        raise  # the database is away or busy: no line's fault, and the batch is taken up again
    except DomainError as error:
        _fail(line.batch_id, line.position, error)
        return None
    except Exception:
        log.exception("line %s of letter batch %s failed", line.position, line.batch_id)
        _fail(line.batch_id, line.position, DomainError("开具时系统出错。", fix="请稍后单独开具，或联系管理员。"))
        return None
    line.letter_id = letter.id
    _count(line.batch_id, issued=1)
    return letter


def _fail(number: int, position: int, error: DomainError) -> None:
    session.execute(
        update(LetterBatchLine)
        .where(LetterBatchLine.batch_id == number, LetterBatchLine.position == position)
        .values(trouble=error.message + error.fix),
    )
    _count(number, failed=1)


def _count(number: int, issued: int = 0, failed: int = 0) -> None:
    session.execute(
        update(LetterBatch)
        .where(LetterBatch.id == number)
        .values(issued=LetterBatch.issued + issued, failed=LetterBatch.failed + failed),
        execution_options={"synchronize_session": False},
    )


def _plan_files(number: int) -> bool:
    with unit_of_work():
        batch = session.get_one(LetterBatch, number, populate_existing=True)
        if batch.state is BatchState.ISSUING:
            batch_files.plan(batch)
    return True


def lines(batch: LetterBatch) -> list[tuple[LetterBatchLine, Application, Letter | None]]:
    """Every line with what came of it, in order."""
    rows = session.scalars(
        select(LetterBatchLine).where(LetterBatchLine.batch_id == batch.id).order_by(LetterBatchLine.position)
    ).all()
    applications = _applications([line.application_id for line in rows])
    ids = [line.letter_id for line in rows if line.letter_id is not None]
    letters = {letter.id: letter for letter in session.scalars(select(Letter).where(Letter.id.in_(ids)))}
    return [(line, applications[line.application_id], letters.get(line.letter_id or 0)) for line in rows]


def resume(at: datetime) -> tuple[int, int]:
    """Go on with batches that have lost their job. Returns (found, done)."""
    return BATCHES.resume(at, _issue_and_print)


def _issue_and_print(number: int) -> bool:
    if not issue(number):
        return False
    batch = session.get_one(LetterBatch, number, populate_existing=True)
    for position in batch_files.missing(batch):
        batch_files.print_file(number, position)
    with unit_of_work():
        batch_files.finish(number)
    return True


def purge() -> int:
    """Forget batches that were only looked at, and files that can be printed again. Returns how many."""
    now = clock.now()
    old = list(
        session.scalars(
            select(LetterBatch.id).where(
                LetterBatch.state == BatchState.PREVIEWED, LetterBatch.created_at <= now - LOOKED_AT_FOR
            )
        )
    )
    _delete(old)
    gone = session.execute(delete(LetterFile).where(LetterFile.made_at <= now - FILES_KEPT))
    return len(old) + touched(gone)
