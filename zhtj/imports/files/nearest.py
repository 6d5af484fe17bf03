"""Which of many names a mistyped one probably meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher

_COMPARED = 40
_LEAST_LIKENESS = 0.5


class Nearest:
    """Finds the names most like another one, in thousands of them, by the pairs of signs they share.

    Args:
        names: all names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._by_pair: dict[str, list[int]] | None = None

    def __call__(self, wanted: str, count: int = 3) -> list[str]:
        """Up to ``count`` names, the most similar first; none if nothing is similar."""
        shared: Counter[int] = Counter()
        index = self._index()
        for pair in _pairs(wanted):
            shared.update(index.get(pair, ()))
        likely = [self._names[position] for position, _ in shared.most_common(_COMPARED)]
        ranked = sorted(((_likeness(wanted, name), name) for name in likely), key=lambda one: (-one[0], one[1]))
        return [name for likeness, name in ranked[:count] if likeness >= _LEAST_LIKENESS]

    def _index(self) -> dict[str, list[int]]:
        if self._by_pair is None:
            self._by_pair = defaultdict(list)
            for position, name in enumerate(self._names):
                for pair in _pairs(name):
                    self._by_pair[pair].append(position)
        return self._by_pair


def _pairs(name: str) -> set[str]:
    return {name[position : position + 2] for position in range(len(name) - 1)}


def _likeness(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right, autojunk=False).ratio()
