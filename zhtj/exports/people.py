"""Lists of organisations and of people: who is where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from zhtj.exports.lists import Column, ExportList, Nothing
from zhtj.exports.words import day, mark, month
from zhtj.graduation import queries as graduation
from zhtj.graduation.queries import MarkFilters
from zhtj.kernel.database import session
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, check
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs import queries as orgs
from zhtj.orgs.models import Organisation
from zhtj.people.finding import members
from zhtj.people.finding.members import MemberFilters
from zhtj.people.identity import masked, masked_mobile
from zhtj.people.models import Account, Member
from zhtj.transfers import queries as transfers
from zhtj.transfers.models import Application


@dataclass(frozen=True, slots=True)
class TextFilter:
    """What a list with a search field alone is narrowed by."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class ChildFilters:
    """The children of one organisation, by a part of the name."""

    parent_id: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class ExportedMember:
    """A member as a line: with his masked number, the state of his newest application, his branch's mark."""

    member: Member
    number: str
    transfer: str
    mark: str = ""


def _people(rows: Sequence[Member]) -> list[ExportedMember]:
    ids = [member.account_id for member in rows]
    # Loaded for the chunk: the column is deferred, and one at a time would be a statement each.
    numbers = dict(session.execute(select(Account.id, Account.id_number).where(Account.id.in_(ids))).all())
    newest = transfers.newest_by_member([member.id for member in rows])
    return [
        ExportedMember(member, masked(numbers[member.account_id] or ""), _state(newest.get(member.id)))
        for member in rows
    ]


def _state(application: Application | None) -> str:
    return application.state.label if application else ""


def _left_behind(rows: Sequence[Member]) -> list[ExportedMember]:
    marks = graduation.marks([member.org_id for member in rows])
    return [
        ExportedMember(one.member, one.number, one.transfer or "未发起", mark(marks.get(one.member.org_id)))
        for one in _people(rows)
    ]


_NAME = Column("姓名", lambda one: one.member.name)
_STUDENT = Column("学号", lambda one: one.member.student_no)
_MOBILE = Column("手机号码", lambda one: masked_mobile(one.member.account.mobile or ""))

MEMBERS = ExportList(
    "members",
    "团员名单",
    Permission.MEMBER_VIEW,
    MemberFilters,
    lambda seat, chosen: members.listing(seat, chosen).dressed(_people),
    (
        _NAME,
        _STUDENT,
        Column("性别", lambda one: one.member.sex.label),
        Column("民族", lambda one: one.member.ethnicity),
        Column("身份证号码", lambda one: one.number),
        _MOBILE,
        Column("所在团支部", lambda one: one.member.org.full_name),
        Column("入团年月", lambda one: month(one.member.joined_on)),
        Column("发展团员编号", lambda one: one.member.dev_number),
        Column("专业", lambda one: one.member.major),
        Column("学历", lambda one: one.member.degree),
        Column("政治面貌", lambda one: one.member.political_status),
        Column("团费交至", lambda one: month(one.member.dues_until)),
        Column("毕业生", lambda one: "是" if one.member.is_graduate else ""),
        Column("账号", lambda one: "已激活" if one.member.account.activated_at else "未激活"),
        Column("转接", lambda one: one.transfer),
    ),
)

LEFTOVERS = ExportList(
    "leftovers",
    "往届未转出",
    Permission.MEMBER_VIEW,
    TextFilter,
    lambda seat, chosen: graduation.leftovers(seat, chosen.text).dressed(_left_behind),
    (
        _NAME,
        _STUDENT,
        Column("毕业团支部", lambda one: one.member.org.full_name),
        Column("毕业时间", lambda one: one.mark),
        _MOBILE,
        Column("转接", lambda one: one.transfer),
    ),
)


@dataclass(frozen=True, slots=True)
class Body:
    """An organisation as a line: with its members and its mark, where it is a branch."""

    org: Organisation
    members: str
    mark: str


def _children(seat: ActiveSeat, chosen: ChildFilters) -> Listing[Body]:
    parent = session.get(Organisation, chosen.parent_id)
    if parent is None:
        raise NotFound
    check(seat, Permission.ORGANISATION_VIEW, parent.path)
    return orgs.children(parent, chosen.text).dressed(_bodies)


def _bodies(rows: Sequence[Organisation]) -> list[Body]:
    branches = [one.id for one in rows if one.is_branch]
    counts, marks = members.count_by_branch(branches), graduation.marks(branches)
    return [
        Body(one, str(counts.get(one.id, 0)) if one.is_branch else "", mark(marks.get(one.id)) if one.is_branch else "")
        for one in rows
    ]


_BODY = (
    Column("组织全称", lambda one: one.org.full_name),
    Column("组织简称", lambda one: one.org.short_name),
    Column("组织编码", lambda one: one.org.code),
    Column("组织类别", lambda one: one.org.category.label),
    Column("单位所属行业类别", lambda one: one.org.industry),
    Column("团员数", lambda one: one.members),
    Column("毕业时间", lambda one: one.mark),
    Column("联系电话", lambda one: one.org.phone),
    Column("停用日期", lambda one: day(one.org.closed_at)),
)

ORGANISATIONS = ExportList("organisations", "下级团组织", Permission.ORGANISATION_VIEW, ChildFilters, _children, _BODY)
MARKING = ExportList(
    "marking",
    "团支部毕业时间标记",
    Permission.GRADUATION_MARK,
    MarkFilters,
    lambda seat, chosen: graduation.branch_list(seat, chosen).dressed(_bodies),
    _BODY,
)
EMPTIED = ExportList(
    "emptied",
    "已转空的毕业生团组织",
    Permission.GRADUATION_MARK,
    Nothing,
    lambda seat, _chosen: graduation.emptied(seat).dressed(_bodies),
    _BODY,
)

LISTS: tuple[ExportList, ...] = (MEMBERS, LEFTOVERS, ORGANISATIONS, MARKING, EMPTIED)
