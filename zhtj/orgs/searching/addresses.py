"""Where an address lies: read division by division along the tree, never guessed (PD-60).

安徽省合肥市蜀山区井岗镇 is a province, a city, a county and a township, each below the one before; levels may be left
out where the rest is still clear. What a place merely sounds like (张江路 is not 张江镇) does not count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select

from zhtj.kernel.database import session
from zhtj.orgs.models import LEADING_TIERS, SEGMENT, Organisation, OrganisationTerm, Region, Tier
from zhtj.orgs.naming import Fit, normalise, own_name

EXAMPLE = "安徽省合肥市蜀山区井岗镇"
_SHORTEST, _LONGEST = 2, 16  # signs of a division's name
_CHUNK = 500
_LEVELS = 7
_SKIPPED = "市辖区"  # a level of the numbering only, see ``divisions``
_MUNICIPALITY = "市"
_FURTHER = re.compile(
    ".{1,8}?[市区县]"
)  # what follows the short name of a region in an address, not in a street's name
_TOWNSHIP_CODE = 9  # digits


@dataclass(frozen=True, slots=True)
class Site:
    """Where an address lies, by paths of the tree.

    Args:
        area: the smallest division it names.
        city: of prefecture rank; a county directly below a province counts for itself, a municipality's for that one.
        county: "" where the address does not say; in a city without counties the city.
        township: "" where the address names none.
        whole: nothing is missing: it names the township, or there is none to name.
        external: it lies in 北京, 广东 or 福建.
    """

    area: str
    city: str = ""
    county: str = ""
    township: str = ""
    whole: bool = False
    external: bool = False

    def holds(self, path: str) -> bool:
        """Whether an organisation lies in this county."""
        return bool(self.county) and path.startswith(self.county)

    def is_near(self, other: Site, bounds: str) -> bool:
        """Whether both lie in the same ``county`` or ``city``."""
        mine, its = (self.county, other.county) if bounds == "county" else (self.city, other.city)
        return bool(mine) and mine == its


class _Division(NamedTuple):
    """A row of the index: a division that bears the word asked for."""

    path: str
    short_name: str
    tier: Tier
    system: Region


class _State(NamedTuple):
    """How far one reading of an address has come."""

    end: int  # signs read
    path: str  # of the last division read
    sure: bool  # it was named whole, not only by what people call it


def locate(address: str | None) -> Site | None:
    """Where an address lies; None where it cannot be placed: no division at its beginning, or several fit."""
    return locate_all([address])[address] if address else None


def locate_all(addresses: Iterable[str | None]) -> dict[str, Site | None]:
    """The same of many, by address, in a few statements."""
    asked = {text: normalise(text) for text in addresses if text}
    best: dict[str, set[_State]] = {plain: set() for plain in asked.values()}
    open_now: dict[str, set[_State]] = {plain: {_State(0, "", sure=True)} for plain in best}
    for _ in range(_LEVELS):
        known = _divisions(
            {word for plain, states in open_now.items() for one in states for word in _words(plain, one)}
        )
        further: dict[str, set[_State]] = {}
        for plain, states in open_now.items():
            following = {new for one in states for new in _next(plain, one, known)}
            best[plain] |= following
            further[plain] = following
        open_now = {plain: states for plain, states in further.items() if states}
        if not open_now:
            break
    ends = {plain: _furthest(states) for plain, states in best.items()}
    sites = _sites({path for path in ends.values() if path})
    return {text: sites.get(ends[plain]) for text, plain in asked.items()}


def _start(plain: str, state: _State) -> int:
    return state.end + len(_SKIPPED) if plain.startswith(_SKIPPED, state.end) else state.end


def _words(plain: str, state: _State) -> list[str]:
    """Every beginning of what is left that can be the name of a division."""
    start = _start(plain, state)
    return [plain[start:end] for end in range(start + _SHORTEST, min(start + _LONGEST, len(plain)) + 1)]


def _next(plain: str, state: _State, known: dict[str, list[_Division]]) -> list[_State]:
    """The divisions below that the address may name next."""
    start, found = _start(plain, state), []
    for word in _words(plain, state):
        end = start + len(word)
        for one in known.get(word, ()):
            inside = len(one.path) > len(state.path) and one.path.startswith(state.path)
            whole, leading = normalise(own_name(one.short_name)) == word, one.tier in LEADING_TIERS
            # A township bears its whole name, and is found below a division that was named: 张江路 is no township.
            if inside and (leading or (whole and state.path)):
                region = one.system is not Region.NATIONAL and _FURTHER.match(plain, end) is not None
                found.append(_State(end, one.path, sure=whole or region))
    return found


def _furthest(states: Collection[_State]) -> str:
    """Path of the one division that explains most of the address; "" where there is none or more than one.

    What was only called by its short name counts if something below it was named: 蜀山井岗镇, not 蜀山路.
    """
    sure = {one for one in states if one.sure}
    if not sure:
        return ""
    end = max(one.end for one in sure)
    paths = {one.path for one in sure if one.end == end}
    if len(paths) > 1:  # 吉林省吉林市 once as a city, once as what lies in it
        deepest = max(map(len, paths))
        paths = {path for path in paths if len(path) == deepest}
    return next(iter(paths)) if len(paths) == 1 else ""


# Below a county stand townships, and farms and zones of their rank: those have a division's code, but no flag (PD-05).
_OF_TOWNSHIP_RANK: ColumnElement[bool] = and_(
    Organisation.tier == Tier.BASIC,
    or_(
        Organisation.township_flag.is_(True),
        and_(func.length(Organisation.code) == _TOWNSHIP_CODE, Organisation.code.not_like("%-%")),
    ),
)
_IS_DIVISION: ColumnElement[bool] = and_(
    or_(Organisation.tier.in_(LEADING_TIERS), _OF_TOWNSHIP_RANK),
    Organisation.tier != Tier.CENTRE,
    Organisation.closed_at.is_(None),
)


def _divisions(words: Collection[str]) -> dict[str, list[_Division]]:
    """The divisions of these names, by name."""
    names: list[str] = sorted(words)
    found: dict[str, list[_Division]] = defaultdict(list)
    columns = (Organisation.path, Organisation.short_name, Organisation.tier, Organisation.system)
    for start in range(0, len(names), _CHUNK):
        query = (
            select(OrganisationTerm.term, *columns)
            .join(Organisation, Organisation.id == OrganisationTerm.org_id)
            .where(
                OrganisationTerm.fit == int(Fit.WHOLE),
                OrganisationTerm.term.in_(names[start : start + _CHUNK]),
                _IS_DIVISION,
            )
        )
        for term, path, short_name, tier, system in session.execute(query):
            found[term].append(_Division(path, short_name, tier, system))
    return dict(found)


def _sites(paths: Collection[str]) -> dict[str, Site]:
    """The site of each of these divisions."""
    lines = {path[:end] for path in paths for end in range(SEGMENT, len(path) + 1, SEGMENT)}
    known = {one.path: one for one in _at(lines)}
    above = _with_divisions([known[path].id for path in paths])
    return {path: _site(known, path, divided=known[path].id in above) for path in paths}


def _at(paths: Collection[str]) -> Iterable[Organisation]:
    every = sorted(paths)
    for start in range(0, len(every), _CHUNK):
        yield from session.scalars(select(Organisation).where(Organisation.path.in_(every[start : start + _CHUNK])))


def _with_divisions(numbers: list[int]) -> set[int]:
    """Those of these organisations (ids) that have leading organs or townships directly below."""
    found: set[int] = set()
    for start in range(0, len(numbers), _CHUNK):
        query = select(Organisation.parent_id).where(
            Organisation.parent_id.in_(numbers[start : start + _CHUNK]),
            _IS_DIVISION,
        )
        found |= {number for number in session.scalars(query.distinct()) if number is not None}
    return found


def _site(known: dict[str, Organisation], path: str, *, divided: bool) -> Site:
    line = [known[path[:end]] for end in range(SEGMENT, len(path) + 1, SEGMENT)]
    leading = [one for one in line if one.is_leading and one.tier is not Tier.CENTRE]
    last, province = leading[-1], leading[0]
    external = last.system is not Region.NATIONAL
    township = path if line[-1] is not last else ""
    has_county = not external and last is not province and (bool(township) or last.tier is Tier.COUNTY or not divided)
    return Site(
        area=path,
        city="" if external else _city(leading),
        county=last.path if has_county else "",
        township=township,
        whole=has_county and (bool(township) or not divided),
        external=external,
    )


def _city(leading: list[Organisation]) -> str:
    """Path of the prefecture-rank city of a line of leading organs; "" where it ends above."""
    city = next((one for one in leading if one.tier is Tier.CITY), None)
    if city is not None:
        return city.path
    if own_name(leading[0].short_name).endswith(_MUNICIPALITY):
        return leading[0].path
    return leading[-1].path if len(leading) > 1 else ""
