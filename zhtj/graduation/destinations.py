"""去向登记: where the season's graduates go, as they or their organisations say (PD-09, F-12, F-14, T-33, T-34)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from zhtj.graduation import queries, season_register
from zhtj.graduation.models import DestinationEntry, GraduateCategory, RegisterRow
from zhtj.graduation.season_line import counts_for, in_season
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.finding import search
from zhtj.people.models import Account, Member
from zhtj.policy.model import Policy
from zhtj.policy.parts import ReasonSpec
from zhtj.policy.vocabulary import Audience, Reason, ReasonField

CHUNK = 1000
ORDER = (RegisterRow.season_path, RegisterRow.id)
# F-12: the columns of the register, in its order.
LABELS = {
    "reason": "毕业去向类别",
    "unit_name": "升学学校或工作单位",
    "address": "详细地址",
    "township": "所属乡镇街道",
    "household": "户籍所在地",
    "residence": "本人居住地",
    "parents_residence": "父母居住地",
    "mobile": "手机号码",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What is said about a graduate's destination; every field but the first may be empty."""

    reason: str
    unit_name: str = ""
    address: str = ""
    township: str = ""
    household: str = ""
    residence: str = ""
    parents_residence: str = ""
    mobile: str = ""


def choices(policy: Policy) -> dict[Reason, ReasonSpec]:
    """毕业去向类别: the reasons the policy knows for graduates (PD-10)."""
    return policy.reasons_for(Audience.GRADUATE)


def label_of(policy: Policy, reason: Reason) -> str:
    """Name of a 毕业去向类别."""
    return policy.reasons[reason].label or policy.special_unit_label


def problem(given: Given, policy: Policy) -> tuple[str, str] | None:
    """(field, sentence) of what is missing or wrong; None if nothing is (T-34)."""
    if given.reason not in {reason.value for reason in choices(policy)}:
        return "reason", "请选择毕业去向类别。"
    # T-34: what the reason needs - unit or school, its address - and nothing more.
    spec = policy.reasons[Reason(given.reason)]
    if {ReasonField.UNIT, ReasonField.SCHOOL} & set(spec.needs) and not given.unit_name:
        what = "录取学校" if ReasonField.SCHOOL in spec.needs else "工作单位"
        return "unit_name", f"请填写{what}名称。"
    if ReasonField.ADDRESS in spec.needs and not given.address:
        return "address", "请填写详细地址。"
    long = next((name for name, text in asdict(given).items() if len(text) > (20 if name == "mobile" else 120)), None)
    return (long, f"{LABELS[long]}太长了。") if long else None


def frozen_why(row: RegisterRow) -> str:
    """Why a row's destination can no longer be registered, in one sentence; "" if it can (PD-09)."""
    if row.season < clock.today().year:
        return f"{row.season} 届已经结束，去向不再更改。"
    if row.completed_at is not None:
        return "转接已经完成，去向不再更改。"
    if row.closed_at is not None and row.close_reason is not None:
        return f"不计入本届（{row.close_reason.label}），不用登记去向。"
    return ""


def enter(row: RegisterRow, given: Given) -> DestinationEntry:
    """Register where a graduate goes, or correct it; his category follows (PD-09).

    Args:
        row: of this season, open.
        given: what was filled in.

    Raises:
        Conflict: the row is frozen.
        DomainError: a field is missing.
    """
    # PD-09: the later wins. From here on nobody else says anything of this graduate, and what was said before is seen.
    season_register.hold(rows=[row.id])
    session.refresh(row)
    why = frozen_why(row)
    if why:
        raise Conflict(why, rule="PD-09")
    policy = row_policy(row)
    given = Given(**{name: text.strip() for name, text in asdict(given).items()})
    wrong = problem(given, policy)
    if wrong is not None:
        raise DomainError(wrong[1], field=wrong[0], rule="T-34")
    entry = session.get(DestinationEntry, row.id, populate_existing=True)
    changed = changes(entry, given)
    if entry is None:
        entry = DestinationEntry(row_id=row.id, entered_at=clock.now(), reason=Reason(given.reason))
        session.add(entry)
    entry.reason = Reason(given.reason)
    for one in fields(Given)[1:]:
        setattr(entry, one.name, getattr(given, one.name) or None)
    entry.entered_at, entry.entered_by_account_id = clock.now(), audit.actor().account_id
    session.flush()
    category = category_of(policy, Reason(given.reason)) or row.category or GraduateCategory.SOCIETY
    # Said once more after an application it changes what he counts for: that stands in the log too (PD-09, PD-38).
    if changed or category is not row.category:
        audit.record("register.destination", "register", row.id, reason=given.reason, changed=changed)
    season_register.categorise(row, category)
    return entry


def changes(entry: DestinationEntry | None, given: Given) -> list[str]:
    """Names of the fields that differ from what is on record."""
    return [name for name, text in asdict(given).items() if text != value_of(entry, name)]


def value_of(entry: DestinationEntry | None, name: str) -> str:
    """A field of an entry as text."""
    value = getattr(entry, name) if entry is not None else None
    return "" if value is None else str(value)


def category_of(policy: Policy, reason: Reason) -> GraduateCategory | None:
    """The rate a destination counts for; None where the register's own entry stays."""
    category = policy.reasons[reason].category
    return GraduateCategory(category) if category else None


def row_policy(row: RegisterRow) -> Policy:
    """The policy of the place he graduates from."""
    return policy_of(row.origin or row.member.org)


def entry_of(row: RegisterRow) -> DestinationEntry | None:
    """What is registered for a row."""
    return session.get(DestinationEntry, row.id)


def suggested(row: RegisterRow) -> Given:
    """What a form starts with: what is registered, else what his record says."""
    entry = entry_of(row)
    if entry is not None:
        return Given(**{one.name: value_of(entry, one.name) for one in fields(Given)})
    member = row.member
    return Given(
        "", household=member.household or "", residence=member.residence or "", mobile=member.account.mobile or ""
    )


# ---- lists


@dataclass(frozen=True, slots=True)
class DestinationFilters:
    """What the list is narrowed by; "" is no filter.

    Args:
        path: season path of a college or class below the seat.
        state: ``yes`` or ``no``: whether registered.
        text: start of the name, or a whole student number.
    """

    path: str = ""
    state: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class RegisteredGraduate:
    """One graduate with what is registered for him."""

    row: RegisterRow
    entry: DestinationEntry | None


def listing(seat: ActiveSeat, season: int, filters: DestinationFilters) -> Listing[RegisteredGraduate]:
    """The season's graduates in the seat's part of the tree, class by class."""
    return Listing(_listed(seat, season, filters, select(RegisterRow)), ORDER, loads=_WHOLE, dress=_lines)


def counts(seat: ActiveSeat, season: int, filters: DestinationFilters) -> tuple[int, int] | None:
    """How many graduates, and how many of them are registered; whatever state is filtered by.

    None where a leading organ looks for too common a name.
    """
    if not search.is_counted(seat, filters.text.strip()):
        return None
    wide = DestinationFilters(filters.path, "", filters.text)
    query = select(func.count(RegisterRow.id), func.count(DestinationEntry.row_id)).select_from(RegisterRow)
    query = query.outerjoin(DestinationEntry, DestinationEntry.row_id == RegisterRow.id)
    total, registered = session.execute(_listed(seat, season, wide, query)).one()
    return total, registered


_WHOLE = joinedload(RegisterRow.member).joinedload(Member.account), joinedload(RegisterRow.origin)


def _listed(
    seat: ActiveSeat, season: int, filters: DestinationFilters, query: Select[*tuple[Any, ...]]
) -> Select[*tuple[Any, ...]]:
    query = query.where(
        RegisterRow.season == season,
        in_season(seat.path),
        RegisterRow.closed_at.is_(None),
    )
    if filters.path:
        query = query.where(in_season(filters.path))
    if filters.state:
        known = select(DestinationEntry.row_id).where(DestinationEntry.row_id == RegisterRow.id).exists()
        query = query.where(known if filters.state == "yes" else ~known)
    text = filters.text.strip()
    if text:
        query = query.where(search.is_called(RegisterRow.member_id, text))
    return query


def _lines(rows: Sequence[RegisterRow]) -> list[RegisteredGraduate]:
    entries = entries_of([row.id for row in rows])
    return [RegisteredGraduate(row, entries.get(row.id)) for row in rows]


def entries_of(row_ids: Sequence[int]) -> dict[int, DestinationEntry]:
    """What is registered, by row."""
    found: dict[int, DestinationEntry] = {}
    for start in range(0, len(row_ids), CHUNK):
        part = select(DestinationEntry).where(DestinationEntry.row_id.in_(row_ids[start : start + CHUNK]))
        found |= {entry.row_id: entry for entry in session.scalars(part)}
    return found


def of_member(seat: ActiveSeat, member_id: int) -> RegisterRow | None:
    """A member's row of this season, if it lies in the seat's part of the tree or is his own."""
    row = queries.register_row(member_id, clock.today().year)
    if row is None or (seat.member_id != member_id and not counts_for(row.season_path, seat.path)):
        return None
    return row


def rows_by_number(path: str, season: int, hashes: Sequence[str], student_nos: Sequence[str]) -> list[RegisterRow]:
    """Rows of the season below ``path`` whose members have one of these ID hashes or student numbers."""
    found: dict[int, RegisterRow] = {}
    for column, values in ((Account.id_hash, hashes), (Member.student_no, student_nos)):
        for start in range(0, len(values), CHUNK):
            query = (
                select(RegisterRow)
                .options(*_WHOLE)
                .join(Member, Member.id == RegisterRow.member_id)
                .join(Account, Account.id == Member.account_id)
                .where(RegisterRow.season == season, in_season(path))
                .where(column.in_(values[start : start + CHUNK]))
            )
            found |= {row.id: row for row in session.scalars(query)}
    return list(found.values())


def origin_line(organisation: Organisation | None) -> str:
    """Full name of where somebody graduates from."""
    return organisation.full_name if organisation is not None else ""
