"""Letters without an application: low-age members whom the interface rejects, and other offline uses (X-09, T-31)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import update

from tests.letters.printing.reading import pages
from tests.letters.test_issue import DETAILS
from tests.transfers.steps import acting
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.letters import operations
from zhtj.letters.printing.render import render_letter
from zhtj.letters.record import LetterReason
from zhtj.people.models import Member

REASON = (LetterReason.FURTHER_STUDY, "")
BEIJING = "共青团北京示范大学委员会"


def joined(member, day):
    with unit_of_work():
        session.execute(update(Member).where(Member.id == member.id).values(joined_on=day))


def issue(office, receiver=BEIJING):
    seat = office.seat("university")
    with acting(seat):
        member = session.merge(office.sophomore)
        session.refresh(member)
        return operations.issue_offline(member, receiver, REASON, seat, DETAILS)


@pytest.mark.rule("X-09", "T-31", "L-32")
def test_a_low_age_member_from_before_2017_goes_by_letter_alone(office):
    # given somebody who joined at twelve in 2016, so that the external system rejects him (born in March 2004)
    joined(office.sophomore, date(2016, 5, 1))
    # when the school issues a letter without an application
    letter = issue(office)
    # then it states that he is a member and until when his dues are paid, and nothing runs online
    assert letter.application_id is None
    text = pages(render_letter(letter.record, site="https://x.example"))[0].slip(1)
    assert "系中国共产主义青年团团员" in text
    assert "该同志团费交至2026年9月" in text


@pytest.mark.rule("X-09", "T-31")
def test_from_2017_on_his_identity_is_not_recognised(office):
    # given somebody who joined below thirteen, on the first day of the new rule
    joined(office.sophomore, date(2017, 1, 1))
    # then no letter says that he is a member
    with pytest.raises(DomainError, match="不予认定") as caught:
        issue(office)
    assert caught.value.rule == "X-09"


def test_a_receiver_of_our_own_tree_is_recognised_by_full_name_or_code(office):
    company = office.orgs["company"]
    first, second = issue(office, company.full_name), issue(office, office.orgs["floating"].code)
    assert (first.receiver_org_id, first.record.receiver) == (company.id, company.full_name)
    # a branch stands for its committee
    assert second.record.receiver == office.orgs["township"].full_name


@pytest.mark.rule("L-06")
def test_to_its_own_committee_no_letter_is_needed(office):
    with pytest.raises(DomainError) as caught:
        issue(office, office.orgs["class1"].full_name)
    assert caught.value.rule == "L-06"
