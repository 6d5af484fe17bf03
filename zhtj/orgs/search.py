"""Find an organisation, above all a destination: by keyword, name, pinyin initials or code (O-19)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import aliased

from zhtj.kernel.permissions import subtree
from zhtj.orgs.bulk import AnySession
from zhtj.orgs.models import SEGMENT, Organisation, Region
from zhtj.orgs.naming import Fit, as_floating_branch, normalise, own_name
from zhtj.orgs.rules import destination_problem
from zhtj.orgs.terms import OrganisationTerm

LIMIT = 20
TEXT_LIMIT = 80
WORD_LIMIT = 4
# A word that narrows down (合肥 in “合肥 井岗”) may mean so many places, none below township rank.
_AREAS = 12
_AREA_DEPTH = 5 * SEGMENT
_PROVINCE_DEPTH = 2 * SEGMENT
_CANDIDATES = 300
_ROWS_EACH = 3
_LAST_SIGN = "\U0010ffff"


class Match(IntEnum):
    """How well an organisation answers the question, best first."""

    FULL_NAME = 0
    NAME = 1
    BEGINNING = 2
    PART = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """One organisation found.

    Attributes:
        organisation: the organisation itself.
        line: short names of its superiors, from the province down.
        match: how it was found.
        problem: why it cannot be chosen as a destination, in one sentence; "" if it can (O-10).
    """

    organisation: Organisation
    line: tuple[str, ...]
    match: Match
    problem: str

    @property
    def selectable(self) -> bool:
        """Whether a transfer may go there."""
        return not self.problem


class Hint(NamedTuple):
    """What to try when nothing is found (O-20); ``key`` is ``name``, ``province``, ``graduates`` or ``report``."""

    key: str
    text: str


HINTS = (
    Hint("name", "核对名称。不必输入全称：换一个关键词、拼音首字母或组织编码，往往更容易找到。"),
    Hint(
        "province",
        "核对所选的省级组织。请按对方团组织的隶属关系选择：铁路、民航、中央和国家机关、金融、央企和兵团的团组织不在所在省份名下。",
    ),
    Hint("graduates", "确认对方不是毕业生团组织。毕业生团组织不能转入，请向对方问清接收团员的组织。"),
    Hint(
        "report", "仍然找不到，请把对方的组织全称、所在地区、联系电话和本页截图交给所在的基层团委，由其逐级上报核实。"
    ),
)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Answer to one question.

    Attributes:
        hits: best first, at most as many as asked for.
        more: whether there are further ones; then another keyword helps better than leafing.
        hints: what to try; empty if something was found.
        elsewhere: when nothing was found in the chosen part of the tree: short names of province-rank organisations
            that do have it.
    """

    hits: tuple[Hit, ...] = ()
    more: bool = False
    hints: tuple[Hint, ...] = ()
    elsewhere: tuple[str, ...] = ()


class _Found(NamedTuple):
    match: Match
    path: str
    org_id: int


def search(session: AnySession, text: str, *, within: Organisation | None = None, limit: int = LIMIT) -> SearchResult:
    """Find organisations.

    Args:
        session: open session; two to about ten small reads.
        text: one or several keywords, all of which must fit the organisation or one of its superiors; a full or short
            name; a code; pinyin initials. Case, width, blanks at the ends and punctuation do not matter.
        within: the province-rank organisation chosen first (O-19), or any other; None searches everywhere.
        limit: at most so many hits.
    """
    if within is not None and within.system is not Region.NATIONAL:
        return SearchResult(_hits(session, [_Found(Match.FULL_NAME, within.path, within.id)]))
    words = _words(text)
    if not words:
        return SearchResult()
    places = [within.path] if within is not None else []
    found = _find(session, words, places, limit + 1)
    if found:
        return SearchResult(_hits(session, found[:limit]), more=len(found) > limit)
    elsewhere = _find(session, words, [], limit) if places else []
    external = [] if elsewhere else _external(session, words)
    return SearchResult(_hits(session, external), hints=HINTS, elsewhere=_provinces(session, elsewhere))


def _words(text: str) -> list[str]:
    """The keywords of a question, each once, without what no name contains and no database stores."""
    clean = "".join(sign for sign in text[:TEXT_LIMIT] if sign.isprintable() or sign.isspace())
    return list(dict.fromkeys(word for word in clean.split() if normalise(word)))[:WORD_LIMIT]


def _find(session: AnySession, words: Sequence[str], places: Sequence[str], need: int) -> list[_Found]:
    if len(words) == 1:
        return _by_one_word(session, words[0], places, need)
    # Any word may be the organisation's own, the last one most likely; the others say where it is.
    for position in reversed(range(len(words))):
        areas = _common_areas(session, [*words[:position], *words[position + 1 :]], places)
        if areas and (found := _by_term(session, words[position], areas, need)):
            return found
    return _by_several_parts(session, words, places, need) or _by_one_word(session, "".join(words), places, need)


def _by_one_word(session: AnySession, word: str, places: Sequence[str], need: int) -> list[_Found]:
    return (
        _by_full_name(session, word, places)
        or _by_term(session, word, places, need)
        or _by_joined_names(session, word, places, need)
    )


def _by_full_name(session: AnySession, word: str, places: Sequence[str]) -> list[_Found]:
    """The organisation whose 组织全称 was typed to the letter; no full name lacks the word 团."""
    if "团" not in word:
        return []
    name = as_floating_branch(word)
    names = {name, name.replace("(", "（").replace(")", "）")}
    query = select(Organisation.path, Organisation.id).where(
        Organisation.full_name.in_(names), *_inside(Organisation.path, places)
    )
    return [_Found(Match.FULL_NAME, *row) for row in session.execute(query)]


class _Step(NamedTuple):
    """One reading of the index. An exact one names the whole term and finds a place without reading the others."""

    match: Match
    condition: ColumnElement[bool]
    exact: bool


def _steps(word: str) -> Iterator[_Step]:
    """How to look a word up, best answers first."""
    fit, term = OrganisationTerm.fit, OrganisationTerm.term
    own = normalise(own_name(as_floating_branch(word)))
    spellings = list(dict.fromkeys((own, normalise(word))))
    for exactly, beginning, kind in ((Match.NAME, Match.BEGINNING, Fit.WHOLE), (Match.PART, Match.PART, Fit.PART)):
        for spelling in spellings:
            yield _Step(exactly, and_(fit == kind, term == spelling), exact=True)
        for spelling in spellings:
            longer = and_(fit == kind, term > spelling, term < spelling + _LAST_SIGN)
            yield _Step(beginning, longer, exact=False)


def _look_up(
    session: AnySession, step: _Step, places: Sequence[str], limit: int, *also: ColumnElement[bool]
) -> Sequence[Row[str, int]]:
    """Path and id of what a step finds: the higher before the lower of equal name, else in the order of the index."""
    path, org_id, term = OrganisationTerm.path, OrganisationTerm.org_id, OrganisationTerm.term
    query = select(path, org_id).where(step.condition, *also)
    if step.exact and len(places) > 1:
        # Terms like 街道 stand for thousands: go from each place to what is there, not through all of them.
        area = aliased(Organisation)
        query = query.join(area, and_(path >= area.path, path < area.path + "~")).where(area.path.in_(places))
    else:
        query = query.where(*_inside(path, places))
    query = query.order_by(func.length(path), path) if step.match is Match.NAME else query.order_by(term, path)
    return session.execute(query.limit(limit)).all()


def _by_term(session: AnySession, word: str, places: Sequence[str], need: int) -> list[_Found]:
    """Organisations with a term that is the word or begins with it."""
    found: dict[int, _Found] = {}
    for step in _steps(word):
        if len(found) >= need:
            break
        # Those found by an earlier step come again, and one may come twice: 海南 and 海南省 both begin with 海.
        for path, org_id in _look_up(session, step, places, len(found) + _ROWS_EACH * need):
            found.setdefault(org_id, _Found(step.match, path, org_id))
    return list(found.values())[:need]


def _areas(session: AnySession, word: str, places: Sequence[str]) -> set[str]:
    """Paths of the places a word may mean: those of just that name, else those it begins."""
    high = func.length(OrganisationTerm.path) <= _AREA_DEPTH
    for step in _steps(word):
        if found := {path for path, _ in _look_up(session, step, places, _AREAS, high)}:
            return found
    return set()


def _common_areas(session: AnySession, words: Sequence[str], places: Sequence[str]) -> list[str]:
    """The outermost places that all words mean together: 蜀山 and 合肥 mean 蜀山区, in either order."""
    common: set[str] | None = None
    for word in words:
        found = _areas(session, word, places)
        if common is not None:
            pairs = [(one, other) for one in common for other in found]
            found = {max(pair, key=len) for pair in pairs if pair[0].startswith(pair[1]) or pair[1].startswith(pair[0])}
        common = found
        if not common:
            return []
    outermost: list[str] = []
    for area in sorted(common or ()):
        if not (outermost and area.startswith(outermost[-1])):
            outermost.append(area)
    return outermost


def _by_several_parts(session: AnySession, words: Sequence[str], places: Sequence[str], need: int) -> list[_Found]:
    """Organisations that have the longest word as a term and the others somewhere in the full name."""
    longest = max(words, key=len)
    others = [normalise(word) for word in words if word != longest]
    found: dict[int, _Found] = {}
    for step in _steps(longest):
        paths = {org_id: path for path, org_id in _look_up(session, step, places, _CANDIDATES)}
        names = select(Organisation.id, Organisation.full_name).where(Organisation.id.in_(paths))
        for org_id, full_name in session.execute(names) if paths else ():
            if all(other in normalise(full_name) for other in others):
                found.setdefault(org_id, _Found(Match.PART, paths[org_id], org_id))
    return sorted(found.values(), key=lambda each: each.path)[:need]


def _by_joined_names(session: AnySession, word: str, places: Sequence[str], need: int) -> list[_Found]:
    """Organisations whose name stands at the end of the word behind superiors' names: 合肥蜀山区井岗镇."""
    own = normalise(own_name(word))
    path, term = OrganisationTerm.path, OrganisationTerm.term
    tails = [own[start:] for start in range(1, len(own) - 1)]
    if not tails:
        return []
    query = (
        select(path, OrganisationTerm.org_id, term, Organisation.full_name)
        .join(Organisation, Organisation.id == OrganisationTerm.org_id)
        .where(OrganisationTerm.fit == Fit.WHOLE, term.in_(tails), *_inside(path, places))
        .order_by(func.length(term).desc(), path)
        .limit(_CANDIDATES)
    )
    found: dict[int, _Found] = {}
    for row in session.execute(query):
        if _in_order(own[: -len(row.term)], row.full_name):
            found.setdefault(row.org_id, _Found(Match.NAME, row.path, row.org_id))
    return list(found.values())[:need]


def _external(session: AnySession, words: Sequence[str]) -> list[_Found]:
    """The external region one of the words begins with: 广东 in 广东省深圳市…; nothing below it is known here."""
    names = {own[:end] for own in map(own_name, words) for end in range(2, len(own) + 1)}
    query = (
        select(Organisation.path, Organisation.id)
        .join(OrganisationTerm, Organisation.id == OrganisationTerm.org_id)
        .where(
            OrganisationTerm.fit == Fit.WHOLE,
            OrganisationTerm.term.in_(names),
            func.length(OrganisationTerm.path) == _PROVINCE_DEPTH,
            Organisation.system != Region.NATIONAL,
        )
        .limit(1)
    )
    return [_Found(Match.NAME, *row) for row in session.execute(query)]


def _in_order(signs: str, text: str) -> bool:
    """Whether the signs stand in the text in this order, with or without others between them."""
    rest = iter(text)
    return all(sign in rest for sign in signs)


def _inside(path: Any, places: Sequence[str]) -> list[ColumnElement[bool]]:
    return [or_(*(subtree(path, place) for place in places))] if places else []


def _hits(session: AnySession, found: Sequence[_Found]) -> tuple[Hit, ...]:
    """The organisations with their superiors: two reads, however many there are."""
    organisations = {
        each.id: each
        for each in session.scalars(select(Organisation).where(Organisation.id.in_([each.org_id for each in found])))
    }
    lines = {each.org_id: _superiors(each.path) for each in found}
    names = _short_names(session, {path for line in lines.values() for path in line})
    return tuple(
        Hit(
            organisations[each.org_id],
            tuple(names[path] for path in lines[each.org_id]),
            each.match,
            destination_problem(organisations[each.org_id]),
        )
        for each in found
    )


def _superiors(path: str) -> list[str]:
    """Paths of the superiors from province rank down."""
    return [path[:end] for end in range(_PROVINCE_DEPTH, len(path), SEGMENT)]


def _short_names(session: AnySession, paths: Collection[str]) -> dict[str, str]:
    if not paths:
        return {}
    rows = session.execute(select(Organisation.path, Organisation.short_name).where(Organisation.path.in_(paths)))
    return {row.path: row.short_name for row in rows}


def _provinces(session: AnySession, found: Sequence[_Found]) -> tuple[str, ...]:
    """Short names of the province-rank organisations to which the found ones belong, each once."""
    paths = list(dict.fromkeys(each.path[:_PROVINCE_DEPTH] for each in found if len(each.path) > SEGMENT))
    names = _short_names(session, paths)
    return tuple(names[path] for path in paths)
