"""People found by what somebody types, as SQL over ``Account`` and ``Member``; the indexes serve it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from zhtj.orgs.lookup import LAST_SIGN
from zhtj.people.models import Account, Member


def begins(text: str) -> ColumnElement[bool]:
    """Whose name begins so."""
    return and_(Account.name >= text, Account.name < text + LAST_SIGN)


def is_named(text: str) -> ColumnElement[bool]:
    """Whose name begins so, or whose student number it is."""
    return or_(begins(text), Member.student_no == text)
