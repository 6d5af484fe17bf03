"""Letters as PDF: three slips on one A4 page, drawn by WeasyPrint from the record alone (L-05, PD-27)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zhtj.letters.checks import check_glyphs
from zhtj.letters.pages import sheet
from zhtj.letters.record import FORM_NAME, LetterRecord

if TYPE_CHECKING:
    from zhtj.letters.press import Press

MOST_LETTERS = 100
_loading = threading.Lock()


def render_letter(record: LetterRecord, *, site: str) -> bytes:
    """One letter as tagged PDF.

    Args:
        record: an issued letter's record.
        site: address of this installation, for the check page behind the QR code (PD-29).

    Raises:
        DomainError: the typeface lacks a character.
    """
    return render_letters([record], site=site)


def render_letters(records: Sequence[LetterRecord], *, site: str) -> bytes:
    """Several letters in one PDF, a page each, in the given order; at most ``MOST_LETTERS``.

    Raises:
        DomainError: as ``render_letter``; the message names the letter.
        ValueError: no letter, too many, or of different template versions.
    """
    versions = {record.template_version for record in records}
    if not 1 <= len(records) <= MOST_LETTERS or len(versions) != 1:
        raise ValueError("1 to 100 letters of one template version")
    for record in records:
        check_glyphs(record)
    sheets = [sheet(record, site) for record in records]
    return _press(versions.pop()).print(sheets, _title(records))


def _press(version: str) -> Press:
    """The press for a template version; WeasyPrint and its system libraries are loaded when the first letter is."""
    with _loading:
        from zhtj.letters.press import press  # noqa: PLC0415 - heavy, and only where letters are printed

        return press(version)


def _title(records: Sequence[LetterRecord]) -> str:
    first = records[0]
    title = f"{FORM_NAME} {first.serial} {first.name}"
    return title if len(records) == 1 else f"{title}等 {len(records)} 份"
