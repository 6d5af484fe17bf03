"""What is checked before an application may start (A-06, PD-11, PD-15), each check readable by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from zhtj.graduation.queries import is_delayed
from zhtj.identity import certification
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import Organisation, Purpose, Region
from zhtj.orgs.policies import policy_of
from zhtj.people import identity
from zhtj.people.models import Member
from zhtj.policy.destinations import Verdict, judge
from zhtj.policy.model import Policy, ReasonSpec
from zhtj.policy.seasons import county_open, return_due
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, ReasonField, Suitability
from zhtj.transfers.kinds import admitting_ready, destination_kind, same_basic
from zhtj.transfers.parties import serves
from zhtj.transfers.queries import open_application
from zhtj.transfers.workflow import Initiator, Route

if TYPE_CHECKING:
    from zhtj.transfers.operations import Submission

SPECIAL = "转往特殊单位"
SHORTEST_NAME = 4
OPEN_BUSINESS = "已有业务正在办理，不能重复发起。"


def may_leave(member: Member) -> None:
    """Raise DomainError where nothing leads away from: the pool, an external system (S-07, X-03)."""
    if member.org.purpose is Purpose.SPECIAL_POOL:
        raise DomainError(
            "组织关系已进入特殊单位专属库，不可逆，不能再发起转接。",
            fix="退役、离开涉密单位后，请向省级团委申请处理。",
            rule="S-07",
        )
    if member.org.system is not Region.NATIONAL:
        raise DomainError(
            f"组织关系在{member.org.system.label}的系统中，不能由这里发起。",
            fix=f"请本人在{member.org.system.label}的系统中申请转出，再由接收方在这里登记转入。",
            rule="X-03",
        )


NOT_CERTIFIED = "尚未完成团员身份认证，不能进行组织关系转接。"
NUMBER_TAKEN = "发展团员编号被占用，不能进行组织关系转接。"


def proven(policy: Policy, member: Member) -> None:
    """Raise DomainError where his form is not approved yet, or his number is somebody else's too (U-13, U-21)."""
    if certification.is_missing(policy, member):
        raise not_certified(policy)
    if number_taken(member):
        raise taken_number()


def not_certified(policy: Policy) -> DomainError:
    """Who joined lately needs his application form approved first (U-13)."""
    return DomainError(
        NOT_CERTIFIED,
        fix=f"{policy.certification_from.year} 年及以后入团的，请先上传入团志愿书，经上级审核通过后再办理。",
        rule="U-13",
    )


def taken_number() -> DomainError:
    """A number that two records carry is sorted out by the province first (U-21)."""
    return DomainError(NUMBER_TAKEN, fix="请由团组织提出“发展团员编号被占用”，由省级团委协调。", rule="U-21")


def number_taken(member: Member) -> bool:
    """Whether somebody else's record carries his 发展团员编号 (U-21)."""
    return bool(member.dev_number) and bool(numbers_taken([member]))


def numbers_taken(members: Sequence[Member]) -> set[str]:
    """Those of their numbers that two records carry."""
    own = {member.dev_number for member in members if member.dev_number}
    if not own:
        return set()
    rows = session.scalars(
        select(Member.dev_number)
        .where(Member.dev_number.in_(own), Member.archived_at.is_(None))
        .group_by(Member.dev_number)
        .having(func.count() > 1)
    )
    return {number for number in rows if number}


def initiator(seat: ActiveSeat, member: Member, destination: Organisation) -> Initiator:
    """In which role ``seat`` may start this application (A-01).

    Raises:
        Forbidden: it is none of the three kinds, or an administrator meant himself (PD-02).
    """
    if seat.kind is SeatKind.MEMBER:
        if seat.member_id != member.id:
            raise Forbidden
        return Initiator.MEMBER
    if seat.member_id == member.id:
        raise Forbidden("本人的组织关系请切换到“团员”身份后申请，由上级审批。", rule="PD-02")
    if serves(seat, member.org) and seat.may(Permission.TRANSFER_OUT, member.org.path):
        return Initiator.OLD_SIDE
    if seat.may(Permission.TRANSFER_IN, destination.path) and serves(seat, destination):
        return Initiator.NEW_SIDE
    raise Forbidden("只能为本组织及下级的团员办理转出，或为本组织办理转入。")


def no_open_application(member: Member) -> None:
    """Raise Conflict where business is under way (A-06)."""
    if open_application(member.id) is not None:
        raise Conflict(OPEN_BUSINESS, fix="请先撤销原申请，或等待它办结。", rule="A-06")


def release_needed(policy: Policy, old: Organisation, new: Organisation) -> bool:
    """Whether the old side must consent to a member's own application (PD-15)."""
    asked = policy.release_inside_school if same_basic(old, new) else policy.release_by
    return asked != "none"


def releaser(policy: Policy, old: Organisation, new: Organisation) -> Organisation:
    """Who of the old side consents to a member's own application: his branch, or by policy the committee above it."""
    asked = policy.release_inside_school if same_basic(old, new) else policy.release_by
    return old.parent if asked == "committee" and old.parent is not None else old


def due(policy: Policy, submitted_at: datetime, *, in_season: bool) -> datetime:
    """When an unanswered application is returned (PD-18)."""
    return return_due(submitted_at, policy, in_season=in_season)


def reason_spec(policy: Policy, reason: str, *, is_graduate: bool) -> ReasonSpec:
    """What the policy says of a reason. Raises DomainError for one it does not offer to this member (PD-10)."""
    audience = Audience.GRADUATE if is_graduate else Audience.OTHER
    spec = policy.reasons.get(Reason(reason)) if reason in set(Reason) else None
    if spec is None or audience not in spec.audiences:
        raise DomainError("请选择转接原因。", field="reason", rule="PD-10")
    return spec


def may_start(spec: ReasonSpec, who: Initiator, route: Route) -> None:
    """Raise DomainError where this side may not start it for this reason (S-01, T-14), or not across systems."""
    if who.value not in spec.initiators:
        raise DomainError(
            f"“{spec.label or SPECIAL}”由团员本人或转出方发起，转入方不能办理。",
            fix="请联系本人或其所在团组织发起。",
            field="reason",
            rule="S-01" if not spec.chooses_destination else spec.rule,
        )
    if route is Route.EXTERNAL and not spec.may_be_external:
        raise DomainError(f"“{spec.label}”只在本校之内转接。", fix="请重新选择转接原因。", field="reason", rule="T-22")


def low_age(policy: Policy, member: Member) -> bool:
    """Joined so young that the external interface refuses: age on the first day of that month (X-09, PD-31, PD-33)."""
    number = member.account.id_number
    if not number:
        return False
    return identity.read(number).age_on(member.joined_on.replace(day=1)) < policy.interface_min_age


def verdict(
    policy: Policy, old: Organisation, new: Organisation, reason: str, place: str | None, *, delayed: bool = False
) -> Verdict:
    """What the destination table says (PD-11); ``delayed``: of a delayed graduate (R-08)."""
    relation = PlaceTie(place) if place in set(PlaceTie) else PlaceTie.NONE
    return judge(
        policy,
        Reason(reason),
        destination_kind(old, new),
        relation,
        inside_own_school=same_basic(old, new),
        county_open=county_open(policy, clock.today()),
        admitting_ready=admitting_ready(new) if reason == Reason.FURTHER_STUDY else None,
        delayed=delayed or None,
    )


def reason_and_destination(wanted: Submission, spec: ReasonSpec) -> Verdict:
    """Check the reason's fields and the destination table (PD-10, PD-11).

    Returns:
        What the table says; a warning has been confirmed.

    Raises:
        DomainError: a field is missing, the table forbids the destination, or a warning is not confirmed yet.
    """
    old, new = wanted.member.org, wanted.destination
    fields_given(wanted, spec, destination_kind(old, new))
    found = verdict(policy_of(old), old, new, wanted.reason, wanted.place, delayed=is_delayed(wanted.member))
    allowed(wanted, found)
    return found


def fields_given(wanted: Submission, spec: ReasonSpec, kind: Destination) -> None:
    """Raise DomainError for the first field that the reason asks for and nobody has filled in (PD-10)."""
    for field in spec.fields_for(kind):
        if not _given(wanted, field):
            raise DomainError(f"请填写{field.label}。", field=field.value, rule="PD-10")


def allowed(wanted: Submission, found: Verdict) -> None:
    """Raise DomainError where the destination table forbids, or warns and nobody has confirmed (PD-11)."""
    if found.case is not None:
        # Staying put is no transfer (PD-10): the school keeps him by a case of its own.
        raise DomainError(
            f"{found.case.label}不是转接，组织关系留在学校。",
            fix=f"本人请申请“{found.case.label}”；团组织请到“流动团员”中代为提出。",
            field="destination",
            rule="PD-10",
        )
    if found.level is Suitability.FORBIDDEN:
        raise DomainError(found.sentence, field="destination", rule=found.rule)
    if found.level is Suitability.WARNED and not (wanted.confirmed and (wanted.remark or "").strip()):
        raise DomainError(
            found.sentence, fix="如情况属实，请勾选确认并在备注中说明。", field="confirmed", rule=found.rule
        )


# What of an application and a submission a reason's field is kept in.
COLUMN_OF = {
    ReasonField.UNIT: "unit_name",
    ReasonField.SCHOOL: "unit_name",
    ReasonField.ADDRESS: "unit_address",
    ReasonField.PLACE: "place",
    ReasonField.REMARK: "remark",
}


def _given(wanted: Submission, field: ReasonField) -> str:
    return (getattr(wanted, COLUMN_OF[field]) or "").strip()


def special_unit(policy: Policy, remark: str | None, *, confirmed: bool) -> None:
    """What only a transfer to a special unit asks for: the words in the remark, and having read on (S-04, S-07).

    Raises:
        DomainError: the remark names neither enlistment nor a secret unit, or the consequences were not confirmed.
    """
    words = policy.special_unit_remark
    if not any(word in (remark or "") for word in words):
        raise DomainError(
            f"备注须写明“{'”或“'.join(words)}”。",
            fix="例如：参军入伍，政审、体检已通过。部队或单位名称涉密的不要写。",
            field="remark",
            rule="S-04",
        )
    if policy.special_unit_irreversible and not confirmed:
        raise DomainError(
            "省级团委批准后不能撤回，也不能再转出。",
            fix="请核实政审、体检等手续已经完成，再勾选确认。",
            field="confirmed",
            rule="S-07",
        )


def external_destination(policy: Policy, wanted: Submission) -> None:
    """What only a transfer to 北京, 广东 or 福建 asks for: the exact name twice, and the age (X-02, X-09, PD-33).

    Raises:
        DomainError: the name is missing or was typed differently, or he joined too young for the interface.
    """
    old_enough(policy, wanted.member)
    external_name(wanted.external_name, wanted.external_name_again)


def external_name(first: str | None, second: str | None) -> None:
    """Raise DomainError unless the full name in the external system was typed twice the same (X-02)."""
    name, again = squeeze(first), squeeze(second)
    if len(name) < SHORTEST_NAME:
        raise DomainError(
            "请填写对方系统中的组织全称。", fix="请向对方问清，一字不差。", field="external_name", rule="X-02"
        )
    if name != again:
        raise DomainError(
            "两次填写的组织全称不一致。", fix="请对照对方提供的全称重新填写。", field="external_name_again", rule="X-02"
        )


def old_enough(policy: Policy, member: Member) -> None:
    """Raise DomainError for somebody whom the external systems refuse by themselves (X-09, PD-33)."""
    if low_age(policy, member):
        raise DomainError(
            f"入团时不满 {policy.interface_min_age} 周岁的，对方系统会自动拒绝，不能在线转接。",
            fix="2017 年以前入团的，请学校团委开介绍信线下转接，写明团员身份和团费交至何月；"
            "2017 年及以后入团的，团员身份不予认定。",
            field="destination",
            rule="X-09",
        )


def squeeze(text: str | None) -> str:
    """A typed name without any blanks."""
    return "".join((text or "").split())
