"""A branch in the list of graduation marks, and what can be marked there (G-02, G-05, G-17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zhtj.graduation import queries
from zhtj.graduation.models import BranchMark, NoTime
from zhtj.orgs.models import Category, Organisation


@dataclass(frozen=True, slots=True)
class MarkingLine:
    """A branch in the list of marks."""

    branch: Organisation
    mark: BranchMark | None
    members: int

    @property
    def is_pickable(self) -> bool:
        """Whether it can be marked together with others: a branch that has no mark yet (G-02, G-14)."""
        return self.mark is None and self.branch.category is Category.BRANCH

    @property
    def one_by_one(self) -> str:
        """What is marked for single members of it, in words; "" for nothing (G-05, G-16, G-17)."""
        if self.mark is None:
            return ""
        if self.mark.no_time is NoTime.MIXED:
            return "逐人标记"
        return "延迟毕业、教师" if self.branch.category is Category.GRADUATES else ""


def marking_lines(branches: Sequence[Organisation]) -> list[MarkingLine]:
    """The lines of these branches, in their order."""
    ids = [branch.id for branch in branches]
    marks, counts = queries.marks(ids), queries.count_members(ids)
    return [MarkingLine(branch, marks.get(branch.id), counts.get(branch.id, 0)) for branch in branches]
