"""团员电子档案: how each member's application form stands, and who still has to bring one (U-13, E-01, E-02)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import contains_eager, joinedload

from zhtj.cases.kind import About
from zhtj.cases.models import Case, CaseEvent, CaseFile
from zhtj.cases.workflow import CaseState
from zhtj.identity import certification
from zhtj.identity.models import Certification
from zhtj.kernel import attachments, audit
from zhtj.kernel.database import session
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, scope, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.finding import search
from zhtj.people.models import Member
from zhtj.policy.model import Policy

# The kind of case that brings one in.
KEY = "e_file"
# Who stands alike is counted so far, by a leading organ less far.
COUNTED, COUNTED_ABOVE = 10_000, 1000


class EFileState(StrEnum):
    """How a member's application form stands (档案状态)."""

    MISSING = "missing"
    REFUSED = "refused"
    PENDING = "pending"
    VOUCHED = "vouched"
    CERTIFIED = "certified"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "missing": "档案未上传",
            "refused": "审核未通过",
            "pending": "待审核",
            "vouched": "历史数据已核，未上传",
            "certified": "已认证",
        }[self.value]

    @property
    def takes_upload(self) -> bool:
        """Whether a form is still owed, and none is being looked at."""
        return self in {EFileState.MISSING, EFileState.REFUSED, EFileState.VOUCHED}


@dataclass(frozen=True, slots=True)
class EFileFilters:
    """What the list is narrowed by.

    Args:
        state: one of the states; None for all.
        path: of an organisation below the seat.
        text: start of the name, or a whole student number.
    """

    state: EFileState | None = None
    path: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class EFileStatus:
    """How one member's form stands.

    Args:
        state: None where none is needed.
        case: the open case, or the one that was refused last.
        certification: what he has.
    """

    state: EFileState | None
    case: Case | None = None
    certification: Certification | None = None

    @property
    def is_certified(self) -> bool:
        """Whether nothing stands in the way of a transfer (U-13)."""
        return self.state is None or self.certification is not None

    @property
    def lacks_file(self) -> bool:
        """Whether the old record was vouched for, so that he may transfer, and the form is owed all the same (E-01)."""
        return self.state is EFileState.VOUCHED

    @property
    def is_replaceable(self) -> bool:
        """Whether an approved form stands that only the level above may replace (U-13)."""
        return self.state is EFileState.CERTIFIED

    @property
    def has_file(self) -> bool:
        """Whether there is an approved PDF to look at."""
        return self.certification is not None and self.certification.file_id is not None


def status_of(member: Member) -> EFileStatus:
    """How a member's form stands."""
    known = certification.of_member(member.id)
    if not certification.is_needed(policy_of(member.org), member):
        return EFileStatus(None, None, known)
    last = session.scalars(_cases(member.id).order_by(Case.id.desc())).first()
    if last is not None and last.state is CaseState.WAITING:
        return EFileStatus(EFileState.PENDING, last, known)
    if known is not None:
        return EFileStatus(EFileState.CERTIFIED if known.file_id else EFileState.VOUCHED, None, known)
    if last is not None and last.state is CaseState.REFUSED:
        return EFileStatus(EFileState.REFUSED, last)
    return EFileStatus(EFileState.MISSING)


def opinion(case: Case) -> str:
    """Why a form was refused, without the full stop."""
    last = session.scalars(
        select(CaseEvent.remark).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc()).limit(1)
    ).first()
    return (last or "").rstrip("。")


def _cases(member_id: int) -> Select[Case]:
    about = (Case.kind == KEY, Case.subject_type == About.MEMBER.value, Case.subject_id == member_id)
    return select(Case).where(*about).options(joinedload(Case.holder))


def _asked(state: CaseState) -> ColumnElement[bool]:
    return exists().where(
        Case.kind == KEY,
        Case.subject_type == About.MEMBER.value,
        Case.subject_id == Member.id,
        Case.state == state,
    )


def _has(*, file: bool | None = None) -> ColumnElement[bool]:
    """Certified at all; with or without a PDF."""
    found = exists().where(Certification.member_id == Member.id)
    if file is None:
        return found
    return found.where(Certification.file_id.is_not(None) if file else Certification.file_id.is_(None))


def _is(state: EFileState) -> ColumnElement[bool]:
    waiting = _asked(CaseState.WAITING)
    return {
        EFileState.PENDING: lambda: waiting,
        EFileState.CERTIFIED: lambda: and_(_has(file=True), ~waiting),
        EFileState.VOUCHED: lambda: and_(_has(file=False), ~waiting),
        EFileState.REFUSED: lambda: and_(_asked(CaseState.REFUSED), ~_has(), ~waiting),
        EFileState.MISSING: lambda: and_(~_asked(CaseState.REFUSED), ~_has(), ~waiting),
    }[state]()


def _listed(query: Select[Any], seat: ActiveSeat, policy: Policy, filters: EFileFilters) -> Select[Any]:
    query = (
        query.select_from(Member)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(
            scope(Organisation.path, seat, Permission.MEMBER_VIEW),
            Member.archived_at.is_(None),
            Member.joined_on >= policy.certification_from,
        )
    )
    if filters.path:
        query = query.where(subtree(Organisation.path, filters.path))
    if filters.state is not None:
        query = query.where(_is(filters.state))
    text = filters.text.strip()
    if text:
        query = query.where(search.is_called(Member.id, text))
    return query


def listing(seat: ActiveSeat, policy: Policy, filters: EFileFilters) -> Listing[Member]:
    """Members who need a form, branch by branch, in the seat's part of the tree."""
    query = _listed(select(Member), seat, policy, filters)
    loads = (joinedload(Member.account), contains_eager(Member.org))
    return Listing(query, [Organisation.path, Member.id], loads=loads)


def counted_to(seat: ActiveSeat) -> int:
    """How far those who stand alike are counted for a seat."""
    return COUNTED_ABOVE if seat.kind is SeatKind.PROVINCIAL else COUNTED


def counts(seat: ActiveSeat, policy: Policy, filters: EFileFilters) -> dict[EFileState, int]:
    """How many stand how; beyond ``counted_to`` one more than that, so that no page pays for counting a province.

    Nothing where a leading organ looks for too common a name.
    """
    if not search.is_counted(seat, filters.text.strip()):
        return {}
    figures, most = [], counted_to(seat)
    for state in EFileState:
        wanted = EFileFilters(state, filters.path, filters.text)
        some = _listed(select(Member.id), seat, policy, wanted).limit(most + 1).subquery()
        figures.append(select(func.count()).select_from(some).scalar_subquery())
    return dict(zip(EFileState, session.execute(select(*figures)).one(), strict=True))


def states_of(members: list[Member]) -> dict[int, EFileState]:
    """How each of these members' forms stands; three statements for all."""
    ids = [member.id for member in members]
    known = dict(
        session.execute(
            select(Certification.member_id, Certification.file_id).where(Certification.member_id.in_(ids))
        ).all()
    )
    query = select(Case.subject_id, Case.state).where(
        Case.kind == KEY, Case.subject_type == About.MEMBER.value, Case.subject_id.in_(ids)
    )
    # Of several the last one counts.
    asked = {number: state for number, state in session.execute(query.order_by(Case.id)) if number is not None}
    return {number: _state(number in known, known.get(number), asked.get(number)) for number in ids}


def _state(certified: bool, file_id: int | None, asked: CaseState | None) -> EFileState:  # noqa: FBT001 - one caller
    if asked is CaseState.WAITING:
        return EFileState.PENDING
    if certified:
        return EFileState.CERTIFIED if file_id else EFileState.VOUCHED
    return EFileState.REFUSED if asked is CaseState.REFUSED else EFileState.MISSING


def open_file(member: Member) -> tuple[CaseFile, bytes]:
    """The approved PDF of a member whom the reader may see; the look is noted (PD-37). Raises NotFound."""
    known = certification.of_member(member.id)
    found = session.get(CaseFile, known.file_id) if known is not None and known.file_id else None
    if found is None:
        raise NotFound("没有已通过的电子档案。", fix="请先上传入团志愿书。")
    audit.record("member.file_seen", "member", member.id, file=found.id)
    return found, attachments.unpack(found.content)
