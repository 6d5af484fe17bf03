"""学社衔接负责人信息 from a file, a row a college: preview and apply (F-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zhtj.graduation import liaisons
from zhtj.graduation.models import Liaison, LiaisonRole
from zhtj.imports.files.cells import key
from zhtj.imports.files.layouts import COLLEGE, LIAISON_NAMES, LIAISON_PHONES, LIAISONS
from zhtj.imports.files.nearest import Nearest
from zhtj.imports.files.reading import Reading
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.plans import Change, Plan, Update
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation

_COLUMNS = {f"name_{role}": LIAISON_NAMES[role] for role in LiaisonRole} | {
    f"phone_{role}": LIAISON_PHONES[role] for role in LiaisonRole
}
"""Columns by what ``liaisons`` calls their content."""


@dataclass(slots=True)
class LiaisonPlan(Plan):
    """A preview that knows how to become true: whom each college names."""

    organisation_id: int = 0
    entries: list[tuple[int, dict[str, str]]] = field(default_factory=list)


class _Colleges:
    """The colleges a file may name, by full name, short name and code."""

    def __init__(self, organisation: Organisation) -> None:
        found = liaisons.colleges(organisation.path)
        self.named = {one.id: liaisons.of_college(one, clock.today().year).named for one in found}
        self.nearest = Nearest(one.full_name for one in found)
        self._by_words: dict[str, list[Organisation]] = {}
        for one in found:
            for words in {key(one.full_name), key(one.short_name), one.code}:
                self._by_words.setdefault(words, []).append(one)

    def find(self, words: str) -> Organisation | None:
        """The college, if exactly one is called so."""
        named = self._by_words.get(key(words), [])
        return named[0] if len(named) == 1 else None


def preview(table: ImportTable, organisation: Organisation) -> LiaisonPlan:
    """What importing ``table`` would name in the colleges of ``organisation``; writes nothing."""
    plan = LiaisonPlan(read=len(table.rows), **table.about(), organisation_id=organisation.id)
    colleges = _Colleges(organisation)
    seen: dict[int, int] = {}
    for row in table.rows:
        reading = Reading(row, LIAISONS, typed=table.typed)
        college, typed = _college(reading, colleges, seen), _typed(reading)
        plan.errors += reading.errors
        plan.warnings += reading.warnings
        if college is not None and typed and not reading.errors:
            _enter(plan, row.number, college, typed, colleges.named[college.id])
    plan.sort(LIAISONS)
    return plan


def _college(reading: Reading, colleges: _Colleges, seen: dict[int, int]) -> Organisation | None:
    words = reading.required(COLLEGE, reading.text(COLLEGE))
    college = colleges.find(words) if words else None
    if words and college is None:
        near = "、".join(colleges.nearest(words))
        fix = f"请填写系统内的全称{f'，是不是：{near}' if near else ''}。"
        reading.error(COLLEGE, f"没有叫“{words[:30]}”的学院，或它不在本组织之下。", fix)
    elif college is not None and (first := seen.setdefault(college.id, reading.number)) != reading.number:
        reading.error(COLLEGE, f"与{label(first)}是同一个学院。", "请只留一行。")
    return college


def _typed(reading: Reading) -> dict[str, str]:
    """What the row names; nothing where a college has named nobody yet, as in the sheet that is exported."""
    typed = {f"name_{role}": reading.person(column, reading.text(column)) for role, column in LIAISON_NAMES.items()}
    typed |= {f"phone_{role}": reading.code(column) for role, column in LIAISON_PHONES.items()}
    if not any(typed.values()):
        return {}
    for wrong in liaisons.problems(typed):
        column = _COLUMNS[wrong.field or ""]
        if not reading.has_error(column):
            reading.error(column, wrong.message, "三名负责人都要填写姓名和电话。")
    return typed


def _enter(
    plan: LiaisonPlan, row: int, college: Organisation, typed: dict[str, str], named: Mapping[LiaisonRole, Liaison]
) -> None:
    before = {f"name_{role}": one.name for role, one in named.items()}
    before |= {f"phone_{role}": one.phone for role, one in named.items()}
    changes = [Change(_COLUMNS[name], before.get(name, ""), words) for name, words in typed.items()]
    changes = [one for one in changes if one.before != one.after]
    if not named:
        plan.created += 1
    elif changes:
        plan.updates.append(Update(row, college.short_name, tuple(changes)))
    if changes:
        plan.entries.append((college.id, typed))


def apply(plan: LiaisonPlan, seat: ActiveSeat, *, partial: bool = False) -> int:
    """Name them, all or nothing unless ``partial``; in the transaction of the preview. Returns how many rows."""
    if not plan.may_apply(partial=partial):
        return 0
    for college_id, typed in plan.entries:
        liaisons.write(session.get_one(Organisation, college_id), seat, typed)
    audit.record(
        "import.liaisons",
        "organisation",
        plan.organisation_id,
        read=plan.read,
        created=plan.created,
        updated=len(plan.updates),
        skipped=plan.bad_rows,
    )
    return plan.accepted
