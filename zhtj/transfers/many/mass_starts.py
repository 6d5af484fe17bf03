"""Start applications for many: 办理转出 from a selection or a file, 办理转入 from a freshman list (PD-23, A-03, A-04).

``examine`` tells what would come of each line without writing: the situations of all lines are read together and asked
the checks of every start. Starting writes them line by line, as any single start is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from zhtj.graduation import season_register
from zhtj.kernel import audit, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Organisation
from zhtj.people.finding import archived
from zhtj.people.models import Account, Member
from zhtj.policy.parts import ReasonSpec
from zhtj.policy.vocabulary import PlaceTie, Suitability
from zhtj.policy.words import place_said, reason_said
from zhtj.transfers.applying import checks
from zhtj.transfers.applying.situations import Situation, Submission, initiator, leavers, situations, special_unit
from zhtj.transfers.applying.starting import start
from zhtj.transfers.many.results import Result
from zhtj.transfers.workflow import State, Track

AT_MOST = 5000
CHUNK = 500
Item = TypeVar("Item")

# A line is a dict of what was read: name, id_number, reason, to, unit_name, unit_address, place, contact_mobile,
# remark; ``member`` (id) where it comes from a selection; ``row`` and ``problem`` where it comes from a file.
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What would come of one line.

    Args:
        situation: what would be started; None where nobody or no destination was found.
        warning: what the destination table warns of, or what cannot be undone (PD-11, S-07).
        error: why it cannot be started.
    """

    content: Content
    member: Member | None = None
    situation: Situation | None = None
    warning: str = ""
    error: DomainError | None = None

    @property
    def destination(self) -> Organisation | None:
        """Where to; None where nothing is chosen."""
        if self.situation is None or self.situation.track is Track.SPECIAL:
            return None
        return self.situation.new

    @property
    def lands(self) -> str:
        """Where the member would go, as pages call it."""
        if self.destination is not None:
            return self.destination.short_name
        return "特殊单位" if self.situation is not None else ""


def may_admit(seat: ActiveSeat, organisation: Organisation) -> bool:
    """Whether this seat may look many members up by a freshman list: a school's own, a college's (PD-23, D-11)."""
    return seat.kind in {SeatKind.SCHOOL, SeatKind.COLLEGE} and organisation.industry in SCHOOL_INDUSTRIES


def examine_out(seat: ActiveSeat, contents: Sequence[Content], options: dict[str, Any]) -> list[Seen]:
    """What 办理转出 would do with each line."""
    return _Examination(seat, options, contents, own=True).all()


def examine_in(seat: ActiveSeat, contents: Sequence[Content], options: dict[str, Any]) -> list[Seen]:
    """What 办理转入 would do with each line; it tells organisation and contact, nothing else (PD-37)."""
    return _Examination(seat, options, contents, own=False).all()


def start_out(seat: ActiveSeat, options: dict[str, Any], contents: Sequence[Content]) -> list[Result]:
    """Start 办理转出 for each line."""
    # A-03, PD-23: each line is checked and started as a single one is; the result stands at the line.
    return _start_all(examine_out(seat, contents, options))


def start_in(seat: ActiveSeat, options: dict[str, Any], contents: Sequence[Content]) -> list[Result]:
    """Start 办理转入 for each line."""
    return _start_all(examine_in(seat, contents, options))


def record_look_ups(contents: Sequence[Content]) -> None:
    """Note every person of a freshman list in the log: the batch is exempt from the limit, not from that (PD-37)."""
    found = _members_by_number(contents)
    audit.record_many(
        "member.look_up",
        "member",
        [
            (member.id if member else 0, {"found": member is not None, "batch": True})
            for content in contents
            if content.get("id_number")
            for member in [found.get(_identity(content))]
        ],
    )


def _start_all(lines: Sequence[Seen]) -> list[Result]:
    season_register.hold(members=[seen.member.id for seen in lines if seen.member is not None])
    return [_start(seen) for seen in lines]


def _start(seen: Seen) -> Result:
    if seen.error is not None or seen.situation is None:
        return Result.refusal(seen.error or _unknown({}))
    try:
        with session.begin_nested():
            application = start(seen.situation)
    except DomainError as error:
        return Result.refusal(error)
    text = f"已向{seen.lands}发起，{application.state.label}。"
    if application.state is State.COMPLETED:
        text = f"已转入{seen.lands}。"
    return Result(ok=True, text=text, application_id=application.id)


class _Examination:
    """One look at many lines: who each is about, what it asks for, and what the checks of every start say to it."""

    def __init__(self, seat: ActiveSeat, options: dict[str, Any], contents: Sequence[Content], *, own: bool) -> None:
        self.seat, self.options, self.contents, self.own = seat, options, contents, own
        self.members = _members_by_id(contents)
        self.people = _members_by_number(contents)
        self.organisations = _organisations(
            [options.get("to", ""), *(content.get("to", "") for content in contents)], None if own else seat.path
        )
        self.leavers = leavers([*{one.id: one for one in (*self.members.values(), *self.people.values())}.values()])
        self.taken: set[int] = set()

    def all(self) -> list[Seen]:
        """Every line, in order."""
        lines = [self._read(content) for content in self.contents]
        wanted = [(one, self.leavers[one.member.id], initiator(self.seat, one)) for _, one in lines if one is not None]
        known = iter(situations(wanted, self.seat))
        return [seen if one is None else _judged(seen, next(known)) for seen, one in lines]

    def _read(self, content: Content) -> tuple[Seen, Submission | None]:
        """What a line wants; None where that cannot be said, with why."""
        member = None
        try:
            member = self._member(content)
            spec, reason = self._reason(content, member)
            destination = self._destination(content) if spec.chooses_destination else None
            return Seen(content, member), self._wanted(content, member, destination, reason)
        except DomainError as error:
            return Seen(content, member, error=error), None

    def _member(self, content: Content) -> Member:
        if content.get("problem"):
            raise DomainError(content["problem"], fix=content.get("fix", ""))
        member = self.members.get(content.get("member", 0)) or self.people.get(_identity(content))
        ours = member is not None and self.seat.may(Permission.TRANSFER_OUT, member.org.path)
        if member is None or (self.own and not ours):
            raise _not_ours() if self.own else _unknown(content)
        if member.id in self.taken:
            raise Conflict("同一人在名单中出现了两次，以前一次为准。", fix="请核对名单。")
        self.taken.add(member.id)
        problem = checks.nothing_open(self.leavers[member.id])
        if problem is not None:
            raise problem
        return member

    def _reason(self, content: Content, member: Member) -> tuple[ReasonSpec, str]:
        who = self.leavers[member.id]
        said = content.get("reason") or self.options.get("reason") or ""
        meant = reason_said(said) if said else None
        key = meant.value if meant is not None else said
        spec = who.spec(key)
        if spec is None:
            raise DomainError(
                f"转接原因“{said}”不适用于这位团员。" if said else "没有填写转接原因。",
                fix="请从模板列出的原因中选择。",
                field="reason",
                rule="PD-10",
            )
        return spec, key

    def _destination(self, content: Content) -> Organisation:
        said = content.get("to") or self.options.get("to") or ""
        found = self.organisations.get(said)
        if found is None:
            raise DomainError(
                f"没有找到组织“{said}”。" if said else "没有填写转入组织。",
                fix="请填写组织编码，或系统内的组织全称。",
                field="destination",
            )
        return found

    def _wanted(self, content: Content, member: Member, destination: Organisation | None, reason: str) -> Submission:
        def said(name: str) -> str | None:
            return content.get(name) or self.options.get(name) or None

        place = said("place")
        tie = place_said(place) if place else None
        if place and tie is None:
            listed = "、".join(each.label for each in PlaceTie)
            raise DomainError(f"与转入地的关系中没有“{place[:20]}”。", fix=f"请填写：{listed}。", field="place")
        details: dict[str, Any] = {
            "unit_name": said("unit_name"),
            "unit_address": said("unit_address"),
            "contact_mobile": content.get("contact_mobile") or None,
            "remark": said("remark"),
            "confirmed": bool(self.options.get("confirmed")),
            "place": tie.value if tie is not None else None,
        }
        if destination is None:
            del details["place"]
            return special_unit(member, **details)
        return Submission(member=member, destination=destination, reason=reason, **details)


def _one_by_one(situation: Situation) -> DomainError | None:
    """The name in an external system is compared letter by letter, person by person (X-02)."""
    if situation.track is not Track.EXTERNAL:
        return None
    return DomainError(
        "转往北京、广东、福建的，不能批量办理。", fix="请逐人办理，核对对方系统中的组织全称。", rule="X-02"
    )


def _judged(seen: Seen, situation: Situation) -> Seen:
    """The line with what is warned of and what is wrong; an open warning is no more than that."""
    error = checks.first(situation, (_one_by_one, *checks.CHECKS))
    warning = ""
    if error is None or error.field == "confirmed":
        if situation.track is Track.SPECIAL:
            warning = "批准后不可逆：组织关系进入特殊单位专属库，不能撤回，也不能再转出。"
        elif situation.verdict.level is Suitability.WARNED:
            warning = situation.verdict.sentence
    return replace(seen, situation=situation, warning=warning, error=error)


def _not_ours() -> DomainError:
    return DomainError("本组织及下级没有这位团员。", fix="请核对姓名和身份证号码。", rule="A-03")


def _unknown(content: Content) -> DomainError:
    found = archived.find(content.get("name", ""), content.get("id_number", ""))
    if found is not None:
        return DomainError(found.says, fix=found.way_out, rule="PD-61")
    fix = "请核对姓名和身份证号码；本人可能还没有录入系统，或在北京、广东、福建的系统中。"
    return DomainError("没有找到这位团员。", fix=fix, rule="A-04")


def _identity(content: Content) -> tuple[str, str]:
    return names.key(content.get("name", "")), content.get("id_number", "")


def _in_chunks(items: Sequence[Any], read: Callable[[Sequence[Any]], Iterable[Item]]) -> Iterable[Item]:
    for first in range(0, len(items), CHUNK):
        yield from read(items[first : first + CHUNK])


_WHOLE = (joinedload(Member.account), joinedload(Member.org).joinedload(Organisation.parent))


def _members_by_id(contents: Sequence[Content]) -> dict[int, Member]:
    def read(ids: Sequence[int]) -> Iterable[Member]:
        return session.scalars(select(Member).where(Member.id.in_(ids), Member.archived_at.is_(None)).options(*_WHOLE))

    ids = [content["member"] for content in contents if content.get("member")]
    return {member.id: member for member in _in_chunks(ids, read)}


def _members_by_number(contents: Sequence[Content]) -> dict[tuple[str, str], Member]:
    """Members by name, however it was typed, and full ID number (A-04, PD-55)."""
    numbers = {keyed_hash("id_number", number): number for content in contents if (number := content.get("id_number"))}

    def read(hashes: Sequence[str]) -> Iterable[Member]:
        query = select(Member).join(Account, Account.id == Member.account_id)
        return session.scalars(query.where(Account.id_hash.in_(hashes), Member.archived_at.is_(None)).options(*_WHOLE))

    found = _in_chunks(list(numbers), read)
    return {
        (names.key(member.name), numbers[member.account.id_hash]): member for member in found if member.account.id_hash
    }


def _organisations(said: Iterable[str], path: str | None) -> dict[str, Organisation]:
    """Organisations by code or full name; inside ``path`` by short name too, where only one is called so."""

    def read(some: Sequence[str]) -> Iterable[Organisation]:
        query = select(Organisation).where(or_(Organisation.code.in_(some), Organisation.full_name.in_(some)))
        return session.scalars(query.options(joinedload(Organisation.parent)))

    wanted = sorted({name for name in said if name})
    found: dict[str, Organisation] = {}
    for organisation in _in_chunks(wanted, read):
        found |= {organisation.code: organisation, organisation.full_name: organisation}
    missing = [name for name in wanted if name not in found]
    return found | (_by_short_name(missing, path) if path is not None and missing else {})


def _by_short_name(wanted: Sequence[str], path: str) -> dict[str, Organisation]:
    query = select(Organisation).where(
        Organisation.short_name.in_(wanted), Organisation.path >= path, Organisation.path < path + "~"
    )
    found: dict[str, list[Organisation]] = {}
    for organisation in session.scalars(query):
        found.setdefault(organisation.short_name, []).append(organisation)
    return {name: only for name, (only, *others) in found.items() if not others}
