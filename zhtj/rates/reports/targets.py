"""目标: the rates an organisation is to reach, values of the policy that governs it (M-13, PD-26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from zhtj.kernel.sql.replica import reports
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import SeasonPolicies, policies_of
from zhtj.policy.model import Policy
from zhtj.policy.parts import Source
from zhtj.policy.seasons import NoPolicyError
from zhtj.rates.rules import Rate, RateKind

# The policy value that is the target of a rate.
VALUES: Mapping[RateKind, str] = {
    RateKind.FURTHER_STUDY: "target_sx",
    RateKind.SOCIETY: "target_xs",
    RateKind.UNIT: "target_unit",
    RateKind.INITIATED: "target_initiated",
    RateKind.DONE: "target_done",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached, in per cent, and who says so; ``source`` is None for one that was only typed in."""

    percent: Decimal
    source: Source | None = None

    def __str__(self) -> str:
        """As it is printed."""
        return f"{self.percent.normalize():f}%"

    def distance(self, rate: Rate) -> Decimal | None:
        """Percentage points from the target to the rate, negative below it; None for 0/0."""
        return None if rate.value is None else rate.value - self.percent


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of a season; ``read`` asks once for all organisations."""

    policies: SeasonPolicies

    def policy(self, organisation: Organisation) -> Policy | None:
        """The policy of the season there; None for a season before all policies."""
        try:
            return self.policies.of(organisation)
        except NoPolicyError:
            return None

    def of(self, organisation: Organisation) -> dict[RateKind, Target]:
        """Its targets, by rate; a rate without one is left out."""
        policy = self.policy(organisation)
        if policy is None:
            return {}
        values = {kind: getattr(policy, name) for kind, name in VALUES.items()}
        return {
            kind: Target(Decimal(str(value)), policy.source(VALUES[kind]))
            for kind, value in values.items()
            if value is not None
        }


def read(season: int) -> Targets:
    """The targets of a season, effective through the policy layers of each organisation's line."""
    return Targets(policies_of(season, reports()))


def target_of(organisation: Organisation, season: int, kind: RateKind) -> Target | None:
    """The target of one rate there; None if nobody set one."""
    return read(season).of(organisation).get(kind)
