"""Every rule of what is built can be found in the program, and a test proves it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from zhtj.policy import rulebook
from zhtj.policy.rulebook import EntryKind, places
from zhtj.policy.rulebook.markers import collect

TESTS = Path(__file__).parents[1]

BRANCH_LIFE = "the branch's own life has no room yet"
# What nothing implements yet, and why. Whoever builds one of them takes it off this list.
NOT_BUILT = {
    **{id_: BRANCH_LIFE for id_ in rulebook.rules() if id_.startswith("C-")},
    "H-10": "questions that climb the line, with screenshots (PD-51)",
    "PD-39": BRANCH_LIFE,
    "PD-40": BRANCH_LIFE,
    "PD-41": BRANCH_LIFE,
    "PD-42": BRANCH_LIFE,
    "PD-43": BRANCH_LIFE,
    "PD-44": BRANCH_LIFE,
    "PD-45": BRANCH_LIFE,
    "PD-46": "a university's roster comes in as a spreadsheet only, and moves people",
    "PD-47": "the three regional systems are worked by hand, with evidence",
    "PD-48": "no list of another system is read yet",
    "PD-49": "notices and documents have no room yet",
    "PD-50": "help is one page, not an answer to each question",
    "PD-51": "questions that climb the line have no room yet",
    "PD-52": "signing in takes a password alone",
    "PD-53": "members do not see yet who looked at their data",
    "PD-54": "nobody looks at the system as somebody else yet",
    "PD-63": "an approver says yes or no, and nothing between",
    "PD-64": "a refusal names no other organisation yet",
    "PD-65": "no step is signed for use outside the system",
    "PD-66": "data is kept without end",
    "PD-67": "administrators are not asked whether they are still in office",
}


def must_be_found() -> set[str]:
    return {
        rule.id
        for rule in rulebook.rules().values()
        if rule.kind in {EntryKind.SYSTEM, EntryKind.DECISION} and rule.id not in NOT_BUILT
    }


cited = cache(places.cited)


@cache
def proven() -> frozenset[str]:
    return frozenset(marker.id for marker in collect(TESTS))


def test_every_rule_of_what_is_built_is_cited_where_it_is_decided():
    missing = sorted(must_be_found() - cited().keys())

    assert missing == [], "cite it at the line that decides it: a refusal's rule=, a docstring, or '# A-15: why'"


@pytest.mark.slow("reads every test there is")
def test_every_rule_of_what_is_built_is_proven_by_a_test():
    assert sorted(must_be_found() - proven()) == []


def test_nothing_that_is_built_stays_on_the_list_of_what_is_not():
    assert sorted(id_ for id_ in NOT_BUILT if id_ in cited() and id_ in proven()) == []


def test_no_source_cites_a_rule_that_does_not_exist():
    assert {id_: place for id_, place in cited().items() if id_ not in rulebook.rules()} == {}
