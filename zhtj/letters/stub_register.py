"""存根登记册: every number a committee used in a year, with what became of it, for the shelf (L-05, L-09)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.sql.listing import Listing
from zhtj.letters.models import Letter, LetterReceipt
from zhtj.letters.queries import Validity, validity_of
from zhtj.letters.record import FileDisposition

HEADINGS = (
    "编号",
    "姓名",
    "转出团委",
    "转入团委",
    "转接原因",
    "团费交至",
    "团员档案",
    "转出经办人",
    "团员本人联系电话",
    "开具日期",
    "有效期至",
    "状态",
    "回执",
)
ROWS_A_FILE = 300


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A file of the printed register: its position, and the numbers it begins and ends with."""

    position: int
    first: int
    last: int


def years(org_id: int) -> list[int]:
    """Years in which the committee has issued letters, newest first."""
    query = select(Letter.year).where(Letter.issuer_org_id == org_id).distinct()
    return list(session.scalars(query.order_by(Letter.year.desc())))


def parts(org_id: int, year: int) -> list[RegisterFile]:
    """The files into which the printed register of a year is cut, by number."""
    last = session.scalar(select(func.max(Letter.number)).where(Letter.issuer_org_id == org_id, Letter.year == year))
    starts = range(1, (last or 0) + 1, ROWS_A_FILE)
    return [
        RegisterFile(position, first, min(first + ROWS_A_FILE - 1, last or 0))
        for position, first in enumerate(starts, start=1)
    ]


def rows(org_id: int, year: int, part: RegisterFile | None = None) -> Iterator[list[str]]:
    """The lines of a register, by number; all of the year, or those of one file."""
    query = select(Letter).where(Letter.issuer_org_id == org_id, Letter.year == year)
    if part is not None:
        query = query.where(Letter.number.between(part.first, part.last))
    return iter(Listing(query, [Letter.number], dress=_rows))


def _rows(letters: Sequence[Letter]) -> list[list[str]]:
    receipts = _receipts([letter.id for letter in letters])
    return [_row(letter, receipts.get(letter.id)) for letter in letters]


def _receipts(numbers: list[int]) -> dict[int, LetterReceipt]:
    query = select(LetterReceipt).where(LetterReceipt.letter_id.in_(numbers)).options(joinedload(LetterReceipt.org))
    return {receipt.letter_id: receipt for receipt in session.scalars(query)}


def _row(letter: Letter, receipt: LetterReceipt | None) -> list[str]:
    record, state = letter.record, validity_of(letter)
    file = record.file_note if record.file_disposition is FileDisposition.OTHER else record.file_disposition.label
    void = (
        f"{state.label}（{clock.local(letter.voided_at):%Y-%m-%d}，{letter.void_reason}）" if letter.voided_at else ""
    )
    return [
        record.serial,
        record.name,
        record.issuer,
        record.receiver,
        record.reason_label,
        f"{record.dues_until:%Y-%m}",
        file,
        record.handler,
        "、".join(record.member_phones),
        record.issued_on.isoformat(),
        record.last_valid_day.isoformat(),
        void or (state.label if state is not Validity.VOID else ""),
        f"{receipt.received_on:%Y-%m-%d} {receipt.handler} {receipt.phone}" if receipt else "",
    ]
