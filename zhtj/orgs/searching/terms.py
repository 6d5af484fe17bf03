"""The search index of the tree: under which texts an organisation is found (O-19)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, update

from zhtj.kernel.database import insert_new
from zhtj.kernel.permissions import subtree
from zhtj.orgs.bulk import AnySession, insert_rows
from zhtj.orgs.models import Organisation, OrganisationTerm
from zhtj.orgs.naming import search_terms


def insert_terms(session: AnySession, rows: Iterable[tuple[int, str, str, int]]) -> int:
    """Write the terms of many new organisations.

    Args:
        session: open session.
        rows: fit, term, path, organisation's id; none of them in the table yet.

    Returns:
        How many.
    """
    table: Any = OrganisationTerm.__table__
    # In the order of the primary key the table grows at its end only.
    return insert_rows(session, table, ("fit", "term", "path", "org_id"), sorted(rows))


def index_terms(session: AnySession, organisation: Organisation) -> None:
    """Make a created or renamed organisation findable; earlier names keep finding it (K-04).

    Args:
        session: open session; the organisation has its id.
        organisation: with the names that hold from now on.
    """
    terms = search_terms(
        code=organisation.code,
        full_name=organisation.full_name,
        short_name=organisation.short_name,
        branch=organisation.is_branch,
    )
    session.execute(
        insert_new(OrganisationTerm),
        [
            {"fit": term.fit, "term": term.text, "path": organisation.path, "org_id": organisation.id}
            for term in sorted(terms)
        ],
    )


def move_terms(session: AnySession, old_path: str, new_path: str) -> None:
    """Follow an organisation that moved, with everything below it, from ``old_path`` to ``new_path`` (PD-07)."""
    column = OrganisationTerm.path
    session.execute(
        update(OrganisationTerm)
        .where(subtree(column, old_path))
        .values(path=new_path + func.substr(column, len(old_path) + 1)),
        execution_options={"synchronize_session": False},
    )
