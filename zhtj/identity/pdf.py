"""Looks at a PDF without opening it: is it one, is it nothing else besides, does it do nothing by itself.

No library that interprets PDF files is let near a stranger's file. What would make one act - a script, a program to
start, a file inside - is named in dictionaries, and dictionaries stand in the open or in compressed object streams;
both are read here, the latter within limits. Pure.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from zhtj.kernel.errors import DomainError

LARGEST = 20 * 1024 * 1024
_TAIL = 1024
# What all object streams and all streams looked into may come to, unpacked.
_UNPACKED = 64 * 1024 * 1024
_FIRST_BYTES = 4096

_STREAM = re.compile(rb"\bstream\r?\n")
_END = re.compile(rb"\bendstream\b")
_OBJECT = re.compile(rb"\b\d{1,10}\s+\d{1,5}\s+obj\b")
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_AT_END = re.compile(rb"startxref\s+\d{1,12}\s+%%EOF\s*\Z")
_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm(?![A-Za-z])")
_FILTER = re.compile(rb"/Filter\s*(\[[^\]]*\]|/[A-Za-z0-9]+)")
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_ENCRYPTED = re.compile(rb"/Encrypt(?![A-Za-z])")
_SCRIPT = re.compile(rb"/(?:JavaScript|JS)(?![A-Za-z])")
_PROGRAM = re.compile(rb"/(?:Launch|SubmitForm|ImportData|GoToE|GoToR|Rendition|RichMedia|XFA)(?![A-Za-z])")
_INSIDE = re.compile(rb"/(?:EmbeddedFiles?|Filespec|AF)(?![A-Za-z])")
# Looked for everywhere, also in what claims to be a stream: readers find objects by their place in the file.
_ANYWHERE = re.compile(rb"/(?:JavaScript|EmbeddedFile|RichMedia)(?![A-Za-z])")
_WEB_PAGE = re.compile(rb"<\s*(?:!doctype|html|head|body|script|iframe|svg|\?php)", re.IGNORECASE)
_PROGRAMS = (b"\x7fELF", b"PK\x03\x04", b"#!/", b"\xca\xfe\xba\xbe", b"Rar!")

_SCAN_AGAIN = "请重新扫描，保存为普通 PDF 后上传。"


class PdfError(DomainError):
    """The file is not taken; the message says why."""

    def __init__(self, message: str, fix: str = _SCAN_AGAIN) -> None:
        super().__init__(message, fix=fix, field="files", rule="E-01")


_ACTIVE = "PDF 里有脚本或内嵌文件。"
_REFUSED = (
    (_ENCRYPTED, "PDF 设有密码或加密，审核人打不开。", "请去掉密码后再上传。"),
    (_SCRIPT, _ACTIVE, _SCAN_AGAIN),
    (_PROGRAM, "PDF 里有会自动执行或提交的动作。", _SCAN_AGAIN),
    (_INSIDE, "PDF 里嵌有其他文件。", _SCAN_AGAIN),
)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A file taken apart: what stands in the open, and each stream with the dictionary before it."""

    text: bytes
    streams: list[tuple[bytes, bytes]]


def check(content: bytes) -> None:
    """Raise PdfError unless ``content`` is a whole PDF with a page, unlocked, inactive and nothing else besides."""
    _outside(content)
    parts = _apart(content)
    if not (_AT_END.search(content[-_TAIL:]) and _OBJECT.search(parts.text)):
        raise PdfError("PDF 文件不完整，或后面附有其他内容。")
    names = _names(parts.text + b"\n" + _object_streams(parts))
    for sign, message, fix in _REFUSED:
        if sign.search(names):
            raise PdfError(message, fix)
    if _ANYWHERE.search(content):
        raise PdfError(_ACTIVE)
    if not _PAGE.search(names):
        raise PdfError("PDF 里没有页面。")
    if _WEB_PAGE.search(parts.text) or _hides_a_program(parts):
        raise PdfError("文件里混有网页或程序，不是单纯的 PDF。")


def _outside(content: bytes) -> None:
    """Size and first signs."""
    if not content:
        raise PdfError("文件是空的。", "请检查文件后重新选择。")
    if len(content) > LARGEST:
        raise PdfError(
            f"文件超过 {LARGEST // 2**20} MB。", "请降低扫描分辨率（200 dpi 黑白或灰度就够），或压缩后再上传。"
        )
    if not content.startswith(b"%PDF-"):
        raise PdfError("这不是 PDF 文件。", "请上传入团志愿书的扫描件；照片、文档请先“另存为”或“打印成”PDF。")


def _names(text: bytes) -> bytes:
    """With escaped signs of names as what they stand for."""
    return _NAME_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text)


def _apart(content: bytes) -> _Parts:
    text, streams, place = [], [], 0
    while found := _STREAM.search(content, place):
        before = content[place : found.start()]
        end = _END.search(content, found.end())
        if end is None:
            raise PdfError("PDF 文件不完整，或后面附有其他内容。")
        streams.append((before[before.rfind(b"obj") + 3 :], content[found.end() : end.start()]))
        text.append(before)
        place = end.end()
    text.append(content[place:])
    return _Parts(b"\n".join(text), streams)


def _object_streams(parts: _Parts) -> bytes:
    """What stands in compressed object streams. Raises PdfError where that cannot be read."""
    found, room = [], _UNPACKED
    for dictionary, content in parts.streams:
        names = _names(dictionary)
        if not _OBJECT_STREAM.search(names):
            continue
        how = _FILTER.search(names)
        packed = how[1].strip(b"[] \r\n\t") if how else b""
        if packed not in {b"", b"/FlateDecode"} or b"/Predictor" in names:
            raise PdfError("PDF 的压缩方式无法检查。")
        plain = _unpack(content, room) if packed else content
        room -= len(plain)
        found.append(plain)
    return b"\n".join(found)


def _unpack(content: bytes, room: int) -> bytes:
    """Unpacked within ``room`` bytes. Raises PdfError beyond, or where it is damaged."""
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(content, max(room, 1))
    except zlib.error as error:
        raise PdfError("PDF 文件已损坏。") from error
    if reader.unconsumed_tail:
        raise PdfError("PDF 解压后过大，无法检查。")
    return plain


def _hides_a_program(parts: _Parts) -> bool:
    """Whether a stream begins as a program or an archive does; drawings and scanned pages never do."""
    for dictionary, content in parts.streams:
        start = content[:_FIRST_BYTES]
        if b"/FlateDecode" in dictionary:
            try:
                start = zlib.decompressobj().decompress(content, _FIRST_BYTES)
            except zlib.error:
                continue
        if start.startswith(_PROGRAMS) or (start.startswith(b"MZ") and b"PE\0\0" in start):
            return True
    return False
