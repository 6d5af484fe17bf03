"""Writes of graduation: mark a branch, keep the season register (G-03, PD-08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import literal, select, update

from zhtj.graduation.models import BranchMark, GraduateCategory, NoTime, RegisterRow
from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_new, session, touched
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Category, Organisation, Tier
from zhtj.people.models import Member
from zhtj.policy.seasons import campaign_open, policy_for

UNMARKABLE = "小学"


def may_be_marked(branch: Organisation) -> bool:
    """Whether a branch has the graduation feature at all: a school's, not a primary school's (G-13, O-17)."""
    return branch.tier is Tier.BRANCH and branch.industry in SCHOOL_INDUSTRIES and branch.industry != UNMARKABLE


def mark_branch(
    branch: Organisation,
    *,
    month: date | None,
    no_time: NoTime | None = None,
    seat_id: int | None = None,
    with_register: bool = True,
) -> BranchMark:
    """Mark a branch's expected graduation month, or why it has none: exactly one of the two (G-03).

    Args:
        branch: a school's.
        month: first day of the month.
        no_time: reason instead.
        seat_id: who marks; None for an import.
        with_register: False for one of many marks; whoever makes them opens the register once at the end.

    Raises:
        DomainError: both or neither given; not a school's branch (G-13); already marked.
    """
    if (month is None) == (no_time is None):
        raise DomainError("请填写毕业时间，或选择无法确定的原因，两者只填一项。", field="month", rule="G-03")
    if not may_be_marked(branch):
        raise DomainError(
            f"{branch.short_name}不是学校的团支部，不能标记毕业时间。",
            fix="请先核对组织类别和单位所属行业类别。",
            rule="G-13",
        )
    if session.get(BranchMark, branch.id) is not None:
        raise DomainError(f"{branch.short_name}已经标记过毕业时间。", rule="G-14")
    mark = BranchMark(org_id=branch.id, month=month, no_time=no_time, marked_at=clock.now(), marked_by_seat_id=seat_id)
    session.add(mark)
    session.flush()
    audit.record(
        "branch.mark",
        "organisation",
        branch.id,
        month=month.isoformat() if month else None,
        no_time=no_time.value if no_time else None,
    )
    if with_register:
        open_register()
    return mark


def open_register() -> int:
    """Give every member of a branch that graduates this season his row, once (PD-08).

    Does nothing before the campaign starts; run after every mark, import and by the daily sweep. Returns new rows.
    """
    season = clock.today().year
    calendar = policy_for(season, ())
    if not campaign_open(calendar, clock.today()):
        return 0
    known = select(RegisterRow.member_id).where(RegisterRow.season == season)
    missing = (
        select(
            literal(season),
            Member.id,
            Organisation.id,
            Organisation.path,
            literal(clock.now(), RegisterRow.opened_at.type),
        )
        .join(Organisation, Organisation.id == Member.org_id)
        .join(BranchMark, BranchMark.org_id == Organisation.id)
        .where(
            BranchMark.month >= date(season, 1, 1),
            BranchMark.month <= date(season, 12, 31),
            Member.archived_at.is_(None),
            Member.id.not_in(known),
        )
    )
    columns = ["season", "member_id", "origin_org_id", "season_path", "opened_at"]
    done = session.execute(
        insert_new(RegisterRow).from_select(columns, missing), execution_options={"preserve_rowcount": True}
    )
    return touched(done)


def convert_branches() -> int:
    """Turn this year's graduating branches into 毕业生团组织 and their members into graduates (G-09, G-10).

    From the conversion day of the season on (1 June); what was converted is not touched again. Returns branches.
    """
    season = clock.today().year
    if clock.today() < policy_for(season, ()).convert_date:
        return 0
    due = (
        select(Organisation.id)
        .join(BranchMark, BranchMark.org_id == Organisation.id)
        .where(
            Organisation.category == Category.BRANCH,
            BranchMark.month >= date(season, 1, 1),
            BranchMark.month <= date(season, 12, 31),
        )
    )
    ids = list(session.scalars(due))
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        session.execute(update(Organisation).where(Organisation.id.in_(chunk)).values(category=Category.GRADUATES))
        session.execute(update(Member).where(Member.org_id.in_(chunk)).values(is_graduate=True))
        audit.record_many("branch.convert", "organisation", [(branch, {"season": season}) for branch in chunk])
    return len(ids)


def open_row(member_id: int, moment: datetime) -> RegisterRow | None:
    """The member's open register row of the season that ``moment`` lies in."""
    return session.scalars(
        select(RegisterRow).where(
            RegisterRow.member_id == member_id,
            RegisterRow.season == clock.local(moment).year,
            RegisterRow.closed_at.is_(None),
        )
    ).first()


def categorise(row: RegisterRow, category: GraduateCategory) -> None:
    """An application's reason says which rate the graduate counts for; completion freezes it (PD-09)."""
    if row.completed_at is None and row.category is not category:
        audit.record("register.category", "register", row.id, before=row.category, after=category.value)
        row.category = category
        session.flush()


def complete_many(row_ids: Sequence[int], moment: datetime) -> None:
    """Count these graduates as transferred; a later transfer never undoes it (PD-20)."""
    if row_ids:
        session.execute(
            update(RegisterRow)
            .where(RegisterRow.id.in_(row_ids), RegisterRow.completed_at.is_(None))
            .values(completed_at=moment),
            execution_options={"synchronize_session": "fetch"},
        )
