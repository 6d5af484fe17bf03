"""Saved views of the list of members: one's own in one's seat, under a name (PD-02)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.people.models import MemberView

AT_MOST = 20
LONGEST = 30


def views_of(seat: ActiveSeat) -> Sequence[MemberView]:
    """The views of this person in this seat, by name."""
    mine = select(MemberView).where(MemberView.account_id == seat.account_id, MemberView.org_id == seat.org_id)
    return session.scalars(mine.order_by(MemberView.name)).all()


def keep(seat: ActiveSeat, name: str, query: Mapping[str, str]) -> MemberView:
    """Save a view, in place of one of the same name.

    Args:
        seat: whose.
        name: shown above the list.
        query: arguments of the list's address.

    Raises:
        DomainError: no name, too long a name, or too many views.
        Conflict: saved twice at the same moment.
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name:
        raise DomainError("请给这个名单起个名字。", fix="例如“未激活的毕业生”。", field="name")
    if len(name) > LONGEST:
        raise DomainError(f"名字最多 {LONGEST} 个字，现在是 {len(name)} 个。", field="name")
    mine = (MemberView.account_id == seat.account_id, MemberView.org_id == seat.org_id)
    found = session.scalars(select(MemberView).where(*mine, MemberView.name == name)).first()
    if found is None:
        if (session.scalar(select(func.count()).select_from(MemberView).where(*mine)) or 0) >= AT_MOST:
            raise DomainError(f"最多保存 {AT_MOST} 个名单。", fix="请先删除不用的。", field="name")
        found = MemberView(account_id=seat.account_id, org_id=seat.org_id, name=name, created_at=clock.now(), query={})
        session.add(found)
    found.query = dict(query)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("同名的名单刚刚保存过。", fix="请刷新页面。") from error
    audit.record("view.keep", "member_view", found.id, name=name)
    return found


def forget(seat: ActiveSeat, number: int) -> bool:
    """Delete one's own view. Returns whether there was one."""
    mine = (MemberView.account_id == seat.account_id, MemberView.org_id == seat.org_id)
    gone = session.scalar(delete(MemberView).where(MemberView.id == number, *mine).returning(MemberView.id))
    if gone is not None:
        audit.record("view.forget", "member_view", gone)
    return gone is not None
