"""The curve of a season as a drawing: scales, ticks and lines of one SVG that a template draws. Pure.

Drawn here because no charting library serves: pygal, the best kept that writes SVG by itself, puts a stylesheet and a
script into every drawing, which our Content-Security-Policy forbids, and knows neither bands nor dated lines;
matplotlib draws letters as outlines, plotly and Vega need a browser's engine; none takes its colours from the page.

Every mark carries attributes of its own, so that it prints without the stylesheet, and a class, by which the stylesheet
colours it on the screen. Series differ by dashes and weight, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from zhtj.kernel import dates

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
_TOPS = (10, 20, 50, 100)
"""Where the axis of per cents may end, each with five lines."""
_LINES = 5
_GAP = 4  # between two labels in one row

Points = Sequence[tuple[date, Decimal | None]]


@dataclass(frozen=True, slots=True)
class Look:
    """How a series is told from the others without colour.

    Args:
        dashes: lengths of line and gap; "" for a full line.
        weight: of the line.
        grey: its colour on paper.
    """

    dashes: str
    weight: float
    grey: str


LOOKS = {
    "now": Look("", 2.8, "#111"),
    "before": Look("8 4", 1.6, "#666"),
    "forecast": Look("1.5 4.5", 2.4, "#111"),
    "target": Look("14 3 2 3", 1.4, "#333"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """数据系列: a line of the curve; ``key`` is one of ``LOOKS``, a point without value is a gap."""

    key: str
    label: str
    points: Points


@dataclass(frozen=True, slots=True)
class CurveDeadline:
    """截止日: a day of the season by which something is done, and what."""

    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """进度曲线: what is drawn.

    Args:
        title, description: for whoever cannot see it.
        first, last: days at the ends of the axis.
        series: lines, in per cent.
        band: (day, low, high), in per cent.
        deadlines: lines across.
        target: per cent.
    """

    title: str
    description: str
    first: date
    last: date
    series: Sequence[Series]
    band: Sequence[tuple[date, Decimal, Decimal]] = ()
    deadlines: Sequence[CurveDeadline] = ()
    target: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CurveSize:
    """Width and height of a drawing, the size of its letters, and the margins inside which lines are drawn."""

    name: str
    width: int
    height: int
    letter: int
    left: int = 42
    right: int = 16
    top: int = 42
    bottom: int = 56
    legend: int = 5
    """Entries in a row of the legend."""


WIDE = CurveSize("wide", 760, 360, 13)
NARROW = CurveSize("narrow", 300, 320, 12, left=38, right=10, bottom=76, legend=2)


@dataclass(frozen=True, slots=True)
class Label:
    """Text at a place; ``x`` is its middle."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class DrawnSeries:
    """A drawn series: its path, its look, and the point it ends in."""

    key: str
    look: Look
    path: str
    end: tuple[float, float] | None

    @property
    def is_marked(self) -> bool:
        """Whether a dot stands at its end: the season before has run its course."""
        return self.end is not None and self.key != "before"

    @property
    def dot(self) -> str:
        """What fills the dot: full for what is counted, hollow for what is forecast."""
        return self.look.grey if self.key == "now" else "#fff"


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """An entry of the legend; without a look it is the band."""

    x: float
    y: float
    text: str
    key: str
    look: Look | None


@dataclass(slots=True)
class Drawing:
    """A curve laid out in one size: what the template draws."""

    curve: Curve
    size: CurveSize
    top: int = field(init=False)

    def __post_init__(self) -> None:
        self.top = axis_top(self._values())

    def x(self, day: date) -> float:
        """Across, of a day."""
        days = max(1, (self.curve.last - self.curve.first).days)
        inside = self.size.width - self.size.left - self.size.right
        return round(self.size.left + inside * (day - self.curve.first).days / days, 1)

    def y(self, value: Decimal | float) -> float:
        """Down, of per cents."""
        inside = self.size.height - self.size.top - self.size.bottom
        return round(self.size.top + inside * (1 - float(value) / self.top), 1)

    @property
    def looks(self) -> dict[str, Look]:
        """How each series looks."""
        return LOOKS

    @property
    def ground(self) -> float:
        """Height of the axis of days."""
        return self.y(0)

    @property
    def edge(self) -> int:
        """Right end of the lines."""
        return self.size.width - self.size.right

    @property
    def levels(self) -> list[Label]:
        """Per cents at the left."""
        values = [self.top * step // _LINES for step in range(_LINES + 1)]
        return [Label(self.size.left - 6, self.y(value), f"{value}%") for value in values]

    @property
    def months(self) -> list[Label]:
        """First days of months, as many as fit."""
        days = list(_firsts_of_months(self.curve.first, self.curve.last))
        room = wide("12月", self.size.letter) + 2 * _GAP
        every = next((n for n in (1, 2, 3) if self._apart(days, n) >= room), 4)
        return [Label(self.x(day), self.ground + self.size.letter + 5, f"{day.month}月") for day in days[::every]]

    @property
    def deadlines(self) -> list[Label]:
        """Dates above their lines, in two rows where they are close."""
        ends = [0.0, 0.0]
        found = []
        for each in sorted(self.curve.deadlines, key=lambda each: each.day):
            text = dates.short(each.day)
            half = wide(text, self.size.letter) / 2
            middle = min(max(self.x(each.day), half), self.size.width - half)
            row = 0 if middle - half >= ends[0] or ends[0] <= ends[1] else 1
            ends[row] = middle + half + _GAP
            found.append(Label(middle, self.size.top - 8 - row * (self.size.letter + 3), text))
        return found

    @property
    def lines(self) -> list[DrawnSeries]:
        """The series, those beneath first."""
        return [self._line(each) for each in sorted(self.curve.series, key=lambda each: each.key != "before")]

    @property
    def band(self) -> str:
        """Path around the band; "" without one."""
        if not self.curve.band:
            return ""
        upper = [f"{self.x(day)},{self.y(high)}" for day, _, high in self.curve.band]
        lower = [f"{self.x(day)},{self.y(low)}" for day, low, _ in reversed(self.curve.band)]
        return f"M{' '.join([*upper, *lower])}Z"

    @property
    def legend(self) -> list[LegendEntry]:
        """What the lines mean, below."""
        named: list[tuple[str, str]] = [(each.key, each.label) for each in self.curve.series]
        if self.curve.band:
            named.append(("band", "80% 区间"))
        if self.curve.target is not None:
            named.append(("target", f"目标 {self.curve.target.normalize():f}%"))
        step = (self.size.width - 16) / self.size.legend
        top = self.ground + 2 * self.size.letter + 16
        return [
            LegendEntry(
                round(8 + step * (number % self.size.legend), 1),
                top + number // self.size.legend * (self.size.letter + 7),
                label,
                key,
                LOOKS.get(key),
            )
            for number, (key, label) in enumerate(named)
        ]

    def _line(self, series: Series) -> DrawnSeries:
        runs = list(_runs(series.points))
        parts = []
        for run in runs:
            places = [f"{self.x(day)},{self.y(value)}" for day, value in run]
            parts.append(f"M{' '.join(places)}" + ("h0" if len(run) == 1 else ""))
        end = (self.x(runs[-1][-1][0]), self.y(runs[-1][-1][1])) if runs else None
        return DrawnSeries(series.key, LOOKS[series.key], "".join(parts), end)

    def _values(self) -> Iterator[Decimal]:
        yield from (value for each in self.curve.series for _, value in each.points if value is not None)
        yield from (high for _, _, high in self.curve.band)
        if self.curve.target is not None:
            yield self.curve.target

    def _apart(self, days: Sequence[date], every: int) -> float:
        chosen = [self.x(day) for day in days[::every]]
        return min((after - before for before, after in pairwise(chosen)), default=self.size.width)


def wide(text: str, letter: int) -> float:
    """About how wide a text is in letters of that size: figures take little more than half a character."""
    return sum(letter * (0.6 if each.isascii() else 1) for each in text)


def axis_top(values: Iterable[Decimal]) -> int:
    """Where the axis ends: 100 unless all values are far below."""
    most = max(values, default=Decimal(100))
    return next((top for top in _TOPS if most <= top), _TOPS[-1])


def _firsts_of_months(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        if day.day == 1:
            yield day
        day += timedelta(days=1)


def _runs(points: Points) -> Iterator[list[tuple[date, Decimal]]]:
    """Points that hang together: a day without value ends a line."""
    run: list[tuple[date, Decimal]] = []
    for day, value in points:
        if value is not None:
            run.append((day, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


@cache
def drawing_template(name: str) -> Template:
    """A template that draws: the same for a page and for paper, so that it knows no request."""
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(name)


def svg(curve: Curve, size: CurveSize = WIDE, *, name: str = "curve", font: str = "") -> Markup:
    """The curve as SVG markup that needs nothing around it: on a page, or in a document that is printed.

    Args:
        curve: what to draw.
        size: of the drawing; it scales with the room it is given.
        name: what its ids begin with, where a page has several.
        font: family of its letters; "" for that of the page.
    """
    drawing = Drawing(curve, size)
    template = drawing_template("rates/_fragments/_curve_chart.html")
    return Markup(template.render(drawing=drawing, curve=curve, size=size, name=name, font=font))  # noqa: S704 - escaped there
