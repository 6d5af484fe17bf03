"""Enters many members at once: what ``operations.add_member`` does, in a handful of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from zhtj.kernel import audit, clock, names, pinyin
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import insert_rows, session
from zhtj.kernel.errors import Conflict
from zhtj.people import identity
from zhtj.people.models import Account, Member, Membership, NameTerm
from zhtj.people.operations import NewMember

CHUNK = 2000
_OF_ACCOUNT = frozenset({"name", "id_number", "mobile"})
_OF_MEMBER = tuple(field.name for field in fields(NewMember) if field.name not in _OF_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new member and the branch that takes him.

    Args:
        branch_id: a branch; the caller has checked that it is one (O-02).
        branch_code: its code, for the audit log.
        is_graduate: whether the branch has been converted already (G-10).
        account_id: an account he has already, with his ID number; None makes an inactive one.
        file_checked: whoever enters him says that his file was checked (PD-61).
    """

    branch_id: int
    branch_code: str
    new: NewMember
    is_graduate: bool = False
    account_id: int | None = None
    file_checked: bool = False


def add_members(enrolments: Sequence[Enrolment], *, how: str = "import") -> list[int]:
    """Enter members with inactive accounts and open memberships; one audit event each, as if entered singly.

    Returns:
        Ids of the members, in the order of ``enrolments``.

    Raises:
        Conflict: meanwhile somebody else has entered a person with the same ID or mobile number (U-03).
    """
    ids: list[int] = []
    try:
        for start in range(0, len(enrolments), CHUNK):
            ids += _add(enrolments[start : start + CHUNK], how)
    except IntegrityError as error:
        raise Conflict("其他人刚刚登记了名单中的人员。", fix="请重新上传核对。") from error
    return ids


def _add(enrolments: Sequence[Enrolment], how: str) -> list[int]:
    moment = clock.now()
    without = [enrolment.new for enrolment in enrolments if enrolment.account_id is None]
    accounts = [_account(new) | {"created_at": moment} for new in without]
    created = _ids(Account, accounts)
    found_by = zip(created, (pinyin.person_terms(account["name"]) for account in accounts), strict=True)
    insert_rows(NameTerm, [{"term": term, "account_id": number} for number, terms in found_by for term in terms])
    audit.record_many("account.create", "account", [(account_id, {}) for account_id in created])
    fresh = iter(created)
    rows = [
        {name: getattr(enrolment.new, name) for name in _OF_MEMBER}
        | {
            "account_id": next(fresh) if enrolment.account_id is None else enrolment.account_id,
            "org_id": enrolment.branch_id,
            "born": identity.born(enrolment.new.id_number),
            "is_graduate": enrolment.is_graduate,
            "created_at": moment,
        }
        for enrolment in enrolments
    ]
    ids = _ids(Member, rows)
    paired = list(zip(ids, enrolments, strict=True))
    intervals = [
        {"member_id": member_id, "org_id": enrolment.branch_id, "started_at": moment, "began_by": how}
        for member_id, enrolment in paired
    ]
    insert_rows(Membership, intervals)
    events = [
        (member_id, {"org": enrolment.branch_code, "how": how} | _said(enrolment)) for member_id, enrolment in paired
    ]
    audit.record_many("member.add", "member", events)
    return ids


def _said(enrolment: Enrolment) -> dict[str, bool]:
    return {"file_checked": True} if enrolment.file_checked else {}


def _account(new: NewMember) -> dict[str, Any]:
    name = names.tidy(new.name)
    return {
        "name": name,
        "initials": pinyin.of_person(name),
        "id_number": new.id_number,
        "id_hash": keyed_hash("id_number", new.id_number),
        "mobile": new.mobile,
        "mobile_hash": keyed_hash("mobile", new.mobile) if new.mobile else None,
    }


def _ids(table: type[Account | Member], rows: list[dict[str, Any]]) -> list[int]:
    """Insert rows, and answer their ids in the order of the rows."""
    if not rows:
        return []
    # Numbered first: a statement that answers with ids takes each row by itself, or parses a parameter a cell.
    if session().get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.__tablename__, "id")
        numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, len(rows)))
        ids = list(session.scalars(numbers))
    else:  # there is one writer, and what it numbers itself goes on from the highest
        last = session.scalar(select(func.max(table.id))) or 0
        ids = list(range(last + 1, last + 1 + len(rows)))
    insert_rows(table, [{"id": number, **row} for number, row in zip(ids, rows, strict=True)])
    return ids
