"""Applications know where both their organisations stand in the tree, and follow when one moves (PD-07)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, update

from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.orgs.events import OrganisationMoved
from zhtj.transfers.models import Application, Arrival


def moved(event: OrganisationMoved) -> None:
    """Follow an organisation that moved, with everything below it."""
    for table, column in (
        (Application, Application.from_path),
        (Application, Application.to_path),
        (Arrival, Arrival.path),
    ):
        session.execute(
            update(table)
            .where(subtree(column, event.before))
            .values({column: event.after + func.substr(column, len(event.before) + 1)}),
            execution_options={"synchronize_session": False},
        )


def below(path: str) -> ColumnElement[bool]:
    """Applications that leave or reach this part of the tree (A-07, A-11).

    Whoever an application waits for, and whose office acts for it (PD-22), stands at or above one of its ends.
    """
    return or_(subtree(Application.from_path, path), subtree(Application.to_path, path))
