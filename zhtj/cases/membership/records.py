"""What takes the place of deleting a member: archive, bring back, merge, correct - always by a decision (PD-06, K-19).

A record touches people and the season register alike, so it is kept here, above both.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Select, select, update

from zhtj.graduation import season_register
from zhtj.graduation.models import CloseReason, RegisterRow
from zhtj.identity import certification, checking
from zhtj.kernel import audit, clock
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session, touched
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import Organisation
from zhtj.people import identity
from zhtj.people.finding.archived import ARCHIVED
from zhtj.people.models import Account, Member, Membership, Seat
from zhtj.people.operations import end_seat, start_seat

# What the kept record takes over from the other where it knows nothing itself.
_FILLED = (
    "ethnicity",
    "dev_number",
    "student_no",
    "major",
    "degree",
    "political_status",
    "household",
    "origin",
    "residence",
    "emergency_name",
    "emergency_phone",
    "dues_until",
)


def archive(member: Member, why: str, by: str) -> None:
    """Take a record out of every list and every denominator, and keep it (PD-06, PD-13).

    Args:
        member: whose.
        why: key of the ground; ends his posts and closes his row of the season.
        by: what did it, such as ``case:7``.

    Raises:
        Conflict: it is archived already.
    """
    moment = clock.now()
    done = session.execute(
        update(Member)
        .where(Member.id == member.id, Member.archived_at.is_(None))
        .values(archived_at=moment, archived_why=why),
        execution_options={"synchronize_session": False},
    )
    if touched(done) != 1:
        raise Conflict(f"{member.name}的记录已经归档。", rule="PD-06")
    session.execute(
        update(Membership)
        .where(Membership.member_id == member.id, Membership.ended_at.is_(None))
        .values(ended_at=moment, ended_by=by),
        execution_options={"synchronize_session": False},
    )
    season_register.close([member.id], CloseReason.LEFT)
    for seat in _posts(member.account_id):
        end_seat(seat, "archived")
    session.expire(member)
    audit.record(ARCHIVED, "member", member.id, why=why, by=by, org=member.org_id)


def _posts(account_id: int) -> list[Seat]:
    query = select(Seat).where(Seat.account_id == account_id, Seat.ended_at.is_(None))
    return list(session.scalars(query))


def restore(member: Member, by: str) -> None:
    """Bring an archived record back to the branch where it was; posts do not come back (PD-06, U-19).

    Raises:
        Conflict: it is not archived.
        DomainError: the branch has been closed since.
    """
    if member.org.closed_at is not None:
        raise DomainError(
            f"{member.org.short_name}已停用，不能恢复到那里。", fix="请上级先重新启用该组织，再恢复记录。", rule="PD-06"
        )
    row = session.execute(
        update(Member)
        .where(Member.id == member.id, Member.archived_at.is_not(None))
        .values(archived_at=None, archived_why=None, merged_into_id=None, suspended_at=None)
        .returning(Member.org_id),
        execution_options={"synchronize_session": False},
    ).first()
    if row is None:
        raise Conflict(f"{member.name}的记录没有归档，不需要恢复。", rule="U-19")
    # U-19: what was archived by mistake comes back to the branch where it was.
    session.add(Membership(member_id=member.id, org_id=row[0], started_at=clock.now(), began_by=by))
    session.flush()
    # What the archiving closed counts again; whoever was entered before his season began gets his row now.
    season_register.reopen([member.id], CloseReason.LEFT)
    season_register.open_register(members=[member.id])
    session.expire(member)
    audit.record("member.restore", "member", member.id, by=by, org=row[0])


def merge(doubled: Member, kept: Member, by: str) -> None:
    """Make two records of one person one: the kept one takes what it lacked, the other is archived (U-15, K-19).

    His row of the season goes with him where the kept record has none; so do his posts and, where the kept account
    has none, the mobile number.

    Raises:
        DomainError: they are the same record, or one of them is archived.
    """
    if doubled.id == kept.id:
        raise DomainError("这是同一条记录。", fix="请填写要保留的另一条记录。", field="keep", rule="U-15")
    # U-15: one record is kept; the other is archived, never deleted.
    if kept.archived_at is not None:
        raise DomainError("要保留的记录已经归档。", fix="请填写正在使用的那一条。", field="keep", rule="U-15")
    for name in _FILLED:
        if getattr(kept, name) is None:
            setattr(kept, name, getattr(doubled, name))
    _hand_over_rows(doubled, kept)
    certification.hand_over(doubled, kept)
    posts = [(seat.org, seat.post) for seat in _posts(doubled.account_id)]
    archive(doubled, "merged", by)
    doubled.merged_into_id = kept.id
    _hand_over_mobile(doubled.account, kept.account)
    held = {(seat.org_id, seat.post) for seat in _posts(kept.account_id)}
    for organisation, post in posts:
        if (organisation.id, post) not in held:
            start_seat(kept.account, organisation, post)
    session.flush()
    audit.record("member.merge", "member", kept.id, other=doubled.id, by=by)


def _hand_over_rows(doubled: Member, kept: Member) -> None:
    known = select(RegisterRow.season).where(RegisterRow.member_id == kept.id).scalar_subquery()
    session.execute(
        update(RegisterRow)
        .where(RegisterRow.member_id == doubled.id, RegisterRow.season.not_in(known))
        .values(member_id=kept.id),
        execution_options={"synchronize_session": False},
    )


def _hand_over_mobile(source: Account, target: Account) -> None:
    mobile = source.mobile
    source.set_mobile(None)
    session.flush()
    if target.mobile is None:
        target.set_mobile(mobile)
    session.flush()


def correct(member: Member, changes: Mapping[str, object], by: str) -> None:
    """Correct what nobody may edit: ``name``, ``id_number``, ``joined_on`` (U-14, K-19).

    Raises:
        DomainError: the number is another person's.
    """
    account = member.account
    before = {"name": account.name, "joined_on": member.joined_on.isoformat()}
    # U-14: the only place where these three change, by a decision; nothing is deleted and registered again.
    name, number, joined = changes.get("name"), changes.get("id_number"), changes.get("joined_on")
    if isinstance(name, str):
        account.set_name(name)
    if isinstance(number, str):
        number_is_free(number, account)
        account.set_id_number(number)
        who = identity.read(number)
        member.sex, member.born = who.sex, who.born
    if joined is not None:
        member.joined_on = joined  # type: ignore[assignment]  # a date, as the kind has read it
    session.flush()
    checking.ask_again(member)
    # Which fields; of the number nothing more than that (PD-38).
    audit.record("member.correct", "member", member.id, fields=sorted(changes), before=before, by=by)


def number_is_free(number: str, account: Account) -> None:
    """Raise DomainError where the ID number is somebody else's."""
    other = session.scalars(select(Account).where(Account.id_hash == keyed_hash("id_number", number))).first()
    if other is not None and other.id != account.id:
        raise DomainError(
            "这个身份证号码已有另一条记录。",
            fix="如果是同一个人的两条记录，请改用“记录归档、合并”。",
            field="id_number",
            rule="U-15",
        )


def free_number(number: str, rightful: Member, within: str, by: str) -> list[str]:
    """Take a 发展团员编号 from whoever else has it and give it to its owner (U-21).

    Args:
        number: 12 digits.
        rightful: whose it is.
        within: path of the deciding organisation; it may correct nobody outside.
        by: what did it.

    Returns:
        Names of the branches whose members lost it.

    Raises:
        DomainError: somebody outside has it.
    """
    found = occupants(number, rightful)
    outside = [one for one in found if not one.org.path.startswith(within)]
    if outside:
        raise DomainError(
            f"占用编号的团员在{outside[0].org.full_name}，不归本级管理。", fix="请与对方的省级团委协调。", rule="U-21"
        )
    for one in [*found, *archived_carriers(number, rightful, within)]:
        one.dev_number = None
        audit.record("member.dev_number", "member", one.id, before=number, after=None, by=by)
    before, rightful.dev_number = rightful.dev_number, number
    session.flush()
    audit.record("member.dev_number", "member", rightful.id, before=before, after=number, by=by)
    return [one.org.short_name for one in found]


def occupants(number: str, rightful: Member) -> list[Member]:
    """Everybody else whose record carries this 发展团员编号."""
    return list(session.scalars(_carriers(number, rightful).where(Member.archived_at.is_(None))))


def archived_carriers(number: str, rightful: Member, within: str = "") -> list[Member]:
    """Those whose archived record carries it; nobody can answer for them (PD-61).

    Args:
        number: 12 digits.
        rightful: whose it is said to be.
        within: path of an organisation; only those below it.
    """
    query = _carriers(number, rightful).where(Member.archived_at.is_not(None), subtree(Organisation.path, within))
    return list(session.scalars(query))


def _carriers(number: str, rightful: Member) -> Select[Member]:
    return (
        select(Member)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(Member.dev_number == number, Member.id != rightful.id)
        .order_by(Member.id)
        .limit(50)
    )
