"""What an edition would decide, advise and count otherwise: the pure rules, difference by difference (PD-62)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from zhtj.editions.rules import Course, Difference, RequestedTransfer, Touched, of_course, of_request
from zhtj.kernel import clock
from zhtj.policy.layers import policy_named
from zhtj.policy.vocabulary import Destination, PlaceTie, Reason
from zhtj.transfers.workflow import Initiator, State

POLICY = policy_named("2026-national")
NOW = clock.parse("2026-12-01T09:00")
DECIDED = (
    *("forbidden", "permitted", "warned", "not_warned", "case", "reason", "initiator", "fields", "remark", "release"),
    *("returned", "not_returned", "due", "county", "letter"),
)
COUNTED = ("category", "employer", "receiver", "started_in_time", "done_in_time", "not_done")


def request(**other: Any) -> RequestedTransfer:
    given: dict[str, Any] = {
        "reason": Reason.UNPLACED,
        "kind": Destination.TOWNSHIP,
        "place": PlaceTie.RESIDENCE,
        "initiator": Initiator.MEMBER,
        "given": frozenset({"place"}),
        "county": (True, True),
    }
    return RequestedTransfer(**given | other)


def course(state: State = State.COMPLETED, **other: Any) -> Course:
    given: dict[str, Any] = {
        "submitted_at": clock.parse("2026-08-20T09:00"),
        "left_at": clock.parse("2026-09-10T09:00"),
        "ended_on": date(2026, 9, 10),
    }
    return Course(state, **given | other)


def otherwise(asked: RequestedTransfer, **values: Any) -> dict[Difference, tuple[str, str]]:
    """What is otherwise about a request under a policy with other values."""
    after = POLICY.model_copy(update=values)
    return {one.difference: (one.before, one.after) for one in of_request(POLICY, after, asked)}


def went(asked: RequestedTransfer, became: Course, **values: Any) -> set[Difference]:
    after = POLICY.model_copy(update=values)
    return {one.difference for one in of_course(POLICY, after, asked, became, NOW)}


def test_each_difference_concerns_what_is_decided_advised_or_counted() -> None:
    assert {one.value: one.touches for one in Difference} == {
        **dict.fromkeys(DECIDED, Touched.DECIDED),
        "places": Touched.ADVISED,
        **dict.fromkeys(COUNTED, Touched.COUNTED),
    }
    assert all(one.label for one in Difference)


@pytest.mark.rule("PD-62")
def test_the_same_policy_changes_nothing() -> None:
    assert otherwise(request()) == {}
    assert went(request(), course()) == set()


@pytest.mark.rule("PD-62", "PD-10")
def test_a_reason_that_is_gone_or_new_is_named() -> None:
    reasons = {reason: spec for reason, spec in POLICY.reasons.items() if reason is not Reason.UNPLACED}
    assert otherwise(request(), reasons=reasons)[Difference.REASON] == (POLICY.reasons[Reason.UNPLACED].label, "没有")


@pytest.mark.rule("PD-62", "S-04")
@pytest.mark.parametrize(
    ("fits", "differs"), [((True, False), True), ((True, True), False), ((False, False), False), ((False, True), False)]
)
def test_a_remark_is_named_only_where_it_no_longer_fits(fits: tuple[bool, bool], *, differs: bool) -> None:
    assert (Difference.REMARK in otherwise(request(remark_fits=fits))) is differs


@pytest.mark.rule("PD-62", "PD-28")
@pytest.mark.parametrize(
    ("state", "ended", "letter", "differs"),
    [
        (State.COMPLETED, date(2026, 9, 10), date(2026, 9, 9), True),
        (State.COMPLETED, date(2026, 9, 10), date(2026, 9, 10), False),
        (State.COMPLETED, date(2026, 9, 10), None, False),
        (State.AWAITING_ACCEPTANCE, None, date(2026, 9, 9), True),
    ],
)
def test_a_letter_before_completion_is_named_where_completion_comes_first(
    state: State, ended: date | None, letter: date | None, *, differs: bool
) -> None:
    became = course(state, ended_on=ended, letter_on=letter)
    assert (Difference.LETTER in went(request(), became, letter_requires_completion=True)) is differs
    assert Difference.LETTER not in went(request(), became)


@pytest.mark.rule("PD-62", "D-07")
@pytest.mark.parametrize(("target", "differs"), [(date(2026, 8, 19), True), (date(2026, 8, 20), False)])
def test_what_was_started_in_time_may_be_late_by_another_day(target: date, *, differs: bool) -> None:
    assert (Difference.STARTED_IN_TIME in went(request(), course(), initiate_target=target)) is differs


@pytest.mark.rule("PD-62", "D-11")
@pytest.mark.parametrize(
    ("state", "ended", "end", "differs"),
    [
        (State.COMPLETED, date(2026, 9, 10), date(2026, 9, 9), True),
        (State.COMPLETED, date(2026, 9, 10), date(2026, 9, 10), False),
        (State.WITHDRAWN, date(2026, 9, 10), date(2026, 9, 9), False),
        (State.AWAITING_ACCEPTANCE, None, date(2026, 9, 9), False),
    ],
)
def test_only_what_was_completed_can_be_late(state: State, ended: date | None, end: date, *, differs: bool) -> None:
    found = went(request(), course(state, ended_on=ended), society_end=end)
    assert (Difference.DONE_IN_TIME in found) is differs


@pytest.mark.rule("PD-62", "D-15")
@pytest.mark.parametrize(("opens", "differs"), [(date(2026, 9, 5), False), (date(2026, 9, 6), True)])
def test_a_take_over_before_counties_may_is_named(opens: date, *, differs: bool) -> None:
    became = course(taken_over_on=date(2026, 9, 5))
    assert (Difference.COUNTY in went(request(), became, county_fallback_from=opens)) is differs


@pytest.mark.rule("PD-62", "PD-12")
def test_a_receiver_that_only_one_of_the_two_knows_is_named() -> None:
    known = POLICY.receiver(Reason.UNPLACED, Destination.TOWNSHIP)
    assert known is not None
    before, after = otherwise(request(), receivers=())[Difference.RECEIVER]
    assert (before, after) == (f"{known.label}（{known.counts.label}）", "无")
