"""Start applications for many: 办理转出 from a selection or a file, 办理转入 from a freshman list (PD-23, A-03, A-04).

``examine`` tells what would come of each line without writing; starting goes line by line through the one door that
every application takes, ``operations.submit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from zhtj.graduation import season_register
from zhtj.graduation.models import RegisterRow
from zhtj.identity import certification
from zhtj.kernel import audit, clock
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Organisation
from zhtj.orgs.policies import policy_of
from zhtj.orgs.rules import destination_problem
from zhtj.people.models import Account, Member
from zhtj.policy.destinations import Verdict
from zhtj.policy.model import Policy, ReasonSpec
from zhtj.policy.vocabulary import Destination, PlaceTie, Reason, Suitability
from zhtj.transfers import operations
from zhtj.transfers.applying import checks
from zhtj.transfers.kinds import destination_kind
from zhtj.transfers.many.results import Result
from zhtj.transfers.models import Application
from zhtj.transfers.operations import Submission
from zhtj.transfers.workflow import OPEN, Route, State

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
        wanted: what would be submitted; None where nobody or no destination was found.
        warning: what the destination table warns of; the approver will see it too (PD-11).
        error: why it cannot be started.
    """

    content: Content
    member: Member | None = None
    destination: Organisation | None = None
    wanted: Submission | None = None
    warning: str = ""
    error: DomainError | None = None

    @property
    def lands(self) -> str:
        """Where the member would go, as pages call it."""
        if self.destination is not None:
            return self.destination.short_name
        return "特殊单位" if self.wanted is not None else ""


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
    return _start_all(examine_out(seat, contents, options), seat)


def start_in(seat: ActiveSeat, options: dict[str, Any], contents: Sequence[Content]) -> list[Result]:
    """Start 办理转入 for each line."""
    return _start_all(examine_in(seat, contents, options), seat)


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


def _start_all(lines: Sequence[Seen], seat: ActiveSeat) -> list[Result]:
    season_register.hold(members=[seen.member.id for seen in lines if seen.member is not None])
    return [_start(seen, seat) for seen in lines]


def _start(seen: Seen, seat: ActiveSeat) -> Result:
    if seen.error is not None or seen.wanted is None:
        return Result.refusal(seen.error or _unknown())
    try:
        with session.begin_nested():
            application = operations.submit(seen.wanted, seat)
    except DomainError as error:
        return Result.refusal(error)
    text = f"已向{seen.lands}发起，{application.state.label}。"
    if application.state is State.COMPLETED:
        text = f"已转入{seen.lands}。"
    return Result(ok=True, text=text, application_id=application.id)


class _Examination:
    """One look at many lines; whatever several of them need is read once."""

    def __init__(self, seat: ActiveSeat, options: dict[str, Any], contents: Sequence[Content], *, own: bool) -> None:
        self.seat, self.options, self.contents, self.own = seat, options, contents, own
        self.members = _members_by_id(contents)
        self.people = _members_by_number(contents)
        self.organisations = _organisations(
            [options.get("to", ""), *(content.get("to", "") for content in contents)], None if own else seat.path
        )
        ids = [member.id for member in (*self.members.values(), *self.people.values())]
        self.busy = set(_in_chunks(ids, _busy))
        self.graduates = set(_in_chunks(ids, _graduates))
        self.certified = certification.certified(ids)
        known = [*self.members.values(), *self.people.values()]
        self.taken_numbers = set(_in_chunks(known, checks.numbers_taken))
        self.policies: dict[int, Policy] = {}
        self.kinds: dict[tuple[int, int], Destination] = {}
        self.verdicts: dict[tuple[int, int, str, str | None], Verdict] = {}
        self.taken: set[int] = set()

    def all(self) -> list[Seen]:
        """Every line, in order."""
        return [self._line(content) for content in self.contents]

    def _line(self, content: Content) -> Seen:
        member = destination = wanted = None
        try:
            member = self._member(content)
            spec, reason = self._reason(content, member)
            destination = self._destination(content) if spec.chooses_destination else None
            wanted = self._wanted(content, member, destination, reason)
            warning = self._judge(wanted, spec) if destination is not None else self._special(wanted, spec)
        except _UnconfirmedError as open_warning:
            return Seen(content, member, destination, wanted, open_warning.sentence, open_warning.error)
        except DomainError as error:
            return Seen(content, member, destination, wanted, error=error)
        return Seen(content, member, destination, wanted, warning)

    def _member(self, content: Content) -> Member:
        if content.get("problem"):
            raise DomainError(content["problem"], fix=content.get("fix", ""))
        member = self.members.get(content.get("member", 0)) or self.people.get(_identity(content))
        ours = member is not None and self.seat.may(Permission.TRANSFER_OUT, member.org.path)
        if member is None or (self.own and not ours):
            raise _not_ours() if self.own else _unknown()
        if member.id in self.taken:
            raise Conflict("同一人在名单中出现了两次，以前一次为准。", fix="请核对名单。")
        self.taken.add(member.id)
        if member.id in self.busy:
            raise Conflict(checks.OPEN_BUSINESS, fix="请先撤销原申请，或等待它办结。", rule="A-06")
        return member

    def _reason(self, content: Content, member: Member) -> tuple[ReasonSpec, str]:
        policy = self._policy(member.org)
        said = content.get("reason") or self.options.get("reason") or ""
        labels = {spec.label or checks.SPECIAL: key.value for key, spec in policy.reasons.items()}
        labels |= {policy.special_unit_label: Reason.SPECIAL_UNIT.value}
        key = labels.get(said, said)
        try:
            return checks.reason_spec(policy, key, is_graduate=member.id in self.graduates), key
        except DomainError as error:
            raise DomainError(
                f"转接原因“{said}”不适用于这位团员。" if said else "没有填写转接原因。",
                fix="请从模板列出的原因中选择。",
                field="reason",
                rule="PD-10",
            ) from error

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
        details: dict[str, Any] = {
            "unit_name": said("unit_name"),
            "unit_address": said("unit_address"),
            "contact_mobile": content.get("contact_mobile") or None,
            "remark": said("remark"),
            "confirmed": bool(self.options.get("confirmed")),
            "place": {each.label: each.value for each in PlaceTie}.get(place or "", place),
        }
        if destination is None:
            del details["place"]
            return operations.special_unit(member, **details)
        return Submission(member=member, destination=destination, reason=reason, **details)

    def _judge(self, wanted: Submission, spec: ReasonSpec) -> str:
        """Everything ``submit`` will check; what the destination table warns of."""
        member, new = wanted.member, wanted.destination
        started_by = checks.initiator(self.seat, member, new)
        self._may_leave(member)
        route = operations.route_to(new)
        if route is Route.EXTERNAL:
            raise DomainError(
                "转往北京、广东、福建的，不能批量办理。", fix="请逐人办理，核对对方系统中的组织全称。", rule="X-02"
            )
        problem = destination_problem(new)
        if problem:
            raise DomainError(problem, field="destination", rule="O-10")
        if new.id == member.org_id:
            raise DomainError("组织关系已经在该组织，不需要转接。", field="destination")
        checks.may_start(spec, started_by, route)
        checks.fields_given(wanted, spec, self._kind(member.org, new))
        found = self._verdict(wanted)
        warning = found.sentence if found.level is Suitability.WARNED else ""
        try:
            checks.allowed(wanted, found)
        except DomainError as error:
            if warning:
                raise _UnconfirmedError(warning, error) from error
            raise
        return warning

    def _special(self, wanted: Submission, spec: ReasonSpec) -> str:
        member = wanted.member
        self._may_leave(member)
        checks.may_start(spec, checks.initiator(self.seat, member, wanted.destination), Route.SPECIAL)
        checks.special_unit(self._policy(member.org), wanted.remark, confirmed=wanted.confirmed)
        return "批准后不可逆：组织关系进入特殊单位专属库，不能撤回，也不能再转出。"

    def _may_leave(self, member: Member) -> None:
        """As ``submit`` will ask; what it would look up for each has been read for all (U-13, U-21)."""
        checks.may_leave(member)
        policy = self._policy(member.org)
        if certification.is_needed(policy, member) and member.id not in self.certified:
            raise checks.not_certified(policy)
        if member.dev_number in self.taken_numbers:
            raise checks.taken_number()

    def _policy(self, organisation: Organisation) -> Policy:
        if organisation.id not in self.policies:
            self.policies[organisation.id] = policy_of(organisation)
        return self.policies[organisation.id]

    def _kind(self, old: Organisation, new: Organisation) -> Destination:
        if (old.id, new.id) not in self.kinds:
            self.kinds[old.id, new.id] = destination_kind(old, new)
        return self.kinds[old.id, new.id]

    def _verdict(self, wanted: Submission) -> Verdict:
        old, new = wanted.member.org, wanted.destination
        key = (old.id, new.id, wanted.reason, wanted.place)
        if key not in self.verdicts:
            self.verdicts[key] = checks.verdict(self._policy(old), old, new, wanted.reason, wanted.place)
        return self.verdicts[key]


def _not_ours() -> DomainError:
    return DomainError("本组织及下级没有这位团员。", fix="请核对姓名和身份证号码。", rule="A-03")


def _unknown() -> DomainError:
    fix = "请核对姓名和身份证号码；本人可能还没有录入系统，或在北京、广东、福建的系统中。"
    return DomainError("没有找到这位团员。", fix=fix, rule="A-04")


class _UnconfirmedError(Exception):
    """A warning of the destination table that nobody has confirmed yet."""

    def __init__(self, sentence: str, error: DomainError) -> None:
        super().__init__(sentence)
        self.sentence, self.error = sentence, error


def _identity(content: Content) -> tuple[str, str]:
    return content.get("name", ""), content.get("id_number", "")


def _in_chunks(items: Sequence[Any], read: Callable[[Sequence[Any]], Iterable[Item]]) -> Iterable[Item]:
    for start in range(0, len(items), CHUNK):
        yield from read(items[start : start + CHUNK])


_WHOLE = (joinedload(Member.account), joinedload(Member.org).joinedload(Organisation.parent))


def _members_by_id(contents: Sequence[Content]) -> dict[int, Member]:
    def read(ids: Sequence[int]) -> Iterable[Member]:
        return session.scalars(select(Member).where(Member.id.in_(ids), Member.archived_at.is_(None)).options(*_WHOLE))

    ids = [content["member"] for content in contents if content.get("member")]
    return {member.id: member for member in _in_chunks(ids, read)}


def _members_by_number(contents: Sequence[Content]) -> dict[tuple[str, str], Member]:
    """Members by name and full ID number, both as typed (A-04)."""
    numbers = {keyed_hash("id_number", number): number for content in contents if (number := content.get("id_number"))}

    def read(hashes: Sequence[str]) -> Iterable[Member]:
        query = select(Member).join(Account, Account.id == Member.account_id)
        return session.scalars(query.where(Account.id_hash.in_(hashes), Member.archived_at.is_(None)).options(*_WHOLE))

    found = _in_chunks(list(numbers), read)
    return {(member.name, numbers[member.account.id_hash]): member for member in found if member.account.id_hash}


def _organisations(said: Iterable[str], path: str | None) -> dict[str, Organisation]:
    """Organisations by code or full name; inside ``path`` by short name too, where only one is called so."""

    def read(names: Sequence[str]) -> Iterable[Organisation]:
        query = select(Organisation).where(or_(Organisation.code.in_(names), Organisation.full_name.in_(names)))
        return session.scalars(query.options(joinedload(Organisation.parent)))

    names = sorted({name for name in said if name})
    found: dict[str, Organisation] = {}
    for organisation in _in_chunks(names, read):
        found |= {organisation.code: organisation, organisation.full_name: organisation}
    missing = [name for name in names if name not in found]
    return found | (_by_short_name(missing, path) if path is not None and missing else {})


def _by_short_name(names: Sequence[str], path: str) -> dict[str, Organisation]:
    query = select(Organisation).where(
        Organisation.short_name.in_(names), Organisation.path >= path, Organisation.path < path + "~"
    )
    found: dict[str, list[Organisation]] = {}
    for organisation in session.scalars(query):
        found.setdefault(organisation.short_name, []).append(organisation)
    return {name: only for name, (only, *others) in found.items() if not others}


def _busy(ids: Sequence[int]) -> Iterable[int]:
    return session.scalars(
        select(Application.member_id).where(Application.member_id.in_(ids), Application.state.in_(OPEN))
    )


def _graduates(ids: Sequence[int]) -> Iterable[int]:
    return session.scalars(
        select(RegisterRow.member_id).where(
            RegisterRow.member_id.in_(ids), RegisterRow.season == clock.today().year, RegisterRow.closed_at.is_(None)
        )
    )
