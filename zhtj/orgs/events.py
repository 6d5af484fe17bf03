"""What the tree tells the rooms above, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass

from zhtj.orgs.models import Purpose


@dataclass(frozen=True, slots=True)
class OrganisationCreated:
    """A new organisation (id) stands in the tree."""

    id: int
    purpose: Purpose | None


@dataclass(frozen=True, slots=True)
class OrganisationMoved:
    """An organisation stands elsewhere now, with all below it (PD-07).

    Args:
        before: its path so far.
        after: its path from now on.
    """

    before: str
    after: str
