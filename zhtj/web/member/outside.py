"""What a member reads whose relationship is, or is to be, outside our tree: the special units' pool, another system."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template

from zhtj.orgs.contacts import OfficeContact, contact
from zhtj.orgs.models import Purpose
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.transfers.deciding.after_failure import Ending, ending
from zhtj.transfers.models import Application
from zhtj.transfers.parties import province_of
from zhtj.transfers.workflow import State, Track
from zhtj.web.member.applying.choosing import needs_self_report
from zhtj.web.rendering.history import decisive


@dataclass(frozen=True, slots=True)
class Abroad:
    """What he has to do in 北京, 广东 or 福建.

    Args:
        place: the region.
        self_report: whether he has to report himself there (X-06).
        recorder: who notes here what that system has decided, and the number (PD-32).
    """

    place: str
    self_report: bool
    recorder: OfficeContact


def abroad(application: Application | None) -> Abroad | None:
    """The same for an application into an external system; None for any other."""
    if application is None or application.track is not Track.EXTERNAL:
        return None
    region, old = application.to_org, application.from_org
    return Abroad(region.system.label, needs_self_report(policy_of(old), region), contact(old))


def asked(application: Application) -> OfficeContact:
    """Whom one rings about it: whoever holds it or has ended it, else the destination, the province, or who records.

    O-24, A-23.
    """
    if application.holder is not None:
        return contact(application.holder)
    ended = ending_of(application)
    if ended is not None:
        return contact(ended.asked)
    if application.track is Track.SPECIAL:
        return contact(province_of(application.from_org))
    return contact(application.from_org if application.track is Track.EXTERNAL else application.to_org)


def ending_of(application: Application) -> Ending | None:
    """How it ended without success, and what to do now; None for any other (A-23)."""
    return ending(application, decisive(application))


def home(member: Member, latest: Application | None) -> str:
    """His first page, once he is in the pool (S-06, S-07) or in an external system (X-10)."""
    arrived = latest if latest is not None and latest.state is State.COMPLETED else None
    in_pool = member.org.purpose is Purpose.SPECIAL_POOL
    left = arrived.from_org if arrived is not None else None
    return render_template(
        "member/home/outside.html",
        member=member,
        application=latest,
        arrived=arrived,
        in_pool=in_pool,
        abroad=abroad(arrived),
        left=contact(left) if left is not None else None,
        province=contact(province_of(left)) if in_pool and left is not None else None,
    )
