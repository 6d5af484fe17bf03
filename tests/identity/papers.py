"""PDF files for tests, written by hand: honest ones and such as would do something."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"


def pdf(*more: bytes, page: bytes = PAGE, catalogue: bytes = b"", trailer: bytes = b"", open_: bytes = b"") -> bytes:
    """A PDF of one page.

    Args:
        more: bodies of further objects.
        page: the page's dictionary.
        catalogue, trailer: what is added to these dictionaries.
        open_: what stands between the header and the first object.
    """
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalogue + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        *more,
    ]
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + open_)
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, trailer, start)
    return bytes(out)


def stream(content: bytes, words: bytes = b"", *, packed: bool = True) -> bytes:
    """A stream object's body."""
    kept = zlib.compress(content) if packed else content
    how = b"/Filter /FlateDecode " if packed else b""
    return b"<< %s%s /Length %d >>\nstream\n%s\nendstream" % (how, words, len(kept), kept)


def zipped(files: Sequence[tuple[str, bytes]]) -> BytesIO:
    """A zip of these files."""
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    target.seek(0)
    return target


PAPER = pdf(stream(b"0 0 m 10 10 l S" * 20))
