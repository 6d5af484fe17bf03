"""Where the new organisations of a file go in the tree, superiors first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zhtj.imports.files.cells import key
from zhtj.imports.files.layouts import CATEGORY, CODE, PARENT
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.row_numbers import label
from zhtj.imports.orgs.rules import OrganisationEntry, circles, code_fits
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Tier
from zhtj.orgs.rules import tier_below

MAX_DEPTH = 16
"""Steps of a path that the database has room for."""


@dataclass(frozen=True, slots=True)
class Spot:
    """What a place in the tree means for what stands below it.

    Args:
        org_id: the organisation, if it is there already.
        key: of the row that will create it, otherwise.
        code: None where it will be numbered on creation.
        depth: steps from the centre, which has 1.
        obstacle: why nothing can be built here.
    """

    org_id: int | None
    key: str
    code: str | None
    tier: Tier
    depth: int
    obstacle: str = ""


@dataclass(slots=True)
class Placed:
    """New organisations with their superiors, in an order in which they can be created."""

    order: list[tuple[OrganisationEntry, Spot]] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)


class Placing:
    """Places rows that may name each other as superiors, in any order.

    Args:
        entries: the new organisations.
        spots: those that are there, by comparable full name and by code.
        refused: rows with errors of their own, by comparable full name.
        nearest: full names like a mistyped one.
    """

    def __init__(
        self,
        entries: list[OrganisationEntry],
        spots: Mapping[str, Spot],
        refused: Mapping[str, int],
        nearest: Callable[[str], list[str]],
    ) -> None:
        self._entries = {entry.key: entry for entry in entries}
        self._by_code = {entry.code: entry for entry in entries if entry.code}
        self._spots = spots
        self._refused = refused
        self._nearest = nearest
        self._superiors: dict[str, str] = {}
        self._new_spots: dict[str, Spot] = {}
        self._bad: set[str] = set()
        self._placed = Placed()

    def place(self) -> Placed:
        """Find everybody's superior, refuse circles and impossible places."""
        for entry in self._entries.values():
            self._find_superior(entry)
        for circle in circles(self._superiors):
            self._refuse_circle([self._entries[name] for name in circle])
        settled: set[str] = set()
        for name in self._entries:
            for below in reversed(self._line(name, settled)):
                self._settle(self._entries[below])
                settled.add(below)
        return self._placed

    def _find_superior(self, entry: OrganisationEntry) -> None:
        if not entry.parent:
            self._refuse(entry, PARENT, "没有填写上级组织。", "请填写上级的全称或组织编码。")
        elif self._spot(entry.parent) is None:
            superior = self._entries.get(key(entry.parent)) or self._by_code.get(entry.parent)
            row = self._refused.get(key(entry.parent))
            if superior is not None:
                self._superiors[entry.key] = superior.key
            elif row is not None:
                self._refuse(entry, PARENT, f"上级组织所在的{label(row)}有错误。", "请先改正那一行。")
            else:
                near = self._nearest(entry.parent)
                fix = f"最接近的是：{'；'.join(near)}。" if near else ""
                self._refuse(entry, PARENT, f"没有找到上级组织“{entry.parent}”。", f"{fix}请填写全称或组织编码。")

    def _spot(self, words: str) -> Spot | None:
        return self._spots.get(key(words)) or self._spots.get(words)

    def _refuse_circle(self, circle: list[OrganisationEntry]) -> None:
        names = " → ".join(f"{label(entry.row)}" for entry in [*circle, circle[0]])
        for entry in circle:
            self._refuse(entry, PARENT, f"上级组织互相指定，绕成了圈：{names}。", "请改正其中一行的上级组织。")

    def _line(self, name: str, settled: set[str]) -> list[str]:
        """The row and its superiors in the file that are not settled, from below."""
        line = []
        while name not in settled and name not in line:
            line.append(name)
            if name not in self._superiors:
                break
            name = self._superiors[name]
        return line

    def _settle(self, entry: OrganisationEntry) -> None:
        if entry.key in self._bad:
            return
        superior = self._superiors.get(entry.key)
        if superior in self._bad:
            row = self._entries[superior].row
            self._refuse(entry, PARENT, f"上级组织所在的{label(row)}有错误。", "请先改正那一行。")
            return
        spot = self._new_spots[superior] if superior is not None else self._spot(entry.parent)
        if spot is not None and (tier := self._tier(entry, spot)) is not None:
            self._new_spots[entry.key] = Spot(None, entry.key, entry.code or None, tier, spot.depth + 1)
            self._placed.order.append((entry, spot))

    def _tier(self, entry: OrganisationEntry, spot: Spot) -> Tier | None:
        """The level of an organisation at its place; None after an error."""
        if spot.obstacle:
            self._refuse(entry, PARENT, spot.obstacle, "请另选上级组织。")
            return None
        if spot.depth >= MAX_DEPTH:
            self._refuse(entry, PARENT, f"组织层级超过 {MAX_DEPTH} 级。", "请核对上级组织。")
            return None
        if entry.code and (spot.code is None or not code_fits(entry.code, spot.code, entry.category)):
            self._refuse(entry, CODE, "组织编码不是由上级编定的。", "请留空，由系统编号。")
            return None
        try:
            return tier_below(spot.tier, entry.category)
        except DomainError as error:
            self._refuse(entry, PARENT if error.field == "parent" else CATEGORY, error.message, error.fix or "请核对。")
            return None

    def _refuse(self, entry: OrganisationEntry, column: str, cause: str, fix: str) -> None:
        self._bad.add(entry.key)
        self._placed.problems.append(ImportProblem(entry.row, column, cause, fix))
