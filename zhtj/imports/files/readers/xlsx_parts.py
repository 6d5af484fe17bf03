"""Makes the parts of an xlsx such that the reader loses nothing, and finds the rows and columns that are hidden.

The reader gives the same empty cell for an error, for a formula whose value the file does not have and for nothing; it
allots every cell up to the farthest cell, even if that holds one blank; it does not know UTF-16; it does not tell
hidden rows and columns. What a part lacks is put right in a copy, appended under the same name, which then counts.
Parts are gone through in pieces, so that a large sheet never stands in memory as text.
"""

from __future__ import annotations

import html
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from io import BytesIO
from typing import IO, NamedTuple

from zhtj.imports.files import unpack
from zhtj.imports.files.readers.sheet_lines import UnreadableError

_PIECE = 2**18
_HEAD = 512
_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']""")
_DECLARED = re.compile(r"""(<\?xml[^>]*?)\sencoding\s*=\s*["'][\w.-]+["']""")
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_ROWS_OF = re.compile(rb"<((?:[A-Za-z_][\w.-]*:)?)sheetData\b")
_ATTRIBUTE = re.compile(rb"""([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_SHEET = re.compile(rb"""<(?:[\w.-]+:)?sheet\s((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_COLUMN = re.compile(rb"""<(?:[\w.-]+:)?col\s((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_RELATION = re.compile(rb"""<(?:[\w.-]+:)?Relationship\s((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_SHARED = re.compile(rb"<(?:[\w.-]+:)?si(?:\s[^>]*)?(?:/>|>(.*?)</(?:[\w.-]+:)?si>)", re.DOTALL)
_NUMBER = re.compile(rb"""\sr\s*=\s*["'](\d+)""")
_TYPE = re.compile(rb"""\st\s*=\s*["'](\w*)["']""")
_TAG = re.compile(rb"<[^>]*>")
# Columns from CA on: a blank there costs more cells than all the people of a roster.
_FAR = re.compile(rb"""r=["'](?:[A-Z]{3}|[C-Z][A-Z])\d""")


class _Patterns(NamedTuple):
    row: bytes
    hidden: re.Pattern[bytes]
    formula: bytes
    error: re.Pattern[bytes]
    unfinished: re.Pattern[bytes]
    cell: re.Pattern[bytes]


@lru_cache
def _patterns(prefix: bytes) -> _Patterns:
    """For a sheet whose elements have this prefix, b"" or such as b"x:"."""
    one = {b"p": re.escape(prefix)}
    return _Patterns(
        b"<%brow" % prefix,
        re.compile(rb"""<%(p)brow(?=[^>]*\shidden\s*=\s*["'](?:1|true)["'])[^>]*>""" % one),
        b"<%bf" % prefix,
        re.compile(rb"""(<%(p)bc\b[^>]*?\st\s*=\s*)(["'])e\2""" % one),
        re.compile(
            rb"<%(p)bc(\s[^>]*[^/>]|)>\s*<%(p)bf(?:\s[^>]*)?(?:/>|>[^<]*</%(p)bf\s*>)\s*"
            rb"(<%(p)bv(?:\s[^>]*)?(?:/>|>\s*</%(p)bv\s*>)\s*)?</%(p)bc\s*>" % one
        ),
        re.compile(rb"<%(p)bc(\s[^>]*[^/>])>(.*?)</%(p)bc\s*>" % one, re.DOTALL),
    )


class Hidden(NamedTuple):
    """What a sheet does not show: numbers of rows, positions of columns from 0."""

    rows: Sequence[int] = ()
    columns: Sequence[int] = ()


def prepared(data: bytes) -> tuple[IO[bytes], dict[int, Hidden]]:
    """The workbook as it is to be read, and what its sheets hide by the sheet's position in the workbook.

    Raises:
        UnreadableError: no archive that can be opened.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _prepared(data, archive)
    except (zipfile.BadZipFile, UnicodeError, LookupError, ValueError, RuntimeError, EOFError, OSError) as error:
        raise UnreadableError("broken") from error


def _prepared(data: bytes, archive: zipfile.ZipFile) -> tuple[IO[bytes], dict[int, Hidden]]:
    book = _Book(archive)
    hidden: dict[str, Hidden] = {}
    target = BytesIO(data)
    warnings.simplefilter("ignore")  # a name twice is what we want
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for path, name in book.names.items():
            if not path.endswith((".xml", ".rels")):
                continue
            recoded = book.recoded(path)
            if path.startswith("xl/worksheets/") and path.endswith(".xml"):
                lacking, found = _seen(book, path)
                hidden |= {path: found} if any(found) else {}
                if lacking or recoded:
                    with copy.open(name, "w") as part:
                        part.writelines(_mended(book, path))
            elif recoded:
                copy.writestr(name, book.bytes(path))
    target.seek(0)
    return target, {position: hidden[path] for position, path in book.sheets() if path in hidden} if hidden else {}


class _Book:
    """The parts of a workbook by their paths: lower case, with slashes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.names = {name.replace("\\", "/").lower().lstrip("/"): name for name in archive.namelist()}
        self._archive = archive
        self._recoded: dict[str, bytes] = {}

    def recoded(self, path: str) -> bool:
        """Whether the part was written in another encoding than UTF-8, or names its relations with backslashes."""
        with self._archive.open(self.names[path]) as part:
            head = part.read(_HEAD)
            found = _ENCODING.match(head)
            encoding = found[1].decode().lower() if found else "utf-8"
            if head.startswith((b"\xff\xfe", b"\xfe\xff")):
                encoding = "utf-16"
            elif b"\x00" in head[:4]:
                encoding = "utf-16-le" if head[:1] == b"<" else "utf-16-be"
            if encoding in _UTF_8 and not path.endswith(".rels"):
                return False
            whole = head + part.read()
        text = whole.decode("gb18030" if encoding in {"gb2312", "gbk"} else encoding)
        fixed = _DECLARED.sub(r"\1", text.lstrip("\ufeff"), count=1).encode()
        if path.endswith(".rels"):
            fixed = _RELATION.sub(lambda tag: tag[0].replace(b"\\", b"/"), fixed)
        if fixed == whole or (encoding in _UTF_8 and b"\\" not in whole):
            return False
        self._recoded[path] = fixed
        return True

    def open(self, path: str) -> IO[bytes]:
        """The part in UTF-8."""
        if path in self._recoded:
            return BytesIO(self._recoded[path])
        return self._archive.open(self.names[path])

    def bytes(self, path: str) -> bytes:
        """The whole part, for small ones."""
        with self.open(path) as part:
            return part.read()

    def sheets(self) -> Iterator[tuple[int, str]]:
        """Place and path of each sheet, in the order of the workbook."""
        targets = {}
        for tag in _RELATION.findall(self.bytes("xl/_rels/workbook.xml.rels")):
            found = _attributes(tag)
            target = found.get("Target", "").lower()
            targets[found.get("Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        for position, tag in enumerate(_SHEET.findall(self.bytes("xl/workbook.xml"))):
            found = _attributes(tag)
            relation = next((value for name, value in found.items() if name.endswith(":id")), "")
            yield position, targets.get(relation, "")

    def blank_strings(self) -> frozenset[int]:
        """Which of the strings that sheets share are nothing but blanks."""
        if "xl/sharedstrings.xml" not in self.names:
            return frozenset()
        strings = _SHARED.findall(self.bytes("xl/sharedstrings.xml"))
        return frozenset(position for position, content in enumerate(strings) if _is_blank(content))


def _attributes(tag: bytes) -> dict[str, str]:
    return {
        name.decode(): html.unescape((double or single).decode()) for name, double, single in _ATTRIBUTE.findall(tag)
    }


def _is_blank(content: bytes) -> bool:
    return not html.unescape(_TAG.sub(b"", content).decode()).strip()


def _pieces(book: _Book, path: str) -> Iterator[tuple[_Patterns, bytes]]:
    """A sheet in pieces of whole rows."""
    with book.open(path) as part:
        rest = part.read(_PIECE)
        found = _ROWS_OF.search(rest)
        patterns = _patterns(found[1] if found else b"")
        while block := part.read(_PIECE):
            rest += block
            cut = rest.rfind(patterns.row)
            if cut > 0:
                yield patterns, rest[:cut]
                rest = rest[cut:]
        yield patterns, rest


def _is_far(patterns: _Patterns, piece: bytes) -> bool:
    last = piece[piece.rfind(patterns.row) :][:_HEAD]
    number = _NUMBER.search(last.partition(b">")[0])
    return _FAR.search(piece) is not None or (number is not None and int(number[1]) > unpack.MAX_ROWS)


def _has_error(piece: bytes) -> bool:
    return b'"e"' in piece or (b"'" in piece and b"'e'" in piece)


def _seen(book: _Book, path: str) -> tuple[bool, Hidden]:
    """Whether a sheet lacks something, and what it hides."""
    lacking, before = False, 0
    hidden: list[int] = []
    columns: list[int] = []
    for patterns, piece in _pieces(book, path):
        if b"hidden" in piece:
            columns += _hidden_columns(piece)
            for found in patterns.hidden.finditer(piece):
                number = _NUMBER.search(found[0])
                hidden.append(int(number[1]) if number else before + piece.count(patterns.row, 0, found.end()))
        if not _is_numbered(patterns, piece):
            before += piece.count(patterns.row)
        lacking = lacking or (
            (_has_error(piece) and patterns.error.search(piece) is not None)
            or (patterns.formula in piece and patterns.unfinished.search(piece) is not None)
            or _is_far(patterns, piece)
        )
    return lacking, Hidden(hidden, columns)


def _hidden_columns(piece: bytes) -> Iterator[int]:
    for tag in _COLUMN.findall(piece):
        about = _attributes(tag)
        if about.get("hidden") in {"1", "true"} and (about.get("min", "") + about.get("max", "")).isdecimal():
            yield from range(int(about["min"]) - 1, min(int(about["max"]), unpack.MAX_COLUMNS))


def _is_numbered(patterns: _Patterns, piece: bytes) -> bool:
    """Whether rows say their numbers; else they are counted."""
    start = piece.find(patterns.row)
    return start >= 0 and _NUMBER.search(piece[start : piece.find(b">", start)]) is not None


def _mended(book: _Book, path: str) -> Iterator[bytes]:
    """The sheet with errors and unfinished formulas as texts, and without blanks far away."""
    blanks: frozenset[int] | None = None
    for patterns, original in _pieces(book, path):
        piece = original
        if patterns.formula in piece:
            piece = patterns.unfinished.sub(partial(_said, patterns.row[1:-3]), piece)
        if _has_error(piece):
            piece = patterns.error.sub(rb'\1"str"', piece)
        if _is_far(patterns, piece):
            blanks = book.blank_strings() if blanks is None else blanks
            piece = patterns.cell.sub(partial(_kept, blanks), piece)
        yield piece


def _said(prefix: bytes, cell: re.Match[bytes]) -> bytes:
    """A formula without a value as a text that says so; a text of no length is a value."""
    kind = _TYPE.search(cell[1])
    if kind and kind[1] == b"str" and cell[2]:
        return cell[0]
    parts = {b"p": prefix, b"about": _TYPE.sub(b"", cell[1]), b"words": unpack.NO_RESULT.encode()}
    return b'<%(p)bc%(about)b t="str"><%(p)bv>%(words)b</%(p)bv></%(p)bc>' % parts


def _kept(blanks: frozenset[int], cell: re.Match[bytes]) -> bytes:
    """The cell, or nothing if it holds blanks and says itself where it stands."""
    if not re.search(rb"\sr\s*=", cell[1]):
        return cell[0]
    kind, words = _TYPE.search(cell[1]), _TAG.sub(b"", cell[2]).strip()
    if kind and kind[1] == b"s":
        return b"" if words.isdigit() and int(words) in blanks else cell[0]
    return b"" if _is_blank(cell[2]) and b"f>" not in cell[2] else cell[0]
