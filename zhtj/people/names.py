"""Names of people as one searches for them: pinyin initials (拼音首字母)."""

from __future__ import annotations

from zhtj.orgs.naming import initials

_LONGEST = 60


def initials_of(name: str) -> str:
    """龑喆 → yz, 阿卜杜·买买提 → abdmmt; what is no Chinese sign stays, in small letters."""
    return initials("".join(sign for sign in name.casefold() if sign.isalnum()))[:_LONGEST]
