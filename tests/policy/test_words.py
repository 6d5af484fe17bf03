"""Every word by which the product calls a place or a reason is understood when it comes back in a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zhtj.exports.transfers import reason_label
from zhtj.graduation.destinations import LABELS
from zhtj.imports.files.layouts import ROSTER
from zhtj.policy.layers import layer_names, policy_named
from zhtj.policy.vocabulary import PlaceTie, Reason
from zhtj.policy.words import place_said, reason_said

ROOT = Path(__file__).parents[2]
P = PlaceTie
# Every word for a place that stands anywhere on a page, in a message or in a sentence of the destination table.
NAMED = re.compile("(?:工作)?单位所在地|(?:经常|本人|现)?居住地|父母居住地|户籍(?:所在)?地|生源地")


def words_on_pages() -> set[str]:
    files = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("zhtj/**/*.py"), *ROOT.glob("zhtj/policy/data/*.toml")]
    return {word for path in files for word in NAMED.findall(path.read_text())}


@pytest.mark.rule("K-05")
def test_every_word_for_a_place_that_the_product_uses_is_understood():
    found = words_on_pages()

    assert {"居住地", "本人居住地", "户籍地", "户籍所在地", "单位所在地", "父母居住地", "生源地"} <= found
    assert not {word for word in found if place_said(word) is None}


@pytest.mark.parametrize(
    ("words", "tie"),
    [
        *((place.label, place) for place in PlaceTie),
        *((place.value, place) for place in PlaceTie),
        (LABELS["residence"], P.RESIDENCE),
        (LABELS["household"], P.HOUSEHOLD),
        (LABELS["parents_residence"], P.PARENTS_RESIDENCE),
        ("“居住地”", P.RESIDENCE),
        (" 户籍 地 ", P.HOUSEHOLD),
        ("不适用", P.NONE),
        ("月球", None),
        ("", None),
    ],
)
def test_a_place_is_understood_by_each_of_its_names(words: str, tie: PlaceTie | None):
    assert place_said(words) is tie


def test_headings_of_a_roster_name_the_same_places():
    headings = {name for column in ROSTER.columns for name in (column.name, *column.aliases)}

    assert {place_said(name) for name in headings if "地" in name} == {P.RESIDENCE, P.HOUSEHOLD, P.ORIGIN}


@pytest.mark.parametrize("name", [name for name in layer_names() if name != "base"])
@pytest.mark.rule("K-18")
def test_a_reason_is_understood_by_its_name_of_any_season_and_place(name: str):
    policy = policy_named(name, 2026)

    for reason, spec in policy.reasons.items():
        label = spec.label or policy.special_unit_label
        assert reason_said(label) is reason
        assert reason_said(label.replace("（", "(").replace("）", ")")) is reason
    for row in policy.situations.values():
        if row.reason is not None and row.group:
            assert reason_said(row.title) is row.reason, row.title


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_understood_as_exports_write_it(reason: Reason):
    assert reason_label(reason) != ""
    assert reason_said(reason_label(reason)) is reason


def test_what_is_no_reason_is_none():
    assert reason_said("去月球") is None
    assert reason_said("") is None
