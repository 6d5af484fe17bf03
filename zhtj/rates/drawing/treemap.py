"""The tree map of an area as a drawing: parts as rectangles, sized by people and shaded by a rate. Pure.

``squarify`` lays it out; ``templates/rates/_map_chart.html`` draws it. Shades are told from each other by lightness
alone, and every rectangle says its rate in figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import squarify
from markupsafe import Markup

from zhtj.rates.drawing.charts import drawing_template, wide
from zhtj.rates.rules import Rate

MOST = 36
"""Rectangles of one drawing; the smallest parts beyond are drawn together."""
_LEAST_SHARE = 1 / 60  # of the area, so that a finger hits it; smaller parts are drawn so large
_PADDING = 5
_NAMED, _COUNTED = 2, 3  # lines it takes to say the name, and the people too


@dataclass(frozen=True, slots=True)
class Shade:
    """颜色档: rates from ``least`` per cent on; ``grey`` and ``ink`` are those of paper."""

    key: str
    least: int
    label: str
    grey: str
    ink: str = "#111"


SHADES = (
    Shade("1", 0, "不足 50%", "#fff"),
    Shade("2", 50, "50% 起", "#e2e2e2"),
    Shade("3", 70, "70% 起", "#c2c2c2"),
    Shade("4", 85, "85% 起", "#6a6a6a", "#fff"),
    Shade("5", 95, "95% 起", "#2e2e2e", "#fff"),
)


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the area: its name, its rate, and where it leads; what nobody counts in is not drawn."""

    name: str
    rate: Rate
    href: str = ""


@dataclass(frozen=True, slots=True)
class TreeMapSize:
    """A drawing's width and height, the size of its letters, and entries in a row of the legend."""

    name: str
    width: int
    height: int
    letter: int
    legend: int


WIDE = TreeMapSize("wide", 760, 440, 13, 5)
NARROW = TreeMapSize("narrow", 300, 420, 12, 3)


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle with what is written in it; ``words`` are lines that fit, and may be none."""

    part: Area
    shade: Shade
    x: float
    y: float
    width: float
    height: float
    words: tuple[str, ...]

    @property
    def said(self) -> str:
        """All of it in words, for whoever cannot see it or where no words fit."""
        return f"{self.part.name}：{self.part.rate}（{self.part.rate.numerator}/{self.part.rate.denominator}）"


@dataclass(frozen=True, slots=True)
class TreeMap:
    """地区图: title, description, and the parts of the area in any order."""

    title: str
    description: str
    parts: Sequence[Area]
    rest_href: str = ""
    """Where the parts that are drawn together lead."""

    def drawn(self) -> list[Area]:
        """The parts that are drawn, the largest first; the smallest of many as one."""
        known = sorted((part for part in self.parts if part.rate.denominator), key=lambda part: -part.rate.denominator)
        if len(known) <= MOST:
            return known
        rest = known[MOST - 1 :]
        together = Rate(sum(part.rate.numerator for part in rest), sum(part.rate.denominator for part in rest))
        return sorted(
            [*known[: MOST - 1], Area(f"其余 {len(rest)} 个", together, self.rest_href)],
            key=lambda part: -part.rate.denominator,
        )


def shade_of(rate: Rate) -> Shade:
    """The shade of a rate that has a value."""
    value = rate.value or Decimal(0)
    return [shade for shade in SHADES if value >= shade.least][-1]


def tiles(area: TreeMap, size: TreeMapSize) -> list[Tile]:
    """Its rectangles, the largest first, filling the drawing; the very small ones as large as a finger."""
    parts = area.drawn()
    if not parts:
        return []
    people = sum(part.rate.denominator for part in parts)
    sizes = [max(part.rate.denominator, people * _LEAST_SHARE) for part in parts]
    places = squarify.squarify(squarify.normalize_sizes(sizes, size.width, size.height), 0, 0, size.width, size.height)
    return [_tile(part, place, size) for part, place in zip(parts, places, strict=True)]


def _tile(part: Area, place: dict[str, float], size: TreeMapSize) -> Tile:
    x, y, across, down = (round(place[key], 1) for key in ("x", "y", "dx", "dy"))
    room, rows = across - 2 * _PADDING, int((down - 2 * _PADDING) // (size.letter + 4))
    lines = [_figure(part.rate, room, size.letter)]
    if rows >= _NAMED:
        lines.insert(0, _cut(part.name, room, size.letter))
    if rows >= _COUNTED:
        lines.append(f"{part.rate.numerator}/{part.rate.denominator} 人")
    words = tuple(line for line in lines if line and wide(line, size.letter) <= room) if rows else ()
    return Tile(part, shade_of(part.rate), x, y, across, down, words)


def _figure(rate: Rate, room: float, letter: int) -> str:
    """A rate with its decimals; where there is little room, its whole per cents, never rounded up."""
    return str(rate) if wide(str(rate), letter) <= room else f"{int(rate.value or 0)}%"


def _cut(text: str, room: float, letter: int) -> str:
    """As much of a name as fits; "" if that says nothing."""
    if wide(text, letter) <= room:
        return text
    end = len(text)
    while end and wide(text[:end] + "…", letter) > room:
        end -= 1
    return text[:end] + "…" if end > 1 else ""


def svg(area: TreeMap, size: TreeMapSize = WIDE, *, name: str = "map", font: str = "") -> Markup:
    """The tree map as SVG markup that needs nothing around it; see ``charts.svg``."""
    template = drawing_template("rates/_fragments/_map_chart.html")
    drawn = {"area": area, "size": size, "tiles": tiles(area, size), "shades": SHADES}
    return Markup(template.render(drawn, name=name, font=font))  # noqa: S704 - escaped there
