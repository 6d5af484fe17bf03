"""What stands between a member and his transfer, all of it at once and before he begins, with the way out (A-25)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zhtj.cases.membership import e_files
from zhtj.cases.membership.e_files import EFileState
from zhtj.people.models import Member
from zhtj.transfers.applying import checks
from zhtj.transfers.applying.situations import leaver
from zhtj.transfers.queries import open_application


class Obstacle(StrEnum):
    """What stands in the way (转接前须先办好的事)."""

    CERTIFICATION = "certification"
    NUMBER = "number"
    BUSINESS = "business"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing, in words, and what to do about it.

    Args:
        case_id: the case, and ``application_id`` the application, where it is looked after.
        own_case: he raised it himself, and may look at it.
        waits: others have to act now, not the reader.
    """

    obstacle: Obstacle
    says: str
    way_out: str
    case_id: int | None = None
    own_case: bool = False
    application_id: int | None = None
    waits: bool = False

    @property
    def takes_upload(self) -> bool:
        """Whether uploading the application form gets it out of the way (U-13)."""
        return self.obstacle is Obstacle.CERTIFICATION and not self.waits

    @property
    def is_disputed_number(self) -> bool:
        """Whether somebody else's record has the number; only others can say whose it is."""
        return self.obstacle is Obstacle.NUMBER

    @property
    def is_closed_account(self) -> bool:
        """Whether the account was never opened: a code opens it."""
        return self.obstacle is Obstacle.ACCOUNT


def of(member: Member, *, with_account: bool = False) -> list[Blocker]:
    """Everything in the way of this member's transfer.

    Args:
        member: whose.
        with_account: also that his account was never opened, which only others can see.
    """
    # all of it at once, before anything is filled in.
    who = leaver(member)
    found = [explain(member) for check, explain in _EXPLAINED if check(who) is not None]
    if with_account and member.account.activated_at is None:
        found.append(
            Blocker(
                Obstacle.ACCOUNT,
                "账号还没有激活，本人不能申请。",
                "请生成激活码交给本人；也可以由组织办理转出。",
            )
        )
    return found


def stopping(member: Member) -> list[Blocker]:
    """Those that keep him from filling in an application; an open one has a page of its own."""
    return [one for one in of(member) if one.obstacle in {Obstacle.CERTIFICATION, Obstacle.NUMBER}]


def _certification(member: Member) -> Blocker:
    standing = e_files.status_of(member)
    case = standing.case
    own = case is not None and case.raised_member_id == member.id
    case_id = case.id if case else None
    if standing.state is EFileState.PENDING and case is not None:
        holder = case.holder.short_name if case.holder else ""
        way_out = f"入团志愿书已上传，等待{holder}审核，审核通过后就能办理。"
        return Blocker(Obstacle.CERTIFICATION, checks.NOT_CERTIFIED, way_out, case_id, own, waits=True)
    if standing.state is EFileState.REFUSED:
        said = e_files.opinion(case) if case is not None else ""
        way_out = f"入团志愿书没有通过审核{f'：{said}' if said else ''}。请改正后重新上传。"
    else:
        way_out = "请上传入团志愿书的扫描件（PDF）；志愿书在本人档案中的，可请团组织取出后代为上传。"
    return Blocker(Obstacle.CERTIFICATION, checks.NOT_CERTIFIED, way_out, case_id, own)


def _number(_: Member) -> Blocker:
    way_out = "请由团组织提出“发展团员编号被占用”，逐级上报省级团委协调。"
    return Blocker(Obstacle.NUMBER, checks.NUMBER_TAKEN, way_out)


def _business(member: Member) -> Blocker:
    found = open_application(member.id)
    way_out = "请等待办结；要改转其他组织的，先撤销原申请。"
    number = found.id if found is not None else None
    return Blocker(Obstacle.BUSINESS, checks.OPEN_BUSINESS, way_out, application_id=number, waits=True)


# The checks of every start, in the order in which they are told, and what there is to say besides.
_EXPLAINED = (
    (checks.certified, _certification),
    (checks.number_free, _number),
    (checks.nothing_open, _business),
)
