"""The organisations a file may name, found by full name or code (O-22)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zhtj.imports.files.cells import key
from zhtj.imports.files.nearest import Nearest

# Thousands of misspelt names in one file are one mistake; suggestions for the first ones show it.
_SUGGESTED = 300
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class KnownOrganisation:
    """What an import needs to know of an organisation in the tree."""

    id: int
    code: str
    full_name: str
    is_branch: bool
    is_closed: bool
    is_graduates: bool = False
    short_name: str = ""


class Branches:
    """The branches inside one organisation.

    Args:
        within: name of that organisation, for messages.
        places: it and everything below it.

    ``only`` is that organisation, if it is a branch itself: its own list need not say so in every row.
    """

    def __init__(self, within: str, places: Iterable[KnownOrganisation]) -> None:
        self.only: KnownOrganisation | None = None
        self._within = within
        self._by_name: dict[str, list[KnownOrganisation]] = {}
        self._by_code: dict[str, KnownOrganisation] = {}
        self._by_short_name: dict[str, list[str]] = {}
        open_names = []
        for place in places:
            self._by_name.setdefault(key(place.full_name), []).append(place)
            self._by_code[place.code] = place
            if place.is_branch and not place.is_closed:
                open_names.append(place.full_name)
                self._by_short_name.setdefault(key(place.short_name), []).append(place.full_name)
                self.only = place if place.full_name == within else self.only
        self._nearest = Nearest(open_names)
        self._known_problems: dict[str, tuple[str, str]] = {}

    def find(self, words: str) -> KnownOrganisation | None:
        """The open branch with this full name or code; blanks and full-width signs do not matter."""
        place = self._place(words)
        return place if place is not None and place.is_branch and not place.is_closed else None

    def problem(self, words: str) -> tuple[str, str]:
        """Why ``find`` found nothing, and what to do."""
        if words not in self._known_problems:
            self._known_problems[words] = self._problem(words)
        return self._known_problems[words]

    def _place(self, words: str) -> KnownOrganisation | None:
        named = self._by_name.get(key(words), [])
        return named[0] if len(named) == 1 else self._by_code.get(words)

    def _problem(self, words: str) -> tuple[str, str]:
        place = self._place(words)
        if place is not None and not place.is_branch:
            return f"“{words}”不是团支部，团员只能编入团支部。", "请填写它下面团支部的全称。"
        if place is not None:
            return f"“{words}”已停用。", "请填写现在的团支部。"
        cause = f"“{self._within}”及其下级中没有全称为“{words}”的团支部。"
        near = self._by_short_name.get(key(words), [])[:_NEAREST]
        if not near and len(self._known_problems) < _SUGGESTED:
            near = self._nearest(words)
        if not near:
            return cause, "请按系统内的全称填写，或先建立这个团支部。"
        return cause, f"最接近的是：{'；'.join(near)}。请改成系统内的全称。"
