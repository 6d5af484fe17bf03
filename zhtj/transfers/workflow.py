"""The workflow of an application as one table (PD-14): state, action, who, guard, next state.

Pure: no database, no clock. Buttons, routes, jobs, the help page and the tests are read off ``TRANSITIONS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class State(StrEnum):
    """State of an application (转接状态)."""

    AWAITING_RELEASE = "awaiting_release"
    AWAITING_ACCEPTANCE = "awaiting_acceptance"
    AWAITING_ALLOCATION = "awaiting_allocation"
    AWAITING_PROVINCE = "awaiting_province"
    AWAITING_EXTERNAL = "awaiting_external"
    COMPLETED = "completed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    FAILED_EXTERNAL = "failed_external"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return STATE_LABELS[self]

    @property
    def is_open(self) -> bool:
        """Whether the application is still under way."""
        return self in OPEN

    @property
    def is_running(self) -> bool:
        """Whether the ten days run in it (PD-18)."""
        return self in RUNNING

    @property
    def awaits_release(self) -> bool:
        """Whether the old side has still to let go."""
        return self is State.AWAITING_RELEASE

    @property
    def awaits_allocation(self) -> bool:
        """Whether it is accepted and only the branch is open."""
        return self is State.AWAITING_ALLOCATION

    @property
    def awaits_province(self) -> bool:
        """Whether the province decides (S-02)."""
        return self is State.AWAITING_PROVINCE

    @property
    def awaits_external(self) -> bool:
        """Whether another system decides, and somebody here notes the result (PD-32)."""
        return self is State.AWAITING_EXTERNAL

    @property
    def is_completed(self) -> bool:
        """Whether the member has arrived."""
        return self is State.COMPLETED

    @property
    def is_refused(self) -> bool:
        """Whether somebody said no."""
        return self is State.REFUSED

    @property
    def is_returned(self) -> bool:
        """Whether nobody answered in time."""
        return self is State.RETURNED

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back."""
        return self is State.WITHDRAWN


STATE_LABELS = {
    State.AWAITING_RELEASE: "待转出方同意",
    State.AWAITING_ACCEPTANCE: "待转入方审批",
    State.AWAITING_ALLOCATION: "待分配支部",
    State.AWAITING_PROVINCE: "待省级团委审批",
    State.AWAITING_EXTERNAL: "待外部系统处理",
    State.COMPLETED: "已完成",
    State.REFUSED: "未同意",
    State.WITHDRAWN: "已撤销",
    State.RETURNED: "超期退回",
    State.FAILED_EXTERNAL: "外部系统未接收",
}
OPEN = frozenset(
    {
        State.AWAITING_RELEASE,
        State.AWAITING_ACCEPTANCE,
        State.AWAITING_ALLOCATION,
        State.AWAITING_PROVINCE,
        State.AWAITING_EXTERNAL,
    }
)
# it runs for external systems as for everybody.
RUNNING = frozenset({State.AWAITING_RELEASE, State.AWAITING_ACCEPTANCE, State.AWAITING_EXTERNAL})
TERMINAL = frozenset(State) - OPEN
FAILED = frozenset({State.REFUSED, State.RETURNED, State.FAILED_EXTERNAL})


class Initiator(StrEnum):
    """Who started it (发起方, A-01)."""

    MEMBER = "member"
    OLD_SIDE = "old_side"
    NEW_SIDE = "new_side"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"member": "团员本人", "old_side": "转出方", "new_side": "转入方"}[self.value]

    @property
    def is_member(self) -> bool:
        """Whether the member applied."""
        return self is Initiator.MEMBER

    @property
    def is_new_side(self) -> bool:
        """Whether the receiving side fetches the member (办理转入)."""
        return self is Initiator.NEW_SIDE


class Action(StrEnum):
    """What somebody does to an application (办理动作)."""

    SUBMIT = "submit"
    RELEASE = "release"
    ACCEPT = "accept"
    ALLOCATE = "allocate"
    TAKE_OVER = "take_over"
    APPROVE = "approve"
    CONFIRM = "confirm"
    FAIL = "fail"
    REFUSE = "refuse"
    AMEND = "amend"
    WITHDRAW = "withdraw"
    RETURN = "return"
    # An objection and its answer are noted in the history of an application that has ended; its state stays (PD-17).
    OBJECT = "object"
    SUSTAIN = "sustain"
    DISMISS = "dismiss"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return ACTION_LABELS[self]


ACTION_LABELS = {
    Action.SUBMIT: "提交申请",
    Action.RELEASE: "同意转出",
    Action.ACCEPT: "同意转入",
    Action.ALLOCATE: "分配支部",
    Action.TAKE_OVER: "县级接收",
    Action.APPROVE: "批准",
    Action.CONFIRM: "登记对方已接收",
    Action.FAIL: "登记对方未接收",
    Action.REFUSE: "不同意",
    Action.AMEND: "修改申请",
    Action.WITHDRAW: "撤销申请",
    Action.RETURN: "超期退回",
    Action.OBJECT: "提出申诉",
    Action.SUSTAIN: "支持申诉",
    Action.DISMISS: "不支持申诉",
}


class Track(StrEnum):
    """Where an application leads: to another of our organisations, to the pool, or into an external system."""

    DOMESTIC = "domestic"
    SPECIAL = "special"
    EXTERNAL = "external"

    @property
    def is_domestic(self) -> bool:
        """Whether both organisations are ours."""
        return self is Track.DOMESTIC

    @property
    def is_special(self) -> bool:
        """Whether it leads into the pool (S-02)."""
        return self is Track.SPECIAL

    @property
    def is_external(self) -> bool:
        """Whether it leads into another region's system (PD-32)."""
        return self is Track.EXTERNAL


class Party(StrEnum):
    """In which role somebody acts on this application (办理身份)."""

    MEMBER = "member"
    OLD_SIDE = "old_side"
    NEW_SIDE = "new_side"
    COUNTY = "county"
    PROVINCE = "province"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Way:
    """What decides the way of one application.

    Args:
        initiator: who started it.
        to_branch: the destination is a branch, so nobody need allocate (A-12).
        release_needed: policy asks the old side even where the member applies (PD-15).
        under_actor: old and new branch both stand under the acting committee.
        track: domestic, to the special units' pool (S-02), or into an external system (PD-32).
        barred: accepted, and by now no branch below the destination may take the member (PD-57).
    """

    initiator: Initiator
    to_branch: bool
    release_needed: bool = False
    under_actor: bool = False
    track: Track = Track.DOMESTIC
    barred: bool = False


Guard = Callable[[Way], bool]


def _always(_: Way) -> bool:
    return True


def _member_needs_release(way: Way) -> bool:
    return way.initiator is Initiator.MEMBER and way.release_needed


def _by_member(way: Way) -> bool:
    return way.initiator is Initiator.MEMBER


def _by_old_side(way: Way) -> bool:
    return way.initiator is Initiator.OLD_SIDE


def _by_new_side(way: Way) -> bool:
    return way.initiator is Initiator.NEW_SIDE


def _under_actor(way: Way) -> bool:
    return way.under_actor and way.to_branch and way.initiator is not Initiator.MEMBER


def _new_side_branch(way: Way) -> bool:
    return way.initiator is Initiator.NEW_SIDE and way.to_branch


def _to_branch(way: Way) -> bool:
    return way.to_branch


def _barred(way: Way) -> bool:
    return way.barred


def _special(way: Way) -> bool:
    return way.track is Track.SPECIAL


def _external(way: Way) -> bool:
    return way.track is Track.EXTERNAL


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: in ``state`` a party in ``by`` may do ``action``; if ``when`` holds, ``to`` follows."""

    state: State | None
    action: Action
    by: frozenset[Party]
    to: State
    when: Guard = _always


S, A = State, Action
MEMBER, OLD, NEW, COUNTY, PROVINCE, SYSTEM = (frozenset({party}) for party in Party)
ANYONE_STARTING = frozenset({Party.MEMBER, Party.OLD_SIDE, Party.NEW_SIDE})

# PD-14: the first row that fits counts. `withdraw` and `amend` are further narrowed to the initiator and the member
# themselves (PD-16); `take_over` to the season in which counties stand in for townships (PD-22).
TRANSITIONS: tuple[Transition, ...] = (
    Transition(None, A.SUBMIT, MEMBER | OLD, S.AWAITING_PROVINCE, _special),
    # inside one school the old side agrees first, the new side afterwards.
    Transition(None, A.SUBMIT, MEMBER, S.AWAITING_RELEASE, _member_needs_release),
    Transition(None, A.SUBMIT, MEMBER | OLD, S.AWAITING_EXTERNAL, _external),
    Transition(None, A.SUBMIT, MEMBER, S.AWAITING_ACCEPTANCE, _by_member),
    Transition(None, A.SUBMIT, OLD | NEW, S.COMPLETED, _under_actor),
    Transition(None, A.SUBMIT, OLD, S.AWAITING_ACCEPTANCE, _by_old_side),
    # whoever takes somebody in needs the old side's consent.
    Transition(None, A.SUBMIT, NEW, S.AWAITING_RELEASE, _by_new_side),
    Transition(S.AWAITING_RELEASE, A.RELEASE, OLD, S.AWAITING_EXTERNAL, _external),
    Transition(S.AWAITING_RELEASE, A.RELEASE, OLD, S.COMPLETED, _new_side_branch),
    Transition(S.AWAITING_RELEASE, A.RELEASE, OLD, S.AWAITING_ALLOCATION, _by_new_side),
    Transition(S.AWAITING_RELEASE, A.RELEASE, OLD, S.AWAITING_ACCEPTANCE),
    Transition(S.AWAITING_RELEASE, A.REFUSE, OLD, S.REFUSED),
    Transition(S.AWAITING_RELEASE, A.AMEND, ANYONE_STARTING, S.AWAITING_RELEASE),
    Transition(S.AWAITING_RELEASE, A.WITHDRAW, ANYONE_STARTING, S.WITHDRAWN),
    Transition(S.AWAITING_RELEASE, A.RETURN, SYSTEM, S.RETURNED),
    # nobody arrives unaccepted; what is started by the old side waits here too.
    Transition(S.AWAITING_ACCEPTANCE, A.ACCEPT, NEW, S.COMPLETED, _to_branch),
    # accepted above a branch, the member is put into one of its branches.
    Transition(S.AWAITING_ACCEPTANCE, A.ACCEPT, NEW, S.AWAITING_ALLOCATION),
    Transition(S.AWAITING_ACCEPTANCE, A.TAKE_OVER, COUNTY, S.COMPLETED),
    Transition(S.AWAITING_ACCEPTANCE, A.REFUSE, NEW, S.REFUSED),
    Transition(S.AWAITING_ACCEPTANCE, A.AMEND, ANYONE_STARTING, S.AWAITING_ACCEPTANCE),
    # until the last approval, on any day.
    Transition(S.AWAITING_ACCEPTANCE, A.WITHDRAW, ANYONE_STARTING, S.WITHDRAWN),
    # it goes back by itself, and anybody may start again.
    Transition(S.AWAITING_ACCEPTANCE, A.RETURN, SYSTEM, S.RETURNED),
    Transition(S.AWAITING_ALLOCATION, A.ALLOCATE, NEW, S.COMPLETED),
    Transition(S.AWAITING_ALLOCATION, A.REFUSE, NEW, S.REFUSED, _barred),
    Transition(S.AWAITING_PROVINCE, A.APPROVE, PROVINCE, S.COMPLETED),
    Transition(S.AWAITING_PROVINCE, A.REFUSE, PROVINCE, S.REFUSED),
    Transition(S.AWAITING_PROVINCE, A.AMEND, ANYONE_STARTING, S.AWAITING_PROVINCE),
    Transition(S.AWAITING_PROVINCE, A.WITHDRAW, ANYONE_STARTING, S.WITHDRAWN),
    Transition(S.AWAITING_EXTERNAL, A.CONFIRM, OLD, S.COMPLETED),
    Transition(S.AWAITING_EXTERNAL, A.FAIL, OLD, S.FAILED_EXTERNAL),
    Transition(S.AWAITING_EXTERNAL, A.AMEND, ANYONE_STARTING, S.AWAITING_EXTERNAL),
    Transition(S.AWAITING_EXTERNAL, A.WITHDRAW, ANYONE_STARTING, S.WITHDRAWN),
    Transition(S.AWAITING_EXTERNAL, A.RETURN, SYSTEM, S.RETURNED),
)


def next_state(state: State | None, action: Action, party: Party, way: Way) -> State | None:
    """Where ``action`` leads, or None if the table does not allow it to this party in this state."""
    for row in TRANSITIONS:
        if row.state is state and row.action is action and party in row.by and row.when(way):
            return row.to
    return None


def ever_allows(action: Action, party: Party, way: Way) -> bool:
    """Whether the table allows ``action`` to this party on this way in any state at all."""
    return any(row.action is action and party in row.by and row.when(way) for row in TRANSITIONS)


@lru_cache(maxsize=4096)
def offered(
    state: State, way: Way, deciding: frozenset[Party], changing: frozenset[Party], decisions: frozenset[Action]
) -> tuple[Action, ...]:
    """What may be done now by somebody who decides in some roles and changes in others, in the table's order.

    Args:
        state: of the application.
        way: its way through the table.
        deciding: the roles in which he takes ``decisions``.
        changing: the roles in which he does everything else.
        decisions: actions that are decisions.
    """
    rows = (row for row in TRANSITIONS if row.state is state and row.when(way))
    found = [row.action for row in rows if row.by & (deciding if row.action in decisions else changing)]
    return tuple(dict.fromkeys(found))


def actions(state: State, party: Party, way: Way) -> list[Action]:
    """What this party may do now, in the table's order."""
    found = [row.action for row in TRANSITIONS if row.state is state and party in row.by and row.when(way)]
    return list(dict.fromkeys(found))
