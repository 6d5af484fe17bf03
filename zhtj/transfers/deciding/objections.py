"""Objections (申诉) against refusals, and the flag a forbidden ground raises for the level above (PD-17, A-16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute

from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_new, session, touched
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.kernel.sql.listing import Listing
from zhtj.notices.waiting import WaitingKind, WaitingSource
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Seat
from zhtj.transfers.applying import checks, situations
from zhtj.transfers.applying.starting import start
from zhtj.transfers.models import Application, ApplicationEvent, Objection, RefusalFlag
from zhtj.transfers.rules import Ground, hidden_ground
from zhtj.transfers.steps import Step, record
from zhtj.transfers.workflow import Action, Initiator, State

TEXT_AT_LEAST = 5
OBJECTIONABLE = (State.AWAITING_RELEASE, State.AWAITING_ACCEPTANCE)


def refusal(application: Application) -> ApplicationEvent | None:
    """The event by which an application was refused, or None."""
    return next((event for event in reversed(application.events) if event.action is Action.REFUSE), None)


def may_object(seat: ActiveSeat, application: Application) -> bool:
    """Whether ``seat`` may still object: the applicant, to a refusal by one of the two sides, within the limit."""
    if application.state is not State.REFUSED or not _applicant(seat, application):
        return False
    event = refusal(application)
    if event is None or event.from_state not in OBJECTIONABLE or _decider(application, event) is None:
        return False
    policy = policy_of(application.from_org)
    return _objections_in_chain(application) < policy.objection_limit


def _applicant(seat: ActiveSeat, application: Application) -> bool:
    if seat.kind is SeatKind.MEMBER:
        return seat.member_id == application.member_id
    return seat.org_id == application.initiator_org_id and seat.member_id != application.member_id


def superior_of(application: Application) -> Organisation | None:
    """Who would decide an objection to this refusal, or None."""
    event = refusal(application)
    return _decider(application, event) if event else None


def _decider(application: Application, event: ApplicationEvent) -> Organisation | None:
    """The refuser's direct superior; where whoever objects sits there, one level higher (PD-02, PD-61)."""
    posts = select(Seat.org_id).where(Seat.account_id == application.member.account_id, Seat.ended_at.is_(None))
    own = set(session.scalars(posts))
    if application.initiator is not Initiator.MEMBER:
        own.add(application.initiator_org_id)
    above = _superior(event)
    while above is not None and above.office_id in own:
        above = above.parent
    return above


def _superior(event: ApplicationEvent) -> Organisation | None:
    """The refuser's direct superior; where its office is the refuser itself (PD-22), the next one up."""
    above = event.org.parent if event.org else None
    while above is not None and above.office_id == event.org_id:
        above = above.parent
    return above


def _objections_in_chain(application: Application) -> int:
    """Objections against this application and those it follows: starting again gives no second one."""
    numbers = [application.id]
    while application.follows_id is not None:
        application = session.get_one(Application, application.follows_id)
        numbers.append(application.id)
    query = select(func.count()).select_from(Objection).where(Objection.application_id.in_(numbers))
    return session.scalar(query) or 0


def object_to(application: Application, seat: ActiveSeat, text: str) -> Objection:
    """Object to a refusal, once, to the refuser's direct superior (PD-17).

    Raises:
        Forbidden: this seat is not the applicant's.
        Conflict: it was not refused, or has been objected to already.
        DomainError: the text says nothing.
    """
    if not _applicant(seat, application):
        raise Forbidden("只有申请人可以申诉。")
    event = refusal(application)
    superior = _decider(application, event) if event else None
    if event is None or superior is None or not may_object(seat, application):
        raise Conflict("这份申请不能再申诉。", fix="每份申请只能申诉一次；可以改正后重新发起。", rule="PD-17")
    if len("".join(text.split())) < TEXT_AT_LEAST:
        raise DomainError(
            f"请写明申诉的理由，至少 {TEXT_AT_LEAST} 个字。",
            fix="对方的上级会根据这段话核实。",
            field="text",
            rule="PD-17",
        )
    done = session.execute(
        insert_new(Objection).values(
            application_id=application.id,
            account_id=seat.account_id,
            org_id=superior.id,
            text=text.strip(),
            raised_at=clock.now(),
        ),
        execution_options={"preserve_rowcount": True},
    )
    if touched(done) != 1:
        raise Conflict("这份申请已经申诉过。", fix="请等待处理结果。", rule="PD-17")
    _note(application, Action.OBJECT, text)
    return session.scalars(select(Objection).where(Objection.application_id == application.id)).one()


def _note(application: Application, action: Action, remark: str) -> None:
    """A line of history that leaves the state as it is."""
    state = application.state
    record([Step(application, action, state, state, remark=remark)], action, state, state)
    session.expire(application, ["events"])


def answer(objection: Objection, seat: ActiveSeat, *, sustained: bool, remark: str) -> Application | None:
    """Decide an objection; a sustained one starts a linked application at the receiver's, with a new clock (PD-17).

    Returns:
        The new application; None if dismissed, or if the member has an open one already.

    Raises:
        Forbidden: another office decides, or it is about oneself.
        Conflict: somebody has decided it.
        DomainError: no answer was given.
    """
    refused = objection.application
    if seat.org_id != objection.org.office_id or seat.member_id == refused.member_id:
        raise Forbidden("申诉由拒收单位的直接上级处理。")
    if len("".join(remark.split())) < TEXT_AT_LEAST:
        raise DomainError(
            f"请写明处理意见，至少 {TEXT_AT_LEAST} 个字。", fix="申请人和接收方都会看到。", field="remark", rule="PD-17"
        )
    done = session.execute(
        update(Objection)
        .where(Objection.id == objection.id, Objection.decided_at.is_(None))
        .values(decided_at=clock.now(), sustained=sustained, answer=remark.strip(), decided_by_id=seat.account_id),
        execution_options={"synchronize_session": False},
    )
    if touched(done) != 1:
        session.refresh(objection)
        raise Conflict("这份申诉已经处理过。", fix="请刷新页面查看结果。", rule="PD-17")
    _note(refused, Action.SUSTAIN if sustained else Action.DISMISS, remark)
    started = _start_again(refused) if sustained else None
    session.refresh(objection)
    if started is not None:
        objection.new_application_id = started.id
        session.flush()
    return started


def _start_again(refused: Application) -> Application | None:
    """The refused application once more, waiting for the receiver; None where nothing can be started by now."""
    if refused.member.org_id != refused.from_org_id:
        return None
    situation = situations.started_again(refused)
    return start(situation) if checks.first(situation, checks.CHECKS) is None else None


def flag_forbidden_ground(applications: Sequence[Application], ground: Ground, remark: str) -> None:
    """Tell the level above where the remark of a refusal gives a forbidden ground away (A-16, T-06, PD-17)."""
    if hidden_ground(ground, remark) is None:
        return
    for application in applications:
        event = refusal(application)
        above = _superior(event) if event else None
        if above is not None:
            session.add(RefusalFlag(application_id=application.id, org_id=above.id, raised_at=clock.now()))
            audit.record("transfer.flag", "application", application.id, rule="A-16", org=above.code)
    session.flush()


def _served(seat: ActiveSeat, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Rows for organisations that this seat acts for (PD-22)."""
    return column.in_(select(Organisation.id).where(Organisation.office_id == seat.org_id))


def objections(seat: ActiveSeat, *, decided: bool = False) -> Listing[Objection]:
    """Objections this office decides, oldest open ones first; or those it has decided, newest first."""
    query = select(Objection).where(
        _served(seat, Objection.org_id),
        Objection.decided_at.is_not(None) if decided else Objection.decided_at.is_(None),
    )
    return Listing(query, [Objection.id], descending=decided)


def objection(seat: ActiveSeat, number: int) -> Objection:
    """One objection this office decides. Raises NotFound."""
    found = session.scalars(select(Objection).where(Objection.id == number, _served(seat, Objection.org_id))).first()
    if found is None:
        raise NotFound
    return found


def of_application(application_id: int) -> Objection | None:
    """The objection to an application, if there is one."""
    return session.scalars(select(Objection).where(Objection.application_id == application_id)).first()


def flags(seat: ActiveSeat, *, seen: bool = False) -> Listing[RefusalFlag]:
    """Refusals whose remark gives a forbidden ground away, for the level above."""
    query = select(RefusalFlag).where(
        _served(seat, RefusalFlag.org_id), RefusalFlag.seen_at.is_not(None) if seen else RefusalFlag.seen_at.is_(None)
    )
    return Listing(query, [RefusalFlag.application_id], descending=seen)


def see_flag(application_id: int, seat: ActiveSeat, note: str) -> RefusalFlag:
    """Note what the level above did about a flagged refusal (A-16).

    Raises:
        NotFound: outside this office.
        DomainError: nothing is noted.
    """
    found = session.scalars(
        select(RefusalFlag).where(RefusalFlag.application_id == application_id, _served(seat, RefusalFlag.org_id))
    ).first()
    if found is None:
        raise NotFound
    if len("".join(note.split())) < TEXT_AT_LEAST:
        raise DomainError(f"请写明怎样处理的，至少 {TEXT_AT_LEAST} 个字。", field="note", rule="A-16")
    found.seen_at, found.seen_by_id, found.note = clock.now(), seat.account_id, note.strip()
    session.flush()
    audit.record("transfer.flag_seen", "application", application_id, note=found.note)
    return found


def _waiting_rows() -> Any:
    undecided = select(Objection.org_id.label("org_id"), Objection.raised_at.label("since"))
    unseen = select(RefusalFlag.org_id, RefusalFlag.raised_at)
    both = union_all(undecided.where(Objection.decided_at.is_(None)), unseen.where(RefusalFlag.seen_at.is_(None)))
    rows = both.subquery()
    return select(rows.c.org_id, rows.c.since)


# Objections to decide, and flags to look at (PD-17, A-16).
WAITING = WaitingSource(WaitingKind.OBJECTION, _waiting_rows)
