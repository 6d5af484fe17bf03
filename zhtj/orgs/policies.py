"""Which policy governs an organisation: the season's, with the layers of its superiors over it (PD-11, PD-18)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import Organisation
from zhtj.policy.model import Policy
from zhtj.policy.seasons import governed, policy_for, policy_under


@dataclass(frozen=True, slots=True)
class SeasonPolicies:
    """The policies of one season, read once for any number of organisations.

    Args:
        season: year of graduation.
        layered: (path, code) of the organisations that have a layer of their own, from the top down.
    """

    season: int
    layered: Sequence[tuple[str, str]] = ()

    def of(self, organisation: Organisation) -> Policy:
        """The policy that holds there, see ``at``."""
        return self.at(organisation.path)

    def at(self, path: str) -> Policy:
        """The policy that holds at this place of the tree.

        Raises:
            NoPolicyError: the season lies before all policies.
        """
        return policy_for(self.season, self._line(path))

    def under(self, layer: str, path: str) -> Policy:
        """The policy that would hold at this place if a layer did, see ``seasons.policy_under``. Raises PolicyError."""
        return policy_under(layer, self.season, self._line(path))

    def _line(self, path: str) -> list[str]:
        return [code for above, code in self.layered if path.startswith(above)]


def policies_of(season: int, read: Session | None = None) -> SeasonPolicies:
    """The policies of a season; ``read`` is another session to ask, as reports do."""
    codes = governed(season)
    if not codes:  # nobody has a layer of their own: the database need not be asked
        return SeasonPolicies(season)
    query = select(Organisation.path, Organisation.code).where(Organisation.code.in_(codes)).order_by(Organisation.path)
    return SeasonPolicies(season, [(path, code) for path, code in (read or session()).execute(query)])


def policy_of(organisation: Organisation) -> Policy:
    """The policy that governs what happens in ``organisation`` today, applications out of it too (PD-18)."""
    return policies_of(clock.today().year).of(organisation)


def national_policy() -> Policy:
    """This season's policy without any local layer."""
    return policy_for(clock.today().year, ())


def by_policy(path: Any, condition: Callable[[Policy], ColumnElement[bool]]) -> ColumnElement[bool]:
    """SQL: a condition whose terms the policy gives, in each part of the tree under the one that holds there today.

    Args:
        path: column with the path of the organisation.
        condition: under one policy.
    """
    policies = policies_of(clock.today().year)
    found = condition(policies.at(""))
    # From the top down, so that the layer nearest to the organisation has the last word.
    for above, _ in policies.layered:
        here = subtree(path, above)
        found = or_(and_(here, condition(policies.at(above))), and_(~here, found))
    return found
