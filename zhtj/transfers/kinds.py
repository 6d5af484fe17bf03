"""What kind of place an organisation is for a member: the column of the destination table it falls under (PD-11)."""

from __future__ import annotations

from collections.abc import Iterable

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


class Basics:
    """The basic committees of some organisations - their schools, townships or units - read in one statement.

    Args:
        organisations: all that will be asked about.
    """

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        asked = list(organisations)
        self._known = {each.path: each for each in asked if each.tier is Tier.BASIC}
        lines = {path for each in asked if each.path not in self._known and not each.is_leading for path in each.line}
        self._known |= {each.path: each for each in places.basics_among(lines)}

    def of(self, organisation: Organisation) -> Organisation | None:
        """The basic committee an organisation belongs to; None for a leading organ."""
        if organisation.is_leading:
            return None
        return next((self._known[path] for path in organisation.line if path in self._known), None)

    def is_school(self, organisation: Organisation) -> bool:
        """Whether it belongs to a school."""
        basic = self.of(organisation)
        return basic is not None and basic.industry in SCHOOL_INDUSTRIES

    def industry(self, organisation: Organisation) -> str | None:
        """行业类别 of the school or unit it belongs to."""
        basic = self.of(organisation)
        return basic.industry if basic is not None else None

    def town(self, organisation: Organisation) -> str:
        """Path of the township it belongs to; "" where it belongs to none."""
        basic = self.of(organisation)
        return basic.path if basic is not None and basic.township_flag else ""

    def same_school(self, old: Organisation, new: Organisation) -> bool:
        """Whether both belong to one school; what moves inside an employer or a township is not meant (T-22, PD-15)."""
        basic = self.of(old)
        return basic is not None and basic.industry in SCHOOL_INDUSTRIES and new.path.startswith(basic.path)

    def kind(self, old: Organisation | None, new: Organisation) -> Destination:
        """What ``new`` is for a member of ``old``: what it is by itself, then own school, then what its committee is.

        Without ``old``: for somebody of whom nothing is known.
        """
        fixed = _by_itself(new)
        if fixed is not None:
            return fixed
        if old is not None and self.same_school(old, new):
            return _OWN_PURPOSES.get(new.purpose, Destination.OWN_SCHOOL) if new.purpose else Destination.OWN_SCHOOL
        basic = self.of(new)
        if new.purpose in _OWN_PURPOSES:
            return _of_others(basic, new)
        return Destination.UNIT if basic is None else _by_committee(basic, new)


def basic_of(organisation: Organisation) -> Organisation | None:
    """The basic committee an organisation belongs to: its school, township or unit; None for a leading organ."""
    return Basics([organisation]).of(organisation)


def same_school(old: Organisation, new: Organisation) -> bool:
    """Whether both belong to one school, see ``Basics.same_school``."""
    return Basics([old]).same_school(old, new)


def admitting_ready(destination: Organisation) -> bool | None:
    """Whether the school ``destination`` belongs to has built a new students' organisation (T-09, T-11, D-12).

    None where it is no school: a research institute takes in its students without one.
    """
    basics = Basics([destination])
    return admitting(basics, [destination])[destination.id] if basics.is_school(destination) else None


def admitting(basics: Basics, destinations: Iterable[Organisation]) -> dict[int, bool]:
    """The same of many, by id, in one statement; what belongs to no school is left out."""
    schools = {each.id: basics.of(each) for each in destinations if basics.is_school(each)}
    ready = places.with_new_students({school for school in schools.values() if school is not None})
    return {number: school is not None and school.id in ready for number, school in schools.items()}


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
