"""What the tree tells the rooms above, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass

from zhtj.orgs.models import Purpose


@dataclass(frozen=True, slots=True)
class OrganisationCreated:
    """A new organisation (id) stands in the tree."""

    id: int
    purpose: Purpose | None
