"""Decisions on applications, one or five hundred at once: who may, does the state allow it, was somebody faster.

``decide`` answers line by line; the single operations in ``operations`` raise the answer of their one line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.transfers.entries import Entrants, way_now
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.parties import parties
from zhtj.transfers.steps import Step, take
from zhtj.transfers.workflow import Action, Party, State, ever_allows, next_state

Check = Callable[[Application], None]
# What brings a member in, or nearer to it; a refusal asks whether he has become barred.
ENTERING = frozenset({Action.RELEASE, Action.ACCEPT, Action.ALLOCATE, Action.TAKE_OVER})


def decide(
    applications: Sequence[Application],
    seat: ActiveSeat,
    action: Action,
    *,
    branch: Organisation | None = None,
    ground: str | None = None,
    remark: str = "",
    check: Check | None = None,
) -> dict[int, DomainError]:
    """Do ``action`` to each of these applications, in one handful of statements.

    Args:
        applications: as they were read; the write re-checks their state.
        seat: who decides.
        action: what.
        branch: where the members arrive, if the action completes and the destination is no branch itself.
        ground: of a refusal.
        remark: of any decision.
        check: raises DomainError for an application that may not be decided like this.

    Returns:
        Why not, by id, for those that were not done.
    """
    allowed, errors = foresee(applications, seat, action, branch=branch, check=check)
    steps: list[Step] = []
    for application, after in allowed:
        final = branch.id if branch else application.to_org_id if after is State.COMPLETED else None
        steps.append(Step(application, action, application.state, after, final, ground, remark))
    numbers = [application.id for application, _ in allowed]
    taken = take(steps)
    late = [number for number in numbers if number not in taken]
    return errors | {application.id: stale(application) for application in with_history(late)}


def foresee(
    applications: Sequence[Application],
    seat: ActiveSeat,
    action: Action,
    *,
    branch: Organisation | None = None,
    check: Check | None = None,
) -> tuple[list[tuple[Application, State]], dict[int, DomainError]]:
    """What ``decide`` would do now, without doing it: where each application would go; why not, by id.

    ``branch`` is where the members arrive, at once or in a step of its own right after this one.
    """
    allowed: list[tuple[Application, State]] = []
    errors: dict[int, DomainError] = {}
    entrants = Entrants.of(applications, branch) if action in ENTERING else None
    for application in applications:
        try:
            # First whether it is still there to be decided: who comes late hears that, not what else is wrong.
            after = _allowed(application, seat, action)
            if check is not None:
                check(application)
            # Last whether the member may still come in: that is asked at the very moment of it (PD-57).
            problem = entrants.problem(application, after, branch) if entrants is not None else None
            if problem is not None:
                raise problem
            allowed.append((application, after))
        except DomainError as error:
            errors[application.id] = error
    return allowed, errors


def _allowed(application: Application, seat: ActiveSeat, action: Action) -> State:
    """Where the action leads. Raises why it does not."""
    if seat.kind is not SeatKind.MEMBER and seat.member_id == application.member_id:
        raise Forbidden("不能办理本人的申请，由直接上级办理。", fix="请联系上级团组织。", rule="PD-02")
    roles = parties(seat, application, action)
    way = way_now(application) if action is Action.REFUSE else application.way
    found = (next_state(application.state, action, party, way) for party in roles)
    after = next((state for state in found if state is not None), None)
    if after is None:
        raise too_late(application, action, roles)
    return after


def too_late(application: Application, action: Action, roles: set[Party]) -> DomainError:
    """Why the state allows the action no more - or that it never was this seat's to take."""
    if action is Action.WITHDRAW and application.state is State.AWAITING_ALLOCATION and roles:
        happened = stale(application).message
        return Conflict("对方已经同意接收，申请不能再撤销。", fix=f"{happened}如需变动，请与对方联系。", rule="PD-16")
    # Of two at the same moment the second finds the application already where the first has put it.
    if not application.state.is_open or any(ever_allows(action, party, application.way) for party in roles):
        return stale(application)
    return Forbidden("这一步不由当前任职办理。")


def late_one(number: int) -> Conflict:
    """``stale`` for the application of this id, read anew."""
    return stale(with_history([number])[0])


def with_history(ids: Sequence[int]) -> Sequence[Application]:
    """These applications as they are now, with their events."""
    if not ids:
        return ()
    query = select(Application).where(Application.id.in_(ids))
    history = selectinload(Application.events).joinedload(ApplicationEvent.account)
    return session.scalars(query.options(history).execution_options(populate_existing=True)).unique().all()


def stale(application: Application) -> Conflict:
    """What to tell somebody who came too late: what happened meanwhile, and when."""
    if application.has_lapsed and application.due_at is not None:
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
