"""The one way every case goes, as a table: raised, passed up level by level, decided (PD-34, F-18). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
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
        return self is State.WAITING


STATE_LABELS = {
    State.WAITING: "办理中",
    State.APPROVED: "已同意",
    State.REFUSED: "未同意",
    State.WITHDRAWN: "已撤回",
}


class Action(StrEnum):
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


ACTION_LABELS = {
    Action.RAISE: "提出",
    Action.FORWARD: "上报",
    Action.APPROVE: "同意",
    Action.REFUSE: "不同意",
    Action.WITHDRAW: "撤回",
}


class Party(StrEnum):
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
class Level:
    """One organisation a case can lie at: id, rank (``Tier`` value), who acts for it (PD-22)."""

    org_id: int
    rank: str
    office_id: int | None


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: in ``state`` a party may do ``action``; at the last level of the line or before it, or at any (None)."""

    state: State | None
    action: Action
    by: Party
    to: State
    last: bool | None = None


TRANSITIONS: tuple[Transition, ...] = (
    # PD-34: raised, passed up, decided; the same for every sheet that used to be passed up.
    Transition(None, Action.RAISE, Party.RAISER, State.WAITING),
    # F-18: every sheet is passed up level by level, until the level that decides has it.
    Transition(State.WAITING, Action.FORWARD, Party.HOLDER, State.WAITING, last=False),
    Transition(State.WAITING, Action.APPROVE, Party.HOLDER, State.APPROVED, last=True),
    Transition(State.WAITING, Action.REFUSE, Party.HOLDER, State.REFUSED),
    Transition(State.WAITING, Action.WITHDRAW, Party.RAISER, State.WITHDRAWN),
)


def next_state(state: State | None, action: Action, party: Party, *, last: bool) -> State | None:
    """Where ``action`` leads, or None if the table does not allow it to this party there."""
    for row in TRANSITIONS:
        if row.state is state and row.action is action and row.by is party and row.last in {None, last}:
            return row.to
    return None


def actions(state: State, party: Party, *, last: bool) -> list[Action]:
    """What this party may do now, in the table's order."""
    found = [row.action for row in TRANSITIONS if row.state is state and row.by is party and row.last in {None, last}]
    return list(dict.fromkeys(found))


def line(superiors: Sequence[Level], decider: Decider) -> list[int]:
    """The organisations a case climbs through, the deciding one last.

    Args:
        superiors: from whoever has to look first up to the centre.
        decider: which level decides.

    Returns:
        Ids. Neighbours for whom the same office acts count once, as the higher of them (PD-22). Where nobody of the
        wanted rank stands above, the topmost decides.
    """
    climbed: list[Level] = []
    for level in superiors:
        if climbed and level.office_id is not None and climbed[-1].office_id == level.office_id:
            climbed.pop()
        climbed.append(level)
        if RANKS.index(level.rank) <= RANKS.index(_LEAST[decider]):
            break
    return [level.org_id for level in climbed]
