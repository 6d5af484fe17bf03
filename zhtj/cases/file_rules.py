"""What may be attached to a case: a few pictures or plain PDFs (``zhtj.kernel.attachments``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zhtj.kernel.attachments import MEDIA_TYPES, Upload, is_active, media_type_of
from zhtj.kernel.errors import DomainError

LARGEST = 5 * 1024 * 1024
AT_MOST = 3
_UNNAMED = "附件"


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
    media_types: tuple[str, ...] = MEDIA_TYPES
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


def name_of(upload: Upload) -> str:
    """What an attachment is called."""
    return upload.name or _UNNAMED


def _media_type(upload: Upload, largest: int) -> str:
    if len(upload.content) > largest:
        raise DomainError(
            f"“{name_of(upload)}”超过 {largest // 2**20} MB。", fix="请压缩后再上传。", field="files", rule="PD-34"
        )
    media_type = media_type_of(upload.content)
    if media_type is None:
        raise DomainError(
            f"“{name_of(upload)}”不是完整的 PNG、JPG 图片或 PDF。",
            fix="请上传扫描件、照片或截图；压缩包、表格和程序不接收。",
            field="files",
            rule="PD-34",
        )
    if is_active(upload.content):
        raise DomainError(
            f"“{name_of(upload)}”里有脚本或内嵌文件。",
            fix="请打印成普通 PDF 或截图后上传。",
            field="files",
            rule="PD-34",
        )
    return media_type
