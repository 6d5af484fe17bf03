"""Letters as PDF: three slips on one A4 page, drawn by WeasyPrint from the record alone (L-05, PD-27)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zhtj.letters.printing.issuing_checks import check_glyphs
from zhtj.letters.printing.pages import sheet
from zhtj.letters.record import FORM_NAME, FileDisposition, LetterRecord

if TYPE_CHECKING:
    from zhtj.letters.printing.press import Press

MOST_LETTERS = 100
_loading = threading.Lock()


def render_letter(
    record: LetterRecord, *, site: str, seal: bytes | None = None, with_stub: bool = True, sample: bool = False
) -> bytes:
    """One letter as tagged PDF.

    Args:
        record: an issued letter's record; of a look beforehand, one without number of its own.
        site: address of this installation, for the check page behind the QR code (PD-29).
        seal: PNG of the issuer's seal; None leaves the place for the stamp.
        with_stub: False for the member's copy: slips two and three (L-05).
        sample: mark it as good for nothing.

    Raises:
        DomainError: the typeface lacks a character.
    """
    seals = {record.check_code: seal} if seal else {}
    return render_letters([record], site=site, seals=seals, with_stub=with_stub, sample=sample)


def render_letters(
    records: Sequence[LetterRecord],
    *,
    site: str,
    seals: Mapping[str, bytes] | None = None,
    with_stub: bool = True,
    sample: bool = False,
) -> bytes:
    """Several letters in one PDF, a page each, in the given order; at most ``MOST_LETTERS``.

    ``seals`` are PNGs by the check code of the letters that carry one; the rest is as in ``render_letter``.

    Raises:
        DomainError: as ``render_letter``; the message names the letter.
        ValueError: no letter, too many, or of different template versions.
    """
    versions = {record.template_version for record in records}
    if not 1 <= len(records) <= MOST_LETTERS or len(versions) != 1:
        raise ValueError("1 to 100 letters of one template version")
    for record in records:
        check_glyphs(record)
    pictures, addresses = _pictures(seals or {})
    sheets = [
        sheet(record, site, seal=addresses.get(record.check_code, ""), with_stub=with_stub, sample=sample)
        for record in records
    ]
    return printing(versions.pop()).print(
        _title(records),
        pictures,
        letters=sheets,
        form_name=FORM_NAME,
        dispositions=tuple(FileDisposition),
    )


def _pictures(seals: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Each picture once, by its address; and the address by check code."""
    found: dict[bytes, str] = {}
    addresses = {code: found.setdefault(png, f"zhtj:seal-{len(found)}") for code, png in seals.items()}
    return {address: png for png, address in found.items()}, addresses


def printing(name: str) -> Press:
    """The press for a form; WeasyPrint and its system libraries are loaded when the first sheet is printed."""
    with _loading:
        from zhtj.letters.printing.press import press  # noqa: PLC0415 - heavy, and only where something is printed

        return press(name)


def _title(records: Sequence[LetterRecord]) -> str:
    first = records[0]
    title = f"{FORM_NAME} {first.serial} {first.name}"
    return title if len(records) == 1 else f"{title}等 {len(records)} 份"
