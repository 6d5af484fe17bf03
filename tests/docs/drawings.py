"""Draws the rooms with their imports, and the workflow's table, from the code: ``make drawings`` writes both.

A room's text is the first sentence of its docstring; of its imports those are drawn that do not follow from others.
"""

from __future__ import annotations

import ast
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

from zhtj.transfers.workflow import STATE_LABELS, TERMINAL, TRANSITIONS, State, Transition

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs"
ROOM, BETWEEN = 62, 34
FLOOR, FAR = ROOM + BETWEEN, 400
STYLE = """
text { font: 12px system-ui, "Noto Sans SC", "Microsoft YaHei", sans-serif; fill: #1f2d2b }
.paper { fill: #fff } .floor { fill: #eef4f2 } .box { fill: #fff; stroke: #0f766e }
.end { fill: #f6f4ee; stroke: #8a7f66 } .name { font-weight: 600; font-size: 14px }
.small { font-size: 11px; fill: #4b5a57 }
.arrow { fill: none; stroke: #6b8a9a; stroke-width: 1.3 } .tip { fill: #6b8a9a }
.arrow.good { stroke: #0f766e } .tip.good { fill: #0f766e } .arrow.bad { stroke: #c4a484 } .tip.bad { fill: #c4a484 }
"""
TIP = (
    '<marker id="tip{kind}" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="tip {kind}" d="M0 0l8 4l-8 4z"/></marker>'
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def foot(self) -> float:
        return self.y + self.height


# ---- rooms


def floors() -> list[list[str]]:
    """Modules from the top floor down, as the contract of import-linter has them, without those that are not there."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = tomllib.loads(text)["tool"]["importlinter"]["contracts"][0]["layers"]
    named = [[name.strip(" ()") for name in layer.split("|")] for layer in layers]
    there = [[name for name in floor if _file(name).is_file()] for floor in named]
    return [floor for floor in there if floor]


def _file(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(modules: Sequence[str]) -> dict[str, set[str]]:
    """Which of these import which, without what follows from the others."""
    graph = grimp.build_graph("zhtj", "jobs", exclude_type_checking_imports=True)
    direct = {one: {other for other in modules if other != one and _imports(graph, one, other)} for one in modules}
    return {
        one: {other for other in found if not _behind(direct, found - {other}, other)} for one, found in direct.items()
    }


def _imports(graph: grimp.ImportGraph, one: str, other: str) -> bool:
    return graph.direct_import_exists(importer=one, imported=other, as_packages=True)


def _behind(direct: Mapping[str, set[str]], others: Iterable[str], wanted: str) -> bool:
    """Whether ``wanted`` is reached by way of one of the others."""
    ahead, seen = list(others), set()
    while ahead:
        one = ahead.pop()
        if wanted in direct[one]:
            return True
        if one not in seen:
            seen.add(one)
            ahead += direct[one]
    return False


def rooms() -> str:
    """Floors as bands, rooms as boxes, and the imports that do not follow from others."""
    width = 1060
    boxes: dict[str, Box] = {}
    shapes = []
    for number, floor in enumerate(floors()):
        y = 16 + number * FLOOR
        shapes.append(f'<rect class="floor" x="10" y="{y - 8}" width="{width - 20}" height="{ROOM + 16}" rx="8"/>')
        wide = min(330, (width - 60) / len(floor) - 20)
        left = (width - len(floor) * (wide + 20) + 20) / 2
        boxes |= {name: Box(left + position * (wide + 20), y, wide, ROOM) for position, name in enumerate(floor)}
    arrows = [_down(boxes[one], boxes[other]) for one, found in imports(list(boxes)).items() for other in sorted(found)]
    shapes += [*arrows, *(shape for name, box in boxes.items() for shape in _room(name, box))]
    return _svg(
        width, max(box.foot for box in boxes.values()) + 20, "Rooms, floor by floor, and what imports what", shapes
    )


def _room(name: str, box: Box) -> Iterator[str]:
    said = ast.get_docstring(ast.parse(_file(name).read_text(encoding="utf-8"))) or ""
    said = re.split(r"(?<=\.)\s", said.replace("`", ""), maxsplit=1)[0]
    yield _rectangle("box", box)
    yield _text(box.middle, box.y + 19, name.removeprefix("zhtj."), "name", middle=True)
    for number, line in enumerate(_lines(said, box.width - 16, 2)):
        yield _text(box.middle, box.y + 36 + 15 * number, line, "small", middle=True)


def _down(one: Box, other: Box) -> str:
    start, end = one.middle, other.middle
    if other.y - one.foot > FAR:  # past most floors: down along the edge
        side = f"{one.x:g} {one.y + 40:g}H30Q20 {one.y + 40:g} 20 {one.y + 50:g}V{other.y + 12:g}"
        return _arrow(f"M{side}Q20 {other.y + 22:g} 30 {other.y + 22:g}H{other.x - 5:g}")
    tip, drop = other.y - 5, other.y - one.foot
    aside = 200 + drop / 3 if drop > FLOOR and abs(start - end) < one.width / 2 else 0  # around what stands between
    bend = drop / 3 if aside else max(24.0, drop / 2)
    first, last = f"{start + aside:g} {one.foot + bend:g}", f"{end + aside:g} {tip - bend:g}"
    return _arrow(f"M{start:g} {one.foot:g}C{first} {last} {end:g} {tip:g}")


# ---- the workflow

# Where each state stands: column, and the order within it.
COLUMNS: tuple[tuple[State | None, ...], ...] = (
    (None,),
    (State.AWAITING_RELEASE, State.AWAITING_PROVINCE, State.AWAITING_EXTERNAL),
    (State.AWAITING_ACCEPTANCE,),
    (State.AWAITING_ALLOCATION,),
    (State.COMPLETED, State.REFUSED, State.WITHDRAWN, State.RETURNED, State.FAILED_EXTERNAL),
)
CARD, LINE, HEAD = 196, 32, 34


def workflow() -> str:
    """A card a state with what may happen there, by whom and under which condition; arrows to what follows."""
    rows = {state: [row for row in TRANSITIONS if row.state is state] for column in COLUMNS for state in column}
    heights = {state: HEAD + LINE * len(found) + (6 if found else 0) for state, found in rows.items()}
    high = max(sum(heights[state] + 26 for state in column) for column in COLUMNS)
    boxes: dict[State | None, Box] = {}
    for number, column in enumerate(COLUMNS):
        y = 20 + (high - sum(heights[state] + 26 for state in column)) / 2
        for state in column:
            boxes[state] = Box(16 + number * (CARD + 68), y, CARD, heights[state])
            y += heights[state] + 26
    arrows = [
        _right(
            boxes[state],
            boxes[row.to],
            number,
            "good" if row.to is State.COMPLETED else "bad" if row.to in TERMINAL else "",
        )
        for state, found in rows.items()
        for number, row in enumerate(found)
        if row.to is not state
    ]
    cards = [shape for state, box in boxes.items() for shape in _card(state, box, rows[state])]
    return _svg(
        boxes[State.COMPLETED].x + CARD + 16,
        high + 30,
        "The states of an application and what leads where",
        [*arrows, *cards],
    )


def _card(state: State | None, box: Box, rows: Sequence[Transition]) -> Iterator[str]:
    yield _rectangle("box" if rows else "end", box)
    title = f"{STATE_LABELS[state]} {state.value}" if state else "（尚未提交）"
    yield _text(box.x + 8, box.y + 21, title, "name", fit=box.width - 16)
    for number, row in enumerate(rows):
        y = box.y + HEAD + LINE * number
        parties = " / ".join(sorted(party.value for party in row.by))
        yield _text(box.x + 8, y + 11, f"{row.action.label} {row.action.value}", fit=box.width - 16)
        yield _text(box.x + 8, y + 24, f"{parties}{_condition(row)}", "small", fit=box.width - 16)


def _condition(row: Transition) -> str:
    name = row.when.__name__.strip("_")
    return "" if name == "always" else f" · {name.replace('_', ' ')}"


def _right(one: Box, other: Box, number: int, kind: str) -> str:
    x, y = one.x + one.width, one.y + HEAD + LINE * number + 14
    to_x, to_y = other.x - 5, other.y + 17
    bend, back = x + 42, to_x - 40
    if to_x <= one.x:  # in the same column: around its right side
        to_x, back = other.x + other.width + 6, x + 46
    return _arrow(f"M{x:g} {y:g}C{bend:g} {y:g} {back:g} {to_y:g} {to_x:g} {to_y:g}", kind)


# ---- shapes


def _svg(width: float, height: float, title: str, shapes: Iterable[str]) -> str:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    tips = "".join(TIP.format(kind=kind) for kind in ("", "good", "bad"))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f"<defs>{tips}</defs>",
        f'<rect class="paper" width="{width:g}" height="{height:g}"/>',
        *shapes,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _rectangle(kind: str, box: Box) -> str:
    return f'<rect class="{kind}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="6"/>'


def _arrow(path: str, kind: str = "") -> str:
    return f'<path class="arrow {kind}" marker-end="url(#tip{kind})" d="{path}"/>'.replace(' "', '"')


def _text(x: float, y: float, words: str, kind: str = "", *, middle: bool = False, fit: float = 0) -> str:
    size = {"small": 11, "name": 14}.get(kind, 12)
    squeezed = f' textLength="{fit:g}" lengthAdjust="spacingAndGlyphs"' if fit and _wide(words, size) > fit else ""
    where = f'x="{x:g}" y="{y:g}"' + (' text-anchor="middle"' if middle else "")
    return f'<text {where} class="{kind}"{squeezed}>{escape(words)}</text>'


def _wide(words: str, size: float) -> float:
    """About how wide a text is drawn, in pixels."""
    return sum(size if unicodedata.east_asian_width(sign) in "WF" else size * 0.54 for sign in words)


def _lines(words: str, room: float, most: int) -> list[str]:
    """A sentence broken into at most so many lines; what does not fit is left out."""
    found = [""]
    for word in words.split():
        longer = f"{found[-1]} {word}".strip()
        if _wide(longer, 11) <= room:
            found[-1] = longer
        else:
            found.append(word)
    return found if len(found) <= most else [*found[: most - 1], found[most - 1] + " …"]


def drawings() -> dict[Path, str]:
    """Each drawing with the file in which it is kept."""
    return {FOLDER / "rooms.svg": rooms(), FOLDER / "workflow.svg": workflow()}


if __name__ == "__main__":
    for path, text in drawings().items():
        path.write_text(text, encoding="utf-8")
