"""What is offered on the page of a letter: to its issuer, its receiver, its member, and on its application's page."""

from __future__ import annotations

import pytest

from zhtj.kernel.errors import DomainError
from zhtj.letters.models import CardSide, Letter, LetterState
from zhtj.letters.queries import Validity
from zhtj.web.desks.letters import letter_page

VALID, VOID = Letter(state=LetterState.ISSUED), Letter(state=LetterState.VOID)
PROBLEM = DomainError("本校规定组织关系转接完成后才开具介绍信。")


@pytest.mark.rule("L-04", "L-31", "L-30")
def test_its_issuer_voids_it_and_records_what_is_missing() -> None:
    fresh = letter_page.for_issuer(VALID, (), received=False, may_issue=True)
    assert fresh.fields == ("reason", "handler", "phone", "received_on", "file", "entered_on")
    assert letter_page.for_issuer(VALID, (CardSide.OUT,), received=True, may_issue=True).fields == ("reason",)
    # The column under 转入 is the other side's.
    assert "entered_on" in letter_page.for_issuer(VALID, (CardSide.IN,), received=True, may_issue=True).fields


@pytest.mark.rule("L-04")
def test_nothing_is_done_with_a_void_letter() -> None:
    gone = letter_page.for_issuer(VOID, (), received=False, may_issue=True)
    assert (gone.fields, gone.may_print, gone.awaits_receipt) == ((), False, False)
    assert letter_page.for_receiver(VOID, (), received=False).fields == ()
    assert letter_page.for_receiver(VOID, (), received=True).fields == ()


@pytest.mark.rule("L-02")
def test_whoever_issues_no_letters_only_looks() -> None:
    seen = letter_page.for_issuer(VALID, (), received=False, may_issue=False)
    assert (seen.fields, seen.may_print, seen.awaits_receipt) == ((), True, True)


@pytest.mark.rule("L-29", "L-30")
def test_its_receiver_fills_slip_three_and_then_the_card() -> None:
    assert letter_page.for_receiver(VALID, (), received=False).fields == letter_page.SLIP_THREE
    assert letter_page.for_receiver(VALID, (CardSide.OUT,), received=True).fields == ("entered_on",)
    assert letter_page.for_receiver(VALID, (CardSide.IN,), received=True).fields == ()


def test_an_error_leads_to_a_field_that_is_there() -> None:
    page = letter_page.for_receiver(VALID, (), received=False)
    assert page.leads_to(DomainError("请填写经办人。", field="handler")) == "handler"
    assert page.leads_to(DomainError("请填写日期。", field="entered_on")) is None
    assert page.opens_receipt(DomainError("请填写经办人。", field="handler"))
    assert not page.opens_receipt(DomainError("请填写原因。", field="reason"))
    assert not page.opens_receipt(None)


@pytest.mark.rule("L-07", "L-05", "L-04")
@pytest.mark.parametrize(
    ("validity", "received", "hand_in", "replace", "prints"),
    [
        (Validity.VALID, False, True, False, True),
        (Validity.VALID, True, False, False, True),
        (Validity.LAPSED, False, False, True, True),
        (Validity.LAPSED, True, False, False, True),
        (Validity.VOID, False, False, False, False),
        (Validity.VOID, True, False, False, False),
    ],
)
def test_its_member_hands_it_in_while_it_is_good(
    validity: Validity, *, received: bool, hand_in: bool, replace: bool, prints: bool
) -> None:
    own = letter_page.for_member(validity, received=received)
    assert (own.to_hand_in, own.to_replace, own.may_print) == (hand_in, replace, prints)


@pytest.mark.rule("PD-28", "PD-62")
@pytest.mark.parametrize(
    ("newest", "problem", "is_open", "may_issue", "obstacle"),
    [
        (None, None, True, True, None),
        (VOID, None, True, True, None),
        (VALID, None, True, False, None),  # it has to be made void first
        (None, PROBLEM, True, False, PROBLEM),
        (VALID, PROBLEM, True, False, None),
        (None, PROBLEM, False, False, None),  # it has ended: nothing to wait for
    ],
)
def test_one_valid_letter_an_application(
    newest: Letter | None,
    problem: DomainError | None,
    *,
    is_open: bool,
    may_issue: bool,
    obstacle: DomainError | None,
) -> None:
    found = letter_page.of_application(newest, problem, issues=True, is_open=is_open)
    assert found is not None
    assert (found.may_issue, found.obstacle) == (may_issue, obstacle)


@pytest.mark.rule("L-02")
def test_others_only_see_that_there_is_one() -> None:
    assert letter_page.of_application(None, None, issues=False, is_open=True) is None
    found = letter_page.of_application(VOID, None, issues=False, is_open=True)
    assert found is not None
    assert (found.newest, found.may_issue, found.obstacle) == (VOID, False, None)
