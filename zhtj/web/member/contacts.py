"""Whom a member can ring besides the office that must act: his branch, college and school (O-24)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.orgs.contacts import contact
from zhtj.orgs.models import Organisation, Tier

__all__ = ["contact", "own_line"]


def own_line(branch: Organisation) -> list[Organisation]:
    """Own branch, college and school, from below; what a member knows as his organisation."""
    query = select(Organisation).where(
        Organisation.path.in_(branch.line), Organisation.tier.in_((Tier.BASIC, Tier.SECOND, Tier.BRANCH))
    )
    return list(session.scalars(query.order_by(Organisation.path.desc())))
