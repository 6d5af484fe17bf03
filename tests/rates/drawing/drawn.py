"""Reads a chart's SVG back into the values it shows, from nothing but the marks and the words on its axes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_SVG = "{http://www.w3.org/2000/svg}"
_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")
DRAWING = re.compile(r'<svg class="chart .*?</svg>', re.DOTALL)


@dataclass(frozen=True)
class Drawn:
    """A parsed drawing."""

    root: ET.Element

    @classmethod
    def all_of(cls, source: str) -> list[Drawn]:
        """Every chart on a page."""
        return [cls(ET.fromstring(found)) for found in DRAWING.findall(source)]

    def marks(self, tag: str, name: str) -> list[ET.Element]:
        """Marks of a kind that carry a class, those of the legend left out."""
        found = self.root.iter(_SVG + tag)
        return [each for each in found if name in each.get("class", "").split() and "key" not in each.get("class", "")]

    def series(self, key: str) -> list[tuple[float, float]]:
        """(place across, per cents) of each point of a series."""
        return [place for each in self.marks("path", f"series--{key}") for place in self._values(each)]

    def band(self) -> list[tuple[float, float, float]]:
        """(place across, low, high) of each point of the band."""
        (area,) = self.marks("path", "chart__band")
        around = self._values(area)
        half = len(around) // 2
        return [(x, low, high) for (x, high), (_, low) in zip(around[:half], reversed(around[half:]), strict=True)]

    def dashes(self) -> dict[str, str | None]:
        """Pattern of each series' line."""
        classes = [(each.get("class", ""), each) for each in self.root.iter(_SVG + "path")]
        named = [(re.search(r"series--(\w+)", name), each) for name, each in classes]
        return {found[1]: each.get("stroke-dasharray") for found, each in named if found}

    def words(self) -> list[str]:
        """All text, in order."""
        return [each.text or "" for each in self.root.iter(_SVG + "text")]

    def _values(self, mark: ET.Element) -> list[tuple[float, float]]:
        levels = {}
        for text, line in zip(self.marks("text", "chart__label"), self.marks("path", "chart__line"), strict=True):
            if (text.text or "").endswith("%"):
                levels[int((text.text or "")[:-1])] = float(_POINT.findall(line.get("d", ""))[0][1])
        (low, ground), (high, ceiling) = min(levels.items()), max(levels.items())
        per_unit = (high - low) / (ground - ceiling)
        return [(float(x), low + (ground - float(y)) * per_unit) for x, y in _POINT.findall(mark.get("d", ""))]
