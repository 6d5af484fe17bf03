"""Reads of the tree: children, the line of superiors, what lacks a branch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Category, Organisation, Purpose, Region, Tier
from zhtj.orgs.rules import destination_problem


def children(parent: Organisation, text: str = "", *, closed: bool | None = None) -> Listing[Organisation]:
    """Direct children in the tree's order; external systems cannot be browsed and are left out (PD-05).

    Args:
        parent: whose.
        text: part of the full name, or the code; "" for all.
        closed: the closed ones alone, or the open ones; None for both.
    """
    query = select(Organisation).where(Organisation.parent_id == parent.id, Organisation.system == Region.NATIONAL)
    if closed is not None:
        query = query.where(Organisation.closed_at.is_not(None) if closed else Organisation.closed_at.is_(None))
    if text:
        query = query.where(or_(Organisation.full_name.contains(text, autoescape=True), Organisation.code == text))
    return Listing(query, [Organisation.path], size=50)


def line_within(organisation: Organisation, path: str) -> list[Organisation]:
    """The organisation and its superiors down from ``path``, from the top."""
    if organisation.path == path:
        return [organisation]
    query = select(Organisation).where(Organisation.path.in_(organisation.line), Organisation.path >= path)
    return list(session.scalars(query.order_by(Organisation.path)))


def has_branch(organisation: Organisation) -> bool:
    """Whether there is an open branch below (O-02: every leaf in use is one)."""
    query = select(Organisation.id).where(
        subtree(Organisation.path, organisation.path),
        Organisation.tier == Tier.BRANCH,
        Organisation.closed_at.is_(None),
    )
    return session.scalar(query.limit(1)) is not None


def branchless(organisations: Sequence[Organisation]) -> set[int]:
    """Those of them below which there is no open branch: nobody can belong there (O-02)."""
    asked = [one.id for one in organisations if not one.is_branch and one.closed_at is None]
    if not asked:
        return set()
    below = aliased(Organisation)
    inside = and_(below.path >= Organisation.path, below.path < Organisation.path + "~")
    branch = exists().where(inside, below.tier == Tier.BRANCH, below.closed_at.is_(None))
    return set(session.scalars(select(Organisation.id).where(Organisation.id.in_(asked), ~branch)))


def townships(organisation: Organisation, limit: int) -> list[Organisation]:
    """The open townships directly below, in the tree's order (PD-03, O-04)."""
    query = select(Organisation).where(
        Organisation.parent_id == organisation.id,
        Organisation.township_flag.is_(True),
        Organisation.closed_at.is_(None),
    )
    return list(session.scalars(query.order_by(Organisation.path).limit(limit)))


def second_level(school: Organisation, text: str = "", limit: int = 60) -> list[Organisation]:
    """Open colleges and other committees directly below a basic committee, by a part of their names."""
    query = select(Organisation).where(
        Organisation.parent_id == school.id, Organisation.tier == Tier.SECOND, Organisation.closed_at.is_(None)
    )
    if text:
        query = query.where(Organisation.full_name.contains(text, autoescape=True))
    return list(session.scalars(query.order_by(Organisation.path).limit(limit)))


def by_code_or_name(text: str) -> Organisation | None:
    """An organisation by its code or its full name, whichever was given."""
    query = select(Organisation).where(or_(Organisation.code == text.strip(), Organisation.full_name == text.strip()))
    return session.scalars(query).first()


def over_townships(organisation: Organisation) -> bool:
    """Whether it does for townships what a county does: a county, or a city whose towns stand right below it (T-03)."""
    if organisation.tier is Tier.CITY:
        return bool(townships(organisation, 1))
    return organisation.tier is Tier.COUNTY


def province_rank() -> list[Organisation]:
    """Province-rank organisations to search in first: the systems and the external ones are among them (O-19)."""
    query = select(Organisation).where(Organisation.tier == Tier.PROVINCE, Organisation.closed_at.is_(None))
    return list(session.scalars(query.order_by(Organisation.path)))


def arrives_in(organisation: Organisation) -> ColumnElement[bool]:
    """Branches somebody can come into: a school's floating, overseas and delayed ones are for who stays (PD-10)."""
    kept = {Purpose.OVERSEAS, Purpose.DELAYED}
    if organisation.industry in SCHOOL_INDUSTRIES:
        kept |= {Purpose.FLOATING}
    return or_(Organisation.purpose.is_(None), Organisation.purpose.not_in(kept))


def transfer_targets(organisation: Organisation, limit: int = 300) -> list[Organisation]:
    """Where an organisation may take somebody in: itself, and open branches below that are no graduates' (O-10)."""
    below = select(Organisation).where(
        subtree(Organisation.path, organisation.path),
        arrives_in(organisation),
        Organisation.category == Category.BRANCH,
        Organisation.closed_at.is_(None),
        Organisation.id != organisation.id,
    )
    branches = list(session.scalars(below.order_by(Organisation.path).limit(limit)))
    return branches if destination_problem(organisation) else [organisation, *branches]
