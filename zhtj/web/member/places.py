"""Where a member can look for an organisation: provinces and systems, his own school, the township of an address."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import Category, Organisation, Purpose, Region, Tier
from zhtj.orgs.naming import own_name, place_name
from zhtj.orgs.search import search

_TOWNSHIP_END = re.compile("街道|镇|乡|苏木")
_CUTS = 4
_SCHOOL_PLACES = 40


def provinces() -> Sequence[Organisation]:
    """Organisations of province rank, one of which is chosen before searching (O-18, O-19)."""
    query = select(Organisation).where(Organisation.tier == Tier.PROVINCE, Organisation.closed_at.is_(None))
    return session.scalars(query.order_by(Organisation.path)).all()


def province_of(organisation: Organisation) -> str:
    """Code of the organisation of province rank above; "" for the centre."""
    query = select(Organisation.code).where(
        Organisation.path.in_(organisation.line), Organisation.tier == Tier.PROVINCE
    )
    return session.scalar(query) or ""


def province_named(address: str, among: Sequence[Organisation]) -> Organisation | None:
    """The province an address begins with: 浙江杭州西湖区 lies in that of 团浙江省委."""
    names = {each: own_name(each.short_name) for each in among}
    return next((each for each, own in names.items() if address.startswith(place_name(own) or own)), None)


def by_code(code: str) -> Organisation | None:
    """The organisation with this code."""
    return session.scalars(select(Organisation).where(Organisation.code == code)).first()


def townships_of(address: str) -> list[Organisation]:
    """Township organisations an address lies in, each followed by its floating branch; best guess first.

    Args:
        address: as people write it, with or without the province: 合肥市蜀山区井岗镇香樟大道 88 号.
    """
    plain = re.sub(r"\s", "", address)
    ends = [found.end() for found in _TOWNSHIP_END.finditer(plain)][:_CUTS]
    found: dict[int, Organisation] = {}
    for end in reversed(ends):
        for hit in search(session, plain[:end], limit=3).hits:
            if hit.organisation.township_flag and hit.selectable:
                found.setdefault(hit.organisation.id, hit.organisation)
        if found:
            break
    return [each for township in found.values() for each in (township, *_floating(township))]


def _floating(township: Organisation) -> Sequence[Organisation]:
    query = select(Organisation).where(
        Organisation.parent_id == township.id,
        Organisation.purpose == Purpose.FLOATING,
        Organisation.category == Category.BRANCH,
        Organisation.closed_at.is_(None),
    )
    return session.scalars(query.order_by(Organisation.path)).all()


def inside_school(member_org: Organisation) -> Sequence[Organisation]:
    """Where somebody can go inside his own school: its colleges and its branches for new students (T-22)."""
    basic = session.scalars(
        select(Organisation).where(Organisation.path.in_(member_org.line), Organisation.tier == Tier.BASIC)
    ).first()
    if basic is None:
        return []
    query = select(Organisation).where(
        subtree(Organisation.path, basic.path),
        Organisation.system == Region.NATIONAL,
        Organisation.closed_at.is_(None),
        (Organisation.tier == Tier.SECOND) | (Organisation.purpose == Purpose.NEW_STUDENTS),
    )
    return session.scalars(query.order_by(Organisation.path).limit(_SCHOOL_PLACES)).all()
