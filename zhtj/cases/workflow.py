"""The one way every case goes, as a table: raised, passed up level by level, decided (PD-34, F-18). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class CaseState(StrEnum):
    """How a case stands (事项状态)."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return STATE_LABELS[self]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self is CaseState.WAITING


STATE_LABELS = {
    CaseState.WAITING: "办理中",
    CaseState.APPROVED: "已同意",
    CaseState.REFUSED: "未同意",
    CaseState.WITHDRAWN: "已撤回",
}


class CaseAction(StrEnum):
    """What can happen to a case (办理动作)."""

    RAISE = "raise"
    FORWARD = "forward"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return ACTION_LABELS[self]

    @property
    def leads_on(self) -> bool:
        """Whether it brings the case nearer to what was asked."""
        return self in {CaseAction.FORWARD, CaseAction.APPROVE}

    @property
    def is_approval(self) -> bool:
        """Whether what was asked is done at once."""
        return self is CaseAction.APPROVE

    @property
    def needs_reason(self) -> bool:
        """Whether the one who asked has to be told why (PD-34)."""
        return self is CaseAction.REFUSE

    @property
    def takes_opinion(self) -> bool:
        """Whether something may be said with it."""
        return self in {CaseAction.FORWARD, CaseAction.APPROVE}


ACTION_LABELS = {
    CaseAction.RAISE: "提出",
    CaseAction.FORWARD: "上报",
    CaseAction.APPROVE: "同意",
    CaseAction.REFUSE: "不同意",
    CaseAction.WITHDRAW: "撤回",
}


class CaseParty(StrEnum):
    """In which role somebody acts on a case."""

    RAISER = "raiser"
    HOLDER = "holder"


class Decider(StrEnum):
    """Which level decides (PD-01): the nearest of that rank or above, on the line upwards."""

    COLLEGE = "college"
    COMMITTEE = "committee"
    LEADING = "leading"
    CITY = "city"
    PROVINCE = "province"
    CENTRE = "centre"


# Ranks from the top down; a decider is the first of its rank or a higher one.
RANKS = ("centre", "province", "city", "county", "basic", "second", "branch")
_LEAST = {
    Decider.COLLEGE: "second",
    Decider.COMMITTEE: "basic",
    Decider.LEADING: "county",
    Decider.CITY: "city",
    Decider.PROVINCE: "province",
    Decider.CENTRE: "centre",
}


@dataclass(frozen=True, slots=True)
class LineLevel:
    """One organisation a case can lie at: id, rank (``Tier`` value), who acts for it (PD-22)."""

    org_id: int
    rank: str
    office_id: int | None


@dataclass(frozen=True, slots=True)
class CaseTransition:
    """One row: in ``state`` a party may do ``action``; at the last level of the line or before it, or at any (None)."""

    state: CaseState | None
    action: CaseAction
    by: CaseParty
    to: CaseState
    last: bool | None = None


TRANSITIONS: tuple[CaseTransition, ...] = (
    # PD-34: raised, passed up, decided; the same for every sheet that used to be passed up.
    CaseTransition(None, CaseAction.RAISE, CaseParty.RAISER, CaseState.WAITING),
    # F-18: every sheet is passed up level by level, until the level that decides has it.
    CaseTransition(CaseState.WAITING, CaseAction.FORWARD, CaseParty.HOLDER, CaseState.WAITING, last=False),
    CaseTransition(CaseState.WAITING, CaseAction.APPROVE, CaseParty.HOLDER, CaseState.APPROVED, last=True),
    CaseTransition(CaseState.WAITING, CaseAction.REFUSE, CaseParty.HOLDER, CaseState.REFUSED),
    CaseTransition(CaseState.WAITING, CaseAction.WITHDRAW, CaseParty.RAISER, CaseState.WITHDRAWN),
)


def next_state(state: CaseState | None, action: CaseAction, party: CaseParty, *, last: bool) -> CaseState | None:
    """Where ``action`` leads, or None if the table does not allow it to this party there."""
    for row in TRANSITIONS:
        if row.state is state and row.action is action and row.by is party and row.last in {None, last}:
            return row.to
    return None


def actions(state: CaseState, party: CaseParty, *, last: bool) -> list[CaseAction]:
    """What this party may do now, in the table's order."""
    found = [row.action for row in TRANSITIONS if row.state is state and row.by is party and row.last in {None, last}]
    return list(dict.fromkeys(found))


def line(superiors: Sequence[LineLevel], decider: Decider) -> list[int]:
    """The organisations a case climbs through, the deciding one last.

    Args:
        superiors: from whoever has to look first up to the centre.
        decider: which level decides.

    Returns:
        Ids. Neighbours for whom the same office acts count once, as the higher of them (PD-22). Where nobody of the
        wanted rank stands above, the topmost decides.
    """
    climbed: list[LineLevel] = []
    for level in superiors:
        if climbed and level.office_id is not None and climbed[-1].office_id == level.office_id:
            climbed.pop()
        climbed.append(level)
        if RANKS.index(level.rank) <= RANKS.index(_LEAST[decider]):
            break
    return [level.org_id for level in climbed]
