"""Until when letters are valid, and by when their receipts are due (L-07, D-23)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from zhtj.floating import timers as floating
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.letters.models import Letter, LetterState
from zhtj.letters.outstanding import counted_from, missing
from zhtj.letters.queries import visible
from zhtj.people.models import Member
from zhtj.policy.model import Policy
from zhtj.transfers.models import Arrival
from zhtj.transfers.watching import timers
from zhtj.transfers.watching.timers import Mark, Source, Timer, TimerKind, end_of

MOST = 500


def sources(seat: ActiveSeat, policy: Policy, unreviewed: int | None = None) -> dict[TimerKind, Source]:
    """Where the timers of each kind come from; ``unreviewed``: their number, for whoever has counted them."""
    found = {
        TimerKind.RETURN: timers.returns(seat),
        TimerKind.REMINDER: timers.next_reminders(seat),
        TimerKind.REVIEW: timers.september(seat, policy, unreviewed),
        TimerKind.ONWARD: floating.timers(seat),
        TimerKind.MILESTONE: timers.season_days(policy),
    }
    if seat.may(Permission.LETTER_VIEW):
        found |= {TimerKind.LETTER: validity(seat), TimerKind.RECEIPT: receipts(seat, policy)}
    return found


def validity(seat: ActiveSeat) -> Source:
    """Letters that run out, of members who have not arrived yet."""

    def read(mark: Mark | None, _most: int) -> Iterable[Timer]:
        query = (
            select(Letter)
            .outerjoin(Arrival, Arrival.application_id == Letter.application_id)
            .where(
                Letter.state == LetterState.ISSUED,
                Letter.last_valid_on >= (clock.local(mark.at).date() - timedelta(days=1) if mark else clock.today()),
                Arrival.reported_on.is_(None),
                missing(),
                visible(seat),
            )
            .options(joinedload(Letter.member).joinedload(Member.account), joinedload(Letter.receiver))
            .order_by(Letter.last_valid_on, Letter.id)
            .limit(MOST)
        )
        for letter in session.scalars(query):
            yield _timer(TimerKind.LETTER, letter, f"介绍信 {letter.serial} 到期作废", "L-07", letter.last_valid_on)

    return read


def receipts(seat: ActiveSeat, policy: Policy) -> Source:
    """Receipts to come back: a month from the later of issue and recorded arrival (PD-29, D-23)."""
    days = timedelta(days=policy.letter_receipt_days)

    def read(_mark: Mark | None, _most: int) -> Iterable[Timer]:
        since = counted_from(Arrival.arrived_at)
        query = (
            select(Letter, since)
            .outerjoin(Arrival, Arrival.application_id == Letter.application_id)
            .where(
                Letter.state == LetterState.ISSUED,
                since >= clock.start_of_day(clock.today() - days),
                missing(),
                visible(seat),
            )
            .options(joinedload(Letter.member).joinedload(Member.account), joinedload(Letter.receiver))
            .order_by(Letter.id)
            .limit(MOST)
        )
        for letter, begins in session.execute(query):
            day = clock.local(begins).date() + days
            yield _timer(TimerKind.RECEIPT, letter, f"介绍信 {letter.serial} 的回执应寄回", "D-23", day)

    return read


def _timer(kind: TimerKind, letter: Letter, what: str, rule: str, day: date) -> Timer:
    return Timer(kind, end_of(day), what, rule, letter.id, letter.member, letter.receiver, letter.application_id)
