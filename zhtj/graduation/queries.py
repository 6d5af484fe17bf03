"""Reads of graduation: the policy of a place, marks of branches and members, the season in figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import joinedload

from zhtj.graduation import season_register
from zhtj.graduation.conversion import unmarked
from zhtj.graduation.models import BranchMark, MarkKind, MemberMark, NoTime, RegisterRow
from zhtj.graduation.rules import markable_industries
from zhtj.graduation.season_register import in_year
from zhtj.kernel import clock
from zhtj.kernel.database import among, session
from zhtj.kernel.permissions import ActiveSeat, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Category, Organisation, Tier
from zhtj.orgs.policies import policy_of
from zhtj.people.finding.search import is_named
from zhtj.people.models import Account, Member

CHUNK = 5000


def organisation_of(seat: ActiveSeat) -> Organisation:
    """The seat's organisation."""
    return session.get_one(Organisation, seat.org_id)


def marks(branch_ids: list[int]) -> dict[int, BranchMark]:
    """The marks of these branches, by branch."""
    found: dict[int, BranchMark] = {}
    for start in range(0, len(branch_ids), CHUNK):
        rows = session.scalars(select(BranchMark).where(BranchMark.org_id.in_(branch_ids[start : start + CHUNK])))
        found |= {mark.org_id: mark for mark in rows}
    return found


def count_members(branch_ids: list[int]) -> dict[int, int]:
    """How many members each of these branches has."""
    found: dict[int, int] = {}
    for start in range(0, len(branch_ids), CHUNK):
        here = Member.org_id.in_(branch_ids[start : start + CHUNK])
        rows = session.execute(
            select(Member.org_id, func.count()).where(here, Member.archived_at.is_(None)).group_by(Member.org_id)
        )
        found |= {number: count for number, count in rows}  # noqa: C416 - rows are no pairs to mypy
    return found


def register_row(member_id: int, season: int) -> RegisterRow | None:
    """The member's row of a season."""
    return session.scalars(
        select(RegisterRow).where(RegisterRow.member_id == member_id, RegisterRow.season == season)
    ).first()


def branches(seat: ActiveSeat, ids: Sequence[int]) -> list[Organisation]:
    """Those of these organisations that lie below the seat, in the order of the tree."""
    found: list[Organisation] = []
    for start in range(0, len(ids), CHUNK):
        query = select(Organisation).where(Organisation.id.in_(ids[start : start + CHUNK]))
        found += session.scalars(query.where(subtree(Organisation.path, seat.path))).all()
    return sorted(found, key=lambda one: one.path)


@dataclass(frozen=True, slots=True)
class MarkFilters:
    """What the list of branches to be marked is narrowed by; "" is no filter.

    Args:
        state: ``unmarked``, ``new`` (unmarked and built this year, O-23), ``season`` (this year), ``mixed``, ``staff``,
            ``other`` or a year.
        path: a college below the seat.
        text: part of the name.
    """

    state: str = ""
    path: str = ""
    text: str = ""


STATES = {
    "unmarked": "未标记",
    "new": "今年新建、未标记",
    "season": "今年毕业",
    **{reason.value: reason.label for reason in NoTime},
}


def branch_list(seat: ActiveSeat, filters: MarkFilters) -> Listing[Organisation]:
    """Branches of schools that the seat may mark, marked or not, in the order of the tree (G-08)."""
    return Listing(_listed(seat, filters, select(Organisation)), [Organisation.path])


@dataclass(frozen=True, slots=True)
class MarkCounts:
    """The figures above the list of branches; one statement for all of them.

    Args:
        unmarked, new: see ``MarkFilters.state``.
        listed: branches on all pages of the list as it is narrowed.
        disposed: delayed graduates and teachers.
        emptied: 毕业生团组织 whose members are all out.
    """

    unmarked: int
    new: int
    listed: int
    disposed: int
    emptied: int


def mark_counts(seat: ActiveSeat, filters: MarkFilters) -> MarkCounts:
    """Count what the list of branches says on top."""
    branches = (_listed(seat, each, select(func.count(Organisation.id))) for each in _COUNTED_STATES)
    queries = (
        *branches,
        _listed(seat, filters, select(func.count(Organisation.id))),
        _disposed(seat, None, select(func.count(MemberMark.member_id))),
        _emptied(seat, select(func.count(Organisation.id))),
    )
    return MarkCounts(*session.execute(select(*(query.scalar_subquery() for query in queries))).one())


_COUNTED_STATES = (MarkFilters("unmarked"), MarkFilters("new"))


def _listed(seat: ActiveSeat, filters: MarkFilters, query: Select[Any]) -> Select[Any]:
    own = organisation_of(seat)
    policy = policy_of(own)
    query = query.where(
        subtree(Organisation.path, filters.path or seat.path),
        subtree(Organisation.path, seat.path),
        Organisation.tier == Tier.BRANCH,
        Organisation.closed_at.is_(None),
        Organisation.industry.in_(markable_industries(policy)),
    )
    if (own.is_leading or own.industry not in SCHOOL_INDUSTRIES) and "any_but_branch" not in policy.mark_by:
        query = query.where(Organisation.parent_id == own.id)
    if filters.text:
        query = query.where(Organisation.full_name.contains(filters.text, autoescape=True))
    if filters.state in {"unmarked", "new"}:
        query = unmarked(query)
        if filters.state == "new":
            query = query.where(Organisation.created_at >= clock.start_of_day(date(clock.today().year, 1, 1)))
    elif filters.state:
        query = query.where(exists().where(BranchMark.org_id == Organisation.id, _says(filters.state)))
    return query


def _says(state: str) -> ColumnElement[bool]:
    if state in set(NoTime):
        return BranchMark.no_time.is_not_distinct_from(NoTime(state))
    return in_year(BranchMark.month, clock.today().year if state == "season" else int(state))


def years(seat: ActiveSeat) -> list[int]:
    """Years that branches below the seat are marked with, the latest first."""
    query = (
        select(BranchMark.month)
        .join(Organisation, Organisation.id == BranchMark.org_id)
        .where(subtree(Organisation.path, seat.path), BranchMark.month.is_not(None))
        .distinct()
    )
    return sorted({month.year for month in session.scalars(query) if month}, reverse=True)


# ---- members' own marks


def own_marks(member_ids: Sequence[int]) -> dict[int, MemberMark]:
    """The own marks of these members, by member."""
    rows = session.scalars(select(MemberMark).where(MemberMark.member_id.in_(member_ids)))
    return {mark.member_id: mark for mark in rows}


def is_delayed(member: Member) -> bool:
    """Whether a member is a delayed graduate who is still at school (R-08)."""
    return bool(delayed_among([member.id]))


def delayed_among(member_ids: Collection[int]) -> set[int]:
    """Those of these members who are delayed graduates still at school (R-08)."""
    query = select(Member.id).where(among(Member.id, member_ids), season_register.is_delayed(clock.today().year))
    return set(session.scalars(query)) if member_ids else set()


def members_of(branch: Organisation, text: str = "") -> Listing[Member]:
    """Members of one branch, to be marked one by one or in a batch (G-05, G-16)."""
    query = select(Member).where(Member.org_id == branch.id, Member.archived_at.is_(None))
    if text:
        query = query.join(Account, Account.id == Member.account_id).where(is_named(text))
    return Listing(query, [Member.id], loads=[joinedload(Member.account)], size=50)


def disposed(seat: ActiveSeat, kind: MarkKind | None = None) -> Listing[MemberMark]:
    """延迟毕业团员列表: delayed graduates and teachers in the seat's part of the tree (G-21)."""
    whole = (
        joinedload(MemberMark.member).joinedload(Member.account),
        joinedload(MemberMark.member).joinedload(Member.org),
        joinedload(MemberMark.org),
    )
    return Listing(_disposed(seat, kind, select(MemberMark)), [MemberMark.member_id], loads=whole)


def _disposed(seat: ActiveSeat, kind: MarkKind | None, query: Select[Any]) -> Select[Any]:
    kinds = [kind] if kind is not None else [MarkKind.DELAYED, MarkKind.TEACHER]
    below = select(Organisation.id).where(subtree(Organisation.path, seat.path))
    return query.join(Member, Member.id == MemberMark.member_id).where(
        MemberMark.kind.in_(kinds), Member.org_id.in_(below), Member.archived_at.is_(None)
    )


# ---- what earlier years left behind


def leftovers(seat: ActiveSeat, text: str = "") -> Listing[Member]:
    """Members of 毕业生团组织 of earlier years, still to be followed up; in no rate (G-23)."""
    return Listing(_left(seat, text), [Member.id], loads=[joinedload(Member.account), joinedload(Member.org)])


def _earlier() -> ColumnElement[bool]:
    first = date(clock.today().year, 1, 1)
    return exists().where(BranchMark.org_id == Organisation.id, BranchMark.month < first)


def _left(seat: ActiveSeat, text: str) -> Select[Any]:
    this_year = exists().where(MemberMark.member_id == Member.id, MemberMark.month >= date(clock.today().year, 1, 1))
    query = (
        select(Member)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(
            subtree(Organisation.path, seat.path),
            Organisation.category == Category.GRADUATES,
            _earlier(),
            Member.archived_at.is_(None),
            ~this_year,
        )
    )
    if text:
        query = query.join(Account, Account.id == Member.account_id).where(is_named(text))
    return query


def emptied(seat: ActiveSeat) -> Listing[Organisation]:
    """毕业生团组织 whose members are all out, to be closed (O-11)."""
    return Listing(_emptied(seat, select(Organisation)), [Organisation.path])


def _emptied(seat: ActiveSeat, query: Select[Any]) -> Select[Any]:
    inside = exists().where(Member.org_id == Organisation.id, Member.archived_at.is_(None))
    return query.where(
        and_(
            subtree(Organisation.path, seat.path),
            Organisation.category == Category.GRADUATES,
            Organisation.closed_at.is_(None),
            ~inside,
        )
    )
