"""Looks many rows of a file up at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from zhtj.graduation.models import BranchMark
from zhtj.imports.orgs.known_organisations import KnownOrganisation
from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import Category, Organisation, Tier
from zhtj.people.models import Account, Member, Post, Seat

CHUNK = 5000
_HALF_TO_FULL = str.maketrans("()", "（）")
_FULL_TO_HALF = str.maketrans("（）", "()")


def _chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    ordered = list(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def places_within(path: str) -> list[KnownOrganisation]:
    """The organisation at ``path`` and everything below it."""
    columns = (
        Organisation.id,
        Organisation.code,
        Organisation.full_name,
        Organisation.tier,
        Organisation.category,
        Organisation.closed_at,
        Organisation.short_name,
    )
    query = select(*columns).where(subtree(Organisation.path, path)).order_by(Organisation.path)
    return [
        KnownOrganisation(
            id_, code, name, tier is Tier.BRANCH, closed is not None, category is Category.GRADUATES, short_name
        )
        for id_, code, name, tier, category, closed, short_name in session.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account, and where its member record is, if it has one."""

    account_id: int
    name: str
    id_hash: str | None
    mobile_hash: str | None
    is_active: bool
    member_id: int | None
    org_id: int | None
    is_archived: bool


class People:
    """The accounts that a file's numbers belong to."""

    def __init__(self, persons: Iterable[KnownAccount]) -> None:
        self.by_id: dict[str, KnownAccount] = {}
        self.by_mobile: dict[str, KnownAccount] = {}
        for person in persons:
            if person.id_hash:
                self.by_id[person.id_hash] = person
            if person.mobile_hash:
                self.by_mobile[person.mobile_hash] = person


def people(id_hashes: Collection[str], mobile_hashes: Collection[str]) -> People:
    """Accounts with one of these hashes."""
    columns = (
        Account.id,
        Account.name,
        Account.id_hash,
        Account.mobile_hash,
        Account.activated_at,
        Member.id,
        Member.org_id,
        Member.archived_at,
    )
    query = select(*columns).outerjoin(Member, Member.account_id == Account.id)
    found: dict[int, KnownAccount] = {}
    for column, hashes in ((Account.id_hash, id_hashes), (Account.mobile_hash, mobile_hashes)):
        for chunk in _chunks(hashes):
            for row in session.execute(query.where(column.in_(chunk))):
                account_id, name, id_hash, mobile_hash, activated, member_id, org_id, archived = row
                found[account_id] = KnownAccount(
                    account_id,
                    name,
                    id_hash,
                    mobile_hash,
                    activated is not None,
                    member_id,
                    org_id,
                    archived is not None,
                )
    return People(found.values())


def carriers(dev_numbers: Collection[str]) -> dict[str, set[str | None]]:
    """Whose records carry these 发展团员编号, as hashes of their ID numbers."""
    found: dict[str, set[str | None]] = {}
    query = select(Member.dev_number, Account.id_hash).join(Account, Account.id == Member.account_id)
    for chunk in _chunks(dev_numbers):
        for number, id_hash in session.execute(query.where(Member.dev_number.in_(chunk), Member.archived_at.is_(None))):
            found.setdefault(number or "", set()).add(id_hash)
    return found


def members(ids: Collection[int]) -> dict[int, Member]:
    """Members with their accounts, by id."""
    query = select(Member).options(joinedload(Member.account))
    return {
        member.id: member for chunk in _chunks(ids) for member in session.scalars(query.where(Member.id.in_(chunk)))
    }


def records(ids: Collection[int]) -> dict[int, Any]:
    """The columns of members, by id; without the mapper, because a file may name tens of thousands."""
    table = Member.__table__
    found: dict[int, Any] = {}
    for chunk in _chunks(ids):
        rows = session.execute(select(table).where(table.c.id.in_(chunk)))
        found |= {row.id: row for row in rows}
    return found


def spellings(name: str) -> set[str]:
    """A full name with full-width and with half-width brackets."""
    return {name, name.translate(_HALF_TO_FULL), name.translate(_FULL_TO_HALF)}


def organisations(names_or_codes: Collection[str]) -> list[Organisation]:
    """Organisations with one of these full names or codes."""
    found: dict[int, Organisation] = {}
    for chunk in _chunks(names_or_codes):
        query = select(Organisation).where(or_(Organisation.full_name.in_(chunk), Organisation.code.in_(chunk)))
        found |= {organisation.id: organisation for organisation in session.scalars(query)}
    return list(found.values())


def committee_names(path: str) -> list[str]:
    """Full names of what can have something below it, inside ``path``."""
    query = select(Organisation.full_name).where(
        subtree(Organisation.path, path), Organisation.tier != Tier.BRANCH, Organisation.closed_at.is_(None)
    )
    return list(session.scalars(query))


def secretaries(org_ids: Collection[int]) -> dict[int, list[Seat]]:
    """Open secretaries' seats with their accounts, by organisation."""
    found: dict[int, list[Seat]] = {}
    query = select(Seat).where(Seat.post == Post.SECRETARY, Seat.ended_at.is_(None)).options(joinedload(Seat.account))
    for chunk in _chunks(org_ids):
        for seat in session.scalars(query.where(Seat.org_id.in_(chunk)).order_by(Seat.id)):
            found.setdefault(seat.org_id, []).append(seat)
    return found


def marks(org_ids: Collection[int]) -> dict[int, date | None]:
    """Marked graduation months by branch; None where the mark says that there is no time."""
    found: dict[int, date | None] = {}
    query = select(BranchMark.org_id, BranchMark.month)
    for chunk in _chunks(org_ids):
        rows = session.execute(query.where(BranchMark.org_id.in_(chunk)))
        found |= {row.org_id: row.month for row in rows}
    return found
