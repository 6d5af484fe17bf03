"""Lists of members inside what a seat may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.paging import Page, paginate
from zhtj.kernel.permissions import ActiveSeat, Permission, scope
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member, Membership

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class MemberFilters:
    """What the list is narrowed by.

    Args:
        text: start of the name, or a whole student, mobile or ID number.
        org_id: one branch.
        active: ``yes`` or ``no``: whether the account was opened; "" for both.
    """

    text: str = ""
    org_id: int | None = None
    active: str = ""


def listing(seat: ActiveSeat, filters: MemberFilters, *, after: str = "", before: str = "") -> Page[Member]:
    """Members of the seat's organisation and below, in the order in which they were entered."""
    query = _listed(select(Member), seat, filters).options(joinedload(Member.account), joinedload(Member.org))
    return paginate(query, [Member.id], after=after, before=before)


def picked(
    seat: ActiveSeat, filters: MemberFilters, *, ids: Sequence[int] | None = None, limit: int
) -> list[tuple[int, str, str]]:
    """Id, name and organisation of the members of that list: all of them, or those with these ids."""
    columns = select(Member.id, Account.name, Organisation.short_name).select_from(Member)
    query = _listed(columns, seat, filters)
    if ids is not None:
        query = query.where(Member.id.in_(ids))
    rows = session.execute(query.order_by(Member.id).limit(limit))
    return [(number, name, branch) for number, name, branch in rows]


def count_listed(seat: ActiveSeat, filters: MemberFilters) -> int:
    """How many members the list shows on all its pages."""
    return session.scalar(_listed(select(func.count(Member.id)).select_from(Member), seat, filters)) or 0


def _listed(query: Query, seat: ActiveSeat, filters: MemberFilters) -> Query:
    """``query`` narrowed to the members that the list shows under its filters."""
    query = (
        query.join(Organisation, Organisation.id == Member.org_id)
        .join(Account, Account.id == Member.account_id)
        .where(scope(Organisation.path, seat, Permission.MEMBER_VIEW), Member.archived_at.is_(None))
    )
    text = filters.text.strip()
    if text:
        query = query.where(
            or_(
                and_(Account.name >= text, Account.name < text + "\U0010ffff"),
                Member.student_no == text,
                Account.mobile_hash == keyed_hash("mobile", text),
                Account.id_hash == keyed_hash("id_number", text.upper()),
            )
        )
    if filters.org_id is not None:
        query = query.where(Member.org_id == filters.org_id)
    if filters.active:
        opened = Account.activated_at.is_not(None)
        query = query.where(opened if filters.active == "yes" else ~opened)
    return query


def count(seat: ActiveSeat) -> int:
    """Members in the seat's organisation and below."""
    query = (
        select(func.count())
        .select_from(Member)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(scope(Organisation.path, seat, Permission.MEMBER_VIEW), Member.archived_at.is_(None))
    )
    return session.scalar(query) or 0


def count_by_branch(branch_ids: list[int]) -> dict[int, int]:
    """Members of each of these branches."""
    rows = session.execute(
        select(Member.org_id, func.count())
        .where(Member.org_id.in_(branch_ids), Member.archived_at.is_(None))
        .group_by(Member.org_id)
    )
    return dict(rows.all())


def find_exactly(name: str, id_number: str) -> Member | None:
    """The member with exactly this name and full ID number, wherever he is (A-04, PD-37)."""
    return session.scalars(
        select(Member)
        .join(Account, Account.id == Member.account_id)
        .where(Account.id_hash == keyed_hash("id_number", id_number), Account.name == name)
        .where(Member.archived_at.is_(None))
        .options(joinedload(Member.account), joinedload(Member.org))
    ).first()


def by_id_number(id_number: str) -> Member | None:
    """The member with this ID number, wherever he is."""
    query = select(Member).join(Account, Account.id == Member.account_id)
    return session.scalars(
        query.where(Account.id_hash == keyed_hash("id_number", id_number)).options(
            joinedload(Member.account), joinedload(Member.org)
        )
    ).first()


def stays(member_id: int) -> list[Membership]:
    """Where a member has been, newest first."""
    query = select(Membership).where(Membership.member_id == member_id).options(joinedload(Membership.org))
    return list(session.scalars(query.order_by(Membership.id.desc())))
