"""What each graduate said and how far his transfer is, on one sheet (F-14); how members' files stand (E-01)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zhtj.cases.membership import e_files
from zhtj.cases.membership.e_files import EFileFilters, EFileState
from zhtj.exports.graduates import category_label
from zhtj.exports.lists import Column, ExportList
from zhtj.exports.words import day, month
from zhtj.graduation import destinations
from zhtj.graduation.models import DestinationEntry
from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import national_policy
from zhtj.people.models import Member
from zhtj.transfers.watching import graduates
from zhtj.transfers.watching.graduates import Graduate, GraduateFilters


@dataclass(frozen=True, slots=True)
class Both:
    """One graduate: how far he is, and what is registered."""

    graduate: Graduate
    entry: DestinationEntry | None


def _both(rows: Sequence[Graduate]) -> list[Both]:
    entries = destinations.entries_of([one.row.id for one in rows])
    return [Both(one, entries.get(one.row.id)) for one in rows]


def _registered(name: str) -> Column:
    def cell(both: Both) -> str:
        if name == "reason" and both.entry is not None:
            return destinations.label_of(destinations.row_policy(both.graduate.row), both.entry.reason)
        return destinations.value_of(both.entry, name)

    return Column(destinations.LABELS[name], cell, "毕业去向登记")


def _college(both: Both) -> str:
    origin = both.graduate.row.origin
    parent: Organisation | None = origin.parent if origin else None
    return parent.short_name if parent else ""


def _now(heading: str, cell: Any) -> Column:
    return Column(heading, lambda both: cell(both.graduate), "转出情况实时记录")


# F-14: what each said and how far each is, on one sheet.
RECORD = ExportList(
    "record",
    "毕业去向登记与转出情况",
    Permission.DESTINATIONS,
    GraduateFilters,
    lambda seat, chosen: graduates.listing(seat, clock.today().year, chosen).dressed(_both),
    (
        Column("学院", _college),
        Column("毕业团支部", lambda both: destinations.origin_line(both.graduate.row.origin)),
        Column("姓名", lambda both: both.graduate.row.member.name),
        Column("学号", lambda both: both.graduate.row.member.student_no or ""),
        *(_registered(name) for name in destinations.LABELS),
        _now("计入", lambda one: category_label(one.row.category)),
        _now("转接环节", lambda one: one.step),
        _now("发起时间", lambda one: day(one.application.submitted_at) if one.application else ""),
        _now("转入组织", lambda one: one.application.to_name if one.application else ""),
        _now("由谁办理", lambda one: one.office.short_name if one.office else ""),
        _now("到达该环节", lambda one: day(one.since)),
    ),
)


def _with_states(rows: Sequence[Member]) -> list[tuple[Member, EFileState]]:
    states = e_files.states_of(list(rows))
    return [(member, states[member.id]) for member in rows]


FILES = ExportList(
    "files",
    "团员电子档案",
    Permission.MEMBER_VIEW,
    EFileFilters,
    lambda seat, chosen: e_files.listing(seat, national_policy(), chosen).dressed(_with_states),
    (
        Column("姓名", lambda line: line[0].name),
        Column("学号", lambda line: line[0].student_no or ""),
        Column("所在团支部", lambda line: line[0].org.full_name),
        Column("入团年月", lambda line: month(line[0].joined_on)),
        Column("档案", lambda line: line[1].label),
    ),
)

LISTS = (RECORD, FILES)
