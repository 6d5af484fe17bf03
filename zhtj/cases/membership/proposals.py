"""Whose membership ends, is suspended or removed by the rules: software proposes, people decide (D-21, D-22, U-24).

超龄: 28 years old without a League post; graduates of a running campaign are left alone until it is over (U-25).
失联: a floating member whom nobody has reached for a year is suspended, and removed two years after that, if nobody has
heard of him since (PD-61). 自行脱团: six whole months without dues. Ages and terms are the policy's.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import joinedload

from zhtj.cases.models import Case
from zhtj.floating.models import Contact, Stay
from zhtj.floating.queries import last_contacts
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission, bool_column, scope
from zhtj.kernel.sql.days import local_day
from zhtj.kernel.sql.listing import Listing, count_rows
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import by_policy
from zhtj.people.models import Member, Seat
from zhtj.people.rules import months_after, years_before
from zhtj.policy.model import Policy


class Measure(StrEnum):
    """团籍处理: what is proposed and decided."""

    OVER_AGE = "over_age"
    SUSPEND = "suspend"
    REMOVE = "remove"
    LEFT = "left"
    RESUME = "resume"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "over_age": "超龄离团",
            "suspend": "停止团籍",
            "remove": "停止团籍期满，除名",
            "left": "自行脱团，除名",
            "resume": "恢复团籍",
        }[self.value]

    @property
    def rule(self) -> str:
        """Where it comes from."""
        return {"over_age": "U-24", "left": "D-22"}.get(self.value, "D-21")


# What the software looks for by itself, in the order of the page.
PROPOSED = (Measure.OVER_AGE, Measure.SUSPEND, Measure.REMOVE, Measure.LEFT)


def ground_of(measure: Measure, policy: Policy) -> str:
    """On what ground the measure is proposed, in words."""
    return {
        Measure.OVER_AGE: f"年满 {policy.leave_age} 周岁，没有担任团内职务，也不是正在衔接的本届毕业生",
        Measure.SUSPEND: f"流动团员，{policy.suspend_after_months} 个月以上没有取得联系",
        Measure.REMOVE: f"停止团籍已满 {policy.remove_after_suspension_years} 年，其间一直没有取得联系",
        Measure.LEFT: f"连续 {policy.inactive_months} 个月没有交纳团费",
        Measure.RESUME: "已停止团籍",
    }[measure]


def _heard() -> ColumnElement[date]:
    """SQL: the last day on which a floating member was reached, else the day he came."""
    return func.coalesce(Stay.last_contact_on, Stay.since)


def _heard_since_suspension() -> ColumnElement[bool]:
    """SQL: somebody has reached him since, or he has spoken up himself (PD-61)."""
    reached = (
        exists()
        .where(Stay.member_id == Member.id, Contact.onward_id == Stay.id)
        .where(Contact.on >= local_day(Member.suspended_at))
    )
    spoke = exists().where(Case.raised_member_id == Member.id, Case.raised_at > Member.suspended_at)
    return or_(reached, spoke)


def _due(measure: Measure, policy: Policy, today: date) -> ColumnElement[bool]:
    """SQL over ``Member``: the term of a measure has run out under this policy."""
    if measure is Measure.OVER_AGE:
        return bool_column(Member.born <= years_before(today, policy.leave_age))
    if measure is Measure.SUSPEND:
        lost = months_after(today, -policy.suspend_after_months)
        return exists().where(
            Stay.member_id == Member.id, Stay.ended_at.is_(None), Stay.org_id == Member.org_id, _heard() <= lost
        )
    if measure is Measure.REMOVE:
        day = years_before(today, policy.remove_after_suspension_years)
        return bool_column(Member.suspended_at < clock.start_of_day(day + timedelta(days=1)))
    paid = months_after(today.replace(day=1), -(policy.inactive_months + 1))
    return bool_column(Member.dues_until <= paid)


def _conditions(measure: Measure, today: date) -> list[ColumnElement[bool]]:
    """SQL over ``Member`` and his ``Organisation``: for whom the measure has its ground on this day."""
    present: list[ColumnElement[bool]] = [Member.archived_at.is_(None)]
    if measure is Measure.RESUME:
        return [*present, Member.suspended_at.is_not(None)]
    present.append(by_policy(Organisation.path, lambda policy: _due(measure, policy, today)))
    if measure is Measure.OVER_AGE:
        post = exists().where(Seat.account_id == Member.account_id, Seat.ended_at.is_(None))
        connecting = exists().where(
            RegisterRow.member_id == Member.id, RegisterRow.season == today.year, RegisterRow.closed_at.is_(None)
        )
        # U-24, U-25: 28, without a post, and not a graduate whose campaign is still on.
        return [*present, ~post, ~connecting]
    if measure is Measure.REMOVE:
        return [*present, ~_heard_since_suspension()]
    return [*present, Member.suspended_at.is_(None)]


def holds(member: Member, measure: Measure) -> bool:
    """Whether the measure has its ground today."""
    query = select(Member.id).join(Organisation, Organisation.id == Member.org_id)
    return session.scalar(query.where(Member.id == member.id, *_conditions(measure, clock.today()))) is not None


def listing(seat: ActiveSeat, measure: Measure) -> Listing[Member]:
    """Whom the software proposes, in the seat's organisation and below."""
    return Listing(
        _proposed(select(Member), seat, measure),
        [Organisation.path, Member.id],
        loads=(joinedload(Member.account), joinedload(Member.org)),
        counting=lambda most: count_rows(_proposed(select(Member.id), seat, measure).order_by(Organisation.path), most),
    )


def _proposed(query: Select[Any], seat: ActiveSeat, measure: Measure) -> Select[Any]:
    return query.join(Organisation, Organisation.id == Member.org_id).where(
        scope(Organisation.path, seat, Permission.MEMBER_VIEW), *_conditions(measure, clock.today())
    )


def grounds(members: list[Member], measure: Measure) -> dict[int, str]:
    """The ground of each in words, with its day."""
    if measure is Measure.SUSPEND:
        days = last_contacts([one.id for one in members])
        return {number: f"最近一次联系：{day:%Y-%m-%d}" for number, day in days.items()}
    return {one.id: _ground(one, measure) for one in members}


def _ground(member: Member, measure: Measure) -> str:
    if measure is Measure.OVER_AGE:
        status = f"，{member.political_status}" if member.political_status else ""
        return f"{member.age_on(clock.today())} 周岁{status}，没有团内职务"
    if measure is Measure.LEFT:
        return f"团费交至 {member.dues_until:%Y-%m}"
    return f"{clock.local(member.suspended_at):%Y-%m-%d} 停止团籍" if member.suspended_at else ""
