"""The form on which a graduate's destination is registered, for himself and for his organisation (T-34)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from zhtj.graduation.destinations import LABELS, Given, choices, label_of
from zhtj.policy.model import Policy

HINTS = {
    "unit_name": "升学的填录取学校，就业的填单位全称；涉密单位不要写。",
    "address": "单位、学校或居住地的详细地址。",
    "township": "上面这个地址属于哪个乡镇、街道。",
    "household": "户口本上的地址，写到乡镇、街道。",
}


def given(said: Mapping[str, str]) -> Given:
    """What a form sends."""
    return Given(**{one.name: said.get(one.name, "").strip() for one in fields(Given)})


def options(policy: Policy) -> list[tuple[str | int, str]]:
    """毕业去向类别 as options of a select."""
    return [("", "请选择"), *((reason.value, label_of(policy, reason)) for reason in choices(policy))]


def text_fields() -> list[tuple[str, str, str]]:
    """(name, label, hint) of the fields behind the category."""
    return [(name, label, HINTS.get(name, "")) for name, label in LABELS.items() if name != "reason"]
