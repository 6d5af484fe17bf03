"""Many PDFs in one zip, read one at a time; nothing is ever written to a disk (E-01).

A zip of a few kilobytes can claim anything: the directory is weighed before it is read, and every file is read to its
own limit, whatever it says its size is. Names decide nothing but whose file it is.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from zhtj.identity.pdf import LARGEST
from zhtj.kernel.errors import DomainError

AT_MOST = 300
"""Files at once."""
LARGEST_ZIP = 100 * 1024 * 1024
_UNPACKED = 400 * 1024 * 1024
_DIRECTORY = 512 * 1024
_END = b"PK\x05\x06"
_END_SIZE = 22
_COMMENT = 65_535
_LOCKED = 0x1
_NAMED = re.compile(r"[0-9A-Za-z_-]{1,30}")


class ArchiveError(DomainError):
    """The zip as a whole is not taken."""

    def __init__(self, message: str, fix: str = "请重新压缩为普通 zip 文件。") -> None:
        super().__init__(message, fix=fix, field="file", rule="E-01")


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file of the zip: as it is called there, the number it is named by, its bytes; or why it is left out."""

    filename: str
    number: str
    content: bytes
    problem: str = ""


def entries(file: IO[bytes]) -> Iterator[ArchivedFile]:
    """Every file of a zip, one after the other; folders and what systems leave behind are passed over.

    Raises:
        ArchiveError: it is no zip, or has too much in it. Nothing has been yielded then.
    """
    _weigh(file)
    try:
        archive = ZipFile(file)
    except (BadZipFile, ValueError, NotImplementedError) as error:
        raise ArchiveError("这不是完整的 zip 文件。") from error
    infos = [info for info in archive.infolist() if not _is_left_behind(info)]
    if not infos:
        raise ArchiveError("压缩包里没有文件。", "请把以学号或身份证号码命名的 PDF 放进去。")
    if len(infos) > AT_MOST:
        raise ArchiveError(f"压缩包里有 {len(infos)} 个文件，一次最多 {AT_MOST} 个。", "请分几次上传。")
    return _read(archive, infos)


def _read(archive: ZipFile, infos: list[ZipInfo]) -> Iterator[ArchivedFile]:
    room = _UNPACKED
    for info in infos:
        entry = _entry(archive, info)
        room -= len(entry.content)
        yield entry if room >= 0 else ArchivedFile(entry.filename, "", b"", "压缩包解压后过大，这个文件没有接收。")


def _weigh(file: IO[bytes]) -> None:
    """Refuse a directory so large that reading it would cost more than any honest zip does."""
    size = file.seek(0, 2)
    if size > LARGEST_ZIP:
        raise ArchiveError(f"压缩包超过 {LARGEST_ZIP // 2**20} MB。", "请分几次上传。")
    file.seek(max(size - _COMMENT - _END_SIZE, 0))
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + _END_SIZE:
        raise ArchiveError("这不是完整的 zip 文件。")
    directory = int.from_bytes(tail[place + 12 : place + 16], "little")
    if directory > _DIRECTORY:
        raise ArchiveError(f"压缩包里的文件太多，一次最多 {AT_MOST} 个。", "请分几次上传。")
    file.seek(0)


def _is_left_behind(info: ZipInfo) -> bool:
    name = info.filename
    bare = name.rpartition("/")[2]
    return info.is_dir() or name.startswith("__MACOSX/") or bare.startswith(".") or bare == "Thumbs.db"


def _entry(archive: ZipFile, info: ZipInfo) -> ArchivedFile:
    shown = "".join(sign for sign in info.filename if sign.isprintable())[-120:]
    if ".." in info.filename or info.filename.startswith(("/", "\\")) or ":" in info.filename:
        return ArchivedFile(shown, "", b"", "文件名里有路径，没有接收。请只用学号或身份证号码命名。")
    stem, _, kind = info.filename.replace("\\", "/").rpartition("/")[2].rpartition(".")
    if kind.lower() != "pdf" or not _NAMED.fullmatch(stem):
        return ArchivedFile(shown, "", b"", "文件名应为“学号.pdf”或“身份证号码.pdf”。")
    if info.flag_bits & _LOCKED:
        return ArchivedFile(shown, stem, b"", "压缩包设有密码，打不开。")
    try:
        with archive.open(info) as opened:
            content = opened.read(LARGEST + 1)
    except (BadZipFile, zlib.error, NotImplementedError, OSError, EOFError, RuntimeError):
        return ArchivedFile(shown, stem, b"", "这个文件已损坏，打不开。")
    return ArchivedFile(shown, stem, content)
