"""Lists of members inside what a seat may see: filters, orders, search by name or number (PD-37, U-20)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import contains_eager, joinedload

from zhtj.kernel import clock, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, bool_column, scope, subtree
from zhtj.kernel.sql.listing import Listing, count_rows
from zhtj.orgs.models import Organisation, Purpose
from zhtj.orgs.policies import national_policy
from zhtj.people.finding import search
from zhtj.people.models import Account, Member, Membership, Sex
from zhtj.people.rules import years_before
from zhtj.people.signing.accounts import tidy

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
# A leading organ's list that has more says so and counts no further: what is rare lies far apart in a province.
COUNTED = 200
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_NUMBER = re.compile(r"[0-9A-Z-]*[0-9][0-9A-Z-]*")


class MembershipStatus(StrEnum):
    """团籍状态: who the list shows."""

    PRESENT = ""
    SUSPENDED = "suspended"
    ARCHIVED = "archived"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"": "在册", "suspended": "停止团籍", "archived": "已归档"}[self.value]

    @property
    def is_archived(self) -> bool:
        """Whether nothing is done with them any more."""
        return self is MembershipStatus.ARCHIVED


class Age(StrEnum):
    """年龄 around the end of membership (U-24, U-25)."""

    TURNING = "turning"
    OVER = "over"

    @property
    def label(self) -> str:
        """The term on the screen."""
        age = national_policy().leave_age
        return {"turning": f"一年内满 {age} 周岁", "over": f"已满 {age} 周岁"}[self.value]


class Missing(StrEnum):
    """缺少的资料."""

    MOBILE = "mobile"
    DEV_NUMBER = "dev_number"
    STUDENT_NO = "student_no"
    POLITICAL = "political_status"
    RESIDENCE = "residence"
    EMERGENCY = "emergency_phone"
    DUES = "dues_until"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "mobile": "手机号码",
            "dev_number": f"发展团员编号（{national_policy().dev_number_required_from.year} 年起入团）",
            "student_no": "学号",
            "political_status": "政治面貌",
            "residence": "居住地",
            "emergency_phone": "紧急联系电话",
            "dues_until": "团费交至",
        }[self.value]


class MemberOrder(StrEnum):
    """排序."""

    BRANCH = ""
    NAME = "name"
    JOINED = "joined"
    OLDEST = "oldest"
    YOUNGEST = "youngest"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "": "团支部",
            "name": "姓名",
            "joined": "入团年月",
            "oldest": "年龄从大到小",
            "youngest": "年龄从小到大",
        }[self.value]


POLITICAL = ("共青团员", "中共预备党员", "中共党员", "群众")


@dataclass(frozen=True, slots=True)
class MemberFilters:
    """What the list is narrowed by, and its order; yes-no filters are ``yes``, ``no`` or "" for both.

    Args:
        text: start of the name or of its pinyin initials, or a whole student, mobile, ID or 发展团员 number.
        org_id: one organisation with everything below it.
        active: whether the account was opened.
        graduate: whether he belongs to a graduates' organisation.
        purpose: what his branch was built for.
        standing: everybody present, or only those suspended, or the archived ones.
        sex, age, missing, political: as they say.
        order: of the list.
    """

    text: str = ""
    org_id: int | None = None
    active: str = ""
    graduate: str = ""
    purpose: Purpose | None = None
    standing: MembershipStatus = MembershipStatus.PRESENT
    sex: Sex | None = None
    age: Age | None = None
    missing: Missing | None = None
    political: str = ""
    order: MemberOrder = MemberOrder.BRANCH


def listing(seat: ActiveSeat, filters: MemberFilters) -> Listing[Member]:
    """The members of the seat's organisation and below."""
    keys, descending = _order(filters.order, beyond_school=seat.kind is SeatKind.PROVINCIAL)
    return Listing(
        _listed(select(Member), seat, filters),
        keys,
        descending=descending,
        loads=(contains_eager(Member.account), contains_eager(Member.org)),
        counting=lambda most: _count(seat, filters, most),
    )


def _order(order: MemberOrder, *, beyond_school: bool) -> tuple[list[Any], bool]:
    """Columns that order the list, and whether downwards."""
    first: Any = {
        MemberOrder.BRANCH: Organisation.path,
        MemberOrder.NAME: Account.name,
        MemberOrder.JOINED: Member.joined_on,
        MemberOrder.OLDEST: Member.born,
        MemberOrder.YOUNGEST: Member.born,
    }[order]
    if order is MemberOrder.NAME and not beyond_school:
        # Sorted as they are found here: in the index on names one would meet everybody else's first.
        first = (Account.name + literal("")).label("name")
    return [first, Member.id], order is MemberOrder.YOUNGEST


def picked(
    seat: ActiveSeat, filters: MemberFilters, *, ids: Sequence[int] | None = None, most: int
) -> list[tuple[int, str, str]]:
    """Id, name and organisation of the members of that list: all of them, or those with these ids."""
    found = listing(seat, filters).ordered(Organisation.path, Member.id).where(Member.archived_at.is_(None))
    if ids is not None:
        found = found.where(Member.id.in_(ids))
    return found.take(most, Member.id, Account.name, Organisation.short_name)


def _count(seat: ActiveSeat, filters: MemberFilters, most: int | None) -> int:
    """How many the list has; a school's are all counted, whatever ``most`` says."""
    if seat.kind is SeatKind.PROVINCIAL:
        # In the order of the tree, so that no plan hopes to meet them soon somewhere among all members.
        query = _listed(select(Member.id), seat, filters, account=False).order_by(Organisation.path)
        return count_rows(query, most)
    # Branch by branch: whatever is asked, nobody outside the school is looked at.
    here = select(func.count(Member.id)).where(Member.org_id == Organisation.id, *_of_person(filters))
    if _of_account(filters):
        here = here.join(Account, Account.id == Member.account_id)
    each = here.correlate(Organisation).scalar_subquery()
    return session.scalar(select(func.sum(each)).select_from(Organisation).where(*_of_place(seat, filters))) or 0


def _listed(query: Query, seat: ActiveSeat, filters: MemberFilters, *, account: bool = True) -> Query:
    """``query`` narrowed to the members that the list shows under its filters; ``account``: joins it even unasked."""
    query = query.join(Organisation, Organisation.id == Member.org_id)
    if account or _of_account(filters):
        query = query.join(Account, Account.id == Member.account_id)
    return query.where(*_of_place(seat, filters), *_of_person(filters))


def _of_account(filters: MemberFilters) -> bool:
    """Whether anything is asked of the account."""
    return bool(filters.text.strip() or filters.active) or filters.missing is Missing.MOBILE


def _of_place(seat: ActiveSeat, filters: MemberFilters) -> list[ColumnElement[bool]]:
    """What is asked of the branch."""
    asked = [scope(Organisation.path, seat, Permission.MEMBER_VIEW)]
    if filters.org_id is not None:
        asked.append(_inside(filters.org_id))
    if filters.purpose is not None:
        asked.append(bool_column(Organisation.purpose == filters.purpose))
    return asked


def _of_person(filters: MemberFilters) -> list[ColumnElement[bool]]:
    """What is asked of the member and his account; who has no date of birth has no place by age."""
    asked = _standing(filters.standing)
    if filters.order in {MemberOrder.OLDEST, MemberOrder.YOUNGEST}:
        asked.append(Member.born.is_not(None))
    if filters.text.strip():
        asked.append(_called(filters.text.strip()))
    if filters.active:
        asked.append(_either(Account.activated_at.is_not(None), filters.active))
    if filters.graduate:
        asked.append(_either(Member.is_graduate.is_(True), filters.graduate))
    if filters.sex is not None:
        asked.append(bool_column(Member.sex == filters.sex))
    if filters.political:
        asked.append(bool_column(Member.political_status == filters.political))
    if filters.age is not None:
        asked += _aged(filters.age)
    return asked + _lacking(filters.missing) if filters.missing is not None else asked


def _either(condition: ColumnElement[bool], wanted: str) -> ColumnElement[bool]:
    return condition if wanted == "yes" else ~condition


def _standing(wanted: MembershipStatus) -> list[ColumnElement[bool]]:
    if wanted is MembershipStatus.ARCHIVED:
        return [Member.archived_at.is_not(None)]
    present: list[ColumnElement[bool]] = [Member.archived_at.is_(None)]
    if wanted is MembershipStatus.SUSPENDED:
        present.append(Member.suspended_at.is_not(None))
    return present


def _inside(org_id: int) -> ColumnElement[bool]:
    """This organisation or below; a branch by its id."""
    found = session.get(Organisation, org_id)
    if found is None or found.is_branch:
        return bool_column(Organisation.id == org_id)
    return subtree(Organisation.path, found.path)


def _aged(age: Age) -> list[ColumnElement[bool]]:
    """Born before the day on which one turns that old, or in the year behind it."""
    today, leaving = clock.today(), national_policy().leave_age
    over = years_before(today, leaving)
    if age is Age.OVER:
        return [bool_column(Member.born <= over)]
    return [bool_column(Member.born.between(over + date.resolution, years_before(today, leaving - 1)))]


def _lacking(missing: Missing) -> list[ColumnElement[bool]]:
    if missing is Missing.MOBILE:
        return [Account.mobile_hash.is_(None)]
    column = getattr(Member, missing.value)
    conditions: list[ColumnElement[bool]] = [column.is_(None)]
    if missing is Missing.DEV_NUMBER:
        conditions.append(Member.joined_on >= national_policy().dev_number_required_from)
    return conditions


def _called(text: str) -> ColumnElement[bool]:
    """Whose name or its initials begin so, or whose number is exactly this; each way of asking has its index."""
    number = tidy(text)
    if not _NUMBER.fullmatch(number):
        return search.begins(text)
    if _ID_NUMBER.fullmatch(number):
        return bool_column(Account.id_hash == keyed_hash("id_number", number))
    ways = [select(Member.id).where(Member.student_no.in_({text, number}))]
    if _MOBILE.fullmatch(number):
        owner = select(Account.id).where(Account.mobile_hash == keyed_hash("mobile", number))
        ways.append(select(Member.id).where(Member.account_id.in_(owner)))
    if number.isdecimal():
        ways.append(select(Member.id).where(Member.dev_number == number))
    return Member.id.in_(union_all(*ways) if len(ways) > 1 else ways[0])


def place(seat: ActiveSeat, text: str) -> Organisation | None:
    """The one organisation here or below with this code, full or short name; None where there is none, or several."""
    words = text.strip()
    named = (Organisation.code == words) | (Organisation.full_name == words) | (Organisation.short_name == words)
    query = select(Organisation).where(scope(Organisation.path, seat, Permission.MEMBER_VIEW), named)
    found = list(session.scalars(query.limit(2)))
    return found[0] if len(found) == 1 else None


def count(seat: ActiveSeat) -> int:
    """Members in the seat's organisation and below: all of them but the few that are archived, as indexes know both."""
    everybody = select(func.count()).select_from(Member).join(Organisation, Organisation.id == Member.org_id)
    everybody = everybody.where(scope(Organisation.path, seat, Permission.MEMBER_VIEW))
    archived = everybody.where(Member.archived_at.is_not(None))
    return session.scalar(select(everybody.scalar_subquery() - archived.scalar_subquery())) or 0


def count_by_branch(branch_ids: list[int]) -> dict[int, int]:
    """Members of each of these branches."""
    rows = session.execute(
        select(Member.org_id, func.count())
        .where(Member.org_id.in_(branch_ids), Member.archived_at.is_(None))
        .group_by(Member.org_id)
    )
    return dict(rows.all())


def find_exactly(name: str, id_number: str) -> Member | None:
    """The member with this name, however it is typed, and full ID number, wherever he is (A-04, PD-37, PD-55)."""
    # both must fit exactly; nobody is found by half.
    found = by_id_number(id_number)
    fits = found is not None and found.archived_at is None and names.key(found.name) == names.key(name)
    return found if fits else None


def by_id_number(id_number: str) -> Member | None:
    """The member with this ID number, wherever he is."""
    query = select(Member).join(Account, Account.id == Member.account_id)
    return session.scalars(
        query.where(Account.id_hash == keyed_hash("id_number", id_number)).options(
            joinedload(Member.account), joinedload(Member.org)
        )
    ).first()


def stays(*member_ids: int) -> list[Membership]:
    """Where a member has been, newest first; with the records that were merged into his, where they are named too."""
    query = select(Membership).where(Membership.member_id.in_(member_ids)).options(joinedload(Membership.org))
    return list(session.scalars(query.order_by(Membership.started_at.desc(), Membership.id.desc())))


def merged_into(member_id: int) -> list[int]:
    """Ids of the records that were merged into this one, also by way of another (K-19)."""
    found: list[int] = []
    wanted = [member_id]
    while wanted:
        wanted = list(session.scalars(select(Member.id).where(Member.merged_into_id.in_(wanted)).order_by(Member.id)))
        found += wanted
    return found
