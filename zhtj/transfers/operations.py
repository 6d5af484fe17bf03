"""Writes of transfers: submit, release, accept, allocate, refuse, withdraw.

Each checks, changes under a guard on the state it read, and records. None commits, none sees a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError

from zhtj.graduation import operations as graduation
from zhtj.graduation.models import GraduateCategory
from zhtj.kernel import audit, clock, facts
from zhtj.kernel.database import session, touched
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.orgs.rules import destination_problem
from zhtj.people import operations as people
from zhtj.people.models import Member
from zhtj.policy.vocabulary import Reason
from zhtj.transfers import checks
from zhtj.transfers.facts import ApplicationsChanged
from zhtj.transfers.models import Application, ApplicationEvent, Arrival, TransferDraft
from zhtj.transfers.parties import parties
from zhtj.transfers.rules import Ground, check_refusal
from zhtj.transfers.workflow import Action, Initiator, Party, Path, State, ever_allows, next_state


@dataclass(frozen=True, slots=True)
class Submission:
    """What an applicant or an administrator fills in.

    Args:
        reason: key of a transfer reason of the policy (PD-10).
        place: relation of the destination to the member's places, where the reason asks for it.
        confirmed: the warnings of the destination table were read and confirmed (PD-11).
        follows: the ended application this one starts again.
    """

    member: Member
    destination: Organisation
    reason: str
    place: str | None = None
    unit_name: str | None = None
    unit_address: str | None = None
    contact_mobile: str | None = None
    remark: str | None = None
    confirmed: bool = False
    follows: Application | None = None


def submit(wanted: Submission, seat: ActiveSeat) -> Application:
    """Start an application in ``seat`` (A-01 … A-04).

    Raises:
        DomainError: a rule forbids it; the message says which way is open.
        Conflict: the member already has an open application (A-06).
    """
    member, destination = wanted.member, wanted.destination
    initiator = checks.initiator(seat, member, destination)
    checks.no_open_application(member)
    problem = destination_problem(destination)
    if problem:
        raise DomainError(problem, field="destination", rule="O-10")
    if destination.id == member.org_id:
        raise DomainError("组织关系已经在该组织，不需要转接。", field="destination")
    row = graduation.open_row(member.id, clock.now())
    warnings = checks.reason_and_destination(wanted, is_graduate=row is not None)
    policy = checks.policy_of(member.org)
    way = Path(
        initiator,
        destination.is_branch,
        release_needed=checks.release_needed(policy, member.org, destination),
        under_actor=_under(seat, member.org, destination),
    )
    state = next_state(None, Action.SUBMIT, _party(initiator), way)
    if state is None:
        raise Forbidden
    moment = clock.now()
    application = Application(
        member_id=member.id,
        register_row_id=row.id if row else None,
        initiator=initiator,
        initiator_account_id=seat.account_id,
        initiator_org_id=seat.org_id,
        from_org_id=member.org_id,
        to_org_id=destination.id,
        final_org_id=destination.id if state is State.COMPLETED else None,
        holder_id=_holder(state, member.org_id, destination.id),
        release_needed=way.release_needed,
        reason=wanted.reason,
        place=wanted.place,
        unit_name=wanted.unit_name,
        unit_address=wanted.unit_address,
        contact_mobile=wanted.contact_mobile,
        remark=wanted.remark,
        warnings=warnings,
        state=state,
        submitted_at=moment,
        waiting_since=moment,
        due_at=checks.due(policy, moment, in_season=row is not None) if state.is_running else None,
        ended_at=moment if state is State.COMPLETED else None,
        follows_id=wanted.follows.id if wanted.follows else None,
    )
    _insert(application)
    category = policy.reasons[Reason(wanted.reason)].category
    if row is not None and category is not None:
        graduation.categorise(row, GraduateCategory(category))
    draft = session.get(TransferDraft, member.id)
    if draft is not None:
        session.delete(draft)
    _record(application, Action.SUBMIT, None, state, remark=wanted.remark)
    if state is State.COMPLETED:
        _complete(application, destination)
    return application


def _insert(application: Application) -> None:
    """The unique index decides between two submissions at the same moment (A-06)."""
    try:
        with session.begin_nested():
            session.add(application)
            session.flush()
    except IntegrityError as error:
        if checks.open_application(application.member_id) is None:
            raise
        raise Conflict(checks.OPEN_BUSINESS, fix="请先撤销原申请，或等待它办结。", rule="A-06") from error


def _under(seat: ActiveSeat, old: Organisation, new: Organisation) -> bool:
    return seat.kind in {SeatKind.COLLEGE, SeatKind.SCHOOL} and all(
        org.path.startswith(seat.path) for org in (old, new)
    )


def _party(initiator: Initiator) -> Party:
    return Party(initiator.value)


def _holder(state: State, from_id: int, to_id: int) -> int | None:
    if not state.is_open:
        return None
    return from_id if state is State.AWAITING_RELEASE else to_id


def release(application: Application, seat: ActiveSeat, *, remark: str = "") -> None:
    """The old side agrees (A-09, A-10)."""
    _decide(application, seat, Action.RELEASE, remark=remark)


def accept(application: Application, seat: ActiveSeat, *, remark: str = "") -> None:
    """The new side agrees; the member has moved if the destination is a branch (A-08, A-12)."""
    _decide(application, seat, Action.ACCEPT, remark=remark)


def allocate(application: Application, seat: ActiveSeat, branch: Organisation) -> None:
    """Put an accepted member into a branch below the destination (A-12).

    Raises:
        DomainError: ``branch`` is no usable branch below the destination.
    """
    if not branch.is_branch or not branch.path.startswith(application.to_org.path):
        raise DomainError("请选择转入组织下面的团支部。", field="branch", rule="A-12")
    problem = destination_problem(branch)
    if problem:
        raise DomainError(problem, field="branch", rule="O-10")
    _decide(application, seat, Action.ALLOCATE, branch=branch)


def accept_into(application: Application, seat: ActiveSeat, branch: Organisation) -> None:
    """Accept and allocate in one step, as two recorded transitions."""
    accept(application, seat)
    session.refresh(application)
    allocate(application, seat, branch)


def refuse(application: Application, seat: ActiveSeat, ground: Ground, remark: str) -> None:
    """Say no, with a coded ground and a remark (A-15 … A-17, PD-17)."""
    check_refusal(application.state, ground, remark)
    _decide(application, seat, Action.REFUSE, ground=ground, remark=remark)


def withdraw(application: Application, seat: ActiveSeat, *, remark: str = "") -> None:
    """The initiator, or the member himself, takes it back (A-18, A-21, PD-16)."""
    _decide(application, seat, Action.WITHDRAW, remark=remark)


def _decide(
    application: Application,
    seat: ActiveSeat,
    action: Action,
    *,
    branch: Organisation | None = None,
    ground: Ground | None = None,
    remark: str = "",
) -> None:
    before = application.state
    roles = parties(seat, application, action)
    found = (next_state(before, action, party, application.way) for party in roles)
    after = next((state for state in found if state is not None), None)
    if after is None:
        raise _too_late(application, action, roles)
    final = branch or (application.to_org if after is State.COMPLETED else None)
    _guarded_update(application, before, after, final)
    _record(application, action, before, after, ground=ground, remark=remark)
    if after is State.COMPLETED:
        _complete(application, final or application.to_org)


def _too_late(application: Application, action: Action, roles: set[Party]) -> DomainError:
    """Why the state allows the action no more - or that it never was this seat's to take."""
    if action is Action.WITHDRAW and application.state is State.AWAITING_ALLOCATION and roles:
        happened = stale(application).message
        return Conflict("对方已经同意接收，申请不能再撤销。", fix=f"{happened}如需变动，请与对方联系。", rule="PD-16")
    # Of two at the same moment the second finds the application already where the first has put it.
    if not application.state.is_open or any(ever_allows(action, party, application.way) for party in roles):
        return stale(application)
    return Forbidden("这一步不由当前任职办理。")


def _guarded_update(application: Application, before: State, after: State, final: Organisation | None) -> None:
    """Change the state only where it still is what we saw, and not past its due time (PD-18)."""
    moment = clock.now()
    values: dict[str, Any] = {
        "state": after,
        "version": Application.version + 1,
        "holder_id": _holder(after, application.from_org_id, application.to_org_id),
        "waiting_since": moment,
    }
    if not after.is_running:
        values["due_at"] = None
    if not after.is_open:
        values["ended_at"] = moment
    if final is not None:
        values["final_org_id"] = final.id
    done = session.execute(
        update(Application)
        .where(
            Application.id == application.id,
            Application.state == before,
            or_(Application.due_at.is_(None), Application.due_at > moment),
        )
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    session.refresh(application)
    if touched(done) != 1:
        raise stale(application)


def stale(application: Application) -> Conflict:
    """What to tell somebody who came too late: what happened meanwhile, and when."""
    if application.due_at is not None and application.due_at <= clock.now():
        return Conflict(
            f"这份申请已于 {clock.local(application.due_at):%m月%d日 %H:%M} 超过办理期限，将自动退回。",
            fix="请由申请人重新发起。",
            rule="D-09",
        )
    last = application.events[-1] if application.events else None
    if last is None:
        return Conflict("这份申请刚刚被处理过。", fix="请刷新页面查看最新状态。")
    who = last.account.name if last.account else "系统"
    when = f"{clock.local(last.at):%m月%d日 %H:%M}"
    return Conflict(
        f"{who}已在 {when} 办理了“{last.action.label}”，申请现在是“{application.state.label}”。",
        fix="您这次的操作没有生效。",
    )


def _record(
    application: Application,
    action: Action,
    before: State | None,
    after: State,
    *,
    ground: Ground | None = None,
    remark: str | None = None,
) -> None:
    """Write the member-visible history, the audit event, and tell the rooms above (A-07)."""
    who = audit.actor()
    moment: datetime = clock.now()
    session.add(
        ApplicationEvent(
            application_id=application.id,
            action=action,
            from_state=before,
            to_state=after,
            account_id=who.account_id,
            org_id=who.org_id,
            ground=ground.value if ground else None,
            remark=remark or None,
            at=moment,
            recorded_at=moment,
        )
    )
    session.flush()
    audit.record(
        f"transfer.{action.value}",
        "application",
        application.id,
        before=before.value if before else None,
        after=after.value,
        why=ground.value if ground else None,
    )
    facts.publish(ApplicationsChanged((application.id,), action, before, after))


def _complete(application: Application, branch: Organisation) -> None:
    """Everything completion brings, in the same transaction (PD-20)."""
    people.move_member(application.member, branch, by=f"application:{application.id}")
    if application.register_row is not None:
        graduation.complete(application.register_row, clock.now())
    session.add(
        Arrival(
            application_id=application.id,
            member_id=application.member_id,
            org_id=branch.id,
            arrived_at=clock.now(),
        )
    )
    session.flush()


def save_draft(member: Member, answers: dict[str, Any]) -> TransferDraft:
    """Keep what the member has answered so far; one draft each, on any device."""
    draft = session.get(TransferDraft, member.id)
    if draft is None:
        draft = TransferDraft(member_id=member.id, answers={}, saved_at=clock.now())
        session.add(draft)
    draft.answers = {**draft.answers, **answers}
    draft.saved_at = clock.now()
    session.flush()
    return draft


def drop_draft(member: Member) -> None:
    """Forget the draft; the member starts anew."""
    draft = session.get(TransferDraft, member.id)
    if draft is not None:
        session.delete(draft)
        session.flush()
