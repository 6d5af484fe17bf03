"""What a dry run found, counted: how many applications, which differences, for which reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from zhtj.editions.comparing import Compared
from zhtj.editions.rules import Difference, Touched
from zhtj.policy.vocabulary import Reason


@dataclass
class DryRunCounts:
    """Counts of applications.

    Args:
        total: compared.
        differing: of these, with any difference at all.
        touched: by what of them is otherwise.
        differences: by difference and reason; whoever has two of them stands in both.
    """

    total: int = 0
    differing: int = 0
    touched: Counter[Touched] = field(default_factory=Counter)
    differences: Counter[tuple[Difference, Reason]] = field(default_factory=Counter)

    def add(self, found: Iterable[Compared]) -> None:
        """Count some more."""
        for each in found:
            self.total += 1
            self.differing += bool(each.changes)
            self.touched.update(each.touched)
            self.differences.update({(change.difference, each.reason) for change in each.changes})

    def of(self, difference: Difference) -> int:
        """How many have this difference, whatever their reason."""
        return sum(count for (one, _), count in self.differences.items() if one is difference)

    def reasons(self, difference: Difference) -> list[tuple[Reason, int]]:
        """The same by reason, the most frequent first."""
        found = [(reason, count) for (one, reason), count in self.differences.items() if one is difference]
        return sorted(found, key=lambda each: (-each[1], each[0].value))

    @property
    def found(self) -> list[Difference]:
        """The differences there are, in their order."""
        return [each for each in Difference if self.of(each)]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "total": self.total,
            "differing": self.differing,
            "touched": {each.value: self.touched[each] for each in Touched},
            "differences": {
                each.value: {reason.value: count for reason, count in self.reasons(each)} for each in self.found
            },
        }

    @classmethod
    def read(cls, kept: dict[str, Any]) -> DryRunCounts:
        """What ``as_dict`` wrote down."""
        return cls(
            kept["total"],
            kept["differing"],
            Counter({Touched(key): count for key, count in kept["touched"].items()}),
            Counter(
                {
                    (Difference(key), Reason(reason)): count
                    for key, reasons in kept["differences"].items()
                    for reason, count in reasons.items()
                }
            ),
        )
