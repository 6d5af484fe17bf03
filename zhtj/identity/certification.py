"""团员身份认证: who needs an approved 入团志愿书, who has one, what it rests on (U-13, E-01 … E-04)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from zhtj.identity.models import Certification, Origin
from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_new, session
from zhtj.orgs.models import Category, Organisation
from zhtj.people.models import Member, Seat
from zhtj.policy.model import Policy

CHUNK = 500
COMMITTEES = frozenset({Category.COMMITTEE, Category.WORKING_COMMITTEE})


def is_needed(policy: Policy, member: Member) -> bool:
    """Whether he joined so late that his form must be approved before he can be transferred (U-13)."""
    return member.joined_on >= policy.certification_from


def of_member(member_id: int) -> Certification | None:
    """His certification, if he has one."""
    return session.get(Certification, member_id)


def is_missing(policy: Policy, member: Member) -> bool:
    """Whether he needs one and has none."""
    return is_needed(policy, member) and of_member(member.id) is None


def certified(ids: Sequence[int]) -> set[int]:
    """Those of these members who have one."""
    found: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        found |= set(session.scalars(select(Certification.member_id).where(Certification.member_id.in_(part))))
    return found


def certify(member: Member, origin: Origin, file_id: int | None, by: str) -> None:
    """Keep that his form was approved; a newer one takes the place of the one before (E-03).

    Args:
        member: whose.
        origin: what it rests on.
        file_id: the PDF.
        by: what did it, such as ``case:7``.
    """
    before = of_member(member.id)
    session.merge(Certification(member_id=member.id, certified_at=clock.now(), origin=origin, file_id=file_id))
    session.flush()
    replaced = before.file_id if before else None
    audit.record("member.certify", "member", member.id, origin=origin.value, file=file_id, replaced=replaced, by=by)


def hand_over(doubled: Member, kept: Member) -> None:
    """Of two records of one person the kept one takes the certification where it has none (U-15)."""
    known = of_member(doubled.id)
    if known is not None and of_member(kept.id) is None:
        session.add(
            Certification(
                member_id=kept.id, certified_at=known.certified_at, origin=known.origin, file_id=known.file_id
            )
        )
        session.flush()


def vouch(policy: Policy, members: Iterable[tuple[int, date]]) -> int:
    """Take over records whose files a superior has looked after before this system was there; returns how many.

    A roster that a committee imports for the branches below it is such a take-over: the record counts as certified
    (历史数据已核), and its form stays on the list of those still to be collected. A branch cannot vouch for itself, and
    whoever is registered anew uploads his form (E-01, E-02).

    Args:
        policy: says from which joining date on a form is needed.
        members: id and joining date.
    """
    moment = clock.now()
    rows = [
        {"member_id": number, "certified_at": moment, "origin": Origin.VOUCHED}
        for number, joined in members
        if joined >= policy.certification_from
    ]
    for start in range(0, len(rows), CHUNK):
        session.execute(insert_new(Certification), rows[start : start + CHUNK])
    return len(rows)


@dataclass(frozen=True, slots=True)
class Office:
    """The highest organisation of which a member is a cadre, where that changes who looks after his file (E-04).

    Args:
        organisation: a committee or a leading organ; None: an ordinary member, or a cadre of a branch or general
            branch (E-03).
    """

    organisation: Organisation | None

    @property
    def is_leading(self) -> bool:
        """团的领导机关本级团干部."""
        return self.organisation is not None and self.organisation.is_leading


def office_of(member: Member) -> Office:
    """Where he holds a post that makes him an own-level cadre (本级团干部, E-04)."""
    query = (
        select(Organisation)
        .join(Seat, Seat.org_id == Organisation.id)
        .where(Seat.account_id == member.account_id, Seat.ended_at.is_(None), Organisation.closed_at.is_(None))
        .order_by(Organisation.path)
    )
    for organisation in session.scalars(query):
        if organisation.is_leading or organisation.category in COMMITTEES:
            return Office(organisation)
    return Office(None)
