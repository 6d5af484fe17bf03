"""Slip three comes back, the member's card has its entries, and who is late is reminded (L-29 … L-31, D-23, PD-29)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from tests.letters.test_issue import issue, void
from tests.transfers.steps import acting, do
from tests.uploads import PNG
from zhtj import sweeps
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.letters import outstanding, receipts, timers
from zhtj.letters.models import CardSide, LetterReceipt, ReceiptWay
from zhtj.letters.receipts import ReceiptSlip
from zhtj.notices.models import Message
from zhtj.orgs.policies import policy_of
from zhtj.transfers import operations as transfers

SLIP = ReceiptSlip("孙经办", "0551-62200000", date(2026, 10, 14))


@pytest.fixture
def letter(office, application):
    return issue(application, office.seat("university"))


def fill(office, letter, key="company", slip=SLIP):
    with acting(office.seat(key)):
        session.refresh(letter)
        return receipts.fill(letter, office.seat(key), slip)


def paper(office, letter, key="university", slip=SLIP):
    with acting(office.seat(key)):
        session.refresh(letter)
        return receipts.record_paper(letter, office.seat(key), slip)


def titles(office, key):
    query = select(Message.title).where(Message.org_id == office.orgs[key].id).order_by(Message.id)
    return [title for title in session.scalars(query) if "介绍信" in title]


@pytest.mark.rule("L-05", "L-29", "PD-29")
def test_the_receiver_fills_slip_three_online(office, letter):
    # when the committee to which the letter is addressed fills it
    receipt = fill(office, letter)
    # then it is kept with handler and telephone, and the issuer is told
    assert (receipt.way, receipt.handler, receipt.phone) == (ReceiptWay.ONLINE, "孙经办", "0551-62200000")
    assert receipts.receipt_of(letter.id) == receipt
    assert titles(office, "university") == ["收到介绍信回执"]


@pytest.mark.rule("L-31", "PD-29")
def test_or_hands_in_a_photograph(office, letter):
    receipt = fill(office, letter, slip=replace(SLIP, content=PNG))
    assert (receipt.way, receipt.media_type) == (ReceiptWay.PHOTO, "image/png")
    with acting(office.seat("university")):
        assert receipts.picture(receipt) == PNG
    raw = session.connection().exec_driver_sql("SELECT content FROM letter_receipts").scalar_one()
    assert "iVBOR" not in raw


@pytest.mark.rule("L-31", "PD-29")
def test_the_issuer_records_what_came_on_paper(office, letter):
    receipt = paper(office, letter)
    assert (receipt.way, receipt.org_id) == (ReceiptWay.PAPER, office.orgs["university"].id)


@pytest.mark.rule("L-05")
@pytest.mark.parametrize("key", ["township", "university", "team", "county", "class1"])
def test_nobody_but_the_addressee_fills_it(office, letter, key):
    with pytest.raises(NotFound):
        fill(office, letter, key)


def test_the_office_acts_for_an_addressee_without_administrator(office, letter):
    # given a receiver that has no administrator, for which its county acts
    with unit_of_work():
        session.merge(office.orgs["company"]).office_id = office.orgs["county"].id
    assert fill(office, letter, "county").org_id == office.orgs["county"].id


def test_a_stranger_does_not_record_paper(office, letter):
    with pytest.raises(NotFound):
        paper(office, letter, "company")
    with pytest.raises(Forbidden):
        paper(office, letter, "college")


def test_nobody_fills_his_own(office, letter):
    seat = replace(office.seat("company"), member_id=office.graduate.id)
    assert not receipts.may_fill(letter, seat)


@pytest.mark.rule("L-29")
@pytest.mark.parametrize(
    ("field", "slip"),
    [
        ("handler", replace(SLIP, handler=" ")),
        ("phone", replace(SLIP, phone="无")),
        ("received_on", replace(SLIP, received_on=date(2026, 10, 13))),
        ("received_on", replace(SLIP, received_on=date(2026, 10, 15))),
        ("file", replace(SLIP, content=b"<html>")),
        ("file", replace(SLIP, content=b"%PDF-1.4 /JavaScript %%EOF")),
        ("file", replace(SLIP, content=PNG + b"0" * receipts.LARGEST)),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(office, letter, field, slip):
    with pytest.raises(DomainError) as caught:
        fill(office, letter, slip=slip)
    assert caught.value.field == field
    assert session.scalars(select(LetterReceipt)).all() == []


@pytest.mark.rule("L-07")
def test_a_letter_received_after_its_last_day_gets_no_receipt(office, application, letter, clock_at):
    do(transfers.accept, application, office.seat("company"))  # else it goes back long before
    clock_at("2027-01-20T09:00")
    with pytest.raises(DomainError) as caught:
        fill(office, letter, slip=replace(SLIP, received_on=date(2027, 1, 13)))
    assert caught.value.rule == "L-07"
    # received on the last day and filled in later, it counts
    assert fill(office, letter, slip=replace(SLIP, received_on=date(2027, 1, 12)))


@pytest.mark.rule("L-04")
def test_once_and_never_on_a_void_letter(office, letter):
    fill(office, letter)
    with pytest.raises(Conflict):
        paper(office, letter)


def test_a_void_letter_wants_none(office, letter):
    void(letter, office.seat("university"))
    with pytest.raises(Conflict):
        fill(office, letter)


@pytest.mark.rule("L-30")
def test_both_sides_tick_their_column_of_the_card(office, letter, clock_at):
    # given the issuer who has recorded 转出 when issuing
    with acting(office.seat("university")):
        receipts.enter_card(letter, office.seat("university"), CardSide.OUT, date(2026, 10, 14))
    # when the receiver records 转入 with the receipt
    clock_at("2026-10-20T09:00")
    fill(office, letter, slip=replace(SLIP, received_on=date(2026, 10, 20), card_entered=True))
    # then both stand there with their days and who ticked them
    card = receipts.card_of(letter.id)
    assert card[CardSide.OUT].entered_on == date(2026, 10, 14)
    assert card[CardSide.IN].entered_on == date(2026, 10, 20)
    assert card[CardSide.IN].org_id == office.orgs["company"].id


@pytest.mark.rule("L-30")
def test_nobody_ticks_the_other_sides_column(office, letter):
    day = date(2026, 10, 14)
    with pytest.raises(NotFound), acting(office.seat("company")):
        receipts.enter_card(letter, office.seat("company"), CardSide.OUT, day)
    with pytest.raises(NotFound), acting(office.seat("university")):
        receipts.enter_card(letter, office.seat("university"), CardSide.IN, day)
    with pytest.raises(DomainError), acting(office.seat("university")):
        receipts.enter_card(letter, office.seat("university"), CardSide.OUT, date(2026, 10, 15))


@pytest.mark.rule("D-23", "PD-29")
def test_the_month_runs_from_issue_until_he_has_arrived(office, application, letter, clock_at):
    seat = office.seat("university")
    (due,) = outstanding.ours(seat).page().rows
    assert due.due_on == date(2026, 11, 13)
    # when the receiver takes him in a week later, it runs from there
    clock_at("2026-10-21T09:00")
    do(transfers.accept, application, office.seat("company"))
    do(transfers.allocate, application, office.seat("company"), office.orgs["team"])
    (due,) = outstanding.ours(seat).page().rows
    assert due.due_on == date(2026, 11, 20)


@pytest.mark.rule("D-23", "PD-29")
def test_a_letter_issued_after_his_arrival_has_its_whole_month(office, application, clock_at):
    # given somebody who arrived in October, and asks for his letter four weeks later
    seat = office.seat("university")
    do(transfers.accept, application, office.seat("company"))
    do(transfers.allocate, application, office.seat("company"), office.orgs["team"])
    clock_at("2026-11-11T09:00")
    issue(application, seat)
    # then the receipt is due a month after its issue, in the list and among the time limits
    (due,) = outstanding.ours(seat).page().rows
    assert due.due_on == date(2026, 12, 11)
    (timer,) = timers.receipts(seat, policy_of(office.orgs["university"]))(None, 10)
    assert clock.local(timer.at).date() == date(2026, 12, 12)
    # and until that day is over nobody is told that it is late
    clock_at("2026-12-11T09:00")
    assert (outstanding.count_overdue(seat), sweeps.run("receipts").done) == (0, 0)
    clock_at("2026-12-12T09:00")
    assert (outstanding.count_overdue(seat), sweeps.run("receipts").done) == (1, 1)


@pytest.mark.rule("D-23", "PD-29")
def test_after_a_month_both_are_reminded_once(office, letter, clock_at):
    # on the last day nobody is
    clock_at("2026-11-13T09:00")
    assert sweeps.run("receipts").done == 0
    # the day after, both are; once, also after a week's outage
    clock_at("2026-11-20T09:00")
    assert sweeps.run("receipts").done == 1
    assert sweeps.run("receipts").done == 0
    for key in ("university", "company"):
        assert titles(office, key) == ["介绍信回执逾期未回"]
    assert outstanding.count_overdue(office.seat("university")) == 1


@pytest.mark.rule("L-07", "D-23")
def test_after_ninety_days_the_member_and_the_issuer_hear_that_it_lapsed(office, letter, clock_at):
    clock_at("2027-01-12T23:00")
    sweeps.run("receipts")
    assert "介绍信已过有效期，没有回执" not in titles(office, "university")
    clock_at("2027-01-13T09:00")
    assert sweeps.run("receipts").done == 1
    assert "介绍信已过有效期，没有回执" in titles(office, "university")
    own = session.scalars(select(Message.title).where(Message.member_id == office.graduate.id)).all()
    assert "介绍信已过有效期" in own


def test_with_its_receipt_nobody_is_reminded_and_no_list_shows_it(office, letter, clock_at):
    assert [due.letter.id for due in outstanding.to_fill(office.seat("company")).page().rows] == [letter.id]
    fill(office, letter)
    clock_at("2027-02-01T09:00")
    assert sweeps.run("receipts", clock.now()).done == 0
    assert list(outstanding.ours(office.seat("university")).page().rows) == []
    assert list(outstanding.to_fill(office.seat("company")).page().rows) == []


@pytest.mark.rule("L-04")
def test_a_void_letter_has_no_receipt_any_more(office, letter):
    void(letter, office.seat("university"))
    for hand_in in (fill, paper):
        with pytest.raises(Conflict, match="已作废"):
            hand_in(office, letter)


@pytest.mark.rule("PD-28")
def test_a_void_letter_is_told_to_member_issuer_and_receiver(office, application, letter):
    do(transfers.withdraw, application, office.own_seat(office.graduate))
    own = session.scalars(select(Message.title).where(Message.member_id == office.graduate.id)).all()
    assert "介绍信已作废" in own
    for key in ("university", "company"):
        assert "介绍信已作废" in titles(office, key)
