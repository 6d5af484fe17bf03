"""What counts, what an employer is, what two spellings must be: the pure rules, case by case."""

from __future__ import annotations

import pytest

from zhtj.policy.vocabulary import Destination, Reason
from zhtj.transfers.applying.checks import external_name
from zhtj.transfers.rules import counts, employs

D, R = Destination, Reason


@pytest.mark.rule("PD-58", "T-01")
@pytest.mark.parametrize(
    ("kind", "reason", "counted"),
    [
        (D.OWN_SCHOOL, R.FURTHER_STUDY, True),
        (D.OWN_SCHOOL, R.INTERNAL_UPGRADE, True),
        (D.OWN_SCHOOL, R.EMPLOYED_WITH_ORG, True),
        (D.OWN_SCHOOL, R.OVERSEAS_OFFICIAL, True),
        (D.OWN_SCHOOL, R.OTHER, False),
        (D.OWN_SCHOOL, R.UNPLACED, False),
        (D.OWN_FLOATING, R.UNPLACED, False),
        (D.UNIT, R.OTHER, True),
        (D.TOWNSHIP, R.UNPLACED, True),
    ],
)
def test_inside_his_own_school_only_study_and_work_count(kind: Destination, reason: Reason, *, counted: bool) -> None:
    assert counts(kind, reason) is counted


@pytest.mark.rule("M-05", "PD-58")
@pytest.mark.parametrize(
    ("kind", "reason", "employer"),
    [
        (D.UNIT, R.EMPLOYED_WITH_ORG, True),
        (D.SCHOOL, R.EMPLOYED_WITH_ORG, True),
        (D.UNIT, R.OVERSEAS_OFFICIAL, True),
        (D.TOWNSHIP, R.OVERSEAS_OFFICIAL, False),
        (D.UNIT, R.OTHER, True),
        (D.TOWNSHIP, R.OTHER, False),
        (D.UNIT, R.EMPLOYED_WITHOUT_ORG, False),
        (D.TOWNSHIP, R.UNPLACED, False),
    ],
)
def test_which_transfer_leads_to_an_employer(kind: Destination, reason: Reason, *, employer: bool) -> None:
    assert employs(kind, reason, {D.UNIT}) is employer


@pytest.mark.rule("X-02")
def test_a_name_in_another_system_has_at_least_four_characters_typed_twice_the_same() -> None:
    assert external_name("示例团委", "示例团委") is None
    assert external_name("示例团", "示例团") is not None
    assert external_name("示例团委", "示例校团委") is not None
