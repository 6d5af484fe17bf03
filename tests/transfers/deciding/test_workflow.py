"""The table of transitions by itself (PD-14)."""

from __future__ import annotations

import itertools

import pytest

from zhtj.transfers.workflow import (
    OPEN,
    RUNNING,
    TERMINAL,
    TRANSITIONS,
    Action,
    Initiator,
    Party,
    State,
    Way,
    actions,
    next_state,
)

BOTH = (False, True)
WAYS = [Way(i, b, r, u) for i, b, r, u in itertools.product(Initiator, BOTH, BOTH, BOTH)]


@pytest.mark.rule("PD-14")
def test_no_row_leads_out_of_a_terminal_state() -> None:
    assert not [row for row in TRANSITIONS if row.state in TERMINAL]


def test_every_open_state_of_the_main_path_leads_somewhere() -> None:
    for state in (State.AWAITING_RELEASE, State.AWAITING_ACCEPTANCE, State.AWAITING_ALLOCATION):
        assert {row.to for row in TRANSITIONS if row.state is state} & TERMINAL


@pytest.mark.parametrize("way", WAYS)
def test_every_initiator_gets_a_first_state(way: Way) -> None:
    assert next_state(None, Action.SUBMIT, Party(way.initiator.value), way) in OPEN | {State.COMPLETED}


def test_only_the_system_returns_and_only_where_the_clock_runs() -> None:
    rows = [row for row in TRANSITIONS if row.action is Action.RETURN]
    assert {row.state for row in rows} <= RUNNING
    assert all(row.by == {Party.SYSTEM} for row in rows)


def test_allocation_can_be_neither_withdrawn_nor_refused() -> None:
    for way in WAYS:
        for party in Party:
            assert set(actions(State.AWAITING_ALLOCATION, party, way)) <= {Action.ALLOCATE}
