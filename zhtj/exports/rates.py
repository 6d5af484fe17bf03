"""The pages of the rates as files: each is its title, its columns and the rows its page shows (PD-25).

To offer another one, add a ``view`` here and how its address is read to ``zhtj/web/desks/rates/offered.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from zhtj.exports.lists import Column, ExportList
from zhtj.exports.transfers import APPLICATION
from zhtj.exports.words import day, last_day, moment
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission, check
from zhtj.kernel.sql.listing import Listing, ReadyListing
from zhtj.orgs.models import Organisation, Tier
from zhtj.rates import drill_down, organisation_moves, queries
from zhtj.rates.drawing import season_progress
from zhtj.rates.drawing.season_progress import ProgressDay
from zhtj.rates.drill_down import ListedGraduate
from zhtj.rates.queries import Child
from zhtj.rates.reports import notice, receiving, stuck
from zhtj.rates.reports.notice import RankingChoice
from zhtj.rates.reports.ranking import MINIMUM, RankedOrganisation, RankingLevel
from zhtj.rates.reports.receiving import Figure, Received, ReceivedFilters
from zhtj.rates.reports.stuck import Direction, Sort, StuckFilters
from zhtj.rates.reports.targets import Target
from zhtj.rates.rules import Rate, RateKind
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground

EVERYBODY = "graduates"
Rows = Callable[[Organisation, Any], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class ViewFilters:
    """Whose figures, of which season, at the end of which day; None: now."""

    SAID: ClassVar[Mapping[str, Callable[[str], str]]] = {
        "figure": drill_down.title,
        "rate": lambda rate: RateKind(rate).label,
        "every_day": lambda _: "是",
        "whom": lambda level: RankingLevel(level).label,
        "side": lambda side: Direction(side).label,
        "tier": lambda tier: stuck.TIERS[Tier(tier)],
        "sort": lambda sort: Sort(sort).label,
        "kind": lambda kind: Figure(kind).label,
        "ground": lambda ground: Ground(ground).label,
        "own": lambda _: "只列本级",
    }
    org_id: int
    season: int
    day: date | None = None


@dataclass(frozen=True, slots=True)
class PeopleFilters(ViewFilters):
    """Which figure's people.

    Args:
        figure: key of the figure; "": all graduates.
        text: start of the name, or a whole student number.
        left: id of an organisation that moved away: those it left here.
    """

    figure: str = ""
    text: str = ""
    left: int | None = None


@dataclass(frozen=True, slots=True)
class CurveFilters(ViewFilters):
    """Which rate's curve, by default 学社衔接率; every day, or as the page shows it one a week."""

    rate: RateKind | None = None
    every_day: bool = False


@dataclass(frozen=True, slots=True)
class RankingFilters(CurveFilters):
    """What is ranked: see ``notice.RankingChoice``; ``target``: per cent as it was typed in to try it."""

    whom: RankingLevel = RankingLevel.CHILDREN
    minimum: int = MINIMUM
    target: str = ""


@dataclass(frozen=True, slots=True)
class StuckViewFilters(ViewFilters):
    """What stands still: see ``stuck.StuckFilters``; ``office``: id of the one whose applications are listed."""

    side: Direction | None = None
    tier: Tier | None = None
    sort: Sort = Sort.OLDEST
    office: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedViewFilters(ViewFilters):
    """Which applications of the receivers' side: see ``receiving.ReceivedFilters``."""

    kind: Figure = Figure.WAITING
    ground: Ground | None = None
    own: bool = False


def place(seat: ActiveSeat, chosen: ViewFilters) -> Organisation:
    """The organisation that is asked about. Raises NotFound where the seat sees nothing (any more)."""
    found = session.get_one(Organisation, chosen.org_id)
    check(seat, Permission.RATES, found.path)
    return found


def view(key: str, title: str, filters: type, rows: Rows, columns: tuple[Column, ...]) -> ExportList:
    """A page of the desk as a file.

    Args:
        key: stands in the address.
        title: names the file and the sheet.
        filters: ``ViewFilters``, or one with more.
        rows: those of the page, given the organisation and the filters.
        columns: in order.
    """

    def listing(seat: ActiveSeat, chosen: Any) -> ReadyListing[Any]:
        return ReadyListing(list(rows(place(seat, chosen), chosen)))

    return ExportList(key, title, Permission.RATES, filters, listing, columns)


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
class ExportedGraduate:
    """A line of a list, and whether its file may name him and his student number."""

    line: ListedGraduate
    is_named: bool
    is_own: bool


def _asked(seat: ActiveSeat, chosen: PeopleFilters) -> drill_down.ListQuery:
    organisation = place(seat, chosen)
    where: queries.Place = (
        organisation_moves.place_left(organisation, chosen.left)[1] if chosen.left else organisation.path
    )
    return drill_down.ListQuery(where, chosen.season, chosen.figure or EVERYBODY, chosen.day, chosen.text)


def _people(seat: ActiveSeat, chosen: PeopleFilters) -> Listing[ExportedGraduate]:
    return drill_down.listing(_asked(seat, chosen)).dressed(lambda lines: [_person(seat, line) for line in lines])


def _person(seat: ActiveSeat, line: ListedGraduate) -> ExportedGraduate:
    is_own, application = not line.from_outside, line.application
    comes = application is not None and any(
        path.startswith(seat.path) for path in (application.from_path, application.to_path)
    )
    return ExportedGraduate(line, is_own or comes, is_own)


def _name(one: ExportedGraduate) -> str:
    name: str = one.line.row.member.name
    return name if one.is_named else name[0] + "*" * (len(name) - 1)


PEOPLE = ExportList(
    "rates-people",
    "指标名单",
    Permission.RATES,
    PeopleFilters,
    _people,
    (
        Column("姓名", _name),
        Column("学号", lambda one: one.line.row.member.student_no if one.is_own else ""),
        Column("毕业团支部", lambda one: one.line.row.origin.full_name if one.line.row.origin else "外部系统"),
        Column("从外地区转入", lambda one: "" if one.is_own else "是"),
        Column("类别", lambda one: one.line.category.label if one.line.category else "未登记"),
        Column("进度", lambda one: one.line.step),
        Column("转入组织", lambda one: one.line.application.to_name if one.line.application else ""),
        Column(
            "由谁办理",
            lambda one: (one.line.holder.office or one.line.holder).short_name if one.line.holder else "",
        ),
        Column("为什么这样计", lambda one: "；".join(map(str, one.line.reasons))),
    ),
)

# ---- 进度曲线: what is drawn


def _days(organisation: Organisation, chosen: CurveFilters) -> Sequence[ProgressDay]:
    return season_progress.of(
        organisation, chosen.season, chosen.rate or RateKind.SOCIETY, chosen.day, every_day=chosen.every_day
    ).rows


CURVE = view(
    "rates-curve",
    "进度曲线数据",
    CurveFilters,
    _days,
    (
        Column("日期", lambda row: day(row.day)),
        Column("已完成", lambda row: str(row.rate.numerator) if row.rate else ""),
        Column("应计入", lambda row: str(row.rate.denominator) if row.rate else ""),
        Column("本届", lambda row: str(row.rate or "")),
        Column("上届同日", lambda row: str(row.before or "")),
        Column("预测", lambda row: f"{row.expected.middle}%" if row.expected else ""),
        Column("区间下限", lambda row: f"{row.expected.low}%" if row.expected else ""),
        Column("区间上限", lambda row: f"{row.expected.high}%" if row.expected else ""),
        Column("截止事项", lambda row: row.deadline),
    ),
)

# ---- 实时通报, 地区图


def _places(organisation: Organisation, chosen: RankingFilters) -> notice.Ranked:
    target = Target(Decimal(chosen.target)) if chosen.target else None
    choice = RankingChoice(chosen.rate or RateKind.SOCIETY, chosen.whom, chosen.minimum, target)
    return notice.ranked(organisation, chosen.season, chosen.day, choice)


def _climbed(place: RankedOrganisation) -> str:
    return f"{place.climbed:+}" if place.climbed else ""


RANKING = view(
    "rates-ranking",
    "实时通报",
    RankingFilters,
    _places,
    (
        Column("名次", lambda line: str(line[0].rank or "")),
        Column("组织编码", lambda line: line[0].entry.organisation.code),
        Column("组织全称", lambda line: line[0].entry.organisation.full_name),
        Column("分子", lambda line: str(line[0].entry.rate.numerator)),
        Column("分母", lambda line: str(line[0].entry.rate.denominator)),
        Column("比率", lambda line: str(line[0].entry.rate)),
        Column("比一周前（百分点）", lambda line: "" if line[0].change is None else f"{line[0].change:+}"),
        Column("名次升降", lambda line: _climbed(line[0])),
        Column("目标", lambda line: str(line[1] or "")),
        Column("还差人数", lambda line: str(line[0].entry.rate.missing(line[1].percent)) if line[1] else ""),
    ),
)


def _parts(organisation: Organisation, chosen: CurveFilters) -> list[tuple[Organisation, Rate]]:
    """Children that anybody counts in, the largest first, as the map draws them."""
    kind = chosen.rate or RateKind.SOCIETY
    children = [] if organisation.is_branch else queries.by_child(organisation, chosen.season, chosen.day)
    found = [(child.organisation, kind.of(child.figures)) for child in children]
    return sorted((pair for pair in found if pair[1].denominator), key=lambda pair: -pair[1].denominator)


MAP = view(
    "rates-map",
    "地区图数据",
    CurveFilters,
    _parts,
    (
        Column("组织编码", lambda pair: pair[0].code),
        Column("组织全称", lambda pair: pair[0].full_name),
        Column("分子", lambda pair: str(pair[1].numerator)),
        Column("分母", lambda pair: str(pair[1].denominator)),
        Column("比率", lambda pair: str(pair[1])),
    ),
)

# ---- 滞留: offices with what lies there, and the applications


def _stuck(organisation: Organisation, chosen: StuckViewFilters) -> StuckFilters:
    return StuckFilters(organisation.path, chosen.season, chosen.side, chosen.tier, chosen.sort)


STUCK = ExportList(
    "rates-stuck",
    "滞留情况",
    Permission.RATES,
    StuckViewFilters,
    lambda seat, chosen: stuck.heaps(_stuck(place(seat, chosen), chosen)),
    (
        Column("组织编码", lambda heap: heap.office.code),
        Column("由谁办理", lambda heap: heap.office.full_name),
        Column("件数", lambda heap: str(heap.number)),
        Column("等得最久（天）", lambda heap: str(stuck.waited(heap.oldest))),
        Column("最早到期", lambda heap: last_day(heap.first_due)),
        Column("电话", lambda heap: heap.phone),
        Column(
            "今天催办", lambda heap: f"{heap.urged.by_org.short_name} {moment(heap.urged.at)}" if heap.urged else ""
        ),
    ),
)


STUCK_APPLICATIONS = ExportList(
    "rates-stuck-list",
    "等待办理的申请",
    Permission.RATES,
    StuckViewFilters,
    lambda seat, chosen: stuck.listing(_stuck(place(seat, chosen), chosen), chosen.office),
    APPLICATION,
)

# ---- 接收情况


def _received(organisation: Organisation, chosen: ViewFilters) -> list[Received]:
    lines, whole = receiving.by_child(organisation, chosen.season)
    return [*lines, whole]


def _figure(figure: Figure) -> Column:
    return Column(figure.label, lambda line: str(line.figures[figure]))


def _ground(ground: Ground) -> Column:
    return Column(ground.label, lambda line: str(line.grounds[ground]), Figure.REFUSED.label + "的理由")


RECEIVING = view(
    "rates-receiving",
    "接收情况",
    ViewFilters,
    _received,
    (
        *_ORGANISATION,
        *(_figure(figure) for figure in Figure),
        Column("等待天数中位数", lambda line: "" if line.median is None else f"{line.median:g}"),
        *(_ground(ground) for ground in Ground),
    ),
)


def _of_figure(seat: ActiveSeat, chosen: ReceivedViewFilters) -> Listing[Application]:
    path = place(seat, chosen).path
    return receiving.listing(ReceivedFilters(path, chosen.season, chosen.kind, chosen.ground, own=chosen.own))


RECEIVED_APPLICATIONS = ExportList(
    "rates-receiving-list",
    "接收情况中的申请",
    Permission.RATES,
    ReceivedViewFilters,
    _of_figure,
    APPLICATION,
)

LISTS: tuple[ExportList, ...] = (
    CHILDREN,
    PEOPLE,
    RANKING,
    CURVE,
    MAP,
    STUCK,
    STUCK_APPLICATIONS,
    RECEIVING,
    RECEIVED_APPLICATIONS,
)
