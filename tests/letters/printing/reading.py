"""Reads a letter's PDF back: every piece of text with its place, in millimetres from the page's upper left corner."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from fontTools.ttLib import TTFont
from pypdf import PageObject, PdfReader

from zhtj.letters.printing import fonts

POINT = 25.4 / 72
PAGE_HEIGHT = 841.89
# Lower edges of the three slips, as the style sheet sets them.
EDGES = (95.0, 221.0, 297.0)


@cache
def _advances() -> dict[int, float]:
    """Width of every character of the face, in ems."""
    with TTFont(fonts.face(), lazy=True) as font:
        metrics, scale = font["hmtx"].metrics, font["head"].unitsPerEm
        return {code: metrics[glyph][0] / scale for code, glyph in font.getBestCmap().items()}


@dataclass(frozen=True)
class Piece:
    """A run of text: left edge, baseline, right edge and size of type, in millimetres."""

    text: str
    left: float
    base: float
    right: float
    size: float

    @property
    def slip(self) -> int:
        """0, 1 or 2."""
        return next(number for number, edge in enumerate(EDGES) if self.base <= edge)

    def meets(self, other: Piece) -> bool:
        """Whether the ink of the two overlaps, hairlines aside."""
        above = min(self.base + self.size * 0.1, other.base + other.size * 0.1)
        below = max(self.base - self.size * 0.8, other.base - other.size * 0.8)
        across = min(self.right, other.right) - max(self.left, other.left)
        return above - below > 0.1 and across > 0.3


@dataclass(frozen=True)
class Page:
    """One letter as it stands on paper."""

    pieces: list[Piece]

    def slip(self, number: int) -> str:
        """The text of a slip (0, 1, 2) in reading order, without any white space."""
        return squeeze("".join(piece.text for piece in self.pieces if piece.slip == number))


def squeeze(text: str) -> str:
    """``text`` without white space."""
    return re.sub(r"\s", "", text)


def reader(pdf: bytes) -> PdfReader:
    """The document."""
    return PdfReader(io.BytesIO(pdf), strict=True)


def pages(pdf: bytes) -> list[Page]:
    """Every page of a document of letters."""
    return [Page(_pieces(page)) for page in reader(pdf).pages]


def _pieces(page: PageObject) -> list[Piece]:
    found: list[Piece] = []

    def visit(text: str, user: list[float], place: list[float], _font: Any, size: float) -> None:
        if not text.strip():
            return
        scale = user[0]
        left = (user[4] + place[4] * scale) * POINT
        base = (PAGE_HEIGHT - (user[5] + place[5] * user[3])) * POINT
        height = size * scale * POINT
        width = sum(_advances()[ord(sign)] for sign in text.strip("\n")) * height
        found.append(Piece(text, left, base, left + width, height))

    page.extract_text(visitor_text=visit)
    return found
