"""What is checked before an application may start (A-06, A-25, PD-11, PD-15), each check readable by itself."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.policy.destinations import Verdict, judge
from zhtj.policy.model import Policy, ReasonSpec
from zhtj.policy.seasons import policy_for, return_due
from zhtj.policy.vocabulary import Audience, Level, Place, Reason, ReasonField
from zhtj.transfers.kinds import destination_kind, same_basic
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import OPEN, Initiator

if TYPE_CHECKING:
    from zhtj.transfers.operations import Submission

OPEN_BUSINESS = "已有业务正在办理，不能重复发起。"


def policy_of(organisation: Organisation) -> Policy:
    """The policy that governs applications out of ``organisation`` today (PD-18: the origin's)."""
    return policy_for(clock.today().year, line_codes(organisation))


def line_codes(organisation: Organisation) -> tuple[str, ...]:
    """Codes of an organisation's superiors and itself, from the top down."""
    rows = session.execute(
        select(Organisation.code).where(Organisation.path.in_(organisation.line)).order_by(Organisation.path)
    )
    return tuple(code for (code,) in rows)


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


def serves(seat: ActiveSeat, organisation: Organisation) -> bool:
    """Whether ``seat`` looks after the members there: its own branch, its school, or as direct superior."""
    if seat.org_id in {organisation.id, organisation.office_id, organisation.parent_id}:
        return True
    return seat.kind in {SeatKind.COLLEGE, SeatKind.SCHOOL} and organisation.path.startswith(seat.path)


def open_application(member_id: int) -> Application | None:
    """The member's open application, if there is one."""
    return session.scalars(
        select(Application).where(Application.member_id == member_id, Application.state.in_(OPEN))
    ).first()


def no_open_application(member: Member) -> None:
    """Raise Conflict where business is under way (A-06)."""
    if open_application(member.id) is not None:
        raise Conflict(OPEN_BUSINESS, fix="请先撤销原申请，或等待它办结。", rule="A-06")


def release_needed(policy: Policy, old: Organisation, new: Organisation) -> bool:
    """Whether the old side must consent to a member's own application (PD-15)."""
    asked = policy.release_inside_school if same_basic(old, new) else policy.release_by
    return asked != "none"


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


def verdict(policy: Policy, old: Organisation, new: Organisation, reason: str, place: str | None) -> Verdict:
    """What the destination table says (PD-11)."""
    relation = Place(place) if place in set(Place) else Place.NONE
    return judge(policy, Reason(reason), destination_kind(old, new), relation, inside_own_school=same_basic(old, new))


def reason_and_destination(wanted: Submission, *, is_graduate: bool) -> list[str]:
    """Check reason, its fields and the destination table; returns the warnings that were confirmed.

    Raises:
        DomainError: a field is missing, the table forbids the destination, or a warning is not confirmed yet.
    """
    policy = policy_of(wanted.member.org)
    spec = reason_spec(policy, wanted.reason, is_graduate=is_graduate)
    kind = destination_kind(wanted.member.org, wanted.destination)
    fields = spec.fields_for(kind)
    given = {
        ReasonField.UNIT: wanted.unit_name,
        ReasonField.SCHOOL: wanted.unit_name,
        ReasonField.ADDRESS: wanted.unit_address,
        ReasonField.PLACE: wanted.place,
        ReasonField.REMARK: wanted.remark,
    }
    for field in fields:
        if not (given[field] or "").strip():
            raise DomainError(f"请填写{field.label}。", field=field.value, rule="PD-10")
    found = verdict(policy, wanted.member.org, wanted.destination, wanted.reason, wanted.place)
    if found.case is not None:
        # Staying put is no transfer (PD-10): the school keeps him by a case of its own.
        raise DomainError(
            f"{found.case.label}不是转接，组织关系留在学校。",
            fix="请联系学院或学校团委办理。",
            field="destination",
            rule="PD-10",
        )
    if found.level is Level.FORBIDDEN:
        raise DomainError(found.sentence, field="destination", rule=found.rule)
    if found.level is Level.WARNED:
        if not wanted.confirmed or not (wanted.remark or "").strip():
            raise DomainError(
                found.sentence, fix="如情况属实，请勾选确认并在备注中说明。", field="confirmed", rule=found.rule
            )
        return [found.sentence]
    return []


def national_policy() -> Policy:
    """This season's policy without any local layer."""
    return policy_for(clock.today().year, ())
