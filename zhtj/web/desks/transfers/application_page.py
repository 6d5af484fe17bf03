"""What the page of an application says besides the decision: doubts, changes, objection, what came before and after."""

from __future__ import annotations

from dataclasses import dataclass

from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs.contacts import OfficeContact, contact
from zhtj.orgs.policies import policy_of
from zhtj.transfers import queries
from zhtj.transfers.deciding import objections, receiving
from zhtj.transfers.models import Application, ApplicationEvent, Objection
from zhtj.transfers.workflow import Action, Initiator, State, Track
from zhtj.web.rendering.application_progress import followed_by


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """How an application stands for one seat.

    Args:
        doubts: what does not fit about the joining date, to be cleared up before acceptance (E-06).
        file_state: what is known of the member's file.
        may_amend, may_redirect, may_object: for whoever started it (PD-16, PD-17).
        objection, decider, refusal: the objection, whom it went to, what it is about.
        may_answer: this office decides it.
        follows, followed_by: ids of the applications before and behind it that this seat can see.
        may_give_code: he came by 办理转入 and is here now, so this seat may issue a reset code (U-22).
    """

    doubts: list[str]
    file_state: str
    may_amend: bool
    may_redirect: bool
    may_object: bool
    objection: Objection | None
    decider: OfficeContact | None
    refusal: ApplicationEvent | None
    may_answer: bool
    follows: int | None
    followed_by: int | None
    may_give_code: bool


def application_page(seat: ActiveSeat, found: Application) -> ApplicationPage:
    """How ``found`` stands for ``seat``."""
    actions = queries.possible_actions(seat, found)
    objection = objections.of_application(found.id)
    undecided = objection is not None and objection.decided_at is None
    return ApplicationPage(
        doubts=_doubts(found),
        file_state=_file_state(found),
        may_amend=Action.AMEND in actions and policy_of(found.from_org).amend_before_acceptance,
        may_redirect=Action.AMEND in actions and found.track is not Track.SPECIAL,
        may_object=found.initiator is not Initiator.MEMBER and objections.may_object(seat, found),
        objection=objection,
        decider=contact(objection.org) if objection else None,
        refusal=objections.refusal(found),
        may_answer=undecided and objection is not None and objection.org.office_id == seat.org_id,
        follows=found.follows_id,
        followed_by=followed_by(found),
        may_give_code=_may_give_code(seat, found),
    )


def _doubts(found: Application) -> list[str]:
    """Only while somebody still has to accept: afterwards it is history."""
    if not found.state.is_running:
        return []
    return receiving.joining_doubts(found.member, policy_of(found.from_org))


def _file_state(found: Application) -> str:
    for event in found.events:
        if event.action is Action.ACCEPT and receiving.FILE_CHECKED in (event.remark or ""):
            return "接收方已核对"
    if found.state is State.AWAITING_ACCEPTANCE and receiving.file_check_required(found.to_org):
        return "同意转入前须先核对"
    return "未要求核对"


def _may_give_code(seat: ActiveSeat, found: Application) -> bool:
    # U-22: taken in by 办理转入, they belong here now, and so does their password.
    came = found.initiator is Initiator.NEW_SIDE and found.state is State.COMPLETED
    return came and found.member_id != seat.member_id and seat.may(Permission.CODE_ISSUE, found.member.org.path)
