"""Destinations of graduates (毕业去向登记) from a file: preview and apply (F-12, F-14, T-33)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zhtj.graduation import destinations, season_register
from zhtj.graduation.destinations import LABELS, Given
from zhtj.graduation.models import DestinationEntry, RegisterRow
from zhtj.imports.files.layouts import DESTINATION, DESTINATIONS, ID_NUMBER, NAME, STUDENT_NO
from zhtj.imports.files.reading import Reading
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable, Layout, TableRow
from zhtj.imports.plans import Change, Plan, Update
from zhtj.kernel import audit, clock, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.policy.model import Policy
from zhtj.policy.words import reason_said


@dataclass(slots=True)
class DestinationPlan(Plan):
    """A preview that knows how to become true: what is registered, by row of the register."""

    organisation_id: int = 0
    entries: list[tuple[int, Given]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _People:
    """The graduates a file may name."""

    by_id: dict[str, RegisterRow]
    by_student_no: dict[str, list[RegisterRow]]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the file is imported to, and its policy."""

    organisation: Organisation
    policy: Policy

    def reason(self, words: str) -> str:
        """The code of a 毕业去向类别 by any of its names; "" if there is none."""
        reason = reason_said(words)
        return reason.value if reason in destinations.choices(self.policy) else ""


def layout_for(organisation: Organisation) -> Layout:
    """The columns of the file, with the names that the policy in force gives to the categories (K-18)."""
    policy = policy_of(organisation)
    labels = tuple(destinations.label_of(policy, reason) for reason in destinations.choices(policy))
    columns = (replace(one, choices=labels) if one.name == DESTINATION else one for one in DESTINATIONS.columns)
    return replace(DESTINATIONS, columns=tuple(columns))


def preview(table: ImportTable, organisation: Organisation) -> DestinationPlan:
    """What importing ``table`` for the graduates of ``organisation`` would register; writes nothing."""
    place = _Place(organisation, policy_of(organisation))
    plan = DestinationPlan(read=len(table.rows), **table.about(), organisation_id=organisation.id)
    readings = [(row, Reading(row, DESTINATIONS, typed=table.typed)) for row in table.rows]
    people = _people(readings, organisation)
    known = destinations.entries_of(
        [row.id for row in {*people.by_id.values(), *(one for many in people.by_student_no.values() for one in many)}]
    )
    seen: dict[int, int] = {}
    for row, reading in readings:
        found = _graduate(reading, people)
        given = _given(reading, place)
        if found is not None and not reading.errors:
            _check(reading, found, given, place, seen)
        plan.errors += reading.errors
        plan.warnings += reading.warnings
        if found is not None and not reading.errors:
            _enter(plan, row, found, given, known.get(found.id))
    plan.sort(DESTINATIONS)
    return plan


def _people(readings: list[tuple[TableRow, Reading]], organisation: Organisation) -> _People:
    hashes, numbers = [], []
    for row, _ in readings:
        quiet = Reading(row, DESTINATIONS, typed=True)
        if number := quiet.compact(ID_NUMBER):
            hashes.append(keyed_hash("id_number", number.upper()))
        if student := quiet.code(STUDENT_NO):
            numbers.append(student)
    rows = destinations.rows_by_number(organisation.path, clock.today().year, hashes, numbers)
    by_student_no: dict[str, list[RegisterRow]] = {}
    for one in rows:
        by_student_no.setdefault(one.member.student_no or "", []).append(one)
    return _People({one.member.account.id_hash or "": one for one in rows}, by_student_no)


def _graduate(reading: Reading, people: _People) -> RegisterRow | None:
    """Whose row it is: by ID number, else by student number; the name must agree."""
    name = reading.person(NAME, reading.required(NAME, reading.text(NAME)))
    number, student = reading.compact(ID_NUMBER).upper(), reading.code(STUDENT_NO)
    if reading.errors:
        return None
    if not number and not student:
        reading.error(ID_NUMBER, "没有填写身份证号码或学号。", "两项至少填一项。")
        return None
    if number:
        found = people.by_id.get(keyed_hash("id_number", number))
    else:
        same = [one for one in people.by_student_no.get(student, []) if names.key(one.member.name) == names.key(name)]
        found = same[0] if len(same) == 1 else None
    if found is None or names.key(found.member.name) != names.key(name):
        reading.error(
            ID_NUMBER if number else STUDENT_NO,
            "本组织今年的毕业生名册中没有这个人，或姓名与号码不符。",
            "请核对姓名、号码，以及所在团支部的毕业时间标记。",
        )
        return None
    return found


def _given(reading: Reading, place: _Place) -> Given:
    """The cells of a row; the category by its name."""
    texts = {name: reading.text(column) for name, column in LABELS.items() if name not in {"reason", "mobile"}}
    words = reading.required(DESTINATION, reading.text(DESTINATION))
    reason = place.reason(words) if words else ""
    if words and not reason:
        labels = "、".join(destinations.label_of(place.policy, one) for one in destinations.choices(place.policy))
        reading.error(DESTINATION, f"没有“{words[:30]}”这一类别。", f"请填写：{labels}。")
    return Given(reason, mobile=reading.compact(LABELS["mobile"]), **texts)


def _check(reading: Reading, found: RegisterRow, given: Given, place: _Place, seen: dict[int, int]) -> None:
    why = destinations.frozen_why(found)
    if why:
        reading.error(NAME, why, "请删去这一行。")
    elif found.id in seen:
        reading.error(NAME, f"与{label(seen[found.id])}是同一个人。", "请只留一行。")
    elif (wrong := destinations.problem(given, place.policy)) is not None:
        reading.error(LABELS[wrong[0]], wrong[1], "请补上。")
    seen.setdefault(found.id, reading.number)


def _enter(
    plan: DestinationPlan, row: TableRow, found: RegisterRow, given: Given, entry: DestinationEntry | None
) -> None:
    changed = destinations.changes(entry, given)
    if entry is None:
        plan.created += 1
    elif changed:
        told = tuple(
            Change(LABELS[name], destinations.value_of(entry, name), getattr(given, name))
            for name in changed
            if name not in {"mobile", "reason"}
        )
        plan.updates.append(Update(row.number, found.member.name, told))
    if changed:
        plan.entries.append((found.id, given))


def apply(plan: DestinationPlan, *, partial: bool = False) -> int:
    """Register what the plan says, all or nothing unless ``partial``; in the transaction of the preview.

    Returns:
        How many rows were imported.
    """
    if not plan.may_apply(partial=partial):
        return 0
    season_register.hold(rows=[row_id for row_id, _ in plan.entries])
    for row_id, given in plan.entries:
        destinations.enter(session.get_one(RegisterRow, row_id), given)
    audit.record(
        "import.destinations",
        "organisation",
        plan.organisation_id,
        read=plan.read,
        created=plan.created,
        updated=len(plan.updates),
        skipped=plan.bad_rows,
    )
    return plan.accepted
