"""Who issues: a college only with a dated authorisation by its school committee (L-02, L-03, PD-30)."""

from __future__ import annotations

from datetime import date

import pytest

from tests.letters.test_issue import DETAILS, MOVING, issue, void
from tests.transfers.steps import acting, apply
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.letters import authority
from zhtj.letters.models import LetterAuthorisation


@pytest.fixture
def college(office):
    """A college that has written down how to reach it."""
    with unit_of_work():
        found = session.merge(office.orgs["college"])
        found.phone, found.address, found.postcode = "0551-65500008", "安徽省合肥市示范路1号信息楼", "230031"
    return office.orgs["college"]


def grant(office, key="college", first=date(2026, 10, 14), last=None, by="university"):
    with acting(office.seat(by)):
        return authority.grant(session.merge(office.orgs[key]), office.seat(by), first, last)


@pytest.mark.rule("L-02", "PD-30")
def test_an_authorised_college_issues_in_its_own_name_and_numbers(office, college, application):
    # given a college whose school authorises it from today on
    grant(office)
    # when its secretary and the school's each issue a letter
    first = issue(application, office.seat("college"))
    other = issue(apply(office, office.classmate, "company"), office.seat("university"))
    # then each is the first of its own committee
    assert (first.record.issuer, first.number) == (college.full_name, 1)
    assert (other.record.issuer, other.number) == (office.orgs["university"].full_name, 1)
    # and the school may void the college's, not the other way round
    with pytest.raises(NotFound):
        void(other, office.seat("college"))
    void(first, office.seat("university"))


@pytest.mark.rule("PD-30")
def test_it_counts_from_its_first_to_its_last_day(office, college, application, clock_at):
    # given an authorisation for two days from tomorrow on
    grant(office, first=date(2026, 10, 15), last=date(2026, 10, 16))
    # then the college issues on those two days alone
    for moment, allowed in (
        ("2026-10-14T23:59", False),
        ("2026-10-15T00:00", True),
        ("2026-10-16T23:59", True),
        ("2026-10-17T00:00", False),
    ):
        clock_at(moment)
        assert authority.may_issue(office.seat("college")) is allowed, moment
    with pytest.raises(Forbidden) as caught:
        issue(application, office.seat("college"))
    assert caught.value.rule == "L-02"


@pytest.mark.rule("PD-30")
def test_the_school_ends_it_at_any_time_and_what_was_issued_stays(office, college, application):
    grant(office)
    letter = issue(application, office.seat("college"))
    with acting(office.seat("university")):
        authority.end(college, office.seat("university"))
    with pytest.raises(Forbidden):
        void(letter, office.seat("college"))
    session.refresh(letter)
    assert letter.voided_at is None
    # and it is on record who granted and ended it, and can be granted again
    found = session.query(LetterAuthorisation).one()
    assert found.granted_by_account_id == found.ended_by_account_id == office.accounts["university"].id
    actions = [event.action for event in session.query(AuditEvent) if event.action.endswith("authorise")]
    assert actions == ["letter.authorise", "letter.unauthorise"]
    grant(office)
    assert authority.may_issue(office.seat("college"))


@pytest.mark.rule("PD-30")
def test_twice_is_told_and_one_that_ran_out_gives_way(office, college, clock_at):
    grant(office, last=date(2026, 10, 20))
    with pytest.raises(Conflict):
        grant(office)
    clock_at("2026-10-21T09:00")
    grant(office, first=date(2026, 10, 21))
    assert authority.may_issue(office.seat("college"))


@pytest.mark.rule("L-03")
def test_a_branch_is_never_authorised(office):
    with pytest.raises(DomainError) as caught:
        grant(office, "class1")
    assert caught.value.rule == "L-03"


@pytest.mark.rule("PD-30")
def test_only_its_own_school_authorises(office, college):
    for key, error in (("company", NotFound), ("college", Forbidden), ("province", Forbidden)):
        with pytest.raises(error):
            grant(office, by=key)


@pytest.mark.rule("PD-30")
@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2026, 10, 13), None), (date(2026, 10, 14), date(2026, 10, 13)), (date(2026, 11, 1), date(2026, 10, 31))],
)
def test_days_that_do_not_fit_are_refused(office, college, first, last):
    with pytest.raises(DomainError):
        grant(office, first=first, last=last)


@pytest.mark.rule("L-06")
def test_inside_its_school_a_college_issues_none_either(office, college):
    grant(office)
    application = apply(office, office.graduate, "class2", reason="other", remark="校内调整支部", confirmed=True)
    with pytest.raises(DomainError) as caught:
        issue(application, office.seat("college"))
    assert caught.value.rule == "L-06"


def test_a_college_does_not_issue_for_another_colleges_members(office, college):
    grant(office)
    leaving = apply(office, office.employee, "township", **MOVING)
    with pytest.raises(NotFound):
        issue(leaving, office.seat("college"), DETAILS)
