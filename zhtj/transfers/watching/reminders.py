"""Who is reminded today of what waits for him: weekly, and on certain days of a running clock (PD-19, D-08).

An office is due if something waits for it whose latest day of reminding lies behind its last reminder: a sweep after a
week's outage sends the one digest that still applies, and a second sweep on a day finds nothing left to do (PD-36).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import aliased

from zhtj.kernel import clock, dates
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import subtree
from zhtj.kernel.work.outgoing import Robot
from zhtj.notices import digests
from zhtj.notices.digests import Digest, deadline
from zhtj.notices.models import Reminder
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policies_of
from zhtj.policy.model import Policy
from zhtj.policy.seasons import phase
from zhtj.policy.vocabulary import CampaignPhase
from zhtj.transfers.models import Application
from zhtj.transfers.places import below
from zhtj.transfers.workflow import State

CHUNK = 500
UNREVIEWED = frozenset(
    {State.AWAITING_RELEASE, State.AWAITING_ACCEPTANCE, State.AWAITING_PROVINCE, State.AWAITING_EXTERNAL}
)


class WaitingHeap(NamedTuple):
    """Applications that wait for one office and stand alike."""

    office_id: int
    office: str
    last_on: date | None
    state: State
    due_at: datetime | None
    policy: int
    for_others: bool
    number: int
    oldest: datetime


def remind(*, mail: bool, robots: Sequence[Robot] = ()) -> tuple[int, int]:
    """Send every digest that is due today; (offices due, digests sent), each chunk in a transaction of its own."""
    due = list(due_today())
    sent = 0
    for start in range(0, len(due), CHUNK):
        with unit_of_work():
            sent += digests.send(due[start : start + CHUNK], mail=mail)
    with unit_of_work():
        digests.tell_robots(robots)
    return len(due), sent


def due_today() -> Iterator[Digest]:
    """The digests of all offices that are due today."""
    today = clock.today()
    policies, which = _policies(today.year)
    heaps = [WaitingHeap(*row) for row in session.execute(_heaps(which))]
    for _, group in groupby(heaps, key=lambda heap: heap.office_id):
        waiting = list(group)
        if any(is_due(heap, policies[heap.policy], today) for heap in waiting):
            yield _digest(waiting, policies, today)


def _policies(season: int) -> tuple[list[Policy], Any]:
    """The season's policies, and SQL for the number of the one that governs an origin: the nearest layer's (PD-18)."""
    local = policies_of(season)
    found, whens = [local.at("")], []
    for path, _ in reversed(local.layered):
        whens.append((subtree(Application.from_path, path), len(found)))
        found.append(local.at(path))
    return found, case(*whens, else_=0) if whens else literal(0)


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
    policies, which = _policies(today.year)
    found = []
    heaps = [WaitingHeap(*row) for row in session.execute(_heaps(which, path))]
    for _, group in groupby(heaps, key=lambda heap: heap.office_id):
        waiting = list(group)
        days = (_next_day(heap, policies[heap.policy], today) for heap in waiting)
        on = min((day for day in days if day is not None), default=None)
        if on is not None:
            found.append(Upcoming(waiting[0].office_id, waiting[0].office, on, sum(heap.number for heap in waiting)))
    return sorted(found, key=lambda one: (one.on, one.office_id))


def _next_day(heap: WaitingHeap, policy: Policy, today: date) -> date | None:
    """The first day after today on which the office is due because of these; None: they go back before it comes."""
    ahead = max(policy.reminder_interval_days, policy.auto_return_days) + 1
    days = (today + timedelta(days=number) for number in range(1, ahead + 1))
    last = heap.due_at and clock.local(heap.due_at).date()
    return next((day for day in days if (last is None or day < last) and is_due(heap, policy, day)), None)


def _heaps(which: Any, path: str = "") -> Any:
    """What waits, office by office; one query for the whole country, or for one part of the tree.

    Added up by holder first: far fewer than the applications, and only for them one asks who acts.
    """
    waiting = (
        select(
            Application.holder_id,
            Application.state,
            Application.due_at,
            which.label("policy"),
            Application.waiting_since,
        )
        .where(Application.ended_at.is_(None), (Application.due_at.is_(None)) | (Application.due_at > clock.now()))
        .where(*([below(path)] if path else ()))
        .subquery("waiting")
    )
    alike = [column for column in waiting.c if column.name != "waiting_since"]
    piles = (
        select(*alike, func.count().label("number"), func.min(waiting.c.waiting_since).label("oldest"))
        .group_by(*alike)
        .subquery("piles")
    )
    office, holder = aliased(Organisation, name="office"), aliased(Organisation, name="holder")
    own = (
        office.id,
        office.short_name,
        Reminder.last_on,
        piles.c.state,
        piles.c.due_at,
        piles.c.policy,
        (holder.id != office.id).label("for_others"),
    )
    return (
        select(*own, func.sum(piles.c.number), func.min(piles.c.oldest))
        .join(holder, holder.id == piles.c.holder_id)
        .join(office, office.id == holder.office_id)
        .outerjoin(Reminder, Reminder.office_id == office.id)
        .where(*([subtree(office.path, path)] if path else ()))
        .group_by(*own)
        .order_by(office.id)
    )


def clock_day(heap: WaitingHeap, policy: Policy, today: date) -> int:
    """Which day of the ten today is; 0 or less: the clock does not run yet, or never does (PD-18)."""
    if heap.due_at is None:
        return 0
    return (today - _clock_start(heap.due_at, policy)).days


def _clock_start(due_at: datetime, policy: Policy) -> date:
    return clock.local(due_at).date() - timedelta(days=policy.auto_return_days + 1)


def is_due(heap: WaitingHeap, policy: Policy, today: date) -> bool:
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
    return weekly or _review_due(heap, policy, today, since, last)


def _review_due(heap: WaitingHeap, policy: Policy, today: date, since: date, last: date | None) -> bool:
    """Weekly from the first day of the review phase on, whatever was said before (D-08)."""
    if phase(policy, today) is not CampaignPhase.REVIEW or heap.state not in UNREVIEWED:
        return False
    begins = policy.application_end + timedelta(days=1)
    weeks = (today - begins).days // policy.reminder_interval_days
    marked = begins + timedelta(days=weeks * policy.reminder_interval_days)
    return since < marked and (last is None or last < marked)


@dataclass(slots=True)
class _Sum:
    """Counts for the text of one digest."""

    by_state: dict[State, int] = field(default_factory=dict)
    for_others: int = 0
    running: dict[datetime, int] = field(default_factory=dict)
    to_review: int = 0
    review_end: date | None = None

    def add(self, heap: WaitingHeap, policy: Policy, today: date) -> None:
        self.by_state[heap.state] = self.by_state.get(heap.state, 0) + heap.number
        self.for_others += heap.number if heap.for_others else 0
        if heap.due_at is not None and clock_day(heap, policy, today) >= 0:
            self.running[heap.due_at] = self.running.get(heap.due_at, 0) + heap.number
        elif heap.state in UNREVIEWED and phase(policy, today) is CampaignPhase.REVIEW:
            self.to_review += heap.number
            self.review_end = policy.review_end


def _digest(heaps: Sequence[WaitingHeap], policies: Sequence[Policy], today: date) -> Digest:
    total = _Sum()
    for heap in heaps:
        total.add(heap, policies[heap.policy], today)
    count = sum(total.by_state.values())
    first = min(total.running, default=None)
    steps = "、".join(f"{state.label} {total.by_state[state]} 件" for state in State if state in total.by_state)
    body = f"{heaps[0].office}现有 {count} 件组织关系转接申请等待办理：{steps}。"
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
    return Digest(heaps[0].office_id, title, body, count, first)
