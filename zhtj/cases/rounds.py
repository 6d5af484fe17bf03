"""集中审核: a school's committee announces until when one applies and on which day it decides (A-26, R-05)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from zhtj.cases.models import Case, Round
from zhtj.cases.workflow import CaseState
from zhtj.kernel import audit, clock, dates
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, SeatKind, subtree
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Organisation, Tier

NOTE_AT_MOST = 200


def announce(seat: ActiveSeat, closes_on: date, decides_on: date, note: str = "") -> Round:
    """Announce the next round; colleges and applicants who wait are told.

    Args:
        seat: of a school's committee.
        closes_on: the last day to apply and sign.
        decides_on: the day of the decision, not before.
        note: what else they should know.

    Raises:
        Forbidden: not a school's committee.
        DomainError: days that do not fit.
    """
    if seat.kind is not SeatKind.SCHOOL:
        raise Forbidden("集中审核的时间由学校团委公布。", rule="A-26")
    if closes_on < clock.today():
        raise DomainError("截止日期不能早于今天。", field="closes_on", rule="A-26")
    if decides_on < closes_on:
        raise DomainError("审核日期不能早于截止日期。", field="decides_on", rule="A-26")
    if len(note.strip()) > NOTE_AT_MOST:
        raise DomainError(f"说明最多 {NOTE_AT_MOST} 个字。", field="note", rule="A-26")
    new = Round(
        org_id=seat.org_id,
        closes_on=closes_on,
        decides_on=decides_on,
        note=note.strip() or None,
        account_id=seat.account_id,
        announced_at=clock.now(),
    )
    session.add(new)
    session.flush()
    audit.record("round.announce", "round", new.id, closes=closes_on.isoformat(), decides=decides_on.isoformat())
    _tell(seat, new)
    return new


def _tell(seat: ActiveSeat, new: Round) -> None:
    body = (
        f"学校团委将于 {dates.short(new.decides_on)} 集中审核保留团组织关系的申请，请在 "
        f"{dates.short(new.closes_on)} 前提交申请、签收告知书。{new.note or ''}"
    )
    colleges = select(Organisation.id).where(
        subtree(Organisation.path, seat.path), Organisation.tier == Tier.SECOND, Organisation.closed_at.is_(None)
    )
    waiting = select(Case.subject_id).where(
        Case.kind == "retention",
        Case.state == CaseState.WAITING,
        Case.holder_id.in_([*session.scalars(colleges), seat.org_id]),
    )
    title = "保留申请集中审核时间"
    notices.send_many(
        [
            *(NewMessage(MessageKind.NOTE, title, body, org_id=number) for number in session.scalars(colleges)),
            *(
                NewMessage(MessageKind.NOTE, title, body, member_id=number)
                for number in session.scalars(waiting)
                if number is not None
            ),
        ]
    )


def cancel(seat: ActiveSeat, number: int) -> None:
    """Take an announced round back. Raises NotFound, Conflict where it was taken back before."""
    found = session.get(Round, number)
    if found is None or found.org_id != seat.org_id:
        raise NotFound
    if found.cancelled_at is not None:
        raise Conflict("这次集中审核已经取消。", rule="A-26")
    found.cancelled_at = clock.now()
    session.flush()
    audit.record("round.cancel", "round", found.id)


def coming(school: Organisation) -> list[Round]:
    """The rounds of a school that are still to come, the next first."""
    query = select(Round).where(
        Round.org_id == school.id, Round.cancelled_at.is_(None), Round.decides_on >= clock.today()
    )
    return list(session.scalars(query.order_by(Round.decides_on, Round.id)))


def next_of(school: Organisation) -> Round | None:
    """The next round one can still apply for."""
    return next((one for one in coming(school) if one.closes_on >= clock.today()), None)
