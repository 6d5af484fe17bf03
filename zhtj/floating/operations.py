"""Writes of floating members: open and close a stay, keep, allocate, extend, log contacts, record what he found (R)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import joinedload

from zhtj.floating import branches, rules
from zhtj.floating.models import FAR, NOTE_AT_MOST, PLACE_AT_MOST, Contact, Occupation, Stay, StayKind
from zhtj.floating.queries import KEPT_FOR, looks_after, marked_delayed, of_member
from zhtj.graduation import season_register
from zhtj.graduation.models import CloseReason
from zhtj.kernel import audit, clock, dates
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.events import OrganisationMerged
from zhtj.orgs.models import LEADING_TIERS, SCHOOL_INDUSTRIES, Category, Organisation, Purpose, Tier
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member, Membership
from zhtj.people.moves import Move, move_members
from zhtj.people.rules import months_after
from zhtj.policy.model import Policy
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms somebody is kept.

    Args:
        until: the last day.
        ground: why, as the form has it (R-07).
        home: the college that looks after him, else the school.
        extended: whether that is the longest term already, so that nothing is added to it (PD-61).
    """

    until: date | None = None
    ground: str | None = None
    home: Organisation | None = None
    extended: bool = False


# ---- opening and closing


def after_completion(event: ApplicationsChanged) -> None:
    """Close what these members leave behind, and open a stay for who came into a floating branch (PD-20)."""
    if event.after is not State.COMPLETED:
        return
    done = session.execute(
        select(Application.member_id, Application.final_org_id).where(Application.id.in_(event.ids))
    ).all()
    end_stays([member for member, _ in done])
    today = clock.today()
    # R-20, T-29: whoever comes into a floating branch is kept in touch with until they are moved on.
    open_stays([(member, org_id, today) for member, org_id in done if org_id is not None])


def merged(event: OrganisationMerged) -> None:
    """Whoever stays in a branch that became part of another stays in that one, with the same days (PD-56)."""
    session.execute(
        update(Stay).where(Stay.org_id == event.before, Stay.ended_at.is_(None)).values(org_id=event.after),
        execution_options={"synchronize_session": "fetch"},
    )


def end_stays(member_ids: Sequence[int]) -> None:
    """These members have left the branch they stayed in."""
    session.execute(
        update(Stay).where(Stay.member_id.in_(member_ids), Stay.ended_at.is_(None)).values(ended_at=clock.now()),
        execution_options={"synchronize_session": "fetch"},
    )


def open_stays(stays: Sequence[tuple[int, int, date]], terms: Terms | None = None) -> int:
    """Open a stay for each (member, branch, since) whose branch is such a one. Returns how many."""
    query = select(Organisation).where(Organisation.id.in_({org_id for _, org_id, _ in stays}), KEPT_FOR)
    found = {branch.id: branch for branch in session.scalars(query.options(joinedload(Organisation.parent)))}
    policies = {number: policy_of(branch) for number, branch in found.items()}
    rows = [
        _opened(member, found[org_id], since, policies[org_id], terms or Terms())
        for member, org_id, since in stays
        if org_id in found
    ]
    if rows:
        # Whoever was moved by other means left a stay open behind him.
        end_stays([row["member_id"] for row in rows])
        session.execute(insert(Stay), rows)
    return len(rows)


def kind_of_branch(branch: Organisation) -> StayKind:
    """Whose floating branch it is."""
    if branch.purpose is Purpose.OVERSEAS:
        return StayKind.OVERSEAS
    if branch.industry in SCHOOL_INDUSTRIES:
        return StayKind.SCHOOL
    of_county = branch.parent is not None and branch.parent.tier in LEADING_TIERS
    return StayKind.COUNTY if of_county else StayKind.TOWNSHIP


def _opened(member_id: int, branch: Organisation, since: date, policy: Policy, terms: Terms) -> dict[str, Any]:
    kind = kind_of_branch(branch)
    home = terms.home
    if home is None and kind in {StayKind.SCHOOL, StayKind.OVERSEAS}:
        home = branch.parent
    return {
        "member_id": member_id,
        "org_id": branch.id,
        "kind": kind,
        "since": since,
        "home_id": home.id if home else None,
        "ground": terms.ground,
        "retained_until": terms.until,
        "extended_on": since if terms.extended else None,
        "clear_by": months_after(since, policy.county_clear_months) if kind is StayKind.COUNTY else None,
        # at least so often, counted anew from every contact.
        "contact_by": months_after(since, policy.contact_interval_months),
        "situation": Occupation.ABROAD if kind is StayKind.OVERSEAS else None,
        "term_told": 0,
        "contact_told": 0,
    }


def track_all(seat: ActiveSeat, untracked: Sequence[tuple[int, int, date]]) -> int:
    """Open a stay for those who came by no transfer and no case, since they came. Returns how many."""
    opened = open_stays(untracked)
    if opened:
        audit.record("onward.track", "organisation", seat.org_id, members=opened)
    return opened


# ---- keeping, allocating, taking back


def keep(member: Member, branch: Organisation, terms: Terms, by: str) -> None:
    """Put a member into the branch where he is kept, and open his stay there (PD-10, R-05, R-16).

    Who studies abroad is in no denominator from that day on; who is retained stays in it, not completed (PD-09, R-04).

    Args:
        member: whose.
        branch: a floating or an overseas branch of his school.
        terms: until when, and why.
        by: what did it, such as ``case:12``.

    Raises:
        Conflict: his membership is no longer where it was.
    """
    if member.org_id == branch.id:
        raise Conflict(f"{member.name}已经在{branch.short_name}。")
    end_stays([member.id])
    move_members([Move(member.id, member.org_id, branch.id, by)])
    open_stays([(member.id, branch.id, clock.today())], terms)
    # who studies abroad leaves the figures; who is retained stays in them, not completed.
    if branch.purpose is Purpose.OVERSEAS:
        season_register.close([member.id], CloseReason.OVERSEAS)
    session.flush()
    until = str(terms.until) if terms.until else None
    audit.record("stay.begin", "member", member.id, org=branch.id, by=by, until=until, ground=terms.ground)


def allocate(seat: ActiveSeat, stays: Sequence[Stay], branch: Organisation) -> int:
    """Move retained members from the school's floating branch into the college's own: the second tier (R-05, T-24).

    Args:
        seat: the college that looks after them, or the school.
        stays: theirs.
        branch: a floating branch of that college.

    Returns:
        How many.

    Raises:
        DomainError: nobody picked, or the branch is not the college's floating branch.
        Forbidden: one of them is somebody else's.
    """
    if not stays:
        raise DomainError("请先勾选团员。", field="row")
    if branch.purpose is not Purpose.FLOATING or branch.closed_at is not None:
        raise DomainError("请选择学院的流动团员团支部。", field="branch", rule="R-05")
    for stay in stays:
        if not looks_after(seat, stay) or stay.member_id == seat.member_id:
            raise Forbidden("只分配本学院的流动团员。", rule="R-05")
        home = stay.home
        if stay.kind is not StayKind.SCHOOL or home is None or not branch.path.startswith(home.path):
            raise DomainError(
                f"{stay.member.name}不是这个学院保留的团员。", fix="请只勾选本学院的。", field="row", rule="R-05"
            )
        if stay.org_id == branch.id:
            raise DomainError(f"{stay.member.name}已经在{branch.short_name}。", field="row", rule="R-05")
    move_members([Move(one.member_id, one.org_id, branch.id, f"stay:{one.id}") for one in stays])
    for stay in stays:
        audit.record("stay.allocate", "member", stay.member_id, before=stay.org_id, after=branch.id)
        stay.org_id = branch.id
    session.flush()
    return len(stays)


def take_back(seat: ActiveSeat, stay: Stay, why: str) -> Organisation:
    """Undo a retention or an overseas stay: back to the branch he came from; who studied abroad counts again (PD-09).

    Returns:
        Where he is now.

    Raises:
        Forbidden: not of this school's committee, or himself.
        DomainError: no reason, or the branch is closed meanwhile.
    """
    if seat.kind not in {SeatKind.COLLEGE, SeatKind.SCHOOL} or not stay.org.path.startswith(seat.path):
        raise Forbidden("由批准的学校或学院撤销。", rule="PD-09")
    if seat.member_id == stay.member_id:
        raise Forbidden("不能办理与本人有关的事项，由直接上级办理。", rule="PD-02")
    if len("".join(why.split())) < 5:  # noqa: PLR2004 - characters, as everywhere
        raise DomainError("请写明撤销的原因，至少 5 个字。", field="why", rule="PD-09")
    if stay.kind not in {StayKind.SCHOOL, StayKind.OVERSEAS}:
        raise DomainError("这里的团员经转接而来，不能撤销。", fix="请办理二次转接。", rule="T-29")
    before = _came_from(stay)
    member = session.get_one(Member, stay.member_id)
    end_stays([member.id])
    move_members([Move(member.id, stay.org_id, before.id, f"stay:{stay.id}")])
    if stay.kind is StayKind.OVERSEAS:
        season_register.reopen([member.id], CloseReason.OVERSEAS)
    session.flush()
    audit.record("stay.take_back", "member", member.id, before=stay.org_id, after=before.id, why=why.strip())
    return before


def _came_from(stay: Stay) -> Organisation:
    """The branch he was in before he was kept. Raises DomainError where there is no way back."""
    query = (
        select(Organisation)
        .join(Membership, Membership.org_id == Organisation.id)
        .where(
            Membership.member_id == stay.member_id,
            Membership.ended_at.is_not(None),
            or_(
                Organisation.purpose.is_(None),
                Organisation.purpose.not_in((Purpose.FLOATING, Purpose.OVERSEAS, Purpose.SPECIAL_POOL)),
            ),
        )
    )
    found = session.scalars(query.order_by(Membership.id.desc())).first()
    if found is None or found.closed_at is not None:
        raise DomainError("原来的团支部已停用，不能退回。", fix="请由上级先恢复该支部，或为他办理转接。", rule="PD-06")
    return found


def extend(stay: Stay, until: date, by: str) -> None:
    """Lengthen a retention once (D-18, K-10).

    Raises:
        Conflict: it was extended before, or is none.
    """
    if stay.kind is not StayKind.SCHOOL or stay.extended_on is not None:
        raise Conflict("保留期已经延长过，不能再延长。", rule="D-18")
    before = str(stay.retained_until)
    stay.retained_until, stay.extended_on, stay.term_told = until, clock.today(), 0
    session.flush()
    session.expire(stay, ["next_on"])
    audit.record("stay.extend", "member", stay.member_id, before=before, after=str(until), by=by)


def place_delayed(member: Member, branch: Organisation, by: str) -> None:
    """Put a delayed graduate where such are kept, or where he studies: never a floating branch (T-19, R-08).

    Raises:
        DomainError: it is a floating branch or one of graduates.
    """
    if branch.purpose in {Purpose.FLOATING, Purpose.OVERSEAS}:
        raise DomainError("延迟毕业的团员不编入流动团员团支部。", rule="R-08")
    if branch.category is Category.GRADUATES or branch.tier is not Tier.BRANCH or branch.closed_at is not None:
        raise DomainError("请选择正在使用的、不是毕业生团组织的团支部。", rule="T-19")
    end_stays([member.id])
    if member.org_id != branch.id:
        move_members([Move(member.id, member.org_id, branch.id, by)])
    audit.record("delay.place", "member", member.id, org=branch.id, by=by)


def place_marked(seat: ActiveSeat, member_ids: Sequence[int]) -> dict[str, int]:
    """Put members whom a desk has marked as delayed into their organisation of delayed graduates (T-19, G-17).

    Args:
        seat: of a college or school.
        member_ids: marked members; whoever is there already, or lies elsewhere, is passed over.

    Returns:
        How many, by branch.

    Raises:
        Forbidden: neither a college nor a school.
        DomainError: that organisation is not there yet.
    """
    if seat.kind not in {SeatKind.COLLEGE, SeatKind.SCHOOL}:
        raise Forbidden("由学院或学校编入延迟毕业团组织。", rule="T-19")
    placed: dict[str, int] = {}
    for member in session.scalars(marked_delayed(seat).where(Member.id.in_(member_ids))):
        home = branches.home_of(member.org)
        if home is None or member.id == seat.member_id:
            continue
        branch = branches.for_delay(home)
        place_delayed(member, branch, f"seat:{seat.seat_id or 0}")
        placed[branch.short_name] = placed.get(branch.short_name, 0) + 1
    return placed


# ---- looking after


def _mine(seat: ActiveSeat, member: Member) -> Stay:
    stay = of_member(member)
    if seat.kind is SeatKind.MEMBER or seat.member_id == member.id or not looks_after(seat, stay):
        raise Forbidden("流动团员由所在团支部、学院或其直接上级联系服务。", rule="T-29")
    return stay


def contacted(seat: ActiveSeat, member: Member, on: date, note: str, situation: Occupation | None) -> Contact:
    """Log that somebody spoke with him; the next six months begin (T-29, R-12).

    Raises:
        DomainError: no note, or a day in the future or before he came.
        Forbidden: he is somebody else's to look after.
    """
    return _heard(seat, _mine(seat, member), on, note, situation)


def reported(seat: ActiveSeat, note: str, situation: Occupation | None) -> Contact:
    """Log that a floating member has reported himself, from home or from abroad (R-12, R-17).

    Raises:
        NotFound: no member.
        DomainError: no note, or he is in no such branch.
    """
    member = session.get(Member, seat.member_id) if seat.member_id else None
    if member is None or seat.kind is not SeatKind.MEMBER:
        raise NotFound
    # whoever is abroad reports in the same way.
    return _heard(seat, of_member(member), clock.today(), note, situation)


def _heard(seat: ActiveSeat, stay: Stay, on: date, note: str, situation: Occupation | None) -> Contact:
    words = note.strip()
    _check_day(stay, on, "on")
    if not words or len(words) > NOTE_AT_MOST:
        raise DomainError(f"请写明联系情况，最多 {NOTE_AT_MOST} 个字。", field="note", rule="T-29")
    entry = Contact(
        onward_id=stay.id,
        on=on,
        account_id=seat.account_id,
        situation=situation,
        note=words,
        written_at=clock.now(),
    )
    session.add(entry)
    if situation is not None and stay.due_on is None:
        stay.situation = situation
    if stay.last_contact_on is None or stay.last_contact_on < on:
        stay.last_contact_on = on
        stay.contact_by = months_after(on, policy_of(stay.org).contact_interval_months)
        stay.contact_told = 0
    session.flush()
    audit.record("onward.contact", "member", stay.member_id, on=on.isoformat(), situation=situation)
    return entry


def found(seat: ActiveSeat, member: Member, on: date, what: str) -> Stay:
    """Record the unit or school he has found; the month to move him on runs from that day (D-17, PD-20, R-11).

    He may say so himself. A correction of what was recorded leaves the deadline as it is.

    Raises:
        DomainError: no name, or a day in the future or before he came.
        Forbidden: he is somebody else's to look after.
    """
    himself = seat.kind is SeatKind.MEMBER and seat.member_id == member.id
    stay, words = of_member(member) if himself else _mine(seat, member), what.strip()
    _check_day(stay, on, "found_on", earlier=True)
    if not words or len(words) > PLACE_AT_MOST:
        raise DomainError(f"请填写单位或学校名称，最多 {PLACE_AT_MOST} 个字。", field="found_what", rule="D-17")
    before = stay.found_what
    stay.found_on, stay.found_what, stay.situation = on, words, Occupation.FOUND
    # as soon as there is a place, the month to move on runs.
    if stay.due_on is None:
        stay.due_on = rules.onward_until(on, policy_of(stay.org).floating_onward_months, clock.today())
        stay.term_told = 0
    session.flush()
    session.refresh(stay)
    audit.record("onward.found", "member", member.id, before=before, after=words, due=str(stay.due_on))
    return stay


def lost(seat: ActiveSeat, member: Member) -> Stay:
    """The place came to nothing: its deadline stops. Raises like ``found``."""
    stay = _mine(seat, member)
    if stay.due_on is None:
        raise DomainError("还没有登记落实的单位或学校。", rule="D-17")
    before = stay.found_what
    stay.found_on = stay.found_what = stay.due_on = None
    stay.situation = Occupation.SEEKING
    stay.term_told = 0
    session.flush()
    session.refresh(stay)
    audit.record("onward.lost", "member", member.id, before=before)
    return stay


def _check_day(stay: Stay, day: date, field: str, *, earlier: bool = False) -> None:
    if day > clock.today() or day >= FAR:
        raise DomainError("日期不能晚于今天。", field=field, rule="T-29")
    if not earlier and day < stay.since:
        raise DomainError(f"{dates.short(stay.since)} 才转入，日期不能更早。", field=field, rule="T-29")
