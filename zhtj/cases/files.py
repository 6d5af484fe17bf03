"""What may be attached to a case: judged by its content, never by its name or what the browser says."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from zhtj.kernel.errors import DomainError

LARGEST = 5 * 1024 * 1024
AT_MOST = 3
_TAIL = 2048
# First bytes, what must stand near the end, media type.
_KINDS: tuple[tuple[bytes, bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", b"IEND", "image/png"),
    (b"\xff\xd8\xff", b"\xff\xd9", "image/jpeg"),
    (b"%PDF-", b"%%EOF", "application/pdf"),
)
# A PDF that does something when it is opened, or carries another file inside.
_ACTIVE = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFile|RichMedia)")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent: name and bytes."""

    filename: str
    content: bytes

    @property
    def name(self) -> str:
        """Its bare name, at most as long as the database has room for."""
        plain = "".join(sign for sign in self.filename.replace("\\", "/") if sign.isprintable())
        return PurePath(plain).name[-120:] or "附件"


@dataclass(frozen=True, slots=True)
class FileRule:
    """What may be attached to a kind of case.

    Args:
        at_most: how many.
        largest: bytes of each.
        media_types: as the browser's file dialogue filters them.
        words: the same for people.
        check: raises DomainError for content that is not taken, where more is asked than what is usual.
    """

    at_most: int = AT_MOST
    largest: int = LARGEST
    media_types: tuple[str, ...] = tuple(media_type for _, _, media_type in _KINDS)
    words: str = "PNG、JPG 图片或 PDF"
    check: Callable[[bytes], None] | None = None


USUAL = FileRule()


def check(uploads: list[Upload], rule: FileRule = USUAL) -> list[str]:
    """The media types of these files. Raises DomainError for too many, too large, or none of the accepted kinds."""
    if len(uploads) > rule.at_most:
        raise DomainError(f"附件最多 {rule.at_most} 个。", fix="请合并成一份 PDF。", field="files", rule="PD-34")
    if rule.check is not None:
        for upload in uploads:
            rule.check(upload.content)
    return [_media_type(upload, rule.largest) for upload in uploads]


def _media_type(upload: Upload, largest: int) -> str:
    content = upload.content
    if len(content) > largest:
        raise DomainError(
            f"“{upload.name}”超过 {largest // 2**20} MB。", fix="请压缩后再上传。", field="files", rule="PD-34"
        )
    for start, end, media_type in _KINDS:
        if content.startswith(start) and end in content[-_TAIL:]:
            if media_type == "application/pdf" and _ACTIVE.search(content):
                raise DomainError(
                    f"“{upload.name}”里有脚本或内嵌文件。",
                    fix="请打印成普通 PDF 或截图后上传。",
                    field="files",
                    rule="PD-34",
                )
            return media_type
    raise DomainError(
        f"“{upload.name}”不是完整的 PNG、JPG 图片或 PDF。",
        fix="请上传扫描件、照片或截图；压缩包、表格和程序不接收。",
        field="files",
        rule="PD-34",
    )


def pack(content: bytes) -> str:
    """As it lies in the database, before encryption."""
    return base64.b64encode(content).decode()


def unpack(text: str) -> bytes:
    """The bytes again. Raises DomainError for a damaged row."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:  # pragma: no cover - only a damaged database
        raise DomainError("附件已损坏。") from error
