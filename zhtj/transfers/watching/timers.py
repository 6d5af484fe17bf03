"""Every running timer in one part of the tree, and what the next return sweep would do (PD-18, PD-36, D-08).

Reads only. Letters and floating branches have timers of their own, which the page lists among these.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import joinedload

from zhtj.kernel import clock, dates
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.sql.paging import CHUNK, Page, decode, encode
from zhtj.kernel.sql.subqueries import any_of
from zhtj.notices import reminders
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.policy.model import Policy
from zhtj.policy.seasons import milestones
from zhtj.transfers.models import Application
from zhtj.transfers.places import below
from zhtj.transfers.queries import visible
from zhtj.transfers.workflow import RUNNING, State

SIZE = 30
# What runs has a moment at which it runs out, and none at which it ended; saying so lets the index on it be used.
_RUNS = and_(Application.due_at.is_not(None), Application.ended_at.is_(None))


class TimerKind(StrEnum):
    """时限类别."""

    RETURN = "return"
    REMINDER = "reminder"
    REVIEW = "review"
    ONWARD = "onward"
    LETTER = "letter"
    RECEIPT = "receipt"
    MILESTONE = "milestone"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return LABELS[self]

    @property
    def is_deadline(self) -> bool:
        """Whether something ends on that day; a reminder is only sent on it."""
        return self is not TimerKind.REMINDER

    @property
    def is_review(self) -> bool:
        """Whether a list of people waits behind it."""
        return self is TimerKind.REVIEW


LABELS = {
    TimerKind.RETURN: "超期退回",
    TimerKind.REMINDER: "催办提醒",
    TimerKind.REVIEW: "九月审核",
    TimerKind.ONWARD: "流动团员转出",
    TimerKind.LETTER: "介绍信有效期",
    TimerKind.RECEIPT: "介绍信回执",
    TimerKind.MILESTONE: "本届日程",
}
ORDER = tuple(TimerKind)


class Mark(NamedTuple):
    """Where a timer stands in the list: moment, kind (its place in ``ORDER``), number within the kind."""

    at: datetime
    order: int
    number: int


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer.

    Args:
        kind: what kind.
        at: the moment it runs out.
        what: what happens then, or must have happened by then.
        rule: where it comes from.
        number: tells it from others of its kind; of an application, an office, a letter or a member.
        who: the member concerned.
        org: whose turn it is.
    """

    kind: TimerKind
    at: datetime
    what: str
    rule: str
    number: int
    who: Member | None = None
    org: Organisation | None = None
    application_id: int | None = None

    @property
    def mark(self) -> Mark:
        """Its place in the list."""
        return Mark(self.at, ORDER.index(self.kind), self.number)


Source = Callable[[Mark | None, int], Iterable[Timer]]
"""Timers of one kind in any order, of which at least the next so many behind a mark; None is the beginning."""


@dataclass(frozen=True, slots=True)
class TimerListing:
    """Timers of several kinds as one list, soonest first; each page asks every source for what lies behind a mark."""

    sources: Sequence[Source]

    def page(self, *, after: str = "") -> Page[Timer]:
        """One page; ``after`` as for ``Listing.page``. There is no way back but to the beginning."""
        return self._page(SIZE, Mark(*decode(after, [datetime, int, int])) if after else None)

    def walk(self, size: int = CHUNK) -> Iterator[Sequence[Timer]]:
        """All of them, ``size`` at a time."""
        page = self._page(size, None)
        while page.rows:
            yield page.rows
            if not page.after:
                return
            page = self._page(size, page.rows[-1].mark)

    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self.walk()))

    def _page(self, size: int, mark: Mark | None) -> Page[Timer]:
        found = [one for read in self.sources for one in read(mark, size + 1) if mark is None or one.mark > mark]
        rows = heapq.nsmallest(size + 1, found, key=lambda timer: timer.mark)
        return Page(rows[:size], "", encode(rows[size - 1].mark) if len(rows) > size else "")


def behind(mark: Mark | None, kind: TimerKind, at: Any, number: Any) -> ColumnElement[bool]:
    """SQL: a row of this kind stands behind ``mark`` in the list of all timers."""
    if mark is None:
        return literal(value=True) == literal(value=True)
    order = ORDER.index(kind)
    if order < mark.order:
        found: ColumnElement[bool] = at > mark.at
    elif order > mark.order:
        found = at >= mark.at
    else:
        found = tuple_(at, number) > tuple_(literal(mark.at, at.type), literal(mark.number))
    return found


def end_of(day: date) -> datetime:
    """24:00 of a day in Asia/Shanghai."""
    return clock.start_of_day(day + timedelta(days=1))


def returns(seat: ActiveSeat) -> Source:
    """Applications that go back by themselves unless somebody decides (D-09, PD-18)."""

    def read(mark: Mark | None, most: int) -> Iterable[Timer]:
        query = (
            select(Application)
            .where(
                _RUNS,
                Application.state.in_(RUNNING),
                visible(seat),
                behind(mark, TimerKind.RETURN, Application.due_at, Application.id),
            )
            .options(
                joinedload(Application.member).joinedload(Member.account),
                joinedload(Application.holder).joinedload(Organisation.office),
            )
        )
        for row in session.scalars(query.order_by(Application.due_at, Application.id).limit(most)):
            what = f"转往{row.to_name}的申请{row.state.label}，到时没有办理就退回"
            at = row.due_at or clock.now()
            yield Timer(TimerKind.RETURN, at, what, "PD-18", row.id, row.member, row.holder, row.id)

    return read


def next_reminders(seat: ActiveSeat) -> Source:
    """When the offices in this part of the tree are reminded of what waits for them (PD-19)."""

    def read(_mark: Mark | None, _most: int) -> Iterable[Timer]:
        coming = reminders.upcoming(seat.path)
        offices = _organisations([one.office_id for one in coming])
        for one in coming:
            what = f"提醒{one.office}：{one.number} 件等待办理"
            at = clock.start_of_day(one.on) + timedelta(hours=8)
            yield Timer(TimerKind.REMINDER, at, what, "PD-19", one.office_id, org=offices.get(one.office_id))

    return read


def _organisations(ids: list[int]) -> dict[int, Organisation]:
    query = select(Organisation).where(Organisation.id.in_(ids)).options(joinedload(Organisation.office))
    return {found.id: found for found in session.scalars(query)} if ids else {}


def season_days(policy: Policy) -> Source:
    """The days of the season still to come (D-01, D-07 … D-09, D-11)."""

    def read(_mark: Mark | None, _most: int) -> Iterable[Timer]:
        coming = milestones(policy, clock.today() - timedelta(days=1))
        for number, one in enumerate(coming):
            yield Timer(TimerKind.MILESTONE, end_of(one.day), one.text, one.rule, number)

    return read


def september(seat: ActiveSeat, policy: Policy, known: int | None = None) -> Source:
    """The one day by which everything submitted in the application phase has to be reviewed (D-08).

    Args:
        seat: whose list.
        policy: of the season.
        known: how long the September list is, for whoever has asked already.
    """

    def read(_mark: Mark | None, _most: int) -> Iterable[Timer]:
        number = unreviewed(seat, policy).count() if known is None else known
        if number:
            day = policy.application_end
            what = f"{dates.short(day)}以前提交的申请还有 {number} 件没有审核"
            yield Timer(TimerKind.REVIEW, end_of(policy.review_end), what, "D-08", seat.org_id)

    return read


def _unreviewed(query: Select[Any], seat: ActiveSeat, policy: Policy) -> Select[Any]:
    """Submitted in the application phase, undecided in or after September, at receivers in this part of the tree."""
    if clock.today() <= policy.application_end:
        return query.where(literal(value=1) == literal(value=0))
    receivers = select(Organisation.id).where(
        or_(subtree(Organisation.path, seat.path), Organisation.office_id == seat.org_id)
    )
    return query.where(
        Application.state.in_(RUNNING | {State.AWAITING_PROVINCE}),
        Application.submitted_at < end_of(policy.application_end),
        Application.holder_id.in_(receivers),
    )


def unreviewed(seat: ActiveSeat, policy: Policy) -> Listing[Application]:
    """The September list: what was submitted by the end of August and nobody has reviewed, oldest first (D-08)."""
    return Listing(
        _unreviewed(select(Application), seat, policy),
        [Application.submitted_at, Application.id],
        loads=(
            joinedload(Application.member).joinedload(Member.account),
            joinedload(Application.holder).joinedload(Organisation.office),
            joinedload(Application.to_org),
            joinedload(Application.from_org),
        ),
    )


class OverdueHeap(NamedTuple):
    """How many applications lie with one organisation, since when."""

    org: Organisation
    number: int
    oldest: datetime


def _by_holder() -> Select[Any]:
    query: Any = select(Application.holder_id, func.count(), func.min(Application.submitted_at))
    found: Select[Any] = query
    return found


def unreviewed_by_organisation(seat: ActiveSeat, policy: Policy, most: int = 50) -> list[OverdueHeap]:
    """Where they lie, the largest heaps first, for the receivers' superior to ring up (D-08, T-32)."""
    return _heaps(_unreviewed(_by_holder(), seat, policy), most)


def _heaps(query: Select[Any], most: int) -> list[OverdueHeap]:
    return _named(session.execute(_piles(query, most)).all())


def _piles(query: Select[Any], most: int | None) -> Select[Any]:
    return query.group_by(Application.holder_id).order_by(func.count().desc(), Application.holder_id).limit(most)


def _named(rows: Sequence[Any]) -> list[OverdueHeap]:
    found = _organisations([holder for holder, *_ in rows])
    return [OverdueHeap(found[holder], number, oldest) for holder, number, oldest, *_ in rows]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """预演: what a return sweep at ``at`` would do; nothing is written."""

    at: datetime
    number: int
    by_organisation: list[OverdueHeap]
    lines: list[Application]


def next_return(path: str = "") -> datetime | None:
    """The next moment at which something goes back by itself, in a part of the tree or (``""``) anywhere."""
    first = select(Application.due_at).where(_RUNS, Application.state.in_(RUNNING), _within(path))
    return session.scalar(first.order_by(Application.due_at, Application.id).limit(1))


def rehearse(at: datetime, path: str = "", most: int | None = 100) -> Rehearsal:
    """What the return sweep at ``at`` would return if nobody decides before: count, by organisation, and the lines.

    Args:
        at: aware.
        path: applications from or to this part of the tree; ``""`` for all.
        most: lines at most; None for all.
    """
    due = (_RUNS, Application.state.in_(RUNNING), Application.due_at <= at, _within(path))
    piles = session.execute(_piles(_by_holder().add_columns(func.sum(func.count()).over()).where(*due), most)).all()
    number = int(piles[0][3]) if piles else 0
    order = (Application.due_at, Application.id)
    # Those that are shown are found before anything is read of them.
    first = select(Application.id).where(*due).order_by(*order).limit(most).correlate(None)
    lines = (
        select(Application)
        .where(any_of(Application.id, first))
        .options(
            joinedload(Application.member).joinedload(Member.account),
            joinedload(Application.holder),
            joinedload(Application.from_org),
            joinedload(Application.to_org),
        )
        .order_by(*order)
    )
    return Rehearsal(at, number, _named(piles), list(session.scalars(lines)))


def _within(path: str) -> ColumnElement[bool]:
    return below(path) if path else literal(value=1) == literal(value=1)
