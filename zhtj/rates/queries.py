"""Figures of an organisation, of its children, on any day, and the people behind each (PD-24, PD-25).

An organisation that has moved keeps what was counted under its former superiors; those keep it too (PD-07, PD-08).
All reads go to the replica where there is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from zhtj.graduation.models import GraduateCategory
from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import subtree
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.changing.moving import all_moves, former_paths, moves_around, path_today
from zhtj.orgs.models import SEGMENT, Organisation
from zhtj.rates.counting import keeping
from zhtj.rates.counting.counters import counted_anew, holds, kept
from zhtj.rates.models import RateDay, Standing
from zhtj.rates.rules import FIGURES, Figures, RateKind, total


@dataclass(frozen=True, slots=True)
class Child:
    """One line of the table of children.

    Args:
        organisation: which.
        figures: its own, as on its own page.
        moved_in: it came under this superior in the season; part of its figures counts under another one.
        moved_out: it stands elsewhere today; what it has here counts here.
    """

    organisation: Organisation
    figures: Figures
    moved_in: bool = False
    moved_out: bool = False


def check_day(season: int, day: date | None) -> date | None:
    """The day as the queries want it: None for now, and for a season that is over its last state.

    Raises:
        DomainError: a day to come, or one before the season.
    """
    if day is not None and day > clock.today():
        raise DomainError("不能查询未来的日期。", fix="请选择今天或今天以前的一天。", field="day", rule="PD-25")
    if day is None or day == clock.today() or day >= date(season, 12, 31):
        return None
    if day.year < season:
        raise DomainError(f"{season} 届从 {season} 年开始统计。", fix="请选择本届的日期。", field="day", rule="PD-25")
    return day


def seasons() -> list[int]:
    """Seasons from the first that has figures to the last, newest first."""
    known = reports().info
    if "seasons" not in known:
        ends = (select(end(Standing.season)).scalar_subquery() for end in (func.min, func.max))
        known["seasons"] = reports().execute(select(*ends)).one()
    first, last = known["seasons"]
    return [] if first is None or last is None else list(range(last, first - 1, -1))


def area(path: str) -> list[str]:
    """Where everything of the organisation at ``path`` is found: there, and where it stood before."""
    return [path, *former_paths(path)]


def figures(path: str, season: int, day: date | None = None) -> Figures:
    """The figures of the organisation at ``path`` (PD-24).

    Args:
        path: where it stands today.
        season: year.
        day: at the end of which; None: now. See ``check_day``.
    """
    paths = area(path)
    if day is not None and len(paths) == 1:
        row = reports().get(RateDay, (season, path, day))
        if row is not None:
            return figures_of(row)
    found = total(total(_parts(season, day, each).values()) for each in paths)
    return found + -_crossing(season, day, [paths]).get(path, Figures())


def by_child(organisation: Organisation, season: int, day: date | None = None) -> list[Child]:
    """Its direct children with their figures, in the order of the tree; those that have moved away come last."""
    return with_children(organisation, season, day)[1]


def with_children(organisation: Organisation, season: int, day: date | None = None) -> tuple[Figures, list[Child]]:
    """Its own figures, and ``by_child``; read in one go, as long as nothing moved around here."""
    below = select(Organisation).where(Organisation.parent_id == organisation.id).order_by(Organisation.path)
    children = [] if organisation.is_branch else list(reports().scalars(below))
    if not moves_around(organisation.path):
        kept_then = _kept_then(organisation, children, season, day) if day is not None else None
        if kept_then is not None:
            return kept_then
        parts = _parts(season, day, organisation.path)
        return total(parts.values()), [Child(each, parts.get(each.path, Figures())) for each in children]
    here: dict[str, Figures] = {}
    for place in area(organisation.path):
        here |= {path: part for path, part in _parts(season, day, place).items() if path != place and part}
    lines = [*_present(children, here, season, day), *_moved_out(children, here)]
    return figures(organisation.path, season, day), lines


def _kept_then(
    organisation: Organisation, children: Sequence[Organisation], season: int, day: date
) -> tuple[Figures, list[Child]] | None:
    """The same for a leading organ at the end of a day that was kept; only what is no leading organ is counted."""
    if not organisation.is_leading:
        return None
    leading = [each.path for each in children if each.is_leading]
    centre = organisation.path[:SEGMENT]
    then = (RateDay.season == season, RateDay.day == day, RateDay.path.in_([centre, organisation.path, *leading]))
    found = {row.path: figures_of(row) for row in reports().scalars(select(RateDay).where(*then))}
    if centre not in found:
        return None
    others = [each.path for each in children if not each.is_leading]
    if others:
        query = counted_anew(season, day, others, len(organisation.path) + SEGMENT)
        found |= {row.path: figures_of(row) for row in reports().execute(query)}
    return (
        found.get(organisation.path, Figures()),
        [Child(each, found.get(each.path, Figures())) for each in children],
    )


def figures_of(row: Any) -> Figures:
    """The figures in a row that has a column for each."""
    return Figures(*(int(getattr(row, name)) for name in FIGURES))


def _present(
    children: Sequence[Organisation], here: Mapping[str, Figures], season: int, day: date | None
) -> list[Child]:
    areas = {each.id: area(each.path) for each in children}
    crossing = _crossing(season, day, areas.values())
    found = []
    for each in children:
        figures = elsewhere = Figures()
        for path in areas[each.id]:
            if path in here:
                figures += here[path]
            elif path != each.path:
                elsewhere += total(_parts(season, day, path).values())
        found.append(Child(each, figures + elsewhere + -crossing.get(each.path, Figures()), bool(elsewhere)))
    return found


def _moved_out(children: Sequence[Organisation], here: Mapping[str, Figures]) -> list[Child]:
    """Lines of those that stood here in the season and stand elsewhere today."""
    moves, present = all_moves(), {each.path for each in children}
    left: dict[str, Figures] = defaultdict(Figures)
    for path, figures in here.items():
        left[path_today(path, moves)] += figures
    query = select(Organisation).where(Organisation.path.in_(left.keys() - present)).order_by(Organisation.path)
    return [Child(one, left[one.path], moved_out=True) for one in reports().scalars(query)]


def _parts(season: int, day: date | None, root: str) -> dict[str, Figures]:
    """What is counted at ``root`` itself and below each of its children, by path."""
    keeping.settle()
    depth = len(root) + SEGMENT
    query = kept(season, root, depth) if day is None else counted_anew(season, day, [root], depth)
    return {row.path: figures_of(row) for row in reports().execute(query)}


def _crossing(season: int, day: date | None, areas: Iterable[Sequence[str]]) -> dict[str, Figures]:
    """What organisations that stand in several places got from one of them into another: no one from outside."""
    several = [paths for paths in areas if len(paths) > 1]
    if not several:
        return {}
    found: dict[str, Figures] = defaultdict(Figures)
    origins = or_(*(subtree(Standing.season_path, path) for paths in several for path in paths))
    query = select(Standing).where(Standing.season == season, holds(day), Standing.to_path.is_not(None), origins)
    for each in reports().scalars(query):
        for paths in several:
            begins = next((path for path in paths if each.season_path.startswith(path)), None)
            ends = next((path for path in paths if (each.to_path or "").startswith(path)), None)
            if begins and ends and begins != ends:
                found[paths[0]] += keeping.counted(each).incoming()
    return found


# What can be asked for as a list of people: a figure, or several together.
SETS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in FIGURES},
    "graduates": ("further_study", "society"),
    "done": ("further_study_done", "society_done"),
    "everyone": ("further_study", "society", "incoming_study", "incoming_society"),
}
LABELS: Mapping[str, str] = {
    "further_study": "本地区升学毕业生",
    "further_study_done": "本地区升学毕业生中已完成的",
    "society": "本地区流向社会毕业生",
    "society_done": "本地区流向社会毕业生中已完成的",
    "unregistered": "未登记去向的毕业生",
    "to_unit": "转往工作单位团组织的毕业生",
    "initiated": "已发起转出的毕业生",
    "incoming_study": "从外地区申请转入的升学毕业生",
    "incoming_study_done": "从外地区转入并已完成的升学毕业生",
    "incoming_society": "从外地区申请转入的流向社会毕业生",
    "incoming_society_done": "从外地区转入并已完成的流向社会毕业生",
    "graduates": "全部毕业生团员",
    "done": "已完成转出的毕业生",
    "everyone": "计入的全部人员",
}
PARTS = ("numerator", "denominator", "missing")


def asked_for(key: str) -> str:
    """What the people of a key are, in words: a key of ``SETS``, or a rate with numerator, denominator or missing.

    Raises:
        DomainError: there is no such list.
    """
    if key in LABELS:
        return LABELS[key]
    kind, part = _rate_and_part(key)
    words = {"numerator": "计入分子的人员", "denominator": "计入分母的人员", "missing": "没有计入分子的人员"}
    return f"{kind.label}：{words[part]}"


def rate_of(key: str) -> RateKind | None:
    """The rate a list is about; None: each person's own, 升学衔接率 or 学社衔接率."""
    return _ABOUT.get(key) if key in SETS else _rate_and_part(key)[0]


_ABOUT: Mapping[str, RateKind] = {
    "to_unit": RateKind.UNIT,
    "initiated": RateKind.INITIATED,
    "graduates": RateKind.DONE,
    "done": RateKind.DONE,
}


def _rate_and_part(key: str) -> tuple[RateKind, str]:
    name, _, part = key.rpartition(".")
    if name not in set(RateKind) or part not in PARTS:
        raise DomainError("没有这个名单。", fix="请从指标页面点击数字进入。")
    return RateKind(name), part


_OF_RATE: Mapping[RateKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    RateKind.FURTHER_STUDY: (("further_study_done", "incoming_study_done"), ("further_study", "incoming_study")),
    RateKind.SOCIETY: (("society_done", "incoming_society_done"), ("society", "incoming_society")),
    RateKind.UNIT: (("to_unit",), ("society",)),
    RateKind.INITIATED: (("initiated",), ("further_study", "society")),
    RateKind.DONE: (("further_study_done", "society_done"), ("further_study", "society")),
}


# Of an organisation: its path today; or exactly the places whose paths are named.
Place = str | tuple[str, ...]


def behind(path: Place, season: int, key: str, day: date | None = None) -> Select[Standing]:
    """The standings that a figure counts; as many as the figure says (PD-25).

    Args:
        path: of the organisation, where it stands today; of one that moved away, the place it left.
        key: of ``SETS``, or ``<rate>.numerator``, ``<rate>.denominator``, ``<rate>.missing``.
        season: year.
        day: at the end of which; None: now.

    Raises:
        DomainError: there is no such list.
    """
    if key in SETS:
        chosen = _any(SETS[key], path)
    else:
        kind, part = _rate_and_part(key)
        numerator, denominator = _OF_RATE[kind]
        chosen = _any(numerator if part == "numerator" else denominator, path)
        if part == "missing":
            chosen = and_(chosen, ~_any(numerator, path))
    # PD-25: the very condition that the figure counts.
    return select(Standing).where(Standing.season == season, holds(day), chosen)


def _any(names: Iterable[str], path: Place) -> ColumnElement[bool]:
    return or_(*(_condition(name, path) for name in names))


def _condition(name: str, path: Place) -> ColumnElement[bool]:
    """SQL over Standing: one field of ``Figures`` counts him for the organisation at ``path``."""
    own = inside(Standing.season_path, path)
    coming = and_(Standing.to_path.is_not(None), inside(Standing.to_path, path), ~own)
    study: Any = Standing.category.is_not_distinct_from(GraduateCategory.FURTHER_STUDY)
    conditions: dict[str, ColumnElement[bool]] = {
        "further_study": and_(own, study),
        "further_study_done": and_(own, study, Standing.done),
        "society": and_(own, ~study),
        "society_done": and_(own, ~study, Standing.done),
        "unregistered": and_(own, Standing.category.is_(None)),
        "to_unit": and_(own, ~study, Standing.to_unit),
        "initiated": and_(own, Standing.initiated),
        "incoming_study": and_(coming, study),
        "incoming_study_done": and_(coming, study, Standing.done),
        "incoming_society": and_(coming, ~study),
        "incoming_society_done": and_(coming, ~study, Standing.done),
    }
    return conditions[name]


def inside(column: Any, path: Place) -> ColumnElement[bool]:
    """SQL over a path: it lies in everything that is the organisation's, or in exactly these places."""
    return or_(*(subtree(column, each) for each in (area(path) if isinstance(path, str) else path)))
