"""The present phase of the campaign in one line: whether the ten days run, until when withdrawing costs nothing.

D-01, D-06, D-08, D-09 and A-19 in plain words, read off the season's policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zhtj.kernel import clock, dates
from zhtj.policy.model import Policy
from zhtj.policy.seasons import phase
from zhtj.policy.vocabulary import CampaignPhase


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """本届所处阶段.

    Args:
        phase: None outside the campaign.
        label: name of the phase.
        last_day: its last day; outside the campaign the first day of the coming one, or None once it is over.
        meaning: what holds meanwhile, in one sentence or two.
        runs: whether the ten days run for the season's applications.
    """

    phase: CampaignPhase | None
    label: str
    last_day: date | None
    meaning: str
    runs: bool

    @property
    def text(self) -> str:
        """Name, last day and meaning."""
        until = f"（至{dates.short(self.last_day)}）" if self.phase is not None and self.last_day else ""
        return f"{self.label}{until}：{self.meaning}"


def line(policy: Policy, today: date | None = None) -> PhaseLine:
    """The phase of a policy's season on a day, by default today."""
    today = today or clock.today()
    now, runs = phase(policy, today), today >= policy.auto_return_from
    if now is None:
        return _outside(policy, today)
    ends = {
        CampaignPhase.APPLICATION: policy.application_end,
        CampaignPhase.REVIEW: policy.review_end,
        CampaignPhase.CLOSING: policy.campaign_end,
    }
    meaning = {
        CampaignPhase.APPLICATION: "可以随时申请和撤销，撤销不影响双方的衔接率。",
        CampaignPhase.REVIEW: "收到的申请应在本月内全部审核；对方同意以前仍可撤销。",
        CampaignPhase.CLOSING: "对方同意以前仍可撤销。",
    }[now]
    return PhaseLine(now, now.label, ends[now], meaning + _clock(policy, runs=runs), runs)


def _clock(policy: Policy, *, runs: bool) -> str:
    if runs:
        return f"超过 {policy.auto_return_days} 天没有办理的，系统自动退回，需要重新申请。"
    return f"{dates.short(policy.auto_return_from)}以前系统不自动退回。"


def _outside(policy: Policy, today: date) -> PhaseLine:
    days = f"申请提交后 {policy.auto_return_days} 天没有办理的，系统自动退回。"
    if today < policy.campaign_start:
        begins = policy.campaign_start
        return PhaseLine(None, "本届转接尚未开始", begins, f"{dates.short(begins)}起可以申请毕业转接；其他{days}", True)
    return PhaseLine(None, "本届转接已经结束", None, f"没有完成的仍可办理；{days}", True)
