"""What graduation tells the rooms above, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegisterChanged:
    """These rows of the season register (ids) are new, count no longer, count again, or have another category."""

    ids: tuple[int, ...]
