"""What an applicant does after his application ended without success: by what was said, and by whom (A-17, A-23).

One row a ground. Whoever refused, let it lapse or took it back is the one to ring up, and is named in every sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from zhtj.orgs.models import Organisation
from zhtj.transfers.kinds import basic_of
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.parties import province_of
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State, Track


class EndedBy(StrEnum):
    """Who ended it (由谁办结)."""

    OLD = "old"
    NEW = "new"
    SUPERIOR = "superior"
    PROVINCE = "province"


@dataclass(frozen=True, slots=True)
class Guidance:
    """What to do now.

    Args:
        text: the next step, in one or two sentences.
        again: the words on the button that starts again.
        plea: what the member asks his teachers for.
        at_own_school: the own school has to do something first, so that one rings up there.
    """

    text: str
    again: str
    plea: str
    at_own_school: bool = False


CORRECT, ELSEWHERE, ONCE_DONE = "改正后重新申请", "改选去向", "办好后重新申请"
_UNCHANGED = "我的去向没有变，请帮我与{who}协调。"
_FORBIDDEN = Guidance("按规定不能以此为由拒绝接收。请申诉一次，由{who}的上级处理。", "重新申请", _UNCHANGED)
# {who}: who said no. A-17: a ground is answered by what it says, not by insisting.
GUIDANCE: Mapping[Ground, Guidance] = {
    Ground.NOT_OURS: Guidance(
        "请核对去向：选错了的，改选组织；没有选错的，把劳动合同、录取通知书或居住证明给{who}看，仍不同意的可以申诉。",
        ELSEWHERE,
        _UNCHANGED,
    ),
    Ground.WORKS_ELSEWHERE: Guidance(
        "已经在别处工作的，请改转到实际工作的单位；没有工作的，请向{who}说明现在的情况。",
        ELSEWHERE,
        "我没有在别的单位工作，请帮我向{who}说明。",
    ),
    Ground.FILE_UNVERIFIED: Guidance(
        "请先补齐团员档案：请原学校团委核对入团志愿书，缺少的出具证明、补填团员信息登记表。档案办好以后再申请。",
        ONCE_DONE,
        "请帮我核对团员档案，缺少的材料请出具证明。",
        at_own_school=True,
    ),
    Ground.JOINED_MISMATCH: Guidance(
        "入团时间以入团志愿书为准。请原学校团委核对并出具书面说明；系统里写错的，先申请更正，再重新申请转接。",
        ONCE_DONE,
        "请帮我核对入团时间，出具书面说明。",
        at_own_school=True,
    ),
    Ground.NOT_LEAVING: Guidance(
        "您确实要转的，请向{who}说明，再重新申请；不打算转到那里的，改选去向。",
        "重新申请",
        "我确实要转到这个组织，请帮我向{who}说明。",
    ),
    Ground.WRONG_DESTINATION: Guidance(
        "请和{who}核对应当转到哪里，再改选组织；去向顾问会按您的情况给出去向。",
        ELSEWHERE,
        "{who}认为转入组织有误，请帮我核对应当转到哪里。",
    ),
    Ground.NOT_PASSED: Guidance(
        "请先把政审、体检等手续办完，再重新申请，并在备注中写明已经办完。",
        ONCE_DONE,
        "政审、体检等手续办完以后我会重新申请，请帮我留意。",
    ),
    Ground.NO_SPECIAL_UNIT: Guidance(
        "参军入伍或去涉密单位的才由省级团委批准。不是的，请按实际去向改选；是的，请向{who}说明。",
        ELSEWHERE,
        "我的去向属于参军入伍或涉密单位，请帮我向{who}说明。",
    ),
    Ground.WRONG_DATA: Guidance(
        "请按说明改正写错的地方，再重新申请；不清楚错在哪里的，打电话问{who}。",
        CORRECT,
        "{who}说申请信息有误，请帮我问清要改正哪里。",
    ),
    Ground.BARRED: Guidance(
        "按规定不能再转到这个组织，坚持申请也不能办理。请改选其他组织。",
        ELSEWHERE,
        "原来申请的组织按规定不能再转入，请帮我确定应当转到哪里。",
    ),
    Ground.OTHER: Guidance(
        "请先打电话向{who}问清原因：要改正的改正后重新申请，去向不对的改选组织，不服的可以申诉。",
        CORRECT,
        _UNCHANGED,
    ),
    Ground.NOT_REGULAR: Guidance("按规定不能以此为由拒绝接收。请申诉一次，由{who}的上级处理。", "重新申请", _UNCHANGED),
    Ground.NOT_RESIDENT: Guidance(
        "按规定不能以此为由拒绝接收。请申诉一次，由{who}的上级处理。", "重新申请", _UNCHANGED
    ),
}
_ENDED: Mapping[State, Guidance] = {
    State.RETURNED: Guidance(
        "去向没有变的，先打电话向{who}问清为什么没有办理，再重新申请。",
        "重新申请",
        "我的去向没有变，请帮我与{who}联系，请对方及时办理。",
    ),
    State.WITHDRAWN: Guidance("可以改好再申请；不清楚为什么撤销的，打电话问{who}。", "重新申请", ""),
    State.FAILED_EXTERNAL: Guidance(
        "先问清对方为什么没有接收：全称写错、没有在那边报到，都会退回。问清以后重新申请。", CORRECT, ""
    ),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How an application ended.

    Args:
        side: whose doing it was.
        who: that organisation, or the system's stand-in for it: whom one asks about it.
        asked: whom one rings up first; the own school where that has to do something.
        guidance: what to do, with the name of ``who`` in it.
    """

    side: EndedBy
    who: Organisation
    asked: Organisation
    guidance: Guidance


def ending(application: Application, event: ApplicationEvent | None) -> Ending | None:
    """How it ended; None while it is under way, and for one that is complete.

    Args:
        application: which.
        event: its decisive last step.
    """
    row = _row(application, event)
    if event is None or row is None:
        return None
    side = _side(application, event)
    who = _who(application, event, side)
    name = who.short_name
    told = Guidance(row.text.format(who=name), row.again, row.plea.format(who=name), row.at_own_school)
    asked = (basic_of(application.from_org) or application.from_org) if row.at_own_school else who
    return Ending(side, who, asked, told)


def _row(application: Application, event: ApplicationEvent | None) -> Guidance | None:
    if application.state is State.REFUSED:
        ground = event.ground if event is not None else None
        return GUIDANCE[Ground(ground) if ground in set(Ground) else Ground.OTHER]
    return _ENDED.get(application.state)


def _side(application: Application, event: ApplicationEvent) -> EndedBy:
    if application.track is Track.SPECIAL:
        return EndedBy.PROVINCE if application.state is not State.WITHDRAWN else EndedBy.OLD
    if event.from_state in {State.AWAITING_RELEASE, State.AWAITING_EXTERNAL}:
        return EndedBy.OLD
    if application.state is State.WITHDRAWN:
        return EndedBy.NEW if _is_of(event, application.to_org) else EndedBy.OLD
    # PD-58: what the table warns of is decided by the next superior of both.
    above = event.org is not None and application.from_org.path.startswith(event.org.path)
    return EndedBy.SUPERIOR if above else EndedBy.NEW


def _is_of(event: ApplicationEvent, organisation: Organisation) -> bool:
    return event.org is not None and event.org_id in {organisation.id, organisation.office_id}


def _who(application: Application, event: ApplicationEvent, side: EndedBy) -> Organisation:
    """Whoever acted; where the member himself or nobody did, the side whose affair it was."""
    by_member = event.account_id is not None and event.account_id == application.member.account_id
    if event.org is not None and not by_member:
        return event.org
    if side is EndedBy.PROVINCE:
        return province_of(application.from_org)
    return application.to_org if side is EndedBy.NEW else application.from_org
