"""Once a week every office hears how many of its graduates still lack an approved form: they cannot leave (U-13)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from zhtj.graduation.models import RegisterRow
from zhtj.identity.models import Certification
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.work import periods
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.policy.seasons import campaign_open, policy_for

NAME = "missing-files"
_WEEK = 7


def remind() -> int:
    """Tell every office once a week of the campaign; how many were told."""
    today = clock.today()
    policy = policy_for(today.year, ())
    if not campaign_open(policy, today) or not periods.claim(NAME, today.toordinal() // _WEEK):
        return 0
    return notices.send_many(_messages())


def _messages() -> Iterator[NewMessage]:
    """One an office that acts for branches with such members (PD-22)."""
    today = clock.today()
    since = policy_for(today.year, ()).certification_from
    query = (
        select(Organisation.office_id, func.count())
        .select_from(RegisterRow)
        .join(Member, Member.id == RegisterRow.member_id)
        .join(Organisation, Organisation.id == Member.org_id)
        .outerjoin(Certification, Certification.member_id == Member.id)
        .where(
            RegisterRow.season == today.year,
            RegisterRow.origin_org_id.is_not(None),
            RegisterRow.closed_at.is_(None),
            RegisterRow.completed_at.is_(None),
            Member.archived_at.is_(None),
            Member.joined_on >= since,
            Certification.member_id.is_(None),
            Organisation.office_id.is_not(None),
        )
        .group_by(Organisation.office_id)
    )
    for office_id, number in session.execute(query).all():
        body = (
            f"有 {number} 名应届毕业生团员的入团志愿书还没有上传或没有通过审核。{since.year} 年及以后入团的，"
            "完成团员身份认证以前不能转接组织关系。请到“团员”页的“认证与档案”查看名单，可以成批上传。"
        )
        yield NewMessage(MessageKind.REMINDER, f"{number} 名毕业生团员的档案未认证", body, org_id=office_id)
