"""《学社衔接转出特殊情况记录》(F-02): graduates whose transfer was not accepted, and those nobody could settle (A-28).

Lines are read off the applications themselves - refused, returned, not taken by an external system - so none is ever
missing, and a line closes by itself once the member has completed a later transfer. Only what people add is kept:
the remark of a line, and lines entered by hand for graduates who never applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Select,
    String,
    Subquery,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import aliased, joinedload

from zhtj.graduation.models import RegisterRow
from zhtj.graduation.season_line import check_season, in_season
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.kernel.sql.listing import Listing, count_rows
from zhtj.people.finding import search
from zhtj.people.models import Member
from zhtj.transfers.models import NOTE_AT_MOST, Application, ExceptionNote
from zhtj.transfers.workflow import FAILED, OPEN, State

BY_HAND = "by_hand"
# whatever ended without success stands on the register by itself, the rest is entered by hand.
KINDS = {**{state.value: state.label for state in State if state in FAILED}, BY_HAND: "未发起"}
REASON_AT_LEAST = 5


@dataclass(frozen=True, slots=True)
class ExceptionFilters:
    """What the register is narrowed by; "" is no filter.

    Args:
        status: ``open``, ``closed`` or "".
        kind: a key of KINDS.
        path: season path of a college or class below the seat.
        text: start of the name, or a whole student number.
    """

    status: str = ""
    kind: str = ""
    path: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """One line of the register.

    Args:
        number: 序号, counted over the whole list.
        is_open: no later transfer of his was completed.
    """

    number: int
    row: RegisterRow
    application: Application | None
    note: ExceptionNote | None
    is_open: bool


_later = aliased(Application)
_KEYS = ("open", "at", "source", "number")
# Few rows are closed; as a list they are looked up once.
_CLOSED = select(RegisterRow.id).where(RegisterRow.closed_at.is_not(None))


def _register(seat: ActiveSeat, season: int, filters: ExceptionFilters) -> Subquery:
    """Keys of all lines: whether open, since when, and of which table and row."""
    parts = {"": (_unaccepted, _by_hand), BY_HAND: (_by_hand,)}.get(filters.kind, (_unaccepted,))
    lines = union_all(*(part(seat, season, filters) for part in parts)).subquery()
    query = select(lines)
    if filters.status:
        query = query.where(lines.c.open == int(filters.status == "open"))
    return query.subquery()


def _unaccepted(seat: ActiveSeat, season: int, filters: ExceptionFilters) -> Select[Any]:
    """Of applications; what is asked of the register row stands in them too, so that none is joined with its own."""
    settled = exists().where(
        _later.member_id == Application.member_id, _later.state == State.COMPLETED, _later.id > Application.id
    )
    query = select(
        case((settled, 0), else_=1).label("open"),
        Application.ended_at.label("at"),
        literal("application", String).label("source"),
        Application.id.label("number"),
    ).where(
        Application.season == season,
        Application.state.in_({State(filters.kind)} & FAILED if filters.kind in FAILED else FAILED),
        Application.register_row_id.not_in(_CLOSED.where(RegisterRow.season == season)),
    )
    return _narrow(query, seat, filters, Application.season_path, Application.member_id)


def _by_hand(seat: ActiveSeat, season: int, filters: ExceptionFilters) -> Select[Any]:
    """Of graduates who never applied."""
    query = (
        select(
            case((RegisterRow.completed_at.is_not(None), 0), else_=1).label("open"),
            ExceptionNote.added_at.label("at"),
            literal("note", String).label("source"),
            ExceptionNote.id.label("number"),
        )
        .join(RegisterRow, RegisterRow.id == ExceptionNote.register_row_id)
        .where(RegisterRow.season == season, RegisterRow.closed_at.is_(None))
    )
    return _narrow(query, seat, filters, RegisterRow.season_path, RegisterRow.member_id)


def _narrow(query: Select[Any], seat: ActiveSeat, filters: ExceptionFilters, path: Any, member: Any) -> Select[Any]:
    query = query.where(in_season(seat.path, path))
    if filters.path:
        query = query.where(in_season(filters.path, path))
    text = filters.text.strip()
    if text:
        query = query.where(search.is_called(member, text))
    return query


def listing(seat: ActiveSeat, season: int, filters: ExceptionFilters) -> Listing[ExceptionLine]:
    """The register: open lines first, the newest on top."""
    found = _register(seat, season, filters)
    downwards = [found.c[name].desc() for name in _KEYS]
    lines = select(found, func.row_number().over(order_by=downwards).label("place")).subquery()
    return Listing(
        select(lines),
        [lines.c[name] for name in _KEYS],
        descending=True,
        dress=_lines,
        counting=lambda most: count_rows(select(found), most),
    )


_ROW = joinedload(RegisterRow.member).joinedload(Member.account), joinedload(RegisterRow.origin)


def _lines(rows: Sequence[Any]) -> list[ExceptionLine]:
    """What stands behind these keys: one statement for applications, one for lines by hand if there are any."""
    numbers = {source: [row.number for row in rows if row.source == source] for source in ("application", "note")}
    applied: dict[int, tuple[Application, ExceptionNote | None]] = {}
    entered: dict[int, ExceptionNote] = {}
    if numbers["application"]:
        pairs = session.execute(_APPLICATIONS, {"ids": numbers["application"]})
        applied = {application.id: (application, note) for application, note in pairs}
    if numbers["note"]:
        query = select(ExceptionNote).where(ExceptionNote.id.in_(numbers["note"]))
        query = query.options(joinedload(ExceptionNote.register_row).options(*_ROW))
        entered = {note.id: note for note in session.scalars(query)}
    lines = []
    for row in rows:
        application, note = applied[row.number] if row.source == "application" else (None, entered[row.number])
        register = application.register_row if application is not None else entered[row.number].register_row
        if register is not None:
            lines.append(ExceptionLine(row.place, register, application, note, bool(row.open)))
    return lines


_APPLICATIONS = (
    select(Application, ExceptionNote)
    .outerjoin(ExceptionNote, ExceptionNote.application_id == Application.id)
    .where(Application.id.in_(bindparam("ids", expanding=True)))
    .options(
        joinedload(Application.from_org),
        joinedload(Application.to_org),
        joinedload(Application.final_org),
        joinedload(Application.register_row).options(*_ROW),
    )
)


def of_application(seat: ActiveSeat, application: Application) -> ExceptionLine:
    """The line of one application, for the side it left.

    Raises:
        NotFound: the graduate is no one of this seat's part of the tree.
        DomainError: the application was not refused or returned, or is no graduate's.
    """
    row = application.register_row
    if row is None or application.state not in FAILED:
        raise DomainError("这份申请没有被退回，不列入特殊情况记录。", rule="A-28")
    check_season(seat, Permission.EXCEPTIONS, row.season_path)
    note = session.scalars(select(ExceptionNote).where(ExceptionNote.application_id == application.id)).first()
    later = select(Application.id).where(
        Application.member_id == application.member_id,
        Application.id > application.id,
        Application.state == State.COMPLETED,
    )
    return ExceptionLine(0, row, application, note, session.scalar(later.limit(1)) is None)


def annotate(seat: ActiveSeat, application: Application, remark: str) -> None:
    """Write the 备注 of an application's line. Raises like ``of_application``."""
    line = of_application(seat, application)
    words = _remark(remark)
    note = line.note
    if note is None:
        note = ExceptionNote(application_id=application.id, account_id=seat.account_id, added_at=clock.now())
        session.add(note)
    before, note.remark = note.remark, words
    note.written_at, note.account_id = clock.now(), seat.account_id
    session.flush()
    audit.record("exception.remark", "application", application.id, before=before, after=words)


@dataclass(frozen=True, slots=True)
class ByHand:
    """A line about a graduate who never applied: what would stand in the application, why it came to nothing."""

    reason: str
    transfer_type: str = ""
    province: str = ""
    city: str = ""
    destination: str = ""
    remark: str = ""


def of_graduate(row: RegisterRow) -> ExceptionNote | None:
    """The line entered by hand about a graduate."""
    return session.scalars(select(ExceptionNote).where(ExceptionNote.register_row_id == row.id)).first()


def enter(seat: ActiveSeat, row: RegisterRow | None, wanted: ByHand) -> ExceptionNote:
    """Enter or correct the line of a graduate who never applied (是否发起 = 否).

    Raises:
        NotFound: no graduate of this seat's part of the tree.
        DomainError: he has applied, so his applications speak for themselves; the reason is missing or too long.
    """
    if row is None or row.closed_at is not None:
        raise DomainError("只有本届毕业生可以列入特殊情况记录。", rule="A-28")
    check_season(seat, Permission.EXCEPTIONS, row.season_path)
    note = of_graduate(row)
    if note is None and session.scalar(select(Application.id).where(Application.register_row_id == row.id).limit(1)):
        raise DomainError(
            "该团员已经发起过转接。", fix="申请被退回后会自动列入特殊情况记录，不用手工添加。", rule="A-28"
        )
    if len("".join(wanted.reason.split())) < REASON_AT_LEAST:
        raise DomainError(f"请写明原因，至少 {REASON_AT_LEAST} 个字。", field="reason", rule="A-28")
    if note is None:
        note = ExceptionNote(register_row_id=row.id, added_at=clock.now())
        session.add(note)
    before = note.reason
    for name in ("reason", "transfer_type", "province", "city", "destination"):
        value, column = getattr(wanted, name).strip(), ExceptionNote.__table__.c[name]
        if len(value) > column.type.length:  # type: ignore[attr-defined]  # all of them are texts
            raise DomainError(f"最多 {column.type.length} 个字。", field=name)  # type: ignore[attr-defined]
        setattr(note, name, value or None)
    note.remark = _remark(wanted.remark)
    note.written_at, note.account_id = clock.now(), seat.account_id
    session.flush()
    audit.record("exception.enter", "register", row.id, before=before, after=note.reason)
    return note


def _remark(text: str) -> str | None:
    words = text.strip()
    if len(words) > NOTE_AT_MOST:
        raise DomainError(f"备注最多 {NOTE_AT_MOST} 个字。", field="remark")
    return words or None


def under_way(member_ids: list[int]) -> set[int]:
    """Who of these has applied anew and waits for an answer."""
    query = select(Application.member_id).where(Application.member_id.in_(member_ids), Application.state.in_(OPEN))
    return set(session.scalars(query))


def graduate(seat: ActiveSeat, member: Member, season: int) -> RegisterRow:
    """The member's row of the season. Raises DomainError where there is none, NotFound outside the seat's part."""
    query = select(RegisterRow).where(RegisterRow.member_id == member.id, RegisterRow.season == season)
    row = session.scalars(query.options(joinedload(RegisterRow.origin))).first()
    if row is None:
        raise DomainError("只有本届毕业生可以列入特殊情况记录。", rule="A-28")
    check_season(seat, Permission.EXCEPTIONS, row.season_path)
    return row
