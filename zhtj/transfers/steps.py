"""One step of any number of applications: the guarded write, the history, the log, what it brings (PD-14, A-07).

Everything that changes a state goes through ``take``, whether one secretary presses a button or five hundred lines
are decided together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, update

from zhtj.graduation import season_register
from zhtj.kernel import audit, clock, events
from zhtj.kernel.database import insert_rows, session
from zhtj.transfers.completion import Moved, complete
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.workflow import Action, State


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one application.

    Args:
        before, after: states; the same where something is only amended.
        final_id: branch that takes the member in, where the step completes the application.
        ground, remark: of a refusal, a withdrawal and the like.
        changes: what is amended: field, before, after; written to the application by the caller.
    """

    application: Application
    action: Action
    before: State
    after: State
    final_id: int | None = None
    ground: str | None = None
    remark: str = ""
    changes: tuple[dict[str, str], ...] = ()


def take(steps: Sequence[Step]) -> set[int]:
    """Take these steps where the application still is where we saw it and not past its due time (PD-18).

    Returns:
        Ids of the applications whose step was taken; of the others somebody else was first.
    """
    groups: dict[tuple[Action, State, State, int | None], list[Step]] = defaultdict(list)
    for step in steps:
        groups[step.action, step.before, step.after, step.final_id].append(step)
    taken: set[int] = set()
    for (action, before, after, final_id), group in groups.items():
        done = _guarded_update([step.application.id for step in group], before, after, final_id)
        record([step for step in group if step.application.id in done], action, before, after)
        taken |= done
    for step in steps:
        session.expire(step.application)
    return taken


def _guarded_update(ids: Sequence[int], before: State, after: State, final_id: int | None) -> set[int]:
    moment = clock.now()
    values: dict[str, Any] = {"version": Application.version + 1}
    if after is not before:
        values |= {"state": after, "holder_id": _holder(after), "waiting_since": moment}
    if not after.is_running:
        values["due_at"] = None
    if not after.is_open:
        values["ended_at"] = moment
    if final_id is not None:
        values["final_org_id"] = final_id
    changed = session.execute(
        update(Application)
        .where(
            Application.id.in_(ids),
            Application.state == before,
            or_(Application.due_at.is_(None), Application.due_at > moment),
        )
        .values(**values)
        .returning(Application.id),
        execution_options={"synchronize_session": False},
    )
    return {number for (number,) in changed}


def _holder(after: State) -> Any:
    """Whose turn it is after a step: the old side releases and answers for external systems, else the new side."""
    if not after.is_open:
        return None
    old_side = after in {State.AWAITING_RELEASE, State.AWAITING_EXTERNAL}
    column: ColumnElement[int] | Any = Application.from_org_id if old_side else Application.to_org_id
    return column


def record(steps: Sequence[Step], action: Action, before: State | None, after: State) -> None:
    """Write history and log of steps taken together, do what completion brings, tell the rooms above (A-07, PD-38)."""
    if not steps:
        return
    if after is State.COMPLETED:
        # PD-09: what is said of a graduate before his completion stands before it in the log too.
        season_register.hold(rows=[number for one in steps if (number := one.application.register_row_id) is not None])
    who, moment = audit.actor(), clock.now()
    insert_rows(
        ApplicationEvent,
        [
            {
                "application_id": step.application.id,
                "action": action,
                "from_state": before,
                "to_state": after,
                "account_id": who.account_id,
                "org_id": who.org_id,
                "ground": step.ground,
                "remark": step.remark or None,
                "changes": list(step.changes) or None,
                "at": moment,
                "recorded_at": moment,
            }
            for step in steps
        ],
    )
    audit.record_many(
        f"transfer.{action.value}",
        "application",
        [(step.application.id, _detail(step, before, after)) for step in steps],
    )
    if after is State.COMPLETED:
        complete([Moved(step.application, step.final_id or step.application.to_org_id) for step in steps])
    publish([step.application.id for step in steps], action, before, after)


def _detail(step: Step, before: State | None, after: State) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "before": before.value if before else None,
        "after": after.value,
        "why": step.ground,
    }
    if step.changes:
        detail["changes"] = list(step.changes)
    return detail


def record_returns(due: Sequence[tuple[int, datetime, int | None]], before: State) -> None:
    """The same for returns, which count from their due time and are written now (PD-18).

    Args:
        due: application, due time, and who held it: that is who let it lapse.
        before: the state they were in.
    """
    moment = clock.now()
    insert_rows(
        ApplicationEvent,
        [
            {
                "application_id": number,
                "action": Action.RETURN,
                "from_state": before,
                "to_state": State.RETURNED,
                "org_id": holder_id,
                "at": due_at,
                "recorded_at": moment,
            }
            for number, due_at, holder_id in due
        ],
    )
    detail = {"before": before.value, "after": State.RETURNED.value}
    audit.record_many("transfer.return", "application", [(number, detail) for number, *_ in due])
    publish([number for number, *_ in due], Action.RETURN, before, State.RETURNED)


def publish(ids: Sequence[int], action: Action, before: State | None, after: State) -> None:
    """Tell the rooms above, in the same transaction."""
    events.publish(ApplicationsChanged(tuple(ids), action, before, after))
