"""Files that people send along: judged by their content, never by their name or what the browser says.

Pictures and plain PDFs are all that is taken anywhere; the rooms say in their own words why a file is not.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import PurePath

from zhtj.kernel.errors import DomainError

_NAME_AT_MOST = 120
_TAIL = 2048
# First bytes, what must stand near the end, media type.
_KINDS: tuple[tuple[bytes, bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", b"IEND", "image/png"),
    (b"\xff\xd8\xff", b"\xff\xd9", "image/jpeg"),
    (b"%PDF-", b"%%EOF", "application/pdf"),
)
MEDIA_TYPES = tuple(media_type for _, _, media_type in _KINDS)
# A PDF that does something when it is opened, or carries another file inside.
_ACTIVE = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFile|RichMedia)")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent: name and bytes."""

    filename: str
    content: bytes

    @property
    def name(self) -> str:
        """Its bare name, at most as long as the database has room for; "" if nothing of it is left."""
        plain = "".join(sign for sign in self.filename.replace("\\", "/") if sign.isprintable())
        return PurePath(plain).name[-_NAME_AT_MOST:]


def media_type_of(content: bytes) -> str | None:
    """What a whole picture or PDF is; None for anything else, and for half of one."""
    for start, end, media_type in _KINDS:
        if content.startswith(start) and end in content[-_TAIL:]:
            return media_type
    return None


def is_active(content: bytes) -> bool:
    """Whether it is a PDF that does something by itself or carries another file."""
    return content.startswith(b"%PDF-") and _ACTIVE.search(content) is not None


def pack(content: bytes) -> str:
    """As it lies in the database, before encryption."""
    return base64.b64encode(content).decode()


def unpack(text: str) -> bytes:
    """The bytes again. Raises DomainError for a damaged row."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:  # pragma: no cover - only a damaged database
        raise DomainError("附件已损坏。") from error
