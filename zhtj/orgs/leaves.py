"""Where the tree ends in something that is no branch (O-02, PD-05)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from zhtj.kernel.permissions import subtree
from zhtj.orgs.bulk import AnySession
from zhtj.orgs.models import Organisation, Region, Tier


def _branchless(path: str) -> Select[Organisation]:
    below = aliased(Organisation)
    return select(Organisation).where(
        subtree(Organisation.path, path),
        Organisation.tier != Tier.BRANCH,
        Organisation.system == Region.NATIONAL,
        Organisation.closed_at.is_(None),
        ~exists().where(below.parent_id == Organisation.id, below.closed_at.is_(None)),
    )


def committees_without_branch(
    session: AnySession, path: str, *, after: str = "", limit: int = 50
) -> Sequence[Organisation]:
    """Open organisations with nothing open below them that are no branches: members cannot belong to them (O-02).

    The external regions are leaves on purpose and not listed.

    Args:
        session: open session.
        path: of the organisation whose part of the tree is asked about.
        after: path of the last one already shown; "" starts from the top.
        limit: at most so many, in the order of the tree.
    """
    return session.scalars(
        _branchless(path).where(Organisation.path > after).order_by(Organisation.path).limit(limit)
    ).all()


def count_committees_without_branch(session: AnySession, path: str) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(_branchless(path).subquery())) or 0
