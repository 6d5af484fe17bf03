"""What the destination table says to one organisation: asked in one way by adviser, form, preview and start (PD-11).

Who somebody is and where his places lie meets the table here and nowhere else, so that no two pages can differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zhtj.orgs.models import Organisation
from zhtj.policy.destinations import Verdict, judge
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Destination, PlaceTie, Reason
from zhtj.transfers.applying import whereabouts
from zhtj.transfers.applying.whereabouts import Whereabouts

# What is said of one employment holds whether the unit has an organisation or not (T-06, K-09).
_EMPLOYED = frozenset({Reason.EMPLOYED_WITH_ORG, Reason.EMPLOYED_WITHOUT_ORG, Reason.WORK})


@dataclass(frozen=True, slots=True)
class Prospect:
    """A destination as the table sees it.

    Args:
        kind: what it is for whoever goes there.
        organisation: the destination itself.
        town: path of the township it belongs to; "" where it belongs to none.
        inside_school: it belongs to his own school; None where no school of his is known.
        ready: the admitting school has built its new students' organisation; None where that is no question.
    """

    kind: Destination
    organisation: Organisation
    town: str
    inside_school: bool | None
    ready: bool | None


def judged(
    policy: Policy,
    reason: Reason,
    to: Prospect,
    where: Whereabouts,
    *,
    claimed: PlaceTie,
    known: Mapping[str, bool | None],
) -> Verdict:
    """What the table says to a destination.

    Args:
        policy: the origin's.
        reason: why he transfers.
        to: where to.
        where: his places.
        claimed: his tie to that place, as he says.
        known: everything else that is known, by the names of the policy's facts.
    """
    tied = where.tied(claimed, to.organisation, to.town, policy.residence_near)
    facts = {**known, "inside_own_school": to.inside_school, "admitting_ready": to.ready}
    return judge(policy, reason, to.kind, tied.tie, **facts, **whereabouts.facts(policy, to.kind, tied))


def facts_of(policy: Policy, situation: str | None, reason: str) -> dict[str, bool | None]:
    """What is known as soon as somebody says that he is in this situation; nothing once his reason is another one."""
    row = policy.situations.get(situation or "")
    if row is None or row.reason is None:
        return {}
    same = row.reason == reason or {row.reason, reason} <= _EMPLOYED
    return {name: value for name, value in row.facts if value is not None} if same else {}
