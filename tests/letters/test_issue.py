"""Issuing and voiding: who may, for which application, with what in the record (L-02 … L-04, PD-27 … PD-30)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests.browsing import Browser
from tests.transfers.steps import accept_into, acting, apply, do, start
from tests.world import World
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.letters import operations, queries
from zhtj.letters.many import candidates
from zhtj.letters.many.candidates import CandidateFilters
from zhtj.letters.models import Letter, LetterSeries, LetterState
from zhtj.letters.operations import Details
from zhtj.letters.queries import LetterFilters, Validity
from zhtj.letters.record import FileDisposition, LetterReason
from zhtj.letters.rules import letter_reason
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.policy import seasons
from zhtj.policy.vocabulary import Reason
from zhtj.transfers import operations as transfers
from zhtj.transfers.models import Application, special_label
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import sweeps
from zhtj.transfers.workflow import State

MOVING = {"reason": "relocation", "place": "residence", "unit_address": "安徽省合肥市蜀山区井岗镇示范路2号"}
DETAILS = Details(dues_until=date(2026, 9, 1), file_disposition=FileDisposition.WITH_PERSONAL_FILE)


def issue(application: Application, seat: ActiveSeat, details: Details = DETAILS) -> Letter:
    with acting(seat):
        session.refresh(application)
        return operations.issue(application, seat, details)


def void(letter: Letter, seat: ActiveSeat, reason: str = "姓名写错") -> None:
    with acting(seat):
        session.refresh(letter)
        operations.void(letter, seat, reason)


@pytest.mark.rule("L-02", "L-06", "L-12", "L-14", "L-21", "L-25")
def test_the_school_committee_issues_from_what_it_knows(office, application):
    # given an application from a class to a company
    seat = office.seat("university")
    # when the school's secretary issues the letter
    letter = issue(application, seat)
    # then issuer and receiver are the two basic committees, and he is the handler
    record = letter.record
    assert (record.issuer, record.receiver) == (office.orgs["university"].full_name, office.orgs["company"].full_name)
    assert (record.handler, record.handler_mobile) == (
        office.accounts["university"].name,
        office.accounts["university"].mobile,
    )
    assert (record.issuer_phone, record.postcode) == ("0551-65500000", "230031")


@pytest.fixture
def completion_first(office: World) -> Iterator[None]:
    """The school has bound itself to the rule of 2024: no letter before the transfer is complete."""
    seasons.bind(seasons.read_bindings(f"{office.orgs['university'].code}=2024-letters@2026"))
    yield
    seasons.bind(())


@pytest.mark.rule("PD-62", "PD-28", "K-30")
def test_where_completion_comes_first_no_letter_goes_out_before_it(office, completion_first, client):
    application = apply(office, office.graduate, "company")
    seat, browser = office.seat("university"), Browser(client).login(office.accounts["university"])

    with pytest.raises(DomainError, match="转接完成后才开具介绍信") as refused:
        issue(application, seat)
    assert refused.value.rule == "PD-62"
    page = browser.get(f"/school/applications/{application.id}")
    assert "本校规定组织关系转接完成后才开具介绍信。" in page.main
    assert "开具介绍信" not in page.links()
    assert candidates.listing(seat, policy_of(application.from_org), candidates.CandidateFilters()).count() == 0

    do(accept_into, application, office.seat("company"), office.orgs["team"])

    assert candidates.listing(seat, policy_of(application.from_org), candidates.CandidateFilters()).count() == 1
    assert "开具介绍信" in browser.get(f"/school/applications/{application.id}").links()
    assert issue(application, seat).state is LetterState.ISSUED


@pytest.mark.rule("PD-62")
def test_another_school_issues_as_before(office, application, completion_first):
    seasons.bind(seasons.read_bindings(f"{office.orgs['company'].code}=2024-letters@2026"))

    assert issue(application, office.seat("university")).state is LetterState.ISSUED


@pytest.mark.rule("L-10", "L-15", "L-18", "L-19", "L-20", "L-22")
def test_the_member_is_as_in_his_file(office, application):
    member = office.graduate
    record = issue(application, office.seat("university"), replace(DETAILS, landline="0551-65500009")).record
    assert (record.name, record.sex, record.ethnicity) == (member.name, "男", "汉族")
    assert (record.id_number, record.dev_number) == (member.account.id_number, member.dev_number)
    assert (record.joined_month, record.dues_until) == (member.joined_on, date(2026, 9, 1))
    assert record.member_phones == (member.account.mobile, "0551-65500009")
    # born 14 March 2004, issued 14 October 2026
    assert record.age == 22


@pytest.mark.rule("L-15")
def test_the_number_given_for_the_time_after_leaving_counts(office):
    application = apply(
        office, office.graduate, "company", reason="employed_with_org", unit_name="示例", contact_mobile="13700000009"
    )
    assert issue(application, office.seat("university")).record.member_phones == ("13700000009",)


@pytest.mark.rule("L-20")
def test_a_member_without_number_gets_none(office, application):
    with unit_of_work():
        session.execute(update(Member).where(Member.id == office.graduate.id).values(dev_number=None))
    assert issue(application, office.seat("university")).record.dev_number == "无"


@pytest.mark.rule("L-03")
def test_a_branch_never_issues(office, application):
    with pytest.raises(Forbidden) as caught:
        issue(application, office.seat("class1"))
    assert caught.value.rule == "L-03"


@pytest.mark.rule("L-02")
@pytest.mark.parametrize("key", ["college", "province", "county"])
def test_a_college_without_authorisation_and_a_leading_organ_do_not_issue(office, application, key):
    with pytest.raises(Forbidden) as caught:
        issue(application, office.seat(key))
    assert caught.value.rule == "L-02"


def test_the_table_of_permissions_agrees(office):
    allowed = {key for key in office.accounts if office.seat(key).may(Permission.LETTER_ISSUE)}
    # a college only while it is authorised, which the operation checks
    assert allowed == {"university", "township", "company", "college"}


@pytest.mark.rule("L-06")
def test_another_basic_committee_does_not_see_the_application(office, application):
    with pytest.raises(NotFound):
        issue(application, office.seat("company"))


@pytest.mark.rule("PD-02")
def test_nobody_issues_his_own(office, application):
    seat = replace(office.seat("university"), member_id=office.graduate.id)
    with pytest.raises(Forbidden):
        issue(application, seat)


@pytest.mark.rule("L-06")
def test_inside_one_school_no_letter_is_needed(office):
    application = apply(office, office.graduate, "class2", reason="other", remark="校内调整支部", confirmed=True)
    with pytest.raises(DomainError) as caught:
        issue(application, office.seat("university"))
    assert caught.value.rule == "L-06"


@pytest.mark.rule("L-25")
def test_what_is_missing_is_said_and_no_number_is_used(office, application):
    # given a school without a telephone number
    with unit_of_work():
        session.merge(office.orgs["university"]).phone = None
    # when it issues, it is told
    with pytest.raises(DomainError, match="固定电话") as caught:
        issue(application, office.seat("university"))
    assert caught.value.field == "issuer_phone"
    # and the next letter is the first
    with unit_of_work():
        session.merge(office.orgs["university"]).phone = "0551-65500000"
    assert issue(application, office.seat("university")).number == 1


@pytest.mark.rule("PD-28")
def test_a_completed_application_may_have_a_letter(office, application):
    do(transfers.accept, application, office.seat("company"))
    do(transfers.allocate, application, office.seat("company"), office.orgs["team"])
    letter = issue(application, office.seat("university"))
    assert application.state is State.COMPLETED
    assert letter.record.issuer == office.orgs["university"].full_name


@pytest.mark.rule("PD-28")
def test_a_failed_application_has_none(office, application):
    do(transfers.withdraw, application, office.own_seat(office.graduate))
    with pytest.raises(DomainError) as caught:
        issue(application, office.seat("university"))
    assert caught.value.rule == "PD-28"


@pytest.mark.rule("PD-27")
def test_a_correction_is_a_void_letter_and_a_new_number(office, application):
    seat = office.seat("university")
    first = issue(application, seat)
    # given a valid letter, a second one is refused
    with pytest.raises(Conflict):
        issue(application, seat)
    # when the first is voided, the second gets the next number, and the first stays
    void(first, seat)
    second = issue(application, seat)
    assert (first.number, second.number) == (1, 2)
    assert [letter.state for letter in queries.of_member(office.graduate.id)] == [LetterState.ISSUED, LetterState.VOID]
    assert queries.of_application(application.id) == second


@pytest.mark.rule("L-09")
def test_every_committee_and_every_year_counts_by_itself(office, application, clock_at):
    numbers = [issue(application, office.seat("university")).serial]
    leaving = start(office.seat("company"), office.employee, office.orgs["township"], **MOVING)
    numbers.append(issue(leaving, office.seat("company")).serial)
    clock_at("2027-01-04T09:00")
    other = apply(office, office.sophomore, "township", **MOVING)
    numbers.append(issue(other, office.seat("university")).serial)
    assert numbers == ["2026年001号", "2026年001号", "2027年001号"]


@pytest.mark.rule("L-04")
def test_an_issued_letter_does_not_change(office, application):
    letter = issue(application, office.seat("university"))
    letter.number = 7
    with pytest.raises(TypeError, match="immutable"):
        session.flush()
    session.rollback()
    session.delete(session.get_one(Letter, letter.id))
    with pytest.raises(TypeError, match="never deleted"):
        session.flush()
    session.rollback()


@pytest.mark.rule("L-04")
def test_voiding_needs_a_reason_and_happens_once(office, application):
    seat = office.seat("university")
    letter = issue(application, seat)
    with pytest.raises(DomainError):
        void(letter, seat, " ")
    with pytest.raises(NotFound):
        void(letter, office.seat("company"))
    void(letter, seat)
    with pytest.raises(Conflict):
        void(letter, seat)
    assert (letter.void_reason, letter.voided_by_account_id) == ("姓名写错", seat.account_id)


@pytest.mark.rule("PD-28")
@pytest.mark.parametrize("how", ["refused", "withdrawn", "returned"])
def test_when_the_application_fails_its_letter_is_void(office, application, clock_at, how):
    letter = issue(application, office.seat("university"))
    # when the application ends badly, in whatever way
    if how == "refused":
        do(transfers.refuse, application, office.seat("company"), Ground.NOT_OURS, "本单位没有录用该同学")
    elif how == "withdrawn":
        do(transfers.withdraw, application, office.own_seat(office.graduate))
    else:
        clock_at("2027-01-14T09:00")
        assert sweeps.return_overdue(application.due_at)[0] == 1
    # then the letter is void, by the system, and says why
    session.refresh(letter)
    assert letter.state is LetterState.VOID
    assert letter.voided_by_account_id is None
    assert State(how).label in (letter.void_reason or "")
    about = select(AuditEvent.action).where(AuditEvent.subject_type == "letter").order_by(AuditEvent.id)
    actions = session.scalars(about).all()
    assert actions == ["letter.issue", "letter.void"]


@pytest.mark.rule("PD-57", "PD-28", "PD-18")
def test_from_the_due_moment_on_no_letter_is_issued_swept_or_not(office, application, clock_at):
    clock_at(application.due_at)
    with pytest.raises(Conflict, match="超过办理期限"):
        issue(application, office.seat("university"))
    # and none of the numbers is wasted
    assert session.scalars(select(Letter)).all() == []
    assert session.scalars(select(LetterSeries)).all() == []
    policy = policy_of(office.orgs["university"])
    assert candidates.picked(office.seat("university"), policy, CandidateFilters(), None, 10) == []


@pytest.mark.rule("PD-57", "PD-28")
def test_a_letter_issued_before_is_worth_nothing_from_then_on(office, application, clock_at):
    letter = issue(application, office.seat("university"))
    assert queries.by_code(letter.code).validity is Validity.VALID
    clock_at(application.due_at)
    assert queries.by_code(letter.code).validity is Validity.VOID


def test_completion_leaves_the_letter_valid(office, application):
    letter = issue(application, office.seat("university"))
    do(transfers.accept, application, office.seat("company"))
    do(transfers.allocate, application, office.seat("company"), office.orgs["team"])
    session.refresh(letter)
    assert letter.state is LetterState.ISSUED


@pytest.mark.rule("L-32")
def test_without_an_application_a_letter_can_be_issued_offline(office):
    # given a member whom another system rejects for his age, so that nothing runs online
    seat = office.seat("university")
    with acting(seat):
        member = session.merge(office.sophomore)
        reason = (LetterReason.FURTHER_STUDY, "")
        letter = operations.issue_offline(member, "共青团北京示范大学委员会", reason, seat, DETAILS)
    # then the letter states identity and dues month for a committee that stands in no tree of ours
    assert letter.application_id is None
    assert letter.record.receiver == "共青团北京示范大学委员会"
    assert (letter.record.name, letter.record.dues_until) == ("万堃", date(2026, 9, 1))


@pytest.mark.rule("L-07")
def test_it_counts_to_the_end_of_the_ninetieth_day(office, application, clock_at):
    letter = issue(application, office.seat("university"))
    assert letter.last_valid_on == date(2027, 1, 12)
    for moment, validity in (("2027-01-12T23:59", Validity.VALID), ("2027-01-13T00:00", Validity.LAPSED)):
        clock_at(moment)
        assert queries.validity_of(letter) is validity
    void(letter, office.seat("university"))
    assert queries.validity_of(letter) is Validity.VOID


def test_the_public_view_shows_a_masked_name_and_little_else(office, application):
    letter = issue(application, office.seat("university"))
    view = queries.by_code(f" {letter.code.lower()} ")
    assert view is not None
    assert (view.serial, view.name, view.validity) == ("2026年001号", "丁*", Validity.VALID)
    assert set(view.__slots__) == {"serial", "name", "issuer", "receiver", "issued_on", "last_valid_day", "validity"}
    assert queries.by_code("ABCD-EFGH-JKMN") is None


def test_who_sees_a_letter(office, application):
    letter = issue(application, office.seat("university"))
    # given the issuer, the member's college and the member himself, all see it
    for seat in (office.seat("university"), office.seat("college"), office.own_seat(office.graduate)):
        assert queries.letter(seat, letter.id) == letter
        assert list(queries.letters(seat, LetterFilters()).page().rows) == [letter]
    # and nobody else does
    for seat in (office.seat("company"), office.own_seat(office.classmate)):
        with pytest.raises(NotFound):
            queries.letter(seat, letter.id)
    with pytest.raises(Forbidden):
        queries.letter(office.seat("class1"), letter.id)


def test_the_record_lies_encrypted(office, application):
    letter = issue(application, office.seat("university"))
    raw = session.connection().exec_driver_sql("SELECT record FROM letters").scalar_one()
    assert letter.record.id_number not in raw
    assert "丁一" not in raw


@pytest.mark.rule("PD-27")
def test_the_database_itself_refuses_a_number_twice(office, application):
    letter = issue(application, office.seat("university"))
    copy = {column.key: getattr(letter, column.key) for column in Letter.__mapper__.column_attrs if column.key != "id"}
    session.add(Letter(**copy | {"code": "AAAA-AAAA-AAAA", "application_id": None}))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


@pytest.mark.rule("L-11")
@pytest.mark.parametrize(
    ("reason", "graduate", "expected"),
    [
        (Reason.FURTHER_STUDY, True, "升学"),
        (Reason.INTERNAL_UPGRADE, True, "升学"),
        (Reason.EMPLOYED_WITH_ORG, True, "毕业"),
        (Reason.UNPLACED, True, "毕业"),
        (Reason.WORK, False, "单位变更"),
        (Reason.RELOCATION, False, "居住地变更"),
        (Reason.SPECIAL_UNIT, True, "某事"),
        (Reason.OTHER, False, "某事"),
    ],
)
def test_the_applications_reason_in_the_forms_words(reason, graduate, expected):
    found, text = letter_reason(reason, "某事", graduate=graduate)
    assert (text or found.label) == expected


@pytest.mark.rule("PD-28")
def test_a_special_unit_reads_as_its_kind():
    assert special_label("已通过政审、体检，入伍") == "参军入伍"
    assert special_label("涉密单位，政审已完成") == "涉密单位"
