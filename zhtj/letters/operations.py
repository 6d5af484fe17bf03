"""Writes of letters: issue, void. Each checks, changes, flushes, records; none commits, none sees a request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.ids import random_code
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.kernel.permissions import check as check_permission
from zhtj.letters import authority, messages, rules, seals
from zhtj.letters.models import Letter, LetterSeries, LetterState
from zhtj.letters.printing.issuing_checks import check
from zhtj.letters.record import FileDisposition, LetterReason, LetterRecord
from zhtj.orgs.models import Organisation, Region
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Account, Member
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.deciding import decisions
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.kinds import basic_of
from zhtj.transfers.models import Application, special_label
from zhtj.transfers.rules import low_age
from zhtj.transfers.workflow import Track


@dataclass(frozen=True, slots=True)
class Details:
    """What the person who issues a letter fills in.

    Args:
        dues_until: any day of the month up to which dues are paid (L-22).
        file_disposition, file_note: where the member's file goes; the note only for 其他 (L-13).
        handler, handler_mobile: who issues it; empty: whoever acts (L-14, L-25).
        landline: the member's second phone, reachable after leaving (L-15).
        reason, reason_text: overrule the application's reason; the text alone is a concrete other one (L-11).
    """

    dues_until: date
    file_disposition: FileDisposition
    file_note: str = ""
    handler: str = ""
    handler_mobile: str = ""
    landline: str = ""
    reason: LetterReason | None = None
    reason_text: str = ""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is to be put on paper: whose relationship goes where, and why."""

    member: Member
    from_org: Organisation
    receiver: str
    receiver_org: Organisation | None
    special: bool
    reason: tuple[LetterReason, str]
    mobile: str
    application: Application | None


def issue(application: Application, seat: ActiveSeat, details: Details) -> Letter:
    """Issue the letter of an application (L-02 … L-25, PD-27, PD-28).

    Raises:
        Forbidden: this seat issues no letters, or it would be one's own (L-02, L-03, PD-02).
        NotFound: the member does not leave this seat's committee.
        DomainError: the application may have none, a field is missing, a character cannot be printed.
        Conflict: it has a valid letter already.
    """
    letter = _issue(_draft(application, seat, details), seat)
    messages.tell_issued([letter])
    return letter


def issue_quietly(application: Application, seat: ActiveSeat, details: Details) -> Letter:
    """As ``issue``, for a batch, which tells all the members at once."""
    return _issue(_draft(application, seat, details), seat)


def rehearse(application: Application, seat: ActiveSeat, details: Details) -> LetterRecord:
    """What the letter would say, without a number of its own. Raises as ``issue``."""
    return _draft(application, seat, details).record


def issue_offline(
    member: Member, receiver: str, reason: tuple[LetterReason, str], seat: ActiveSeat, details: Details
) -> Letter:
    """Issue a letter without an application, where the transfer cannot go online (X-09, T-31, L-32).

    Args:
        member: whom it is about.
        receiver: full name or code of the in-committee; it may stand in no tree of ours.
        reason: the form's reason, and its text for 其他.
        seat: whoever issues it.
        details: what he fills in.

    Raises:
        As ``issue``; and DomainError for a member whose identity is not recognised (X-09).
    """
    # T-31, L-32: the letter alone carries somebody whom no interface takes.
    letter = _issue(_offline_draft(member, receiver, reason, seat, details), seat)
    messages.tell_issued([letter])
    return letter


def rehearse_offline(
    member: Member, receiver: str, reason: tuple[LetterReason, str], seat: ActiveSeat, details: Details
) -> LetterRecord:
    """What such a letter would say. Raises as ``issue_offline``."""
    return _offline_draft(member, receiver, reason, seat, details).record


def _offline_draft(
    member: Member, receiver: str, reason: tuple[LetterReason, str], seat: ActiveSeat, details: Details
) -> _Draft:
    authority.check_issuer(seat)
    policy = policy_of(member.org)
    rules.check_identity(member.joined_on, policy.strict_join_from, too_young=low_age(policy, member))
    name = receiver.strip()
    known = receiver_of(name)
    case = _Case(
        member=member,
        from_org=member.org,
        receiver=known.full_name if known else name,
        receiver_org=known,
        special=False,
        reason=reason,
        mobile=member.account.mobile or "",
        application=None,
    )
    return _prepare(case, seat, details, policy)


def receiver_of(text: str) -> Organisation | None:
    """The in-committee of that full name or code in our own tree; None for one elsewhere."""
    query = select(Organisation).where(or_(Organisation.full_name == text, Organisation.code == text))
    found = session.scalars(query.where(Organisation.system == Region.NATIONAL)).first()
    return receiving_committee(found) if found is not None else None


def _draft(application: Application, seat: ActiveSeat, details: Details) -> _Draft:
    authority.check_issuer(seat)
    if application.has_lapsed:  # the due moment counts, swept or not (PD-57)
        raise decisions.stale(application)
    policy = policy_of(application.from_org)
    problem = rules.state_problem(application.state, requires_completion=policy.letter_requires_completion)
    if problem is not None:
        raise problem
    return _prepare(_case(application, policy), seat, details, policy)


def _case(application: Application, policy: Policy) -> _Case:
    reason = Reason(application.reason)
    special = application.track is Track.SPECIAL
    receiver = receiving_committee(application.to_org) if application.track is Track.DOMESTIC else None
    name = receiver.full_name if receiver else application.external_name or special_label(application.remark)
    label = name if special else policy.reasons[reason].label
    return _Case(
        member=application.member,
        from_org=application.from_org,
        receiver=name,
        receiver_org=receiver,
        special=special,
        reason=rules.letter_reason(reason, label, graduate=application.register_row_id is not None),
        mobile=application.contact_mobile or application.member.account.mobile or "",
        application=application,
    )


def receiving_committee(destination: Organisation) -> Organisation:
    """The in-committee: the destination's basic committee, or the leading organ its floating branch hangs on (L-06)."""
    # L-06: what receives is the destination's basic committee, never the branch itself.
    found = basic_of(destination)
    if found is not None:
        return found
    return destination.parent if destination.is_branch and destination.parent else destination


@dataclass(frozen=True, slots=True)
class _Draft:
    """A letter that lacks nothing but its number."""

    case: _Case
    issuer: Organisation
    record: LetterRecord


def _prepare(case: _Case, seat: ActiveSeat, details: Details, policy: Policy) -> _Draft:
    issuer = authority.issuer_for(seat, case.from_org)
    if seat.member_id == case.member.id:
        raise Forbidden("本人的介绍信须由其他管理员开具。", rule="PD-02")
    old = basic_of(case.from_org)
    if old is not None and case.receiver_org is not None and old.id == case.receiver_org.id:
        raise DomainError(
            "转出和转入在同一个基层团委，无需开具介绍信。",
            fix="在本团委内部调整支部即可。",
            field="receiver",
            rule="L-06",
        )
    record = _record(case, issuer, seat, details, policy)
    check(record)
    return _Draft(case, issuer, record)


def _issue(draft: _Draft, seat: ActiveSeat) -> Letter:
    case, issuer = draft.case, draft.issuer
    seal = seals.present(issuer.id)
    record = replace(draft.record, number=_next_number(issuer.id, draft.record.year))
    letter = Letter(
        issuer_org_id=issuer.id,
        year=record.year,
        number=record.number,
        member_id=case.member.id,
        from_org_id=case.from_org.id,
        receiver_org_id=case.receiver_org.id if case.receiver_org else None,
        application_id=case.application.id if case.application else None,
        # PD-27: everything it says is kept as it was issued, with the template's version.
        record_json=record.to_json(),
        template_version=record.template_version,
        seal_id=seal.id if seal else None,
        code=record.check_code,
        issued_at=clock.now(),
        last_valid_on=record.last_valid_day,
        issued_by_account_id=seat.account_id,
        issued_by_seat_id=seat.seat_id,
        state=LetterState.ISSUED,
    )
    _insert(letter)
    audit.record(
        "letter.issue", "letter", letter.id, serial=record.serial, issuer=issuer.code, application=letter.application_id
    )
    return letter


def _record(case: _Case, issuer: Organisation, seat: ActiveSeat, details: Details, policy: Policy) -> LetterRecord:
    member, today = case.member, clock.today()
    actor = session.get_one(Account, seat.account_id)
    reason, reason_text = case.reason
    if details.reason or details.reason_text.strip():
        reason, reason_text = details.reason or LetterReason.OTHER, details.reason_text.strip()
    return LetterRecord(
        year=today.year,
        number=1,  # the real one is taken last, when nothing can fail any more
        number_width=policy.letter_number_width,
        # L-12: both committees with their full names.
        issuer=issuer.full_name,
        receiver=case.receiver,
        special=case.special,
        # L-10, L-18: the member's record follows the ID card.
        name=member.name,
        sex=member.sex.label,
        age=_age(member.account.id_number or "", today),
        ethnicity=member.ethnicity or "",
        id_number=member.account.id_number or "",
        # L-19: the member's record follows the application form.
        joined_month=member.joined_on,
        # L-20: 无 is written out; the line is never blank.
        dev_number=member.dev_number or policy.dev_number_missing,
        reason=reason,
        reason_text=reason_text if reason is LetterReason.OTHER else "",
        dues_until=details.dues_until,
        file_disposition=details.file_disposition,
        file_note=details.file_note if details.file_disposition is FileDisposition.OTHER else "",
        # L-14: whoever issues it, unless they name somebody else.
        handler=details.handler.strip() or actor.name,
        handler_mobile=details.handler_mobile.strip() or actor.mobile or "",
        # L-15: the mobile given for the time afterwards, and a landline if there is one.
        member_phones=tuple(phone for phone in (case.mobile, details.landline.strip()) if phone),
        # L-25: the committee's landline; the handler's mobile stands beside it.
        issuer_phone=issuer.phone or "",
        address=issuer.address or "",
        postcode=issuer.postcode or "",
        issued_on=today,
        valid_days=policy.letter_valid_days,
        template_version=policy.letter_template,
        check_code=random_code(),
    )


def _age(id_number: str, on: date) -> int:
    """Completed years; 0, which no letter accepts, where the number tells no birthday."""
    try:
        born = date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return 0
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _next_number(issuer_id: int, year: int) -> int:
    """The committee's next number; the one statement locks the series until the commit, so none is lost or repeated."""
    maker = sqlite.insert if session().get_bind().dialect.name == "sqlite" else postgresql.insert
    first = maker(LetterSeries).values(issuer_org_id=issuer_id, year=year, last_number=1)
    either = first.on_conflict_do_update(
        index_elements=[LetterSeries.issuer_org_id, LetterSeries.year],
        set_={"last_number": LetterSeries.last_number + 1},
    )
    return session.execute(either.returning(LetterSeries.last_number)).scalar_one()


def _insert(letter: Letter) -> None:
    """The unique index decides between two letters for one application at the same moment."""
    try:
        with session.begin_nested():
            session.add(letter)
            session.flush()
    except IntegrityError as error:
        fix = "需要更正的，请先作废原介绍信再重新开具。"
        raise Conflict("这份申请已经开具了介绍信。", fix=fix, rule="L-04") from error


def void(letter: Letter, seat: ActiveSeat, reason: str) -> None:
    """Make a letter void; its number stays used (L-04, PD-27).

    Raises:
        Forbidden, NotFound: it is not this committee's letter.
        DomainError: no reason.
        Conflict: it is void already.
    """
    authority.check_issuer(seat)
    check_permission(seat, Permission.LETTER_ISSUE, letter.issuer.path)
    reason = reason.strip()
    if not rules.VOID_REASON_AT_LEAST <= len(reason) <= rules.VOID_REASON_AT_MOST:
        raise DomainError("请写明作废原因，2 至 120 个字。", field="reason", rule="L-04")
    # L-04: nothing of an issued letter is ever altered; it can only be made void, and a new one gets a new number.
    done = session.scalar(
        update(Letter)
        .where(Letter.id == letter.id, Letter.state == LetterState.ISSUED)
        .values(
            state=LetterState.VOID,
            voided_at=clock.now(),
            void_reason=reason,
            voided_by_account_id=seat.account_id,
        )
        .returning(Letter.id),
        execution_options={"synchronize_session": False},
    )
    session.refresh(letter)
    if done is None:
        raise Conflict("这份介绍信已经作废。", rule="L-04")
    audit.record("letter.void", "letter", letter.id, why=reason)
    messages.tell_voided([letter])


def void_after_failure(event: ApplicationsChanged) -> None:
    """Void the letters of applications that have just failed; subscribed to the transfers room (PD-28)."""
    if event.after not in rules.FAILED:
        return
    reason = f"转接申请{event.after.label}，介绍信自动作废"
    voided = session.scalars(
        update(Letter)
        .where(Letter.application_id.in_(event.ids), Letter.state == LetterState.ISSUED)
        .values(state=LetterState.VOID, voided_at=clock.now(), void_reason=reason)
        .returning(Letter.id),
        execution_options={"synchronize_session": False},
    ).all()
    audit.record_many("letter.void", "letter", [(number, {"why": reason}) for number in voided])
    if voided:
        found = select(Letter).where(Letter.id.in_(voided)).execution_options(populate_existing=True)
        messages.tell_voided(session.scalars(found).all())
