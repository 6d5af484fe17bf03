"""Web pages and XML that call themselves spreadsheets: told apart by what stands in them, whatever comes first."""

from __future__ import annotations

import codecs
import re

_HEAD = 2**16
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_ENVELOPE = re.compile(r"\s*(?:[\w-]+:[^\n]*\n\s*)*mime-version:", re.IGNORECASE)
_WORKBOOK = re.compile(r"<(?:[\w.-]+:)?Workbook\b[^>]*schemas-microsoft-com:office:spreadsheet")
_PAGE = re.compile(r"<(?:html|head|body|meta|table|tbody|tr|td|th|style)\b[^<>]*>|<!doctype html", re.IGNORECASE)
_XML = re.compile(r"\s*<(?:\?xml\b|[A-Za-z][\w.-]*:[A-Za-z]\w*[^<>]*\bxmlns)")


def kind(data: bytes) -> str:
    """What markup a file is: "page", "workbook" (XML of Excel 2003), "envelope" (MHTML), "xml", or "" for none."""
    try:
        head = _decoded(data[:_HEAD], errors="replace")
    except (UnicodeError, LookupError):
        return ""
    if _ENVELOPE.match(head):
        return "envelope"
    if _WORKBOOK.search(head):
        return "workbook"
    if _PAGE.search(head):
        return "page"
    return "xml" if _XML.match(head) else ""


def decode(data: bytes) -> str:
    """The text, in the encoding that it declares if that is true, else in the usual ones.

    Raises:
        UnicodeError: in none of them.
    """
    return _decoded(data, errors="strict")


def _decoded(data: bytes, errors: str) -> str:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    if not encoding and b"\x00" in data[:4]:
        encoding = "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"
    if encoding:
        return data.decode(encoding, errors).lstrip("\ufeff")
    found = _DECLARED.search(data[:_HEAD])
    declared = found[1].decode().lower() if found else "utf-8"
    for name in (declared, "utf-8", "gb18030"):
        try:
            return data.decode("gb18030" if name.startswith("gb") else name)
        except (UnicodeError, LookupError):
            continue
    return data.decode("gb18030", errors)
