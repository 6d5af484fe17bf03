"""The doctor: every invariant of the data as one query that finds the rows which break it (``flask doctor``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from zhtj.cases.models import Case, CaseEvent
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import UtcDateTime, session
from zhtj.letters.models import Letter, LetterSeries
from zhtj.orgs.models import SEGMENT, Category, Organisation, Region, Tier
from zhtj.people.models import Account, Member, Membership, UnclearName
from zhtj.people.queries import is_administered
from zhtj.rates.counting import counters
from zhtj.rates.models import Standing
from zhtj.transfers.models import Application, ApplicationEvent, Arrival
from zhtj.transfers.workflow import OPEN, RUNNING, State

LISTED = 20
Parent = aliased(Organisation)


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must hold.

    Args:
        name: stable key.
        says: the rule in words.
        offenders: selects (table's) ids, or places in the tree, that break it.
    """

    name: str
    says: str
    offenders: Callable[[], Select[Any]]


@dataclass(frozen=True, slots=True)
class Finding:
    """How an invariant stands: how many rows break it, and the first of them."""

    name: str
    says: str
    broken: int
    rows: list[int | str]


def _paths() -> Select[Any]:
    length = func.length(Organisation.path)
    above = func.substr(Organisation.path, 1, length - SEGMENT)
    return (
        select(Organisation.id)
        .join(Parent, Parent.id == Organisation.parent_id)
        .where(or_(Parent.path != above, length != func.length(Parent.path) + SEGMENT))
    )


def _application_places() -> Select[Any]:
    old, new, here = aliased(Organisation), aliased(Organisation), aliased(Organisation)
    return (
        select(Application.id)
        .join(old, old.id == Application.from_org_id)
        .join(new, new.id == Application.to_org_id)
        .outerjoin(RegisterRow, RegisterRow.id == Application.register_row_id)
        .outerjoin(Arrival, Arrival.application_id == Application.id)
        .outerjoin(here, here.id == Arrival.org_id)
        .where(
            or_(
                Application.from_path != old.path,
                Application.to_path != new.path,
                Application.season.is_distinct_from(RegisterRow.season),
                Application.season_path.is_distinct_from(RegisterRow.season_path),
                Arrival.path != here.path,
            )
        )
    )


def _offices() -> Select[Any]:
    seated = is_administered(Organisation.id)
    above = select(Parent.office_id).where(Parent.id == Organisation.parent_id).scalar_subquery()
    return select(Organisation.id).where(
        or_(
            and_(seated, Organisation.office_id.is_distinct_from(Organisation.id)),
            and_(~seated, Organisation.office_id.is_distinct_from(above)),
        )
    )


def _membership() -> Select[Any]:
    here = exists().where(
        Membership.member_id == Member.id, Membership.org_id == Member.org_id, Membership.ended_at.is_(None)
    )
    return select(Member.id).where(Member.archived_at.is_(None), ~here)


def _in_branches() -> Select[Any]:
    return (
        select(Member.id)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(Organisation.tier != Tier.BRANCH, Organisation.system == Region.NATIONAL)
    )


def _closed_with_members() -> Select[Any]:
    inside = exists().where(Member.org_id == Organisation.id, Member.archived_at.is_(None))
    return select(Organisation.id).where(Organisation.closed_at.is_not(None), inside)


def _history() -> Select[Any]:
    newest = aliased(ApplicationEvent)
    last = (
        select(func.max(newest.id))
        .where(newest.application_id == Application.id)
        .correlate(Application)
        .scalar_subquery()
    )
    told = select(ApplicationEvent.to_state).where(ApplicationEvent.id == last).scalar_subquery()
    return select(Application.id).where(Application.state.is_distinct_from(told))


def _steps() -> Select[Any]:
    before = func.lag(ApplicationEvent.to_state).over(
        partition_by=ApplicationEvent.application_id, order_by=ApplicationEvent.id
    )
    steps = select(ApplicationEvent.id, ApplicationEvent.from_state, before.label("before")).subquery()
    return select(steps.c.id).where(steps.c.from_state.is_distinct_from(steps.c.before))


def _overlaps() -> Select[Any]:
    other = aliased(Membership)
    meets = and_(
        or_(Membership.ended_at.is_(None), Membership.ended_at > other.started_at),
        or_(other.ended_at.is_(None), other.ended_at > Membership.started_at),
    )
    same = and_(other.member_id == Membership.member_id, other.id > Membership.id)
    return select(Membership.id).join(other, same).where(meets).distinct()


def _deadlines() -> Select[Any]:
    running = Application.state.in_(RUNNING)
    return select(Application.id).where(
        or_(and_(running, Application.due_at.is_(None)), and_(~running, Application.due_at.is_not(None)))
    )


def _completed() -> Select[Any]:
    moved = exists().where(
        Membership.member_id == Application.member_id,
        Membership.org_id == Application.final_org_id,
        Membership.began_by == literal("application:") + cast(Application.id, String),
    )
    return select(Application.id).where(Application.state == State.COMPLETED, ~moved)


def _arrivals() -> Select[Any]:
    noted = exists().where(Arrival.application_id == Application.id, Arrival.org_id == Application.final_org_id)
    return select(Application.id).where(Application.state == State.COMPLETED, ~noted)


def _origin_kept() -> Select[Any]:
    away = Organisation.id != Application.from_org_id
    return (
        select(Application.id)
        .join(Member, Member.id == Application.member_id)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(Application.state.in_(OPEN), away)
    )


def _register() -> Select[Any]:
    return select(RegisterRow.id).where(
        RegisterRow.completed_at.is_not(None),
        ~exists().where(Application.register_row_id == RegisterRow.id, Application.state == State.COMPLETED),
    )


def _graduates() -> Select[Any]:
    return select(Organisation.id).where(Organisation.category == Category.GRADUATES, Organisation.tier != Tier.BRANCH)


def _letters() -> Select[Any]:
    numbered = exists().where(
        LetterSeries.issuer_org_id == Letter.issuer_org_id,
        LetterSeries.year == Letter.year,
        LetterSeries.last_number >= Letter.number,
    )
    return select(Letter.id).where(~numbered)


def _cases() -> Select[Any]:
    newest = aliased(CaseEvent)
    last = select(func.max(newest.id)).where(newest.case_id == Case.id).correlate(Case).scalar_subquery()
    told = select(CaseEvent).where(CaseEvent.id == last).subquery()
    fits = and_(told.c.to_state == Case.state, told.c.to_org_id.is_not_distinct_from(Case.holder_id))
    return select(Case.id).where(~exists().where(fits))


def _standings() -> Select[Any]:
    present = and_(Standing.row_id == RegisterRow.id, Standing.until.is_(None))
    fits = exists().where(
        present,
        Standing.season_path == RegisterRow.season_path,
        Standing.category.is_not_distinct_from(RegisterRow.category),
        Standing.done == _completed_in_season(),
        or_(Standing.to_path.is_(None), ~_left_in_season()),
    )
    counts = RegisterRow.closed_at.is_(None)
    wrong = or_(and_(counts, ~fits), and_(~counts, exists().where(present)))
    return select(RegisterRow.id).where(RegisterRow.season.in_(_judged()), wrong)


def _judged() -> tuple[int, int]:
    """The season that runs and the one before: what fell due in it may have been written since (PD-58)."""
    season = clock.today().year
    return season - 1, season


def _frozen() -> ColumnElement[datetime]:
    """SQL: when the row's season froze or will freeze (PD-08)."""
    ends = {season: literal(clock.start_of_day(date(season + 1, 1, 1)), UtcDateTime()) for season in _judged()}
    return case(ends, value=RegisterRow.season)


def _completed_in_season() -> ColumnElement[bool]:
    return and_(RegisterRow.completed_at.is_not(None), RegisterRow.completed_at < _frozen())


def _left_in_season() -> ColumnElement[bool]:
    """SQL: the application that a standing rests on had ended by then, so that nobody comes in by it any more."""
    gone = or_(
        ApplicationEvent.to_state.in_((State.REFUSED, State.WITHDRAWN, State.FAILED_EXTERNAL)),
        and_(ApplicationEvent.to_state == State.RETURNED, ApplicationEvent.from_state == State.AWAITING_RELEASE),
    )
    return exists().where(
        ApplicationEvent.application_id == Standing.application_id, ApplicationEvent.at < _frozen(), gone
    )


def _counters() -> Select[Any]:
    return counters.differing(clock.today().year)


def _names() -> Select[Any]:
    same = and_(Account.id == UnclearName.account_id, Account.name == UnclearName.name)
    return select(UnclearName.account_id).join(Account, same)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("paths", "组织路径与上级一致", _paths),
    Invariant("application_places", "申请记下的两端位置与组织一致", _application_places),
    Invariant("offices", "承办组织是本级或最近的有管理员的上级", _offices),
    Invariant("graduates", "毕业生团组织都是团支部", _graduates),
    Invariant("closed", "停用的组织里没有团员", _closed_with_members),
    Invariant("membership", "每名团员有且只有一段未结束的组织关系，与所在支部一致", _membership),
    Invariant("overlaps", "同一团员的组织关系时间不重叠", _overlaps),
    Invariant("branches", "团员都编在团支部，或在外部系统", _in_branches),
    Invariant("history", "申请状态与最后一条办理记录一致", _history),
    Invariant("steps", "每条办理记录从上一条的状态开始", _steps),
    Invariant("deadlines", "办理期限只在计时的状态存在", _deadlines),
    Invariant("conserved", "未办结的申请，团员仍在转出支部", _origin_kept),
    Invariant("completed", "已完成的申请都有对应的组织关系变动", _completed),
    Invariant("arrivals", "已完成的申请都有新转入记录", _arrivals),
    Invariant("register", "届别名册的完成都有已完成的申请为凭", _register),
    Invariant("standings", "每名计入本届的毕业生有且只有一条现行计入情况，与名册一致", _standings),
    Invariant("counters", "指标计数与逐人统计一致", _counters),
    Invariant("letters", "介绍信编号不超过本年度已编到的号", _letters),
    Invariant("names", "升级时看不懂的姓名都已更正（所列为账号）", _names),
    Invariant("cases", "事项的状态和所在单位与最后一条办理记录一致", _cases),
)


def examine(invariants: Iterable[Invariant] = INVARIANTS) -> list[Finding]:
    """Check every invariant; reads only."""
    findings = []
    for invariant in invariants:
        query = invariant.offenders()
        broken = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = list(session.scalars(query.order_by(*query.selected_columns).limit(LISTED))) if broken else []
        findings.append(Finding(invariant.name, invariant.says, broken, rows))
    return findings
