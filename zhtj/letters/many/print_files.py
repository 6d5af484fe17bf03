"""The files of a batch: fifty letters each, printed by jobs, kept for a while, printed anew any time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import undefer

from zhtj.kernel import attachments, audit, clock
from zhtj.kernel.database import insert_new, session, touched, unit_of_work
from zhtj.kernel.errors import Conflict, NotFound
from zhtj.kernel.work import queue as work_queue
from zhtj.letters import seals
from zhtj.letters.many.models import BatchState, LetterBatch, LetterBatchLine, LetterFile
from zhtj.letters.models import Letter, LetterState
from zhtj.letters.printing.render import render_letters

PRINT_JOB = "jobs.letters.print_file"
# Half of what a document may hold: two workers share a batch better, and each stays under 400 MB.
A_FILE = 50


def plan(batch: LetterBatch) -> None:
    """All lines have their result: say how many files there will be, and have them printed."""
    batch.files, batch.touched_at = -(-_count_letters(batch.id) // A_FILE), clock.now()
    batch.state = BatchState.PRINTING if batch.files else BatchState.DONE
    session.flush()
    _order(batch.id, range(1, batch.files + 1))


def _order(number: int, positions: Sequence[int]) -> None:
    """Queue up the printing once this unit of work has committed."""
    for position in positions:
        work_queue.after_the_commit(PRINT_JOB, number, position)


def _count_letters(number: int) -> int:
    query = select(func.count()).where(LetterBatchLine.batch_id == number, LetterBatchLine.letter_id.is_not(None))
    return session.scalar(query) or 0


def print_file(number: int, position: int) -> bool:
    """Print one file of a batch and keep it; done twice it is kept once. Returns whether it was this call."""
    batch = session.get(LetterBatch, number, populate_existing=True)
    if batch is None or session.get(LetterFile, (number, position)) is not None:
        return False
    letters = _letters_of(number, position)
    if not letters:
        return False
    site, stamps = batch.site, seals.pictures({letter.seal_id for letter in letters if letter.seal_id is not None})
    records = [letter.record for letter in letters]
    marks = {
        record.check_code: stamps[letter.seal_id]
        for record, letter in zip(records, letters, strict=True)
        if letter.seal_id is not None
    }
    pdf = render_letters(records, site=site, seals=marks)
    with unit_of_work():
        made = session.execute(
            insert_new(LetterFile).values(
                batch_id=number,
                position=position,
                letters=len(records),
                first=records[0].serial,
                last=records[-1].serial,
                content=attachments.pack(pdf),
                made_at=clock.now(),
            ),
            execution_options={"preserve_rowcount": True},
        )
        session.execute(update(LetterBatch).where(LetterBatch.id == number).values(touched_at=clock.now()))
        finish(number)
        return touched(made) == 1


def _letters_of(number: int, position: int) -> list[Letter]:
    """The valid letters that stand in one file; a void one is not handed out again (L-04)."""
    lines = (
        select(LetterBatchLine.letter_id)
        .where(LetterBatchLine.batch_id == number, LetterBatchLine.letter_id.is_not(None))
        .order_by(LetterBatchLine.position)
        .limit(A_FILE)
        .offset((position - 1) * A_FILE)
    )
    ids = list(session.scalars(lines))
    found = session.scalars(select(Letter).where(Letter.id.in_(ids), Letter.state == LetterState.ISSUED))
    return sorted(found, key=lambda letter: ids.index(letter.id))


def finish(number: int) -> None:
    """Once every file is there the batch is done; a file all of whose letters are void never comes."""
    batch = session.get_one(LetterBatch, number, populate_existing=True)
    if batch.state is BatchState.PRINTING and not missing(batch):
        batch.state = BatchState.DONE
        session.flush()
        audit.record("letter.batch_done", "letter_batch", number, issued=batch.issued, failed=batch.failed)


def missing(batch: LetterBatch) -> list[int]:
    """Places of files that are still to be printed."""
    made = set(session.scalars(select(LetterFile.position).where(LetterFile.batch_id == batch.id)))
    return [
        position for position in range(1, batch.files + 1) if position not in made and _letters_of(batch.id, position)
    ]


def files(batch: LetterBatch) -> Sequence[LetterFile]:
    """The files that are there, without their contents."""
    query = select(LetterFile).where(LetterFile.batch_id == batch.id).order_by(LetterFile.position)
    return session.scalars(query).all()


def content(batch: LetterBatch, position: int) -> bytes:
    """One printed file. Raises NotFound where it is not there (any more), or holds a letter voided since (L-04)."""
    found = session.get(LetterFile, (batch.id, position), options=[undefer(LetterFile.content)])
    if found is None or position in stale(batch):
        raise NotFound("这个文件还没有生成，或已经过期。", fix="请点“重新生成文件”。")
    return attachments.unpack(found.content)


def stale(batch: LetterBatch) -> set[int]:
    """Places of files that hold a letter which was voided after printing."""
    order = func.row_number().over(order_by=LetterBatchLine.position) - 1
    lines = (
        select(LetterBatchLine.letter_id, (order // A_FILE).label("file"))
        .where(LetterBatchLine.batch_id == batch.id, LetterBatchLine.letter_id.is_not(None))
        .subquery()
    )
    valid: dict[int, int] = dict(
        session.execute(
            select(lines.c.file, func.count())
            .join(Letter, Letter.id == lines.c.letter_id)
            .where(Letter.state == LetterState.ISSUED)
            .group_by(lines.c.file)
        ).all()
    )
    return {file.position for file in files(batch) if file.letters > valid.get(file.position - 1, 0)}


def reprint(batch: LetterBatch) -> None:
    """Have the files printed again that were thrown away or hold a void letter. Raises Conflict while it runs."""
    if batch.state not in {BatchState.DONE, BatchState.PRINTING}:
        raise Conflict("介绍信还没有全部编号。", fix="请稍候。")
    old = stale(batch)
    session.execute(delete(LetterFile).where(LetterFile.batch_id == batch.id, LetterFile.position.in_(old)))
    wanted = missing(batch)
    if not wanted:
        return
    batch.state, batch.touched_at = BatchState.PRINTING, clock.now()
    session.flush()
    _order(batch.id, wanted)
