"""The pages of the rates as files: each is its title, its columns and the rows its page shows (PD-25).

To offer another one, add a ``view`` here and how its address is read to ``zhtj/web/desks/rates/offered.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from zhtj.exports.lists import WORDS, Column, ExportList, in_chunks
from zhtj.kernel import paging
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission, check
from zhtj.orgs.models import Organisation
from zhtj.rates import moves, queries
from zhtj.rates import people as listed
from zhtj.rates.people import Line
from zhtj.rates.queries import Child
from zhtj.rates.rules import RateKind

Rows = Callable[[Organisation, Any], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class ViewFilters:
    """Whose figures, of which season, at the end of which day; None: now."""

    org_id: int
    season: int
    day: date | None = None


@dataclass(frozen=True, slots=True)
class PeopleFilters(ViewFilters):
    """Which figure's people.

    Args:
        figure: key of the figure.
        text: start of the name, or a whole student number.
        left: id of an organisation that moved away: those it left here.
    """

    figure: str = ""
    text: str = ""
    left: int | None = None


def place(seat: ActiveSeat, chosen: ViewFilters) -> Organisation:
    """The organisation that is asked about. Raises NotFound where the seat sees nothing (any more)."""
    found = session.get_one(Organisation, chosen.org_id)
    check(seat, Permission.RATES, found.path)
    return found


def view(key: str, title: str, filters: type, rows: Rows, columns: Sequence[Column]) -> ExportList:
    """A page of the desk as a file.

    Args:
        key: stands in the address.
        title: names the file and the sheet.
        filters: ``ViewFilters``, or one with more.
        rows: those of the page, given the organisation and the filters.
        columns: in order.
    """

    def chunks(seat: ActiveSeat, chosen: Any) -> Iterator[Sequence[Any]]:
        yield from in_chunks(rows(place(seat, chosen), chosen))

    def count(seat: ActiveSeat, chosen: Any) -> int:
        return sum(1 for _ in rows(place(seat, chosen), chosen))

    return ExportList(key, title, Permission.RATES, filters, chunks, count, tuple(columns))


# ---- 指标: the children, and the organisation itself at the end


def _children(organisation: Organisation, chosen: ViewFilters) -> Iterator[Child]:
    if not organisation.is_branch:
        found = queries.by_child(organisation, chosen.season, chosen.day)
        yield from (child for child in found if child.figures)
    yield Child(organisation, queries.figures(organisation.path, chosen.season, chosen.day))


def _remark(child: Child) -> str:
    words = {"划入": child.moved_in, "已划出": child.moved_out, "已停用": child.organisation.closed_at is not None}
    return "、".join(word for word, holds in words.items() if holds)


def _rate(kind: RateKind) -> tuple[Column, ...]:
    """Numerator, denominator and rate under one heading."""
    return (
        Column("分子", lambda child: str(kind.of(child.figures).numerator), kind.label),
        Column("分母", lambda child: str(kind.of(child.figures).denominator), kind.label),
        Column("比率", lambda child: str(kind.of(child.figures)), kind.label),
    )


_ORGANISATION = (
    Column("组织编码", lambda line: line.organisation.code),
    Column("组织全称", lambda line: line.organisation.full_name),
)
CHILDREN = view(
    "rates",
    "五项指标",
    ViewFilters,
    _children,
    (
        *_ORGANISATION,
        *(column for kind in RateKind for column in _rate(kind)),
        Column("毕业生", lambda child: str(child.figures.graduates)),
        Column("未登记去向", lambda child: str(child.figures.unregistered)),
        Column("备注", _remark),
    ),
)

# ---- 名单: the people behind a figure


@dataclass(frozen=True, slots=True)
class Person:
    """A line of a list, and whether its file may name him and his student number."""

    line: Line
    is_named: bool
    is_own: bool


def _asked(seat: ActiveSeat, chosen: PeopleFilters) -> listed.Asked:
    organisation = place(seat, chosen)
    where: queries.Place = moves.place_left(organisation, chosen.left)[1] if chosen.left else organisation.path
    return listed.Asked(where, chosen.season, chosen.figure, chosen.day, chosen.text)


def _people(seat: ActiveSeat, chosen: PeopleFilters) -> Iterator[Sequence[Person]]:
    asked = _asked(seat, chosen)
    for lines in paging.walk(lambda after="": listed.listing(asked, after=after)):
        yield [_person(seat, line) for line in lines]


def _person(seat: ActiveSeat, line: Line) -> Person:
    is_own, application = not line.from_outside, line.application
    comes = application is not None and any(
        path.startswith(seat.path) for path in (application.from_path, application.to_path)
    )
    return Person(line, is_own or comes, is_own)


def _name(one: Person) -> str:
    name: str = one.line.row.member.name
    return name if one.is_named else name[0] + "*" * (len(name) - 1)


def _step(line: Line) -> str:
    if line.is_done:
        return "已完成"
    if line.state is not None:
        return line.state.label
    return "未发起" if line.is_counted else ""


PEOPLE = ExportList(
    "rates-people",
    "指标名单",
    Permission.RATES,
    PeopleFilters,
    _people,
    lambda seat, chosen: listed.how_many(_asked(seat, chosen)),
    (
        Column("姓名", _name),
        Column("学号", lambda one: one.line.row.member.student_no if one.is_own else ""),
        Column("毕业团支部", lambda one: one.line.row.origin.full_name if one.line.row.origin else "外部系统"),
        Column("从外地区转入", lambda one: "" if one.is_own else "是"),
        Column("类别", lambda one: one.line.category.label if one.line.category else "未登记"),
        Column("进度", lambda one: _step(one.line)),
        Column("转入组织", lambda one: one.line.application.to_name if one.line.application else ""),
        Column(
            "由谁办理",
            lambda one: (one.line.holder.office or one.line.holder).short_name if one.line.holder else "",
        ),
        Column("为什么这样计", lambda one: "；".join(map(str, one.line.reasons))),
    ),
)

LISTS: tuple[ExportList, ...] = (CHILDREN, PEOPLE)
WORDS.update(figure=listed.title, season=lambda season: f"{season} 届")
