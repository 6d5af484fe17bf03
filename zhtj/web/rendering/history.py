"""What the history of an application says of one step, for the member's pages and the administrators' alike (A-07)."""

from __future__ import annotations

from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.operations import AMENDABLE
from zhtj.transfers.rules import Ground

NOTHING = "（未填）"


def note(event: ApplicationEvent) -> str:
    """The ground of a refusal, or what was amended: label, before, after (A-15, PD-16)."""
    if event.ground in set(Ground):
        return f"理由：{Ground(event.ground).label}"
    return "；".join(
        f"{AMENDABLE[change['field']]}：{change['before'] or NOTHING} → {change['after'] or NOTHING}"
        for change in event.changes or ()
        if change["field"] in AMENDABLE
    )


def decisive(application: Application) -> ApplicationEvent | None:
    """The last step that took the application to another state; amendments and objections leave it where it is."""
    return next((event for event in reversed(application.events) if event.to_state is not event.from_state), None)
