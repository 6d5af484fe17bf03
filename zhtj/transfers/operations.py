"""Writes of transfers: submit, decide, amend, redirect, withdraw.

Each checks, changes under a guard on the state it read, and records. None commits, none sees a request. Decisions on
many at once stand in ``decisions``, objections in ``objections``, what external systems say in ``external``.
"""

from __future__ import annotations

from sqlalchemy import update

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation, Purpose
from zhtj.orgs.policies import policy_of
from zhtj.orgs.rules import destination_problem
from zhtj.people.identity import masked_mobile
from zhtj.policy.model import Policy
from zhtj.policy.seasons import county_open
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.applying import checks, situations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.applying.starting import start
from zhtj.transfers.deciding import decisions
from zhtj.transfers.deciding.objections import flag_forbidden_ground
from zhtj.transfers.models import Application
from zhtj.transfers.parties import county_above, parties
from zhtj.transfers.rules import Ground, check_refusal
from zhtj.transfers.steps import Step, take
from zhtj.transfers.workflow import Action, Party, State, Track, next_state


def submit(wanted: Submission, seat: ActiveSeat) -> Application:
    """Start an application in ``seat`` (A-01 … A-04).

    Raises:
        DomainError: a rule forbids it; the message says which way is open.
        Conflict: the member already has an open application (A-06).
    """
    situation = situations.read(wanted, seat)
    problem = checks.first(situation, checks.CHECKS)
    if problem is not None:
        raise problem
    return start(situation)


def redirect(application: Application, wanted: Submission, seat: ActiveSeat) -> Application:
    """Another destination: withdraw and apply anew in one step, the new application naming the old one (PD-16).

    Raises:
        As ``withdraw`` and ``submit``; then nothing is withdrawn either, once the unit of work is undone.
    """
    withdraw(application, seat, remark="改转其他组织")
    if wanted.follows is not application:
        raise ValueError("the new application must follow the old one")
    return submit(wanted, seat)


def release(application: Application, seat: ActiveSeat, *, remark: str = "") -> None:
    """The old side agrees (A-09, A-10)."""
    _one(application, seat, Action.RELEASE, remark=remark)


def accept(application: Application, seat: ActiveSeat, *, remark: str = "") -> None:
    """The new side agrees; the member has moved if the destination is a branch (A-08, A-12)."""
    _one(application, seat, Action.ACCEPT, remark=remark)


def allocate(application: Application, seat: ActiveSeat, branch: Organisation) -> None:
    """Put an accepted member into a branch below the destination (A-12).

    Raises:
        DomainError: ``branch`` is no usable branch below the destination.
    """
    _one(application, seat, Action.ALLOCATE, branch=branch, check=below(branch))


def below(branch: Organisation) -> decisions.Check:
    """Checks that ``branch`` lies below an application's destination (A-12)."""

    def check(application: Application) -> None:
        if not branch.is_branch or not branch.path.startswith(application.to_org.path):
            raise DomainError("请选择转入组织下面的团支部。", field="branch", rule="A-12")

    return check


def take_over(application: Application, seat: ActiveSeat, branch: Organisation) -> None:
    """The county takes a township's waiting graduate into its own floating branch (T-03, D-15, PD-22).

    Raises:
        DomainError: too early in the season, no graduate, or ``branch`` is not the county's floating branch.
    """
    _one(application, seat, Action.TAKE_OVER, branch=branch, check=taken_over_into(branch, seat))


def taken_over_into(branch: Organisation, seat: ActiveSeat) -> decisions.Check:
    """Checks that a county may take an application's member into ``branch`` now (D-15, PD-22)."""
    policies: dict[int, Policy] = {}

    def check(application: Application) -> None:
        county = county_above(seat, application.to_org)
        if county is None:
            raise Forbidden("县级只能接收转往本县（市、区）乡镇街道的团员。")
        policy = policies.get(county.id) or policies.setdefault(county.id, policy_of(county))
        if not county_open(policy, clock.today()):
            day = policy.county_fallback_from
            raise DomainError(f"县级自 {day:%m月%d日} 起才接收乡镇街道确有困难的团员。", rule="D-15")
        if application.register_row_id is None:
            raise DomainError("县级只接收应届毕业生团员。", fix="请由乡镇街道办理。", rule="PD-22")
        if branch.parent_id != county.id or branch.purpose is not Purpose.FLOATING or destination_problem(branch):
            raise DomainError("请选择本县（市、区）的流动团员团支部。", field="branch", rule="T-03")

    return check


def approve(application: Application, seat: ActiveSeat, *, remark: str = "") -> None:
    """The province approves a special unit; nothing leads back (S-05 … S-07)."""
    _one(application, seat, Action.APPROVE, remark=remark)


def refuse(application: Application, seat: ActiveSeat, ground: Ground, remark: str) -> None:
    """Say no, with a coded ground and a remark (A-15 … A-17, PD-17)."""
    _one(application, seat, Action.REFUSE, ground=ground, remark=remark, check=refusable(ground, remark))
    session.refresh(application)
    flag_forbidden_ground([application], ground, remark)


def refusable(ground: Ground, remark: str) -> decisions.Check:
    """Checks that ground and remark carry the refusal of an application where it stands (A-15 … A-17)."""
    policies: dict[int, Policy] = {}

    def check(application: Application) -> None:
        old = application.from_org
        policy = policies.get(old.id) or policies.setdefault(old.id, policy_of(old))
        check_refusal(application.state, ground, remark, policy.refusal_remark_min)

    return check


def withdraw(application: Application, seat: ActiveSeat, *, remark: str = "") -> None:
    """The initiator, or the member himself, takes it back (A-18, A-21, PD-16)."""
    _one(application, seat, Action.WITHDRAW, remark=remark)


def may_be_taken_back(application: Application) -> bool:
    """Whether whoever started it could still withdraw it (PD-16)."""
    party = Party(application.initiator.value)
    return next_state(application.state, Action.WITHDRAW, party, application.way) is not None


def end_by_statement(application: Application, why: str) -> None:
    """End it as withdrawn, because a decided statement says that the member stays where he is (PD-60).

    Raises:
        Conflict: it is past its due time, accepted or ended meanwhile.
    """
    number = application.id
    step = Step(application, Action.WITHDRAW, application.state, State.WITHDRAWN, remark=why)
    if not may_be_taken_back(application) or not take([step]):
        raise decisions.late_one(number)


def _one(
    application: Application,
    seat: ActiveSeat,
    action: Action,
    *,
    branch: Organisation | None = None,
    ground: Ground | None = None,
    remark: str = "",
    check: decisions.Check | None = None,
) -> None:
    """Decide one application. Raises why not."""
    number = application.id
    errors = decisions.decide(
        [application],
        seat,
        action,
        branch=branch,
        ground=ground.value if ground else None,
        remark=remark,
        check=check,
    )
    if errors:
        raise errors[number]


AMENDABLE = {
    "contact_mobile": "联系电话",
    "unit_name": "单位或学校",
    "unit_address": "详细地址",
    "remark": "备注",
}


def amend(application: Application, seat: ActiveSeat, changes: dict[str, str]) -> None:
    """Correct contact, unit, address or remark in place until it is decided; the history says what changed (PD-16).

    Args:
        application: open and not yet accepted.
        seat: the initiator's, or the member's own.
        changes: new values of ``AMENDABLE`` fields; those that stay the same are no change.

    Raises:
        DomainError: nothing changes, a field the reason needs would be empty, or the policy forbids amending.
        Forbidden, Conflict: as for every step.
    """
    policy = policy_of(application.from_org)
    if not policy.amend_before_acceptance:
        raise DomainError("本届政策不允许修改已提交的申请。", fix="请撤销后重新发起。", rule="PD-16")
    before = {name: getattr(application, name) or "" for name in AMENDABLE}
    after = {name: value.strip() for name, value in changes.items() if name in AMENDABLE}
    changed = {name: value for name, value in after.items() if value != before[name]}
    if not changed:
        raise DomainError("没有改动。", fix="请修改后再保存。")
    _still_complete(application, policy, before | changed)
    roles = parties(seat, application, Action.AMEND)
    found = (next_state(application.state, Action.AMEND, party, application.way) for party in roles)
    if all(state is None for state in found):
        raise decisions.too_late(application, Action.AMEND, roles)
    shown = tuple(_shown(name, before[name], value) for name, value in changed.items())
    number = application.id
    if not take([Step(application, Action.AMEND, application.state, application.state, changes=shown)]):
        raise decisions.late_one(number)
    session.execute(
        update(Application)
        .where(Application.id == number)
        .values({name: value or None for name, value in changed.items()}),
        execution_options={"synchronize_session": False},
    )
    session.refresh(application)


def _still_complete(application: Application, policy: Policy, values: dict[str, str]) -> None:
    """What the reason or a warning asks for may be corrected, not emptied."""
    spec = policy.reasons[Reason(application.reason)]
    needed = {checks.COLUMN_OF[field] for field in spec.fields_for(application.kind)}
    if application.warnings:
        needed.add("remark")
    for name, label in AMENDABLE.items():
        if name in needed and not values[name]:
            raise DomainError(f"{label}不能为空。", field=name, rule="PD-10")
    problem = checks.special_remark(policy, values["remark"]) if application.track is Track.SPECIAL else None
    if problem is not None:
        raise problem


def _shown(name: str, before: str, after: str) -> dict[str, str]:
    if name == "contact_mobile":
        before, after = (masked_mobile(number) if number else "" for number in (before, after))
    return {"field": name, "before": before, "after": after}
