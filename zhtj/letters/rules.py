"""Pure rules of issuing: who may (L-02, L-03), for which application (PD-28), how its reason reads (L-11)."""

from __future__ import annotations

from datetime import date

from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import SeatKind
from zhtj.letters.record import LetterReason
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.workflow import State

VOID_REASON_AT_LEAST, VOID_REASON_AT_MOST = 2, 120

# An application that ended so carries no letter, and voids the one it had (PD-28).
FAILED = frozenset({State.REFUSED, State.WITHDRAWN, State.RETURNED, State.FAILED_EXTERNAL})


def check_issuer(kind: SeatKind, *, authorised: bool = False) -> None:
    """Raise Forbidden unless a seat of this kind may issue letters (L-02, L-03, PD-30).

    Args:
        kind: of the seat.
        authorised: the college has its school committee's authorisation for today.
    """
    if kind is SeatKind.BRANCH:
        raise Forbidden("团支部一律不得开具介绍信，请由基层团委开具。", rule="L-03")
    # PD-30: a college for as long as its school authorises it; basic committees always.
    if kind is SeatKind.COLLEGE and not authorised:
        raise Forbidden("二级团委（团总支）未经校团委授权，不能开具介绍信，请由校团委开具。", rule="L-02")
    if kind is SeatKind.PROVINCIAL:
        raise Forbidden("介绍信由基层团委（独立单位的团总支）开具，团的领导机关不开具。", rule="L-02")
    if kind is SeatKind.MEMBER:
        raise Forbidden("介绍信由转出团委开具，团员本人不能开具。", rule="L-02")


def check_identity(joined_on: date, since: date, *, too_young: bool) -> None:
    """Raise DomainError for somebody who joined too young lately: his identity is not recognised (X-09, T-31).

    Args:
        joined_on: month in which he joined.
        since: from this day on.
        too_young: he was below the age that the interfaces accept.
    """
    if too_young and joined_on >= since:
        raise DomainError(
            f"该团员 {since.year} 年 {since.month} 月 {since.day} 日以后入团且当时未满规定年龄，"
            "团员身份不予认定，不能开具介绍信。",
            fix="请先核对入团志愿书上的入团时间；录入有误的，更正后再开具。",
            rule="X-09",
        )


def state_problem(state: State, *, requires_completion: bool) -> DomainError | None:
    """Why an application in this state may have no letter (PD-28, PD-62); None if it may."""
    if state in FAILED:
        return DomainError(f"这份申请{state.label}，不能开具介绍信。", fix="请在新的申请上开具。", rule="PD-28")
    if requires_completion and state is not State.COMPLETED:
        return DomainError("本校规定组织关系转接完成后才开具介绍信。", fix="请等待转入方审批。", rule="PD-62")
    return None


def letter_reason(reason: Reason, label: str, *, graduate: bool) -> tuple[LetterReason, str]:
    """How an application's reason reads on the form: the form's own word, or another concrete one.

    Args:
        reason: of the application (PD-10).
        label: its name in the policy, for reasons the form has no word for.
        graduate: the member is in the season's register.
    """
    if reason in {Reason.FURTHER_STUDY, Reason.INTERNAL_UPGRADE}:
        return LetterReason.FURTHER_STUDY, ""
    if reason is Reason.SPECIAL_UNIT:
        return LetterReason.OTHER, label
    if graduate:
        return LetterReason.GRADUATION, ""
    if reason is Reason.RELOCATION:
        return LetterReason.RESIDENCE_CHANGE, ""
    if reason in {Reason.WORK, Reason.EMPLOYED_WITH_ORG, Reason.EMPLOYED_WITHOUT_ORG}:
        return LetterReason.UNIT_CHANGE, ""
    return LetterReason.OTHER, label
