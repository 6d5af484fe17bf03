"""毕业班、毕业班团支部、毕业学生、毕业学生团员数量统计表: four counts of an area (F-10, M-16).

Branches and members are counted by the system. Classes and students, members or not, are reported by each school for
the season, a college may report to its school; leading organs enter what the education department says and see the
differences. Only what schools reported is added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import joinedload

from zhtj.graduation.models import BranchMark
from zhtj.graduation.rules import markable_industries
from zhtj.graduation.season_register import in_year
from zhtj.kernel import audit, clock, dates
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.models import SEGMENT, Organisation, Tier
from zhtj.policy.seasons import policy_for
from zhtj.rates import queries
from zhtj.rates.models import GraduationCount, StatisticsSource, UrgingTopic
from zhtj.rates.reports import urging
from zhtj.rates.reports.urging import Urged, UrgingMessage

TITLE = "毕业班、毕业班团支部、毕业学生、毕业学生团员数量统计表"
# F-10, M-16: the four counts of the form, for every area.
COLUMNS = ("毕业班数", "毕业班团支部数", "毕业学生数", "毕业学生团员数")
LARGEST = 9_999_999
NAMED = 3
"""Schools that a message names one by one."""


def due_on(season: int) -> date:
    """The day by which the province hands the table to the centre (F-10)."""
    return policy_for(season, ()).statistics_due


@dataclass(frozen=True, slots=True)
class FourCounts:
    """The four counts; ``classes`` and ``students`` as reported, None where nobody has."""

    classes: int | None = None
    branches: int = 0
    students: int | None = None
    members: int = 0

    @property
    def cells(self) -> tuple[int | None, ...]:
        """In the order of ``COLUMNS``."""
        return (self.classes, self.branches, self.students, self.members)

    @property
    def is_doubtful(self) -> bool:
        """Whether more members graduate than students altogether: one of the two is wrong."""
        return self.students is not None and self.members > self.students


@dataclass(frozen=True, slots=True)
class StatisticsLine:
    """One line of the table.

    Args:
        organisation: the child.
        counts: its four counts.
        missing: schools in it that have not reported.
        education: what the education department says of it, if its leading organ entered that.
    """

    organisation: Organisation
    counts: FourCounts
    missing: int = 0
    education: GraduationCount | None = None


@dataclass(frozen=True, slots=True)
class StatisticsTable:
    """The table of one organisation.

    Args:
        lines: by child.
        total: of the whole area.
        missing: schools that have not reported.
        own: what this organisation itself reported, as a school or a college.
        education: what the education department says of the area.
        colleges: of a school: its colleges' reports added up.
    """

    season: int
    lines: list[StatisticsLine]
    total: FourCounts
    missing: int
    own: GraduationCount | None = None
    education: GraduationCount | None = None
    colleges: FourCounts | None = None


def table(organisation: Organisation, season: int) -> StatisticsTable:
    """The table of an organisation: its children, and all of them together."""
    children = list(
        reports().scalars(
            select(Organisation).where(Organisation.parent_id == organisation.id).order_by(Organisation.path)
        )
    )
    own = _entries([organisation.id, *(each.id for each in children)], season)
    figures = {child.organisation.id: child.figures.graduates for child in queries.by_child(organisation, season)}
    branches, reported, missing = (
        _by_place(organisation, query) for query in (_branches(season), _reported(season), _unreported(season))
    )
    lines = []
    for each in children:
        said = _said(reported.get(each.path), own.get((each.id, StatisticsSource.REPORT)))
        counts = FourCounts(said[0], _number(branches, each.path), said[1], figures.get(each.id, 0))
        if any(counts.cells) or each.path in missing or (each.id, StatisticsSource.EDUCATION) in own:
            found = own.get((each.id, StatisticsSource.EDUCATION))
            lines.append(StatisticsLine(each, counts, _number(missing, each.path), found))
    mine = own.get((organisation.id, StatisticsSource.REPORT))
    said = _said(_added(reported.values()), mine)
    total = FourCounts(
        said[0],
        sum(row[0] for row in branches.values()),
        said[1],
        queries.figures(organisation.path, season).graduates,
    )
    return StatisticsTable(
        season,
        lines,
        total,
        sum(row[0] for row in missing.values()),
        mine,
        own.get((organisation.id, StatisticsSource.EDUCATION)),
        _colleges(lines) if is_school(organisation) else None,
    )


Numbers = tuple[int | None, int | None]


def _said(reported: Sequence[int] | None, own: GraduationCount | None) -> Numbers:
    """What a place says: a school or college what it reported, everybody else what its schools did."""
    if own is not None:
        return own.classes, own.students
    return (reported[0], reported[1]) if reported else (None, None)


def _added(rows: Any) -> Sequence[int] | None:
    found = list(rows)
    return [sum(row[number] for row in found) for number in (0, 1)] if found else None


def _colleges(lines: Sequence[StatisticsLine]) -> FourCounts | None:
    said = [each.counts for each in lines if each.counts.classes is not None]
    if not said:
        return None
    return FourCounts(sum(each.classes or 0 for each in said), students=sum(each.students or 0 for each in said))


def _number(rows: Mapping[str, Sequence[int]], path: str) -> int:
    return rows[path][0] if path in rows else 0


def _by_place(organisation: Organisation, query: Select[*tuple[Any, ...]]) -> dict[str, Sequence[int]]:
    """Sums over Organisation at the place itself and below each of its children, by path."""
    place = func.substr(Organisation.path, 1, len(organisation.path) + SEGMENT)
    query = query.add_columns(place).where(subtree(Organisation.path, organisation.path)).group_by(place)
    return {row[-1]: [int(number) for number in row[:-1]] for row in reports().execute(query)}


def _branches(season: int) -> Select[*tuple[Any, ...]]:
    return select(func.count()).select_from(Organisation).where(*_graduating(season))


def _graduating(season: int) -> tuple[ColumnElement[bool], ...]:
    """SQL over Organisation: a branch that is marked to graduate in the season."""
    marked = exists().where(BranchMark.org_id == Organisation.id, in_year(BranchMark.month, season))
    return Organisation.tier == Tier.BRANCH, marked


def _reported(season: int) -> Select[*tuple[Any, ...]]:
    join = and_(
        GraduationCount.org_id == Organisation.id,
        GraduationCount.season == season,
        GraduationCount.source == StatisticsSource.REPORT,
    )
    sums = (func.sum(GraduationCount.classes), func.sum(GraduationCount.students))
    return select(*sums).select_from(Organisation).join(GraduationCount, join).where(Organisation.tier == Tier.BASIC)


def _is_school() -> tuple[ColumnElement[bool], ...]:
    """SQL over Organisation: a school that has graduates to report; primary schools have none (O-17)."""
    return (
        Organisation.tier == Tier.BASIC,
        Organisation.industry.in_(sorted(markable_industries(None))),
        Organisation.closed_at.is_(None),
    )


def _missing(season: int) -> ColumnElement[bool]:
    return ~exists().where(
        GraduationCount.org_id == Organisation.id,
        GraduationCount.season == season,
        GraduationCount.source == StatisticsSource.REPORT,
    )


def _unreported(season: int) -> Select[*tuple[Any, ...]]:
    return select(func.count()).select_from(Organisation).where(*_is_school(), _missing(season))


def _entries(ids: Sequence[int], season: int) -> dict[tuple[int, StatisticsSource], GraduationCount]:
    query = (
        select(GraduationCount)
        .where(GraduationCount.season == season, GraduationCount.org_id.in_(ids))
        .options(joinedload(GraduationCount.account))
    )
    return {(each.org_id, each.source): each for each in reports().scalars(query)}


def is_school(organisation: Organisation) -> bool:
    """Whether it reports for itself."""
    return organisation.tier is Tier.BASIC and organisation.industry in markable_industries(None)


def source_of(organisation: Organisation) -> StatisticsSource | None:
    """What an organisation enters: a school or a college its report, a leading organ the education department's."""
    if organisation.is_leading:
        return StatisticsSource.EDUCATION
    college = organisation.tier is Tier.SECOND and organisation.industry in markable_industries(None)
    return StatisticsSource.REPORT if is_school(organisation) or college else None


def may_write(seat: ActiveSeat, organisation: Organisation, season: int) -> bool:
    """Whether this seat enters the organisation's counts: itself, or whoever acts for it (PD-22), in its season."""
    acts = seat.org_id in {organisation.id, organisation.office_id}
    return acts and source_of(organisation) is not None and season == clock.today().year


def write(seat: ActiveSeat, organisation: Organisation, season: int, typed: Mapping[str, str]) -> GraduationCount:
    """Enter or correct the two counts of an organisation for the season; what stood there before stays in the log.

    Args:
        seat: who enters them.
        organisation: whose.
        season: the present one.
        typed: ``classes`` and ``students``.

    Raises:
        Forbidden: somebody else's, or a season that is over.
        DomainError: a number is missing or cannot be one; ``field`` says which.
    """
    source = source_of(organisation)
    if source is None or not may_write(seat, organisation, season):
        raise Forbidden("本届统计数由学校、学院自己填写；往届的已封存。")
    classes, students = _read(typed, "classes", "毕业班数"), _read(typed, "students", "毕业学生数")
    if bool(classes) != bool(students):
        raise DomainError("毕业班数和毕业学生数应当都填，没有毕业班的都填 0。", field="classes", rule="F-10")
    known = session.get(GraduationCount, (season, organisation.id, source), with_for_update=True)
    before = {"classes": known.classes, "students": known.students} if known else None
    found = session.merge(
        GraduationCount(
            season=season,
            org_id=organisation.id,
            source=source,
            classes=classes,
            students=students,
            written_at=clock.now(),
            account_id=seat.account_id,
        )
    )
    session.flush()
    after = {"classes": classes, "students": students}
    detail = {"season": season, "source": source.value, "before": before, "after": after}
    audit.record("statistics.write", "organisation", organisation.id, **detail)
    return found


def _read(typed: Mapping[str, str], name: str, label: str) -> int:
    text = "".join(typed.get(name, "").split()).replace(",", "")
    if not (text.isascii() and text.isdecimal() and int(text) <= LARGEST):
        raise DomainError(f"{label}请填写 0 到 {LARGEST:,} 之间的整数。", field=name, rule="F-10")
    return int(text)


def branches(path: str, season: int) -> Listing[Organisation]:
    """Branches below that are marked to graduate in the season, in the order of the tree."""
    query = select(Organisation).where(*_graduating(season), subtree(Organisation.path, path))
    return Listing(query, [Organisation.path], loads=[joinedload(Organisation.parent)], reader=reports)


def missing_schools(path: str, season: int) -> Listing[Organisation]:
    """Schools below that have not reported, in the order of the tree."""
    query = select(Organisation).where(*_is_school(), _missing(season), subtree(Organisation.path, path))
    return Listing(query, [Organisation.path])


def urge(seat: ActiveSeat, path: str, season: int, ids: Sequence[int] | None) -> Urged:
    """Remind schools below that they have not reported; ``ids``: which, None: all, up to ``urging.MOST`` at once."""
    wanted = missing_schools(path, season)
    if ids is not None:
        wanted = wanted.where(Organisation.id.in_(list(ids)))
    names: dict[int, list[str]] = {}
    for each in wanted.take(urging.MOST, Organisation):
        names.setdefault(each.office_id or each.id, []).append(each.short_name)
    letters = {office: _letter(schools, season) for office, schools in names.items()}
    return urging.urge(seat, UrgingTopic.STATISTICS, letters)


def _letter(schools: Sequence[str], season: int) -> UrgingMessage:
    named = "、".join(schools[:NAMED]) + (f"等 {len(schools)} 所学校" if len(schools) > NAMED else "")
    day = due_on(season)
    return UrgingMessage(
        f"催办：{season} 届毕业班和毕业学生数还没有上报",
        f"{named}还没有上报 {season} 届毕业班数、毕业学生数（全省的表应于 {dates.short(day)}前报出）。"
        "请在“衔接率”的“毕业生统计”中填写，没有毕业班的填 0。",
    )
