"""Records that may be one person's: found at night, looked at by people, merged by a decision (U-15, K-19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, literal, select, update
from sqlalchemy.orm import aliased, joinedload

from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_new, session, touched
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission, bool_column, scope
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, LikelyDuplicate, Likeness, Member

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
WHY_AT_LEAST, WHY_AT_MOST = 2, 200


def find() -> int:
    """Look through everybody and note the pairs that are new; a pair is noted once, by its strongest ground.

    Returns:
        New pairs.
    """
    return sum(_note(ground) for ground in Likeness)


def _note(ground: Likeness) -> int:
    one, other = aliased(Member), aliased(Member)
    owner, second = aliased(Account), aliased(Account)
    same_name = bool_column(owner.name == second.name)
    alike: dict[Likeness, ColumnElement[bool]] = {
        Likeness.NAME_BORN: and_(same_name, one.born == other.born, one.sex == other.sex),
        Likeness.DEV_NUMBER: bool_column(one.dev_number == other.dev_number),
        Likeness.STUDENT_NO: and_(same_name, one.student_no == other.student_no),
    }
    pairs = (
        select(
            one.id,
            other.id,
            literal(ground, LikelyDuplicate.ground.type),
            literal(clock.now(), LikelyDuplicate.found_at.type),
        )
        .select_from(one)
        .join(owner, owner.id == one.account_id)
        .join(second, literal(value=True))
        .join(other, other.account_id == second.id)
        .where(one.id < other.id, alike[ground], one.archived_at.is_(None), other.archived_at.is_(None))
    )
    rows = insert_new(LikelyDuplicate).from_select(["one_id", "other_id", "ground", "found_at"], pairs)
    return touched(session.execute(rows, execution_options={"preserve_rowcount": True}))


def listing(seat: ActiveSeat) -> Listing[LikelyDuplicate]:
    """Pairs of which both are in the seat's organisation or below, and nobody has said that they are two people."""
    loads = [joinedload(each).joinedload(part) for each in _BOTH for part in (Member.account, Member.org)]
    return Listing(_open(seat), [LikelyDuplicate.id], loads=loads)


_BOTH = (LikelyDuplicate.one, LikelyDuplicate.other)


def _open(seat: ActiveSeat) -> Select[LikelyDuplicate]:
    query = select(LikelyDuplicate).where(LikelyDuplicate.apart_at.is_(None))
    for column in (LikelyDuplicate.one_id, LikelyDuplicate.other_id):
        member, place = aliased(Member), aliased(Organisation)
        query = (
            query.join(member, member.id == column)
            .join(place, place.id == member.org_id)
            .where(member.archived_at.is_(None), scope(place.path, seat, Permission.MEMBER_VIEW))
        )
    return query


def between(member_ids: Sequence[int]) -> LikelyDuplicate | None:
    """What is noted about these two."""
    one, other = sorted(member_ids)
    query = select(LikelyDuplicate).where(LikelyDuplicate.one_id == one, LikelyDuplicate.other_id == other)
    return session.scalars(query).first()


def set_apart(first: Member, second: Member, account_id: int, why: str) -> None:
    """Say that two records are two people's; they are not proposed again.

    Raises:
        DomainError: it is one record, or no reason.
    """
    why = " ".join(why.split())[:WHY_AT_MOST]
    if len(why) < WHY_AT_LEAST:
        raise DomainError("请写明怎样核实的。", fix="例如：已核对身份证，是两个人。", field="why", rule="U-15")
    if first.id == second.id:
        raise DomainError("这是同一条记录。", field="why", rule="U-15")
    one, other = sorted((first.id, second.id))
    values = {"apart_at": clock.now(), "apart_by_id": account_id, "apart_why": why}
    pair = (LikelyDuplicate.one_id == one, LikelyDuplicate.other_id == other)
    if not touched(session.execute(update(LikelyDuplicate).where(*pair).values(**values))):
        raise DomainError("这两条记录不在疑似重复的名单里。", fix="请回到名单。", field="why", rule="U-15")
    audit.record("member.apart", "member", one, other=other, why=why)
