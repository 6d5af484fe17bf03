"""存根登记册: every number a committee used in a year, with what became of it, for the shelf (L-05, L-09)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import joinedload

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.work import periods
from zhtj.letters.models import Letter, LetterReceipt, LetterState
from zhtj.letters.queries import Validity, validity_of
from zhtj.letters.record import FileDisposition
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Category, Organisation

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
FILING = "letters-filed"


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A file of the printed register: its place, and the numbers it begins and ends with."""

    place: int
    first: int
    last: int


def years(org_id: int) -> list[int]:
    """Years in which the committee has issued letters, newest first."""
    query = select(Letter.year).where(Letter.issuer_org_id == org_id).distinct()
    return list(session.scalars(query.order_by(Letter.year.desc())))


def remind_to_file() -> int:
    """In January ask every committee to file the year's letters with its county, once; returns how many were asked."""
    today = clock.today()
    if today.month != 1 or not periods.claim(FILING, today.year - 1):
        return 0
    return notices.send_many(_filings(today.year - 1))


def _filings(year: int) -> Iterator[NewMessage]:
    """One a committee that has issued any: how many, which void, and who is to have them (PD-62)."""
    void = func.count(case((Letter.state == LetterState.VOID, 1)))
    query = (
        select(Organisation, func.count(), void)
        .join(Letter, Letter.issuer_org_id == Organisation.id)
        .where(Letter.year == year)
        .group_by(Organisation.id)
        .order_by(Organisation.id)
    )
    for issuer, number, gone in session.execute(query).all():
        above = _filed_with(issuer)
        # PD-62: letters of a basic committee are filed with the county once a year.
        body = (
            f"{year} 年{issuer.short_name}开具介绍信 {number} 份{f'（其中作废 {gone} 份）' if gone else ''}。"
            f"介绍信每年向{above}备案一次：请在“介绍信 → 存根”中下载 {year} 年的登记册，核对后报送。"
        )
        yield NewMessage(MessageKind.REMINDER, f"请报送 {year} 年介绍信登记册", body, org_id=issuer.id)


def _filed_with(issuer: Organisation) -> str:
    """The nearest leading organ above, in words."""
    query = select(Organisation.short_name).where(
        Organisation.path.in_(issuer.line[:-1]), Organisation.category == Category.LEADING_ORGAN
    )
    return session.scalar(query.order_by(Organisation.path.desc()).limit(1)) or "县级团委"


def parts(org_id: int, year: int) -> list[RegisterFile]:
    """The files into which the printed register of a year is cut, by number."""
    last = session.scalar(select(func.max(Letter.number)).where(Letter.issuer_org_id == org_id, Letter.year == year))
    starts = range(1, (last or 0) + 1, ROWS_A_FILE)
    return [
        RegisterFile(place, first, min(first + ROWS_A_FILE - 1, last or 0))
        for place, first in enumerate(starts, start=1)
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
