"""Who may issue letters: basic committees, and colleges that their school authorised (L-02, L-03, PD-30)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, subtree
from zhtj.kernel.permissions import check as check_permission
from zhtj.letters import rules
from zhtj.letters.models import LetterAuthorisation
from zhtj.orgs.models import Organisation, Tier
from zhtj.transfers.kinds import basic_of


def check_issuer(seat: ActiveSeat) -> None:
    """Raise Forbidden unless letters may be issued in this seat today (L-02, L-03, PD-30)."""
    rules.check_issuer(seat.kind, authorised=seat.kind is SeatKind.COLLEGE and authorised(seat.org_id))


def may_issue(seat: ActiveSeat) -> bool:
    """Whether letters may be issued in this seat today."""
    return seat.kind is SeatKind.SCHOOL or (seat.kind is SeatKind.COLLEGE and authorised(seat.org_id))


def authorised(org_id: int, day: date | None = None) -> bool:
    """Whether a college may issue letters on a day, by default today."""
    found = _open(org_id)
    return found is not None and found.holds(day or clock.today())


def issuer_for(seat: ActiveSeat, from_org: Organisation) -> Organisation:
    """The committee in whose name and numbers a letter for a member of ``from_org`` is issued (L-06).

    Raises:
        Forbidden: this seat issues no letters.
        NotFound: the member does not leave this seat's committee.
        DomainError: there is no basic committee above him.
    """
    check_issuer(seat)
    if seat.kind is SeatKind.COLLEGE:
        check_permission(seat, Permission.LETTER_ISSUE, from_org.path)
        return session.get_one(Organisation, seat.org_id)
    issuer = basic_of(from_org)
    if issuer is None:
        raise DomainError("该团员所在组织没有基层团委，不能开具介绍信。", rule="L-02")
    check_permission(seat, Permission.LETTER_ISSUE, issuer.path)
    return issuer


def grant(college: Organisation, seat: ActiveSeat, valid_from: date, valid_until: date | None) -> LetterAuthorisation:
    """Let a college issue letters (PD-30); one that has run out gives way to the new one.

    Raises:
        Forbidden: only the school committee grants.
        NotFound: the college is not below it.
        DomainError: no second-level committee, or the days do not fit.
        Conflict: it is authorised already.
    """
    _check_grantor(seat, college)
    today = clock.today()
    if valid_until is not None and valid_until < max(valid_from, today):
        raise DomainError("授权的截止日期不能早于起始日期或今天。", field="valid_until", rule="PD-30")
    if valid_from < today:
        raise DomainError("授权从今天或以后的日期开始，不能追溯。", field="valid_from", rule="PD-30")
    before = _open(college.id)
    if before is not None:
        if before.valid_until is None or before.valid_until >= today:
            raise Conflict(f"{college.short_name}已有授权。", fix="需要改期的，请先终止原来的授权。", rule="PD-30")
        _end(before, seat)
    found = LetterAuthorisation(
        org_id=college.id,
        school_id=seat.org_id,
        valid_from=valid_from,
        valid_until=valid_until,
        granted_at=clock.now(),
        granted_by_account_id=seat.account_id,
    )
    try:
        with session.begin_nested():
            session.add(found)
            session.flush()
    except IntegrityError as error:
        raise Conflict(f"{college.short_name}已有授权。", fix="请刷新后再看。", rule="PD-30") from error
    audit.record(
        "letter.authorise",
        "organisation",
        college.id,
        valid_from=valid_from.isoformat(),
        valid_until=valid_until.isoformat() if valid_until else "",
    )
    return found


def end(college: Organisation, seat: ActiveSeat) -> None:
    """Take a college's authorisation back; what it has issued stays valid (PD-30).

    Raises:
        Forbidden, NotFound: as ``grant``.
        Conflict: it has none.
    """
    _check_grantor(seat, college)
    found = _open(college.id)
    if found is None:
        raise Conflict(f"{college.short_name}没有授权。", rule="PD-30")
    _end(found, seat)
    session.flush()
    audit.record("letter.unauthorise", "organisation", college.id)


def _end(found: LetterAuthorisation, seat: ActiveSeat) -> None:
    found.ended_at, found.ended_by_account_id = clock.now(), seat.account_id
    session.flush()


def _check_grantor(seat: ActiveSeat, college: Organisation) -> None:
    if seat.kind is not SeatKind.SCHOOL:
        raise Forbidden("只有校团委（基层团委）能授权二级团委开具介绍信。", rule="PD-30")
    if not college.path.startswith(seat.path):
        raise NotFound
    if college.tier is not Tier.SECOND:
        raise DomainError("只能授权二级团委（团总支），团支部一律不得开具介绍信。", rule="L-03")


def _open(org_id: int) -> LetterAuthorisation | None:
    query = select(LetterAuthorisation).where(
        LetterAuthorisation.org_id == org_id, LetterAuthorisation.ended_at.is_(None)
    )
    return session.scalars(query).first()


def colleges(seat: ActiveSeat) -> list[tuple[Organisation, LetterAuthorisation | None]]:
    """The second-level committees of a school with their authorisation, if they have one."""
    query = (
        select(Organisation, LetterAuthorisation)
        .outerjoin(
            LetterAuthorisation,
            (LetterAuthorisation.org_id == Organisation.id) & LetterAuthorisation.ended_at.is_(None),
        )
        .where(
            subtree(Organisation.path, seat.path), Organisation.tier == Tier.SECOND, Organisation.closed_at.is_(None)
        )
        .order_by(Organisation.path)
    )
    return [(org, found) for org, found in session.execute(query)]


def past(seat: ActiveSeat, limit: int = 50) -> list[LetterAuthorisation]:
    """Authorisations that this school has ended, newest first."""
    query = (
        select(LetterAuthorisation)
        .where(LetterAuthorisation.school_id == seat.org_id, LetterAuthorisation.ended_at.is_not(None))
        .options(joinedload(LetterAuthorisation.org), joinedload(LetterAuthorisation.ended_by))
    )
    return list(session.scalars(query.order_by(LetterAuthorisation.id.desc()).limit(limit)))
