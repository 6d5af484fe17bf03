"""The initials of every county and larger place against a second published source of readings (O-19, PD-55).

CC-CEDICT, as pypinyin-dict has it, knows nearly all of them as words. Where the two differ, ``readings.tsv`` says who
is right, and why; nothing stands there that does not differ any more.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from pypinyin_dict.phrase_pinyin_data import cc_cedict
from pypinyin_dict.pinyin_data import cc_cedict as characters
from pypinyin_dict.pinyin_data import kmandarin_8105

from zhtj.kernel import pinyin
from zhtj.orgs import divisions
from zhtj.orgs.divisions import Rank, changed
from zhtj.orgs.naming import place_name

SETTLED = Path(__file__).with_name("readings.tsv")
WORDS: dict[str, list[list[str]]] = cc_cedict.phrases_dict
SIGNS: dict[int, str] = kmandarin_8105.pinyin_dict | characters.pinyin_dict


def letter(syllable: str) -> str:
    return unicodedata.normalize("NFD", syllable)[0].lower()


def places() -> list[str]:
    ranks = {Rank.PROVINCE, Rank.CITY, Rank.COUNTY}
    now = changed.after(divisions.read(), changed.all_changes())
    return list(dict.fromkeys(one.name for one in now if one.rank in ranks))


def published(name: str) -> str | None:
    """The initials of the name, or of the name without its kind; None where it is no word there."""
    for word in (name, place_name(name) or name):
        if word in WORDS:
            return "".join(letter(syllables[0]) for syllables in WORDS[word])
    return None


def settled() -> list[Sequence[str]]:
    with SETTLED.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file, delimiter="\t") if not row[0].startswith("#")]


@pytest.mark.slow("reads two dictionaries")
@pytest.mark.rule("O-19")
def test_every_county_and_larger_place_is_read_as_published() -> None:
    known = {name: theirs for name in places() if (theirs := published(name)) is not None}
    assert len(known) > 2_800
    differing = {
        (name, pinyin.initials(name), theirs)
        for name, theirs in known.items()
        if pinyin.initials(name)[: len(theirs)] != theirs
    }
    assert differing == {(name, ours, theirs) for name, ours, theirs, _ in settled()}
    assert all(source for *_, source in settled())


@pytest.mark.slow("reads two dictionaries")
@pytest.mark.rule("O-19")
def test_what_no_dictionary_knows_is_read_as_its_characters_can_be() -> None:
    """New counties and zones, whose names are everyday characters."""
    unknown = [name for name in places() if published(name) is None]
    assert unknown
    for name in unknown:
        for sign, initial in zip(name, pinyin.initials(name), strict=True):
            assert initial in {letter(one) for one in SIGNS[ord(sign)].split(",")}, name


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("闵行区", "mhq"),
        ("漯河市", "lhs"),
        ("漯河经济技术开发区", "lhjjjskfq"),
        ("崆峒区", "ktq"),
        ("筠连县", "jlx"),
        ("伽师县", "jsx"),
        ("南乐县", "nlx"),
        ("泊头市", "bts"),
        ("浪卡子县", "lkzx"),
        ("畹町镇", "wdz"),
        ("朝歌街道", "zgjd"),
        ("朝晖街道", "zhjd"),
        ("朝阳街道", "cyjd"),
        ("漩涡镇", "xwz"),
        ("涡阳县", "gyx"),
        ("涡北街道", "gbjd"),
        ("长官镇", "zgz"),
        ("长安区", "caq"),
        ("长子县", "zzx"),
    ],
)
@pytest.mark.rule("O-19")
def test_a_character_is_read_by_what_stands_around_it(name: str, letters: str) -> None:
    assert pinyin.initials(name) == letters


@pytest.mark.parametrize(
    ("name", "letters"), [("石朝晖", "szh"), ("长孙朝霞", "zszx"), ("郭长官", "gzg"), ("王朝阳", "wcy")]
)
@pytest.mark.rule("PD-55")
def test_given_names_are_not_read_like_places(name: str, letters: str) -> None:
    assert pinyin.of_person(name) == letters
