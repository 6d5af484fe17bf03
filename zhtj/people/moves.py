"""Moves members from branch to branch: one interval closes, the next opens, posts in the old branch end (PD-20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, String, case, cast, insert, literal, select, tuple_, update

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member, Membership, Seat
from zhtj.people.operations import end_seat


@dataclass(frozen=True, slots=True)
class Move:
    """One member's way; ids. ``by`` is what moved him, such as ``application:12``."""

    member_id: int
    from_id: int
    to_id: int
    by: str


def move_members(moves: Sequence[Move]) -> None:
    """Move these members in a handful of statements, each at most once.

    Raises:
        Conflict: a membership is no longer where it was.
    """
    if not moves:
        return
    moment = clock.now()
    by = case({move.member_id: literal(move.by, String) for move in moves}, value=Membership.member_id)
    closed = session.execute(
        update(Membership)
        .where(
            tuple_(Membership.member_id, Membership.org_id).in_([(move.member_id, move.from_id) for move in moves]),
            Membership.ended_at.is_(None),
        )
        .values(ended_at=moment, ended_by=by)
        .returning(Membership.id),
        execution_options={"synchronize_session": False},
    ).all()
    if len(closed) != len(moves):
        raise Conflict("有团员的组织关系刚刚发生了变动。", fix="请刷新页面后再办理。")
    session.execute(
        insert(Membership),
        [
            {"member_id": move.member_id, "org_id": move.to_id, "started_at": moment, "began_by": move.by}
            for move in moves
        ],
    )
    _check_open(moves)
    _end_posts(moves)
    session.execute(
        update(Member).where(Member.id.in_([move.member_id for move in moves])).values(org_id=_to(moves)),
        execution_options={"synchronize_session": "fetch"},
    )
    events = [(move.member_id, {"from_org": move.from_id, "to_org": move.to_id, "by": move.by}) for move in moves]
    audit.record_many("member.move", "member", events)


def _check_open(moves: Sequence[Move]) -> None:
    """Whoever closes an organisation waits for who came before him; who comes after him sees it here (PD-06)."""
    to = {move.to_id for move in moves}
    query = select(Organisation.short_name).where(Organisation.id.in_(to), Organisation.closed_at.is_not(None))
    closed = session.scalar(query.limit(1))
    if closed is not None:
        raise Conflict(f"{closed}刚刚已停用，不能再转入。", fix="请选择其他组织。", rule="PD-06")


def _to(moves: Sequence[Move]) -> ColumnElement[int]:
    return case({move.member_id: cast(literal(move.to_id), Integer) for move in moves}, value=Member.id)


def _end_posts(moves: Sequence[Move]) -> None:
    """A secretary who leaves loses his post there; his duties pass to the superior (PD-21)."""
    posts = (
        select(Seat)
        .join(Member, Member.account_id == Seat.account_id)
        .where(
            tuple_(Member.id, Seat.org_id).in_([(move.member_id, move.from_id) for move in moves]),
            Seat.ended_at.is_(None),
        )
    )
    for seat in session.scalars(posts).all():
        end_seat(seat, "transferred")
