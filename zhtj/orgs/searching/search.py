"""Find an organisation, above all a destination: by keyword, name, pinyin initials or code (O-19)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from zhtj.orgs.bulk import AnySession
from zhtj.orgs.divisions import changed
from zhtj.orgs.models import SEGMENT, Organisation, OrganisationTerm, Region
from zhtj.orgs.naming import Fit, as_floating_branch, normalise, own_name
from zhtj.orgs.queries import by_code_or_name
from zhtj.orgs.rules import destination_problem
from zhtj.orgs.searching.lookup import Match, in_place, inside, look_up, steps

LIMIT = 20
TEXT_LIMIT = 80
WORD_LIMIT = 4
# A word that narrows down (合肥 in “合肥 井岗”) may mean so many places.
_AREAS = 40
_PROVINCE_DEPTH = 2 * SEGMENT
_CANDIDATES = 300
_ROWS_EACH = 3


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


# O-20: name, province, 毕业生团组织, and at last whom to report it to.
HINTS = (
    Hint(
        "name",
        "核对名称。不必输入全称：换一个关键词、拼音首字母或组织编码，往往更容易找到。"
        f"乡镇街道和县区按 {changed.last_day()} 的行政区划（底本 {changed.DATA_DAY}）。",
    ),
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


def search(
    session: AnySession,
    text: str,
    *,
    within: Organisation | None = None,
    limit: int = LIMIT,
    anywhere: bool = True,
) -> SearchResult:
    """Find organisations.

    Args:
        session: open session; two to about ten small reads.
        text: one or several keywords, all of which must fit the organisation or one of its superiors; a full or short
            name; a code; pinyin initials. Case, width, blanks at the ends and punctuation do not matter.
        within: the province-rank organisation chosen first (O-19), or any other; None searches everywhere.
        limit: at most so many hits.
        anywhere: where nothing is found there, tell where there is something.
    """
    if within is not None and within.system is not Region.NATIONAL:
        return SearchResult(_hits(session, [_Found(Match.FULL_NAME, within.path, within.id)]))
    words = _words(text)
    if not words:
        return SearchResult()
    place = within.path if within is not None else ""
    found = _find(session, words, place, limit + 1)
    if found:
        return SearchResult(_hits(session, found[:limit]), more=len(found) > limit)
    if not anywhere:
        return SearchResult()
    elsewhere = _find(session, words, "", limit) if place else []
    external = [] if elsewhere else _external(session, words)
    return SearchResult(_hits(session, external), hints=HINTS, elsewhere=_provinces(session, elsewhere))


def named(session: AnySession, text: str, *, near: int = 5) -> tuple[Organisation | None, list[Organisation]]:
    """The organisation somebody means who typed one name; else what comes near, to be picked from.

    Args:
        session: open session.
        text: a code, a full name, or the short name that screens show.
        near: at most so many to pick from.

    Returns:
        The one that is called so, or None and the open ones that the search finds, best first.
    """
    known = by_code_or_name(text)
    if known is not None:
        return known, []
    hits = [hit.organisation for hit in search(session, text).hits if hit.organisation.closed_at is None]
    same = [one for one in hits if normalise(one.short_name) == normalise(text)]
    return (same[0], []) if len(same) == 1 else (None, hits[:near])


def _words(text: str) -> list[str]:
    """The keywords of a question, each once, without what no name contains and no database stores."""
    clean = "".join(sign for sign in text[:TEXT_LIMIT] if sign.isprintable() or sign.isspace())
    return list(dict.fromkeys(word for word in clean.split() if normalise(word)))[:WORD_LIMIT]


def _find(session: AnySession, words: Sequence[str], place: str, need: int) -> list[_Found]:
    if len(words) == 1:
        return _by_one_word(session, words[0], place, need)
    # Any word may be the organisation's own, the last one most likely; the others say where it is.
    for position in reversed(range(len(words))):
        areas = _common_areas(session, [*words[:position], *words[position + 1 :]], place)
        if areas and (found := _by_term(session, words[position], areas, need)):
            return found
    return _by_several_parts(session, words, place, need) or _by_one_word(session, "".join(words), place, need)


def _by_one_word(session: AnySession, word: str, place: str, need: int) -> list[_Found]:
    return (
        _by_full_name(session, word, place)
        or _by_term(session, word, [place], need)
        or _by_full_name(session, word, place, closed=True)
        or _by_joined_names(session, word, place, need)
    )


_WITH_FULL_NAME = select(Organisation.path, Organisation.id).where(
    Organisation.full_name.in_(bindparam("names", expanding=True)), in_place(Organisation.path)
)
_OPEN_WITH_FULL_NAME = _WITH_FULL_NAME.where(Organisation.closed_at.is_(None))


def _by_full_name(session: AnySession, word: str, place: str, *, closed: bool = False) -> list[_Found]:
    """The organisation whose 组织全称 was typed to the letter; no full name lacks the word 团.

    A closed one, if it is asked for, comes behind its successor, which has its name too (PD-56).
    """
    if "团" not in word:
        return []
    name = as_floating_branch(word)
    names = [name, name.replace("(", "（").replace(")", "）")]
    rows = session.execute(_WITH_FULL_NAME if closed else _OPEN_WITH_FULL_NAME, {"names": names, **inside(place)})
    return [_Found(Match.FULL_NAME, *row) for row in rows]


def _by_term(session: AnySession, word: str, places: Sequence[str], need: int) -> list[_Found]:
    """Organisations with a term that is the word or begins with it."""
    found: dict[int, _Found] = {}
    for step in steps(word):
        if len(found) >= need:
            break
        # Those found by an earlier step come again, and one may come twice: 海南 and 海南省 both begin with 海.
        for path, org_id in look_up(session, step, places, len(found) + _ROWS_EACH * need):
            found.setdefault(org_id, _Found(step.match, path, org_id))
    return list(found.values())[:need]


def _areas(session: AnySession, word: str, place: str) -> set[str]:
    """Paths of the places a word may mean: those of just that name, else those it begins."""
    for step in steps(word):
        if found := {path for path, _ in look_up(session, step, [place], _AREAS, areas=True)}:
            return found
    return set()


def _common_areas(session: AnySession, words: Sequence[str], place: str) -> list[str]:
    """The outermost places that all words mean together: 蜀山 and 合肥 mean 蜀山区, in either order."""
    common: set[str] | None = None
    for word in words:
        found = _areas(session, word, place)
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


_FULL_NAMES = select(Organisation.id, Organisation.full_name).where(
    Organisation.id.in_(bindparam("ids", expanding=True))
)


def _by_several_parts(session: AnySession, words: Sequence[str], place: str, need: int) -> list[_Found]:
    """Organisations that have the longest word as a term and the others somewhere in the full name."""
    longest = max(words, key=len)
    others = [normalise(word) for word in words if word != longest]
    found: dict[int, _Found] = {}
    for step in steps(longest):
        paths = {org_id: path for path, org_id in look_up(session, step, [place], _CANDIDATES)}
        for org_id, full_name in session.execute(_FULL_NAMES, {"ids": list(paths)}) if paths else ():
            if all(other in normalise(full_name) for other in others):
                found.setdefault(org_id, _Found(Match.PART, paths[org_id], org_id))
    return sorted(found.values(), key=lambda each: each.path)[:need]


_ENDING_SO = (
    select(OrganisationTerm.path, OrganisationTerm.org_id, OrganisationTerm.term, Organisation.full_name)
    .join(Organisation, Organisation.id == OrganisationTerm.org_id)
    .where(
        OrganisationTerm.fit == int(Fit.WHOLE),
        OrganisationTerm.term.in_(bindparam("tails", expanding=True)),
        in_place(OrganisationTerm.path),
    )
    .order_by(func.length(OrganisationTerm.term).desc(), OrganisationTerm.path)
    .limit(_CANDIDATES)
)


def _by_joined_names(session: AnySession, word: str, place: str, need: int) -> list[_Found]:
    """Organisations whose name stands at the end of the word behind superiors' names: 合肥蜀山区井岗镇."""
    own = normalise(own_name(word))
    tails = [own[start:] for start in range(1, len(own) - 1)]
    if not tails:
        return []
    found: dict[int, _Found] = {}
    for row in session.execute(_ENDING_SO, {"tails": tails, **inside(place)}):
        if _in_order(own[: -len(row.term)], row.full_name):
            found.setdefault(row.org_id, _Found(Match.NAME, row.path, row.org_id))
    return list(found.values())[:need]


_EXTERNAL = (
    select(Organisation.path, Organisation.id)
    .join(OrganisationTerm, Organisation.id == OrganisationTerm.org_id)
    .where(
        OrganisationTerm.fit == int(Fit.WHOLE),
        OrganisationTerm.term.in_(bindparam("names", expanding=True)),
        func.length(OrganisationTerm.path) == _PROVINCE_DEPTH,
        Organisation.system != Region.NATIONAL,
    )
    .limit(1)
)


def _external(session: AnySession, words: Sequence[str]) -> list[_Found]:
    """The external region one of the words begins with: 广东 in 广东省深圳市…; nothing below it is known here."""
    names = {own[:end] for own in map(own_name, words) for end in range(2, len(own) + 1)}
    rows = session.execute(_EXTERNAL, {"names": list(names)}) if names else ()
    return [_Found(Match.NAME, *row) for row in rows]


def _in_order(signs: str, text: str) -> bool:
    """Whether the signs stand in the text in this order, with or without others between them."""
    rest = iter(text)
    return all(sign in rest for sign in signs)


_BY_ID = select(Organisation).where(Organisation.id.in_(bindparam("ids", expanding=True)))
_SHORT_NAMES = select(Organisation.path, Organisation.short_name).where(
    Organisation.path.in_(bindparam("paths", expanding=True))
)


def _hits(session: AnySession, found: Sequence[_Found]) -> tuple[Hit, ...]:
    """The organisations with their superiors: two reads, however many there are."""
    if not found:
        return ()
    rows = session.scalars(_BY_ID, {"ids": [each.org_id for each in found]})
    organisations = {organisation.id: organisation for organisation in rows}
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
    rows = session.execute(_SHORT_NAMES, {"paths": list(paths)})
    return {row.path: row.short_name for row in rows}


def _provinces(session: AnySession, found: Sequence[_Found]) -> tuple[str, ...]:
    """Short names of the province-rank organisations to which the found ones belong, each once."""
    paths = list(dict.fromkeys(each.path[:_PROVINCE_DEPTH] for each in found if len(each.path) > SEGMENT))
    names = _short_names(session, paths)
    return tuple(names[path] for path in paths)
