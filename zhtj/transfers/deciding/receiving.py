"""What a receiver has to look at before saying yes: joining date, file, whereabouts (A-13, A-14, E-06, E-07, T-05)."""

from __future__ import annotations

from zhtj.kernel import dates
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people import identity
from zhtj.people.models import Member
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.models import Application

FILE_CHECKED = "已核对团员档案。"
WHEREABOUTS_CHECKED = "已核实本人没有在其他单位就业。"
_YEAR = 4


def joining_doubts(member: Member, policy: Policy) -> list[str]:
    """What does not fit together about the joining date; the old organisation is asked about it first (E-06, PD-31).

    Args:
        member: with his account's ID number, if it is known.
        policy: whose age limits and numbering hold.
    """
    # E-06: what does not agree is cleared up with the old organisation before anybody says yes.
    joined, number, found = member.joined_on, member.dev_number or "", []
    if len(number) == policy.dev_number_length and number[:_YEAR] != f"{joined:%Y}":
        found.append(f"入团年月是{dates.month(joined)}，发展团员编号却以 {number[:_YEAR]} 开头。")
    if not number and joined >= policy.dev_number_required_from:
        found.append(f"{policy.dev_number_required_from.year}年及以后入团，却没有发展团员编号。")
    if member.account.id_number:
        age, limit = identity.read(member.account.id_number).age_on(joined.replace(day=1)), policy.join_age(joined)
        least = max(limit.error_below, limit.warn_below or 0)
        if age < least:
            found.append(f"入团时只有 {age} 周岁，低于 {least} 周岁。")
    return found


def file_check_required(receiver: Organisation) -> bool:
    """Whether the receiver's policy takes nobody in before his file has been checked (E-07, K-17)."""
    return policy_of(receiver).file_check_required


def whereabouts_asked(application: Application) -> bool:
    """Whether the receiver must make sure that he does not work elsewhere already (T-05)."""
    return application.reason == Reason.UNPLACED


def check_before_yes(
    application: Application, *, file: bool, whereabouts: bool, file_required: bool | None = None
) -> None:
    """What has to be checked before an application is accepted.

    Args:
        application: waiting for acceptance.
        file: his file has been checked.
        whereabouts: he was asked and works nowhere else.
        file_required: what ``file_check_required`` says of the receiver; None: look it up.

    Raises:
        DomainError: a check that is asked for was not done.
    """
    if whereabouts_asked(application) and not whereabouts:
        raise DomainError(
            "请先核实本人是否已在其他单位就业，再同意转入。",
            fix="没有就业的请勾选；已在其他单位就业的选“不同意”，理由选“本人已在其他单位就业，应转往该单位”。",
            field="whereabouts_checked",
            rule="T-05",
        )
    # whereabouts and, where the policy asks, the file are looked at before the yes.
    required = file_check_required(application.to_org) if file_required is None else file_required
    if required and not file:
        raise DomainError(
            "本校规定先核对团员档案，再同意转入。",
            fix="档案齐全的请勾选；缺失的请原单位出具证明，仍不能核实的选“不同意”并写明。",
            field="file_checked",
            rule="E-07",
        )


def noted(application: Application, remark: str, *, file: bool, whereabouts: bool) -> str:
    """The remark of an acceptance, with a word on what was checked."""
    said = WHEREABOUTS_CHECKED if whereabouts and whereabouts_asked(application) else ""
    return f"{FILE_CHECKED if file else ''}{said}{remark}"
