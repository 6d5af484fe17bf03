"""Reads of cases, always inside what the seat may see: raised below, lying here, or dealt with here before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, union_all
from sqlalchemy import case as case_when
from sqlalchemy.orm import aliased, defer, joinedload, selectinload

from zhtj.cases import hearings, subjects
from zhtj.cases.kind import About, CaseKind, CaseMatter, ExportedCase
from zhtj.cases.models import Case, CaseEvent
from zhtj.cases.workflow import CaseAction, CaseParty, CaseState, actions
from zhtj.kernel.database import session
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, scope
from zhtj.kernel.sql.listing import Listing
from zhtj.notices.waiting import WaitingKind, WaitingSource
from zhtj.orgs.models import Organisation, Tier
from zhtj.people.models import Account, Member, Seat

STATEMENT = "statement"
# Kinds whose subject sees them and may take them back, whoever raised them; ``CaseKind.personal``.
PERSONAL = ("retention", "retention_extension", "overseas_study", "delay")


class CaseList(StrEnum):
    """Which list (事项列表)."""

    MINE = "mine"
    RAISED = "raised"
    ALL = "all"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"mine": "待我办理", "raised": "我方提出", "all": "全部"}[self.value]

    @property
    def waits_here(self) -> bool:
        """Whether every case in it waits for the reader, so that he can decide many at once."""
        return self is CaseList.MINE


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """What the list is narrowed by: list, kind, state, what stands in the title or is the number, whom it is about."""

    side: CaseList = CaseList.MINE
    kind: str = ""
    state: CaseState | None = None
    text: str = ""
    member_id: int | None = None


def _served(seat: ActiveSeat) -> ColumnElement[bool]:
    """Cases that lie with an organisation this seat acts for (PD-22)."""
    holder, office = aliased(Organisation), aliased(Organisation)
    served = select(holder.id).where(holder.office_id == seat.org_id)
    # Where whoever it is about sits in the holder's office himself, the office above may act (PD-02).
    stuck = (
        select(holder.id)
        .join(office, office.id == holder.office_id)
        .join(Organisation, Organisation.id == office.parent_id)
        .where(
            Organisation.office_id == seat.org_id,
            holder.id == Case.holder_id,
            Case.subject_type == About.MEMBER.value,
            _sits_in(office),
        )
        .correlate(Case)
        .exists()
    )
    return or_(Case.holder_id.in_(served), stuck)


def _sits_in(office: Any) -> ColumnElement[bool]:
    """Whoever the case is about holds a seat there."""
    return (
        select(Seat.id)
        .join(Member, Member.account_id == Seat.account_id)
        .where(Seat.org_id == office.id, Seat.ended_at.is_(None), Member.id == Case.subject_id)
        .correlate(Case, office)
        .exists()
    )


def _visible(seat: ActiveSeat) -> ColumnElement[bool]:
    if seat.kind is SeatKind.MEMBER:
        if seat.member_id is None:
            return false()
        own = and_(
            or_(_on_file(), and_(Case.kind.in_(PERSONAL), Case.subject_type == About.MEMBER.value)),
            Case.subject_id == seat.member_id,
        )
        return or_(Case.raised_member_id == seat.member_id, own)
    below = Case.raised_org_id.in_(select(Organisation.id).where(scope(Organisation.path, seat, Permission.CASES)))
    dealt = exists().where(CaseEvent.case_id == Case.id, CaseEvent.org_id == seat.org_id)
    return or_(below, _served(seat), dealt, and_(_on_file(), Case.subject_id.in_(_people(seat))))


def _on_file() -> ColumnElement[bool]:
    """Statements that were filed: they lie with the person, wherever he goes (F-17, E-06)."""
    return and_(Case.kind == STATEMENT, Case.state == CaseState.APPROVED, Case.subject_type == About.MEMBER.value)


def _people(seat: ActiveSeat) -> Select[Any]:
    return (
        select(Member.id)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(scope(Organisation.path, seat, Permission.CASES))
    )


def _listed(query: Select[Any], seat: ActiveSeat, filters: CaseFilters) -> Select[Any]:
    if filters.side is CaseList.MINE and seat.kind is not SeatKind.MEMBER:
        query = query.where(_served(seat), Case.state == CaseState.WAITING)
    elif filters.side is CaseList.RAISED and seat.kind is not SeatKind.MEMBER:
        query = query.where(Case.raised_org_id == seat.org_id, Case.raised_member_id.is_(None))
    else:
        query = query.where(_visible(seat))
    if filters.kind:
        query = query.where(Case.kind == filters.kind)
    if filters.state is not None:
        query = query.where(Case.state == filters.state)
    if filters.member_id is not None:
        query = query.where(Case.subject_type == About.MEMBER.value, Case.subject_id == filters.member_id)
    text = filters.text.strip()
    if text:
        number = text.rpartition("-")[2]
        same = Case.id == int(number) if number.isdecimal() and len(number) < 10 else false()  # noqa: PLR2004 - digits
        query = query.where(or_(Case.title.contains(text, autoescape=True), same))
    return query


def listing(seat: ActiveSeat, filters: CaseFilters) -> Listing[Case]:
    """A list of cases; what waits here oldest first, everything else newest first."""
    loads = (
        # A list says nothing of what was asked; each would cost a decryption.
        defer(Case.data),
        joinedload(Case.raised_org),
        joinedload(Case.holder),
        joinedload(Case.raised_by).load_only(Account.name),
    )
    return Listing(
        _listed(select(Case), seat, filters), [Case.id], descending=filters.side is not CaseList.MINE, loads=loads
    )


def _waiting_rows() -> Any:
    """A case waits for the office of its holder, or for the one above where its subject sits in that (PD-02);

    a claim on a number for the branch of its holder (PD-61).
    """
    holder, office = aliased(Organisation), aliased(Organisation)
    waits = Case.state == CaseState.WAITING
    lies = select(Case.holder_id.label("org_id"), Case.waiting_since.label("since")).where(waits)
    stuck = (
        select(office.parent_id, Case.waiting_since)
        .join(holder, holder.id == Case.holder_id)
        .join(office, office.id == holder.office_id)
        .where(waits, Case.subject_type == About.MEMBER.value, _sits_in(office))
    )
    rows = union_all(lies, stuck, hearings.waiting_rows()).subquery()
    return select(rows.c.org_id, rows.c.since)


WAITING = WaitingSource(WaitingKind.CASE, _waiting_rows)


def tally(seat: ActiveSeat, kinds: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Of each of these kinds how many the seat sees, how many were granted, how many wait here. One statement."""
    columns = (
        func.count(Case.id),
        func.count(case_when((Case.state == CaseState.APPROVED, 1))),
        func.count(case_when((and_(_served(seat), Case.state == CaseState.WAITING), 1))),
    )
    query = select(Case.kind, *columns).where(_visible(seat), Case.kind.in_(kinds)).group_by(Case.kind)
    return {kind: (total, granted, waiting) for kind, total, granted, waiting in session.execute(query)}


def load(seat: ActiveSeat, ids: Sequence[int]) -> list[Case]:
    """Those of these cases that the seat may see, in order."""
    query = select(Case).where(Case.id.in_(ids), _visible(seat)).order_by(Case.id)
    return list(session.scalars(query.options(joinedload(Case.raised_org), joinedload(Case.holder))))


def case(seat: ActiveSeat, number: int) -> Case:
    """One case with its history and the names of its attachments. Raises NotFound."""
    query = select(Case).where(Case.id == number, _visible(seat))
    found = session.scalars(
        query.options(
            joinedload(Case.raised_org),
            joinedload(Case.raised_by),
            joinedload(Case.holder),
            selectinload(Case.files),
            selectinload(Case.events).joinedload(CaseEvent.account),
            selectinload(Case.events).joinedload(CaseEvent.org),
            selectinload(Case.events).joinedload(CaseEvent.to_org),
        ).execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound
    return found


def pending(member_id: int) -> Case | None:
    """What is under way so that this member stays where he is; it takes the place of an application (PD-10)."""
    query = select(Case).where(
        Case.subject_type == About.MEMBER.value,
        Case.subject_id == member_id,
        Case.kind.in_(PERSONAL),
        Case.state == CaseState.WAITING,
    )
    return session.scalars(query.options(defer(Case.data), joinedload(Case.holder)).order_by(Case.id.desc())).first()


def waiting_about(member_id: int, kind: str) -> Case | None:
    """The case of this kind that waits about a member; at most one does."""
    query = select(Case).where(
        Case.kind == kind,
        Case.subject_type == About.MEMBER.value,
        Case.subject_id == member_id,
        Case.state == CaseState.WAITING,
    )
    return session.scalars(query.options(defer(Case.data), joinedload(Case.holder))).first()


def about_himself(seat: ActiveSeat, found: Case) -> bool:
    """Whether the case is about the actor's own membership (PD-02)."""
    own = seat.member_id is not None and seat.member_id
    return bool(own) and (
        (found.subject_type == About.MEMBER and found.subject_id == own) or found.raised_member_id == own
    )


def parties(seat: ActiveSeat | None, found: Case) -> set[CaseParty]:
    """In which roles a seat acts on a case; None is the operator, who stands for the centre."""
    if seat is None:
        centre = found.holder is not None and found.holder.tier is Tier.CENTRE
        return {CaseParty.HOLDER} if centre else set()
    if seat.kind is SeatKind.MEMBER:
        about = found.kind in PERSONAL and found.subject_type == About.MEMBER and found.subject_id == seat.member_id
        return {CaseParty.RAISER} if about or found.raised_member_id == seat.member_id else set()
    roles = set()
    if found.raised_member_id is None and seat.org_id == found.raised_org_id:
        roles.add(CaseParty.RAISER)
    if found.holder_id is not None and _acts_here(seat, found):
        roles.add(CaseParty.HOLDER)
    return roles


def _acts_here(seat: ActiveSeat, found: Case) -> bool:
    return session.scalar(select(Case.id).where(Case.id == found.id, _served(seat))) is not None


def possible_actions(seat: ActiveSeat, found: Case) -> list[CaseAction]:
    """What the seat may do now."""
    own = about_himself(seat, found)
    return [
        action
        for party in sorted(parties(seat, found))
        if not (own and party is CaseParty.HOLDER)
        for action in actions(found.state, party, last=found.is_last)
    ]


def way(found: Case) -> list[Organisation]:
    """The organisations of its line, in order."""
    rows = {one.id: one for one in session.scalars(select(Organisation).where(Organisation.id.in_(found.line)))}
    return [rows[number] for number in found.line if number in rows]


def register(seat: ActiveSeat, kind: CaseKind, filters: CaseFilters) -> Listing[ExportedCase]:
    """The register of a kind: its cases under the list's filters, oldest first (F-18)."""
    query = _listed(select(Case), seat, replace(filters, kind=kind.key))
    return Listing(query, [Case.id], loads=[joinedload(Case.raised_org)], dress=_exported)


def export(seat: ActiveSeat, kind: CaseKind, filters: CaseFilters) -> Iterator[ExportedCase]:
    """The whole register, numbered from 1."""
    return (line.at(position) for position, line in enumerate(register(seat, kind, filters), start=1))


def _exported(cases: Sequence[Case]) -> list[ExportedCase]:
    matters = subjects.matters(cases)
    provinces = _provinces(matters)
    return [
        ExportedCase(one, matter, provinces.get(_home(matter).path[: 2 * 4], ""))
        for one, matter in zip(cases, matters, strict=True)
    ]


def _home(matter: CaseMatter) -> Organisation:
    if matter.member is not None:
        return matter.member.org
    return matter.organisation or matter.raiser


def _provinces(matters: Sequence[CaseMatter]) -> dict[str, str]:
    """Names of the province-rank organisations above, by their paths."""
    paths = {_home(matter).path[: 2 * 4] for matter in matters}
    query = select(Organisation.path, Organisation.full_name).where(
        Organisation.path.in_(paths), Organisation.tier == Tier.PROVINCE
    )
    return {path: name.removeprefix("共青团").removesuffix("委员会") for path, name in session.execute(query)}
