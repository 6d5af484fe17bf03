"""How the terms and days of a policy are said: the values stand in its layers, nowhere in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from zhtj.kernel import dates

_SAID = {1: "一个月", 6: "半年", 12: "一年", 24: "两年"}


def months(number: int) -> str:
    """半年 for 6, 一年 for 12, 3 个月 for 3."""
    return _SAID.get(number, f"{number} 个月")


def said(text: str, values: Mapping[str, Any]) -> str:
    """A sentence with the policy's values that it names.

    Args:
        text: ``{county_clear_months}内再转出`` becomes 一年内再转出; with ``:n`` the bare figure stands there.
        values: of the policy, by name.

    Raises:
        KeyError: it names a value that does not exist.
    """
    if "{" not in text:
        return text
    return text.format_map({name: _Spoken(name, value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class _Spoken:
    name: str
    value: Any

    def __format__(self, how: str) -> str:
        if isinstance(self.value, date):
            return dates.short(self.value)
        return months(self.value) if self.name.endswith("_months") and how != "n" else str(self.value)
