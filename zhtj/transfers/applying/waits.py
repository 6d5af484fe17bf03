"""等待名单: further study waits for the admitting school to build its new students' organisation (T-09 … T-11, D-12).

Whoever applies too early would be sent to the wrong place; so he puts himself on a list and is told when the school is
ready. The school sees who waits, and so does the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Select, and_, select, update
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.events import OrganisationCreated
from zhtj.orgs.models import Organisation, Purpose
from zhtj.orgs.naming import normalise, own_name
from zhtj.orgs.searching import places
from zhtj.people.models import Member
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.kinds import basic_of
from zhtj.transfers.models import SCHOOL_NAME_AT_MOST, AdmissionWait, Application
from zhtj.transfers.workflow import Action

_CHUNK = 500


class Side(StrEnum):
    """Which waiting members a school sees: those who want to come to it, or its own."""

    COMING = "in"
    OWN = "out"


_UNTOLD = and_(AdmissionWait.told_at.is_(None), AdmissionWait.ended_at.is_(None))


# ---- writes


def join(member: Member, name: str) -> AdmissionWait:
    """Put a member on the list of a school; whoever waits for another one changes over.

    Raises:
        DomainError: no name, or the school is ready already.
    """
    name = name.strip()[:SCHOOL_NAME_AT_MOST]
    if not name:
        raise DomainError("请填写录取学校全称。", field="unit", rule="T-09")
    schools = places.schools_named(name)
    ready = next((school for school in schools if places.for_new_students(school)), None)
    if ready is not None:
        raise DomainError(f"{own_name(ready.short_name)}已经建好新生团组织，可以直接申请。", field="unit", rule="T-09")
    school_id = schools[0].id if len(schools) == 1 else None
    present = of_member(member.id)
    if present is not None and present.school_id == school_id and (school_id or present.school_name == name):
        return present
    if present is not None:
        _end(present)
    wait = AdmissionWait(member_id=member.id, school_id=school_id, school_name=name, since=clock.now())
    session.add(wait)
    session.flush()
    audit.record("wait.join", "member", member.id, school=name)
    return wait


def leave(member: Member) -> None:
    """Take a member off the list; nothing happens if he is on none."""
    present = of_member(member.id)
    if present is not None:
        _end(present)


def _end(wait: AdmissionWait) -> None:
    wait.ended_at = clock.now()
    session.flush()
    audit.record("wait.leave", "member", wait.member_id, school=wait.school_name)


def applied(event: ApplicationsChanged) -> None:
    """Whoever applies waits no longer."""
    if event.action is Action.SUBMIT:
        members = select(Application.member_id).where(Application.id.in_(event.ids))
        session.execute(
            update(AdmissionWait)
            .where(AdmissionWait.member_id.in_(members), AdmissionWait.ended_at.is_(None))
            .values(ended_at=clock.now()),
            execution_options={"synchronize_session": "fetch"},
        )


def created(event: OrganisationCreated) -> None:
    """A school has built its new students' organisation: tell everybody who waits for it."""
    if event.purpose is not Purpose.NEW_STUDENTS:
        return
    organisation = session.get_one(Organisation, event.id)
    school = basic_of(organisation)
    if school is not None:
        tell(school)


def tell(school: Organisation) -> int:
    """Tell everybody who waits for ``school`` and has not been told yet that he can apply now; returns how many."""
    _claim_typed(school)
    ready = places.for_new_students(school)
    if not ready:
        return 0
    name = own_name(school.short_name)
    told = 0
    while waits := session.scalars(
        select(AdmissionWait.id).where(_UNTOLD, AdmissionWait.school_id == school.id).limit(_CHUNK)
    ).all():
        done = session.execute(
            update(AdmissionWait)
            .where(AdmissionWait.id.in_(waits), _UNTOLD)
            .values(told_at=clock.now())
            .returning(AdmissionWait.member_id),
            execution_options={"synchronize_session": False},
        )
        title = f"{name}可以转入了"[:80]
        body = (
            f"{name}已经建好新生团组织：{ready[0].full_name}。\n"
            "现在可以申请转接：登录后点“申请转接”，原因选“升学”，转入组织选上面这个。"
        )
        told += notices.send_many(
            NewMessage(MessageKind.NOTE, title, body, member_id=member_id) for (member_id,) in done
        )
    return told


def tell_all() -> int:
    """Tell everybody whose school has become ready unnoticed; returns how many. Twice is the same as once."""
    known = select(AdmissionWait.school_id).where(_UNTOLD, AdmissionWait.school_id.is_not(None)).distinct()
    typed = select(AdmissionWait.school_name).where(_UNTOLD, AdmissionWait.school_id.is_(None)).distinct()
    schools = {number for number in session.scalars(known) if number is not None}
    for name in session.scalars(typed).all():
        found = places.schools_named(name)
        schools |= {found[0].id} if len(found) == 1 else set()
    return sum(tell(session.get_one(Organisation, number)) for number in sorted(schools))


def _claim_typed(school: Organisation) -> None:
    """Those who typed the school's name before it stood in the tree wait for this one."""
    names = {normalise(own_name(text)) for text in (school.short_name, school.full_name)}
    for wait in session.scalars(select(AdmissionWait).where(_UNTOLD, AdmissionWait.school_id.is_(None))):
        if normalise(own_name(wait.school_name)) in names:
            wait.school_id = school.id
    session.flush()


# ---- reads


def of_member(member_id: int) -> AdmissionWait | None:
    """What a member waits for."""
    query = select(AdmissionWait).where(AdmissionWait.member_id == member_id, AdmissionWait.ended_at.is_(None))
    return session.scalars(query.options(joinedload(AdmissionWait.school))).first()


def listing(seat: ActiveSeat, side: Side) -> Listing[AdmissionWait]:
    """Who waits to come to the seat's part of the tree, or waits in it to leave; the longest waiting first."""
    return Listing(
        _seen(seat, side),
        [AdmissionWait.id],
        loads=(
            joinedload(AdmissionWait.member).joinedload(Member.account),
            joinedload(AdmissionWait.member).joinedload(Member.org),
            joinedload(AdmissionWait.school),
        ),
    )


def _seen(seat: ActiveSeat, side: Side) -> Select[AdmissionWait]:
    below = select(Organisation.id).where(subtree(Organisation.path, seat.path))
    query = select(AdmissionWait).join(Member, Member.id == AdmissionWait.member_id)
    query = query.where(AdmissionWait.ended_at.is_(None), Member.archived_at.is_(None))
    return query.where((AdmissionWait.school_id if side is Side.COMING else Member.org_id).in_(below))


def schools_of(waits: Sequence[AdmissionWait]) -> dict[int, Organisation]:
    """The school each of these members waits in, by the wait's id: his basic committee, not his class."""
    lines = {path for wait in waits for path in wait.member.org.line}
    basics = {each.path: each for each in places.basics_among(lines)}
    found = {}
    for wait in waits:
        school = next((basics[path] for path in wait.member.org.line if path in basics), None)
        if school is not None:
            found[wait.id] = school
    return found
