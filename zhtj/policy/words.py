"""What words in a file mean: every name by which pages, messages and exports call a place or a reason comes back.

A file is often made of what the product itself has printed: last year's list, a message copied into a cell.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from zhtj.policy import layers
from zhtj.policy.vocabulary import PlaceTie, Reason

SPECIAL = "转往特殊单位"  # what every season calls it; what stands behind it differs by place (K-18)
# Besides its own label: what forms, records and messages call such a place, and what people write for it.
_PLACES = {
    PlaceTie.UNIT_LOCATION: "单位所在地 工作单位地址 单位地址 工作所在地 工作地",
    PlaceTie.RESIDENCE: "居住地 现居住地 本人居住地 常居住地 常住地",
    PlaceTie.HOUSEHOLD: "户籍地 户籍 户口所在地 户口",
    PlaceTie.ORIGIN: "生源所在地",
    PlaceTie.PARENTS_RESIDENCE: "父母所在地 父母住处",
    PlaceTie.NONE: "不适用 无 没有",
}
_REASONS = {
    Reason.UNPLACED: "未落实去向 未落实 没有落实去向",
    Reason.SPECIAL_UNIT: "参军 入伍 涉密单位",
    Reason.RELOCATION: "搬家",
}
_MARKS = re.compile(r"[\s（）()，,、。“”\"'／/·-]+")


def plain(words: str) -> str:
    """The form in which such words are compared: without blanks and punctuation, half width."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", words))


@cache
def _places() -> dict[str, PlaceTie]:
    named = {plain(word): place for place, words in _PLACES.items() for word in words.split()}
    return named | {plain(text): place for place in PlaceTie for text in (place.label, place.value)}


def place_said(words: str) -> PlaceTie | None:
    """The tie to a place that words mean; None: none that is known."""
    return _places().get(plain(words))


@cache
def _reasons() -> dict[str, frozenset[Reason]]:
    """The reasons that words may mean: by the labels of every season and place, and by the situations' titles."""
    found: dict[str, set[Reason]] = {}
    for reason, words in _REASONS.items():
        for word in words.split():
            found.setdefault(plain(word), set()).add(reason)
    read = [layers.layer(name) for name in layers.layer_names()]
    for row in (row for one in read for row in one.situations.values()):
        if row.reason is not None:
            found.setdefault(plain(row.title), set()).add(row.reason)
    for one in read:
        special = one.values.get("special_unit_label")
        names = {reason: spec.label for reason, spec in one.reasons.items() if spec.label}
        names |= {Reason.SPECIAL_UNIT: str(special.value)} if special is not None else {}
        found |= {plain(text): {reason} for reason, label in names.items() for text in (label, reason.value)}
    return {word: frozenset(reasons) for word, reasons in found.items()}


def reason_said(words: str) -> Reason | None:
    """The reason that words mean; None: none that is known, or more than one."""
    said = plain(words)
    found = _reasons().get(said, frozenset())
    if not found and said.startswith(SPECIAL):
        found = frozenset({Reason.SPECIAL_UNIT})
    return next(iter(found)) if len(found) == 1 else None
