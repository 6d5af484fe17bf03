"""Who may do what, where: one table of permission x kind of seat x relation, read by routes, queries and tests.

The relation is that of the organisation concerned to the active seat's organisation. Every request is judged by the
active seat alone (PD-02).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_

from zhtj.kernel.errors import Forbidden, NotFound


class SeatKind(StrEnum):
    """Kind of seat (任职类型): which workbench serves it (PD-01)."""

    MEMBER = "member"
    BRANCH = "branch"
    COLLEGE = "college"
    SCHOOL = "school"
    PROVINCIAL = "provincial"


class Relation(StrEnum):
    """Where an organisation stands, seen from the active seat."""

    OWN = "own"
    BELOW = "below"
    FOREIGN = "foreign"


class Permission(StrEnum):
    """What a route or an operation asks for."""

    OWN_ACCOUNT = "own_account"
    OWN_MEMBERSHIP = "own_membership"
    WORKBENCH = "workbench"
    MESSAGES = "messages"
    TRANSFER_VIEW = "transfer_view"
    TRANSFER_DECIDE = "transfer_decide"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    EXCEPTIONS = "exceptions"
    OBJECTIONS = "objections"
    SWEEP_REHEARSE = "sweep_rehearse"
    MEMBER_VIEW = "member_view"
    MEMBER_NUMBER = "member_number"
    MEMBER_FILE = "member_file"
    MEMBER_IMPORT = "member_import"
    ORGANISATION_VIEW = "organisation_view"
    ORGANISATION_IMPORT = "organisation_import"
    ORGANISATION_OWN = "organisation_own"
    ORGANISATION_BUILD = "organisation_build"
    ORGANISATION_EDIT = "organisation_edit"
    POSTS = "posts"
    GRADUATION_MARK = "graduation_mark"
    GRADUATE_MARK = "graduate_mark"
    DESTINATIONS = "destinations"
    CODE_ISSUE = "code_issue"
    LETTER_ISSUE = "letter_issue"
    LETTER_VIEW = "letter_view"
    LETTER_RECEIVE = "letter_receive"
    LETTER_RECEIPTS = "letter_receipts"
    QUALITY = "quality"
    POLICY = "policy"
    RATES = "rates"
    ACCESS_TOKENS = "access_tokens"
    CASES = "cases"


ADMINS = (SeatKind.BRANCH, SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL)
COMMITTEES = (SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL)
_OWN = frozenset({Relation.OWN})
_TREE = frozenset({Relation.OWN, Relation.BELOW})


def _each(kinds: tuple[SeatKind, ...], relations: frozenset[Relation]) -> dict[SeatKind, frozenset[Relation]]:
    return dict.fromkeys(kinds, relations)


TABLE: dict[Permission, dict[SeatKind, frozenset[Relation]]] = {
    Permission.OWN_ACCOUNT: _each(tuple(SeatKind), _OWN),
    Permission.OWN_MEMBERSHIP: _each((SeatKind.MEMBER,), _OWN),
    Permission.WORKBENCH: _each(ADMINS, _OWN),
    Permission.MESSAGES: _each(tuple(SeatKind), _OWN),
    Permission.TRANSFER_VIEW: _each(ADMINS, _TREE),
    Permission.TRANSFER_DECIDE: _each(ADMINS, _TREE),
    Permission.TRANSFER_OUT: _each(ADMINS, _TREE),
    Permission.TRANSFER_IN: _each(ADMINS, _TREE),
    Permission.EXCEPTIONS: _each((SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL), _TREE),
    # A branch is nobody's superior. Whether it is this office's to decide, the operation checks (PD-17).
    Permission.OBJECTIONS: _each((SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL), _TREE),
    Permission.SWEEP_REHEARSE: _each((SeatKind.SCHOOL, SeatKind.PROVINCIAL), _TREE),
    Permission.MEMBER_VIEW: _each(ADMINS, _TREE),
    Permission.MEMBER_NUMBER: _each((SeatKind.BRANCH, SeatKind.COLLEGE, SeatKind.SCHOOL), _TREE),
    Permission.MEMBER_FILE: _each(ADMINS, _TREE),
    Permission.MEMBER_IMPORT: _each(ADMINS, _TREE),
    Permission.ORGANISATION_VIEW: _each(ADMINS, _TREE),
    Permission.ORGANISATION_IMPORT: _each((SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL), _TREE),
    Permission.ORGANISATION_OWN: _each(ADMINS, _OWN),
    Permission.ORGANISATION_BUILD: _each(COMMITTEES, _TREE),
    # Its full name, its category and whether it goes on are for those above it to say: the operation checks (PD-06).
    Permission.ORGANISATION_EDIT: _each(COMMITTEES, _TREE),
    Permission.POSTS: _each(ADMINS, _TREE),
    # Branches never mark; a leading organ only as direct superior of a one-branch school (G-12): the desk checks.
    Permission.GRADUATION_MARK: _each((SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL), _TREE),
    # Which of them may mark delayed graduates and teachers, the policy says (G-20, K-02).
    Permission.GRADUATE_MARK: _each(ADMINS, _TREE),
    Permission.DESTINATIONS: _each(ADMINS, _TREE),
    Permission.CODE_ISSUE: _each(ADMINS, _TREE),
    # A college only while its school authorises it: the operation checks (PD-30).
    Permission.LETTER_ISSUE: _each((SeatKind.COLLEGE, SeatKind.SCHOOL), _TREE),
    Permission.LETTER_VIEW: _each((SeatKind.COLLEGE, SeatKind.SCHOOL), _TREE),
    # Whoever issues or fills slip three sees which are out, an office those it has to act on.
    Permission.LETTER_RECEIPTS: _each(COMMITTEES, _TREE),
    # Slip three is filled by basic committees, and by leading organs for their floating branches (L-05).
    Permission.LETTER_RECEIVE: _each((SeatKind.SCHOOL, SeatKind.PROVINCIAL), _TREE),
    Permission.QUALITY: _each((SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL), _TREE),
    # Leading organs answer for which edition holds below them (PD-62).
    Permission.POLICY: _each((SeatKind.PROVINCIAL,), _TREE),
    Permission.RATES: _each(ADMINS, _TREE),
    Permission.ACCESS_TOKENS: _each((SeatKind.SCHOOL, SeatKind.PROVINCIAL), _OWN),
    # Which kinds a seat may raise, the kind says; whether a case lies here, the operation checks (PD-34).
    Permission.CASES: {**_each(ADMINS, _TREE), SeatKind.MEMBER: _OWN},
}


@dataclass(frozen=True, slots=True)
class ActiveSeat:
    """The seat in which somebody acts right now.

    Args:
        kind: which workbench.
        account_id: who.
        seat_id: the seat's row; None for the member's own page, which is no post.
        org_id: the seat's organisation; a member's current branch.
        path: that organisation's path in the tree.
        member_id: the actor's own member record, if he has one.
    """

    kind: SeatKind
    account_id: int
    seat_id: int | None
    org_id: int
    path: str
    member_id: int | None = None

    def relation(self, path: str) -> Relation:
        """How the organisation at ``path`` stands to this seat."""
        if path == self.path:
            return Relation.OWN
        return Relation.BELOW if path.startswith(self.path) else Relation.FOREIGN

    def may(self, permission: Permission, path: str | None = None) -> bool:
        """Whether the table allows it; without ``path``: anywhere at all."""
        relations = TABLE[permission].get(self.kind, frozenset())
        return bool(relations) if path is None else self.relation(path) in relations


def check(seat: ActiveSeat, permission: Permission, path: str) -> None:
    """Raise NotFound where the seat cannot see the place, Forbidden where its kind never may."""
    if not seat.may(permission):
        raise Forbidden
    if not seat.may(permission, path):
        raise NotFound


def subtree(column: Any, path: str) -> ColumnElement[bool]:
    """SQL predicate: the organisation path in ``column`` is ``path`` or below it (range on a byte-sorted column)."""
    return and_(column >= path, column < path + "~")


def scope(column: Any, seat: ActiveSeat, permission: Permission) -> ColumnElement[bool]:
    """SQL predicate that keeps a query inside what ``seat`` may see under ``permission``."""
    relations = TABLE[permission].get(seat.kind, frozenset())
    if Relation.BELOW in relations:
        return subtree(column, seat.path)
    if Relation.OWN in relations:
        return bool_column(column == seat.path)
    raise Forbidden


def bool_column(expression: Any) -> ColumnElement[bool]:
    """Give a comparison its type."""
    result: ColumnElement[bool] = expression
    return result
