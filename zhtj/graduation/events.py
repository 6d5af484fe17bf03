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
