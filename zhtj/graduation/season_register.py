"""Writes to the season register: who counts this year, since when, as what (PD-08, PD-09, PD-13, PD-20).

A graduate's time is his own mark, else his branch's. Rows are opened from the start of the campaign, closed and opened
again as marks change, never deleted; what happened to each is noted beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, extract, insert, literal, null, or_, select, update
from sqlalchemy.orm import Mapped

from zhtj.graduation.events import RegisterChanged
from zhtj.graduation.models import (
    BranchMark,
    CloseReason,
    GraduateCategory,
    MarkKind,
    MemberMark,
    RegisterChange,
    RegisterEvent,
    RegisterRow,
)
from zhtj.kernel import audit, clock, events
from zhtj.kernel.database import among, insert_new, session
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Organisation
from zhtj.people.models import Member
from zhtj.policy.seasons import campaign_open, policy_for

CHUNK = 5000
# Season path of those who graduated in an external system.
OUTSIDE = ""
Values = Collection[Any]


def in_year(column: Mapped[date | None] | ColumnElement[date | None], year: int) -> ColumnElement[bool]:
    """SQL: a month of that year."""
    return and_(column >= date(year, 1, 1), column <= date(year, 12, 31))


def effective_month() -> ColumnElement[date | None]:
    """SQL: when a member graduates, over Member, Organisation, BranchMark and MemberMark (PD-08).

    His own month and being a teacher count in the branch where they were marked; a delay goes with him inside schools,
    as long as no branch he joined later graduates after it, and counts in a later year than his branch's.
    """
    here = MemberMark.org_id == Member.org_id
    delayed = and_(
        MemberMark.kind == MarkKind.DELAYED, or_(BranchMark.month.is_(None), BranchMark.month <= MemberMark.month)
    )
    later = or_(MemberMark.before.is_(None), extract("year", MemberMark.before) < extract("year", MemberMark.month))
    return case(
        (and_(MemberMark.kind == MarkKind.TEACHER, here), null()),
        (and_(MemberMark.kind == MarkKind.INDIVIDUAL, here), MemberMark.month),
        (and_(delayed, later, Organisation.industry.in_(SCHOOL_INDUSTRIES)), MemberMark.month),
        (delayed, null()),
        else_=BranchMark.month,
    )


def _graduating(query: Select[*tuple[Any, ...]], year: int, *, own: bool) -> Select[*tuple[Any, ...]]:
    """``query`` over members who graduate that year, found by their own mark or by their branch's."""
    branch = BranchMark.org_id == Member.org_id
    query = query.select_from(Member).join(Organisation, Organisation.id == Member.org_id)
    if own:
        query = query.join(MemberMark, MemberMark.member_id == Member.id).outerjoin(BranchMark, branch)
        query = query.where(in_year(MemberMark.month, year))
    else:
        query = query.join(BranchMark, branch).outerjoin(MemberMark, MemberMark.member_id == Member.id)
        query = query.where(in_year(BranchMark.month, year))
    # M-10: this year's graduates and nobody else.
    return query.where(in_year(effective_month(), year), Member.archived_at.is_(None))


def open_register(*, branches: Values | None = None, members: Values | None = None) -> int:
    """Give every member who graduates this season his row, once (PD-08).

    Does nothing before the campaign starts; run after every mark, import and by the sweep.

    Args:
        branches: ids of those whose members are looked at; None for all.
        members: ids of those who are looked at; None for all.

    Returns:
        New rows.
    """
    season = clock.today().year
    if not campaign_open(policy_for(season, ()), clock.today()):
        return 0
    known = exists().where(RegisterRow.season == season, RegisterRow.member_id == Member.id)
    missing = select(
        literal(season),
        Member.id,
        Organisation.id,
        Organisation.path,
        literal(clock.now(), RegisterRow.opened_at.type),
    ).where(~known)
    columns = ["season", "member_id", "origin_org_id", "season_path", "opened_at"]
    done = 0
    for part in _parts(branches, members):
        for own in (False, True):
            # PD-08: one row a season and member, whoever else writes it at the same moment. In the members' order: the
            # graduates' lists follow it.
            new = _graduating(missing, season, own=own).where(*part).order_by(Member.id)
            rows = insert_new(RegisterRow).from_select(columns, new)
            ids = session.scalars(rows.returning(RegisterRow.id)).all()
            if ids:
                events.publish(RegisterChanged(tuple(ids), new=True))
            done += len(ids)
    return done


def _parts(branches: Values | None, members: Values | None) -> Iterable[list[ColumnElement[bool]]]:
    """Conditions on Member that together cover what was asked for, each short enough for one statement."""
    if branches is None and members is None:
        yield []
        return
    column, ids = (Member.org_id, branches) if branches is not None else (Member.id, members)
    listed = sorted(ids or ())
    for start in range(0, len(listed), CHUNK):
        yield [column.in_(listed[start : start + CHUNK])]


def resettle(*, branches: Values | None = None, members: Values | None = None) -> None:
    """Bring this season's rows of these members in line with their marks: close, open again, open.

    Only members who still are where they graduate from are looked at: whoever moved on keeps his row (PD-08).
    """
    season = clock.today().year
    for part in _parts(branches, members):
        found = [select(Member.id).where(*part).where(_here(season, own=own)) for own in (False, True)]
        counting = or_(*(RegisterRow.member_id.in_(one) for one in found))
        still = exists().where(Member.id == RegisterRow.member_id, Member.org_id == RegisterRow.origin_org_id, *part)
        rows = [RegisterRow.season == season, still]
        _close([*rows, ~counting], CloseReason.MARK)
        _reopen([*rows, counting], (CloseReason.MARK, CloseReason.DELAYED, CloseReason.TEACHER))
    open_register(branches=branches, members=members)


def _here(season: int, *, own: bool) -> ColumnElement[bool]:
    return Member.id.in_(_graduating(select(Member.id), season, own=own))


def close(member_ids: Values, reason: CloseReason) -> int:
    """These members no longer count this season from today on; a transfer under way goes on (PD-09, G-19).

    Returns:
        Rows closed.
    """
    season, done, ids = clock.today().year, 0, sorted(member_ids)
    for start in range(0, len(ids), CHUNK):
        chosen = RegisterRow.member_id.in_(ids[start : start + CHUNK])
        done += _close([RegisterRow.season == season, chosen], reason)
    return done


def reopen(member_ids: Values, *reasons: CloseReason) -> int:
    """These members count again, where one of ``reasons`` had closed their rows of this season. Returns rows."""
    return _reopen([RegisterRow.season == clock.today().year, RegisterRow.member_id.in_(list(member_ids))], reasons)


def close_departed() -> int:
    """Whoever left at 28, died or was removed leaves the denominators from that day (PD-13). Returns rows."""
    season = clock.today().year
    gone = (
        select(RegisterRow.id, Member.archived_at)
        .join(Member, Member.id == RegisterRow.member_id)
        .where(RegisterRow.season == season, RegisterRow.closed_at.is_(None), Member.archived_at.is_not(None))
    )
    rows = [(number, moment) for number, moment in session.execute(gone)]
    # PD-13: out of the denominators from the day on which they left; who dropped out stays until something is decided.
    for number, moment in rows:
        _close([RegisterRow.id == number], CloseReason.LEFT, moment, completed=True)
    return len(rows)


def is_delayed(season: int) -> ColumnElement[bool]:
    """SQL over Member: a delayed graduate who is still at school (R-08).

    Once the season of the later time has them on its register they graduate like everybody else (PD-08).
    """
    marked = select(MemberMark.member_id).where(
        MemberMark.member_id == Member.id,
        MemberMark.kind == MarkKind.DELAYED,
        MemberMark.month >= date(season, 1, 1),
    )
    counts = select(RegisterRow.id).where(
        RegisterRow.member_id == Member.id, RegisterRow.season == season, RegisterRow.closed_at.is_(None)
    )
    return and_(marked.correlate(Member).exists(), ~counts.correlate(Member).exists())


def keep() -> int:
    """What the sweep does: open what is missing, close who has left. Returns rows touched."""
    return open_register() + close_departed()


def _close(
    which: Sequence[ColumnElement[bool]],
    reason: CloseReason,
    moment: datetime | None = None,
    *,
    completed: bool = False,
) -> int:
    """Close open rows; completed ones count for good, unless the member has left altogether."""
    conditions = [*which, RegisterRow.closed_at.is_(None)]
    if not completed:
        conditions.append(RegisterRow.completed_at.is_(None))
    ids = _hold(conditions)
    session.execute(
        update(RegisterRow)
        .where(among(RegisterRow.id, ids))
        .values(closed_at=moment or clock.now(), close_reason=reason),
        execution_options={"synchronize_session": False},
    )
    _note([(number, RegisterChange.CLOSED, None, reason.value) for number in ids], moment)
    return len(ids)


def hold(*, members: Values = (), rows: Values = ()) -> None:
    """Hold this season's rows of these members, or these rows, before they are changed one by one in a transaction.

    Held as they come, they would let two who change the same people wait in a circle.
    """
    these = or_(among(RegisterRow.member_id, members), among(RegisterRow.id, rows))
    _hold([RegisterRow.season == clock.today().year, these])


def _hold(which: Sequence[ColumnElement[bool]]) -> list[int]:
    """Ids of these rows, held in one order, so that two who change the same people do not wait in a circle."""
    query = select(RegisterRow.id).where(*which).order_by(RegisterRow.id)
    return list(session.scalars(query.with_for_update(key_share=True)))


def _reopen(which: Sequence[ColumnElement[bool]], reasons: Sequence[CloseReason]) -> int:
    ids = _hold([*which, RegisterRow.close_reason.in_(reasons)])
    why = select(RegisterRow.id, RegisterRow.close_reason).where(among(RegisterRow.id, ids)).order_by(RegisterRow.id)
    rows = [(number, reason) for number, reason in session.execute(why)]
    session.execute(
        update(RegisterRow).where(among(RegisterRow.id, ids)).values(closed_at=None, close_reason=None),
        execution_options={"synchronize_session": False},
    )
    _note([(number, RegisterChange.REOPENED, str(reason), None) for number, reason in rows])
    return len(rows)


def _note(
    changes: Sequence[tuple[int, RegisterChange, str | None, str | None]], moment: datetime | None = None
) -> None:
    """Write the history of rows, and make the session read the rows again."""
    at, account = moment or clock.now(), audit.actor().account_id
    values = [
        {"row_id": row, "at": at, "change": change, "before": before, "after": after, "account_id": account}
        for row, change, before, after in changes
    ]
    if values:
        session.execute(insert(RegisterEvent), values)
        events.publish(RegisterChanged(tuple(row for row, *_ in changes)))
        for row in list(session.identity_map.values()):
            if isinstance(row, RegisterRow):
                session.expire(row)


def open_row(member_id: int, moment: datetime) -> RegisterRow | None:
    """The member's open register row of the season that ``moment`` lies in."""
    return session.scalars(
        select(RegisterRow).where(
            RegisterRow.member_id == member_id,
            RegisterRow.season == clock.local(moment).year,
            RegisterRow.closed_at.is_(None),
        )
    ).first()


def open_entrant(member_id: int, category: GraduateCategory | None) -> RegisterRow | None:
    """The row of a graduate who comes from an external system this season; a new one has no origin (PD-24).

    He graduated outside our tree: the row stands on nobody's line, so he is nobody's own graduate and counts as
    incoming wherever he applies. Who graduated here this season and comes back keeps the row he has.

    Args:
        member_id: whose.
        category: which rate he counts for.

    Returns:
        None for one whose row was closed: he does not count this season.
    """
    season = clock.today().year
    values = {
        "season": season,
        "member_id": member_id,
        "season_path": OUTSIDE,
        "category": category,
        "opened_at": clock.now(),
    }
    new = session.scalar(insert_new(RegisterRow).values(values).returning(RegisterRow.id))
    if new is not None:
        events.publish(RegisterChanged((new,)))
        audit.record("register.entrant", "register", new, season=season, member=member_id)
    row = open_row(member_id, clock.now())
    if row is not None and category is not None:
        categorise(row, category)
    return row


def keep_with_unit(row: RegisterRow, by: str) -> None:
    """Mark that the graduate's old unit keeps him (留在单位): he still counts, as not completed (PD-60, M-04)."""
    row.with_unit_since = clock.now()
    session.flush()
    audit.record("register.with_unit", "register", row.id, by=by)


def is_frozen(row: RegisterRow) -> bool:
    """Whether the row's category stands for good: transferred, or the season is over (PD-08, PD-09)."""
    return row.completed_at is not None or row.season < clock.today().year


def categorise(row: RegisterRow, category: GraduateCategory) -> None:
    """Say which rate the graduate counts for; registration and application alike, the later wins (PD-09).

    Later is who held the row later, whatever the clock says: whoever logs what he says logs it after this, or has held
    the row before.
    """
    hold(rows=[row.id])
    session.refresh(row)
    # PD-09: the later word wins, until completion or the end of the year.
    if is_frozen(row) or row.category is category:
        return
    before = row.category.value if row.category else None
    audit.record("register.category", "register", row.id, before=before, after=category.value)
    row.category = category
    session.flush()
    _note([(row.id, RegisterChange.CATEGORY, before, category.value)])


def complete_many(row_ids: Sequence[int], moment: datetime) -> None:
    """Count these graduates as transferred; a later transfer never undoes it (PD-20)."""
    if row_ids:
        held = among(RegisterRow.id, _hold([among(RegisterRow.id, row_ids)]))
        session.execute(
            update(RegisterRow).where(held, RegisterRow.completed_at.is_(None)).values(completed_at=moment),
            execution_options={"synchronize_session": "fetch"},
        )
