"""What stands on a letter's page besides the record: the QR code, and the size of type in which everything fits.

All places on the page are fixed in millimetres (``templates/letters``); a slip with long data takes smaller type,
chosen here from the length of its texts, so nothing is clipped and no letter grows a second page. Pure.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import segno

from zhtj.letters.record import LetterRecord

LINE = 163.0  # millimetres of a full line that can be counted on: the rest is lost at line ends
MILLIMETRES = 25.4 / 72


@dataclass(frozen=True, slots=True)
class TypeSize:
    """One of the type sizes: class in the style sheet, points, line height in points."""

    name: str
    type: float
    line: float


SIZES = (
    TypeSize("normal", 11.5, 23.0),
    TypeSize("small", 10.0, 17.0),
    TypeSize("compact", 9.0, 14.0),
    TypeSize("tiny", 8.0, 11.2),
)


@dataclass(frozen=True, slots=True)
class QrCode:
    """The QR code as one SVG path, in modules with the quiet zone."""

    url: str
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class LetterPage:
    """What the template draws one page from.

    Args:
        record: what it says. code: the way to its check page.
        stub, original, receipt: type sizes of the slips.
        seal: address of the issuer's seal; "" leaves the place for the stamp.
        with_stub: whether slip one is drawn; the member's copy has the other two (L-05).
        sample: a look beforehand, good for nothing.
    """

    record: LetterRecord
    code: QrCode
    stub: str
    original: str
    receipt: str
    seal: str = ""
    with_stub: bool = True
    sample: bool = False


def sheet(
    record: LetterRecord, site: str, *, seal: str = "", with_stub: bool = True, sample: bool = False
) -> LetterPage:
    """The page of one letter; ``site`` is the address of this installation (PD-29)."""
    code = qr_code(f"{site.rstrip('/')}/v/{record.check_code}")
    return LetterPage(record, code, *sizes(record), seal=seal, with_stub=with_stub, sample=sample)


def qr_code(url: str) -> QrCode:
    """A QR code that leads to an address."""
    symbol = segno.make_qr(url, error="m")
    rows = [bytes(row) for row in symbol.matrix_iter(border=2)]
    path = "".join(f"M{start} {y + 0.5:g}h{length}" for y, row in enumerate(rows) for start, length in _runs(row))
    return QrCode(url, len(rows), path)


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Start and length of every run of dark modules."""
    start = row.find(1)
    while start >= 0:
        end = row.find(0, start)
        end = len(row) if end < 0 else end
        yield start, end - start
        start = row.find(1, end)


def _ems(*texts: str) -> float:
    """Width in ems, rather too much: wide characters 1, others 0.62, and the space around a filled-in value."""
    signs = (1.0 if unicodedata.east_asian_width(sign) in "WFA" else 0.62 for text in texts for sign in text)
    return sum(signs) + 0.7 * len(texts)


def _fit(text: Iterable[tuple[float, float]], foot: Iterable[tuple[float, float]], *room: float) -> str:
    """The largest type in which everything fits.

    Args:
        text: paragraphs of the upper block as (ems, line width in millimetres).
        foot: of the lower block, likewise.
        room: heights in millimetres: of text and foot, or one for both together.
    """
    blocks = [list(text), list(foot)]
    for size in SIZES:
        em, line = size.type * MILLIMETRES, size.line * MILLIMETRES
        heights = [sum(max(1, math.ceil(ems * em / width)) * line for ems, width in block) for block in blocks]
        wanted = heights if len(room) == len(heights) else [sum(heights)]
        if all(height <= limit for height, limit in zip(wanted, room, strict=True)):
            return size.name
    return SIZES[-1].name


# The words of the form itself, around the values.
_STUB_WORDS = "　　同志系中国共产主义青年团团员，因原因，团组织关系由转到。"
_FILE_WORDS = "团员档案：□继续保存 □随学籍（人事）档案转递 □邮寄转递 □本人自带 □其他："
_ORIGINAL_WORDS = (
    "　　同志（男），岁，，系中国共产主义青年团团员，年月入团，身份证号码，团员发展编号（12位），"
    "因原因，由转入你处，请接收其团组织关系，该同志团费交至年月。（有效期 90 天）"
)
_RECEIPT_WORDS = "　　同志的团员组织关系已转达我处，特此回复。"


def sizes(r: LetterRecord) -> tuple[str, str, str]:
    """Type sizes of the three slips."""
    phones = "、".join(r.member_phones)
    stub = _fit(
        [(_ems(r.addressee), LINE), (_ems(_STUB_WORDS, r.name, r.reason_label, r.issuer, r.receiver), LINE)],
        [
            (_ems(_FILE_WORDS, r.file_note), LINE),
            (_ems("转出经办人：", r.handler), 105),
            (_ems("团员本人联系电话：", phones), 105),
        ],
        61,
    )
    main = _ems(_ORIGINAL_WORDS, r.name, r.people, r.reason_label, r.issuer, r.id_number, r.dev_number)
    contact = _ems("转出团委联系电话：", r.issuer_phone, r.handler_mobile)
    handler = _ems("转出经办人：", r.handler) * 2  # its column is half as wide
    original = _fit(
        [(_ems(r.addressee), LINE), (main + _ems("22", "2018", "5", "2026", "9"), LINE)],
        [
            (_ems("团员本人联系电话：", phones), 110),
            (max(contact, handler), 110),
            (_ems("转出团委通讯地址：", r.address), 110),
        ],
        44,
        28,
    )
    receipt = _fit([(_ems(r.issuer), LINE), (_ems(_RECEIPT_WORDS, r.name), LINE)], [], 19, 0)
    return stub, original, receipt
