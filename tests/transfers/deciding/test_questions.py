"""What the form of an action asks agrees with what the workflow does with that action."""

from __future__ import annotations

import pytest

from zhtj.transfers.deciding.questions import asked_for
from zhtj.transfers.many.bulk import BULK, INTO_BRANCH
from zhtj.transfers.workflow import TERMINAL, TRANSITIONS, Action, State

DECISIONS = [*BULK, Action.CONFIRM, Action.FAIL]


def ends_of(action: Action) -> set[State]:
    return {row.to for row in TRANSITIONS if row.action is action}


@pytest.mark.rule("A-12", "A-15", "PD-15")
@pytest.mark.parametrize("action", DECISIONS)
def test_what_is_said_to_follow_does_follow(action: Action) -> None:
    asks, ends = asked_for(action), ends_of(action)
    assert ends
    failures = TERMINAL - {State.COMPLETED}
    # The county's help brings nobody to where he wanted to go.
    assert asks.leads_on is (not ends & failures and not asks.floating)
    assert asks.hands_on is (State.AWAITING_ACCEPTANCE in ends)
    if asks.ends_it:
        assert ends <= failures
    if asks.later:
        assert State.AWAITING_ALLOCATION in ends


@pytest.mark.rule("A-12", "T-03", "D-15")
def test_a_branch_is_asked_for_where_one_is_entered() -> None:
    assert {Action.ACCEPT, Action.ALLOCATE, Action.TAKE_OVER} == INTO_BRANCH
    assert [action for action in Action if asked_for(action).later] == [Action.ACCEPT]
    assert [action for action in Action if asked_for(action).floating] == [Action.TAKE_OVER]


@pytest.mark.rule("E-07", "T-05", "S-07", "PD-32")
def test_each_duty_belongs_to_one_decision() -> None:
    assert [action for action in Action if asked_for(action).checks] == [Action.ACCEPT]
    assert [action for action in Action if asked_for(action).final] == [Action.APPROVE]
    assert [action for action in Action if asked_for(action).evidence] == [Action.CONFIRM, Action.FAIL]
    assert [action for action in Action if asked_for(action).ground] == [Action.REFUSE]


def test_what_has_a_page_of_its_own_asks_nothing_here() -> None:
    assert asked_for(Action.AMEND) == asked_for(Action.OBJECT)
    assert not asked_for(Action.AMEND).ends_it
