"""The terms and days of a policy as sentences say them."""

from __future__ import annotations

from datetime import date

import pytest

from zhtj.policy import layers, spoken
from zhtj.policy.layers import compose, lineage


@pytest.mark.parametrize(
    ("number", "words"), [(1, "一个月"), (3, "3 个月"), (6, "半年"), (12, "一年"), (24, "两年"), (36, "36 个月")]
)
def test_months_are_said_as_people_say_them(number, words):
    assert spoken.months(number) == words


def test_a_sentence_names_the_values_it_speaks_of():
    values = {"clear_months": 12, "from": date(2026, 9, 1), "age": 28}

    assert spoken.said("{from}起，{clear_months}内；{clear_months:n} 个月，{age} 周岁。", values) == (
        "9月1日起，一年内；12 个月，28 周岁。"
    )
    assert spoken.said("没有。", {}) == "没有。"
    with pytest.raises(KeyError):
        spoken.said("{nothing}", values)


@pytest.mark.rule("PD-61")
def test_the_layers_sentences_follow_their_values(monkeypatch):
    read = layers.layer
    national = read("2020-national")
    changed = national.model_copy(
        update={
            "values": {
                **national.values,
                "county_clear_months": layers.LayerValue(value=24, rule="D-16"),
                "county_fallback_from": layers.LayerValue(value="10-15", rule="D-15"),
            }
        }
    )
    monkeypatch.setattr(layers, "layer", lambda name: changed if name == "2020-national" else read(name))

    policy = compose(lineage("2026-national"), 2026)

    sentences = {line.why for line in policy.table}
    assert "乡镇街道确有困难接收不了的，由县级流动团员团支部接收，两年内再转出。" in sentences
    assert "县级流动团员团支部从10月15日起才接收。" in sentences
    assert "10月15日起由县级团组织" in policy.situations["township_unable"].say
