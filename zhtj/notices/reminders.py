"""Who is reminded today of what waits for him, and in which words: weekly, and on certain days of a running clock.

An office is due if something waits for it whose latest day of reminding lies behind its last reminder: a sweep after a
week's outage sends the one digest that still applies, and a second sweep on a day finds nothing left to do (PD-19,
D-08, PD-36).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from zhtj.kernel import clock, dates
from zhtj.notices import waiting
from zhtj.notices.waiting import Heap, WaitingHeap, WaitingKind, WaitingSource
from zhtj.policy.model import Policy
from zhtj.policy.seasons import phase
from zhtj.policy.vocabulary import CampaignPhase


@dataclass(frozen=True, slots=True)
class Digest:
    """What one office hears today.

    Args:
        waiting: how many things wait for it.
        first_due: when the first of them goes back, if a clock runs.
    """

    office_id: int
    title: str
    body: str
    waiting: int
    first_due: datetime | None = None


def due_today() -> Iterator[Digest]:
    """The digests of all offices that are due today."""
    today = clock.today()
    policies, which = waiting.season_policies(today.year)
    for heaps in _by_office(waiting.heaps(which)):
        if any(is_due(source, heap, policies[heap.policy], today) for source, heap in heaps):
            yield _digest(heaps, policies, today)


def of_office(office_id: int) -> Digest | None:
    """What an office would hear now; None where nothing waits for it."""
    today = clock.today()
    policies, which = waiting.season_policies(today.year)
    heaps = list(waiting.heaps(which, office_id=office_id))
    return _digest(heaps, policies, today) if heaps else None


def _by_office(heaps: Iterator[Heap]) -> list[list[Heap]]:
    found: dict[int, list[Heap]] = defaultdict(list)
    for source, heap in heaps:
        found[heap.office_id].append((source, heap))
    return [found[office] for office in sorted(found)]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The next reminder of an office, if what waits for it goes on waiting."""

    office_id: int
    office: str
    on: date
    number: int


def upcoming(path: str) -> list[Upcoming]:
    """The next reminders of the offices in one part of the tree, the nearest first (PD-19)."""
    today = clock.today()
    policies, which = waiting.season_policies(today.year)
    found = []
    for heaps in _by_office(waiting.heaps(which, path)):
        days = (_next_day(source, heap, policies[heap.policy], today) for source, heap in heaps)
        on = min((day for day in days if day is not None), default=None)
        if on is not None:
            first = heaps[0][1]
            found.append(Upcoming(first.office_id, first.office, on, sum(heap.number for _, heap in heaps)))
    return sorted(found, key=lambda one: (one.on, one.office_id))


def _next_day(source: WaitingSource, heap: WaitingHeap, policy: Policy, today: date) -> date | None:
    """The first day after today on which the office is due because of these; None: they go back before it comes."""
    ahead = max(policy.reminder_interval_days, policy.auto_return_days) + 1
    days = (today + timedelta(days=number) for number in range(1, ahead + 1))
    last = heap.due_at and clock.local(heap.due_at).date()
    return next((day for day in days if (last is None or day < last) and is_due(source, heap, policy, day)), None)


def clock_day(heap: WaitingHeap, policy: Policy, today: date) -> int:
    """Which day of the ten today is; 0 or less: the clock does not run yet, or never does (PD-18)."""
    if heap.due_at is None:
        return 0
    return (today - _clock_start(heap.due_at, policy)).days


def _clock_start(due_at: datetime, policy: Policy) -> date:
    return clock.local(due_at).date() - timedelta(days=policy.auto_return_days + 1)


def is_due(source: WaitingSource, heap: WaitingHeap, policy: Policy, today: date) -> bool:
    """Whether the office has to be reminded of these today (PD-19)."""
    since = clock.local(heap.oldest).date()
    # A clock that was set back starts again from there.
    last = heap.last_on if heap.last_on is not None and heap.last_on <= today else None
    day = clock_day(heap, policy, today)
    if day > 0 and heap.due_at is not None:
        passed = [number for number in policy.reminder_days if number <= day]
        marked = _clock_start(heap.due_at, policy) + timedelta(days=max(passed)) if passed else None
        return marked is not None and since <= marked and (last is None or last < marked)
    weekly = (today - max(since, last or since)).days >= policy.reminder_interval_days
    return weekly or (heap.step in source.unreviewed and _review_due(policy, today, since, last))


def _review_due(policy: Policy, today: date, since: date, last: date | None) -> bool:
    """Weekly from the first day of the review phase on, whatever was said before (D-08)."""
    if phase(policy, today) is not CampaignPhase.REVIEW:
        return False
    begins = policy.application_end + timedelta(days=1)
    weeks = (today - begins).days // policy.reminder_interval_days
    marked = begins + timedelta(days=weeks * policy.reminder_interval_days)
    return since < marked and (last is None or last < marked)


@dataclass(slots=True)
class _Sum:
    """Counts for the text of one digest."""

    kinds: dict[WaitingKind, int] = field(default_factory=dict)
    steps: dict[tuple[WaitingKind, str], int] = field(default_factory=dict)
    for_others: int = 0
    running: dict[datetime, int] = field(default_factory=dict)
    to_review: int = 0
    review_end: date | None = None

    def add(self, source: WaitingSource, heap: WaitingHeap, policy: Policy, today: date) -> None:
        self.kinds[source.kind] = self.kinds.get(source.kind, 0) + heap.number
        step = source.kind, heap.step
        self.steps[step] = self.steps.get(step, 0) + heap.number
        self.for_others += heap.number if heap.for_others else 0
        if heap.due_at is not None and clock_day(heap, policy, today) >= 0:
            self.running[heap.due_at] = self.running.get(heap.due_at, 0) + heap.number
        elif heap.step in source.unreviewed and phase(policy, today) is CampaignPhase.REVIEW:
            self.to_review += heap.number
            self.review_end = policy.review_end

    def parts(self, sources: Sequence[WaitingSource]) -> str:
        """What waits, kind by kind, of an application with its steps."""
        found = []
        for source in sources:
            number = self.kinds.get(source.kind)
            if number:
                steps = ((label, self.steps.get((source.kind, step))) for step, label in source.steps.items())
                told = "、".join(f"{label} {many} 件" for label, many in steps if many)
                found.append(f"{source.kind.label} {number} 件{f'（{told}）' if told else ''}")
        return "，".join(found)


def _digest(heaps: Sequence[Heap], policies: Sequence[Policy], today: date) -> Digest:
    total = _Sum()
    for source, heap in heaps:
        total.add(source, heap, policies[heap.policy], today)
    office, count, first = heaps[0][1], sum(total.kinds.values()), min(total.running, default=None)
    # PD-19: with its date, so that nobody takes an old one for what waits today.
    body = f"{dates.full(today)}，{office.office}有 {count} 件等待办理：{total.parts(waiting.sources())}。"
    if total.for_others:
        body += f"其中 {total.for_others} 件属于没有管理员的下级组织，由贵组织代为办理。"
    if first is not None:
        days = (clock.local(first).date() - today).days - 1
        left = f"还剩 {days} 天" if days else "今天截止"
        body += (
            f"最早的 {total.running[first]} 件须在 {deadline(first)} 前办理（{left}），逾期系统自动退回，需要重新发起。"
        )
    if total.review_end is not None:
        end = dates.short(total.review_end)
        body += f"现在是审核期，其中 {total.to_review} 件尚未审核，收到的申请应当在 {end}前全部审核。"
    body += "请登录系统，在“待办”中办理。"
    title = f"待办提醒：{count} 件等待办理" + (f"，最早的 {deadline(first)} 前到期" if first else "")
    return Digest(office.office_id, title, body, count, first)


def deadline(due_at: datetime) -> str:
    """10月11日 24:00: a deadline at 00:00 ends the day before at 24:00."""
    last = clock.local(due_at - datetime.resolution)
    return f"{dates.short(last)} 24:00"
