"""Lists of a season's graduates: how far they are, where they go, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from zhtj.exports.lists import Column, ExportList
from zhtj.exports.words import day, last_day
from zhtj.graduation import destinations
from zhtj.graduation.destinations import DestinationFilters, RegisteredGraduate
from zhtj.graduation.models import GraduateCategory
from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.orgs.policies import national_policy
from zhtj.policy.vocabulary import PlaceTie
from zhtj.transfers.watching import exception_records, exceptions_register, graduates, quality
from zhtj.transfers.watching.exception_records import Record
from zhtj.transfers.watching.exceptions_register import ExceptionFilters, ExceptionLine
from zhtj.transfers.watching.graduates import CATEGORIES, UNREGISTERED, Graduate, GraduateFilters
from zhtj.transfers.watching.quality import Cut


def _season() -> int:
    return clock.today().year


def category_label(category: GraduateCategory | None) -> str:
    """The category as it is shown; who is not registered is told apart (PD-09)."""
    return category.label if category else CATEGORIES[UNREGISTERED]


def _due(one: Graduate) -> str:
    return last_day(one.application.due_at) if one.application and not one.is_done else ""


def _left(one: Graduate) -> str:
    due = _due(one)
    return str((date.fromisoformat(due) - clock.today()).days) if due else ""


GRADUATES = ExportList(
    "graduates",
    "毕业生转接进度",
    Permission.TRANSFER_VIEW,
    GraduateFilters,
    lambda seat, chosen: graduates.listing(seat, _season(), chosen),
    (
        Column("姓名", lambda one: one.row.member.name),
        Column("学号", lambda one: one.row.member.student_no),
        Column("毕业团支部", lambda one: one.row.origin.full_name if one.row.origin else ""),
        Column("去向", lambda one: category_label(one.row.category)),
        Column("进度", lambda one: one.step),
        Column("到达该环节", lambda one: day(one.since)),
        Column("办理期限", _due),
        Column("剩余天数", _left),
        Column("转入组织", lambda one: one.application.to_name if one.application else ""),
        Column("由谁办理", lambda one: one.office.short_name if one.office else ""),
        Column("办理电话", lambda one: one.office_phone),
        Column("本人电话", lambda one: one.mobile),
    ),
)


def _destination(name: str) -> Column:
    def cell(line: RegisteredGraduate) -> str:
        if name == "reason" and line.entry is not None:
            return destinations.label_of(destinations.row_policy(line.row), line.entry.reason)
        return destinations.value_of(line.entry, name)

    return Column(destinations.LABELS[name], cell)


DESTINATIONS = ExportList(
    "destinations",
    "毕业去向登记",
    Permission.DESTINATIONS,
    DestinationFilters,
    lambda seat, chosen: destinations.listing(seat, _season(), chosen),
    (
        Column("姓名", lambda line: line.row.member.name),
        Column("学号", lambda line: line.row.member.student_no),
        Column("毕业团支部", lambda line: destinations.origin_line(line.row.origin)),
        *(_destination(name) for name in destinations.LABELS),
        Column("计入", lambda line: category_label(line.row.category)),
    ),
)


def _reasons() -> dict[str, str]:
    policy = national_policy()
    return {key.value: spec.label or policy.special_unit_label for key, spec in policy.reasons.items()}


def _records(lines: Sequence[ExceptionLine]) -> list[Record]:
    return exception_records.records(lines, _reasons())


def _recorded(position: int, heading: str, group: str = "") -> Column:
    return Column(heading, lambda record: record.cells()[position], group)


_F02 = [
    (heading, group)
    for one in exception_records.COLUMNS
    for heading, group in ([(one, "")] if isinstance(one, str) else [(below, one[0]) for below in one[1]])
]

EXCEPTIONS = ExportList(
    "exceptions",
    exception_records.TITLE,
    Permission.EXCEPTIONS,
    ExceptionFilters,
    lambda seat, chosen: exceptions_register.listing(seat, _season(), chosen).dressed(_records),
    tuple(_recorded(position, heading, group) for position, (heading, group) in enumerate(_F02)),
    banner=True,
)

QUALITY = ExportList(
    "quality",
    "去向质量名单",
    Permission.QUALITY,
    Cut,
    lambda seat, chosen: quality.listing(seat, _season(), chosen),
    (
        Column("姓名", lambda one: one.member.name),
        Column("转出组织", lambda one: one.from_org.full_name),
        Column("转入组织", lambda one: one.to_name),
        Column("原因", lambda one: _reasons().get(one.reason, "")),
        Column("地方", lambda one: PlaceTie(one.place).label if one.place else ""),
        Column("评定", lambda one: one.level.label),
        Column("已确认的提醒", lambda one: "；".join(one.warnings)),
        Column("状态", lambda one: one.state.label),
    ),
)

LISTS: tuple[ExportList, ...] = (GRADUATES, DESTINATIONS, EXCEPTIONS, QUALITY)
