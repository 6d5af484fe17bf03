"""What kind of place an organisation is for a member: the column of the destination table it falls under (PD-11)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Category, Organisation, Purpose, Region, Tier
from zhtj.orgs.searching import places
from zhtj.policy.vocabulary import Destination

_PURPOSES = {
    Purpose.NEW_STUDENTS: Destination.NEW_STUDENTS,
    Purpose.YOUTH_HOME: Destination.YOUTH_HOME,
    Purpose.YOUTH_SOCIETY: Destination.YOUTH_SOCIETY,
    Purpose.PARK: Destination.PARK,
    Purpose.SPECIAL_POOL: Destination.SPECIAL_POOL,
}
_OWN_PURPOSES = {
    Purpose.FLOATING: Destination.OWN_FLOATING,
    Purpose.OVERSEAS: Destination.OWN_OVERSEAS,
    Purpose.DELAYED: Destination.OWN_DELAYED,
}


def basic_of(organisation: Organisation) -> Organisation | None:
    """The basic committee an organisation belongs to: its school, township or unit; None for a leading organ."""
    if organisation.tier is Tier.BASIC or organisation.is_leading:
        return None if organisation.is_leading else organisation
    return session.scalars(
        select(Organisation).where(Organisation.path.in_(organisation.line), Organisation.tier == Tier.BASIC)
    ).first()


def same_basic(old: Organisation, new: Organisation) -> bool:
    """Whether both stand under the same basic committee, such as one university."""
    basic = basic_of(old)
    return basic is not None and new.path.startswith(basic.path)


def keeps_those_who_stay(branch: Organisation) -> bool:
    """Whether it is a school's branch for those who stay there: a case leads into it, no transfer (PD-10, M-12)."""
    if branch.purpose not in _OWN_PURPOSES:
        return False
    basic = basic_of(branch)
    return basic is not None and basic.industry in SCHOOL_INDUSTRIES


def admitting_ready(destination: Organisation) -> bool | None:
    """Whether the school ``destination`` belongs to has built a new students' organisation (T-09, T-11, D-12).

    None where it is no school: a research institute takes in its students without one.
    """
    school = basic_of(destination)
    if school is None or school.industry not in SCHOOL_INDUSTRIES:
        return None
    return bool(places.for_new_students(school))


def destination_kind(old: Organisation | None, new: Organisation) -> Destination:
    """What ``new`` is for a member of ``old``: what it is by itself, then own school, then what its committee is.

    Without ``old``: for somebody of whom nothing is known.
    """
    fixed = _by_itself(new)
    if fixed is not None:
        return fixed
    basic = basic_of(new)
    if basic is not None and basic.industry in SCHOOL_INDUSTRIES and old is not None and same_basic(old, new):
        return _OWN_PURPOSES.get(new.purpose, Destination.OWN_SCHOOL) if new.purpose else Destination.OWN_SCHOOL
    if new.purpose in _OWN_PURPOSES:
        return _of_others(basic, new)
    return Destination.UNIT if basic is None else _by_committee(basic, new)


def _by_itself(new: Organisation) -> Destination | None:
    if new.system is not Region.NATIONAL:
        return Destination.EXTERNAL
    if new.category is Category.GRADUATES:
        return Destination.GRADUATES
    if new.purpose in _PURPOSES:
        return _PURPOSES[new.purpose]
    return Destination.LEADING_ORGAN if new.is_leading else None


def _of_others(basic: Organisation | None, new: Organisation) -> Destination:
    """A floating, overseas or delayed branch that is not the member's own school's (O-08)."""
    if basic is not None and basic.purpose is Purpose.PARK:
        return Destination.PARK
    if new.purpose is not Purpose.FLOATING:
        return Destination.OTHER_SCHOOL_BRANCH
    if basic is None:
        return Destination.COUNTY_FLOATING
    return Destination.TOWNSHIP_FLOATING if basic.township_flag else Destination.OTHER_SCHOOL_BRANCH


def _by_committee(basic: Organisation, new: Organisation) -> Destination:
    if basic.purpose in _PURPOSES:
        return _PURPOSES[basic.purpose]
    if basic.township_flag:
        return Destination.TOWNSHIP if new.id == basic.id else Destination.VILLAGE
    return Destination.SCHOOL if basic.industry in SCHOOL_INDUSTRIES else Destination.UNIT
