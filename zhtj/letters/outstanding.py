"""Receipts that have not come back: whose, since when, and the reminders that go out by themselves (D-23, PD-29)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, insert, or_, select, union_all
from sqlalchemy.orm import aliased

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.sql.listing import Listing
from zhtj.letters import messages
from zhtj.letters.models import Letter, LetterReceipt, LetterReminder, LetterState, ReminderKind
from zhtj.letters.queries import WHOLE, visible
from zhtj.notices.waiting import WaitingKind, WaitingSource
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import by_policy, policy_of
from zhtj.policy.model import Policy
from zhtj.transfers.models import Arrival


def counted_from(arrived_at: Any) -> ColumnElement[datetime]:
    """SQL for the moment from which a receipt's month runs (PD-29).

    Args:
        arrived_at: of the letter's application; NULL where nobody has arrived.
    """
    # PD-29: the later of issue and arrival; who asks for a letter after his arrival gets a whole month.
    return case((arrived_at > Letter.issued_at, arrived_at), else_=Letter.issued_at)


SINCE = counted_from(
    select(Arrival.arrived_at).where(Arrival.application_id == Letter.application_id).scalar_subquery()
)


def missing() -> ColumnElement[bool]:
    """The letter's receipt is not there."""
    return ~select(LetterReceipt.letter_id).where(LetterReceipt.letter_id == Letter.id).exists()


@dataclass(frozen=True, slots=True)
class OutstandingReceipt:
    """A letter whose receipt is still out.

    Args:
        letter: which.
        due_on: the day by which the receipt should be back (D-23).
    """

    letter: Letter
    due_on: date

    @property
    def overdue(self) -> bool:
        """Whether that day is over."""
        return self.due_on < clock.today()


def ours(seat: ActiveSeat) -> Listing[OutstandingReceipt]:
    """Issued letters of the seat's part of the tree without receipt, the oldest first."""
    return Listing(_open().where(visible(seat)), [Letter.id], loads=WHOLE, dress=_with_days)


def to_fill(seat: ActiveSeat) -> Listing[OutstandingReceipt]:
    """Letters addressed to the seat's committee, or to one it acts for, whose slip three it has to fill."""
    served = select(Organisation.id).where(or_(Organisation.id == seat.org_id, Organisation.office_id == seat.org_id))
    return Listing(_open().where(Letter.receiver_org_id.in_(served)), [Letter.id], loads=WHOLE, dress=_with_days)


def late(seat: ActiveSeat) -> Listing[OutstandingReceipt]:
    """Overdue receipts that wait for the seat's office: to be filled in, or to be asked for (PD-19)."""
    issuer = aliased(Organisation)
    served = select(Organisation.id).where(Organisation.office_id == seat.org_id)
    query = select(Letter).join(issuer, issuer.id == Letter.issuer_org_id).where(_late(issuer))
    concerned = or_(Letter.receiver_org_id.in_(served), Letter.issuer_org_id.in_(served))
    return Listing(query.where(concerned), [Letter.id], loads=WHOLE, dress=_with_days)


def _open() -> Select[Letter]:
    return select(Letter).where(Letter.state == LetterState.ISSUED, missing())


def _with_days(letters: Sequence[Letter]) -> list[OutstandingReceipt]:
    """These letters with the day by which their receipts should be back."""
    rows = session.execute(select(Letter.id, SINCE).where(Letter.id.in_([letter.id for letter in letters])))
    since: dict[int, Any] = dict(rows.all())
    return [OutstandingReceipt(letter, due_day(letter, since[letter.id])) for letter in letters]


def due_day(letter: Letter, since: datetime) -> date:
    """The day by which a receipt should be back, counted from ``since`` (D-23)."""
    # D-23: the receipt is back within a month; how long the letter itself is good says L-07.
    return clock.local(since).date() + timedelta(days=policy_of(letter.issuer).letter_receipt_days)


def count_overdue(seat: ActiveSeat) -> int:
    """How many receipts of the seat's letters should have come back; months by the seat's own policy."""
    own = session.get_one(Organisation, seat.org_id)
    late = clock.start_of_day(clock.today() - timedelta(days=policy_of(own).letter_receipt_days))
    query = select(func.count()).select_from(Letter).where(Letter.state == LetterState.ISSUED, missing(), visible(seat))
    return session.scalar(query.where(late > SINCE)) or 0


def _late(issuer: Any) -> ColumnElement[bool]:
    """Their month is over, and they still count (D-23, L-07)."""

    def over(policy: Policy) -> ColumnElement[bool]:
        return clock.start_of_day(clock.today() - timedelta(days=policy.letter_receipt_days)) > SINCE

    return and_(
        Letter.state == LetterState.ISSUED,
        Letter.last_valid_on >= clock.today(),
        missing(),
        by_policy(issuer.path, over),
    )


def _waiting_rows() -> Any:
    """The receiver fills slip three in; the issuer asks for it, or records the paper; an office that is both, once."""
    issuer, receiver = aliased(Organisation), aliased(Organisation)
    to_fill = select(Letter.receiver_org_id.label("org_id"), Letter.issued_at.label("since")).join(
        issuer, issuer.id == Letter.issuer_org_id
    )
    to_ask = (
        select(Letter.issuer_org_id, Letter.issued_at)
        .join(issuer, issuer.id == Letter.issuer_org_id)
        .outerjoin(receiver, receiver.id == Letter.receiver_org_id)
        .where(or_(receiver.office_id.is_(None), receiver.office_id != issuer.office_id))
    )
    rows = union_all(
        to_fill.where(_late(issuer), Letter.receiver_org_id.is_not(None)), to_ask.where(_late(issuer))
    ).subquery()
    return select(rows.c.org_id, rows.c.since)


WAITING = WaitingSource(WaitingKind.RECEIPT, _waiting_rows)


def remind() -> tuple[int, int]:
    """Remind of receipts that are a month late, and tell who is concerned that a letter lapsed unreceived; each once.

    Returns:
        Letters found, letters told of; the caller owns the transaction.
    """
    found = told = 0
    for kind in ReminderKind:
        due = _due(kind)
        found += len(due)
        if due:
            moment = clock.now()
            session.execute(
                insert(LetterReminder), [{"letter_id": letter.id, "kind": kind, "at": moment} for letter in due]
            )
            (messages.remind_of_receipts if kind is ReminderKind.RECEIPT else messages.tell_lapsed)(due)
            told += len(due)
    return found, told


def _due(kind: ReminderKind) -> list[Letter]:
    """Letters without receipt whose day is over and that nobody was told of; of what has lapsed only that is told."""
    today = clock.today()
    done = select(LetterReminder.letter_id).where(LetterReminder.letter_id == Letter.id, LetterReminder.kind == kind)
    query = _open().where(~done.exists()).options(*WHOLE).order_by(Letter.id)
    if kind is ReminderKind.LAPSED:
        return list(session.scalars(query.where(Letter.last_valid_on < today)))
    rows = session.execute(query.add_columns(SINCE).where(Letter.last_valid_on >= today))
    return [letter for letter, since in rows if due_day(letter, since) < today]
