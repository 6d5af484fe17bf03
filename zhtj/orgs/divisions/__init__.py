"""Administrative divisions (行政区划) that carry the national part of the tree (PD-05).

The data file is an outline of codes and names as published. Reading it does the interpretation: placeholder levels
are skipped and their children rise, names are tidied, and each lowest division is told apart as 街道, 镇, 乡 or a
unit that is none of them.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DATA_FILE = Path(__file__).with_name("divisions.txt.gz")
# Digits of a code by level: province, city, county, township.
WIDTHS = (2, 4, 6, 9)


class Rank(StrEnum):
    """What a division is (省, 市, 县, 街道, 镇, 乡; ``unit`` is a farm, zone or other body of township rank)."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    STREET = "street"
    TOWN = "town"
    RURAL = "rural"
    UNIT = "unit"


CODE_LEVELS = (Rank.PROVINCE, Rank.CITY, Rank.COUNTY)
"""What a code of 2, 4 and 6 digits stands for."""
_COUNTY = 2
TOWNSHIP_RANKS = frozenset({Rank.STREET, Rank.TOWN, Rank.RURAL})


@dataclass(frozen=True, slots=True)
class Division:
    """One division that gets a leading organ or a basic committee.

    Attributes:
        code: administrative division code of 2, 4, 6 or 9 digits.
        name: its own name, without its superiors'.
        rank: what it is.
        parent: code of the division above, past skipped levels; None for a province.
    """

    code: str
    name: str
    rank: Rank
    parent: str | None

    @property
    def is_township(self) -> bool:
        """乡镇街道, the level that hosts a floating branch (O-03, O-04)."""
        return self.rank in TOWNSHIP_RANKS


# Levels that exist in the numbering only, and the stand-ins for villages without a township.
_PLACEHOLDER = re.compile(r"市辖区|县|(省|自治区)直辖县级行政区划|.*直辖村级区划")
_TIDY = (
    (re.compile(r"街道(办事处|地区)$|办事处街道$"), "街道"),
    (re.compile(r"(?<=[区园城])(管委会|管理委员会)$"), ""),
)
_BRACKETS = re.compile(r"[（）]")
_ENDINGS = (("街道", Rank.STREET), ("街", Rank.STREET), ("镇", Rank.TOWN), ("乡", Rank.RURAL), ("苏木", Rank.RURAL))
# The seventh digit tells the kind in the numbering: 0 街道, 1 镇, 2 and 3 乡, 4 and 5 units of that rank. There are
# townships among the last (new streets, above all), and entries that only end like one: collective entries
# (…特殊乡镇), a business park called 小镇, a regiment (…团乡).
_KIND_DIGIT = 6
_UNIT_KINDS = "45"
_COLLECTIVE = "特殊乡镇"
_NO_TOWNSHIP = re.compile(r"(乡镇|小镇|团乡)$")


def published(data: Path = DATA_FILE) -> Iterator[tuple[str, str]]:
    """Code and name of every entry of the data file, as published, in the order of codes."""
    code = ""
    for line in gzip.decompress(data.read_bytes()).decode().splitlines():
        entry = line.lstrip("\t")
        level = len(line) - len(entry)
        start = WIDTHS[level - 1] if level else 0
        digits = WIDTHS[level] - start
        code = code[:start] + entry[:digits]
        yield code, entry[digits:]


def interpret(entries: Iterable[tuple[str, str]]) -> Iterator[Division]:
    """Turn published entries into the divisions of the tree, superiors first (PD-05).

    Args:
        entries: code and name, a superior always before what is below it.
    """
    # The code under which the children of an entry stand: its own, or for a skipped entry its superior's.
    stands_at: dict[str, str | None] = {}
    names: dict[str | None, str] = {}
    for code, raw in entries:
        level = WIDTHS.index(len(code))
        parent = stands_at[code[: WIDTHS[level - 1]]] if level else None
        # A city without counties is published with one county of its own name (儋州, 嘉峪关).
        if _PLACEHOLDER.fullmatch(raw) or (level == _COUNTY and names.get(parent) == raw):
            stands_at[code] = parent
            continue
        stands_at[code] = code
        names[code] = raw
        name = tidy(raw)
        rank = CODE_LEVELS[level] if level <= _COUNTY else township_rank(code, name)
        yield Division(code, name, rank, parent)


def tidy(name: str) -> str:
    """The name of the place without the name of the office that runs it (井岗街道办事处 → 井岗街道)."""
    for pattern, replacement in _TIDY:
        name = pattern.sub(replacement, name)
    return name


def township_rank(code: str, name: str) -> Rank:
    """Tell 街道, 镇, 乡 and 苏木 from units of the same rank (O-04, PD-05).

    A zone that is run as one with a township names it in brackets and counts as that: 经济开发区（马棚街道）.

    Args:
        code: of nine digits.
        name: as ``tidy`` left it.
    """
    for part in _BRACKETS.split(name):
        for ending, rank in _ENDINGS:
            if part.endswith(ending):
                no_township = part.endswith(_COLLECTIVE) or (
                    code[_KIND_DIGIT] in _UNIT_KINDS and _NO_TOWNSHIP.search(part)
                )
                return Rank.UNIT if no_township else rank
    return Rank.UNIT


def read(provinces: Iterable[str] | None = None) -> list[Division]:
    """The divisions as published, superiors first, siblings in the order of their codes.

    Args:
        provinces: two-digit codes to read; None reads all 28.
    """
    wanted = None if provinces is None else frozenset(provinces)
    return [division for division in interpret(published()) if wanted is None or division.code[:2] in wanted]
