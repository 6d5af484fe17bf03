"""A line of the exceptions register in the words and columns of F-02 (A-28, A-23, T-32)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from zhtj.kernel import clock, dates
from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation, Region, Tier
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching.exceptions_register import ExceptionLine
from zhtj.transfers.workflow import FAILED, State

# 附件2 of the source, in its order; a pair is a heading over two columns.
# F-02: exactly the form's columns.
COLUMNS: tuple[str | tuple[str, tuple[str, str]], ...] = (
    "序号",
    "姓名",
    "学号",
    "学院",
    "原所在团组织名称",
    "转接类型",
    ("待转入团组织所在地区", ("省", "市")),
    "待转入团组织名称",
    "是否发起",
    "未接受原因",
    "备注",
)
TITLE = "学社衔接转出特殊情况记录"
_TIERS = (Tier.PROVINCE, Tier.CITY, Tier.SECOND)


@dataclass(frozen=True, slots=True)
class Record:
    """One line as it is shown and exported; the fields stand in the order of COLUMNS."""

    number: str
    name: str
    student_no: str
    college: str
    origin: str
    transfer_type: str
    province: str
    city: str
    destination: str
    started: str
    why: str
    remark: str

    def cells(self) -> tuple[str, ...]:
        """The twelve cells."""
        return tuple(getattr(self, name) for name in self.__slots__)


def records(lines: Sequence[ExceptionLine], reasons: dict[str, str]) -> list[Record]:
    """The lines in words, with three statements for all of them.

    Args:
        lines: of the register.
        reasons: names of the transfer reasons (PD-10), by key.
    """
    applications = [line.application for line in lines if line.application]
    above = _above([line.row.season_path for line in lines] + [application.to_org.path for application in applications])
    events = failures([application.id for application in applications])
    return [_record(line, above, events, reasons) for line in lines]


def _record(
    line: ExceptionLine, above: dict[str, Organisation], events: dict[int, ApplicationEvent], reasons: dict[str, str]
) -> Record:
    member, application, note = line.row.member, line.application, line.note
    college = _of_tier(above, line.row.season_path, Tier.SECOND)
    what: tuple[str, ...]
    if application is not None:
        what = (reasons.get(application.reason, ""), *_place(above, application.to_org), application.to_name, "是")
        why = failure_words(application, events.get(application.id))
    else:
        kept = (note.transfer_type, note.province, note.city, note.destination) if note else ("", "", "", "")
        what = (*(text or "" for text in kept), "否")
        why = (note.reason or "") if note else ""
    transfer_type, province, city, destination, started = what
    return Record(
        number=str(line.number),
        name=member.name,
        student_no=member.student_no or "",
        college=college.short_name if college else "",
        origin=line.row.origin.full_name if line.row.origin else "",
        transfer_type=transfer_type,
        province=province,
        city=city,
        destination=destination,
        started=started,
        why=why,
        remark=(note.remark or "") if note else "",
    )


def _above(paths: list[str]) -> dict[str, Organisation]:
    """Provinces, cities and colleges on these paths, by their own."""
    wanted = {path[:end] for path in paths for end in range(4, len(path) + 1, 4)}
    query = select(Organisation).where(Organisation.path.in_(wanted), Organisation.tier.in_(_TIERS))
    return {organisation.path: organisation for organisation in session.scalars(query)}


def _of_tier(above: dict[str, Organisation], path: str, tier: Tier) -> Organisation | None:
    line = (above.get(path[:end]) for end in range(4, len(path) + 1, 4))
    return next((one for one in line if one is not None and one.tier is tier), None)


def _place(above: dict[str, Organisation], destination: Organisation) -> tuple[str, str]:
    """Province and city of a destination, as places are written."""
    if destination.system is not Region.NATIONAL:
        return destination.system.label, ""
    province = _of_tier(above, destination.path, Tier.PROVINCE)
    city = _of_tier(above, destination.path, Tier.CITY)
    name = _division(province)
    return name, _division(city).removeprefix(name)


def _division(organisation: Organisation | None) -> str:
    return organisation.full_name.removeprefix("共青团").removesuffix("委员会") if organisation else ""


def failures(application_ids: list[int]) -> dict[int, ApplicationEvent]:
    """The event that ended each of these applications."""
    last = (
        select(func.max(ApplicationEvent.id))
        .where(
            ApplicationEvent.application_id.in_(application_ids),
            ApplicationEvent.to_state.in_(FAILED),
            ApplicationEvent.from_state.not_in(FAILED),
        )
        .group_by(ApplicationEvent.application_id)
    )
    rows = session.scalars(select(ApplicationEvent).where(ApplicationEvent.id.in_(last)))
    return {event.application_id: event for event in rows}


def failure_words(application: Application, event: ApplicationEvent | None) -> str:
    """未接受原因: the coded ground and what was written, or who let the deadline pass (A-15, A-24)."""
    if application.state is State.RETURNED:
        side = "转出方" if event is not None and event.from_state is State.AWAITING_RELEASE else "转入方"
        return f"{side}未在期限内办理，系统自动退回"
    if event is None:
        return application.state.label
    ground = Ground(event.ground).label if event.ground in set(Ground) else ""
    return "：".join(part for part in (ground, event.remark or "") if part) or application.state.label


def _superior(organisation: Organisation) -> Organisation | None:
    query = select(Organisation).where(Organisation.id == organisation.parent_id)
    return session.scalars(query.options(joinedload(Organisation.office))).first()


def _own_province(organisation: Organisation) -> Organisation | None:
    query = select(Organisation).where(Organisation.path.in_(organisation.line), Organisation.tier == Tier.PROVINCE)
    return session.scalars(query.options(joinedload(Organisation.office))).first()


@dataclass(frozen=True, slots=True)
class NextStep:
    """What can be done about a line (A-23, T-32).

    Args:
        why: 未接受原因.
        blocker: the office that said no or let it lapse (PD-22).
        superior: its direct superior, who has to see to it; for an external system the own province.
        message: text to send there.
    """

    why: str
    blocker: Organisation
    superior: Organisation | None
    message: str


def next_step(application: Application, sender: Organisation) -> NextStep:
    """Whom to ask first, whom next, in which words."""
    event = failures([application.id]).get(application.id)
    why = failure_words(application, event)
    at_home = event is not None and event.from_state is State.AWAITING_RELEASE
    asked = application.from_org if at_home else application.to_org
    abroad = asked.system is not Region.NATIONAL
    blocker = asked if abroad else asked.office or asked
    superior = _own_province(application.from_org) if abroad else _superior(blocker)
    when = clock.local(application.submitted_at)
    message = (
        f"【学社衔接】{sender.short_name}的毕业生{application.member.name}于 {dates.short(when)} "
        f"申请将组织关系转往{application.to_name}，未被接受，原因：{why}。"
        f"经核实，本人去向属实，请协调{blocker.short_name}办理。联系人："
    )
    return NextStep(why, blocker, superior, message)
