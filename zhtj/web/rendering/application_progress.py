"""How far an application has come, read off the workflow table: the steps on the home page and its history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Reason
from zhtj.transfers import queries
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, Party, State, next_state
from zhtj.web.rendering.history import decisive, note

FORWARD = (Action.RELEASE, Action.ACCEPT, Action.ALLOCATE)
STEP_LABELS = {
    State.AWAITING_RELEASE: "转出",
    State.AWAITING_ACCEPTANCE: "转入",
    State.AWAITING_ALLOCATION: "分配",
    State.AWAITING_PROVINCE: "省级",
    State.AWAITING_EXTERNAL: "外部",
    State.COMPLETED: "完成",
}


def course(application: Application) -> list[State]:
    """The states this application goes through if everybody agrees, to its completion."""
    way = application.way
    state = next_state(None, Action.SUBMIT, Party(application.initiator.value), way) or application.state
    found = [state]
    while state.is_open:
        ahead = (next_state(state, action, party, way) for action in FORWARD for party in Party)
        state = next((after for after in ahead if after is not None), State.COMPLETED)
        found.append(state)
    return found


def steps(application: Application) -> list[dict[str, str]]:
    """Steps for the ``steps`` component: done, current, failed or still to do."""
    states = course(application)
    last = last_event(application)
    stopped_in = last.from_state if last is not None and failed(application) else None
    here = application.state if stopped_in is None else stopped_in
    position = states.index(here) if here in states else 0
    found = [{"label": "提交", "state": "done"}]
    for number, state in enumerate(states):
        standing = "done" if number < position else "todo"
        if number == position:
            standing = "failed" if stopped_in else "done" if here is State.COMPLETED else "current"
        found.append({"label": STEP_LABELS[state], "state": standing})
    return found


def failed(application: Application) -> bool:
    """Whether it ended without success."""
    return not application.state.is_open and application.state is not State.COMPLETED


def is_overdue(application: Application) -> bool:
    """Past its due time but not swept yet: nobody can act on it any more (PD-18)."""
    return application.has_lapsed


def last_event(application: Application | None) -> ApplicationEvent | None:
    """The step that brought it where it is."""
    return decisive(application) if application is not None else None


def by_himself(application: Application) -> bool:
    """Whether the member took the step that brought it where it is."""
    event = last_event(application)
    return event is not None and event.account_id == application.member.account_id


def may_withdraw(application: Application, seat: ActiveSeat) -> bool:
    """Whether this seat can take it back now (PD-16)."""
    return not is_overdue(application) and Action.WITHDRAW in queries.possible_actions(seat, application)


def ground_label(event: ApplicationEvent | None) -> str | None:
    """The coded ground of a refusal, in words (A-15)."""
    return Ground(event.ground).label if event is not None and event.ground in set(Ground) else None


def reason_label(policy: Policy, application: Application) -> str:
    """The reason in the words of the policy."""
    spec = policy.reasons.get(Reason(application.reason)) if application.reason in set(Reason) else None
    return spec.label if spec else "其他"


def history(application: Application) -> list[dict[str, Any]]:
    """Entries for the ``timeline`` component, newest first: what, who in which organisation, when, why (A-07)."""
    return [_entry(application, event) for event in reversed(application.events)]


def _entry(application: Application, event: ApplicationEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "title": _title(event),
        "actor": _actor(application, event),
        "note": note(event),
        "quote": event.remark or "",
    }


def _title(event: ApplicationEvent) -> str:
    if event.action is Action.ALLOCATE:
        return "已分配团支部，转接完成"
    if event.to_state is State.COMPLETED and event.from_state is not State.COMPLETED:
        return f"{event.action.label}，转接完成"
    return event.action.label


def _actor(application: Application, event: ApplicationEvent) -> str:
    if event.account is None:
        return "系统"
    if event.account_id == application.member.account_id:
        return "本人"
    return f"{event.org.short_name} · {event.account.name}" if event.org else event.account.name


def followed_by(application: Application) -> int | None:
    """The application that starts this one again, or replaced it (PD-14, PD-16)."""
    query = select(Application.id).where(
        Application.member_id == application.member_id, Application.follows_id == application.id
    )
    return session.scalars(query.order_by(Application.id.desc())).first()
