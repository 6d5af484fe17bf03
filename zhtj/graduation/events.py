"""What graduation tells the rooms above, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegisterChanged:
    """Rows of the season register count no longer, count again, or have another category - or are new.

    Args:
        ids: which.
        new: they were opened just now, without a category.
    """

    ids: tuple[int, ...]
    new: bool = False


@dataclass(frozen=True, slots=True)
class MarksChanged:
    """After the conversion marks were changed so that somebody left the season or came in; ids of ``MarkChange``."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BranchesConverted:
    """These branches (ids) became 毕业生团组织: nobody can be transferred there any more (G-09, O-10)."""

    ids: tuple[int, ...]
