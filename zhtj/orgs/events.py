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
class OrganisationMerged:
    """An organisation becomes part of another; what is below it stands there already (PD-56).

    Args:
        before: id of the one that ends.
        after: id of its successor.
        by: why, such as ``divisions:12ab``.
    """

    before: int
    after: int
    by: str


@dataclass(frozen=True, slots=True)
class OrganisationMoved:
    """An organisation stands elsewhere now, with all below it (PD-07).

    Args:
        before: its path so far.
        after: its path from now on.
    """

    before: str
    after: str
