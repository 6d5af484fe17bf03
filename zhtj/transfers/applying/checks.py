"""What is checked before an application may start: each check is pure, names its rule and its way out (A-25, PD-11).

A check looks at the situation (``situations``) and says what is wrong, or nothing. Whoever starts an application asks
``CHECKS`` in their order; whoever shows beforehand what would come of it - a page of the form, a preview - asks the
same, or those of them whose question has been answered by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import SeatKind
from zhtj.orgs.models import Organisation, Purpose, Region
from zhtj.orgs.rules import destination_problem
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import PlaceTie, ReasonField, Suitability
from zhtj.transfers.applying.situations import Leaver, Situation
from zhtj.transfers.entries import entry_problem
from zhtj.transfers.rules import low_age
from zhtj.transfers.workflow import Track

Problem = DomainError
Check = Callable[[Situation], Problem | None]
CheckOfLeaver = Callable[[Leaver], Problem | None]

SHORTEST_NAME = 4
OPEN_BUSINESS = "已有业务正在办理，不能重复发起。"
NOT_CERTIFIED = "尚未完成团员身份认证，不能进行组织关系转接。"
NUMBER_TAKEN = "发展团员编号被占用，不能进行组织关系转接。"

# ---- the member, before any destination


def nothing_open(who: Leaver) -> Problem | None:
    """One open business a member (A-06)."""
    return open_business() if who.is_busy else None


def open_business() -> Conflict:
    """Business is under way already (A-06)."""
    return Conflict(OPEN_BUSINESS, fix="请先撤销原申请，或等待它办结。", rule="A-06")


def may_leave(who: Leaver) -> Problem | None:
    """Where the member is, something leads away."""
    return no_way_out(who.member.org)


def no_way_out(here: Organisation) -> Problem | None:
    """Nothing leads away from the pool (S-07); an external system decides itself about leaving it (X-03)."""
    if here.purpose is Purpose.SPECIAL_POOL:
        return DomainError(
            "组织关系已进入特殊单位专属库，不可逆，不能再发起转接。",
            fix="退役、离开涉密单位后，请向省级团委申请处理。",
            rule="S-07",
        )
    if here.system is not Region.NATIONAL:
        return DomainError(
            f"组织关系在{here.system.label}的系统中，不能由这里发起。",
            fix=f"请本人在{here.system.label}的系统中申请转出，再由接收方在这里登记转入。",
            rule="X-03",
        )
    return None


def certified(who: Leaver) -> Problem | None:
    """Who joined lately needs his application form approved first (U-13)."""
    if who.is_certified:
        return None
    return DomainError(
        NOT_CERTIFIED,
        fix=f"{who.policy.certification_from.year} 年及以后入团的，请先上传入团志愿书，经上级审核通过后再办理。",
        rule="U-13",
    )


def number_free(who: Leaver) -> Problem | None:
    """A number that two records carry is sorted out by the province first (U-21)."""
    if not who.number_taken:
        return None
    return DomainError(NUMBER_TAKEN, fix="请由团组织提出“发展团员编号被占用”，由省级团委协调。", rule="U-21")


# ---- who starts it, and where to


def started_by_a_party(situation: Situation) -> Problem | None:
    """The member, the old side or the new side starts it; nobody for himself from his post (A-01, PD-02)."""
    if situation.initiator is not None or situation.seat is None:
        return None
    if situation.seat.kind is SeatKind.MEMBER:
        return Forbidden()
    if situation.seat.member_id == situation.member.id:
        return Forbidden("本人的组织关系请切换到“团员”身份后申请，由上级审批。", rule="PD-02")
    return Forbidden("只能为本组织及下级的团员办理转出，或为本组织办理转入。")


def can_be_chosen(situation: Situation) -> Problem | None:
    """The destination is in use, no graduates' and no leading organ, and kept by our system (O-09, O-10)."""
    problem = destination_problem(situation.new) if situation.track is Track.DOMESTIC else ""
    return DomainError(problem, field="destination", rule="O-10") if problem else None


def is_elsewhere(situation: Situation) -> Problem | None:
    """Nobody is transferred to where he is."""
    if situation.new.id != situation.member.org_id:
        return None
    return DomainError("组织关系已经在该组织，不需要转接。", field="destination")


# ---- the reason, and what it asks for


def reason_offered(situation: Situation) -> Problem | None:
    """The policy offers the reason to this member (PD-10)."""
    if situation.spec is not None:
        return None
    return DomainError("请选择转接原因。", field="reason", rule="PD-10")


def reason_of_this_side(situation: Situation) -> Problem | None:
    """This side may start it for this reason (S-01, T-14)."""
    spec = situation.spec
    if spec is None or situation.initiator is None or situation.initiator.value in spec.initiators:
        return None
    return DomainError(
        f"“{spec.label}”由团员本人或转出方发起，转入方不能办理。",
        fix="请联系本人或其所在团组织发起。",
        field="reason",
        rule="S-01" if not spec.chooses_destination else spec.rule,
    )


def reason_across_systems(situation: Situation) -> Problem | None:
    """What happens inside one school does not lead into an external system (T-22)."""
    if situation.spec is None or situation.spec.may_be_external or situation.track is not Track.EXTERNAL:
        return None
    return DomainError(
        f"“{situation.spec.label}”只在本校之内转接。", fix="请重新选择转接原因。", field="reason", rule="T-22"
    )


def old_enough(situation: Situation) -> Problem | None:
    """The external systems refuse by themselves who joined too young (X-09, PD-33)."""
    if situation.track is not Track.EXTERNAL or not low_age(situation.policy, situation.member):
        return None
    since = situation.policy.strict_join_from.year
    return DomainError(
        f"入团时不满 {situation.policy.interface_min_age} 周岁的，对方系统会自动拒绝，不能在线转接。",
        fix=f"{since} 年以前入团的，请学校团委开介绍信线下转接，写明团员身份和团费交至何月；"
        f"{since} 年及以后入团的，团员身份不予认定。",
        field="destination",
        rule="X-09",
    )


def named_there(situation: Situation) -> Problem | None:
    """The full name in the external system was typed twice the same (X-02)."""
    if situation.track is not Track.EXTERNAL:
        return None
    return external_name(situation.wanted.external_name, situation.wanted.external_name_again)


def external_name(first: str | None, second: str | None) -> Problem | None:
    """What is wrong with the two spellings of a name in an external system (X-02)."""
    name, again = squeeze(first), squeeze(second)
    if len(name) < SHORTEST_NAME:
        return DomainError(
            "请填写对方系统中的组织全称。", fix="请向对方问清，一字不差。", field="external_name", rule="X-02"
        )
    if name == again:
        return None
    return DomainError(
        "两次填写的组织全称不一致。", fix="请对照对方提供的全称重新填写。", field="external_name_again", rule="X-02"
    )


def special_unit_told(situation: Situation) -> Problem | None:
    """The remark names enlistment or a secret unit (S-04)."""
    return special_remark(situation.policy, situation.wanted.remark) if situation.track is Track.SPECIAL else None


def special_remark(policy: Policy, remark: str | None) -> Problem | None:
    """What is wrong with the remark of a transfer to a special unit (S-04)."""
    if policy.special_remark_fits(remark or ""):
        return None
    return DomainError(
        f"备注须写明“{'”或“'.join(policy.special_unit_remark)}”。",
        fix="例如：参军入伍，政审、体检已通过。部队或单位名称涉密的不要写。",
        field="remark",
        rule="S-04",
    )


def no_way_back_is_known(situation: Situation) -> Problem | None:
    """That nothing leads back from a special unit has been read (S-07)."""
    asked = situation.track is Track.SPECIAL and situation.policy.special_unit_irreversible
    if not asked or situation.wanted.confirmed:
        return None
    return DomainError(
        "省级团委批准后不能撤回，也不能再转出。",
        fix="请核实政审、体检等手续已经完成，再勾选确认。",
        field="confirmed",
        rule="S-07",
    )


def fields_given(situation: Situation) -> Problem | None:
    """Everything that the reason asks for is filled in; the first that is not (PD-10)."""
    for field in situation.spec.fields_for(situation.kind) if situation.spec is not None else ():
        if not (getattr(situation.wanted, COLUMN_OF[field]) or "").strip():
            return DomainError(f"请填写{field.label}。", field=field.value, rule="PD-10")
    return None


# ---- the destination table


def no_case_instead(situation: Situation) -> Problem | None:
    """Staying put is no transfer: the school keeps its people by a case of its own (PD-10)."""
    instead = situation.verdict.case
    if instead is None:
        return None
    return DomainError(
        f"{instead.label}不是转接，组织关系留在学校。",
        fix=f"本人请申请“{instead.label}”；团组织请到“流动团员”中代为提出。",
        field="destination",
        rule="PD-10",
    )


def table_allows(situation: Situation) -> Problem | None:
    """The destination table does not forbid the destination (PD-11)."""
    if not situation.verdict.blocks:
        return None
    return DomainError(situation.verdict.sentence, field="destination", rule=situation.verdict.rule)


def warning_confirmed(situation: Situation) -> Problem | None:
    """Where the table warns, somebody has read it and said why (PD-11)."""
    found, wanted = situation.verdict, situation.wanted
    if found.level is not Suitability.WARNED or (wanted.confirmed and (wanted.remark or "").strip()):
        return None
    return DomainError(found.sentence, fix="如情况属实，请勾选确认并在备注中说明。", field="confirmed", rule=found.rule)


def place_is_clear(situation: Situation) -> Problem | None:
    """The place that decides can be placed in a county and a township; another never stands in for it (PD-60)."""
    tie = situation.wanted.tie
    if not situation.kind.place_bound or tie is PlaceTie.NONE:
        return None
    return situation.whereabouts.missing(tie)


def may_enter(situation: Situation) -> Problem | None:
    """Nothing forbids to come in there, as it will be asked again at the moment of entry (PD-57)."""
    return entry_problem(situation.entry) if situation.track is Track.DOMESTIC else None


# ---- together


LEAVING: tuple[CheckOfLeaver, ...] = (nothing_open, may_leave, certified, number_free)
DESTINATION: tuple[Check, ...] = (can_be_chosen, is_elsewhere)
REASON: tuple[Check, ...] = (reason_offered, reason_of_this_side, reason_across_systems)
DETAILS: tuple[Check, ...] = (old_enough, named_there, special_unit_told, no_way_back_is_known, fields_given)
TABLE: tuple[Check, ...] = (no_case_instead, table_allows, may_enter, place_is_clear, warning_confirmed)


def leaves(situation: Situation) -> Problem | None:
    """The member may leave at all."""
    return first(situation.leaver, LEAVING)


BEFORE_THE_TABLE: tuple[Check, ...] = (started_by_a_party, leaves, *DESTINATION, *REASON, *DETAILS)
CHECKS: tuple[Check, ...] = (*BEFORE_THE_TABLE, *TABLE)

Asked = TypeVar("Asked", Situation, Leaver)


def first(asked: Asked, checks: Iterable[Callable[[Asked], Problem | None]]) -> Problem | None:
    """The first of these checks that finds something wrong says what."""
    return next((problem for check in checks if (problem := check(asked)) is not None), None)


# What of an application and a submission a reason's field is kept in.
COLUMN_OF = {
    ReasonField.UNIT: "unit_name",
    ReasonField.SCHOOL: "unit_name",
    ReasonField.ADDRESS: "unit_address",
    ReasonField.PLACE: "place",
    ReasonField.REMARK: "remark",
}


def squeeze(text: str | None) -> str:
    """A typed name without any blanks."""
    return "".join((text or "").split())
