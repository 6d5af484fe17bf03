"""Writes to the tree: create an organisation, keep its office (PD-22)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select, update

from zhtj.kernel import audit, clock, events
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import subtree
from zhtj.orgs.events import OrganisationCreated
from zhtj.orgs.models import Category, Organisation, Purpose, Region, Tier, industries, segment
from zhtj.orgs.rules import tier_below
from zhtj.orgs.searching.terms import index_terms


@dataclass(frozen=True, slots=True)
class NewOrganisation:
    """What one needs to know to create an organisation (columns of the organisation file)."""

    full_name: str
    short_name: str
    category: Category
    industry: str | None = None
    tier: Tier | None = None
    purpose: Purpose | None = None
    code: str | None = None
    township_flag: bool | None = None
    system: Region | None = None
    phone: str | None = None
    address: str | None = None
    postcode: str | None = None


def create(parent: Organisation, new: NewOrganisation) -> Organisation:
    """Create ``new`` below ``parent``; code and path come from the parent and are never reused.

    Raises:
        DomainError: name or code taken, category impossible here (O-02, O-03), industry not in the dictionary (O-16).
    """
    tier = new.tier or tier_below(parent.tier, new.category)
    if new.industry is not None and new.industry not in industries(new.category):
        raise DomainError(
            f"“{new.industry}”不是{new.category.label}可选的单位所属行业类别。",
            fix="请从字典中选择。",
            field="industry",
            rule="O-16",
        )
    if session.scalar(select(Organisation.id).where(Organisation.full_name == new.full_name)):
        raise DomainError(
            f"组织全称“{new.full_name}”已被使用。", fix="请核对是否重复录入。", field="full_name", rule="PD-05"
        )
    if new.code and session.scalar(select(Organisation.id).where(Organisation.code == new.code)):
        raise DomainError(f"组织编码 {new.code} 已被使用。", fix="请换一个，或留空由系统编号。", field="code")
    position = next_position(parent.id)
    created = Organisation(
        code=new.code or _free_code(parent.code, position.number),
        parent_id=parent.id,
        path=position.path,
        full_name=new.full_name,
        short_name=new.short_name,
        category=new.category,
        tier=tier,
        industry=new.industry,
        township_flag=new.township_flag,
        purpose=new.purpose,
        system=new.system or parent.system,
        phone=new.phone,
        address=new.address,
        postcode=new.postcode,
        created_at=clock.now(),
        office_id=position.office_id,
    )
    session.add(created)
    session.flush()
    index_terms(session(), created)
    audit.record("organisation.create", "organisation", created.id, code=created.code, name=created.full_name)
    events.publish(OrganisationCreated(created.id, created.purpose))
    return created


class TreePosition(NamedTuple):
    """Where one more child stands: its path, its number there, who acts for it as long as it has nobody (PD-22)."""

    path: str
    number: int
    office_id: int | None


def next_position(parent_id: int) -> TreePosition:
    """A place below an organisation, which stays where it is until the transaction ends.

    Raises:
        DomainError: there is no such superior, or it is closed.
    """
    row = session.execute(
        update(Organisation)
        .where(Organisation.id == parent_id, Organisation.closed_at.is_(None))
        .values(next_child=Organisation.next_child + 1)
        # As it is now: it may have moved since it was read.
        .returning(Organisation.path, Organisation.next_child, Organisation.office_id)
    ).first()
    if row is None:
        raise DomainError("上级组织不存在或已停用。", field="parent", rule="PD-06")
    return TreePosition(row[0] + segment(row[1]), row[1], row[2])


def _free_code(parent_code: str, number: int) -> str:
    """The code of the ``number``-th child; one given by hand before (an import) is stepped over."""
    code = f"{parent_code}-{number:03d}"
    while session.scalar(select(Organisation.id).where(Organisation.code == code)):
        number += 1
        code = f"{parent_code}-{number:03d}"
    return code


def amend(organisation: Organisation, **changes: str | Category | Purpose | None) -> None:
    """Change names or contact data of an organisation, its industry, purpose, or its category within the same level.

    Args:
        organisation: which one.
        changes: new values of short_name, category, industry, purpose, phone, address, postcode, online_community.

    Raises:
        DomainError: the category does not fit the level, or the industry the category (O-16).
    """
    for name, value in changes.items():
        setattr(organisation, name, value)
    if (organisation.tier is Tier.BRANCH) != (organisation.category in {Category.BRANCH, Category.GRADUATES}):
        raise DomainError("团支部与其他类别之间不能互改。", fix="请另建组织。", field="category", rule="O-02")
    if organisation.industry is not None and organisation.industry not in industries(organisation.category):
        raise DomainError("单位所属行业类别与组织类别不符。", fix="请从字典中选择。", field="industry", rule="O-16")
    session.flush()
    if "short_name" in changes:
        index_terms(session(), organisation)
    audit.record("organisation.update", "organisation", organisation.id, **changes)


def hold(number: int) -> Organisation:
    """Read an organisation as it is now and keep others from changing it until the transaction ends.

    Members and posts may still come to it meanwhile; whoever closes it takes the row for himself alone.
    """
    return session.get_one(Organisation, number, populate_existing=True, with_for_update={"key_share": True})


def set_office(organisation: Organisation, *, has_administrator: bool) -> None:
    """Keep 承办组织 right when ``organisation`` gains its first or loses its last administrator (PD-22).

    Everything below that was served by the nearest superior is now served by it, and the other way round.
    """
    organisation = hold(organisation.id)
    # PD-22: with nobody of its own, the nearest superior that has somebody acts for it and for what it served.
    above = session.scalar(select(Organisation.office_id).where(Organisation.id == organisation.parent_id))
    before, after = (above, organisation.id) if has_administrator else (organisation.id, above)
    if has_administrator and organisation.office_id == organisation.id:
        return
    below = update(Organisation).where(subtree(Organisation.path, organisation.path))
    served = Organisation.office_id.is_(None) if before is None else Organisation.office_id == before
    session.execute(below.where(served).values(office_id=after), execution_options={"synchronize_session": "fetch"})
