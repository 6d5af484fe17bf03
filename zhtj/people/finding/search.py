"""People found by what somebody types, as SQL; the indexes on names and numbers serve it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, union_all
from sqlalchemy.orm import aliased

from zhtj.kernel import names
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, SeatKind, bool_column
from zhtj.kernel.sql.listing import count_rows
from zhtj.kernel.sql.subqueries import any_of
from zhtj.orgs.searching.lookup import LAST_SIGN
from zhtj.people.models import Account, Member, NameTerm

# Of how many people a list is told first who they are. More - a family name alone - are met soon on any page.
FEW = 5000

# One letter alone begins the initials of too many.
_LETTERS = 2

_account, _member = aliased(Account), aliased(Member)


def begins(text: str, account: type[Account] = Account) -> ColumnElement[bool]:
    """Whose name begins so, however it was typed; or a part of it, or the initials in any reading (PD-55)."""
    name, plain = names.tidy(text), names.key(text)
    if not name:
        return false()
    whole = _from(account.name, name)
    if len(plain) < (_LETTERS if plain.isascii() else 1):
        return whole
    # Each way has its index; those who are found by a further term alone are few.
    further = any_of(account.id, select(NameTerm.account_id).where(_from(NameTerm.term, plain)))
    return or_(whole, further, _from(account.initials, plain)) if plain.isascii() else or_(whole, further)


def _from(column: Any, text: str) -> ColumnElement[bool]:
    return and_(column >= text, column < text + LAST_SIGN)


def is_named(text: str) -> ColumnElement[bool]:
    """Whose name begins so, or whose student number it is; ``Account`` and ``Member`` are in the query already."""
    return or_(begins(text), Member.student_no == text)


def is_called(member_id: Any, text: str) -> ColumnElement[bool]:
    """The same of a member known by his id, in lists as long as a country's.

    Neither database can tell how often a name is met where the list looks. So few are found first, and many are not:
    then each line of the list is asked in its order.
    """
    named = begins(text, _account)
    people = select(_member.id).join(_account, _account.id == _member.account_id)
    if not is_common(text):
        return any_of(member_id, union_all(people.where(named), select(_member.id).where(_member.student_no == text)))
    asked = select(or_(named, _member.student_no == text)).select_from(_member)
    asked = asked.join(_account, _account.id == _member.account_id).where(_member.id == member_id)
    return bool_column(asked.scalar_subquery())


def is_counted(seat: ActiveSeat, text: str) -> bool:
    """Whether those found are counted: not for a leading organ that looks for a name which many have."""
    return seat.kind is not SeatKind.PROVINCIAL or not is_common(text)


def is_common(text: str) -> bool:
    """Whether more than ``FEW`` people have a name that begins so."""
    if not text:
        return False
    # Both ways find the same people, so what a session once knew serves it to its end.
    known: dict[str, bool] = session().info.setdefault("names of many", {})
    if text not in known:
        known[text] = count_rows(select(Account.id).where(begins(text)), FEW) > FEW
    return known[text]
