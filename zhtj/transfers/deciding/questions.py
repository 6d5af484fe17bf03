"""What somebody is asked before he takes an action: the form of one line and that of many are read off it."""

from __future__ import annotations

from dataclasses import dataclass

from zhtj.transfers.workflow import Action


@dataclass(frozen=True, slots=True)
class Questions:
    """What the form of one action asks, and what it says will follow.

    Args:
        leads_on: it brings the applicant nearer to where he wants to go.
        hands_on: the other side decides next (PD-15).
        branch: into which branch the member goes (A-12).
        later: the branch may be chosen afterwards.
        floating: the branch is one of the county's own floating ones (T-03, D-15).
        checks: whether file and whereabouts have been checked (E-07, T-05).
        final: it can neither be taken back nor followed by a transfer (S-07).
        evidence: what shows how an external system decided (PD-32).
        taken_in: that system has taken the member in (X-05).
        ground: why not, with a remark that the applicant sees (A-15).
        gives_up: whoever started it takes it back.
    """

    leads_on: bool = False
    hands_on: bool = False
    branch: bool = False
    later: bool = False
    floating: bool = False
    checks: bool = False
    final: bool = False
    evidence: bool = False
    taken_in: bool = False
    ground: bool = False
    gives_up: bool = False

    @property
    def ends_it(self) -> bool:
        """Whether the applicant stays where he is."""
        return self.ground or self.gives_up

    @property
    def shapes_outcome(self) -> bool:
        """Whether what is chosen changes what will happen, so that looking again is worth it."""
        return self.branch or self.ground


_ASKED = {
    Action.RELEASE: Questions(leads_on=True, hands_on=True),
    Action.ACCEPT: Questions(leads_on=True, branch=True, later=True, checks=True),
    Action.ALLOCATE: Questions(leads_on=True, branch=True),
    Action.TAKE_OVER: Questions(branch=True, floating=True),
    Action.APPROVE: Questions(leads_on=True, final=True),
    Action.CONFIRM: Questions(leads_on=True, evidence=True, taken_in=True),
    Action.FAIL: Questions(evidence=True),
    Action.REFUSE: Questions(ground=True),
    Action.WITHDRAW: Questions(gives_up=True),
}


def asked_for(action: Action) -> Questions:
    """What is asked before ``action``; nothing of those that have a page of their own."""
    return _ASKED.get(action, Questions())
