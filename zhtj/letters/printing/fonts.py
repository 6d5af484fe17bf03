"""The typeface of letters: one open Song face, and which characters it lacks.

A character the face cannot draw is an error before printing, never an empty box on paper.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from pylopdf_fonts_zh_cn import serif_path

from zhtj.letters.record import LABELS, LetterRecord, RecordProblem

FAMILY = "letter song"


def face() -> Path:
    """The font file of the Song face (Noto Serif SC, SIL Open Font License)."""
    return serif_path()


@cache
def covered() -> frozenset[int]:
    """Code points the face can draw."""
    with TTFont(face(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def missing(text: str) -> list[str]:
    """Characters of ``text`` that the face lacks, each once, in order."""
    return list(dict.fromkeys(sign for sign in text if ord(sign) not in covered()))


def missing_glyphs(record: LetterRecord) -> list[RecordProblem]:
    """A problem for every field with a character that could not be printed."""
    return [
        RecordProblem(
            name,
            f"{LABELS.get(name, name)}中的“{sign}”（U+{ord(sign):04X}）印刷字体里没有，无法打印。",
            "请核对用字；确系此字的，请用空白介绍信手工填写，并请运维人员增补字体。",
            "L-10",
        )
        for name, text in record.texts()
        for sign in missing(text)
    ]
