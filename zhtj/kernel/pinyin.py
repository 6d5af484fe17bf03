"""Pinyin initials (拼音首字母), by which places and people are found. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from zhtj.kernel import names

# Where the reading of a place differs from the everyday word, with what stands around it: a longer entry goes first.
# A single character stands for nearly every name; where it does not, the word around it says so.
_READINGS = {
    "仇": "q",
    "曾": "z",
    "朝": "c",
    "朝气": "zq",
    "朝夕": "zx",
    "朝晖": "zh",
    "朝曦": "zx",
    "朝歌": "zg",
    "朝暾": "zt",
    "朝辉": "zh",
    "朝露": "zl",
    "朝霞": "zx",
    "今朝": "jz",
    "明朝": "mc",
    "涡": "g",
    "漩涡": "xw",
    "旋涡": "xw",
    "翟": "z",
    "覃": "q",
    "镐": "h",
    "长": "c",
    "长兄": "zx",
    "长官": "zg",
    "长女": "zn",
    "长子县": "zzx",
    "长孙": "zs",
    "长老": "zl",
    "会长": "hz",
    "团长": "tz",
    "家长": "jz",
    "成长": "cz",
    "校长": "xz",
    "班长": "bz",
    "生长": "sz",
    "首长": "sz",
    "伽师": "js",
    "会稽": "kj",
    "单县": "sx",
    "南乐": "nl",
    "召陵": "sl",
    "宕昌": "tc",
    "崆峒": "kt",
    "沌口": "zk",
    "泊头": "bt",
    "洪洞": "ht",
    "浚县": "xx",
    "浪卡子": "lkz",
    "漯河": "lh",
    "畹町": "wd",
    "祭城": "zc",
    "筠连": "jl",
    "繁峙": "fs",
    "荥经": "yj",
    "莘庄": "xz",
    "解州": "xz",
    "郇封": "xf",
    "重兴": "cx",
    "重华": "ch",
    "重固": "cg",
    "重阳": "cy",
    "闵行": "mh",
    "龟兹": "qc",
}
_READING = re.compile("|".join(sorted(_READINGS, key=len, reverse=True)))

# Surnames that are not read as the word is, or in more than one way: the usual reading first. Each is a way to look.
_SURNAMES = {
    "万俟": ("mq", "ws"),
    "单于": ("cy", "sy", "dy"),
    "宓": ("m", "f"),
    "尉迟": ("yc", "wc"),
    "长孙": ("zs", "cs"),
    "澹台": ("tt", "dt"),
    "乐正": ("yz", "lz"),
    "乜": ("n", "m"),
    "乐": ("y", "l"),
    "么": ("y", "m"),
    "仇": ("q", "c"),
    "佴": ("n", "e"),
    "区": ("o", "q"),
    "单": ("s", "d", "c"),
    "句": ("g", "j"),
    "召": ("s", "z"),
    "尉": ("w", "y"),
    "查": ("z", "c"),
    "庹": ("t", "d"),
    "折": ("s", "z"),
    "曾": ("z", "c"),
    "朝": ("c", "z"),
    "沈": ("s", "c"),
    "炅": ("g", "j"),
    "瞿": ("q", "j"),
    "祭": ("z", "j"),
    "种": ("c", "z"),
    "秘": ("b", "m"),
    "繁": ("p", "f"),
    "翟": ("z", "d"),
    "藏": ("z", "c"),
    "行": ("x", "h"),
    "褚": ("c", "z"),
    "覃": ("q", "t", "x"),
    "解": ("x", "j"),
    "谌": ("c", "s"),
    "贲": ("b", "f"),
    "贾": ("j", "g"),
    "车": ("c", "j"),
    "郄": ("q", "x"),
    "郇": ("x", "h"),
    "郗": ("x", "c"),
    "重": ("c", "z"),
    "钭": ("t", "d"),
    "长": ("c", "z"),
    "阚": ("k", "h"),
    "隗": ("k", "w"),
    "颉": ("x", "j"),
    "降": ("j", "x"),
    "眭": ("s", "x"),
    "宿": ("s", "x"),
    "盛": ("s", "c"),
    "盖": ("g", "h"),
    "莘": ("s", "x"),
    "强": ("q", "j"),
    "晟": ("c", "s"),
    "蕃": ("b", "f"),
}


@lru_cache(maxsize=4096)
def initials(text: str) -> str:
    """One letter for each Chinese character: 重庆 → cq, 2022级1班 → 2022j1b.

    Args:
        text: half width, small letters, no blanks; what has no reading stays as it is.
    """
    beginnings = _beginnings()
    if any(text[start : start + 2] in beginnings for start in range(len(text) - 1)):
        letters = _letters(text)
    else:
        letters = [_letter(sign) for sign in text]
    for found in _READING.finditer(text):
        letters[found.start() : found.end()] = _READINGS[found[0]]
    return "".join(letters)


def _letters(text: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 - its dictionaries cost 0.3 s; searching never needs them

    # Whatever has no reading comes back sign by sign.
    signs: Any = list
    return [part[0] for part in lazy_pinyin(text, style=Style.FIRST_LETTER, errors=signs)]


@lru_cache(maxsize=32_768)
def _letter(sign: str) -> str:
    return _letters(sign)[0]


@lru_cache(maxsize=1)
def _beginnings() -> frozenset[str]:
    """What the words begin with whose reading is more than that of their signs: names seldom contain any."""
    from pypinyin.constants import PHRASES_DICT  # noqa: PLC0415 - see above

    return frozenset(words[:2] for words in PHRASES_DICT)


def of_person(name: str) -> str:
    """The initials of a name in its usual reading: 单雨 → sy, 阿卜杜·买买提 → abdmmt, Li Na → lina."""
    return _readings(name)[0]


def person_terms(name: str) -> set[str]:
    """What a person is found by beside the beginning of the name and its usual initials (PD-55).

    The name without what stands between its parts, and from each further part on; both as they are and as initials;
    and the initials with every other reading of the surname.

    Args:
        name: as ``names.tidy`` leaves it.
    """
    usual, *others = _readings(name)
    terms = set(others)
    parts = names.parts(name)
    for first in range(len(parts)) if len(parts) > 1 else ():
        rest = names.key("".join(parts[first:]))
        terms |= {rest, _cut(initials(rest))}
    return {term[: names.LONGEST] for term in terms} - {usual, name}


def _readings(name: str) -> list[str]:
    """The initials of a whole name, once for each reading of its surname; the usual one first."""
    plain = names.key(name)
    surname = next((plain[:length] for length in (2, 1) if plain[:length] in _SURNAMES), "")
    if not surname or names.DOT in name:
        return [_cut(initials(plain))]
    given = initials(plain[len(surname) :])
    return [_cut(reading + given) for reading in _SURNAMES[surname]]


def _cut(letters: str) -> str:
    return letters[: names.LONGEST]
