"""What became of the divisions since the tree was loaded: the plan, and how it is carried out (PD-56).

Nothing is done that an administrator has decided otherwise: only what still stands as some earlier state of the data
had it follows. What was founded by hand stays below where it stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from zhtj.kernel import settings
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict
from zhtj.orgs import operations
from zhtj.orgs.changing import amalgamation, moving
from zhtj.orgs.changing import changes as renaming
from zhtj.orgs.divisions import WIDTHS, changed
from zhtj.orgs.divisions.changed import ChangeKind, DivisionChange
from zhtj.orgs.models import Organisation, Purpose, Tier
from zhtj.orgs.tree_load import Planned, load_tree, plan

UNFINISHED = "orgs.load"


class StepKind(StrEnum):
    """What a step of the plan does."""

    NEW = "new"
    MOVED = "moved"
    MERGED = "merged"
    RENAMED = "renamed"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"new": "新建", "moved": "迁移", "merged": "并入", "renamed": "更名"}[self.value]


@dataclass(frozen=True, slots=True)
class TreeStep:
    """One step.

    Args:
        kind: what is done.
        code: of the organisation it is done to.
        before: its full name so far; "" for a new one.
        after: its full name from then on, or that of its new superior or successor.
        to: code of the new superior or successor; of a renamed one its new short name.
    """

    kind: StepKind
    code: str
    before: str
    after: str
    to: str = ""

    def __str__(self) -> str:
        if self.kind is StepKind.NEW:
            return f"{self.kind.label} {self.after}（{self.code}）"
        return f"{self.kind.label} {self.before}（{self.code}）→ {self.after}"


@dataclass(frozen=True, slots=True)
class TreePlan:
    """All that is different, in the order in which it is done; of an interrupted one ``done`` steps are behind."""

    steps: tuple[TreeStep, ...]
    done: int = 0

    @property
    def key(self) -> str:
        """What the plan is called: of the same steps always the same."""
        content = json.dumps([asdict(step) for step in self.steps], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def is_empty() -> bool:
    """Whether no tree has been loaded yet."""
    return session.scalar(select(Organisation.id).limit(1)) is None


def find(changes: Sequence[DivisionChange] | None = None, *, provinces: Collection[str] | None = None) -> TreePlan:
    """What is to be done; an interrupted plan is to be finished first.

    Args:
        changes: of divisions, oldest first; None: those of the data file.
        provinces: two-digit codes of those to look at; None: all.
    """
    interrupted = settings.get(UNFINISHED)
    if interrupted:
        kept = json.loads(interrupted)
        steps = tuple(TreeStep(**{**step, "kind": StepKind(step["kind"])}) for step in kept["steps"])
        return TreePlan(steps, kept["done"])
    return TreePlan(tuple(_steps(changed.all_changes() if changes is None else changes, provinces)))


def apply(
    key: str, changes: Sequence[DivisionChange] | None = None, *, provinces: Collection[str] | None = None
) -> Generator[TreeStep]:
    """Carry out the plan called ``key``, a transaction a step; gives each step once it is done.

    Started again after an interruption it goes on where it was.

    Raises:
        Conflict: the tree has changed since the plan was made, or another plan is half done.
    """
    with unit_of_work():
        found = find(changes, provinces=provinces)
        if found.key != key:
            raise Conflict("组织体系已经变化，这份方案不再适用。", fix="请重新执行 orgs load 查看方案。", rule="PD-56")
        _keep(found.steps, found.done)
    for number, step in enumerate(found.steps[found.done :], found.done + 1):
        with unit_of_work():
            _do(step, f"divisions:{key}", changes, provinces)
            _keep(found.steps, number)
        yield step


def _keep(steps: Sequence[TreeStep], done: int) -> None:
    left = done < len(steps)
    content = {"steps": [asdict(step) for step in steps], "done": done}
    settings.put(UNFINISHED, json.dumps(content, ensure_ascii=False) if left else "")


def _do(step: TreeStep, by: str, changes: Sequence[DivisionChange] | None, provinces: Collection[str] | None) -> None:
    if step.kind is StepKind.NEW:
        # All of them with the first; where they stand already nothing happens.
        load_tree(session, provinces=provinces, changes=changes)
        return
    organisation = operations.hold(_by_code(step.code).id)
    if step.kind is StepKind.RENAMED:
        operations.amend(organisation, short_name=step.to)
        renaming.rename(organisation, step.after)
    elif step.kind is StepKind.MOVED:
        moving.move(organisation, _by_code(step.to), by, across_provinces=True)
    else:
        amalgamation.merge(organisation, _by_code(step.to), by)


def _by_code(code: str) -> Organisation:
    return session.scalars(select(Organisation).where(Organisation.code == code)).one()


# ---- what is different


class _State(NamedTuple):
    """What the data say, or said, of an organisation; ``superior`` is a code."""

    full_name: str
    short_name: str
    superior: str | None


class _Stored(NamedTuple):
    code: str
    full_name: str
    superior: str | None
    is_closed: bool


def _steps(changes: Sequence[DivisionChange], provinces: Collection[str] | None) -> Iterator[TreeStep]:
    stored = _stored()
    names = {one.full_name for one in stored.values()}
    for one in plan(provinces, changes=changes):
        if one.code and one.code not in stored and one.full_name not in names:
            yield TreeStep(StepKind.NEW, one.code, "", one.full_name)
    concerned = sorted({change.code[: WIDTHS[0]] for change in changes} & stored.keys())
    if concerned:
        merged = {change.code: change.to for change in changes if change.kind is ChangeKind.MERGE}
        yield from _different(stored, _states(plan(concerned, changes=changes)), _earlier(concerned, changes), merged)


def _different(
    stored: Mapping[str, _Stored],
    now: Mapping[str, _State],
    earlier: Mapping[str, list[_State]],
    merged: Mapping[str, str],
) -> list[TreeStep]:
    steps: list[TreeStep] = []
    for key, before in earlier.items():
        one = stored.get(key)
        # Whatever an administrator has changed meanwhile - a name, a superior, a closing - is left alone.
        if one is None or one.is_closed:
            continue
        if key in now:
            steps += _followed(one, now[key], before, now)
        elif key in merged:
            successor = merged[key]
            while successor in merged:
                successor = merged[successor]
            name = now[successor].full_name
            steps.append(TreeStep(StepKind.MERGED, one.code, one.full_name, name, successor))
    order = list(StepKind)
    return sorted(steps, key=lambda step: order.index(step.kind))


def _followed(one: _Stored, state: _State, before: Sequence[_State], now: Mapping[str, _State]) -> Iterator[TreeStep]:
    to = state.superior
    if to is not None and one.superior != to and any(one.superior == earlier.superior for earlier in before):
        yield TreeStep(StepKind.MOVED, one.code, one.full_name, now[to].full_name, to)
    if one.full_name != state.full_name and any(one.full_name == earlier.full_name for earlier in before):
        yield TreeStep(StepKind.RENAMED, one.code, one.full_name, state.full_name, state.short_name)


def _earlier(provinces: Sequence[str], changes: Sequence[DivisionChange]) -> dict[str, list[_State]]:
    """Every earlier state of every organisation of these provinces, as each day left it."""
    found: dict[str, list[_State]] = {}
    days = sorted({change.day for change in changes})
    for day in ["", *days[:-1]]:
        until = [change for change in changes if change.day <= day]
        for key, state in _states(plan(provinces, changes=until)).items():
            found.setdefault(key, []).append(state)
    return found


def _states(planned: Iterator[Planned]) -> dict[str, _State]:
    """By code; a floating branch, which the data do not number, by its host's."""
    return {
        one.code or f"{one.superior}/{one.purpose}": _State(one.full_name, one.short_name, one.superior)
        for one in planned
    }


def _stored() -> dict[str, _Stored]:
    """The organisations that the data can name, by the same keys."""
    above = aliased(Organisation)
    floating = Organisation.purpose == Purpose.FLOATING
    query = (
        select(Organisation.code, Organisation.full_name, above.code, Organisation.closed_at, Organisation.purpose)
        .outerjoin(above, above.id == Organisation.parent_id)
        .where(or_(Organisation.tier != Tier.BRANCH, floating))
    )
    return {
        f"{superior}/{purpose}" if purpose is Purpose.FLOATING else code: _Stored(
            code, name, superior, closed is not None
        )
        for code, name, superior, closed, purpose in session.execute(query)
    }
