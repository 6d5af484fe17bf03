"""Lists of applications and what follows from them: waiting, arrivals, objections, letters, cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zhtj.cases import queries as cases
from zhtj.cases import special_unit_form
from zhtj.cases.kind import CaseKind, ExportedCase
from zhtj.cases.kinds import KINDS, kind_of
from zhtj.cases.kinds.staying import ground_label
from zhtj.cases.queries import CaseFilters
from zhtj.exports.lists import Column, ExportList, Nothing
from zhtj.exports.words import day, last_day, moment, month
from zhtj.floating import queries as floating
from zhtj.floating.queries import LedgerFilters
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.kernel.sql.listing import Listing
from zhtj.letters import queries as letters
from zhtj.letters.queries import LetterFilters
from zhtj.letters.timers import sources
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import national_policy, policy_of
from zhtj.policy.vocabulary import Reason
from zhtj.transfers import queries
from zhtj.transfers.applying import waits
from zhtj.transfers.applying.waits import Side
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import AdmissionWait
from zhtj.transfers.queries import Filters
from zhtj.transfers.watching import arrivals
from zhtj.transfers.watching.arrivals import ArrivalFilters, Arrived
from zhtj.transfers.watching.timers import TimerKind, TimerListing


def reason_label(reason: str) -> str:
    """Name of a transfer reason in this season's policy."""
    policy = national_policy()
    spec = policy.reasons.get(Reason(reason)) if reason in set(Reason) else None
    return (spec.label or policy.special_unit_label) if spec is not None else ""


APPLICATION = (
    Column("姓名", lambda one: one.member.name),
    Column("转出组织", lambda one: one.from_name),
    Column("转入组织", lambda one: one.to_name),
    Column("原因", lambda one: reason_label(one.reason)),
    Column("状态", lambda one: one.state.label),
    Column("由谁办理", lambda one: (one.holder.office or one.holder).short_name if one.holder else ""),
    Column("到达该环节", lambda one: day(one.waiting_since)),
    Column("办理期限", lambda one: last_day(one.due_at)),
    Column("提交时间", lambda one: moment(one.submitted_at)),
)
APPLICATIONS = ExportList(
    "applications", "转接申请", Permission.TRANSFER_VIEW, Filters, queries.applications, APPLICATION
)
WAITING = ExportList("waiting", "待办转接申请", Permission.TRANSFER_DECIDE, Filters, queries.waiting, APPLICATION)


def _arrival(column: str) -> Column:
    return Column(arrivals.DUTY_LEFT[column], lambda one: _date_or_month(getattr(one.arrival, column), column))


def _date_or_month(value: Any, column: str) -> str:
    return month(value) if column == "dues_from" else day(value)


def _mobile(one: Arrived) -> str:
    return (one.arrival.member.account.mobile or "") if one.is_here else ""


ARRIVALS = ExportList(
    "arrivals",
    "新转入团员",
    Permission.TRANSFER_IN,
    ArrivalFilters,
    arrivals.listing,
    (
        Column("姓名", lambda one: one.arrival.member.name),
        Column("转入的团支部", lambda one: one.application.final_org.full_name),
        Column("转入", lambda one: day(one.arrival.arrived_at)),
        *(_arrival(name) for name in arrivals.DUTY_LEFT),
        Column("还要做", lambda one: "、".join(one.left) if one.is_here else "已转走"),
        Column("本人电话", _mobile),
        Column("原组织", lambda one: one.application.from_name),
    ),
)


FLOATING = ExportList(
    "floating",
    "流动团员台账",
    Permission.TRANSFER_OUT,
    LedgerFilters,
    floating.listing,
    (
        Column("姓名", lambda stay: stay.member.name),
        Column("学号", lambda stay: stay.member.student_no),
        Column("本人手机号码", lambda stay: stay.member.account.mobile),
        Column("类别", lambda stay: stay.kind.label),
        Column("所在支部", lambda stay: stay.org.full_name),
        Column("来源学院", lambda stay: stay.home.full_name if stay.home else ""),
        Column("编入日期", lambda stay: day(stay.since)),
        Column("原因", lambda stay: ground_label(stay.ground)),
        Column("保留到", lambda stay: day(stay.retained_until)),
        Column("就业就学情况", lambda stay: stay.situation.label if stay.situation else ""),
        Column("落实的单位或学校", lambda stay: stay.found_what),
        Column("最近联系", lambda stay: day(stay.last_contact_on)),
        Column("下次联系期限", lambda stay: day(stay.contact_by)),
        Column("转出期限", lambda stay: day(stay.deadline)),
    ),
)


@dataclass(frozen=True, slots=True)
class TimerFilters:
    """One kind of timer; None is all."""

    kind: TimerKind | None = None


def _timers(seat: ActiveSeat, chosen: TimerFilters) -> TimerListing:
    found = sources(seat, policy_of(session.get_one(Organisation, seat.org_id)))
    return TimerListing([read for kind, read in found.items() if chosen.kind in {None, kind}])


TIMERS = ExportList(
    "timers",
    "时限",
    Permission.TRANSFER_VIEW,
    TimerFilters,
    _timers,
    (
        Column("到期", lambda one: moment(one.at)),
        Column("类别", lambda one: one.kind.label),
        Column("姓名", lambda one: one.who.name if one.who else ""),
        Column("事项", lambda one: one.what),
        Column("由谁办理", lambda one: (one.org.office or one.org).short_name if one.org else ""),
    ),
)


@dataclass(frozen=True, slots=True)
class WaitFilters:
    """Which side of the list of waits."""

    side: Side = Side.COMING


@dataclass(frozen=True, slots=True)
class Wait:
    """One who waits; of strangers only name and school are shown (T-11)."""

    row: AdmissionWait
    place: str


def _waits(seat: ActiveSeat, rows: Sequence[AdmissionWait]) -> list[Wait]:
    schools = waits.schools_of(rows)
    return [Wait(row, _waits_in(seat, row, schools.get(row.id))) for row in rows]


def _waits_in(seat: ActiveSeat, row: AdmissionWait, school: Organisation | None) -> str:
    own = row.member.org.path.startswith(seat.path)
    return row.member.org.full_name if own or school is None else school.full_name


WAITS = ExportList(
    "waits",
    "升学等待名单",
    Permission.TRANSFER_VIEW,
    WaitFilters,
    lambda seat, chosen: waits.listing(seat, chosen.side).dressed(lambda rows: _waits(seat, rows)),
    (
        Column("姓名", lambda one: one.row.member.name),
        Column("原学校或所在团支部", lambda one: one.place),
        Column("录取学校", lambda one: one.row.name),
        Column("开始等待", lambda one: day(one.row.since)),
        Column("通知", lambda one: f"{day(one.row.told_at)}已通知" if one.row.told_at else "尚未建好"),
    ),
)


@dataclass(frozen=True, slots=True)
class ObjectionFilters:
    """Open ones, or those that were decided; objections or flags."""

    done: bool = False


OBJECTIONS = ExportList(
    "objections",
    "申诉处理",
    Permission.OBJECTIONS,
    ObjectionFilters,
    lambda seat, chosen: objections.objections(seat, decided=chosen.done),
    (
        Column("姓名", lambda one: one.application.member.name),
        Column("转出组织", lambda one: one.application.from_name),
        Column("转入组织", lambda one: one.application.to_name),
        Column("申诉理由", lambda one: one.text),
        Column("申诉时间", lambda one: moment(one.raised_at)),
        Column("结果", lambda one: "" if one.sustained is None else ("支持" if one.sustained else "不支持")),
        Column("答复", lambda one: one.answer),
        Column("答复人", lambda one: one.decided_by.name if one.decided_by else ""),
        Column("答复时间", lambda one: moment(one.decided_at)),
    ),
)
FLAGS = ExportList(
    "flags",
    "违规拒收提示",
    Permission.OBJECTIONS,
    ObjectionFilters,
    lambda seat, chosen: objections.flags(seat, seen=chosen.done),
    (
        Column("姓名", lambda one: one.application.member.name),
        Column("转出组织", lambda one: one.application.from_name),
        Column("转入组织", lambda one: one.application.to_name),
        Column("提示时间", lambda one: moment(one.raised_at)),
        Column("处理情况", lambda one: one.note),
        Column("处理人", lambda one: one.seen_by.name if one.seen_by else ""),
        Column("处理时间", lambda one: moment(one.seen_at)),
    ),
)

LETTERS = ExportList(
    "letters",
    "介绍信登记",
    Permission.LETTER_VIEW,
    LetterFilters,
    letters.letters,
    (
        Column("编号", lambda one: one.serial),
        Column("姓名", lambda one: one.record.name),
        Column("转往", lambda one: one.record.receiver),
        Column("开具时间", lambda one: moment(one.issued_at)),
        Column("有效期至", lambda one: day(one.last_valid_on)),
        Column("状态", lambda one: letters.validity_of(one).label),
        Column("开具人", lambda one: one.issued_by.name if one.issued_by else ""),
    ),
)


def _case_raiser(one: Any) -> str:
    name: str = one.raised_by.name if one.raised_member_id else one.raised_org.short_name
    return name


CASES = ExportList(
    "cases",
    "事项",
    Permission.CASES,
    CaseFilters,
    cases.listing,
    (
        Column("事项", lambda one: one.title or kind_of(one.kind).label),
        Column("编号", lambda one: one.number),
        Column("种类", lambda one: kind_of(one.kind).label),
        Column("由谁提出", _case_raiser),
        Column("提出时间", lambda one: moment(one.raised_at)),
        Column("办理情况", lambda one: one.state.label),
        Column("现在由谁办理", lambda one: one.holder.short_name if one.holder else ""),
        Column("办结时间", lambda one: moment(one.ended_at)),
    ),
)


def case_register(kind: CaseKind) -> ExportList:
    """The register of one kind of case, with exactly the columns of its form; ID numbers in full (PD-34)."""

    def register(seat: ActiveSeat, chosen: CaseFilters) -> Listing[ExportedCase]:
        return cases.register(seat, kind, chosen)

    return ExportList(
        f"case-{kind.key}",
        kind.title,
        Permission.CASES,
        CaseFilters,
        register,
        tuple(Column(one.heading, one.cell) for one in kind.columns),
        number=ExportedCase.at,
        full_numbers=True,
    )


def _special(position: int) -> Column:
    return Column(special_unit_form.COLUMNS[position], lambda cells: cells[position])


SPECIAL_UNITS = ExportList(
    "special-units",
    special_unit_form.TITLE,
    Permission.CASES,
    Nothing,
    lambda seat, _chosen: special_unit_form.listing(seat, clock.today().year),
    tuple(_special(position) for position in range(len(special_unit_form.COLUMNS))),
    number=special_unit_form.cells,
)

LISTS: tuple[ExportList, ...] = (
    APPLICATIONS,
    WAITING,
    ARRIVALS,
    FLOATING,
    TIMERS,
    WAITS,
    OBJECTIONS,
    FLAGS,
    LETTERS,
    CASES,
    SPECIAL_UNITS,
    *(case_register(kind) for kind in KINDS.values() if kind.columns),
)
