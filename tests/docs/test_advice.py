"""The page of thirty situations says what the layers say, and what they say is what the documents do."""

from __future__ import annotations

import pytest

from tests.docs.advice import ASKED, EDITIONS, PAGE, answer, page
from zhtj.policy.layers import policy_named

SAID = {asked.title: [answer(policy_named(name), asked) for name in EDITIONS] for asked in ASKED}


@pytest.mark.rule("PD-62")
def test_the_page_is_what_the_layers_say():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make advice"
    assert len({asked.title for asked in ASKED}) == 30


@pytest.mark.rule("PD-62", "T-02")
def test_near_the_unit_the_usual_residence_is_as_good_since_2022():
    nearby, far = SAID["单位没有团组织，问同一个市里的经常居住地"], SAID["单位没有团组织，问另一个市里的经常居住地"]

    assert ["**首选** 乡镇街道团组织" in said for said in nearby] == [False, False, True]
    assert ["**不可以** 乡镇街道团组织" in said for said in nearby] == [True, True, False]
    assert ["**需说明** 乡镇街道团组织" in said for said in far] == [False, False, True]


@pytest.mark.rule("PD-62", "T-14", "K-05")
def test_origin_and_the_parents_are_no_longer_named_since_2022():
    for place in ("生源地", "父母居住地"):
        said = SAID[f"还没有落实去向，问{place}"]
        assert ["**需说明** 乡镇街道团组织；乡镇街道流动团员团支部" in each for each in said] == [False, False, True]
    home = SAID["还没有落实去向，问户籍所在地"]
    assert ["**首选** 乡镇街道流动团员团支部" in said for said in home] == [True, True, False]


@pytest.mark.rule("K-06")
def test_only_the_notice_of_2019_lets_villages_take_in_without_a_word():
    said = SAID["还没有落实去向，问经常居住地"]

    assert ["**可以** 乡镇街道团组织；村（社区）团组织" in each for each in said] == [True, False, False]


@pytest.mark.rule("PD-62", "T-16")
def test_whoever_goes_abroad_to_live_may_stay_since_2022():
    assert ["办理“出国（境）学习研究”" in said for said in SAID["出国（境）生活"]] == [False, False, True]


@pytest.mark.rule("D-15")
def test_counties_take_over_from_september_in_every_edition():
    for title, level in (("8 月", "不可以"), ("9 月以后", "可以")):
        for said in SAID[f"单位所在地的乡镇确有困难，{title}"]:
            line = next(each for each in said.split("<br>") if "县级流动团员团支部" in each)
            assert line.startswith(f"**{level}**")
