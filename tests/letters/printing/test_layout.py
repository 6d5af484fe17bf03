"""The geometry of the page, read back out of the PDF: nothing clipped, nothing on top of another thing."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from tests.letters.printing.reading import EDGES, Page, pages
from tests.letters.samples import ALL, LONG, ORDINARY, SITE
from tests.letters.test_seals import stamp
from zhtj.letters.printing.pages import SIZES, sizes
from zhtj.letters.printing.render import render_letter
from zhtj.letters.record import LIMITS, LetterRecord

LEFT, RIGHT, TOP, BOTTOM = 8.0, 195.0, 5.0, 293.0
QR = (24.0, 164.0, 45.0, 185.0)


def drawn(record: LetterRecord) -> Page:
    (page,) = pages(render_letter(record, site=SITE))
    return page


def faults(page: Page) -> list[str]:
    """Everything wrong with the places of a page's texts."""
    found = [f"{piece.text!r} leaves the page" for piece in page.pieces if not _inside(piece.left, piece.right)]
    for piece in page.pieces:
        top, bottom = piece.base - piece.size * 0.85, piece.base + piece.size * 0.15
        if "骑缝章" not in piece.text and any(top < edge < bottom for edge in EDGES[:2]):
            found.append(f"{piece.text!r} is cut by the perforation")
        if top < TOP or bottom > BOTTOM:
            found.append(f"{piece.text!r} is at the paper's edge")
        if piece.left < QR[2] and piece.right > QR[0] and top < QR[3] and bottom > QR[1]:
            found.append(f"{piece.text!r} touches the QR code")
    found += [f"{a.text!r} on {b.text!r}" for a, b in combinations(page.pieces, 2) if a.meets(b)]
    return found


def _inside(left: float, right: float) -> bool:
    return left >= LEFT and right <= RIGHT


@pytest.mark.rule("L-05")
@pytest.mark.parametrize("name", ALL)
def test_every_text_has_its_place(name):
    assert faults(drawn(ALL[name])) == []


@pytest.mark.rule("L-05", "L-08")
@pytest.mark.parametrize("with_stub", [True, False])
@pytest.mark.parametrize("name", ["ordinary", "long", "most"])
def test_with_a_seal_and_as_the_members_copy_too(name, with_stub):
    # given a letter with the issuer's seal under its print
    (page,) = pages(render_letter(ALL[name], site=SITE, seal=stamp(), with_stub=with_stub))
    # then every text keeps its place, and there is one page
    assert faults(page) == []


@pytest.mark.slow("prints letters")
@pytest.mark.parametrize("field", ["issuer", "receiver", "name", "address", "file_note", "handler", "reason_text"])
@pytest.mark.parametrize("share", [0.2, 0.35, 0.5, 0.75, 1])
def test_any_field_may_be_long_by_itself(field, share):
    # given an otherwise ordinary letter with one field anywhere up to its limit
    length = max(2, round(LIMITS[field] * share))
    other: dict[str, Any] = {"file_disposition": LONG.file_disposition} if field == "file_note" else {}
    other |= {"reason": LONG.reason} if field == "reason_text" else {}
    record = replace(ORDINARY, **{field: "团" * (length - 1) + "员"}, **other)
    # then it fits
    assert faults(drawn(record)) == []


@pytest.mark.parametrize("length", range(10, 120, 10))
def test_both_organisations_may_be_long(length):
    issuer, receiver = "共青团" + "示" * (length - 4) + "甲", "共青团" + "范" * (length - 4) + "乙"
    assert faults(drawn(replace(LONG, issuer=issuer, receiver=receiver))) == []


@pytest.mark.parametrize("name", ["Maximiliana Alexandrowna Konstantinopolskaja-Sehrlang", "W" * 60])
def test_latin_names_are_broken_rather_than_cut(name):
    assert faults(drawn(replace(ORDINARY, name=name))) == []


def test_an_ordinary_letter_is_set_in_the_full_size():
    assert sizes(ORDINARY) == ("normal", "normal", "normal")


def test_names_of_forty_characters_stay_readable():
    # given organisations with names of 40 characters
    assert len(LONG.issuer) == len(LONG.receiver) == 40
    # then no text is smaller than 9 points
    assert {size.name: size.type for size in SIZES}[min(sizes(LONG), key=_points)] >= 9


def _points(name: str) -> float:
    return {size.name: size.type for size in SIZES}[name]


def test_the_seals_have_room():
    # given the place for the issuer's seal, 42 mm across, over the line that asks for it
    page = drawn(LONG)
    (asked,) = [piece for piece in page.pieces if "转出团委盖章" in piece.text]
    middle = (asked.left + asked.right) / 2
    # then nothing else than that line, the day and the contacts' right column comes near
    near = [piece for piece in page.pieces if piece is not asked and piece.slip == 1]
    near = [piece for piece in near if piece.right > middle - 21 and piece.left < middle + 21]
    near = [piece for piece in near if abs(piece.base - asked.base) < 12]
    assert {piece.text.strip() for piece in near} <= {"2026 年 10 月 14 日"}
