"""What is no transfer here, or not yet: each page says what holds, and leads into the form (PD-10, PD-32)."""

from __future__ import annotations

from enum import StrEnum

from flask import render_template

from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Region
from zhtj.orgs.policies import policy_of
from zhtj.policy.vocabulary import StayingCase
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.member.contacts import own_line
from zhtj.web.member.loading import own


class GuideTopic(StrEnum):
    """Subject of a guide; the value stands in the address."""

    SPECIAL_UNIT = "special-unit"
    RETENTION = "retention"
    OVERSEAS_STUDY = "overseas-study"
    DELAY = "delay"
    EXTERNAL = "external"

    @property
    def label(self) -> str:
        """The page's title."""
        return _LABELS[self]


_LABELS = {
    GuideTopic.SPECIAL_UNIT: "参军入伍、去涉密单位",
    GuideTopic.RETENTION: "暂时保留在学校",
    GuideTopic.OVERSEAS_STUDY: "出国（境）学习研究",
    GuideTopic.DELAY: "延迟毕业",
    GuideTopic.EXTERNAL: "转往北京、广东、福建",
}
STAYING = (GuideTopic.OVERSEAS_STUDY, GuideTopic.DELAY, GuideTopic.RETENTION)
OF_CASE = {
    StayingCase.RETENTION: GuideTopic.RETENTION,
    StayingCase.OVERSEAS_STUDY: GuideTopic.OVERSEAS_STUDY,
    StayingCase.DELAY: GuideTopic.DELAY,
}
REGIONS = {Region.BEIJING: "北京", Region.GUANGDONG: "广东", Region.FUJIAN: "福建"}


@routes.member.get("/guides/<topic>")
@requires(Permission.OWN_MEMBERSHIP)
def guide(topic: str) -> str:
    """One guide."""
    if topic not in set(GuideTopic):
        raise NotFound
    _, member = own()
    return render_template(
        "member/guide.html",
        topic=GuideTopic(topic),
        staying=GuideTopic(topic) in STAYING,
        member=member,
        line=own_line(member.org),
        policy=policy_of(member.org),
    )
