"""From an address to the organisations there: province, township, 青年之家, park, county; from a name to its owner.

Reads only. What an organisation means for somebody - may he go there? - is judged by the rooms above.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select

from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import LEADING_TIERS, SCHOOL_INDUSTRIES, Category, Organisation, Purpose, Region, Tier
from zhtj.orgs.naming import own_name, place_name
from zhtj.orgs.searching.lookup import Match
from zhtj.orgs.searching.search import Hit, search

_SCHOOL_PLACES = 40
_NEARBY = 20


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


def by_path(path: str) -> Organisation | None:
    """The organisation at this path."""
    return session.scalars(select(Organisation).where(Organisation.path == path)).first()


def at(paths: Collection[str]) -> dict[str, Organisation]:
    """Organisations at these paths that may be chosen, by path."""
    query = select(Organisation).where(Organisation.path.in_(paths), Organisation.closed_at.is_(None))
    return {each.path: each for each in session.scalars(query)} if paths else {}


def floating_branches(host: Organisation) -> Sequence[Organisation]:
    """流动团员团支部 directly below a township, a county or a park (O-08)."""
    query = select(Organisation).where(
        Organisation.parent_id == host.id,
        Organisation.purpose == Purpose.FLOATING,
        Organisation.category == Category.BRANCH,
        Organisation.closed_at.is_(None),
    )
    return session.scalars(query.order_by(Organisation.path)).all()


def county_of(organisation: Organisation) -> Organisation | None:
    """The nearest leading organ above: a township's county, or its city where there is no county."""
    query = select(Organisation).where(
        Organisation.path.in_(organisation.line[:-1]), Organisation.tier.in_(LEADING_TIERS)
    )
    return session.scalars(query.order_by(Organisation.path.desc())).first()


def youth_homes_near(township: Organisation) -> list[Organisation]:
    """青年之家 with an organisation there: the township's own first, then the others of its county (O-14)."""
    return sorted(_built_for(Purpose.YOUTH_HOME, township), key=lambda each: not each.path.startswith(township.path))


def parks_named(township: Organisation, *texts: str) -> list[Organisation]:
    """园区 of the township's county that an address or a unit's name mentions (T-07)."""
    named = "".join(texts)
    return [each for each in _built_for(Purpose.PARK, township) if own_name(each.short_name) in named]


def _built_for(purpose: Purpose, township: Organisation) -> Sequence[Organisation]:
    around = county_of(township) or township
    query = select(Organisation).where(
        subtree(Organisation.path, around.path),
        Organisation.purpose == purpose,
        Organisation.category != Category.GRADUATES,
        Organisation.closed_at.is_(None),
    )
    return session.scalars(query.order_by(Organisation.path).limit(_NEARBY)).all()


def owners_of(name: str, limit: int = 3) -> list[Hit]:
    """The unit's own organisations, found by its name; a name that merely occurs somewhere inside is not enough."""
    hits = search(session, name, limit=3 * limit).hits if name else ()
    return [hit for hit in hits if hit.match <= Match.BEGINNING and not hit.organisation.is_leading][:limit]


def schools_named(name: str, limit: int = 3) -> list[Organisation]:
    """Schools of that name: their basic committees."""
    lines = {path for hit in owners_of(name, 2 * limit) for path in hit.organisation.line}
    national = (each for each in basics_among(lines) if each.system is Region.NATIONAL and each.closed_at is None)
    return [each for each in national if each.industry in SCHOOL_INDUSTRIES][:limit]


def basics_among(paths: Collection[str]) -> Sequence[Organisation]:
    """The basic committees among the organisations at these paths."""
    query = select(Organisation).where(Organisation.path.in_(paths), Organisation.tier == Tier.BASIC)
    return session.scalars(query.order_by(Organisation.path)).all() if paths else []


def for_new_students(school: Organisation) -> list[Organisation]:
    """新生团组织 that a school has built (O-12); none: it is not ready to take in its new students (T-11)."""
    query = select(Organisation).where(
        subtree(Organisation.path, school.path),
        Organisation.purpose == Purpose.NEW_STUDENTS,
        Organisation.category != Category.GRADUATES,
        Organisation.closed_at.is_(None),
    )
    return list(session.scalars(query.order_by(Organisation.path).limit(_SCHOOL_PLACES)))


def with_new_students(schools: Collection[Organisation]) -> set[int]:
    """Those of these schools (ids) that have built a 新生团组织, in one statement (T-11)."""
    if not schools:
        return set()
    built = select(Organisation.path).where(
        or_(*(subtree(Organisation.path, school.path) for school in schools)),
        Organisation.purpose == Purpose.NEW_STUDENTS,
        Organisation.category != Category.GRADUATES,
        Organisation.closed_at.is_(None),
    )
    paths = session.scalars(built).all()
    return {school.id for school in schools if any(path.startswith(school.path) for path in paths)}


def superiors(organisation: Organisation) -> list[str]:
    """Short names of the superiors, from the province down."""
    query = (
        select(Organisation.short_name)
        .where(Organisation.path.in_(organisation.line[:-1]), Organisation.tier != Tier.CENTRE)
        .order_by(Organisation.path)
    )
    return list(session.scalars(query))


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
