"""The steps of the campaign in their order, with how much of each is left (G-24)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from zhtj.graduation import queries
from zhtj.graduation.queries import MarkFilters
from zhtj.kernel import clock
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Organisation
from zhtj.transfers.watching import graduates
from zhtj.transfers.watching.graduates import NOT_STARTED, GraduateFilters
from zhtj.transfers.workflow import OPEN


@dataclass(frozen=True, slots=True)
class CampaignStep:
    """One step.

    Args:
        title: what is to be done.
        left: how much, in words.
        href: where.
        done: whether nothing is left.
    """

    title: str
    left: str
    href: str
    done: bool


def steps(seat: ActiveSeat, organisation: Organisation) -> list[CampaignStep]:
    """Mark, confirm identities, start, approve and allocate; nothing for anybody who is no school's."""
    if seat.kind is SeatKind.PROVINCIAL or organisation.industry not in SCHOOL_INDUSTRIES:
        return []
    found = graduates.counts(seat, clock.today().year, GraduateFilters()).steps
    under_way = sum(found[state.value] for state in OPEN)
    disposed = queries.disposed(seat).count()
    # G-24: in the order of the guide; what is done already is skipped.
    steps = []
    if seat.may(Permission.GRADUATION_MARK):
        missing = queries.branch_list(seat, MarkFilters("unmarked")).count()
        marking = url_for(".marking", state="unmarked" if missing else None)
        steps.append(CampaignStep("标记毕业时间", f"未标记 {missing:,} 个团支部", marking, not missing))
    # How many are still to be confirmed nobody knows: the list is for looking through, once all are marked.
    steps.append(CampaignStep("确认身份", f"延迟毕业、教师 {disposed:,} 名", url_for(".delayed"), done=False))
    waiting = found[NOT_STARTED]
    steps.append(
        CampaignStep("发起转接", f"未发起 {waiting:,} 名", url_for(".graduates", step=NOT_STARTED), not waiting)
    )
    steps.append(CampaignStep("审批和分配", f"正在办理 {under_way:,} 名", url_for(".applications"), not under_way))
    return steps
