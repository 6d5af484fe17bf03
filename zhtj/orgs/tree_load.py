"""Load the national tree: centre, provinces, systems, divisions and their floating branches (PD-05).

Loading again changes nothing; after an update of the division data it adds what is missing. What an administrator
has changed meanwhile - a name, a closing - is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, text, update

from zhtj.kernel import audit, clock
from zhtj.orgs import divisions, naming
from zhtj.orgs.bulk import AnySession, insert_mappings
from zhtj.orgs.divisions import Division, Rank, changed
from zhtj.orgs.divisions.changed import DivisionChange
from zhtj.orgs.models import Category, Organisation, Purpose, Region, Tier, segment
from zhtj.orgs.searching.terms import insert_terms

CENTRE_CODE = "0"
CENTRE_PATH = segment(1)
LEADING_INDUSTRY = "党政机关"
_CENTRE = ("共青团中央委员会", "团中央")
# O-18: province-rank nodes without a division code. They are the centre's first children, so that the numbers in
# their codes, given by their superior as everywhere else, are the same in every installation.
SYSTEMS = (
    ("共青团新疆生产建设兵团委员会", "新疆生产建设兵团团委"),
    ("共青团全国铁道委员会", "全国铁道团委"),
    ("共青团全国民航委员会", "全国民航团委"),
    ("共青团中央和国家机关工作委员会", "中央和国家机关团工委"),
    ("共青团中央金融工作委员会", "中央金融团工委"),
    ("共青团中央企业工作委员会", "中央企业团工委"),
)
# Three regions with systems of their own; here they are leaves (PD-05, PD-32).
EXTERNAL = (
    ("11", "北京市", Region.BEIJING),
    ("35", "福建省", Region.FUJIAN),
    ("44", "广东省", Region.GUANGDONG),
)
_TIERS = {Rank.PROVINCE: Tier.PROVINCE, Rank.CITY: Tier.CITY, Rank.COUNTY: Tier.COUNTY}
_INDUSTRIES = {Rank.STREET: "城市社区", Rank.TOWN: "农村", Rank.RURAL: "农村"}


@dataclass(slots=True)
class LoadCounts:
    """What a load found in place and what it added, by kind.

    The kinds are ``centre``, ``system``, ``external``, the values of ``divisions.Rank``, and ``floating``.
    """

    found: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    terms: int = 0

    def __str__(self) -> str:
        return f"{self.added.total()} added, {self.found.total()} found, {self.terms} search terms"


class Planned(NamedTuple):
    """An organisation as the national tree wants it; ``code`` is None where the superior numbers it."""

    kind: str
    code: str | None
    superior: str | None
    full_name: str
    short_name: str
    category: Category = Category.LEADING_ORGAN
    tier: Tier = Tier.PROVINCE
    industry: str | None = LEADING_INDUSTRY
    township_flag: bool | None = None
    purpose: Purpose | None = None
    system: Region = Region.NATIONAL


def plan(
    provinces: Collection[str] | None = None, *, changes: Sequence[DivisionChange] | None = None
) -> Iterator[Planned]:
    """The national tree, superiors first, siblings in their lasting order.

    Args:
        provinces: two-digit codes of the provinces to unfold; None unfolds all 28. The centre, the systems and the
            external regions always belong to it.
        changes: of the divisions since they were published, oldest first; None: all of the data file (PD-56).
    """
    yield Planned("centre", CENTRE_CODE, None, *_CENTRE, tier=Tier.CENTRE)
    for number, (full, short) in enumerate(SYSTEMS, start=1):
        yield Planned("system", f"{CENTRE_CODE}-{number:03d}", CENTRE_CODE, full, short)
    for code, name, region in EXTERNAL:
        yield Planned("external", code, CENTRE_CODE, naming.full_name([name]), naming.short_name(name), system=region)
    lines: dict[str | None, list[str]] = {None: []}
    for division in changed.after(divisions.read(provinces), changed.all_changes() if changes is None else changes):
        line = lines[division.code] = [*lines[division.parent], division.name]
        yield _committee(division, line)
        if division.is_township:
            yield _floating_branch(division, line)


def _committee(division: Division, line: list[str]) -> Planned:
    leading = division.rank in _TIERS
    return Planned(
        division.rank,
        division.code,
        division.parent or CENTRE_CODE,
        naming.full_name(line),
        naming.short_name(division.name),
        category=Category.LEADING_ORGAN if leading else Category.COMMITTEE,
        tier=_TIERS.get(division.rank, Tier.BASIC),
        # What a farm or a zone lives on the division data does not say.
        industry=LEADING_INDUSTRY if leading else _INDUSTRIES.get(division.rank),
        township_flag=True if division.is_township else None,
    )


def _floating_branch(host: Division, line: list[str]) -> Planned:
    return Planned(
        "floating",
        None,
        host.code,
        naming.floating_full_name(line),
        naming.floating_short_name(host.name),
        category=Category.BRANCH,
        tier=Tier.BRANCH,
        industry=_INDUSTRIES[host.rank],
        purpose=Purpose.FLOATING,
    )


@dataclass(slots=True)
class _Node:
    """What a child needs to know of its superior."""

    id: int
    code: str
    path: str
    next_child: int
    office_id: int | None
    has_floating: bool = False
    grew: bool = False


def load_tree(
    session: AnySession,
    *,
    provinces: Collection[str] | None = None,
    changes: Sequence[DivisionChange] | None = None,
) -> LoadCounts:
    """Add to the database what the national tree has and the database has not.

    Args:
        session: open session inside a unit of work; nothing is committed here.
        provinces: as for ``plan``.
        changes: as for ``plan``.

    Returns:
        What was found and added.
    """
    counts = LoadCounts()
    nodes = _known(session)
    missing = []
    for planned in plan(provinces, changes=changes):
        if _is_there(planned, nodes):
            counts.found[planned.kind] += 1
        else:
            missing.append(planned)
    if not missing:
        return counts
    taken = _codes_by_name(session, missing) if nodes else {}
    rows = []
    for planned in missing:
        if planned.full_name in taken:
            # Someone entered it by hand before the division data knew it; what is below it goes there.
            counts.found[planned.kind] += 1
            if planned.code and taken[planned.full_name] in nodes:
                nodes[planned.code] = nodes[taken[planned.full_name]]
            continue
        counts.added[planned.kind] += 1
        rows.append(_row(planned, nodes))
    ids = _write(session, rows, nodes)
    counts.terms = insert_terms(session, _terms(rows, ids))
    # What the session has read before knows nothing of the new children.
    session.expire_all()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ANALYZE organisations, organisation_terms"))
    audit.record("organisation.load", "organisation", nodes[CENTRE_CODE].id, **counts.added)
    return counts


def _known(session: AnySession) -> dict[str, _Node]:
    """The organisations that can have children, by code."""
    columns = (Organisation.code, Organisation.id, Organisation.path, Organisation.next_child, Organisation.office_id)
    rows = session.execute(select(*columns).where(Organisation.tier != Tier.BRANCH))
    nodes = {row.code: _Node(row.id, row.code, row.path, row.next_child, row.office_id) for row in rows}
    hosts = set(session.scalars(select(Organisation.parent_id).where(Organisation.purpose == Purpose.FLOATING)))
    for node in nodes.values():
        node.has_floating = node.id in hosts
    return nodes


def _is_there(planned: Planned, nodes: dict[str, _Node]) -> bool:
    if planned.code is not None:
        return planned.code in nodes
    return planned.superior in nodes and nodes[planned.superior].has_floating


def _batched(names: Iterable[str], size: int) -> Iterator[list[str]]:
    names = iter(names)
    while some := list(islice(names, size)):
        yield some


def _codes_by_name(session: AnySession, missing: list[Planned]) -> dict[str, str]:
    """Codes of organisations that have the full name of a missing one."""
    found: dict[str, str] = {}
    columns = select(Organisation.full_name, Organisation.code)
    for some in _batched((planned.full_name for planned in missing), 500):
        rows = session.execute(columns.where(Organisation.full_name.in_(some)))
        found |= {row.full_name: row.code for row in rows}
    return found


def _row(planned: Planned, nodes: dict[str, _Node]) -> dict[str, Any]:
    """The row of a missing organisation, numbered by its superior; ids and child counts come when it is written."""
    superior = nodes[planned.superior] if planned.superior is not None else None
    path, office_id = CENTRE_PATH, None
    code = planned.code
    if superior is not None:
        superior.next_child += 1
        superior.grew = True
        path, office_id = superior.path + segment(superior.next_child), superior.office_id
        code = code or f"{superior.code}-{superior.next_child:03d}"
    if planned.code is not None:
        nodes[planned.code] = _Node(0, planned.code, path, 0, office_id)
    fields = planned._asdict()
    del fields["kind"]
    return fields | {"code": code, "path": path, "office_id": office_id}


def _write(session: AnySession, rows: list[dict[str, Any]], nodes: dict[str, _Node]) -> dict[str, int]:
    """Insert the rows level by level, so that a superior has its id. Returns the ids by code."""
    table: Any = Organisation.__table__
    moment = clock.now()
    ids: dict[str, int] = {}
    levels: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        levels.setdefault(len(row["path"]), []).append(row)
    for length, level in sorted(levels.items()):
        for row in level:
            superior, node = row.pop("superior"), nodes.get(row["code"])
            row["parent_id"] = nodes[superior].id if superior is not None else None
            row["next_child"] = node.next_child if node else 0
            row["created_at"] = moment
        insert_mappings(session, table, level)
        known = select(table.c.code, table.c.id).where(func.length(table.c.path) == length)
        ids |= {row.code: row.id for row in session.execute(known)}
        for row in level:
            if node := nodes.get(row["code"]):
                node.id, node.grew = ids[row["code"]], False
    # Superiors that were there before and have more children now.
    changed = [{"key": node.id, "count": node.next_child} for node in nodes.values() if node.grew]
    if changed:
        by_id = update(table).where(table.c.id == bindparam("key")).values(next_child=bindparam("count"))
        session.connection().execute(by_id, changed)
    return ids


def _terms(rows: list[dict[str, Any]], ids: dict[str, int]) -> Iterator[tuple[int, str, str, int]]:
    for row in rows:
        for term in naming.search_terms(
            code=row["code"],
            full_name=row["full_name"],
            short_name=row["short_name"],
            branch=row["tier"] is Tier.BRANCH,
        ):
            yield int(term.fit), term.text, row["path"], ids[row["code"]]
