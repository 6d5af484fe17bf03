"""Writes ``docs/advice.md``: thirty situations and what each edition of the guide says to them, from the layers alone.

``make advice`` writes it; a test says when it is old.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.docs.drawings import FOLDER
from zhtj.policy.destinations import Advice, Answers, advise
from zhtj.policy.layers import policy_named
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Destination, PlaceTie, Suitability

PAGE = FOLDER / "advice.md"
EDITIONS = ("2019-national", "2020-national", "2022-national")
HEAD = """# What three editions advise

Thirty situations, side by side under the national notice of 2019 (read back, where it is silent, from the guide of
2020), the guide of 2020 and its edition 4.0 of May 2022, which is in force. Written by `make advice` from the layers
in `zhtj/policy/data/`; rows in which the last two differ have a mark. 首选, 可以, 需说明 and 不可以 are the four
answers of the destination table, given for the place that is asked about; where none is, what is good alone.
北京, 广东 and 福建, always open to whoever goes there, are left out.

| | 情况 | 2019 | 2020 | 2022（4.0 版） |
|---|---|---|---|---|
"""
_UNIT, _HERE, _HOME = PlaceTie.UNIT_LOCATION, PlaceTie.RESIDENCE, PlaceTie.HOUSEHOLD
_ORIGIN, _PARENTS = PlaceTie.ORIGIN, PlaceTie.PARENTS_RESIDENCE


@dataclass(frozen=True)
class Asked:
    """What somebody tells the adviser.

    Args:
        title: in words.
        situation: key of the policy.
        place: the place that is asked about; None: all.
        facts: what else is known.
    """

    title: str
    situation: str
    place: PlaceTie | None = None
    facts: dict[str, Any] = field(default_factory=dict)


GOOD = (Suitability.PREFERRED, Suitability.ALLOWED)
UNABLE = {"township_unable": True}
ASKED = (
    Asked("升学，录取学校已建好新生团组织", "further_study", facts={"admitting_ready": True}),
    Asked("升学，录取学校还没有建好", "further_study", facts={"admitting_ready": False}),
    Asked("校内专升本", "internal_upgrade", facts={"inside_own_school": True}),
    Asked("支教保研，先支教一年", "teaching_year"),
    Asked("单位有团组织", "employed_with_org"),
    Asked("单位有团组织，还在试用期", "probation"),
    Asked("劳务派遣，问户籍所在地", "labour_dispatch", _HOME),
    Asked("单位要先收档案，或还没有入职", "file_first"),
    Asked("单位没有团组织，问单位所在地", "employed_without_org", _UNIT),
    Asked("单位没有团组织，问同一个市里的经常居住地", "employed_without_org", _HERE, {"near_unit": True}),
    Asked("单位没有团组织，问另一个市里的经常居住地", "employed_without_org", _HERE, {"near_unit": False}),
    Asked("单位没有团组织，经常居住地就是户籍地", "employed_without_org", _HERE, {"also_household": True}),
    Asked("单位没有团组织，问户籍所在地", "employed_without_org", _HOME),
    Asked("单位没有团组织，问生源地", "employed_without_org", _ORIGIN),
    Asked("单位所在地的乡镇确有困难，8 月", "employed_without_org", _UNIT, {**UNABLE, "county_open": False}),
    Asked("单位所在地的乡镇确有困难，9 月以后", "employed_without_org", _UNIT, {**UNABLE, "county_open": True}),
    Asked("参军入伍", "enlisted"),
    Asked("去涉密单位工作", "secret_unit"),
    Asked("还没有落实去向，问经常居住地", "unplaced", _HERE),
    Asked("还没有落实去向，问户籍所在地", "unplaced", _HOME),
    Asked("还没有落实去向，问生源地", "unplaced", _ORIGIN),
    Asked("还没有落实去向，问父母居住地", "unplaced", _PARENTS),
    Asked("还没有落实去向，想留在原就读学校", "retained"),
    Asked("再次考研，居住地不肯接收", "retake_exam"),
    Asked("在外地工作，想按未落实去向回户籍地", "unplaced", _HOME, {"employed_elsewhere": True}),
    Asked("出国（境）学习、研究", "overseas_study"),
    Asked("出国（境）生活", "overseas_private", _HOME),
    Asked("因公出国（境）工作", "overseas_official"),
    Asked("延迟毕业", "delayed"),
    Asked("退学，人事关系在户籍地", "dropout", _HOME),
)


def answer(policy: Policy, asked: Asked) -> str:
    """What a policy says: in words, and then how good which organisations are at the place asked about.

    Without a place only what is good; 北京, 广东 and 福建 are left out, they are always open.
    """
    places = (asked.place,) if asked.place else ()
    said, *options = advise(policy, Answers(situation=asked.situation, places=places, **asked.facts))
    found: dict[Suitability, list[str]] = {}
    for option in options:
        if option.level is not None and Destination.EXTERNAL not in option.destinations:
            found.setdefault(option.level, []).extend(_named(option, asked.place))
    ordered = sorted(found.items(), key=lambda each: each[0].rank)
    return "<br>".join([said.sentence, *(f"**{level.label}** {'；'.join(names)}" for level, names in ordered if names)])


def _named(option: Advice, place: PlaceTie | None) -> list[str]:
    if place is None or option.case:
        return [option.title] if option.level in GOOD else []
    if option.places and place not in option.places:
        return []
    return [each.label for each in option.destinations if each.place_bound]


def page() -> str:
    """The whole page."""
    policies = [policy_named(name) for name in EDITIONS]
    rows = []
    for number, asked in enumerate(ASKED, 1):
        cells = [answer(policy, asked) for policy in policies]
        mark = " ●" if cells[1] != cells[2] else ""
        rows.append(f"| {number}{mark} | {asked.title} | {' | '.join(cells)} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
